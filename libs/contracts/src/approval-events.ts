import { type Static, Type } from '@sinclair/typebox';
import { defineEvent } from './define-event.js';
import { APPROVER_ROLES } from './role.js';
import { COMMAND_LINES_MAX, Decimal, Id, LineNo, NonNegativeDecimal, Nullable, SomeText, Text, Timestamp } from './schema.js';

// What the approvals service says. Each event carries the request as its GET answers at that moment. They may arrive in any order and
// before the answer of the call that made the request: a receiver goes by `approvalRequestId` and `status`.

/** What may need an approval. */
export const APPROVAL_KINDS = [
  /** An order that is to hold more than can be promised. */
  'order_override',
  /** An order that needs quantity which an open discrepancy puts in doubt. */
  'discrepancy_acknowledgement',
  /** A movement that was refused: on hand would go below zero, or the holds of others would be taken. */
  'movement_override',
  /** A correction of stock beyond what its author may post alone. */
  'adjustment',
  /** What is posted to resolve a discrepancy. */
  'discrepancy_resolution',
] as const;
export const ApprovalKind = Type.Union(APPROVAL_KINDS.map((kind) => Type.Literal(kind)));
export type ApprovalKind = (typeof APPROVAL_KINDS)[number];

/** `escalated` is open like `pending`; the others are final. */
export const APPROVAL_STATUSES = ['pending', 'approved', 'rejected', 'escalated', 'expired', 'cancelled'] as const;
export const ApprovalStatus = Type.Union(APPROVAL_STATUSES.map((status) => Type.Literal(status)));
export type ApprovalStatus = (typeof APPROVAL_STATUSES)[number];

export const ApproverRoleName = Type.Union(APPROVER_ROLES.map((role) => Type.Literal(role)));

/** How much is at stake, without sign. Null = unknown, or without bound (a percentage of nothing): no limit of a policy covers it. */
export const Magnitudes = Type.Object({
  quantity: Nullable(NonNegativeDecimal),
  /** Of what was there: of sellable, of the ledger quantity. */
  percent: Nullable(NonNegativeDecimal),
  /** In the organisation's currency. */
  value: Nullable(NonNegativeDecimal),
});
export type Magnitudes = Static<typeof Magnitudes>;

/** A line of what is to be approved. Fields beyond these are kept as they come. */
export const ApprovalLine = Type.Object({
  lineNo: Type.Optional(LineNo),
  itemId: Id,
  warehouseId: Nullable(Id),
  lot: Type.Optional(Nullable(Id)),
  location: Type.Optional(Nullable(Id)),
  /** What the approval is about: the shortfall of an order's line, the difference of a count, the delta of an adjustment. */
  quantity: Decimal,
  requested: Type.Optional(Decimal),
  available: Type.Optional(Decimal),
});
export type ApprovalLine = Static<typeof ApprovalLine>;

/** What whoever needs an approval says of it, and what is kept of that unchanged for good. */
export const ApprovalSubject = {
  kind: ApprovalKind,
  /** What it is about: `order`, `movement`, `adjustment`, `discrepancy`. */
  subjectType: Id,
  subjectId: Id,
  requestedBy: SomeText(200),
  reason: Text(),
  lines: Type.Array(ApprovalLine, { maxItems: COMMAND_LINES_MAX }),
  magnitudes: Magnitudes,
  /** Every term of availability at the moment of the request, for whoever decides, and for the record. */
  availabilitySnapshot: Type.Unknown(),
  /** The warehouses concerned; null = whichever. Who decides must work in all of them. */
  warehouses: Nullable(Type.Array(Id, { minItems: 1, maxItems: COMMAND_LINES_MAX, uniqueItems: true })),
};

export const ApprovalDecision = Type.Object({
  by: Text(200),
  /** By virtue of which role. */
  role: ApproverRoleName,
  decision: Type.Union([Type.Literal('approved'), Type.Literal('rejected')]),
  reason: Text(),
  at: Timestamp,
});
export type ApprovalDecision = Static<typeof ApprovalDecision>;

export const ApprovalRequest = Type.Object({
  approvalRequestId: Id,
  ...ApprovalSubject,
  /** Counted by the owner of the subject; null when it does not count. */
  subjectVersion: Nullable(Type.Integer()),
  /** What is to be run once it is approved, as its owner gave it; nobody else reads it. */
  command: Nullable(Type.Record(Type.String(), Type.Unknown())),
  status: ApprovalStatus,
  requiredRole: ApproverRoleName,
  /** Who may decide as well once it is escalated. */
  escalateTo: Type.Array(ApproverRoleName),
  /** Who may decide now; nobody when it is over. */
  approverRoles: Type.Array(ApproverRoleName),
  createdAt: Timestamp,
  /** When it expires. */
  dueAt: Timestamp,
  remindedAt: Nullable(Timestamp),
  escalatedAt: Nullable(Timestamp),
  closedAt: Nullable(Timestamp),
  /** Why it was cancelled. */
  closeReason: Nullable(Text()),
  /** None, or the one that counts. */
  decisions: Type.Array(ApprovalDecision),
});
export type ApprovalRequest = Static<typeof ApprovalRequest>;

const said = (type: string, summary: string) => ({
  type,
  summary,
  direction: 'out' as const,
  publisher: 'approvals' as const,
  consumers: ['notifications' as const],
  data: ApprovalRequest,
});

export const ApprovalRequested = defineEvent(said('ApprovalRequested', 'Something needs the approval of somebody with the named role.'));
export const ApprovalReminded = defineEvent(said('ApprovalReminded', 'A request for approval has been waiting for some time; told once.'));
export const ApprovalEscalated = defineEvent(said('ApprovalEscalated', 'Nobody decided in time: the successors of the role may now, too.'));
export const ApprovalDecided = defineEvent({
  ...said('ApprovalDecided', 'A request for approval is over: `status` says whether approved, rejected, expired or cancelled.'),
  consumers: ['notifications', 'orders', 'inventory'],
});
