import { setTimeout as delay } from 'node:timers/promises';
import type pg from 'pg';
import type { DataSource } from 'typeorm';
import type { PostgresDriver } from 'typeorm/driver/postgres/PostgresDriver.js';
import { classifyError, CommitOutcomeUnknown } from './classify-error.js';
import { OpenTransaction } from './transaction.js';
import type { Tx } from './transaction.js';

export interface TransactionOptions {
  /** One snapshot for all its reads (`repeatable read`), and no writes. */
  readonly readOnly?: boolean;
  /**
   * The work sends all its statements before it first waits: the end of the transaction travels with them, in one packet and one round
   * trip. Read only.
   */
  readonly inOneGo?: boolean;
  /** How often the work is run again after a serialisation failure, a deadlock or a lost connection; default 5. */
  readonly retries?: number;
  /** The work recognises what it has already stored, so it is also run again when the connection was lost during the commit. */
  readonly repeatable?: boolean;
}

const RETRIES = 5;
const RETRY_DELAY_FIRST_MS = 10;

/** The tables of one service, seen with the rights of one role through a pool of connections. */
export class Database {
  constructor(readonly dataSource: DataSource) {}

  /**
   * Runs `work` in one transaction whose row-level security admits exactly these organisations, and commits it.
   *
   * After a serialisation failure, a deadlock or a lost connection the work is run again, so it must not change anything outside of the
   * transaction; that belongs in {@link Tx.afterCommit}.
   *
   * @throws what `work` throws, after the rollback; {@link CommitOutcomeUnknown} when the connection is lost during the commit, unless
   * the work is `repeatable`. {@link classifyError} says what to do about it.
   */
  async transaction<T>(orgs: readonly string[], work: (tx: Tx) => Promise<T>, options: TransactionOptions = {}): Promise<T> {
    const retries = options.retries ?? RETRIES;
    for (let attempt = 0; ; attempt++) {
      try {
        return await this.#attempt(orgs, work, options);
      } catch (error) {
        if (attempt >= retries || !mayRunAgain(error, options)) throw error;
        // Random, because those who met in a deadlock would meet again after equal delays.
        await delay(RETRY_DELAY_FIRST_MS * 2 ** attempt * (0.5 + Math.random()));
      }
    }
  }

  /** Ends the connections, once the transactions under way have ended. */
  async close(): Promise<void> {
    if (this.dataSource.isInitialized) await this.dataSource.destroy();
  }

  async #attempt<T>(orgs: readonly string[], work: (tx: Tx) => Promise<T>, options: TransactionOptions): Promise<T> {
    const { inOneGo = false, readOnly = inOneGo } = options;
    const driver = this.dataSource.driver as PostgresDriver;
    const [client, release] = (await driver.obtainMasterConnection()) as [pg.PoolClient, (error?: Error) => void];
    const tx = new OpenTransaction(client, this.dataSource);
    let result: T;
    try {
      tx.begin(orgs, readOnly);
      if (inOneGo) {
        [result] = await Promise.all([work(tx), tx.commit(true)]);
      } else {
        result = await work(tx);
        await tx.commit(readOnly);
      }
    } catch (error) {
      throw await tx.rollback(error);
    } finally {
      release(tx.letGo());
    }
    tx.runAfterCommit();
    return result;
  }
}

function mayRunAgain(error: unknown, options: TransactionOptions): boolean {
  if (error instanceof CommitOutcomeUnknown) return options.repeatable ?? false;
  return classifyError(error) === 'retry';
}
