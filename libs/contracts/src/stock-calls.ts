import { type Static, Type } from '@sinclair/typebox';
import { defineCall, internal } from './define-call.js';
import { DiscrepancySeverity, DiscrepancySource, DiscrepancyStatus } from './discrepancy-calls.js';
import {
  approval,
  DemandLine,
  OrderPicked,
  ReservationMode,
  ReturnInspected,
  ReturnReceived,
  ShipmentCancelled,
  ShipmentConfirmed,
} from './order-events.js';
import { EVERY_ROLE, GOODS_HANDLERS, ORDER_TAKERS } from './role.js';
import { Id, ORDER_LINES_MAX, Priority, Sequence, Text, Timestamp, Decimal, Nullable, ShelfLifeDays } from './schema.js';
import type { StockPicked } from './stock-events.js';
import { HeldLine, Override, RefusalReason, ShortLine, StockLine } from './stock-events.js';

// The calls that outsiders may use too. What they say is what the events say; see order-events.ts and stock-events.ts.

const shared = { service: 'inventory' as const, visibility: 'public' as const };
const sequence = { sequence: Type.Optional(Sequence) };
const dryRun = { dryRun: Type.Optional(Type.Boolean()) };

/** What can still be promised of an item in a warehouse, with every term of the calculation. */
export const Availability = Type.Object({
  itemId: Id,
  warehouseId: Id,
  onHand: Decimal,
  reserved: Decimal,
  blocked: Decimal,
  expiredOrTooOld: Decimal,
  safetyStock: Decimal,
  discrepancyHold: Decimal,
  backordered: Decimal,
  inTransit: Decimal,
  available: Decimal,
  requiresAcknowledgement: Type.Boolean(),
  warnings: Type.Array(Type.String()),
  explain: Type.Optional(
    Type.Object({
      reservations: Type.Array(
        Type.Object({
          reservationId: Type.String(),
          orderId: Id,
          lineNo: Type.Integer(),
          quantity: Decimal,
          firm: Type.Boolean(),
          expiresAt: Nullable(Timestamp),
        }),
      ),
      backorders: Type.Array(
        Type.Object({ orderId: Id, lineNo: Type.Integer(), quantity: Decimal, priority: Priority, acceptedAt: Timestamp }),
      ),
      blocked: Type.Array(Type.Object({ quality: Type.String(), quantity: Decimal })),
      /** What lies there of each lot, the first to be picked first. */
      lots: Type.Array(
        Type.Object({
          lot: Id,
          location: Id,
          quality: Type.String(),
          quantity: Decimal,
          reserved: Decimal,
          expiresAt: Nullable(Timestamp),
        }),
      ),
      /** The open ones; those that keep stock back first. */
      discrepancies: Type.Array(
        Type.Object({
          discrepancyId: Id,
          severity: DiscrepancySeverity,
          status: DiscrepancyStatus,
          source: DiscrepancySource,
          difference: Decimal,
          lot: Nullable(Id),
          detectedAt: Timestamp,
        }),
      ),
      /** There is more than is listed here; `reservations.list` shows all of it. */
      truncated: Type.Boolean(),
    }),
  ),
});
export type Availability = Static<typeof Availability>;

export const AvailabilityGet = defineCall({
  ...shared,
  pattern: 'availability.get',
  effect: 'read',
  allow: EVERY_ROLE,
  summary: 'How many can still be promised. Without `warehouseId` an item is answered for every warehouse that knows it.',
  request: Type.Object({
    items: Type.Array(Type.Object({ itemId: Id, warehouseId: Type.Optional(Id) }), { minItems: 1, maxItems: 1_000 }),
    explain: Type.Optional(Type.Boolean()),
    /** Lots that expire sooner do not count; absent = as item and organisation say. */
    minRemainingShelfLifeDays: Type.Optional(ShelfLifeDays),
    /** As it was then, by what is recorded; absent = now. Without explanation. */
    asOf: Type.Optional(Timestamp),
  }),
  response: Type.Object({ items: Type.Array(Availability) }),
});

