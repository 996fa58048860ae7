/**
 * What to do with work that failed:
 * - `retry`: the same work may succeed at once (serialisation failure, deadlock, lost connection);
 * - `pause`: the database cannot work now (not reachable, out of resources, shutting down); take no more work for a while;
 * - `split`: a value breaks a constraint or a type; in a batch only one command is to blame;
 * - `bug`: everything else.
 */
export type ErrorClass = 'retry' | 'pause' | 'split' | 'bug';

const RETRIED_CODES = new Set([
  '40001', // serialization_failure
  '40P01', // deadlock_detected
  '55P03', // lock_not_available
  '25P03', // idle_in_transaction_session_timeout: the server has closed the connection
  '26000', // invalid_sql_statement_name: a prepared statement is gone with its connection
]);

/** SQLSTATE classes of which every code is treated alike; 58 is trouble of the server's operating system. */
const CLASSES: Readonly<Record<string, ErrorClass>> = {
  '08': 'retry',
  '22': 'split',
  '23': 'split',
  '53': 'pause',
  '57': 'pause',
  '58': 'pause',
};

/** Node's own errors say in which call they happened: on the way to the server, or on a connection that stood. */
const SYSTEM_CALLS: Readonly<Record<string, ErrorClass>> = { connect: 'pause', getaddrinfo: 'pause', read: 'retry', write: 'retry' };
/** pg gives its own connection errors no code. */
const LOST_CONNECTION_MESSAGE = /^(Connection terminated( unexpectedly)?|Client has encountered a connection error|Client was closed)/;
const NO_SERVER_MESSAGE = /^(timeout exceeded when trying to connect|timeout expired|Connection terminated due to connection timeout)/;

export function classifyError(error: unknown): ErrorClass {
  // Not `instanceof`: errors of Node itself are of another realm where code runs in a vm, as in tests.
  if (!Error.isError(error)) return 'bug';
  // Node answers one error per address tried when a host name has several.
  if ('errors' in error && Array.isArray(error.errors) && error.errors.length > 0) return classifyError(error.errors[0]);
  if (error instanceof CommitOutcomeUnknown) return 'retry';
  const code = codeOf(error);
  if (code === undefined) {
    if (NO_SERVER_MESSAGE.test(error.message)) return 'pause';
    return LOST_CONNECTION_MESSAGE.test(error.message) ? 'retry' : 'bug';
  }
  if ('syscall' in error) return SYSTEM_CALLS[String(error.syscall)] ?? 'bug';
  if (RETRIED_CODES.has(code) || isStalePlan(error)) return 'retry';
  return (code.length === 5 && CLASSES[code.slice(0, 2)]) || 'bug';
}

/** The code of a failed statement, such as `23505`, or of a failed connection, such as `ECONNREFUSED`. */
export function codeOf(error: unknown): string | undefined {
  if (!Error.isError(error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** A prepared statement whose table was changed by a migration since: a new connection prepares it anew. */
export function isStalePlan(error: Error): boolean {
  return codeOf(error) === '0A000' && error.message.includes('cached plan');
}

/**
 * The connection was lost while the commit was under way: it may have happened or not. Whoever can tell (by message id or business key)
 * does the work again.
 */
export class CommitOutcomeUnknown extends Error {
  override readonly name = 'CommitOutcomeUnknown';

  constructor(cause: unknown) {
    super('The connection was lost during the commit, so it is not known whether the change is stored. The same request may be repeated.', {
      cause,
    });
  }
}
