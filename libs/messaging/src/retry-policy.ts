import { HoldfastError } from '#libs/domain';
import { classifyError } from '#libs/persistence';
import { RetryLater } from './handlers.js';

/** How long a message waits before its second, third, ... attempt: 13 minutes together, which outlasts a restart of anything. */
export const RETRY_DELAYS_MS: readonly number[] = [1_000, 5_000, 30_000, 150_000, 600_000];

/** What a failure of a handler means for its message. */
export type FailureKind =
  /** It may succeed later: delayed retry, counted. */
  | 'transient'
  /** The database cannot work now: wait with the message in hand, which in the end stops consuming, and count nothing. */
  | 'pause'
  /** It will never succeed. */
  | 'permanent';

export interface Failure {
  readonly kind: FailureKind;
  /** A stable code, for metrics and for whoever looks at parked messages. */
  readonly code: string;
  readonly message: string;
}

/** Once and for all handlers: which errors are worth another attempt. */
export function classifyFailure(error: unknown): Failure {
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof RetryLater) return { kind: 'transient', code: 'RETRY_LATER', message };
  if (error instanceof HoldfastError) {
    const transient = error.kind === 'unavailable' || error.kind === 'limited' || error.kind === 'bug';
    return { kind: transient ? 'transient' : 'permanent', code: error.code, message };
  }
  switch (classifyError(error)) {
    case 'pause':
      return { kind: 'pause', code: 'DATABASE_UNAVAILABLE', message };
    case 'split':
      return { kind: 'permanent', code: 'DATA_REFUSED', message };
    case 'retry':
      return { kind: 'transient', code: 'DATABASE_CONFLICT', message };
    case 'bug':
      // Not every defect is permanent: what a handler depends on may be missing for a while and say so in its own way.
      return { kind: 'transient', code: 'INTERNAL', message };
  }
}
