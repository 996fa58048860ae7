import { Type } from '@sinclair/typebox';
import type { AuditEvent } from './audit-calls.js';
import { defineCall, internal, type Page, PageQuery } from './define-call.js';
import { InspectionVerdict, PickedLine, ReservationMode, ReturnCondition } from './order-events.js';
import { EVERY_ROLE, GOODS_HANDLERS, ORDER_TAKERS } from './role.js';
import {
  COMMAND_LINES_MAX,
  Id,
  LineNo,
  NonNegativeDecimal,
  Nullable,
  ORDER_LINES_MAX,
  PositiveDecimal,
  Priority,
  Text,
  Timestamp,
  ShelfLifeDays,
} from './schema.js';

// What the gateway asks orders. Between our own services only.

const shared = { service: 'orders' as const, visibility: 'internal' as const };
const dryRun = { dryRun: Type.Optional(Type.Boolean()) };

export type OrderStatus =
  | 'reserving'
  | 'created'
  | 'pending_approval'
  | 'backordered'
  | 'confirmed'
  | 'picking'
  | 'packed'
  | 'partially_shipped'
  | 'shipped'
  | 'cancelled'
  | 'rejected'
  | 'expired';

export interface OrderLine {
  readonly lineNo: number;
  readonly itemId: string;
  readonly warehouseId: string | null;
  readonly quantity: string;
  readonly reservedQuantity: string;
  readonly backorderedQuantity: string;
  readonly fulfilledQuantity: string;
  readonly returnedQuantity: string;
  readonly closedQuantity: string;
  /** Picked and packed so far, shipped ones included; null = the step was skipped. */
  readonly pickedQuantity: string | null;
  readonly packedQuantity: string | null;
  readonly unitPrice: string | null;
  readonly allocations: readonly { warehouseId: string; lot: string | null; quantity: string }[];
}

export interface Shipment {
  readonly shipmentId: string;
  readonly orderId: string;
  /** `pending`: committed, the answer of inventory is outstanding. `refused`: nothing moved, and the id is free for another attempt. */
  readonly status: 'pending' | 'posted' | 'refused' | 'cancelled';
  readonly trackingNumber: string | null;
  readonly shippedAt: string;
  readonly lines: readonly {
    lineNo: number;
    itemId: string;
    quantity: string;
    warehouseId: string | null;
    lot: string | null;
    cogs: string | null;
  }[];
  readonly cogsTotal: string | null;
  readonly dryRun?: boolean;
}

export interface CustomerReturn {
  readonly returnId: string;
  readonly orderId: string;
  readonly status: 'authorised' | 'received' | 'partially_inspected' | 'completed' | 'cancelled';
  readonly warehouseId: string | null;
  readonly createdAt: string;
  readonly lines: readonly {
    lineNo: number;
    itemId: string;
    lot: string | null;
    /** Authorised. */
    quantity: string;
    receivedQuantity: string;
    inspectedQuantity: string;
    condition: 'resellable' | 'damaged' | 'unknown';
    reason: string;
    refund: string | null;
    verdicts: readonly { verdict: string; quantity: string; note: string | null }[];
  }[];
  /** Of what was inspected so far. */
  readonly refundTotal: string | null;
  readonly currency: string | null;
  readonly dryRun?: boolean;
}

export interface Order {
  readonly orderId: string;
  /** Raised by every change; `If-Match` compares it. */
  readonly version: number;
  readonly status: OrderStatus;
  /** Every open line is fully held, softly or firmly. */
  readonly stockReserved: boolean;
  readonly requiresInventoryOverride: boolean;
  readonly requiresDiscrepancyAcknowledgement: boolean;
  readonly approvalRequestId: string | null;
  readonly warnings: readonly string[];
  readonly estimatedShipDate: string | null;
  readonly estimatedDeliveryDate: string | null;
  readonly customerId: string;
  readonly customerContact: { readonly email?: string } | null;
  readonly priority: number;
  readonly reservationMode: 'all_or_nothing' | 'partial';
  /** How many days its lots must live; null = as items and organisation say. */
  readonly minRemainingShelfLifeDays: number | null;
  readonly requestedShipDate: string | null;
  readonly shippingAddress: Readonly<Record<string, unknown>> | null;
  readonly currency: string | null;
  readonly note: string | null;
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly confirmedAt: string | null;
  readonly expiresAt: string | null;
  readonly cancelledAt: string | null;
  readonly cancelReason: string | null;
  readonly lines: readonly OrderLine[];
  readonly shipments: readonly Shipment[];
  readonly returns: readonly CustomerReturn[];
  readonly dryRun?: boolean;
}

