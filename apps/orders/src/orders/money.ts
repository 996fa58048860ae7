import { Decimal } from 'decimal.js';
import { forbidden, rejected } from '#libs/domain';

/** Enough digits for the product of any price and any quantity; rounded half away from zero (docs/rules.md, invariant 8). */
export const Money = Decimal.clone({ precision: 60, rounding: Decimal.ROUND_HALF_UP });

/** How many decimals amounts of a currency have: 2 for EUR, 0 for JPY. */
export function decimalsOf(currency: string): number {
  return new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions().maximumFractionDigits ?? 2;
}

/** The shortest decimal string of an amount, rounded to its currency. */
export function roundMoney(amount: Decimal, currency: string): string {
  return amount.toDecimalPlaces(decimalsOf(currency)).toFixed();
}

/** Reads an amount that the caller gave. @throws {HoldfastError} 422 `ORDER_VALIDATION` when it has more decimals than its currency. */
export function readMoney(text: string, currency: string, path: string): Decimal {
  const amount = new Money(text);
  if (amount.decimalPlaces() <= decimalsOf(currency)) return amount;
  throw rejected('ORDER_VALIDATION', `${path} is ${text}; amounts in ${currency} have at most ${decimalsOf(currency)} decimals.`, { path });
}

/** Refuses a price or refund of the caller's own making to who may not make one. */
export function checkMayPrice(mayPrice: boolean, message: string): void {
  if (!mayPrice) throw forbidden('FORBIDDEN', `${message} Only service, finance_manager and admin may do that.`);
}
