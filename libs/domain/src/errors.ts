/**
 * The few ways in which a request can fail. Business code throws these; they are mapped once to HTTP (gateway) and once to
 * acknowledge, retry or park (messaging). A refusal that other services must know about is an event, not an error.
 */
export type ErrorKind =
  /** The request breaks its own shape: HTTP 400. */
  | 'invalid'
  /** Nobody is signed in: HTTP 401. */
  | 'unauthenticated'
  /** Signed in, but not allowed: HTTP 403. */
  | 'forbidden'
  /** The subject does not exist for this organisation: HTTP 404. */
  | 'not_found'
  /** Stock or state does not allow it now: HTTP 409. */
  | 'conflict'
  /** The caller's expectation of the version is outdated: HTTP 412. */
  | 'precondition'
  /** A rule forbids it whatever the state: HTTP 422. */
  | 'rejected'
  /** Too many requests: HTTP 429. */
  | 'limited'
  /** Something we depend on does not answer; the same request may succeed later: HTTP 503. */
  | 'unavailable'
  /** A defect of ours: HTTP 500. */
  | 'bug';

/** One field that is wrong: where (a path such as `lines.0.quantity`) and what is expected. */
export interface FieldError {
  readonly path: string;
  readonly message: string;
}

/** What of an error crosses a process border; see {@link HoldfastError.toWire}. */
export interface WireError {
  readonly kind: ErrorKind;
  readonly code: string;
  readonly message: string;
  readonly details?: Readonly<Record<string, unknown>>;
}

/**
 * An expected failure with a stable `code` (for programs), a `message` (for people: what, where, what to do) and `details` that
 * are shown to the caller.
 */
export class HoldfastError extends Error {
  override readonly name = 'HoldfastError';

  constructor(
    readonly kind: ErrorKind,
    readonly code: string,
    message: string,
    readonly details: Readonly<Record<string, unknown>> = {},
    options?: ErrorOptions,
  ) {
    super(message, options);
  }

  toWire(): WireError {
    return { kind: this.kind, code: this.code, message: this.message, details: this.details };
  }

  static fromWire(wire: WireError): HoldfastError {
    return new HoldfastError(wire.kind, wire.code, wire.message, wire.details ?? {});
  }
}

export const invalid = (message: string, errors: readonly FieldError[] = []) =>
  new HoldfastError('invalid', 'VALIDATION_FAILED', message, { errors });
export const notFound = (code: string, message: string) => new HoldfastError('not_found', code, message);
export const conflict = (code: string, message: string, details: Record<string, unknown> = {}) =>
  new HoldfastError('conflict', code, message, details);
export const rejected = (code: string, message: string, details: Record<string, unknown> = {}) =>
  new HoldfastError('rejected', code, message, details);
export const forbidden = (code: string, message: string) => new HoldfastError('forbidden', code, message);
export const unavailable = (message: string, details: Record<string, unknown> = {}, options?: ErrorOptions) =>
  new HoldfastError('unavailable', 'UNAVAILABLE', message, details, options);