export const StockDemand = defineCall({
  ...shared,
  pattern: 'stock.demand',
  effect: 'change',
  allow: ORDER_TAKERS,
  summary:
    'Sets what an order wants: the one command behind reserve, amend, confirm, release and cancel. No lines = cancel, final. Without `sequence` it counts as the newest. A shortage is a response, not an error.',
  request: Type.Object({
    source: Type.Optional(Text(200)),
    orderId: Id,
    ...sequence,
    lines: Type.Array(DemandLine, { maxItems: ORDER_LINES_MAX }),
    firm: Type.Optional(Type.Boolean()),
    ttlSeconds: Type.Optional(Type.Integer({ minimum: 1, maximum: 31_536_000 })),
    reservationMode: Type.Optional(ReservationMode),
    priority: Type.Optional(Priority),
    warehouseId: Type.Optional(Id),
    minRemainingShelfLifeDays: Type.Optional(ShelfLifeDays),
    ...approval,
    /** Shown in the event and the reservation log when the demand is cancelled. */
    reason: Type.Optional(Text()),
    ...dryRun,
  }),
  response: Type.Object({
    status: Type.Union([Type.Literal('reserved'), Type.Literal('partial'), Type.Literal('failed'), Type.Literal('released')]),
    orderId: Id,
    /** Inventory's own count for the order. */
    sequence: Type.Integer(),
    firm: Type.Boolean(),
    expiresAt: Nullable(Timestamp),
    /** Everything the order holds now. */
    lines: Type.Array(HeldLine),
    backordered: Type.Array(Type.Object({ lineNo: Type.Integer(), itemId: Id, quantity: Decimal })),
    stock: Type.Array(StockLine),
    /** Present when `failed`. */
    reason: Type.Optional(RefusalReason),
    shortLines: Type.Optional(Type.Array(ShortLine)),
    discrepancyIds: Type.Optional(Type.Array(Type.String())),
    /** Present when `failed` and somebody may approve it. */
    override: Type.Optional(Override),
    /** What could be had instead of each short line: another warehouse, a substitute item. */
    alternatives: Type.Optional(
      Type.Array(
        Type.Object({
          lineNo: Type.Integer(),
          kind: Type.Union([Type.Literal('substitute'), Type.Literal('warehouse'), Type.Literal('later')]),
          itemId: Id,
          warehouseId: Id,
          available: Decimal,
          date: Type.Optional(Type.String()),
        }),
      ),
    ),
    dryRun: Type.Optional(Type.Boolean()),
  }),
});

/** What a movement about an order answers: done with its lines, or refused with a reason. */
export interface MovementAnswer {
  readonly status: 'done' | 'refused';
  /** Inventory's own count for the order. */
  readonly sequence: number;
  readonly stock: readonly StockLine[];
  /** The shipment's or return's lines, as in the event. */
  readonly lines: readonly {
    lineNo: number;
    itemId: string;
    warehouseId: string;
    lot: string | null;
    quantity: string;
    cogs?: string | null;
    quality?: string;
    unitCost?: string | null;
    balanceAfter?: string;
  }[];
  readonly cogsTotal?: string | null;
  readonly reason?: RefusalReason;
  readonly shortLines?: readonly ShortLine[];
  readonly discrepancyIds?: readonly string[];
  readonly dryRun?: boolean;
}

const movement = internal<MovementAnswer>();
const source = { source: Type.Optional(Text(200)) };

export const StockShip = defineCall({
  ...shared,
  pattern: 'stock.ship',
  effect: 'change',
  allow: GOODS_HANDLERS,
  summary: 'Posts a shipment: the data of `ShipmentConfirmed`.',
  request: Type.Composite([ShipmentConfirmed.data, Type.Object({ ...sequence, ...source, ...dryRun })]),
  response: movement,
});

export const StockUnship = defineCall({
  ...shared,
  pattern: 'stock.unship',
  effect: 'change',
  everyWarehouse: true,
  allow: GOODS_HANDLERS,
  summary: 'Takes a shipment back: the data of `ShipmentCancelled`.',
  request: Type.Composite([ShipmentCancelled.data, Type.Object({ ...sequence, ...source, ...dryRun })]),
  response: movement,
});

export const StockReturn = defineCall({
  ...shared,
  pattern: 'stock.return',
  effect: 'change',
  allow: GOODS_HANDLERS,
  summary: 'Takes returned goods in: the data of `ReturnReceived`.',
  request: Type.Composite([ReturnReceived.data, Type.Object({ ...sequence, ...source, ...dryRun })]),
  response: movement,
});

export const StockInspect = defineCall({
  ...shared,
  pattern: 'stock.inspect',
  effect: 'change',
  everyWarehouse: true,
  allow: GOODS_HANDLERS,
  summary: 'Says what returned goods are good for: the data of `ReturnInspected`.',
  request: Type.Composite([ReturnInspected.data, Type.Object({ ...sequence, ...source, ...dryRun })]),
  response: movement,
});

/** What became of what was picked: done with all that the order holds now, or refused with a reason. */
export interface PickAnswer extends Omit<Static<typeof StockPicked.data>, 'orderId'> {
  readonly status: 'done' | 'refused';
  /** Inventory's own count for the order. */
  readonly sequence: number;
  readonly reason?: RefusalReason;
  readonly shortLines?: readonly ShortLine[];
  /** What exactly is wrong, for people, where the reason does not tell. */
  readonly detail?: string;
  readonly dryRun?: boolean;
}

export const StockPick = defineCall({
  ...shared,
  pattern: 'stock.pick',
  effect: 'change',
  everyWarehouse: true,
  allow: GOODS_HANDLERS,
  summary: 'Says what was really picked: the data of `OrderPicked`.',
  request: Type.Composite([OrderPicked.data, Type.Object({ ...sequence, ...source, ...dryRun })]),
  response: internal<PickAnswer>(),
});

export interface PickSuggestion {
  readonly lineNo: number;
  readonly itemId: string;
  readonly name: string;
  readonly warehouseId: string;
  readonly lot: string | null;
  readonly location: string;
  readonly quantity: string;
  readonly expiresAt: string | null;
}

export const PickingSuggest = defineCall({
  ...shared,
  pattern: 'picking.suggest',
  effect: 'read',
  allow: EVERY_ROLE,
  summary: 'What to pick for an order, from its reservations.',
  request: Type.Object({ orderId: Id }),
  response: internal<{ lines: readonly PickSuggestion[] }>(),
});
