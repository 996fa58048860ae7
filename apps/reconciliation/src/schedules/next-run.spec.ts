import { nextRun } from './next-run.js';

const at = (time: string) => new Date(time);

describe('the next run', () => {
  it.each([
    ['0 2 * * *', 'UTC', '2026-03-01T01:59:59Z', '2026-03-01T02:00:00Z'],
    ['0 2 * * *', 'UTC', '2026-03-01T02:00:00Z', '2026-03-02T02:00:00Z'],
    ['0 2 * * *', 'Europe/Berlin', '2026-01-10T00:00:00Z', '2026-01-10T01:00:00Z'],
    ['0 2 * * *', 'Europe/Berlin', '2026-07-10T00:30:00Z', '2026-07-11T00:00:00Z'],
    ['*/15 * * * *', 'Asia/Kolkata', '2026-03-01T10:01:00Z', '2026-03-01T10:15:00Z'],
    ['30 3 1 * *', 'UTC', '2026-01-31T00:00:00Z', '2026-02-01T03:30:00Z'],
  ])('of %s in %s after %s is at %s', (cron, timezone, now, next) => {
    expect(nextRun(cron, timezone, at(now))).toEqual(at(next));
  });

  it('comes once in each night, also when the clock is put forward or back', () => {
    const nights = (from: string) => {
      const times: Date[] = [];
      let now = at(from);
      for (let n = 0; n < 3; n++) times.push((now = nextRun('30 2 * * *', 'Europe/Berlin', now)!));
      return times.map((time) => time.toISOString().slice(0, 10));
    };
    expect(nights('2026-03-27T12:00:00Z')).toEqual(['2026-03-28', '2026-03-29', '2026-03-30']);
    expect(nights('2026-10-23T12:00:00Z')).toEqual(['2026-10-24', '2026-10-25', '2026-10-26']);
  });

  it.each([
    ['every night', 'UTC'],
    ['0 2 * * *', 'Mars/Crater'],
    ['0 2 30 2 *', 'UTC'],
  ])('of %s in %s is never', (cron, timezone) => expect(nextRun(cron, timezone, at('2026-03-01T00:00:00Z'))).toBeNull());
});
