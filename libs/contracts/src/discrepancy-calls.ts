import type { ApprovalForeseen, ApprovalNeeded } from './approval-calls.js';
import { type Static, Type } from '@sinclair/typebox';
import { defineCall, internal, type Page, PageQuery } from './define-call.js';
import { defineEvent } from './define-event.js';
import { APPROVAL_READERS, DISCREPANCY_KEEPERS, OVERRIDE_REQUESTERS, OWN_SERVICES, WAREHOUSE_WORKERS } from './role.js';
import { Decimal, Id, NonNegativeDecimal, Nullable, SomeText, Text, Timestamp } from './schema.js';

// Mismatches between what the books say and what was seen, refused or computed: each a record that somebody owns.

/** `new` and `under_review` are open; the others are final. */
export const DISCREPANCY_STATUSES = ['new', 'under_review', 'resolved', 'dismissed'] as const;
export const DiscrepancyStatus = Type.Union(DISCREPANCY_STATUSES.map((status) => Type.Literal(status)));
export type DiscrepancyStatus = (typeof DISCREPANCY_STATUSES)[number];

/** While it is open, `high` and `critical` keep stock from being promised, as the organisation's lock policy says. */
export const DISCREPANCY_SEVERITIES = ['low', 'medium', 'high', 'critical'] as const;
export const DiscrepancySeverity = Type.Union(DISCREPANCY_SEVERITIES.map((severity) => Type.Literal(severity)));
export type DiscrepancySeverity = (typeof DISCREPANCY_SEVERITIES)[number];

/** Who or what noticed it. */
export const DISCREPANCY_SOURCES = [
  /** Reconciliation: the books contradict each other. */
  'reconciliation_job',
  /** A hold or a movement that was refused, or would have been. */
  'blocked_transaction',
  'manual_report',
  'count',
  'pick_shortage',
  'transfer_shortage',
  /** Less or more was received than was expected, beyond the tolerance. */
  'tolerance_exceeded',
] as const;
export const DiscrepancySource = Type.Union(DISCREPANCY_SOURCES.map((source) => Type.Literal(source)));
export type DiscrepancySource = (typeof DISCREPANCY_SOURCES)[number];

export const Discrepancy = Type.Object({
  discrepancyId: Id,
  itemId: Id,
  /** Null when it is about an order as a whole. */
  warehouseId: Nullable(Id),
  location: Nullable(Id),
  lot: Nullable(Id),
  /** What was counted, seen or computed. */
  snapshotQuantity: Decimal,
  /** What the books say; of an order, what one service says where the other says `snapshotQuantity`. */
  ledgerQuantity: Decimal,
  /** snapshot - ledger */
  difference: Decimal,
  status: DiscrepancyStatus,
  severity: DiscrepancySeverity,
  source: DiscrepancySource,
  /** Whose task it is. */
  ownerRole: Type.String(),
  assignedTo: Nullable(Text(200)),
  /** What was noticed, for people. */
  note: Nullable(Text()),
  /** How many refusals it stands for. */
  occurrences: Type.Integer(),
  detectedAt: Timestamp,
  resolvedAt: Nullable(Timestamp),
  resolvedBy: Nullable(Text(200)),
  resolutionNote: Nullable(Text()),
  refType: Nullable(Type.String()),
  refId: Nullable(Type.String()),
  orderId: Nullable(Id),
  approvalRequestId: Nullable(Id),
});
export type Discrepancy = Static<typeof Discrepancy>;

const told = { direction: 'out' as const, publisher: 'inventory' as const, data: Discrepancy };

export const DiscrepancyOpened = defineEvent({
  ...told,
  type: 'DiscrepancyOpened',
  summary: 'A mismatch became a record that somebody owns.',
  consumers: ['notifications'],
});
export const DiscrepancyResolved = defineEvent({
  ...told,
  type: 'DiscrepancyResolved',
  summary: 'A discrepancy was resolved or dismissed: `status` says which.',
  consumers: ['inventory'],
});

const shared = { service: 'inventory' as const, visibility: 'internal' as const };

