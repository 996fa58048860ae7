import { setTimeout as delay } from 'node:timers/promises';

/** Waits until `check` answers something true (not 0, not an empty list), and answers it; after the timeout, whatever it answers. */
export async function eventually<T>(check: () => Promise<T> | T, timeoutMs = 20_000): Promise<T> {
  const giveUpMs = Date.now() + timeoutMs;
  for (;;) {
    const answer = await check();
    if ((Array.isArray(answer) ? answer.length > 0 : answer) || Date.now() > giveUpMs) return answer;
    await delay(50);
  }
}
