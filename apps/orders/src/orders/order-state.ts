import type { Order, OrderStatus } from '#libs/contracts';
import type { OrderApproval } from '../approvals/order-approval.js';
import { formatQuantity, type Quantity, rejected, SCALE, ZERO } from '#libs/domain';
import type { CustomerReturn } from '../returns/return-state.js';
import type { Shipment } from '../shipments/shipment-state.js';
import type { Ask, Outstanding } from '../stock/outstanding.js';

/** `refused`: only the attempt is known. Nobody sees such an order, and its id is free; the next attempt continues its sequence. */
export type StoredStatus = OrderStatus | 'refused';

/** The source of our events, and the owner of our demands. */
export const SOURCE = '/orders';

export interface OrderKey {
  readonly orgId: string;
  readonly orderId: string;
}

/** What the customer ordered, and what of it was picked and packed: ours to say. */
export interface OrderLine {
  readonly lineNo: number;
  readonly itemId: string;
  readonly warehouseId: string | null;
  readonly lot: string | null;
  readonly quantity: Quantity;
  /** In the order's currency; null when there is no price. */
  readonly unitPrice: string | null;
  /** Totals, what was shipped included; null = the step was skipped. */
  readonly picked: Quantity | null;
  readonly packed: Quantity | null;
}

/** The stock state of one line, as inventory last reported it; `requested = reserved + backordered + fulfilled + closed + unheld`. */
export interface LineStock {
  readonly lineNo: number;
  readonly itemId: string;
  readonly requested: Quantity;
  readonly reserved: Quantity;
  readonly backordered: Quantity;
  readonly fulfilled: Quantity;
  readonly returned: Quantity;
  readonly closed: Quantity;
  readonly unheld: Quantity;
}

/** Where a line's reserved quantity lies. */
export interface Hold {
  readonly lineNo: number;
  readonly warehouseId: string;
  readonly lot: string | null;
  readonly quantity: Quantity;
}

/**
 * An order with everything that belongs to it. Decisions take one and answer another; nothing is changed in place, so that a dry run
 * is the same decision without the writing.
 */
export interface OrderState extends OrderKey {
  readonly status: StoredStatus;
  /** When it came into this status. */
  readonly statusSince: Date;
  /** Raised by everything that a reader can see; 0 until inventory has answered for the first time. */
  readonly version: number;
  /** The count of what we told inventory about the order. */
  readonly sequence: number;
  /** Inventory's own count, of the last report that was applied. */
  readonly stockSequence: number;
  /** The hold is firm: the order is confirmed. */
  readonly firm: boolean;
  /** What was said and not yet answered; at most one thing at a time (docs/adr/0010). */
  readonly outstanding: Outstanding | null;
  /** The approval that it waits for, or last waited for. */
  readonly approval: OrderApproval | null;
  /** Recognises the body that the order was made of. */
  readonly digest: string;
  readonly customerId: string;
  readonly customerContact: Order['customerContact'];
  readonly reservationMode: Order['reservationMode'];
  /** How long its lots must live; null = as items and organisation say. */
  readonly minRemainingShelfLifeDays: number | null;
  readonly priority: number;
  /** `2026-01-31` */
  readonly requestedShipDate: string | null;
  readonly shippingAddress: Order['shippingAddress'];
  readonly currency: string;
  readonly note: string | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  readonly confirmedAt: Date | null;
  readonly expiresAt: Date | null;
  readonly cancelledAt: Date | null;
  readonly cancelReason: string | null;
  /** The highest line number ever given, so that none is given twice. */
  readonly lastLineNo: number;
  readonly lines: readonly OrderLine[];
  readonly stock: readonly LineStock[];
  readonly holds: readonly Hold[];
  readonly shipments: readonly Shipment[];
  readonly returns: readonly CustomerReturn[];
}

/** The stock of a line; all zero as long as inventory has not spoken of it. */
export function stockOf(order: Pick<OrderState, 'stock'>, lineNo: number): Omit<LineStock, 'lineNo' | 'itemId'> {
  return order.stock.find((line) => line.lineNo === lineNo) ?? NOTHING;
}

const NOTHING = {
  requested: ZERO,
  reserved: ZERO,
  backordered: ZERO,
  fulfilled: ZERO,
  returned: ZERO,
  closed: ZERO,
  unheld: ZERO,
};

/**
 * The line of an order.
 *
 * @throws {HoldfastError} 422 `ORDER_VALIDATION` when the order has none with that number.
 */
export function lineOf(order: OrderState, lineNo: number): OrderLine {
  const line = order.lines.find((candidate) => candidate.lineNo === lineNo);
  if (line === undefined) throw rejected('ORDER_VALIDATION', `Order ${order.orderId} has no line ${lineNo}.`, { lineNo });
  return line;
}

/** @throws {HoldfastError} 422 `ORDER_VALIDATION` when it is not a whole number of pieces, of an item whose pieces have serial numbers. */
export function checkPieces(itemId: string, lineNo: number, quantity: Quantity): void {
  if (quantity % SCALE === ZERO) return;
  const message = `Item ${itemId} is tracked by serial number: line ${lineNo} must be of whole pieces, not of ${formatQuantity(quantity)}.`;
  throw rejected('ORDER_VALIDATION', message, { lineNo });
}

/** Where the stock of lines is held. */
export function warehousesOf(order: OrderState, lineNos: readonly number[]): string[] {
  return order.holds.filter((hold) => lineNos.includes(hold.lineNo)).map((hold) => hold.warehouseId);
}

/** Where an order holds stock, or is to hold it: what changes it as a whole changes it there. */
export function allWarehousesOf({ holds, lines }: OrderState): string[] {
  return [...holds.map((hold) => hold.warehouseId), ...lines.flatMap((line) => line.warehouseId ?? [])];
}

/** What of a line can still be shipped. */
export function openQuantity(order: OrderState, line: OrderLine): Quantity {
  const { fulfilled, closed } = stockOf(order, line.lineNo);
  return line.quantity - fulfilled - closed;
}

/** An order with something outstanding. */
export type Waiting = OrderState & { readonly outstanding: Outstanding };

export function isWaiting(order: OrderState): order is Waiting {
  return order.outstanding !== null;
}

/** The order as it is when this is said to inventory next. */
export function saying(order: OrderState, ask: Ask, by: Pick<Outstanding, 'digest' | 'actor'>, now: Date): Waiting {
  const sequence = order.sequence + 1;
  const { digest, actor } = by;
  return { ...order, sequence, outstanding: { ...ask, sequence, since: order.stockSequence, digest, actor, askedAt: now.toISOString() } };
}
