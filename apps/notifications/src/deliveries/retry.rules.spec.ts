import fc from 'fast-check';
import { afterAttempt, ageMaxMs, type AttemptResult, restMs } from './retry.rules.js';

const DELAYS = [10_000, 60_000, 300_000];
const down: AttemptResult = { kind: 'notSent', reason: 'down', isFinal: false, retryAfterMs: 0 };

describe('afterAttempt', () => {
  it('tries again after delays that grow, and then gives up', () => {
    expect([1, 2, 3, 4].map((attempt) => afterAttempt(attempt, down, DELAYS, 0))).toEqual([
      { kind: 'retried', delayMs: 10_000, reason: 'down' },
      { kind: 'retried', delayMs: 60_000, reason: 'down' },
      { kind: 'retried', delayMs: 300_000, reason: 'down' },
      { kind: 'failed', reason: 'down' },
    ]);
    expect(afterAttempt(4, { kind: 'sent' }, DELAYS, 0)).toEqual({ kind: 'sent' });
  });

  it('gives up at once what is refused for good', () => {
    expect(afterAttempt(1, { ...down, isFinal: true }, DELAYS, 0)).toEqual({ kind: 'failed', reason: 'down' });
  });

  it('waits for as long as the receiver asks, up to an hour', () => {
    const asked = (retryAfterMs: number) => afterAttempt(1, { ...down, retryAfterMs }, DELAYS, 0);
    expect([asked(5_000), asked(30_000), asked(86_400_000)]).toMatchObject([
      { delayMs: 10_000 },
      { delayMs: 30_000 },
      { delayMs: 3_600_000 },
    ]);
  });

  it('never tries more often than there are delays and once, and never sooner than it says', () => {
    const delays = fc.array(fc.nat(1_000_000), { maxLength: 10 });
    fc.assert(
      fc.property(delays, fc.double({ min: 0, max: 1, noNaN: true }), (retryDelaysMs, spread) => {
        let attempts = 0;
        for (let after = afterAttempt(++attempts, down, retryDelaysMs, spread); after.kind === 'retried';) {
          const least = retryDelaysMs[attempts - 1]!;
          expect(after.delayMs).toBeGreaterThanOrEqual(least);
          expect(after.delayMs).toBeLessThanOrEqual(least * 1.1 + 1);
          after = afterAttempt(++attempts, down, retryDelaysMs, spread);
        }
        expect(attempts).toBe(retryDelaysMs.length + 1);
      }),
    );
  });
});

describe('restMs', () => {
  it('lets a channel that is down rest for longer and longer, and never for more than a minute', () => {
    expect([1, 2, 3, 4, 100].map((failures) => restMs(failures, down, DELAYS))).toEqual([10_000, 60_000, 60_000, 60_000, 60_000]);
    expect(restMs(1, { ...down, retryAfterMs: 90_000 }, DELAYS)).toBe(90_000);
  });

  it('does not let a channel rest for one message that it refuses for good', () => {
    expect([restMs(1, { ...down, isFinal: true }, DELAYS), restMs(0, { kind: 'sent' }, DELAYS)]).toEqual([0, 0]);
  });
});

describe('ageMaxMs', () => {
  it('leaves time for all attempts', () => {
    expect(ageMaxMs(DELAYS)).toBe(370_000 * 1.25 + 3_600_000);
    const longest = [1, 2, 3]
      .map((attempt) => afterAttempt(attempt, down, DELAYS, 1))
      .reduce((sum, after) => sum + ('delayMs' in after ? after.delayMs : 0), 0);
    expect(longest).toBeLessThan(ageMaxMs(DELAYS));
  });
});
