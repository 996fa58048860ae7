import { type Static, Type } from '@sinclair/typebox';
import { defineCall, internal, type Page, PageQuery } from './define-call.js';
import { EVERY_ROLE, STOCK_KEEPERS, WAREHOUSE_WORKERS } from './role.js';
import { COMMAND_LINES_MAX, Id, NonNegativeDecimal, PositiveDecimal, SomeText, Text, Timestamp } from './schema.js';

// What is done with goods inside a warehouse: bins, quality, lots, scraps, counts. Between our own services only.

const shared = { service: 'inventory' as const, visibility: 'internal' as const };
const dryRun = { dryRun: Type.Optional(Type.Boolean()) };
const commandId = { commandId: Type.Optional(Id) };
/** Of an item, or of one lot of it. */
const goods = { warehouseId: Id, itemId: Id, lot: Type.Optional(Id), quantity: PositiveDecimal };

/** How goods are; only what is `available` can be promised or picked. */
export const QUALITIES = ['available', 'pending_inspection', 'quarantined', 'damaged', 'expired', 'recalled'] as const;
const Quality = Type.Union(QUALITIES.map((quality) => Type.Literal(quality)));
export type GoodsQuality = Static<typeof Quality>;

/** A bin of a warehouse. */
export interface Location {
  readonly warehouseId: string;
  readonly location: string;
  readonly createdAt: string;
  readonly dryRun?: boolean;
}

export const LocationCreate = defineCall({
  ...shared,
  pattern: 'locations.create',
  effect: 'change',
  allow: STOCK_KEEPERS,
  summary: 'Creates a bin in a warehouse. `default` is always there.',
  request: Type.Object({ warehouseId: Id, location: Id, ...dryRun }),
  response: internal<Location>(),
});

export const LocationList = defineCall({
  ...shared,
  pattern: 'locations.list',
  effect: 'read',
  allow: EVERY_ROLE,
  summary: 'The bins of a warehouse, by name; `default` is one of them.',
  request: Type.Object({ warehouseId: Id, ...PageQuery }),
  response: internal<Page<Location>>(),
});

/** What became of a move from bin to bin. */
export interface BinMoveAnswer {
  readonly movementId: string;
  readonly itemId: string;
  readonly warehouseId: string;
  readonly lot: string | null;
  readonly quantity: string;
  readonly from: string;
  readonly to: string;
  readonly quality: GoodsQuality;
  readonly dryRun?: boolean;
}

export const BinMovePost = defineCall({
  ...shared,
  pattern: 'bin-moves.post',
  effect: 'change',
  allow: WAREHOUSE_WORKERS,
  summary: 'Carries goods from one bin of a warehouse to another, with the holds on them.',
  request: Type.Object({ ...commandId, ...goods, from: Id, to: Id, quality: Type.Optional(Quality), ...dryRun }),
  response: internal<BinMoveAnswer>(),
});

/** What became of a change of quality. */
export interface QualityChangeAnswer {
  readonly movementId: string;
  readonly itemId: string;
  readonly warehouseId: string;
  readonly lot: string | null;
  readonly location: string;
  readonly quantity: string;
  readonly from: GoodsQuality;
  readonly to: GoodsQuality;
  readonly dryRun?: boolean;
}

export const QualityChangePost = defineCall({
  ...shared,
  pattern: 'quality-changes.post',
  effect: 'change',
  allow: WAREHOUSE_WORKERS,
  summary: 'Says what goods are good for. What is not available any more is taken from whoever holds it; what is again serves who waits.',
  request: Type.Object({ ...commandId, ...goods, location: Type.Optional(Id), from: Quality, to: Quality, reason: SomeText(), ...dryRun }),
  response: internal<QualityChangeAnswer>(),
});

/** What became of a scrap. */
export interface ScrapAnswer {
  readonly movementId: string;
  readonly itemId: string;
  readonly warehouseId: string;
  readonly lot: string | null;
  readonly location: string;
  readonly quality: GoodsQuality;
  readonly quantityDelta: string;
  readonly balanceAfter: string;
  readonly dryRun?: boolean;
}