const LineInput = {
  itemId: Id,
  quantity: PositiveDecimal,
  warehouseId: Type.Optional(Id),
  unitPrice: Type.Optional(NonNegativeDecimal),
  lot: Type.Optional(Id),
};

export const OrderCreate = defineCall({
  ...shared,
  pattern: 'orders.create',
  effect: 'change',
  allow: ORDER_TAKERS,
  summary: 'Creates an order and holds its stock softly, in one step.',
  request: Type.Object({
    orderId: Type.Optional(Id),
    customerId: Id,
    customerContact: Type.Optional(Type.Object({ email: Type.Optional(Type.String({ format: 'email', maxLength: 320 })) })),
    lines: Type.Array(Type.Object(LineInput), { minItems: 1, maxItems: ORDER_LINES_MAX }),
    reservationMode: Type.Optional(ReservationMode),
    minRemainingShelfLifeDays: Type.Optional(ShelfLifeDays),
    priority: Type.Optional(Priority),
    requestedShipDate: Type.Optional(Type.String({ format: 'date' })),
    shippingAddress: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
    currency: Type.Optional(Type.String({ pattern: '^[A-Z]{3}$' })),
    note: Type.Optional(Text(2_000)),
    ...dryRun,
  }),
  response: internal<Order>(),
});

export const OrderUpdate = defineCall({
  ...shared,
  pattern: 'orders.update',
  effect: 'change',
  allow: ORDER_TAKERS,
  summary: 'Replaces the lines of an order; refused as a whole or done as a whole.',
  request: Type.Object({
    orderId: Id,
    ifVersion: Type.Optional(Type.Integer()),
    lines: Type.Array(Type.Object({ lineNo: Type.Optional(LineNo), ...LineInput }), { minItems: 1, maxItems: ORDER_LINES_MAX }),
    ...dryRun,
  }),
  response: internal<Order>(),
});

const transition = (pattern: string, summary: string) => ({
  ...shared,
  pattern,
  effect: 'change' as const,
  allow: ORDER_TAKERS,
  summary,
  request: Type.Object({ orderId: Id, reason: Type.Optional(Text()), ...dryRun }),
  response: internal<Order>(),
});
export const OrderConfirm = defineCall(transition('orders.confirm', 'Confirms an order: its hold becomes firm.'));
export const OrderCancel = defineCall(transition('orders.cancel', 'Cancels an order, or closes the rest of a partly shipped one.'));

export const OrderGet = defineCall({
  ...shared,
  pattern: 'orders.get',
  effect: 'read',
  allow: EVERY_ROLE,
  summary: 'One order.',
  request: Type.Object({ orderId: Id }),
  response: internal<Order>(),
});

export const OrderList = defineCall({
  ...shared,
  pattern: 'orders.list',
  effect: 'read',
  allow: EVERY_ROLE,
  summary: 'Orders, newest first.',
  request: Type.Object({
    status: Type.Optional(Text(40)),
    customerId: Type.Optional(Id),
    from: Type.Optional(Timestamp),
    to: Type.Optional(Timestamp),
    ...PageQuery,
  }),
  response: internal<Page<Order>>(),
});

export const OrderEventList = defineCall({
  ...shared,
  pattern: 'orders.events',
  effect: 'read',
  allow: EVERY_ROLE,
  summary: 'What happened to one order, newest first.',
  request: Type.Object({ orderId: Id, ...PageQuery }),
  response: internal<Page<AuditEvent>>(),
});

export const PickListGet = defineCall({
  ...shared,
  pattern: 'orders.pick-list',
  effect: 'read',
  allow: EVERY_ROLE,
  summary: 'What to pick for an order: a snapshot of its reservations.',
  request: Type.Object({ orderId: Id }),
  response: internal<{
    lines: readonly {
      lineNo: number;
      itemId: string;
      name: string;
      warehouseId: string;
      lot: string | null;
      location: string;
      quantity: string;
      expiresAt: string | null;
    }[];
  }>(),
});

const handling = (pattern: string, summary: string) => ({
  ...shared,
  pattern,
  effect: 'change' as const,
  allow: GOODS_HANDLERS,
  summary,
  request: Type.Object({ orderId: Id, lines: Type.Optional(Type.Array(PickedLine, { maxItems: COMMAND_LINES_MAX })), ...dryRun }),
  response: internal<Order>(),
});
export const OrderPick = defineCall(handling('orders.pick', 'Records what was really picked; no lines = exactly as suggested.'));
export const OrderPack = defineCall(handling('orders.pack', 'Records what was packed; no lines = exactly as picked.'));

