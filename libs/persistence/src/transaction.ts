import pg from 'pg';
import type { DataSource, EntityManager } from 'typeorm';
import { classifyError, codeOf, CommitOutcomeUnknown, isStalePlan } from './classify-error.js';
import { statement } from './statement.js';
import type { Statement } from './statement.js';

/** What runs inside one transaction; the first argument of whatever needs it. */
export interface Tx {
  /** The rows of a statement given as text: for cold paths. */
  rows<R>(text: string, values?: readonly unknown[]): Promise<R[]>;
  /** How many rows a statement changed. */
  execute(text: string, values?: readonly unknown[]): Promise<number>;
  /**
   * The rows of a prepared statement. Calls made without awaiting are sent at once and answered in order, and need not be awaited for the
   * commit to wait for them: writes that nothing depends on cost no round trip of their own. Only the promise that is answered here may be
   * left alone; one made of it, by `then` or in an async function, has to be awaited, or its rejection handled.
   */
  run<R>(prepared: Statement<R>, values: readonly unknown[]): Promise<R[]>;
  /** TypeORM in the same transaction: for cold reads and simple writes. */
  readonly manager: EntityManager;
  /** Called once after the commit, in order; never when the transaction is rolled back. Must not throw. */
  afterCommit(work: () => void): void;
}

const admitOrganisations = statement('holdfast_orgs', `select set_config('holdfast.orgs', $1, true)`);
const IN_FAILED_TRANSACTION = '25P02';
const ignore = () => {};

interface Query {
  readonly name?: string;
  readonly text: string;
  readonly values?: readonly unknown[] | undefined;
}

/** One attempt at one transaction on one connection. */
export class OpenTransaction implements Tx {
  readonly #client: pg.PoolClient;
  readonly #dataSource: DataSource;
  readonly #afterCommit: (() => void)[] = [];
  #manager: EntityManager | undefined;
  /** The first statement that failed; later ones only say that the transaction is aborted. */
  #failure: Error | undefined;
  #over = false;
  #lost = false;
  /** A connection lost between two statements is reported as an event, which would end the process if nobody listened. */
  readonly #onLost = (error: Error) => {
    this.#lost = true;
    this.#failure ??= error;
  };

  constructor(client: pg.PoolClient, dataSource: DataSource) {
    this.#client = client;
    this.#dataSource = dataSource;
    client.on('error', this.#onLost);
  }

  /** Sends the beginning without waiting for its answer: it travels with the first statement. */
  begin(orgs: readonly string[], readOnly: boolean): void {
    void this.execute(readOnly ? 'begin isolation level repeatable read read only' : 'begin');
    void this.run(admitOrganisations, [JSON.stringify(orgs)]);
  }

  rows<R>(text: string, values?: readonly unknown[]): Promise<R[]> {
    return this.#query({ text, values }, (result) => result.rows as R[]);
  }

  execute(text: string, values?: readonly unknown[]): Promise<number> {
    return this.#query({ text, values }, (result) => result.rowCount ?? 0);
  }

  run<R>({ name, text }: Statement<R>, values: readonly unknown[]): Promise<R[]> {
    return this.#query({ name, text, values }, (result) => result.rows as R[]);
  }

  get manager(): EntityManager {
    if (this.#manager === undefined) {
      const runner = this.#dataSource.createQueryRunner();
      // The runner is told that it is connected and inside a transaction, so that save() opens none of its own and manager.transaction()
      // is a savepoint. TypeORM has no public way to hand over a connection.
      Object.assign(runner, { databaseConnection: this.#client, isTransactionActive: true, transactionDepth: 1 });
      this.#manager = runner.manager;
    }
    return this.#manager;
  }

  afterCommit(work: () => void): void {
    this.#afterCommit.push(work);
  }

  /**
   * Commits, or throws what kept it from being committed.
   *
   * @param isReadOnly there is nothing to be half committed.
   */
  async commit(isReadOnly = false): Promise<void> {
    // A value that cannot be sent fails in this process by the next tick; the server knows nothing of it and would commit the rest.
    if (!isReadOnly) await new Promise<void>((resolve) => process.nextTick(resolve));
    if (this.#failure !== undefined && (this.#lost || !(this.#failure instanceof pg.DatabaseError))) throw this.#failure;
    const committed = this.#query({ text: 'commit' }, (result) => result.command);
    this.#over = true;
    const command = await committed.catch((error: unknown) => {
      throw error instanceof pg.DatabaseError ? error : new CommitOutcomeUnknown(error);
    });
    // The server answers the commit of a failed transaction with ROLLBACK, as a success.
    if (command !== 'COMMIT') throw this.#failure ?? new Error('The transaction was rolled back, because a statement in it failed.');
  }

  /** Rolls back; answers the error to report, which is the first failure where `error` is only its echo. */
  async rollback(error: unknown): Promise<unknown> {
    if (!this.#over) {
      const rolledBack = this.execute('rollback');
      this.#over = true;
      await rolledBack.catch(ignore);
    }
    return codeOf(error) === IN_FAILED_TRANSACTION ? (this.#failure ?? error) : error;
  }

  /**
   * Lets go of the connection; answers what makes it unfit for another transaction, if anything: it is lost, or disagrees with pg about what
   * is prepared.
   */
  letGo(): Error | undefined {
    this.#client.removeListener('error', this.#onLost);
    const failure = this.#failure;
    if (failure === undefined) return undefined;
    const usable = !this.#lost && failure instanceof pg.DatabaseError && classifyError(failure) !== 'pause' && !isStalePlan(failure);
    return usable && failure.code !== '26000' ? undefined : failure;
  }

  runAfterCommit(): void {
    for (const work of this.#afterCommit) {
      try {
        work();
      } catch (error) {
        // The change is stored: failing the caller for this would make it repeat what has happened.
        process.emitWarning(error instanceof Error ? error : String(error));
      }
    }
  }

  #query<T>(query: Query, read: (result: pg.QueryResult) => T): Promise<T> {
    if (this.#over) return Promise.reject(new Error('The transaction is over; a statement was sent after its work had ended.'));
    const answer = this.#client.query(query as pg.QueryConfig).then(read);
    // Also marks the rejection as handled: who does not await a statement learns of its failure from the commit.
    answer.catch((error: Error) => (this.#failure ??= error));
    return answer;
  }
}
