import { type Static, Type } from '@sinclair/typebox';
import { ApprovalLine, Magnitudes } from './approval-events.js';
import { defineEvent } from './define-event.js';
import { Decimal, Id, LineNo, NonNegativeDecimal, Nullable, PositiveDecimal, Text, Timestamp } from './schema.js';

// What inventory answers. An event about an order carries the extension `sequence`, inventory's own count for that order, and
// `stock`, the whole stock state of the order: a receiver applies it only if the sequence is higher than the last one it applied.

/** Why a command was refused. */
export const RefusalReason = Type.Union(
  (
    [
      'INSUFFICIENT_STOCK',
      'DISCREPANCY_LOCK',
      'ITEM_NOT_FOUND',
      'WAREHOUSE_NOT_FOUND',
      'LOT_NOT_FOUND',
      'ORDER_CANCELLED',
      'ORDER_OWNED_ELSEWHERE',
      'ALREADY_EXISTS',
      'SHIPMENT_NOT_FOUND',
      'RETURN_NOT_FOUND',
      'INVALID_STATE',
      'EXCEEDS_SHIPPED',
      'EXCEEDS_REQUESTED',
    ] as const
  ).map((reason) => Type.Literal(reason)),
);
export type RefusalReason = Static<typeof RefusalReason>;

/** The stock state of one order line: `requested = reserved + backordered + fulfilled + closed + unheld`. */
export const StockLine = Type.Object({
  lineNo: LineNo,
  itemId: Id,
  requested: NonNegativeDecimal,
  reserved: NonNegativeDecimal,
  backordered: NonNegativeDecimal,
  fulfilled: NonNegativeDecimal,
  returned: NonNegativeDecimal,
  closed: NonNegativeDecimal,
  unheld: NonNegativeDecimal,
});
export type StockLine = Static<typeof StockLine>;

/** What is held for a line in one warehouse. */
export const HeldLine = Type.Object({
  lineNo: LineNo,
  itemId: Id,
  warehouseId: Id,
  lot: Nullable(Id),
  quantity: PositiveDecimal,
  reservationId: Type.String(),
});
export type HeldLine = Static<typeof HeldLine>;

/** A line that could not be held. `available` is what could still have been promised. */
export const ShortLine = Type.Object({
  lineNo: LineNo,
  itemId: Id,
  warehouseId: Nullable(Id),
  requested: Decimal,
  available: Decimal,
});
export type ShortLine = Static<typeof ShortLine>;

/**
 * What somebody may let through although it was refused: an order that is short within what may be approved, or that needs stock which an
 * open discrepancy puts in doubt.
 */
export const Override = Type.Object({
  kind: Type.Union([Type.Literal('order_override'), Type.Literal('discrepancy_acknowledgement')]),
  /** How much is missing in all, of how much there is, and what that is worth. */
  magnitudes: Magnitudes,
  /** By how much each line is short. */
  lines: Type.Array(ApprovalLine),
  /** Every term of availability of each balance concerned. */
  availabilitySnapshot: Type.Array(Type.Record(Type.String(), Type.String())),
});
export type Override = Static<typeof Override>;

const Backordered = Type.Object({ lineNo: LineNo, itemId: Id, quantity: PositiveDecimal });
const MovedLine = Type.Object({ lineNo: LineNo, itemId: Id, warehouseId: Id, lot: Nullable(Id), quantity: PositiveDecimal });
const stock = { stock: Type.Array(StockLine) };
const discrepancyIds = { discrepancyIds: Type.Array(Type.String()) };
const held = { orderId: Id, firm: Type.Boolean(), expiresAt: Nullable(Timestamp), lines: Type.Array(HeldLine), ...stock };

const answer = (type: string, summary: string) => ({
  type,
  summary,
  direction: 'out' as const,
  publisher: 'inventory' as const,
  consumers: ['orders' as const],
});
/** People are told of it as well. */
const andPeople = { consumers: ['orders' as const, 'notifications' as const] };

export const StockReserved = defineEvent({
  ...answer('StockReserved', 'All that the order wants is held.'),
  data: Type.Object(held),
});