export const ShipmentCreate = defineCall({
  ...shared,
  pattern: 'shipments.create',
  effect: 'change',
  allow: GOODS_HANDLERS,
  summary: 'Ships an order, or a part of it.',
  request: Type.Object({
    orderId: Id,
    shipmentId: Type.Optional(Id),
    trackingNumber: Type.Optional(Text(200)),
    closeShortLines: Type.Optional(Type.Boolean()),
    lines: Type.Array(
      Type.Object({
        lineNo: LineNo,
        quantity: PositiveDecimal,
        warehouseId: Type.Optional(Id),
        lot: Type.Optional(Id),
        lots: Type.Optional(Type.Array(Type.Object({ lot: Id, quantity: PositiveDecimal }))),
      }),
      { minItems: 1, maxItems: COMMAND_LINES_MAX },
    ),
    ...dryRun,
  }),
  response: internal<Shipment>(),
});
export const ShipmentGet = defineCall({
  ...shared,
  pattern: 'shipments.get',
  effect: 'read',
  allow: EVERY_ROLE,
  summary: 'One shipment.',
  request: Type.Object({ shipmentId: Id }),
  response: internal<Shipment>(),
});
export const ShipmentCancel = defineCall({
  ...shared,
  pattern: 'shipments.cancel',
  effect: 'change',
  allow: GOODS_HANDLERS,
  summary: 'Takes a shipment back: its stock returns and is held for the order again.',
  request: Type.Object({ shipmentId: Id, reason: Text(), ...dryRun }),
  response: internal<Shipment>(),
});

export const ReturnCreate = defineCall({
  ...shared,
  pattern: 'returns.create',
  effect: 'change',
  allow: ORDER_TAKERS,
  summary: 'Authorises a return.',
  request: Type.Object({
    orderId: Id,
    returnId: Type.Optional(Id),
    lines: Type.Array(
      Type.Object({
        lineNo: LineNo,
        quantity: PositiveDecimal,
        lot: Type.Optional(Id),
        condition: ReturnCondition,
        reason: Text(),
        refund: Type.Optional(NonNegativeDecimal),
      }),
      { minItems: 1, maxItems: COMMAND_LINES_MAX },
    ),
    ...dryRun,
  }),
  response: internal<CustomerReturn>(),
});
export const ReturnCancel = defineCall({
  ...shared,
  pattern: 'returns.cancel',
  effect: 'change',
  allow: ORDER_TAKERS,
  summary: 'Gives up a return of which nothing came in; what it was for can be returned again.',
  request: Type.Object({ returnId: Id, reason: Type.Optional(Text()), ...dryRun }),
  response: internal<CustomerReturn>(),
});
export const ReturnList = defineCall({
  ...shared,
  pattern: 'returns.list',
  effect: 'read',
  allow: EVERY_ROLE,
  summary: 'Returns, newest first.',
  request: Type.Object({ orderId: Type.Optional(Id), status: Type.Optional(Text(40)), ...PageQuery }),
  response: internal<Page<CustomerReturn>>(),
});
export const ReturnGet = defineCall({
  ...shared,
  pattern: 'returns.get',
  effect: 'read',
  allow: EVERY_ROLE,
  summary: 'One return.',
  request: Type.Object({ returnId: Id }),
  response: internal<CustomerReturn>(),
});
export const ReturnReceive = defineCall({
  ...shared,
  pattern: 'returns.receive',
  effect: 'change',
  allow: GOODS_HANDLERS,
  summary: 'Takes returned goods in; no lines = all that was authorised.',
  request: Type.Object({
    returnId: Id,
    warehouseId: Type.Optional(Id),
    lines: Type.Optional(
      Type.Array(
        Type.Object({ lineNo: LineNo, quantity: PositiveDecimal, lot: Type.Optional(Id), condition: Type.Optional(ReturnCondition) }),
        { minItems: 1, maxItems: COMMAND_LINES_MAX },
      ),
    ),
    ...dryRun,
  }),
  response: internal<CustomerReturn>(),
});
export const ReturnInspect = defineCall({
  ...shared,
  pattern: 'returns.inspect',
  effect: 'change',
  allow: GOODS_HANDLERS,
  summary: 'Says what returned goods are good for.',
  request: Type.Object({
    returnId: Id,
    lines: Type.Array(
      Type.Object({
        lineNo: LineNo,
        quantity: PositiveDecimal,
        lot: Type.Optional(Id),
        verdict: InspectionVerdict,
        note: Type.Optional(Nullable(Text())),
      }),
      { minItems: 1, maxItems: COMMAND_LINES_MAX },
    ),
    ...dryRun,
  }),
  response: internal<CustomerReturn>(),
});
