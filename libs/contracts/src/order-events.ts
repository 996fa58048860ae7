import { type Static, Type } from '@sinclair/typebox';
import { defineEvent } from './define-event.js';
import {
  COMMAND_LINES_MAX,
  Id,
  LineNo,
  NonNegativeDecimal,
  ORDER_LINES_MAX,
  PositiveDecimal,
  Priority,
  ShelfLifeDays,
  Text,
  Timestamp,
} from './schema.js';

// What an order-management system, and our own `orders` service, say. Every one may carry the extension `sequence`, which the
// source of the order counts; without it events about an order are ordered by `time`, and a cancellation is final.

/** `all_or_nothing`: a shortage refuses the whole order. `partial`: what is there is held, the rest becomes a backorder. */
export const ReservationMode = Type.Union([Type.Literal('all_or_nothing'), Type.Literal('partial')]);
export type ReservationMode = Static<typeof ReservationMode>;

/** What an order wants of an item: an absolute quantity, never a change. */
export const DemandLine = Type.Object({
  lineNo: LineNo,
  itemId: Id,
  quantity: PositiveDecimal,
  warehouseId: Type.Optional(Id),
  /** Only this lot will do. */
  lot: Type.Optional(Id),
  /** Lots that expire sooner will not do; absent = as order, item and organisation say. */
  minRemainingShelfLifeDays: Type.Optional(ShelfLifeDays),
});
export type DemandLine = Static<typeof DemandLine>;

const demand = {
  orderId: Id,
  warehouseId: Type.Optional(Id),
  priority: Type.Optional(Priority),
  reservationMode: Type.Optional(ReservationMode),
  /** For the lines that do not say it themselves. */
  minRemainingShelfLifeDays: Type.Optional(ShelfLifeDays),
  lines: Type.Array(DemandLine, { minItems: 1, maxItems: ORDER_LINES_MAX }),
};

/**
 * From `orders` only: an order that waits for an approval, and what an approval lets through. Other sources never wait: what is short of
 * theirs is refused, or held as far as it goes while nothing is enforced.
 */
export const approval = {
  /** Hold what can be promised, softly and without expiry; the rest waits for the approval, unheld. */
  pendingApproval: Type.Optional(Type.Boolean()),
  /** The approval by which the lines below may be short. */
  approvalRequestId: Type.Optional(Id),
  /** By how much each line may be short at most: what is free is held all the same, the rest becomes a backorder. */
  approvedShortages: Type.Optional(Type.Array(Type.Object({ lineNo: LineNo, quantity: PositiveDecimal }), { maxItems: ORDER_LINES_MAX })),
  /** An amendment was not approved, and the order becomes again what it was: nobody is asked to approve what is short of that. */
  restores: Type.Optional(Type.Boolean()),
};

export const OrderPlaced = defineEvent({
  type: 'OrderPlaced',
  summary: 'An order was placed: its stock is held softly, until the hold expires or the order is confirmed.',
  direction: 'in',
  publisher: 'orders',
  consumers: ['inventory'],
  data: Type.Object({
    ...demand,
    ttlSeconds: Type.Optional(Type.Integer({ minimum: 1, maximum: 31_536_000 })),
    ...approval,
  }),
});

export const OrderConfirmed = defineEvent({
  type: 'OrderConfirmed',
  summary: 'An order was confirmed: its stock is held firmly. For a known order these are the new totals.',
  direction: 'in',
  publisher: 'orders',
  consumers: ['inventory'],
  data: Type.Object(demand),
});

export const OrderAmended = defineEvent({
  type: 'OrderAmended',
  summary: 'The lines of an order were changed: these are the new totals. Refused as a whole, and then the old hold stands.',
  direction: 'in',
  publisher: 'orders',
  consumers: ['inventory'],
  data: Type.Object({ ...demand, firm: Type.Optional(Type.Boolean()), ...approval }),
});

export const OrderCancelled = defineEvent({
  type: 'OrderCancelled',
  summary: 'An order was cancelled: what it holds is released, and it can never hold again.',
  direction: 'in',
  publisher: 'orders',
  consumers: ['inventory'],
  data: Type.Object({ orderId: Id, reason: Type.Optional(Text()) }),
});

/** What was really picked of a line, in total: what was shipped of it included. */
export const PickedLine = Type.Object({
  lineNo: LineNo,
  quantity: NonNegativeDecimal,
  /** Where, when not as suggested; they add up to the quantity. */
  lots: Type.Optional(
    Type.Array(Type.Object({ lot: Type.Optional(Id), quantity: PositiveDecimal, location: Type.Optional(Id) }), {
      maxItems: COMMAND_LINES_MAX,
    }),
  ),
});
export type PickedLine = Static<typeof PickedLine>;