export const StockPartiallyReserved = defineEvent({
  ...answer('StockPartiallyReserved', 'A part of what the order wants is held, the rest waits as a backorder.'),
  data: Type.Object({ ...held, backordered: Type.Array(Backordered) }),
});

export const StockReservationFailed = defineEvent({
  ...answer('StockReservationFailed', 'The demand was refused. After a refused amendment the old hold stands.'),
  ...andPeople,
  data: Type.Object({
    orderId: Id,
    reason: RefusalReason,
    lines: Type.Array(ShortLine),
    ...discrepancyIds,
    /** Present when somebody may approve it. */
    override: Type.Optional(Override),
    ...stock,
  }),
});

const changedHold = Type.Object({ orderId: Id, lines: Type.Array(MovedLine), ...stock });

export const StockReleased = defineEvent({
  ...answer('StockReleased', 'Held stock was given back, because the order was cancelled, closed or reduced.'),
  data: changedHold,
});

export const ReservationExpired = defineEvent({
  ...answer('ReservationExpired', 'A soft hold ran out.'),
  data: changedHold,
});

export const BackorderFilled = defineEvent({
  ...answer('BackorderFilled', 'Stock arrived or was released, and a waiting order now holds it.'),
  data: changedHold,
});

export const ReservationShorted = defineEvent({
  ...answer('ReservationShorted', 'A fact (damage, loss, a count) took held stock away; it is a backorder now.'),
  ...andPeople,
  data: Type.Object({ orderId: Id, cause: Type.String(), lines: Type.Array(MovedLine), ...stock }),
});

export const StockDepleted = defineEvent({
  ...answer('StockDepleted', 'A shipment was posted. `cogs` is null until costing exists.'),
  data: Type.Object({
    shipmentId: Id,
    orderId: Id,
    lines: Type.Array(Type.Composite([MovedLine, Type.Object({ cogs: Nullable(Decimal) })])),
    cogsTotal: Nullable(Decimal),
    ...stock,
  }),
});

export const StockDepletionFailed = defineEvent({
  ...answer('StockDepletionFailed', 'A shipment was refused; nothing of it was posted.'),
  data: Type.Object({ shipmentId: Id, orderId: Id, reason: RefusalReason, lines: Type.Array(ShortLine), ...discrepancyIds, ...stock }),
});

export const ShipmentReversed = defineEvent({
  ...answer('ShipmentReversed', 'A cancelled shipment was taken back.'),
  data: Type.Object({ shipmentId: Id, orderId: Id, lines: Type.Array(MovedLine), ...stock }),
});

export const ShipmentReversalFailed = defineEvent({
  ...answer('ShipmentReversalFailed', 'A shipment could not be taken back.'),
  data: Type.Object({ shipmentId: Id, orderId: Id, reason: RefusalReason, lines: Type.Array(ShortLine), ...stock }),
});

export const StockReturned = defineEvent({
  ...answer('StockReturned', 'Returned goods were taken in.'),
  data: Type.Object({
    returnId: Id,
    orderId: Id,
    lines: Type.Array(
      Type.Object({
        lineNo: LineNo,
        itemId: Id,
        warehouseId: Id,
        lot: Nullable(Id),
        quantity: PositiveDecimal,
        quality: Type.String(),
        unitCost: Nullable(Decimal),
        balanceAfter: Decimal,
      }),
    ),
    ...stock,
  }),
});

export const StockReturnFailed = defineEvent({
  ...answer('StockReturnFailed', 'A return or its inspection was refused.'),
  data: Type.Object({ returnId: Id, orderId: Id, reason: RefusalReason, lines: Type.Array(ShortLine), ...stock }),
});

/** Goods that the books have at a place where a picker found less. */
const MissingPart = Type.Object({
  lineNo: LineNo,
  itemId: Id,
  warehouseId: Id,
  lot: Nullable(Id),
  location: Id,
  missing: PositiveDecimal,
});

export const StockPicked = defineEvent({
  ...answer('StockPicked', 'What was picked is held where it was picked. `lines` is all that the order holds now.'),
  data: Type.Object({
    orderId: Id,
    /** Of the lines that were picked, in total. */
    picked: Type.Array(Type.Object({ lineNo: LineNo, quantity: NonNegativeDecimal })),
    lines: Type.Array(HeldLine),
    backordered: Type.Array(Backordered),
    shortages: Type.Array(MissingPart),
    ...stock,
  }),
});

