import { join } from 'node:path';
import pg from 'pg';
import { findPostgres, findRabbitmq, guard, type Guardian, type LocalService, LocalServiceError } from '#libs/local-services';
import { isTestRunOlderThan, newTestRunId } from './test-names.js';

/** What a run that was killed with its guardian left behind is removed by the first run that starts this much later. */
const ABANDONED_AFTER_MS = 3 * 3_600_000;

let started: LocalService[] = [];
let guardian: Guardian | undefined;

/** Finds or starts the PostgreSQL and the RabbitMQ that the tests share; they are told by environment variables. */
export async function setUp(): Promise<void> {
  const began = performance.now();
  const log = (line: string) => process.stderr.write(`${line}\n`);
  const finding = await Promise.allSettled([findPostgres({ log }), findRabbitmq({ log })]);
  started = finding.filter((outcome) => outcome.status === 'fulfilled').map(({ value }) => value);
  const failure = finding.find((outcome) => outcome.status === 'rejected');
  if (failure !== undefined) {
    await stopAll();
    throw readable(failure.reason);
  }
  const [postgres, rabbitmq] = started as [LocalService, LocalService];
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  log(`Tests use ${postgres.description} and ${rabbitmq.description}, ready in ${seconds} s.`);
  const run = newTestRunId();
  const server = new URL(postgres.url);
  // The database that is configured is never touched.
  server.pathname = '/postgres';
  Object.assign(process.env, { HOLDFAST_TEST_RUN: run, HOLDFAST_TEST_DATABASE_URL: server.href, HOLDFAST_TEST_AMQP_URL: rabbitmq.url });
  if (rabbitmq.tool !== undefined) process.env['HOLDFAST_TEST_RABBITMQCTL'] = JSON.stringify(rabbitmq.tool);
  // Ctrl-C ends jest at once, without its tear-down.
  const remover = ['--import', join(import.meta.dirname, '../run-from-source.js'), join(import.meta.dirname, 'remove-databases.ts'), run];
  guardian = guard({ command: [process.execPath, ...remover] });
  await removeDatabases((name) => isTestRunOlderThan(name, ABANDONED_AFTER_MS));
}

/** Removes what tests have left, and ends what was started. */
export async function tearDown(): Promise<void> {
  const run = process.env['HOLDFAST_TEST_RUN'];
  const left = run === undefined ? [] : await removeDatabases((name) => name.startsWith(run));
  guardian?.dismiss();
  await stopAll();
  if (left.length > 0) process.stderr.write(`Databases that tests did not drop, dropped now: ${left.join(', ')}\n`);
}

/** Drops the test databases whose name is chosen; answers their names. */
export async function removeDatabases(isChosen: (name: string) => boolean): Promise<string[]> {
  const server = process.env['HOLDFAST_TEST_DATABASE_URL']!;
  const client = new pg.Client({ connectionString: server });
  await client.connect();
  const { rows } = await client
    .query<{ datname: string }>(`select datname from pg_database where datname like 'hft\\_%'`)
    .finally(() => client.end());
  const names = rows.map(({ datname }) => datname).filter(isChosen);
  if (names.length > 0) {
    // Loaded here because it brings TypeORM and NestJS along, and is seldom needed.
    const { dropDatabase, onDatabase } = await import('#libs/persistence');
    for (const name of names) await dropDatabase(onDatabase(server, name));
  }
  return names;
}

async function stopAll(): Promise<void> {
  await Promise.all(started.splice(0).map((service) => service.stop()));
}

/** jest prints the stack, of which the first lines are the message. */
function readable(error: unknown): unknown {
  if (!(error instanceof LocalServiceError)) return error;
  error.stack = error.message;
  return error;
}
