import { formatQuantity, parseQuantity, QUANTITY_PATTERN } from '#libs/domain';

/** Which decimals a field takes. */
export type DecimalRange = 'any' | 'non-zero' | 'zero or more' | 'positive';

const DECIMAL = new RegExp(QUANTITY_PATTERN);
/** A number of so many significant digits is what its author wrote; beyond it, reading JSON may have changed it. */
const NUMBER_DIGITS_MAX = 15;

/**
 * What a client sent, as the shortest decimal string: `"1.50"`, `1.5` and `15e-1` are all `"1.5"`. Whatever is no decimal stays as it is,
 * for {@link decimalError} to refuse.
 */
export function toDecimal(value: unknown): unknown {
  const text = typeof value === 'number' ? numberText(value) : value;
  return typeof text === 'string' && DECIMAL.test(text) ? formatQuantity(parseQuantity(text)) : value;
}

/** What is wrong with a value that {@link toDecimal} has read, or undefined. */
export function decimalError(value: unknown, range: DecimalRange): string | undefined {
  if (typeof value === 'number') {
    return 'must have at most 4 decimals, be below 10^12 and, as a number, have at most 15 significant digits; send a string for more';
  }
  if (typeof value !== 'string' || !DECIMAL.test(value)) return 'must be a decimal below 10^12 with at most 4 decimals';
  const quantity = parseQuantity(value);
  if (range === 'positive' && quantity <= 0n) return 'must be greater than zero';
  if (range === 'zero or more' && quantity < 0n) return 'must be zero or more';
  if (range === 'non-zero' && quantity === 0n) return 'must not be zero';
  return undefined;
}

/** Undefined for a number with more digits than are surely right, or that is not finite. */
function numberText(value: number): string | undefined {
  const text = String(value);
  return significantDigits(text) <= NUMBER_DIGITS_MAX ? text : undefined;
}

/** How many digits of a number's text carry value: neither leading zeros, nor zeros at the end, nor the exponent. */
export function significantDigits(text: string): number {
  const mantissa = text.replace(/^-/, '').split(/e/i)[0]!;
  const digits = mantissa.replace('.', '').replace(/^0+/, '');
  return (mantissa.includes('.') ? digits : digits.replace(/0+$/, '')).length;
}
