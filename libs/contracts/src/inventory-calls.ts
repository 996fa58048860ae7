import type { ApprovalForeseen, ApprovalNeeded } from './approval-calls.js';
import { type Static, Type } from '@sinclair/typebox';
import { defineCall, internal, type Page, PageQuery } from './define-call.js';
import { GoodsReceived } from './order-events.js';
import { ADMINISTRATORS, AUDITORS, EVERY_ROLE, GOODS_HANDLERS, SETTINGS_READERS, STOCK_KEEPERS } from './role.js';
import { Decimal, Id, NonNegativeDecimal, Nullable, ShelfLifeDays, SomeText, Text, Timestamp } from './schema.js';

// What the gateway asks inventory: catalogue, receipts, adjustments, stock, ledger, settings. Between our own services only.

const shared = { service: 'inventory' as const, visibility: 'internal' as const };
const dryRun = { dryRun: Type.Optional(Type.Boolean()) };
const price = Type.String({ pattern: '^(0|[1-9][0-9]{0,11})(\\.[0-9]{1,4})?$' });
const Currency = Type.String({ pattern: '^[A-Z]{3}$' });

export interface Warehouse {
  readonly warehouseId: string;
  readonly name: string;
  /** Lower comes first when a line names no warehouse. */
  readonly priority: number;
  readonly createdAt: string;
  readonly dryRun?: boolean;
}

const warehousePriority = Type.Integer({ minimum: 0, maximum: 1_000_000 });

export const WarehouseCreate = defineCall({
  ...shared,
  pattern: 'warehouses.create',
  effect: 'change',
  allow: STOCK_KEEPERS,
  summary: 'Creates a warehouse.',
  request: Type.Object({ warehouseId: Id, name: SomeText(200), priority: Type.Optional(warehousePriority), ...dryRun }),
  response: internal<Warehouse>(),
});
export const WarehouseList = defineCall({
  ...shared,
  pattern: 'warehouses.list',
  effect: 'read',
  allow: EVERY_ROLE,
  summary: 'Lists warehouses.',
  request: Type.Object(PageQuery),
  response: internal<Page<Warehouse>>(),
});
export const WarehouseGet = defineCall({
  ...shared,
  pattern: 'warehouses.get',
  effect: 'read',
  allow: EVERY_ROLE,
  summary: 'One warehouse.',
  request: Type.Object({ warehouseId: Id }),
  response: internal<Warehouse>(),
});
export const WarehouseUpdate = defineCall({
  ...shared,
  pattern: 'warehouses.update',
  effect: 'change',
  allow: STOCK_KEEPERS,
  summary: 'Changes a warehouse.',
  request: Type.Object({ warehouseId: Id, name: Type.Optional(SomeText(200)), priority: Type.Optional(warehousePriority), ...dryRun }),
  response: internal<Warehouse>(),
});

export interface Item {
  readonly itemId: string;
  readonly name: string;
  readonly unit: string;
  readonly tracking: 'none' | 'lot' | 'serial';
  readonly costing: 'fifo' | 'lifo' | 'average';
  readonly unitPrice: string | null;
  readonly currency: string | null;
  readonly reorderPoint: string | null;
  readonly safetyStock: string | null;
  readonly minRemainingShelfLifeDays: number | null;
  readonly substitutes: readonly string[];
  readonly createdAt: string;
  readonly dryRun?: boolean;
}

const itemFields = {
  unit: Type.Optional(Text(20)),
  costing: Type.Optional(Type.Union([Type.Literal('fifo'), Type.Literal('lifo'), Type.Literal('average')])),
  unitPrice: Type.Optional(Nullable(price)),
  currency: Type.Optional(Currency),
  reorderPoint: Type.Optional(Nullable(NonNegativeDecimal)),
  safetyStock: Type.Optional(Nullable(NonNegativeDecimal)),
  minRemainingShelfLifeDays: Type.Optional(Nullable(ShelfLifeDays)),
  substitutes: Type.Optional(Type.Array(Id, { maxItems: 50, uniqueItems: true })),
};

