import { Type } from '@sinclair/typebox';
import { type ApprovalKind } from './approval-events.js';
import { defineCall, internal, type Page, PageQuery } from './define-call.js';
import type { DiscrepancySeverity, DiscrepancySource, DiscrepancyStatus } from './discrepancy-calls.js';
import type { ApproverRole } from './role.js';
import { REPORT_READERS } from './role.js';
import { COMMAND_LINES_MAX, Id, Nullable, Timestamp } from './schema.js';

// What happened in a period, counted (docs/reports.md). Each service reports on its own tables; between our own services only.

/** Rows of a report at most. */
export const REPORT_ROWS_MAX = 10_000;

const period = {
  /** Inclusive. */
  from: Timestamp,
  /** Exclusive. */
  to: Timestamp,
  limit: Type.Integer({ minimum: 1, maximum: REPORT_ROWS_MAX }),
};
const groupBy = <G extends string>(groups: readonly G[]) => Type.Union(groups.map((group) => Type.Literal(group)));

/** What a report counts by. */
export const OVERSELL_GROUPS = ['item', 'warehouse', 'item_warehouse', 'source', 'day'] as const;
export type OversellGroup = (typeof OVERSELL_GROUPS)[number];
export const WOULD_BLOCK_GROUPS = ['item_warehouse', 'item', 'warehouse', 'day'] as const;
export type WouldBlockGroup = (typeof WOULD_BLOCK_GROUPS)[number];
export const DISCREPANCY_GROUPS = ['status', 'severity', 'source', 'item', 'warehouse', 'age'] as const;
export type DiscrepancyGroup = (typeof DISCREPANCY_GROUPS)[number];
export const VALUE_GROUPS = ['item', 'warehouse', 'item_warehouse'] as const;
export type ValueGroup = (typeof VALUE_GROUPS)[number];
export const OVERRIDE_GROUPS = ['user', 'role', 'kind'] as const;
export type OverrideGroup = (typeof OVERRIDE_GROUPS)[number];

/** The fields by which the rows of a report differ, by what it counts by. */
export const GROUP_FIELDS = {
  item: ['itemId'],
  warehouse: ['warehouseId'],
  item_warehouse: ['itemId', 'warehouseId'],
  source: ['source'],
  day: ['day'],
  status: ['status'],
  severity: ['severity'],
  age: ['age'],
  user: ['userId', 'role'],
  role: ['role'],
  kind: ['kind'],
} as const satisfies Readonly<Record<string, readonly (keyof GroupKey)[]>>;

/** What a row is about: those of its fields that {@link GROUP_FIELDS} names. */
export interface GroupKey {
  readonly itemId?: string;
  /** Null: about an order as a whole. */
  readonly warehouseId?: string | null;
  /** Of an attempt: the system that the order came from; of a discrepancy: how it was noticed. */
  readonly source?: string | null;
  /** In the organisation's time zone. */
  readonly day?: string;
  readonly status?: DiscrepancyStatus;
  readonly severity?: DiscrepancySeverity;
  readonly age?: DiscrepancyAge;
  readonly userId?: string;
  readonly role?: ApproverRole;
  readonly kind?: ApprovalKind;
}

/** A report: the rows that lead, and what all rows come to. */
export interface Report<Row, Summary> {
  readonly rows: readonly Row[];
  /** Of everything in the period, also of rows beyond the limit. */
  readonly summary: Summary;
  /** There are more rows than `limit`. */
  readonly truncated: boolean;
}

const shared = { service: 'inventory' as const, visibility: 'internal' as const, effect: 'read' as const, allow: REPORT_READERS };

/** Lines of orders that wanted more than they could have. */
export interface OversellCounts {
  readonly attempts: number;
  /** By how much, in all. */
  readonly quantityShort: string;
  /** How they ended. */
  readonly refused: number;
  readonly pendingApproval: number;
  readonly wouldBlock: number;
  readonly lastAt: string | null;
}
export type OversellRow = GroupKey & OversellCounts;

export const OversellReport = defineCall({
  ...shared,
  pattern: 'reports.oversell-attempts',
  summary: 'Of what orders wanted more than they could have, and how often: most attempts first.',
  request: Type.Object({ ...period, groupBy: groupBy(OVERSELL_GROUPS) }),
  response: internal<Report<OversellRow, OversellCounts>>(),
});

/** What was let pass while nothing, or not everything, was enforced. */
export interface WouldBlockCounts {
  /** Lines of orders that were short. */
  readonly attempts: number;
  readonly quantityShort: string;
  /** Movements that took more than there was, or what others held. */
  readonly movements: number;
  /** What these moved in all. */
  readonly quantityMoved: string;
  readonly lastAt: string | null;
}
export type WouldBlockRow = GroupKey & WouldBlockCounts;

export const WouldBlockReport = defineCall({
  ...shared,
  pattern: 'reports.would-have-been-blocked',
  summary: 'What passed that a stricter phase would have blocked: most often first.',
  request: Type.Object({ ...period, groupBy: groupBy(WOULD_BLOCK_GROUPS) }),
  response: internal<Report<WouldBlockRow, WouldBlockCounts>>(),
});

/** For how long an open discrepancy has been open. */
export type DiscrepancyAge = 'under_1_day' | '1_to_7_days' | '7_to_30_days' | 'over_30_days';

