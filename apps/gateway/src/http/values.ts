/** Whether a value is an object as JSON writes them: neither a list nor a class of ours. */
export function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

const TIMESTAMP = /^(\d{4}-\d{2}-\d{2})[Tt]([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,9})?([Zz]|[+-]([01]\d|2[0-3]):[0-5]\d)$/;

/** RFC 3339, of a day that exists. */
export function isTimestamp(value: unknown): value is string {
  const match = typeof value === 'string' ? TIMESTAMP.exec(value) : null;
  return match !== null && isCalendarDate(match[1]);
}

/** `2026-03-01`; February 30 is refused, which JavaScript reads as March 2. */
export function isCalendarDate(value: unknown): value is string {
  if (typeof value !== 'string' || !/^(?!0000)\d{4}-\d{2}-\d{2}$/.test(value)) return false;
  const day = new Date(`${value}T00:00:00Z`);
  return !Number.isNaN(day.getTime()) && day.toISOString().startsWith(value);
}

const DEPTH_MAX = 5;
const CONTROL = /[\u0000-\u0008\u000b\u000c\u000e-\u001f]/;

/** What is wrong with a JSON object of free shape: too deep, or text that cannot be stored. */
export function plainJsonError(value: unknown): string | undefined {
  if (!isPlainObject(value)) return 'must be an object';
  return isStorable(value, DEPTH_MAX) ? undefined : `must be plain JSON, at most ${DEPTH_MAX} levels deep, without control characters`;
}

function isStorable(value: unknown, depth: number): boolean {
  if (typeof value === 'string') return value.isWellFormed() && !CONTROL.test(value);
  if (typeof value === 'number') return Number.isFinite(value);
  if (typeof value !== 'object' || value === null) return true;
  if (depth === 0) return false;
  if (Array.isArray(value)) return value.every((entry) => isStorable(entry, depth - 1));
  return Object.entries(value).every(([key, entry]) => isStorable(key, depth) && isStorable(entry, depth - 1));
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Whether a text is an id such as Holdfast makes. */
export function isUuid(text: string): boolean {
  return UUID.test(text);
}