export const ItemCreate = defineCall({
  ...shared,
  pattern: 'items.create',
  effect: 'change',
  allow: STOCK_KEEPERS,
  summary: 'Creates an item.',
  request: Type.Object({
    itemId: Id,
    name: SomeText(200),
    tracking: Type.Optional(Type.Union([Type.Literal('none'), Type.Literal('lot'), Type.Literal('serial')])),
    ...itemFields,
    ...dryRun,
  }),
  response: internal<Item>(),
});
export const ItemList = defineCall({
  ...shared,
  pattern: 'items.list',
  effect: 'read',
  allow: EVERY_ROLE,
  summary: 'Lists items.',
  request: Type.Object(PageQuery),
  response: internal<Page<Item>>(),
});
export const ItemGet = defineCall({
  ...shared,
  pattern: 'items.get',
  effect: 'read',
  allow: EVERY_ROLE,
  summary: 'One item, or several at once.',
  request: Type.Object({ itemIds: Type.Array(Id, { minItems: 1, maxItems: 1_000 }) }),
  response: internal<{ items: readonly Item[] }>(),
});
export const ItemUpdate = defineCall({
  ...shared,
  pattern: 'items.update',
  effect: 'change',
  allow: STOCK_KEEPERS,
  summary: 'Changes an item.',
  request: Type.Object({ itemId: Id, name: Type.Optional(SomeText(200)), ...itemFields, ...dryRun }),
  response: internal<Item>(),
});

export const ReceiptPost = defineCall({
  ...shared,
  pattern: 'receipts.post',
  effect: 'change',
  allow: GOODS_HANDLERS,
  summary: 'Takes goods in: the data of `GoodsReceived`.',
  request: Type.Composite([Type.Omit(GoodsReceived.data, ['receiptId']), Type.Object({ receiptId: Type.Optional(Id), ...dryRun })]),
  response: internal<{
    receiptId: string;
    movementId: string;
    lines: readonly { itemId: string; quantity: string; balanceAfter: string }[];
    dryRun?: boolean;
  }>(),
});

export const AdjustmentReason = Type.Union(
  (['damage', 'loss', 'found', 'sample', 'internal_use', 'maintenance', 'correction'] as const).map((reason) => Type.Literal(reason)),
);
export type AdjustmentReason = Static<typeof AdjustmentReason>;

/** Nothing is added by damage or loss, and nothing is gone that was found. */
export function contradicts(reasonCode: AdjustmentReason, isMore: boolean): boolean {
  return isMore ? reasonCode === 'damage' || reasonCode === 'loss' : reasonCode === 'found';
}

export const AdjustmentPost = defineCall({
  ...shared,
  pattern: 'adjustments.post',
  effect: 'change',
  allow: STOCK_KEEPERS,
  summary: 'Corrects stock. Damage, loss and corrections are facts, which short holds; the other reasons need free stock.',
  request: Type.Object({
    commandId: Type.Optional(Id),
    warehouseId: Id,
    itemId: Id,
    quantityDelta: Decimal,
    reason: SomeText(),
    reasonCode: Type.Optional(AdjustmentReason),
    lot: Type.Optional(Id),
    location: Type.Optional(Id),
    unitCost: Type.Optional(price),
    ...dryRun,
  }),
  response: internal<AdjustmentAnswer | ApprovalNeeded | ApprovalForeseen>(),
});

/** What was posted. */
export interface AdjustmentAnswer {
  readonly movementId: string;
  readonly itemId: string;
  readonly warehouseId: string;
  readonly quantityDelta: string;
  readonly reasonCode?: AdjustmentReason;
  readonly balanceAfter: string;
  readonly dryRun?: boolean;
}

/** The stock of an item in a warehouse, as lists show it. */
export interface StockRow {
  readonly itemId: string;
  readonly warehouseId: string;
  readonly onHand: string;
  readonly reserved: string;
  readonly blocked: string;
  readonly available: string;
  readonly safetyStock: string;
  readonly reorderPoint: string | null;
  readonly threshold: string;
  readonly isLowStock: boolean;
}

export const StockList = defineCall({
  ...shared,
  pattern: 'stock.list',
  effect: 'read',
  allow: EVERY_ROLE,
  summary: 'The stock of all items and warehouses; `low` = only those at or below their threshold.',
  request: Type.Object({ warehouseId: Type.Optional(Id), itemId: Type.Optional(Id), low: Type.Optional(Type.Boolean()), ...PageQuery }),
  response: internal<Page<StockRow> & { lowStockCount: number }>(),
});

/** What an entry of the ledger may refer to. */
export const LEDGER_REF_TYPES = [
  'receipt',
  'shipment',
  'sale',
  'return',
  'transfer',
  'adjustment',
  'count',
  'discrepancy',
  'import',
] as const;
export type LedgerRefType = (typeof LEDGER_REF_TYPES)[number];

