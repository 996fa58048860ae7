import type { OrderPick, PickSuggestion, RequestOf } from '#libs/contracts';
import { formatQuantity, parseQuantity, type Quantity, rejected, sumQuantities, ZERO } from '#libs/domain';
import type { Decision } from './decision.js';
import { lineOf, type OrderLine, type OrderState, stockOf } from './order-state.js';
import { checkAction } from './order-status.js';

/** Lines with totals, what was shipped included. */
type Totals = NonNullable<RequestOf<typeof OrderPick>['lines']>;

/** What picking exactly as suggested gives, as totals. */
export function suggestedTotals(order: OrderState, suggestions: readonly PickSuggestion[]): Totals {
  return order.lines.map(({ lineNo }) => {
    const suggested = sumQuantities(suggestions, (line) => (line.lineNo === lineNo ? parseQuantity(line.quantity) : ZERO));
    return { lineNo, quantity: formatQuantity(stockOf(order, lineNo).fulfilled + suggested) };
  });
}

/**
 * Tells inventory what was really picked, which may be less than suggested, or from elsewhere. A later list replaces an earlier one, line by
 * line. The order is `picking` when inventory agrees: {@link pickedAs}.
 *
 * @param totals null = exactly as suggested.
 * @throws {HoldfastError} 409 `INVALID_STATE`, 422 `ORDER_VALIDATION`.
 */
export function decidePick(order: OrderState, totals: Totals | null): Decision {
  checkAction(order, 'pick');
  withTotals(order, totals ?? [], 'picked', (line) => line.quantity - stockOf(order, line.lineNo).closed);
  return { order, ask: { kind: 'pick', data: { orderId: order.orderId, ...(totals === null ? {} : { lines: totals }) } } };
}

/** The order with what was picked of its lines, in totals; a partly shipped one stays what it is. */
export function pickedAs(
  order: OrderState,
  totals: readonly { readonly lineNo: number; readonly quantity: Quantity }[],
  now: Date,
): OrderState {
  const quantities = new Map(totals.map(({ lineNo, quantity }) => [lineNo, quantity]));
  const lines = order.lines.map((line) => ({ ...line, picked: quantities.get(line.lineNo) ?? line.picked }));
  return movedOn({ ...order, lines }, 'picking', now);
}

/**
 * Records what was packed: of a line that was picked, no more than was picked.
 *
 * @param totals null = exactly as picked, where something was picked; else as suggested.
 * @throws {HoldfastError} 409 `INVALID_STATE`, 422 `ORDER_VALIDATION`.
 */
export function decidePack(order: OrderState, totals: Totals | null, suggestions: readonly PickSuggestion[], now: Date): Decision {
  checkAction(order, 'pack');
  const said = totals?.find(({ lots }) => lots !== undefined);
  if (said !== undefined) {
    const message = `Packing counts quantities only: say without \`lots\` what was packed of line ${said.lineNo}, and the lots when it is picked or shipped.`;
    throw rejected('ORDER_VALIDATION', message, { lineNo: said.lineNo });
  }
  const suggested = suggestedTotals(order, suggestions);
  const packed = totals ?? suggested.map((line) => ({ ...line, quantity: pickedText(lineOf(order, line.lineNo)) ?? line.quantity }));
  const lines = withTotals(order, packed, 'packed', (line) => line.picked ?? line.quantity - stockOf(order, line.lineNo).closed);
  return { order: movedOn({ ...order, lines }, 'packed', now), audit: { type: 'order_packed', details: { lines: packed } } };
}

function pickedText({ picked }: OrderLine): string | null {
  return picked === null ? null : formatQuantity(picked);
}

function withTotals(order: OrderState, totals: Totals, step: 'picked' | 'packed', most: (line: OrderLine) => Quantity): OrderLine[] {
  const quantities = new Map<number, Quantity>();
  for (const { lineNo, quantity: text, lots } of totals) {
    const line = lineOf(order, lineNo);
    const quantity = parseQuantity(text);
    if (quantities.has(lineNo)) throw rejected('ORDER_VALIDATION', `Line ${lineNo} is given twice.`, { lineNo });
    if (lots !== undefined && sumQuantities(lots, (lot) => parseQuantity(lot.quantity)) !== quantity) {
      throw rejected('ORDER_VALIDATION', `The lots of line ${lineNo} do not add up to its quantity ${text}.`, { lineNo });
    }
    const least = stockOf(order, lineNo).fulfilled;
    if (quantity < least || quantity > most(line)) {
      const range = `${formatQuantity(least)} (shipped) to ${formatQuantity(most(line))}`;
      throw rejected('ORDER_VALIDATION', `Line ${lineNo} cannot have ${text} ${step}: its total must be from ${range}.`, { lineNo });
    }
    quantities.set(lineNo, quantity);
  }
  return order.lines.map((line) => ({ ...line, [step]: quantities.get(line.lineNo) ?? line[step] }));
}

/** A partly shipped order stays what it is. */
function movedOn(order: OrderState, to: 'picking' | 'packed', now: Date): OrderState {
  return order.status === 'partially_shipped' || order.status === to ? order : { ...order, status: to, statusSince: now };
}