/** What reconciliation found; the same key again is the same discrepancy while that is open. */
export const DiscrepancyFindings = defineCall({
  ...shared,
  pattern: 'discrepancies.record-findings',
  effect: 'change',
  everyWarehouse: true,
  allow: OWN_SERVICES,
  summary: 'Opens a discrepancy for each finding of a reconciliation that has none yet.',
  request: Type.Object({
    runId: Id,
    findings: Type.Array(
      Type.Object({
        /** Kind and subject: what is found again in the next night has the same one. */
        findingKey: SomeText(500),
        kind: SomeText(100),
        itemId: Id,
        warehouseId: Nullable(Id),
        lot: Type.Optional(Nullable(Id)),
        location: Type.Optional(Nullable(Id)),
        orderId: Type.Optional(Nullable(Id)),
        expected: Decimal,
        actual: Decimal,
        note: Text(),
      }),
      { minItems: 1, maxItems: 500 },
    ),
  }),
  response: internal<{
    readonly findings: readonly { readonly findingKey: string; readonly discrepancyId: string; readonly isNew: boolean }[];
  }>(),
});

export const DiscrepancyList = defineCall({
  ...shared,
  pattern: 'discrepancies.list',
  effect: 'read',
  allow: APPROVAL_READERS,
  summary: 'Discrepancies, newest first; `open` = those that wait for a decision.',
  request: Type.Object({
    status: Type.Optional(DiscrepancyStatus),
    open: Type.Optional(Type.Boolean()),
    severity: Type.Optional(DiscrepancySeverity),
    source: Type.Optional(DiscrepancySource),
    itemId: Type.Optional(Id),
    warehouseId: Type.Optional(Id),
    orderId: Type.Optional(Id),
    ownerRole: Type.Optional(Type.String({ maxLength: 64 })),
    assignedTo: Type.Optional(Text(200)),
    from: Type.Optional(Timestamp),
    to: Type.Optional(Timestamp),
    ...PageQuery,
  }),
  response: internal<Page<Discrepancy>>(),
});

export const DiscrepancyGet = defineCall({
  ...shared,
  pattern: 'discrepancies.get',
  effect: 'read',
  allow: APPROVAL_READERS,
  summary: 'One discrepancy.',
  request: Type.Object({ discrepancyId: Id }),
  response: internal<Discrepancy>(),
});

/** What a decision about a discrepancy answers: what it is now. */
export interface DiscrepancyAnswer extends Discrepancy {
  readonly dryRun?: boolean;
}

const dryRun = { dryRun: Type.Optional(Type.Boolean()) };

export const DiscrepancyReport = defineCall({
  ...shared,
  pattern: 'discrepancies.report',
  effect: 'change',
  allow: WAREHOUSE_WORKERS,
  summary: 'Reports how much of an item is there, against what the books say. Nothing is posted before somebody resolves it.',
  request: Type.Object({
    /** By which a repeat is recognised. */
    discrepancyId: Type.Optional(Type.String({ format: 'uuid' })),
    warehouseId: Id,
    itemId: Id,
    /** Of one lot; in whichever bin, unless that is named as well. */
    lot: Type.Optional(Id),
    location: Type.Optional(Id),
    snapshotQuantity: NonNegativeDecimal,
    /** Absent: by the percentage that it differs by. */
    severity: Type.Optional(DiscrepancySeverity),
    note: SomeText(),
    ...dryRun,
  }),
  response: internal<DiscrepancyAnswer>(),
});

const decision = (pattern: string, summary: string) => ({
  ...shared,
  pattern,
  effect: 'change' as const,
  allow: DISCREPANCY_KEEPERS,
  summary,
  response: internal<DiscrepancyAnswer>(),
});

export const DiscrepancyReview = defineCall({
  ...decision('discrepancies.review', 'Says that somebody looks at a discrepancy, and who.'),
  request: Type.Object({ discrepancyId: Id, assignedTo: Type.Optional(SomeText(200)), ...dryRun }),
});

export const DiscrepancyResolve = defineCall({
  ...decision(
    'discrepancies.resolve',
    'Ends a discrepancy; with `adjust` the difference is posted, so that the books say what was seen, or a counter is set to what its records say.',
  ),
  response: internal<DiscrepancyAnswer | ApprovalNeeded | ApprovalForeseen>(),
  request: Type.Object({ discrepancyId: Id, note: SomeText(), adjust: Type.Boolean(), ...dryRun }),
});

export const DiscrepancyRequestOverride = defineCall({
  ...decision(
    'discrepancies.request-override',
    'Asks for the approval of a movement that was refused: what is missing is then counted as found, and it is run again. A repeat is the same.',
  ),
  allow: OVERRIDE_REQUESTERS,
  response: internal<ApprovalNeeded | ApprovalForeseen>(),
  request: Type.Object({ discrepancyId: Id, reason: SomeText(), ...dryRun }),
});

export const DiscrepancyDismiss = defineCall({
  ...decision('discrepancies.dismiss', 'Ends a discrepancy that was none: the books are right.'),
  request: Type.Object({ discrepancyId: Id, note: SomeText(), ...dryRun }),
});
