import { parseQuantity, sumQuantities, ZERO } from '#libs/domain';
import type { LineStock, OrderLine, OrderState } from './order-state.js';

// Orders for tests of the rules.

/** A line of order `o`: item `a`, 10 pieces at 2.50. */
export function aLine(line: Partial<OrderLine> = {}): OrderLine {
  const defaults = { lineNo: 1, itemId: 'a', warehouseId: null, lot: null, unitPrice: '2.5', picked: null, packed: null };
  return { ...defaults, quantity: parseQuantity('10'), ...line };
}

/** The stock of a line, in whole pieces; what is not said is zero, and requested is the sum. */
export function someStock(parts: Partial<Record<Exclude<keyof LineStock, 'itemId'>, number>>, itemId = 'a'): LineStock {
  const part = (name: keyof typeof parts) => BigInt(parts[name] ?? 0) * 10_000n;
  const held = (['reserved', 'backordered', 'fulfilled', 'closed', 'unheld'] as const).map((name) => [name, part(name)] as const);
  return {
    lineNo: parts.lineNo ?? 1,
    itemId,
    requested: sumQuantities(held, ([, quantity]) => quantity),
    returned: part('returned'),
    ...(Object.fromEntries(held) as Record<'reserved' | 'backordered' | 'fulfilled' | 'closed' | 'unheld', bigint>),
  };
}

/** Order `o` of `acme`: confirmed, one line, all of it held in `main`; inventory has spoken twice. */
export function anOrder(order: Partial<OrderState> = {}): OrderState {
  const at = new Date('2026-01-10T12:00:00Z');
  const lines = order.lines ?? [aLine()];
  const stock =
    order.stock ??
    lines.map((line) => ({ ...someStock({ lineNo: line.lineNo }, line.itemId), requested: line.quantity, reserved: line.quantity }));
  return {
    orgId: 'acme',
    orderId: 'o',
    status: 'confirmed',
    statusSince: at,
    version: 2,
    sequence: 2,
    stockSequence: 2,
    firm: true,
    outstanding: null,
    approval: null,
    digest: 'digest',
    customerId: 'c',
    customerContact: null,
    reservationMode: 'all_or_nothing',
    minRemainingShelfLifeDays: null,
    priority: 50,
    requestedShipDate: null,
    shippingAddress: null,
    currency: 'EUR',
    note: null,
    createdAt: at,
    updatedAt: at,
    confirmedAt: at,
    expiresAt: null,
    cancelledAt: null,
    cancelReason: null,
    lastLineNo: lines.length,
    shipments: [],
    returns: [],
    holds: stock.flatMap(({ lineNo, reserved }) =>
      reserved > ZERO ? [{ lineNo, warehouseId: 'main', lot: null, quantity: reserved }] : [],
    ),
    ...order,
    lines,
    stock,
  };
}
