import { AsyncLocalStorage } from 'node:async_hooks';

/** What every log line of a message or request carries, so that one search finds all that happened to an order. */
export interface LogContext {
  readonly orgId?: string | undefined;
  readonly orderId?: string | undefined;
  /** The trace id of a W3C `traceparent`. */
  readonly traceId?: string | undefined;
}

const storage = new AsyncLocalStorage<LogContext>();

/** Runs `work`; all it logs, also later and in what it awaits, carries `context` beside what was set around it. */
export function withLogContext<T>(context: LogContext, work: () => T): T {
  return storage.run({ ...storage.getStore(), ...context }, work);
}

export function currentLogContext(): LogContext {
  return storage.getStore() ?? {};
}

/** The 32 hex digits of `00-<trace id>-<span id>-<flags>`; undefined when there are none. */
export function traceIdOf(traceparent: string | undefined): string | undefined {
  const id = traceparent?.split('-')[1];
  return id?.length === 32 ? id : undefined;
}