export interface LedgerEntry {
  readonly entryNo: number;
  readonly movementId: string;
  readonly itemId: string;
  readonly warehouseId: string;
  readonly lot: string | null;
  readonly location: string;
  readonly quality: string;
  readonly quantityDelta: string;
  /** On hand of (item, warehouse) after this entry. */
  readonly balanceAfter: string;
  readonly movementType: string;
  readonly refType: LedgerRefType;
  readonly refId: string | null;
  readonly orderId: string | null;
  readonly unitCost: string | null;
  readonly valueDelta: string | null;
  readonly producedAt: string | null;
  readonly expiresAt: string | null;
  readonly flagged: boolean;
  readonly discrepancyId: string | null;
  readonly actor: string | null;
  readonly occurredAt: string;
  readonly recordedAt: string;
  readonly note: string | null;
  /** Of adjustments; null for others, and for those from before it was recorded. */
  readonly reasonCode: AdjustmentReason | null;
}

export const LedgerList = defineCall({
  ...shared,
  pattern: 'ledger.list',
  effect: 'read',
  allow: EVERY_ROLE,
  summary: 'Ledger entries, newest first.',
  request: Type.Object({
    itemId: Type.Optional(Id),
    warehouseId: Type.Optional(Id),
    orderId: Type.Optional(Id),
    refType: Type.Optional(Type.Union(LEDGER_REF_TYPES.map((type) => Type.Literal(type)))),
    refId: Type.Optional(Id),
    from: Type.Optional(Timestamp),
    to: Type.Optional(Timestamp),
    ...PageQuery,
  }),
  response: internal<Page<LedgerEntry>>(),
});

export interface Reservation {
  readonly reservationId: string;
  readonly orderId: string;
  readonly lineNo: number;
  readonly itemId: string;
  readonly warehouseId: string;
  readonly lot: string | null;
  readonly location: string;
  readonly quantity: string;
  readonly fulfilledQuantity: string;
  readonly status: 'active' | 'fulfilled' | 'released' | 'expired';
  readonly firm: boolean;
  readonly reservedAt: string;
  readonly expiresAt: string | null;
  readonly closedAt: string | null;
  readonly releaseReason: string | null;
}

export const ReservationList = defineCall({
  ...shared,
  pattern: 'reservations.list',
  effect: 'read',
  allow: EVERY_ROLE,
  summary: 'Reservations, newest first.',
  request: Type.Object({
    orderId: Type.Optional(Id),
    itemId: Type.Optional(Id),
    status: Type.Optional(
      Type.Union([Type.Literal('active'), Type.Literal('fulfilled'), Type.Literal('released'), Type.Literal('expired')]),
    ),
    ...PageQuery,
  }),
  response: internal<Page<Reservation>>(),
});

export const SafetyStockSet = defineCall({
  ...shared,
  pattern: 'safety-stock.set',
  effect: 'change',
  allow: STOCK_KEEPERS,
  summary: 'Sets the quantity that is never newly promised: absolute, or percent of sellable; the larger counts. Null = as the item says.',
  request: Type.Object({
    warehouseId: Id,
    itemId: Id,
    quantity: Type.Optional(Nullable(NonNegativeDecimal)),
    percent: Type.Optional(Nullable(NonNegativeDecimal)),
    ...dryRun,
  }),
  response: internal<{ warehouseId: string; itemId: string; quantity: string | null; percent: string | null }>(),
});

export const ReorderPointSet = defineCall({
  ...shared,
  pattern: 'reorder-point.set',
  effect: 'change',
  allow: STOCK_KEEPERS,
  summary: 'Sets the on-hand quantity at which an item counts as low in a warehouse. Null = as the item says.',
  request: Type.Object({ warehouseId: Id, itemId: Id, reorderPoint: Nullable(NonNegativeDecimal), ...dryRun }),
  response: internal<{ warehouseId: string; itemId: string; reorderPoint: string | null }>(),
});

/** By the priority of the warehouses; what has most first; as few warehouses as possible. Each may split a line. */
export const SourcingStrategy = Type.Union([Type.Literal('priority'), Type.Literal('most_stock'), Type.Literal('fewest_splits')]);
export type SourcingStrategy = Static<typeof SourcingStrategy>;

/** An organisation's stock settings; those that exist so far. */
export interface StockSettings {
  readonly softReservationTtlSeconds: number;
  readonly defaultReorderPoint: string | null;
  readonly reservationMode: 'all_or_nothing' | 'partial';
  readonly returnQuarantine: boolean;
  readonly currency: string;
  /** From leaving the warehouse to the customer. */
  readonly deliveryLeadDays: number;
  /** In which days begin and end. */
  readonly timezone: string;
  /** In which order warehouses serve a line that names none. */
  readonly sourcingStrategy: SourcingStrategy;
  /** A lot that expires sooner is not promised, unless item or order say otherwise. */
  readonly minRemainingShelfLifeDays: number;
  /** Whether what is short is refused (`hard`), up to a limit laid before an approver (`soft`), or only recorded (`dark`). */
  readonly enforcementPhase: EnforcementPhase;
  /** Lays every order that is short before an approver instead of refusing it. */
  readonly allowInventoryOversell: boolean;
  /** What an open discrepancy of high severity keeps from being promised: all, the difference, or nothing. */
  readonly discrepancyLockPolicy: DiscrepancyLockPolicy;
  /** Up to which shortage, in percent of what is there, `soft` does not refuse. */
  readonly softBlockPercent: string;
  /** Differences of counts and receipts up to either of these open no discrepancy. */
  readonly tolerance: Tolerance;
  /** Up to which difference, in percent, a discrepancy is low, medium, high. */
  readonly severityPercents: readonly [string, string, string];
  /** When reconciliation runs, in the organisation's time zone. */
  readonly reconciliationCron: string;
  readonly dryRun?: boolean;
}