export interface DiscrepancyCounts {
  readonly discrepancies: number;
  /** Those of them that were open at the end of the period. */
  readonly open: number;
  /** By how much books and observation differ in all, without sign. */
  readonly difference: string;
  readonly oldestOpenAt: string | null;
  readonly lastDetectedAt: string | null;
}
export type DiscrepancyRow = GroupKey & DiscrepancyCounts;

export const DiscrepanciesReport = defineCall({
  ...shared,
  pattern: 'reports.discrepancies',
  summary: 'The discrepancies that were open at some time of the period: most first. By age, only those open at its end.',
  request: Type.Object({ ...period, groupBy: groupBy(DISCREPANCY_GROUPS) }),
  response: internal<Report<DiscrepancyRow, DiscrepancyCounts>>(),
});

/** What stock is worth at what it cost. */
export interface InventoryValue {
  readonly quantity: string;
  readonly value: string;
  /** What came and went in the period; absent when none was named. */
  readonly quantityChange?: string;
  readonly valueChange?: string;
}
export type InventoryValueRow = GroupKey & InventoryValue;

export const InventoryValueReport = defineCall({
  ...shared,
  pattern: 'reports.inventory-value',
  summary: 'What the stock is worth at the end of a period, and by how much that changed in it: most valuable first.',
  request: Type.Object({
    ...period,
    /** Absent: the value only. */
    from: Type.Optional(Timestamp),
    /** Absent: now. */
    to: Type.Optional(Timestamp),
    groupBy: groupBy(VALUE_GROUPS),
  }),
  response: internal<Report<InventoryValueRow, InventoryValue & { readonly currency: string }>>(),
});

/** A discrepancy that put stock in doubt when something was approved. */
export interface DoubtAt {
  readonly discrepancyId: string;
  readonly itemId: string;
  readonly warehouseId: string | null;
  readonly severity: DiscrepancySeverity;
  readonly source: DiscrepancySource;
  readonly difference: string;
  readonly detectedAt: string;
}

export const DoubtsAt = defineCall({
  ...shared,
  pattern: 'reports.doubts-at',
  summary: 'Which discrepancies put stock in doubt at given times.',
  request: Type.Object({
    asked: Type.Array(
      Type.Object({
        at: Timestamp,
        /** A null warehouse stands for whichever. */
        places: Type.Array(Type.Object({ itemId: Id, warehouseId: Nullable(Id) }), { maxItems: COMMAND_LINES_MAX }),
      }),
      { maxItems: 500 },
    ),
  }),
  /** In the order of what was asked. */
  response: internal<{ readonly doubts: readonly (readonly DoubtAt[])[] }>(),
});

const ofApprovals = { ...shared, service: 'approvals' as const };

/** Exceptions that somebody approved. */
export interface OverrideCounts {
  readonly overrides: number;
  /** What they were about, in the organisation's currency, as far as it is known. */
  readonly value: string;
  /** Those whose value is not known. */
  readonly valueUnknown: number;
  readonly lastAt: string | null;
}
export type OverrideRow = GroupKey & OverrideCounts;

/** More are not told apart: people approve a few a day, and of those few cannot be done. */
export const WITHOUT_EFFECT_MAX = 5_000;

/** Which approved overrides of movements had no effect, because they were not possible any more: known to inventory alone. */
export const OverridesWithoutEffect = defineCall({
  ...shared,
  pattern: 'reports.overrides-without-effect',
  summary: 'Which overrides of movements were approved and could not be done any more.',
  request: Type.Object({ from: Timestamp }),
  response: internal<{ readonly approvalRequestIds: string[] }>(),
});

export const OverridesReport = defineCall({
  ...ofApprovals,
  pattern: 'reports.overrides',
  summary: 'Who let through what was refused, and how often: most overrides first.',
  request: Type.Object({
    ...period,
    groupBy: groupBy(OVERRIDE_GROUPS),
    /** The requests that are left out. */
    without: Type.Optional(Type.Array(Id, { maxItems: WITHOUT_EFFECT_MAX })),
  }),
  response: internal<Report<OverrideRow, OverrideCounts>>(),
});

/** An approval of an order. */
export interface ApprovedOrder {
  readonly approvalRequestId: string;
  readonly orderId: string;
  readonly kind: ApprovalKind;
  readonly approvedBy: string;
  readonly role: ApproverRole;
  readonly reason: string;
  readonly approvedAt: string;
  readonly places: readonly { readonly itemId: string; readonly warehouseId: string | null }[];
  /** Every term of availability when the approval was asked for. */
  readonly availability: unknown;
}

export const ApprovedOrders = defineCall({
  ...ofApprovals,
  pattern: 'reports.approved-orders',
  summary: 'Approvals of orders in a period, newest first.',
  request: Type.Object({ from: Timestamp, to: Timestamp, ...PageQuery }),
  response: internal<Page<ApprovedOrder>>(),
});

/** An order that was approved while discrepancies put its stock in doubt; put together by the gateway. */
export interface ApprovedInDoubtRow {
  readonly orderId: string;
  readonly approvedBy: string;
  readonly role: ApproverRole;
  readonly approvedAt: string;
  readonly reason: string;
  readonly approvalRequestId: string;
  readonly discrepancyIds: readonly string[];
  /** What whoever approved could know. */
  readonly snapshot: { readonly availability: unknown; readonly discrepancies: readonly DoubtAt[] };
}
