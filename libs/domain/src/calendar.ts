/** A day of the calendar without a time, such as `2026-03-01`. Days compare as their texts do. */
export type Day = string;

const DAY_MS = 86_400_000;
/** Names such as `Europe/Berlin`. No offsets: JavaScript and PostgreSQL read their signs differently. */
const ZONE_NAME = /^[A-Za-z][A-Za-z0-9_+-]*(\/[A-Za-z0-9_+-]+)*$/;
const ZONE_NAME_MAX = 64;
/** Making a format costs a hundred times what using it does; there are some 600 names, each in upper and lower case. */
const FORMATS_MAX = 2_000;
const formats = new Map<string, Intl.DateTimeFormat>();

/** Whether a text names a time zone, such as `UTC` or `Europe/Berlin`. */
export function isTimeZone(name: string): boolean {
  if (name.length > ZONE_NAME_MAX || !ZONE_NAME.test(name)) return false;
  try {
    formatOf(name);
    return true;
  } catch {
    return false;
  }
}

/**
 * The day that it is in a time zone at a time.
 *
 * @throws {RangeError} when there is no such time zone; see {@link isTimeZone}.
 */
export function dayOf(time: Date, timeZone: string): Day {
  const parts = Object.fromEntries(
    formatOf(timeZone)
      .formatToParts(time)
      .map(({ type, value }) => [type, value]),
  );
  return `${parts['year']!.padStart(4, '0')}-${parts['month']}-${parts['day']}`;
}

/** The day so many days later; earlier, when `count` is negative. */
export function addDays(day: Day, count: number): Day {
  return new Date(Date.parse(`${day}T00:00:00Z`) + count * DAY_MS).toISOString().slice(0, 10);
}

export function laterDay(a: Day, b: Day): Day {
  return a > b ? a : b;
}

function formatOf(timeZone: string): Intl.DateTimeFormat {
  let format = formats.get(timeZone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-GB', { timeZone, calendar: 'iso8601', year: 'numeric', month: '2-digit', day: '2-digit' });
    if (formats.size >= FORMATS_MAX) formats.clear();
    formats.set(timeZone, format);
  }
  return format;
}
