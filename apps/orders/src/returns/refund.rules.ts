import { formatQuantity, type Quantity, ZERO } from '#libs/domain';
import { checkMayPrice, Money, readMoney, roundMoney } from '../orders/money.js';
import type { OrderLine } from '../orders/order-state.js';
import { type CustomerReturn, inspectedQuantity } from './return-state.js';

/**
 * What is paid back for a quantity of an order line: what the line cost, or less if somebody says so. More is only for those who may
 * set prices.
 *
 * @returns an amount in the order's currency, or null when the line has no price and nothing was said.
 */
export function refundOf(
  line: OrderLine,
  quantity: Quantity,
  currency: string,
  said: string | undefined,
  mayPrice: boolean,
): string | null {
  const paid = line.unitPrice === null ? null : roundMoney(new Money(line.unitPrice).times(formatQuantity(quantity)), currency);
  if (said === undefined) return paid;
  const refund = readMoney(said, currency, 'refund');
  if (refund.greaterThan(paid ?? 0)) {
    checkMayPrice(mayPrice, `The refund of ${said} is more than line ${line.lineNo} cost (${paid ?? 'it has no price'}).`);
  }
  return refund.toFixed();
}

/** What is due for what was inspected so far; null when that is nothing, or nothing that has a price. */
export function refundTotal({ lines }: Pick<CustomerReturn, 'lines'>, currency: string): string | null {
  const due = lines.flatMap((line) => {
    const inspected = inspectedQuantity(line);
    if (line.refund === null || inspected === ZERO) return [];
    const share = new Money(line.refund).times(formatQuantity(inspected)).dividedBy(formatQuantity(line.quantity));
    return [new Money(roundMoney(share, currency))];
  });
  return due.length === 0 ? null : roundMoney(Money.sum(...due), currency);
}
