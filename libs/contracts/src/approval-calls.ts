import { type Static, Type } from '@sinclair/typebox';
import { ApprovalKind, ApprovalRequest, ApprovalStatus, ApprovalSubject, ApproverRoleName, Magnitudes } from './approval-events.js';
import { defineCall, type Page, PageQuery, internal } from './define-call.js';
import { ADMINISTRATORS, APPROVAL_READERS, APPROVER_ROLES, AUDITORS, OWN_SERVICES } from './role.js';
import { Id, NonNegativeDecimal, Nullable, SomeText, Text, Timestamp } from './schema.js';

// What the gateway, orders and inventory ask approvals. Between our own services only.

const shared = { service: 'approvals' as const, visibility: 'internal' as const };

/** Counted by the owner of the subject, such as the version of an order: what was said of an older one has no effect any more. */
const subjectVersion = { subjectVersion: Type.Optional(Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })) };

export const ApprovalAsk = defineCall({
  ...shared,
  pattern: 'approvals.request',
  effect: 'change',
  allow: OWN_SERVICES,
  summary:
    'Asks for an approval. A repeat answers the request that was made, as it is now; a changed subject cancels it and makes another.',
  request: Type.Object({
    ...ApprovalSubject,
    ...subjectVersion,
    command: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
  }),
  response: ApprovalRequest,
});

export const ApprovalCancel = defineCall({
  ...shared,
  pattern: 'approvals.cancel',
  effect: 'change',
  allow: OWN_SERVICES,
  summary: 'Takes back what was asked for a subject. Answers its last request as it is now, which may have been decided; null without any.',
  request: Type.Object({ subjectType: Id, subjectId: Id, ...subjectVersion, reason: Text() }),
  response: Type.Object({ request: Nullable(ApprovalRequest) }),
});

export const ApprovalGet = defineCall({
  ...shared,
  pattern: 'approvals.get',
  effect: 'read',
  allow: APPROVAL_READERS,
  summary: 'One request for approval.',
  request: Type.Object({ approvalRequestId: Id }),
  response: ApprovalRequest,
});

export const ApprovalList = defineCall({
  ...shared,
  pattern: 'approvals.list',
  effect: 'read',
  allow: APPROVAL_READERS,
  summary: 'Requests for approval, newest first; `open` = those that wait for a decision.',
  request: Type.Object({
    status: Type.Optional(ApprovalStatus),
    open: Type.Optional(Type.Boolean()),
    kind: Type.Optional(ApprovalKind),
    requiredRole: Type.Optional(ApproverRoleName),
    requestedBy: Type.Optional(Text(200)),
    subjectType: Type.Optional(Id),
    subjectId: Type.Optional(Id),
    from: Type.Optional(Timestamp),
    to: Type.Optional(Timestamp),
    ...PageQuery,
  }),
  response: internal<Page<ApprovalRequest>>(),
});

const decision = (pattern: string, summary: string) => ({
  ...shared,
  pattern,
  effect: 'change' as const,
  allow: APPROVER_ROLES,
  summary,
  request: Type.Object({ approvalRequestId: Id, reason: SomeText() }),
  response: ApprovalRequest,
});
export const ApprovalApprove = defineCall(decision('approvals.approve', 'Approves a request.'));
export const ApprovalReject = defineCall(decision('approvals.reject', 'Rejects a request.'));

export const POLICIES_MAX = 50;
const YEAR_HOURS = 8_760;
const Hours = Type.Integer({ minimum: 1, maximum: YEAR_HOURS });

/** Who decides about requests of a kind up to these limits; a limit that is not named does not limit. */
export const ApprovalPolicy = Type.Object({
  kind: ApprovalKind,
  maxQuantity: Type.Optional(NonNegativeDecimal),
  maxPercent: Type.Optional(NonNegativeDecimal),
  maxValue: Type.Optional(NonNegativeDecimal),
  requiredRole: ApproverRoleName,
  /** None = never escalated. */
  escalateTo: Type.Array(ApproverRoleName, { uniqueItems: true }),
  remindAfterHours: Hours,
  escalateAfterHours: Hours,
  expireAfterHours: Hours,
});
export type ApprovalPolicy = Static<typeof ApprovalPolicy>;

export const ApprovalPoliciesGet = defineCall({
  ...shared,
  pattern: 'approval-policies.get',
  effect: 'read',
  allow: APPROVAL_READERS,
  summary: 'Who may approve what: the first policy of the kind whose limits all hold counts.',
  request: Type.Object({}),
  response: Type.Array(ApprovalPolicy),
});

export const ApprovalPoliciesSet = defineCall({
  ...shared,
  pattern: 'approval-policies.set',
  effect: 'change',
  allow: ADMINISTRATORS,
  summary: 'Replaces the policies. Requests that were made before keep the terms they were made under.',
  request: Type.Object({ policies: Type.Array(ApprovalPolicy, { maxItems: POLICIES_MAX }) }),
  response: Type.Array(ApprovalPolicy),
});

export const ApprovalPoliciesHistory = defineCall({
  ...shared,
  pattern: 'approval-policies.history',
  effect: 'read',
  allow: AUDITORS,
  summary: 'Who changed the policies when, newest first.',
  request: Type.Object(PageQuery),
  response: internal<Page<{ from: readonly ApprovalPolicy[]; to: readonly ApprovalPolicy[]; actor: string; changedAt: string }>>(),
});

export const ApprovalPolicyMatch = defineCall({
  ...shared,
  pattern: 'approval-policies.match',
  effect: 'read',
  allow: APPROVAL_READERS,
  summary: 'The policy that a request would fall under: who has its role, or is `admin`, needs nobody’s approval.',
  request: Type.Object({ kind: ApprovalKind, magnitudes: Magnitudes }),
  response: ApprovalPolicy,
});

/** The answer to what may not be done before somebody approves it: nothing was done. */
export interface ApprovalNeeded {
  readonly approvalRequestId: string;
  readonly status: ApprovalStatus;
  readonly requiredRole: ApprovalPolicy['requiredRole'];
}

/** What a dry run answers instead: nobody was asked. */
export interface ApprovalForeseen extends Pick<ApprovalNeeded, 'status' | 'requiredRole'> {
  readonly approvalRequestId: null;
  readonly dryRun: true;
}

export const needsApproval = (answer: object): answer is ApprovalNeeded | ApprovalForeseen => 'requiredRole' in answer;
