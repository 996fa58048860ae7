import { Type } from '@sinclair/typebox';
import { defineCall, internal, type Page, PageQuery } from './define-call.js';
import { EVERY_ROLE, GOODS_HANDLERS } from './role.js';
import { CalendarDay, Id, Nullable, PositiveDecimal, Text } from './schema.js';

// Goods that are to come. Between our own services only.

const shared = { service: 'inventory' as const, visibility: 'internal' as const };
const dryRun = { dryRun: Type.Optional(Type.Boolean()) };
const Reference = Text(200);

export type ExpectedReceiptStatus = 'open' | 'received' | 'cancelled';

/** Goods that somebody announced. */
export interface ExpectedReceipt {
  readonly expectedReceiptId: string;
  readonly warehouseId: string;
  readonly itemId: string;
  /** Announced in all. */
  readonly quantity: string;
  /** What of it has come; more than was announced, if the supplier sent more. */
  readonly receivedQuantity: string;
  /** What of it is still counted on. */
  readonly openQuantity: string;
  /** `2026-03-01` */
  readonly expectedOn: string;
  readonly reference: string | null;
  readonly status: ExpectedReceiptStatus;
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly updatedBy: string | null;
  readonly dryRun?: boolean;
}

export const ExpectedReceiptCreate = defineCall({
  ...shared,
  pattern: 'expected-receipts.create',
  effect: 'change',
  allow: GOODS_HANDLERS,
  summary: 'Announces goods: they count in the projection of stock from the day on which they are expected.',
  request: Type.Object({
    expectedReceiptId: Type.Optional(Id),
    warehouseId: Id,
    itemId: Id,
    quantity: PositiveDecimal,
    expectedOn: CalendarDay,
    reference: Type.Optional(Reference),
    ...dryRun,
  }),
  response: internal<ExpectedReceipt>(),
});

export const ExpectedReceiptList = defineCall({
  ...shared,
  pattern: 'expected-receipts.list',
  effect: 'read',
  allow: EVERY_ROLE,
  summary: 'Announced goods, the last announced first; `expectedFrom` and `expectedTo` are days, both included.',
  request: Type.Object({
    warehouseId: Type.Optional(Id),
    itemId: Type.Optional(Id),
    status: Type.Optional(Type.Union([Type.Literal('open'), Type.Literal('received'), Type.Literal('cancelled')])),
    expectedFrom: Type.Optional(CalendarDay),
    expectedTo: Type.Optional(CalendarDay),
    ...PageQuery,
  }),
  response: internal<Page<ExpectedReceipt>>(),
});

export const ExpectedReceiptGet = defineCall({
  ...shared,
  pattern: 'expected-receipts.get',
  effect: 'read',
  allow: EVERY_ROLE,
  summary: 'Goods that were announced.',
  request: Type.Object({ expectedReceiptId: Id }),
  response: internal<ExpectedReceipt>(),
});

export const ExpectedReceiptUpdate = defineCall({
  ...shared,
  pattern: 'expected-receipts.update',
  effect: 'change',
  allow: GOODS_HANDLERS,
  summary: 'Changes how much is to come in all, and when, while something is still to come.',
  request: Type.Object({
    expectedReceiptId: Id,
    quantity: Type.Optional(PositiveDecimal),
    expectedOn: Type.Optional(CalendarDay),
    reference: Type.Optional(Nullable(Reference)),
    ...dryRun,
  }),
  response: internal<ExpectedReceipt>(),
});

export const ExpectedReceiptCancel = defineCall({
  ...shared,
  pattern: 'expected-receipts.cancel',
  effect: 'change',
  allow: GOODS_HANDLERS,
  summary: 'Says that nothing more will come. What has come stays.',
  request: Type.Object({ expectedReceiptId: Id, ...dryRun }),
  response: internal<ExpectedReceipt>(),
});

/** How stock is expected to be on the days to come. */
export interface StockProjection {
  readonly itemId: string;
  readonly warehouseId: string;
  readonly days: readonly {
    readonly date: string;
    /** Free at the end of the day; below zero, somebody still waits. */
    readonly projected: string;
    /** What can be promised for the day. */
    readonly available: string;
  }[];
}

export const PROJECTION_DAYS_DEFAULT = 7;
export const PROJECTION_DAYS_MAX = 366;

export const AvailabilityProject = defineCall({
  ...shared,
  pattern: 'availability.project',
  effect: 'read',
  allow: EVERY_ROLE,
  summary: 'What is expected to be free, and can be promised, on each of the days from today on.',
  request: Type.Object({
    itemId: Id,
    warehouseId: Id,
    days: Type.Optional(Type.Integer({ minimum: 1, maximum: PROJECTION_DAYS_MAX })),
  }),
  response: internal<StockProjection>(),
});

export const BackorderDates = defineCall({
  ...shared,
  pattern: 'backorders.dates',
  effect: 'read',
  allow: EVERY_ROLE,
  summary:
    'On which day orders that wait for stock are expected to have all of it; null when nobody knows. Those that do not wait are left out.',
  request: Type.Object({ orderIds: Type.Array(Id, { minItems: 1, maxItems: 500 }) }),
  response: internal<{ orders: readonly { orderId: string; date: string | null }[] }>(),
});
