import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from 'amqplib';
import { Client } from 'pg';
import { dropDatabase, onDatabase } from '#libs/persistence';
import { Child, type ChildOptions } from './child.js';
import type { Options } from './options.js';

const CLEAN_UP_STEP_WITHIN_MS = 15_000;

/** Ended by Ctrl-C or a termination signal. */
export class Interrupted extends Error {}

/**
 * One run of the benchmark: the names that belong to it alone, the signal that ends it, and what has to be undone afterwards.
 * Whatever goes wrong anywhere, a dead process too, aborts the one signal that every wait listens to.
 */
export class BenchRun {
  readonly id = randomBytes(3).toString('hex');
  /** Before the name of every queue and exchange of this run. */
  readonly prefix = `bench-${this.id}`;
  readonly databaseName = `holdfast_bench_${this.id}`;
  readonly databaseUrl: string;
  private readonly aborter = new AbortController();
  private readonly cleanUps: { what: string; work: () => Promise<unknown> }[] = [];

  constructor(readonly options: Options) {
    this.databaseUrl = onDatabase(options.databaseUrl, this.databaseName);
  }

  get signal(): AbortSignal {
    return this.aborter.signal;
  }

  /** Ends the run; the first reason counts. */
  fail = (error: Error): void => this.aborter.abort(error);

  /** Registers what has to be undone at the end; the last registered comes first. */
  onCleanUp(what: string, work: () => Promise<unknown>): void {
    this.cleanUps.push({ what, work });
  }

  /** Undoes everything, each step bounded in time; answers what could not be undone. */
  async cleanUp(): Promise<string[]> {
    const left: string[] = [];
    for (const { what, work } of this.cleanUps.reverse()) {
      const late = sleep(CLEAN_UP_STEP_WITHIN_MS, 'late' as const, { ref: false });
      const result = await Promise.race([work().catch((error: unknown) => error), late]);
      if (result === 'late' || result instanceof Error) left.push(`${what}: ${result === 'late' ? 'no answer in time' : result.message}`);
    }
    this.cleanUps.length = 0;
    return left;
  }

  /** Starts a process of this run and waits until it is ready; answers it and the address that it serves. */
  async startChild(options: ChildOptions): Promise<{ child: Child; url: string }> {
    this.signal.throwIfAborted();
    const child = new Child(options, this.fail);
    this.onCleanUp(options.name, () => child.stop());
    return { child, url: await child.untilReady(this.signal) };
  }

  /** Checks that database and broker answer, and creates the run's own database. */
  async prepare(): Promise<{ postgres: string; rabbitmq: string }> {
    const rabbitmq = await this.askBroker();
    this.onCleanUp('database', () => dropDatabase(this.databaseUrl));
    const postgres = await this.asAdmin(async (admin) => {
      // Compares text byte by byte, as Holdfast's databases do: the yardstick shall not pay for a language's order.
      await admin.query(`create database ${this.databaseName} template template0 encoding 'UTF8' lc_collate 'C'`);
      const { rows } = await admin.query<{ server_version: string }>('show server_version');
      return rows[0]!.server_version;
    });
    return { postgres, rabbitmq };
  }

  /** Runs statements in the run's own database, as the user of DATABASE_URL. */
  async inDatabase<T>(work: (client: Client) => Promise<T>): Promise<T> {
    return withClient(this.databaseUrl, work);
  }

  /** Writes out what earlier work left dirty, so that no measurement pays for the one before it. */
  async settle(): Promise<void> {
    // A user who may not do that measures with a little more noise.
    await this.asAdmin((admin) => admin.query('checkpoint')).catch(() => undefined);
    await sleep(200, undefined, { signal: this.signal });
  }

  private async asAdmin<T>(work: (client: Client) => Promise<T>): Promise<T> {
    return withClient(this.options.databaseUrl, work).catch((error: unknown) => {
      throw new Error(`PostgreSQL at ${place(this.options.databaseUrl)}: ${reasonOf(error)} (DATABASE_URL says where it is)`);
    });
  }

  private async askBroker(): Promise<string> {
    try {
      const connection = await connect(this.options.amqpUrl, { timeout: 5_000 });
      const { version } = connection.connection.serverProperties;
      await connection.close();
      return version;
    } catch (error) {
      throw new Error(`RabbitMQ at ${place(this.options.amqpUrl)}: ${reasonOf(error)} (AMQP_URL says where it is)`, { cause: error });
    }
  }
}

async function withClient<T>(connectionString: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString, connectionTimeoutMillis: 5_000 });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** Host and port of an address, without the password. */
function place(url: string): string {
  return new URL(url).host;
}

function reasonOf(error: unknown): string {
  if (error instanceof AggregateError) return reasonOf(error.errors[0]);
  return error instanceof Error ? error.message : String(error);
}