export const ScrapPost = defineCall({
  ...shared,
  pattern: 'scraps.post',
  effect: 'change',
  allow: STOCK_KEEPERS,
  summary: 'Throws goods of any quality away: their value leaves as cost.',
  request: Type.Object({
    ...commandId,
    ...goods,
    location: Type.Optional(Id),
    quality: Type.Optional(Quality),
    reason: SomeText(),
    ...dryRun,
  }),
  response: internal<ScrapAnswer>(),
});

/** A batch of an item, or a piece with a serial number, and where it is. */
export interface LotStock {
  readonly itemId: string;
  readonly lot: string;
  readonly producedAt: string | null;
  readonly expiresAt: string | null;
  readonly recalledAt: string | null;
  readonly recallReason: string | null;
  /** Of all its places that are shown. */
  readonly quantity: string;
  readonly places: readonly {
    readonly warehouseId: string;
    readonly location: string;
    readonly quality: GoodsQuality;
    readonly quantity: string;
    readonly reserved: string;
  }[];
}

export const LotList = defineCall({
  ...shared,
  pattern: 'lots.list',
  effect: 'read',
  allow: EVERY_ROLE,
  summary: 'Lots, by item and lot, with where they are; of a warehouse only those that are there.',
  request: Type.Object({
    itemId: Type.Optional(Id),
    warehouseId: Type.Optional(Id),
    expiresBefore: Type.Optional(Timestamp),
    ...PageQuery,
  }),
  response: internal<Page<LotStock>>(),
});

/** What a recall took out of what may be sold. */
export interface RecallAnswer {
  /** Null when nothing was there. */
  readonly movementId: string | null;
  readonly itemId: string;
  readonly lot: string;
  readonly recalledAt: string;
  readonly reason: string;
  readonly recalled: readonly {
    readonly warehouseId: string;
    readonly location: string;
    readonly from: GoodsQuality;
    readonly quantity: string;
  }[];
  readonly dryRun?: boolean;
}

export const LotRecall = defineCall({
  ...shared,
  pattern: 'lots.recall',
  effect: 'change',
  everyWarehouse: true,
  allow: STOCK_KEEPERS,
  summary: 'Takes a lot out of what may be sold, in every warehouse; what still comes in of it is recalled as well.',
  request: Type.Object({ ...commandId, itemId: Id, lot: Id, reason: SomeText(), ...dryRun }),
  response: internal<RecallAnswer>(),
});

/** What was counted, and what was made of it. */
export interface CountAnswer {
  readonly movementId: string;
  readonly lines: readonly {
    readonly itemId: string;
    readonly lot: string | null;
    readonly location: string;
    readonly countedQuantity: string;
    /** What the ledger said when it was counted, of all qualities. */
    readonly ledgerQuantity: string;
    readonly difference: string;
    readonly posted: boolean;
    readonly discrepancyId?: string;
  }[];
  readonly dryRun?: boolean;
}

export const CountPost = defineCall({
  ...shared,
  pattern: 'counts.post',
  effect: 'change',
  allow: WAREHOUSE_WORKERS,
  summary: 'Posts what was counted in bins, as a difference to what the ledger said then; `full`: what was not counted is not there.',
  request: Type.Object({
    ...commandId,
    warehouseId: Id,
    mode: Type.Optional(Type.Union([Type.Literal('cycle'), Type.Literal('full')])),
    countedAt: Type.Optional(Timestamp),
    lines: Type.Array(
      Type.Object({ itemId: Id, countedQuantity: NonNegativeDecimal, lot: Type.Optional(Id), location: Type.Optional(Id) }),
      { minItems: 1, maxItems: COMMAND_LINES_MAX },
    ),
    note: Type.Optional(Text()),
    ...dryRun,
  }),
  response: internal<CountAnswer>(),
});