/** What counts while an organisation has said nothing else. */
export const DEFAULT_STOCK_SETTINGS: StockSettings = {
  softReservationTtlSeconds: 1800,
  defaultReorderPoint: null,
  reservationMode: 'all_or_nothing',
  returnQuarantine: true,
  currency: 'EUR',
  deliveryLeadDays: 0,
  timezone: 'UTC',
  sourcingStrategy: 'priority',
  minRemainingShelfLifeDays: 0,
  enforcementPhase: 'hard',
  allowInventoryOversell: false,
  discrepancyLockPolicy: 'soft',
  softBlockPercent: '20',
  tolerance: { quantity: '0', percent: '0' },
  severityPercents: ['2', '5', '20'],
  reconciliationCron: '0 2 * * *',
};

export const ENFORCEMENT_PHASES = ['dark', 'soft', 'hard'] as const;
export type EnforcementPhase = (typeof ENFORCEMENT_PHASES)[number];
export const DISCREPANCY_LOCK_POLICIES = ['hard', 'soft', 'monitor'] as const;
export type DiscrepancyLockPolicy = (typeof DISCREPANCY_LOCK_POLICIES)[number];
/** How much a difference may be. */
export interface Tolerance {
  readonly quantity: string;
  readonly percent: string;
}

export const SettingsGet = defineCall({
  ...shared,
  pattern: 'settings.get',
  effect: 'read',
  allow: SETTINGS_READERS,
  summary: 'The stock settings of the organisation.',
  request: Type.Object({}),
  response: internal<StockSettings>(),
});
export const SettingsUpdate = defineCall({
  ...shared,
  pattern: 'settings.update',
  effect: 'change',
  allow: ADMINISTRATORS,
  summary: 'Changes settings; each change is kept in the history.',
  request: Type.Object({
    softReservationTtlSeconds: Type.Optional(Type.Integer({ minimum: 1, maximum: 31_536_000 })),
    defaultReorderPoint: Type.Optional(Nullable(NonNegativeDecimal)),
    reservationMode: Type.Optional(Type.Union([Type.Literal('all_or_nothing'), Type.Literal('partial')])),
    returnQuarantine: Type.Optional(Type.Boolean()),
    currency: Type.Optional(Currency),
    deliveryLeadDays: Type.Optional(Type.Integer({ minimum: 0, maximum: 365 })),
    timezone: Type.Optional(Type.String({ minLength: 1, maxLength: 64 })),
    sourcingStrategy: Type.Optional(SourcingStrategy),
    minRemainingShelfLifeDays: Type.Optional(ShelfLifeDays),
    enforcementPhase: Type.Optional(Type.Union(ENFORCEMENT_PHASES.map((phase) => Type.Literal(phase)))),
    allowInventoryOversell: Type.Optional(Type.Boolean()),
    discrepancyLockPolicy: Type.Optional(Type.Union(DISCREPANCY_LOCK_POLICIES.map((policy) => Type.Literal(policy)))),
    softBlockPercent: Type.Optional(NonNegativeDecimal),
    tolerance: Type.Optional(Type.Object({ quantity: NonNegativeDecimal, percent: NonNegativeDecimal })),
    severityPercents: Type.Optional(Type.Tuple([NonNegativeDecimal, NonNegativeDecimal, NonNegativeDecimal])),
    reconciliationCron: Type.Optional(Type.String({ minLength: 1, maxLength: 100 })),
    ...dryRun,
  }),
  response: internal<StockSettings>(),
});
export const SettingsHistory = defineCall({
  ...shared,
  pattern: 'settings.history',
  effect: 'read',
  allow: AUDITORS,
  summary: 'Who changed which setting when, newest first.',
  request: Type.Object(PageQuery),
  response: internal<Page<{ setting: string; from: unknown; to: unknown; actor: string | null; changedAt: string }>>(),
});
