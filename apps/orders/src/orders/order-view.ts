import type { Order, OrderLine as OrderLineView } from '#libs/contracts';
import { formatQuantity } from '#libs/domain';
import { returnView } from '../returns/return-view.js';
import { shipmentView } from '../shipments/shipment-view.js';
import { openQuantity, type OrderLine, type OrderState, type StoredStatus, stockOf } from './order-state.js';

/** Days from leaving the warehouse to arriving; a setting later. */
const DELIVERY_LEAD_DAYS = 0;
const DAY_MS = 86_400_000;
const ENDED: readonly StoredStatus[] = ['cancelled', 'rejected', 'expired', 'shipped'];

/** The order as callers see it. */
export function orderView(order: OrderState, now: Date): Order {
  const estimatedShipDate = estimateShipDate(order, now);
  return {
    orderId: order.orderId,
    version: order.version,
    status: visibleStatus(order),
    stockReserved: isReserved(order),
    requiresInventoryOverride: false,
    requiresDiscrepancyAcknowledgement: false,
    approvalRequestId: null,
    warnings: [],
    estimatedShipDate,
    estimatedDeliveryDate: estimatedShipDate && dateOf(new Date(Date.parse(estimatedShipDate) + DELIVERY_LEAD_DAYS * DAY_MS)),
    customerId: order.customerId,
    customerContact: order.customerContact,
    priority: order.priority,
    reservationMode: order.reservationMode,
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
  const open = order.lines.filter((line) => openQuantity(order, line) > 0n);
  return open.length > 0 && open.every((line) => stockOf(order, line.lineNo).reserved === openQuantity(order, line));
}

/** An order that is fully held can leave today, or when the customer wants it; for one that waits for stock nobody knows. */
function estimateShipDate(order: OrderState, now: Date): string | null {
  if (ENDED.includes(order.status)) return order.status === 'shipped' ? lastShipDate(order) : null;
  if (!isReserved(order)) return null;
  const today = dateOf(now);
  return order.requestedShipDate !== null && order.requestedShipDate > today ? order.requestedShipDate : today;
}

function lastShipDate(order: OrderState): string | null {
  const times = order.shipments.filter(({ status }) => status === 'posted').map(({ shippedAt }) => shippedAt.getTime());
  return times.length === 0 ? null : dateOf(new Date(Math.max(...times)));
}

function dateOf(time: Date): string {
  return time.toISOString().slice(0, 10);
}
