import { type Static, Type } from '@sinclair/typebox';
import { defineCall, internal, type Page, PageQuery } from './define-call.js';
import { defineEvent } from './define-event.js';
import { OWN_SERVICES, RECONCILIATION_READERS, STOCK_KEEPERS } from './role.js';
import { Decimal, Id, Nullable, SomeText, Text, Timestamp } from './schema.js';

// Proving that the books agree with themselves: runs, as the gateway asks for them, and the checks that the services that own the tables
// compute for a run, page by page. Between our own services only.

const own = { service: 'reconciliation' as const, visibility: 'internal' as const };

/** What can disagree; docs/operating.md says of each what it means and what to do. */
export const MISMATCH_KINDS = [
  // Of an item in a warehouse.
  'on_hand',
  'ledger_numbering',
  'ledger_balance',
  'blocked',
  'quant',
  'reserved',
  'quant_reserved',
  'oversold',
  'backordered',
  'in_transit',
  'doubts',
  'layer_quantity',
  'layer_value',
  'ledger_value',
  'value_of_nothing',
  // Of an order, as inventory knows it.
  'line_parts',
  'line_reserved',
  'line_backordered',
  'orphan_reservation',
  'shipped',
  'returned',
  'returned_shipment',
  'return_record',
  // Of an order, as orders and inventory know it.
  'order_line',
  'order_firm',
  'order_shipment',
  'order_missing_stock',
  'order_unknown',
] as const;
export type MismatchKind = (typeof MISMATCH_KINDS)[number];

/** Two numbers that should be equal and are not. */
export const Mismatch = Type.Object({
  kind: Type.Union(MISMATCH_KINDS.map((kind) => Type.Literal(kind))),
  /** What exactly, beside kind, item, warehouse and order: tells the findings of a kind apart. */
  subject: Type.String(),
  itemId: Id,
  warehouseId: Nullable(Id),
  lot: Nullable(Id),
  location: Nullable(Id),
  orderId: Nullable(Id),
  /** By the records that count: the ledger, the reservations, what inventory knows. */
  expected: Decimal,
  actual: Decimal,
  /** What is compared, for people. */
  note: Text(),
});
export type Mismatch = Static<typeof Mismatch>;

/** Under which a mismatch is known in every run: the same disagreement has the same key. Ids hold no bar. */
export function findingKeyOf({ kind, warehouseId, itemId, orderId, subject }: Omit<Mismatch, 'expected' | 'actual' | 'note'>): string {
  return [kind, warehouseId ?? '', itemId, orderId ?? '', subject].join('|');
}

/** What disagrees, and of what exactly, by a {@link findingKeyOf}. */
export function readFindingKey(findingKey: string): Pick<Mismatch, 'subject'> & { readonly kind: string } {
  const parts = findingKey.split('|');
  return { kind: parts[0]!, subject: parts[4] ?? '' };
}

/** What a run found, and the discrepancy that it is kept as. */
export const Finding = Type.Composite([
  Type.Omit(Mismatch, ['subject']),
  Type.Object({
    findingId: Type.String({ format: 'uuid' }),
    /** `actual - expected` */
    difference: Decimal,
    discrepancyId: Type.String(),
  }),
]);
export type Finding = Static<typeof Finding>;

export const RUN_STATUSES = ['running', 'completed', 'failed'] as const;
export type RunStatus = (typeof RUN_STATUSES)[number];

const Count = Type.Integer({ minimum: 0 });
const run = {
  runId: Type.String({ format: 'uuid' }),
  status: Type.Union(RUN_STATUSES.map((status) => Type.Literal(status))),
  trigger: Type.Union([Type.Literal('manual'), Type.Literal('schedule')]),
  requestedBy: Nullable(SomeText(200)),
  /** In balances and orders; `total` is what there was when the run began. */
  progress: Type.Object({ done: Count, total: Count }),
  /** How many items in warehouses were looked at, and at how many of them something disagrees. */
  balances: Count,
  outOfSyncItems: Count,
  /** Orders that changed each time they were looked at: neither found right nor wrong. */
  unsettledOrders: Count,
  /** All that was found; only the first 10,000 are kept. */
  findingsTotal: Count,
  startedAt: Timestamp,
  finishedAt: Nullable(Timestamp),
  /** Why it was given up. */
  failure: Nullable(Text()),
};
/** A run with a page of its findings, in the order in which they were found. */
export const ReconciliationRun = Type.Object({
  ...run,
  findings: Type.Array(Finding),
  /** Where the next page of findings begins. */
  nextCursor: Nullable(Type.String()),
});
export type ReconciliationRun = Static<typeof ReconciliationRun>;
/** A run as lists show it. */
export type RunSummary = Omit<ReconciliationRun, 'findings' | 'nextCursor'>;

export const RunStart = defineCall({
  ...own,
  pattern: 'reconciliation-runs.start',
  effect: 'change',
  everyWarehouse: true,
  allow: STOCK_KEEPERS,
  summary: 'Starts a reconciliation: compares balances, ledger, reservations, lots, costs and orders with each other.',
  request: Type.Object({ runId: Type.String({ format: 'uuid' }) }),
  response: internal<ReconciliationRun>(),
});
export const RunList = defineCall({
  ...own,
  pattern: 'reconciliation-runs.list',
  effect: 'read',
  allow: RECONCILIATION_READERS,
  summary: 'The runs, newest first, without their findings.',
  request: Type.Object({ ...PageQuery, status: Type.Optional(Type.Union(RUN_STATUSES.map((status) => Type.Literal(status)))) }),
  response: internal<Page<RunSummary>>(),
});
export const RunGet = defineCall({
  ...own,
  pattern: 'reconciliation-runs.get',
  effect: 'read',
  allow: RECONCILIATION_READERS,
  summary: 'A run: how far it is, and what it found.',
  request: Type.Object({ runId: Type.String({ format: 'uuid' }), ...PageQuery }),
  response: internal<ReconciliationRun>(),
});

