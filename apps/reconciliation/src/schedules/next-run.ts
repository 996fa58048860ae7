import { Cron } from 'croner';

/**
 * The first time after `now` that a pattern names, in the days of a time zone: a time that the clock skips in spring comes when it goes on,
 * one that it repeats in autumn comes once. Null when no time comes, or the pattern cannot be read: settings are checked where they are
 * made, and one that slips through must not keep the schedules of others waiting.
 */
export function nextRun(cron: string, timezone: string, now: Date): Date | null {
  try {
    return new Cron(cron, { timezone }).nextRun(now);
  } catch {
    return null;
  }
}
