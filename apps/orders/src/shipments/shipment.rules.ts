import { COMMAND_LINES_MAX, type RequestOf, type ShipmentCancel, type ShipmentCreate } from '#libs/contracts';
import { conflict, formatQuantity, maxQuantity, notFound, parseQuantity, rejected, sumQuantities, ZERO } from '#libs/domain';
import type { Decision } from '../orders/decision.js';
import { lineOf, openQuantity, type OrderState, stockOf } from '../orders/order-state.js';
import { checkAction } from '../orders/order-status.js';
import { returnableQuantity } from '../returns/return.rules.js';
import type { Answer } from '../stock/stock-report.js';
import type { Shipment, ShipmentLine } from './shipment-state.js';

type ShipRequest = RequestOf<typeof ShipmentCreate> & { readonly shipmentId: string };

/**
 * Ships an order, or a part of it: never more of a line than was ordered and is neither shipped nor closed (docs/rules.md, invariant 5).
 *
 * @throws {HoldfastError} 409 `INVALID_STATE`, `ALREADY_EXISTS`; 422 `ORDER_VALIDATION`.
 */
export function decideShip(order: OrderState, request: ShipRequest, digest: string, now: Date): Decision {
  const known = order.shipments.find((shipment) => shipment.shipmentId === request.shipmentId);
  if (known !== undefined && known.status !== 'refused') {
    if (known.digest === digest) return { order };
    throw conflict('ALREADY_EXISTS', `Shipment ${request.shipmentId} exists already, with other content.`, {
      shipmentId: request.shipmentId,
    });
  }
  checkAction(order, 'ship');
  const lines = request.lines.flatMap((line) => shippedLines(order, line));
  if (lines.length > COMMAND_LINES_MAX) {
    const message = `A shipment has at most ${COMMAND_LINES_MAX} lines, each lot of a line counting as one; this one has ${lines.length}. Ship it in several.`;
    throw rejected('ORDER_VALIDATION', message);
  }
  checkOpen(order, lines);
  const shipment: Shipment = {
    shipmentId: request.shipmentId,
    status: 'pending',
    digest,
    trackingNumber: request.trackingNumber ?? null,
    shippedAt: now,
    lines,
    cogsTotal: null,
  };
  return {
    order: { ...order, shipments: [...order.shipments.filter((other) => other !== known), shipment] },
    ask: {
      kind: 'ship',
      data: {
        shipmentId: shipment.shipmentId,
        orderId: order.orderId,
        shippedAt: now.toISOString(),
        ...(request.closeShortLines === undefined ? {} : { closeShortLines: request.closeShortLines }),
        lines: lines.map(({ lineNo, itemId, quantity, warehouseId, lot }) => ({
          lineNo,
          itemId,
          quantity: formatQuantity(quantity),
          ...(warehouseId === null ? {} : { warehouseId }),
          ...(lot === null ? {} : { lot }),
        })),
      },
    },
  };
}

/** One line per lot. The line's own warehouse and lot count unless the request says otherwise. */
function shippedLines(order: OrderState, line: ShipRequest['lines'][number]): ShipmentLine[] {
  const ordered = lineOf(order, line.lineNo);
  const quantity = parseQuantity(line.quantity);
  const lots = line.lots?.map((lot) => ({ lot: lot.lot, quantity: parseQuantity(lot.quantity) }));
  if (lots !== undefined && sumQuantities(lots, (lot) => lot.quantity) !== quantity) {
    throw rejected('ORDER_VALIDATION', `The lots of line ${line.lineNo} do not add up to its quantity ${line.quantity}.`);
  }
  return (lots ?? [{ lot: line.lot ?? ordered.lot, quantity }]).map((part) => ({
    lineNo: line.lineNo,
    itemId: ordered.itemId,
    quantity: part.quantity,
    warehouseId: line.warehouseId ?? ordered.warehouseId,
    lot: part.lot,
    cogs: null,
  }));
}