export const ReconciliationCompleted = defineEvent({
  type: 'ReconciliationCompleted',
  summary: 'A reconciliation is over. Carries its first findings; the others are listed by its GET.',
  direction: 'out',
  publisher: 'reconciliation',
  consumers: ['notifications'],
  data: ReconciliationRun,
});

// What a run asks of the services that own the tables.

const check = { visibility: 'internal' as const, effect: 'read' as const, allow: OWN_SERVICES };
/** From where on: the `next` of the page before; absent = from the beginning. */
const after = Type.Optional(Type.String({ maxLength: 200 }));
/** How many rows a page is about. */
const limit = Type.Integer({ minimum: 1, maximum: 20_000 });
/** An answer lists so many mismatches at most, and counts all. */
export const MISMATCHES_PER_PAGE_MAX = 1_000;
/** So many orders at most are compared at once. */
export const COMPARED_ORDERS_MAX = 500;
/** Of the orders of a page that only inventory knows, it names so many. */
export const OTHER_ORDERS_MAX = 5_000;

/** What a page of a service's checks of its own tables came to. */
export interface CheckedPage {
  readonly checked: number;
  /** Where the next page begins; null = this was the last one. */
  readonly next: string | null;
  /** How many of what was checked have a mismatch. */
  readonly outOfSync: number;
  readonly mismatchesTotal: number;
  readonly mismatches: readonly Mismatch[];
}

export const StockCheck = defineCall({
  ...check,
  service: 'inventory',
  pattern: 'reconciliation.check-stock',
  summary: 'Compares a page of balances with ledger, reservations, lots and cost layers.',
  request: Type.Object({ after, limit }),
  response: internal<CheckedPage>(),
});
export const DemandCheck = defineCall({
  ...check,
  service: 'inventory',
  pattern: 'reconciliation.check-demands',
  summary: 'Compares a page of demands with their reservations, backorders and ledger entries.',
  request: Type.Object({ after, limit }),
  response: internal<CheckedPage>(),
});

/** The stock of an order's line; quantities as decimals. */
export interface LineBook {
  readonly lineNo: number;
  readonly itemId: string;
  readonly requested: string;
  readonly reserved: string;
  readonly backordered: string;
  readonly fulfilled: string;
  readonly returned: string;
  readonly closed: string;
  readonly unheld: string;
}

export interface ShipmentBook {
  readonly shipmentId: string;
  readonly itemId: string;
  /** What left by it; zero while it is not posted, and once it is cancelled. */
  readonly quantity: string;
}

/** An order as orders knows it. */
export interface OrderBook {
  readonly orderId: string;
  /** Only the attempt is known; its id is free. */
  readonly isRefused: boolean;
  /** Inventory has answered all that it was told. */
  readonly isAnswered: boolean;
  /** Inventory's count, of the last report that was applied; 0 = none. */
  readonly stockSequence: number;
  readonly firm: boolean;
  readonly stock: readonly LineBook[];
  /** What the customer ordered. */
  readonly lines: readonly { readonly lineNo: number; readonly itemId: string; readonly quantity: string }[];
  readonly shipments: readonly ShipmentBook[];
}

export const OrderBooksRead = defineCall({
  ...check,
  service: 'orders',
  pattern: 'reconciliation.check-orders',
  summary: 'What orders knows of a page of orders, or of some, in the order of their ids; one answer is one moment.',
  request: Type.Object({
    after,
    limit: Type.Integer({ minimum: 1, maximum: COMPARED_ORDERS_MAX }),
    /** These, instead of a page. */
    orderIds: Type.Optional(Type.Array(Id, { maxItems: COMPARED_ORDERS_MAX })),
  }),
  response: internal<{ readonly orders: readonly OrderBook[]; readonly next: string | null }>(),
});

/** An order as inventory knows it. */
export interface DemandBook {
  readonly orderId: string;
  /** Inventory's count of all that it said of the order. */
  readonly sequence: number;
  readonly firm: boolean;
  /** `asked`: what the order itself wants, without what was only shipped. */
  readonly lines: readonly (LineBook & { readonly asked: string })[];
  readonly shipments: readonly ShipmentBook[];
}

export const DemandBooksRead = defineCall({
  ...check,
  service: 'inventory',
  pattern: 'reconciliation.read-demands',
  summary: 'What inventory knows of some orders, and which others of the same owner it knows among them.',
  request: Type.Object({
    orderIds: Type.Array(Id, { maxItems: COMPARED_ORDERS_MAX }),
    /** Names the others beyond `after`, up to and with `upTo`; null = to the end. */
    others: Type.Optional(Type.Object({ source: Text(200), after: Type.String({ maxLength: 200 }), upTo: Nullable(Id) })),
  }),
  response: internal<{ readonly demands: readonly DemandBook[]; readonly others: readonly string[] }>(),
});

const counted = (service: 'inventory' | 'orders') =>
  defineCall({
    ...check,
    service,
    pattern: 'reconciliation.count',
    summary: 'How many rows there are to check.',
    request: Type.Object({}),
    response: internal<{ readonly balances: number; readonly orders: number }>(),
  });
/** Both are asked, for the progress of a run. */
export const RowsCount = { inventory: counted('inventory'), orders: counted('orders') };
