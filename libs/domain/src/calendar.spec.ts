import { addDays, dayOf, isTimeZone, laterDay } from './calendar.js';

describe('days', () => {
  it('begin where the time zone says', () => {
    const time = new Date('2026-03-01T23:30:00Z');
    expect(['UTC', 'Europe/Berlin', 'America/New_York', 'Pacific/Kiritimati'].map((zone) => dayOf(time, zone))).toEqual([
      '2026-03-01',
      '2026-03-02',
      '2026-03-01',
      '2026-03-02',
    ]);
  });

  it('are those of the calendar, whatever the clocks do', () => {
    // The clocks go forward in Berlin in the night to March 29, and back in the night to October 25.
    expect(dayOf(new Date('2026-03-28T22:59:59Z'), 'Europe/Berlin')).toBe('2026-03-28');
    expect(dayOf(new Date('2026-03-28T23:00:00Z'), 'Europe/Berlin')).toBe('2026-03-29');
    expect(dayOf(new Date('2026-03-29T21:59:59Z'), 'Europe/Berlin')).toBe('2026-03-29');
    expect([addDays('2026-03-28', 1), addDays('2026-10-24', 2)]).toEqual(['2026-03-29', '2026-10-26']);
    expect([addDays('2024-02-28', 1), addDays('2026-12-31', 1), addDays('2026-01-01', -1)]).toEqual([
      '2024-02-29',
      '2027-01-01',
      '2025-12-31',
    ]);
  });

  it('compare as texts', () => {
    expect([laterDay('2026-03-01', '2026-02-28'), laterDay('2026-03-01', '2026-12-01')]).toEqual(['2026-03-01', '2026-12-01']);
  });

  it('are read in any year', () => {
    expect(dayOf(new Date('0987-06-05T00:00:00Z'), 'UTC')).toBe('0987-06-05');
  });
});

describe('time zones', () => {
  it.each(['UTC', 'Europe/Berlin', 'Asia/Kolkata', 'America/Argentina/Buenos_Aires', 'Etc/GMT+3'])('%s is one', (name) => {
    expect(isTimeZone(name)).toBe(true);
  });

  it.each(['', 'Berlin', 'Europe/Nowhere', '+01:00', '-05:00', 'Europe/Berlin; drop', 'x'.repeat(65)])('%s is none', (name) => {
    expect(isTimeZone(name)).toBe(false);
  });
});