function checkOpen(order: OrderState, lines: readonly ShipmentLine[]): void {
  for (const line of order.lines) {
    const shipped = sumQuantities(lines, (candidate) => (candidate.lineNo === line.lineNo ? candidate.quantity : ZERO));
    const open = openQuantity(order, line);
    if (shipped <= open) continue;
    throw rejected('ORDER_VALIDATION', `Only ${formatQuantity(open)} of line ${line.lineNo} can still be shipped.`, {
      lines: [{ lineNo: line.lineNo, itemId: line.itemId, requested: formatQuantity(shipped), open: formatQuantity(open) }],
    });
  }
}

/**
 * Takes a shipment back, unless some of its goods came back, or may come back, as a return.
 *
 * @throws {HoldfastError} 404 `SHIPMENT_NOT_FOUND`, 409 `INVALID_STATE`.
 */
export function decideUnship(order: OrderState, request: RequestOf<typeof ShipmentCancel>): Decision {
  const { shipmentId, reason } = request;
  const shipment = findShipment(order, shipmentId);
  if (shipment.status === 'cancelled') return { order };
  if (shipment.status !== 'posted') {
    throw conflict('INVALID_STATE', `Shipment ${shipmentId} is ${shipment.status}; to cancel it, it must be posted.`, { shipmentId });
  }
  for (const line of order.lines) {
    if (shippedOf(shipment, line.lineNo) <= returnableQuantity(order, line.lineNo)) continue;
    throw conflict('INVALID_STATE', `Goods of shipment ${shipmentId} are being returned (line ${line.lineNo}).`, { shipmentId });
  }
  return { order, ask: { kind: 'unship', data: { shipmentId, orderId: order.orderId, reason } } };
}

/** A shipment of the order. @throws {HoldfastError} 404 `SHIPMENT_NOT_FOUND`. */
export function findShipment(order: OrderState, shipmentId: string): Shipment {
  const shipment = order.shipments.find((candidate) => candidate.shipmentId === shipmentId);
  if (shipment === undefined) throw shipmentNotFound(shipmentId);
  return shipment;
}

export function shipmentNotFound(shipmentId: string): Error {
  return notFound('SHIPMENT_NOT_FOUND', `There is no shipment ${shipmentId}.`);
}

/** The shipment left, with what really left; also when it was believed to be refused. */
export function post(order: OrderState, shipmentId: string, { moved, cogsTotal }: Answer): OrderState {
  const lines = moved.map(({ quality: _, ...line }) => line);
  return change(order, shipmentId, ['pending', 'refused'], (shipment) => ({ ...shipment, status: 'posted', lines, cogsTotal }));
}

/** Nothing left. */
export function refuse(order: OrderState, shipmentId: string): OrderState {
  return change(order, shipmentId, ['pending'], (shipment) => ({ ...shipment, status: 'refused' }));
}

/** The shipment was taken back: its goods are on the shelf again, neither picked nor packed. */
export function reverse(order: OrderState, shipmentId: string): OrderState {
  const shipment = order.shipments.find((candidate) => candidate.shipmentId === shipmentId);
  if (shipment?.status !== 'posted') return order;
  const lines = order.lines.map((line) => {
    const back = shippedOf(shipment, line.lineNo);
    const shipped = stockOf(order, line.lineNo).fulfilled;
    const lessen = (total: bigint | null) => (total === null ? null : maxQuantity(total - back, shipped));
    return back === ZERO ? line : { ...line, picked: lessen(line.picked), packed: lessen(line.packed) };
  });
  return change({ ...order, lines }, shipmentId, ['posted'], () => ({ ...shipment, status: 'cancelled' }));
}

function shippedOf(shipment: Shipment, lineNo: number): bigint {
  return sumQuantities(shipment.lines, (line) => (line.lineNo === lineNo ? line.quantity : ZERO));
}

function change(
  order: OrderState,
  shipmentId: string,
  from: readonly Shipment['status'][],
  changed: (shipment: Shipment) => Shipment,
): OrderState {
  const isIt = (shipment: Shipment) => shipment.shipmentId === shipmentId && from.includes(shipment.status);
  if (!order.shipments.some(isIt)) return order;
  return { ...order, shipments: order.shipments.map((shipment) => (isIt(shipment) ? changed(shipment) : shipment)) };
}
