import { parseFixedPoint, type Quantity, SCALE, ZERO } from './quantity.js';

/**
 * A value of stock or a cost as an exact fixed-point decimal: a whole number of ten-thousandths, as quantities are, of the organisation's
 * currency. Prices and refunds, which have the currency's decimals, are not this.
 */
export type Money = bigint;

/** What a column `numeric(22,4)` holds: values stay below 10^18. */
const LIMIT: Money = 10n ** 18n * SCALE;

/** Whether a sum of values can be stored. Asked before anything is changed. */
export function isMoney(sum: Money): boolean {
  return -LIMIT < sum && sum < LIMIT;
}

/**
 * Reads a value as PostgreSQL writes it, `"12.5000"`.
 *
 * @throws {RangeError} when the text is no decimal with at most four decimals.
 */
export const parseMoney: (text: string) => Money = parseFixedPoint;

/** `value * multiplier / divisor`, rounded half away from zero (docs/rules.md, "costs"). The divisor is greater than zero. */
export function mulDiv(value: bigint, multiplier: bigint, divisor: bigint): bigint {
  const product = value * multiplier;
  const half = divisor / 2n;
  return (product < ZERO ? product - half : product + half) / divisor;
}

/** What a quantity costs: unit cost times quantity, to four decimals. */
export function valueOf(unitCost: Money, quantity: Quantity): Money {
  return mulDiv(unitCost, quantity, SCALE);
}

/** What one of a quantity costs; the quantity is greater than zero. */
export function unitCostOf(value: Money, quantity: Quantity): Money {
  return mulDiv(value, SCALE, quantity);
}

/**
 * Splits a value over quantities in their proportion: each takes its part of what the ones before it left, the last one the rest, so that
 * the parts add up to the whole.
 *
 * @throws {RangeError} when there is a value and no quantity to bear it.
 */
export function apportion(value: Money, quantities: readonly Quantity[]): Money[] {
  let restQuantity = quantities.reduce((sum, quantity) => sum + quantity, ZERO);
  let rest = value;
  if (rest !== ZERO && restQuantity <= ZERO) throw new RangeError('there is no quantity to split the value over');
  return quantities.map((quantity) => {
    const part = quantity === ZERO ? ZERO : mulDiv(rest, quantity, restQuantity);
    rest -= part;
    restQuantity -= quantity;
    return part;
  });
}