export const StockPickFailed = defineEvent({
  ...answer('StockPickFailed', 'What was picked contradicts what the order holds or what is there; the holds stand as they were.'),
  data: Type.Object({
    orderId: Id,
    reason: RefusalReason,
    lines: Type.Array(ShortLine),
    /** What exactly is wrong, for people, where the reason does not tell. */
    detail: Type.Optional(Text()),
    ...stock,
  }),
});

const fact = (type: string, summary: string) => ({
  type,
  summary,
  direction: 'out' as const,
  publisher: 'inventory' as const,
  consumers: [],
});

export const StockReceived = defineEvent({
  ...fact('StockReceived', 'A receipt was posted.'),
  data: Type.Object({
    receiptId: Id,
    movementId: Type.String(),
    warehouseId: Id,
    lines: Type.Array(
      Type.Object({ itemId: Id, lot: Nullable(Id), quantity: PositiveDecimal, unitCost: Nullable(Decimal), balanceAfter: Decimal }),
    ),
  }),
});

export const StockReceiptFailed = defineEvent({
  ...fact('StockReceiptFailed', 'A receipt was refused; nothing of it was posted.'),
  data: Type.Object({ receiptId: Id, reason: RefusalReason, lines: Type.Array(Type.Object({ itemId: Id, message: Text() })) }),
});

export const StockAdjusted = defineEvent({
  ...fact('StockAdjusted', 'Stock was adjusted.'),
  data: Type.Object({
    movementId: Type.String(),
    itemId: Id,
    warehouseId: Id,
    lot: Nullable(Id),
    quantityDelta: Decimal,
    reason: Text(),
    /** `damage`, `loss`, `found`, `sample`, `internal_use`, `maintenance` or `correction`. */
    reasonCode: Type.Optional(Text(64)),
    balanceAfter: Decimal,
  }),
});

export const PickShortage = defineEvent({
  ...fact('PickShortage', 'A picker found less at a place than the books have there.'),
  data: Type.Composite([Type.Object({ orderId: Id }), MissingPart]),
});

export const TransferShortage = defineEvent({
  ...fact('TransferShortage', 'Less arrived from another warehouse than left there; the rest will not come.'),
  data: Type.Object({
    transferId: Id,
    fromWarehouseId: Id,
    toWarehouseId: Id,
    itemId: Id,
    lot: Nullable(Id),
    missing: PositiveDecimal,
    /** What it cost. */
    value: Decimal,
  }),
});

export const QualityChanged = defineEvent({
  ...fact('QualityChanged', 'Stock changed its quality status.'),
  data: Type.Object({
    itemId: Id,
    warehouseId: Id,
    lot: Nullable(Id),
    quantity: PositiveDecimal,
    from: Type.String(),
    to: Type.String(),
    returnId: Type.Optional(Id),
  }),
});

const lowStock = Type.Object({ itemId: Id, warehouseId: Id, onHand: Decimal, threshold: Decimal });

export const LowStockDetected = defineEvent({
  ...fact('LowStockDetected', 'On hand fell to the threshold or below it.'),
  consumers: ['notifications'],
  data: lowStock,
});

export const StockReplenished = defineEvent({
  ...fact('StockReplenished', 'On hand rose above the threshold again.'),
  data: lowStock,
});

export const OrderStatusChanged = defineEvent({
  ...fact('OrderStatusChanged', 'An order moved to another status.'),
  publisher: 'orders',
  data: Type.Object({ orderId: Id, from: Type.String(), to: Type.String(), reason: Type.Optional(Text()) }),
});

export const WarehouseCreated = defineEvent({
  ...fact('WarehouseCreated', 'There is a new warehouse.'),
  consumers: ['reconciliation'],
  data: Type.Object({ warehouseId: Id, name: Text(200) }),
});

export const SettingsChanged = defineEvent({
  ...fact('SettingsChanged', 'An organisation changed its stock settings.'),
  consumers: ['inventory', 'reconciliation'],
  data: Type.Record(Type.String(), Type.Unknown()),
});
