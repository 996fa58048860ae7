import type { Order, OrderLine as OrderLineView, Override } from '#libs/contracts';
import { addDays, type Day, dayOf, formatQuantity, laterDay, ZERO } from '#libs/domain';
import { awaitedApproval, type OrderApproval, shownRequestId } from '../approvals/order-approval.js';
import { returnView } from '../returns/return-view.js';
import { shipmentView } from '../shipments/shipment-view.js';
import { openQuantity, type OrderLine, type OrderState, type StoredStatus, stockOf } from './order-state.js';
import type { Calendar } from './organisation-settings.js';

const ENDED: readonly StoredStatus[] = ['cancelled', 'rejected', 'expired', 'shipped'];

/**
 * The order as callers see it.
 *
 * @param calendar null when it is not known now; then no days are told.
 * @param servedOn when all that the order waits for is expected to be there; null when nobody knows.
 */
export function orderView(order: OrderState, calendar: Calendar | null, servedOn: Day | null, now: Date): Order {
  const estimatedShipDate = calendar && estimateShipDate(order, calendar, servedOn, now);
  const awaited = awaitedApproval(order);
  return {
    orderId: order.orderId,
    version: order.version,
    status: visibleStatus(order),
    stockReserved: isReserved(order),
    requiresInventoryOverride: awaited?.override.kind === 'order_override',
    requiresDiscrepancyAcknowledgement: awaited?.override.kind === 'discrepancy_acknowledgement',
    approvalRequestId: shownRequestId(order),
    warnings: awaited === null ? [] : approvalWarnings(awaited),
    estimatedShipDate,
    estimatedDeliveryDate: calendar && estimatedShipDate && addDays(estimatedShipDate, calendar.deliveryLeadDays),
    customerId: order.customerId,
    customerContact: order.customerContact,
    priority: order.priority,
    reservationMode: order.reservationMode,
    minRemainingShelfLifeDays: order.minRemainingShelfLifeDays,
    requestedShipDate: order.requestedShipDate,
    shippingAddress: order.shippingAddress,
    currency: order.currency,
    note: order.note,
    createdAt: order.createdAt.toISOString(),
    updatedAt: order.updatedAt.toISOString(),
    confirmedAt: order.confirmedAt?.toISOString() ?? null,
    expiresAt: order.expiresAt?.toISOString() ?? null,
    cancelledAt: order.cancelledAt?.toISOString() ?? null,
    cancelReason: order.cancelReason,
    lines: order.lines.map((line) => lineView(order, line)),
    shipments: order.shipments.filter(({ status }) => status !== 'refused').map((shipment) => shipmentView(order.orderId, shipment)),
    returns: order.returns.map((ret) => returnView(order, ret)),
  };
}

/** What each line waits for, and what is to be done about it. */
const NEEDS: Readonly<Record<Override['kind'], string>> = {
  order_override: 'are more than can be promised and need an approved override',
  discrepancy_acknowledgement: 'are put in doubt by open discrepancies and need an acknowledgement',
};

function approvalWarnings({ override, approvalRequestId, approverRoles }: OrderApproval): string[] {
  const who = approverRoles.length === 0 ? 'somebody who may' : approverRoles.join(' or ');
  // Who may decide is found out by asking, which comes after the order is stored.
  const decide =
    approvalRequestId === null ? 'somebody who may decide is about to be asked' : `${who} approves or rejects request ${approvalRequestId}`;
  return override.lines.map(({ lineNo, itemId, warehouseId, quantity }) => {
    const line = lineNo === undefined ? 'Item' : `Line ${lineNo}, item`;
    const place = `${line} ${itemId}${warehouseId === null ? '' : ` in ${warehouseId}`}`;
    return `${place}: ${quantity} ${NEEDS[override.kind]}: ${decide}. Or change the order to what can be promised, or cancel it.`;
  });
}

function lineView(order: OrderState, line: OrderLine): OrderLineView {
  const stock = stockOf(order, line.lineNo);
  return {
    lineNo: line.lineNo,
    itemId: line.itemId,
    warehouseId: line.warehouseId,
    quantity: formatQuantity(line.quantity),
    reservedQuantity: formatQuantity(stock.reserved),
    backorderedQuantity: formatQuantity(stock.backordered),
    fulfilledQuantity: formatQuantity(stock.fulfilled),
    returnedQuantity: formatQuantity(stock.returned),
    closedQuantity: formatQuantity(stock.closed),
    pickedQuantity: line.picked === null ? null : formatQuantity(line.picked),
    packedQuantity: line.packed === null ? null : formatQuantity(line.packed),
    unitPrice: line.unitPrice,
    allocations: order.holds
      .filter((hold) => hold.lineNo === line.lineNo)
      .map(({ warehouseId, lot, quantity }) => ({ warehouseId, lot, quantity: formatQuantity(quantity) })),
  };
}

/** The type of callers does not know refused orders: nobody is shown one. */
function visibleStatus({ status, orderId }: OrderState): Order['status'] {
  if (status === 'refused') throw new Error(`Order ${orderId} was refused; nobody may see it.`);
  return status;
}

/** Every open line is fully held, softly or firmly, and there is one. */
function isReserved(order: OrderState): boolean {
  const open = openLines(order);
  return open.length > 0 && open.every((line) => stockOf(order, line.lineNo).reserved === openQuantity(order, line));
}

/** Something of the order is backordered, and all the rest that is open is held. */
export function waitsForStock(order: OrderState): boolean {
  if (ENDED.includes(order.status)) return false;
  const open = openLines(order).map((line) => ({ ...stockOf(order, line.lineNo), open: openQuantity(order, line) }));
  return open.some(({ backordered }) => backordered > ZERO) && open.every((line) => line.reserved + line.backordered === line.open);
}

function openLines(order: OrderState): OrderLine[] {
  return order.lines.filter((line) => openQuantity(order, line) > ZERO);
}

/** An order that is fully held can leave today, one that waits when it is served, and neither before the customer wants it. */
function estimateShipDate(order: OrderState, { timezone }: Calendar, servedOn: Day | null, now: Date): Day | null {
  if (ENDED.includes(order.status)) return order.status === 'shipped' ? lastShipDate(order, timezone) : null;
  const today = dayOf(now, timezone);
  const readyOn = isReserved(order) ? today : waitsForStock(order) && servedOn !== null ? laterDay(servedOn, today) : null;
  return readyOn && laterDay(readyOn, order.requestedShipDate ?? readyOn);
}

function lastShipDate(order: OrderState, timezone: string): Day | null {
  const times = order.shipments.filter(({ status }) => status === 'posted').map(({ shippedAt }) => shippedAt.getTime());
  return times.length === 0 ? null : dayOf(new Date(Math.max(...times)), timezone);
}