export const OrderPicked = defineEvent({
  type: 'OrderPicked',
  summary:
    'What was really picked, in totals; no lines = exactly as suggested. The hold of the order moves to where it was picked; what was not found is released there and held elsewhere, or waits.',
  direction: 'in',
  publisher: 'orders',
  consumers: ['inventory'],
  data: Type.Object({ orderId: Id, lines: Type.Optional(Type.Array(PickedLine, { maxItems: COMMAND_LINES_MAX })) }),
});

const PickedLot = Type.Object({ lot: Id, quantity: PositiveDecimal, location: Type.Optional(Id) });

export const ShipmentConfirmed = defineEvent({
  type: 'ShipmentConfirmed',
  summary: 'Goods left the warehouse: on hand falls by what was really shipped, and the hold of the order is fulfilled.',
  direction: 'in',
  publisher: 'orders',
  consumers: ['inventory'],
  data: Type.Object({
    shipmentId: Id,
    orderId: Id,
    warehouseId: Type.Optional(Id),
    shippedAt: Type.Optional(Timestamp),
    closeShortLines: Type.Optional(Type.Boolean()),
    lines: Type.Array(
      Type.Object({
        lineNo: LineNo,
        itemId: Id,
        quantity: PositiveDecimal,
        warehouseId: Type.Optional(Id),
        lot: Type.Optional(Id),
        lots: Type.Optional(Type.Array(PickedLot, { maxItems: COMMAND_LINES_MAX })),
      }),
      { minItems: 1, maxItems: COMMAND_LINES_MAX },
    ),
  }),
});

export const ShipmentCancelled = defineEvent({
  type: 'ShipmentCancelled',
  summary: 'A shipment did not happen after all: what it took comes back and is held for the order again.',
  direction: 'in',
  publisher: 'orders',
  consumers: ['inventory'],
  data: Type.Object({ shipmentId: Id, orderId: Id, reason: Type.Optional(Text()) }),
});

export const ReturnCondition = Type.Union([Type.Literal('resellable'), Type.Literal('damaged'), Type.Literal('unknown')]);
export const InspectionVerdict = Type.Union([
  Type.Literal('available'),
  Type.Literal('damaged'),
  Type.Literal('quarantined'),
  Type.Literal('scrap'),
]);
export type InspectionVerdict = Static<typeof InspectionVerdict>;

export const ReturnReceived = defineEvent({
  type: 'ReturnReceived',
  summary: 'A customer sent goods back: on hand rises at once, and the goods wait for inspection before they can be promised.',
  direction: 'in',
  publisher: 'orders',
  consumers: ['inventory'],
  data: Type.Object({
    returnId: Id,
    orderId: Id,
    warehouseId: Id,
    lines: Type.Array(
      Type.Object({
        lineNo: LineNo,
        itemId: Id,
        quantity: PositiveDecimal,
        lot: Type.Optional(Id),
        condition: Type.Optional(ReturnCondition),
        reason: Type.Optional(Text()),
      }),
      { minItems: 1, maxItems: COMMAND_LINES_MAX },
    ),
  }),
});

export const ReturnInspected = defineEvent({
  type: 'ReturnInspected',
  summary: 'Returned goods were inspected: they become available, damaged, quarantined, or are scrapped.',
  direction: 'in',
  publisher: 'orders',
  consumers: ['inventory'],
  data: Type.Object({
    returnId: Id,
    orderId: Id,
    lines: Type.Array(
      Type.Object({
        lineNo: LineNo,
        quantity: PositiveDecimal,
        lot: Type.Optional(Id),
        verdict: InspectionVerdict,
        note: Type.Optional(Text()),
      }),
      { minItems: 1, maxItems: COMMAND_LINES_MAX },
    ),
  }),
});

export const GoodsReceived = defineEvent({
  type: 'GoodsReceived',
  summary: 'Goods arrived from a supplier: on hand rises, and waiting backorders are filled.',
  direction: 'in',
  publisher: null,
  consumers: ['inventory'],
  data: Type.Object({
    receiptId: Id,
    warehouseId: Id,
    reference: Type.Optional(Text(200)),
    lines: Type.Array(
      Type.Object({
        itemId: Id,
        quantity: PositiveDecimal,
        unitCost: Type.String({ pattern: '^(0|[1-9][0-9]{0,11})(\\.[0-9]{1,4})?$' }),
        lot: Type.Optional(Id),
        producedAt: Type.Optional(Timestamp),
        expiresAt: Type.Optional(Timestamp),
        location: Type.Optional(Id),
        quality: Type.Optional(
          Type.Union([Type.Literal('available'), Type.Literal('pending_inspection'), Type.Literal('quarantined'), Type.Literal('damaged')]),
        ),
        expectedReceiptId: Type.Optional(Id),
      }),
      { minItems: 1, maxItems: COMMAND_LINES_MAX },
    ),
  }),
});
