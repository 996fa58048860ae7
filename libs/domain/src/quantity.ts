/**
 * A quantity of stock as an exact fixed-point decimal: a whole number of ten-thousandths.
 *
 * Quantities have at most four decimals and stay below 10^12, so every sum fits a `bigint` exactly, and adding or comparing
 * two of them costs a fraction of what an arbitrary-precision decimal costs (docs/adr/0003-quantities-are-fixed-point.md).
 * On the wire and in tables a quantity is a decimal string; it is never a JavaScript `number`.
 */
export type Quantity = bigint;

export const ZERO: Quantity = 0n;

/** How many units of fixed point make one. */
export const SCALE = 10_000n;
const DECIMALS = 4;
/** Quantities and unit costs are smaller than this in absolute value: 10^12. */
const LIMIT: Quantity = 1_000_000_000_000n * SCALE;

/** What a quantity looks like on the wire: an optional sign, up to 12 digits, up to four decimals. */
export const QUANTITY_PATTERN = '^-?(0|[1-9][0-9]{0,11})(\\.[0-9]{1,4})?$';
/** A quantity that is greater than zero. */
export const POSITIVE_QUANTITY_PATTERN = '^(?!0(\\.0{1,4})?$)(0|[1-9][0-9]{0,11})(\\.[0-9]{1,4})?$';

/**
 * Reads a decimal string such as `"12"`, `"-0.5"` or PostgreSQL's `"12.0000"`.
 *
 * @throws {RangeError} when the text is no decimal with at most four decimals below 10^12.
 */
export function parseQuantity(text: string): Quantity {
  const quantity = parseFixedPoint(text);
  if (!isQuantity(quantity)) throw notADecimal(text);
  return quantity;
}

/**
 * Reads a decimal string of any size as a whole number of ten-thousandths.
 *
 * @throws {RangeError} when the text is no decimal with at most four decimals.
 */
export function parseFixedPoint(text: string): bigint {
  const point = text.indexOf('.');
  if (point === -1) return wholeNumber(text) * SCALE;
  const decimals = text.slice(point + 1);
  if (point === 0 || decimals.length === 0 || decimals.length > DECIMALS) throw notADecimal(text);
  return wholeNumber(text.slice(0, point) + decimals.padEnd(DECIMALS, '0'));
}

/** Whether a sum of quantities is a quantity itself: what is not could be stored, but neither told nor read again. */
export function isQuantity(sum: Quantity): boolean {
  return -LIMIT < sum && sum < LIMIT;
}

/** The shortest decimal string: no exponent, no trailing zeros, no `-0`. */
export function formatQuantity(quantity: Quantity): string {
  const negative = quantity < ZERO;
  const size = absolute(quantity);
  const whole = size / SCALE;
  const fraction = size % SCALE;
  const sign = negative ? '-' : '';
  if (fraction === 0n) return sign + whole.toString();
  return `${sign}${whole}.${fraction.toString().padStart(DECIMALS, '0').replace(/0+$/, '')}`;
}

/**
 * The shortest form of a decimal string as PostgreSQL's numeric comes: `"12.5000"` becomes `"12.5"`. For answers that only pass a
 * decimal on, values beyond the limit of quantities included.
 */
export function shortestDecimal(text: string): string {
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
}

/** Without its sign. */
export function absolute(quantity: Quantity): Quantity {
  return quantity < ZERO ? -quantity : quantity;
}

export function minQuantity(a: Quantity, b: Quantity): Quantity {
  return a < b ? a : b;
}

export function maxQuantity(a: Quantity, b: Quantity): Quantity {
  return a > b ? a : b;
}

/** Adds up; the sum of nothing is zero. */
export function sumQuantities<T>(entries: Iterable<T>, quantityOf: (entry: T) => Quantity): Quantity {
  let sum = ZERO;
  for (const entry of entries) sum += quantityOf(entry);
  return sum;
}

/** `percent` (a decimal such as 12.5, itself with four decimals) of a quantity, rounded half away from zero. */
export function percentOf(quantity: Quantity, percent: Quantity): Quantity {
  const product = quantity * percent;
  const divisor = 100n * SCALE;
  const half = product < ZERO ? -divisor / 2n : divisor / 2n;
  return (product + half) / divisor;
}

function wholeNumber(digits: string): bigint {
  if (!/^-?\d+$/.test(digits)) throw notADecimal(digits);
  return BigInt(digits);
}

function notADecimal(text: string): RangeError {
  return new RangeError(`"${text}" is not a quantity: a decimal below 10^12 with at most ${DECIMALS} decimals is expected`);
}
