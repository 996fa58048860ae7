/** What an attempt at a delivery came to. */
export type AttemptResult =
  | { readonly kind: 'sent' }
  /** @see NotSent */
  | { readonly kind: 'notSent'; readonly reason: string; readonly isFinal: boolean; readonly retryAfterMs: number };

/** What becomes of a delivery after an attempt. */
export type AfterAttempt =
  | { readonly kind: 'sent' }
  | { readonly kind: 'retried'; readonly delayMs: number; readonly reason: string }
  | { readonly kind: 'failed'; readonly reason: string };

/** A channel that fails rests for as long as a delivery waits, and no longer than this: others may wait for it that have not been tried. */
const REST_MS_MAX = 60_000;
const RETRY_AFTER_MS_MAX = 3_600_000;
/** How much longer than all its delays together a delivery may take: they are spread, and its channel rests or serves others first. */
const AGE_SPARE_RATIO = 1.25;
const AGE_SPARE_MS = 3_600_000;

/**
 * Decides after the attempt with this number, counted from 1: the delays grow, and after the last of them it is given up
 * (docs/rules.md, "Notifications").
 *
 * @param spread from 0 to 1; makes the delay up to a tenth longer, so that what failed together does not come back together.
 */
export function afterAttempt(attempt: number, result: AttemptResult, retryDelaysMs: readonly number[], spread: number): AfterAttempt {
  if (result.kind === 'sent') return { kind: 'sent' };
  const { reason, isFinal, retryAfterMs } = result;
  const delayMs = retryDelaysMs[attempt - 1];
  if (isFinal || delayMs === undefined) return { kind: 'failed', reason };
  return { kind: 'retried', delayMs: Math.max(delayMs * (1 + spread / 10), Math.min(retryAfterMs, RETRY_AFTER_MS_MAX)), reason };
}

/** For how long a channel rests after so many failures in a row; a final refusal is about the message and not about the channel. */
export function restMs(failures: number, result: AttemptResult, retryDelaysMs: readonly number[]): number {
  if (result.kind === 'sent' || result.isFinal) return 0;
  const grown = retryDelaysMs[Math.min(failures, retryDelaysMs.length) - 1] ?? REST_MS_MAX;
  return Math.max(Math.min(grown, REST_MS_MAX), Math.min(result.retryAfterMs, RETRY_AFTER_MS_MAX));
}

/** A delivery that is older than this is given up, however often it was tried: nobody is told tomorrow what was urgent last week. */
export function ageMaxMs(retryDelaysMs: readonly number[]): number {
  return retryDelaysMs.reduce((sum, delayMs) => sum + delayMs, 0) * AGE_SPARE_RATIO + AGE_SPARE_MS;
}
