/** A PostgreSQL or RabbitMQ to work with: found on this machine or the network, or started for us. */
export interface LocalService {
  /** With user and password; not to be printed. */
  readonly url: string;
  /** Where it comes from, for people: `PostgreSQL 15 on 127.0.0.1:5432`. */
  readonly description: string;
  /** Its own tool, `rabbitmqctl`, and the environment in which that reaches it; of a private broker started from its program. */
  readonly tool?: { readonly program: string; readonly env: Readonly<Record<string, string | undefined>> };
  /** Ends what was started; does nothing to what was found. */
  stop(): Promise<void>;
}

/** Something that is missing or in the way, and what to do about it: a message for people, without a stack. */
export class LocalServiceError extends Error {
  override readonly name = 'LocalServiceError';
}

/** Tells a person what is going on, one line at a time. */
export type Log = (line: string) => void;

/** What a failed attempt says, also where Node tried several addresses. */
export function reasonOf(error: unknown): string {
  // Not `instanceof`: errors of Node itself are of another realm where code runs in a vm, as in tests.
  if (!Error.isError(error)) return String(error);
  return 'errors' in error && Array.isArray(error.errors) ? error.errors.map(reasonOf).join(', ') : error.message;
}

/** The URL without its password. */
export function withoutPassword(url: string): string {
  const shown = new URL(url);
  shown.password = '';
  return shown.href;
}
