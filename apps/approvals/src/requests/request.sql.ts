import type { ApprovalStatus } from '#libs/contracts';
import { shortestDecimal } from '#libs/domain';
import { statement, type Tx } from '#libs/persistence';
import { nextDueAt } from './request.rules.js';
import type { Decision, RequestKey, RequestState, SubjectKey } from './request-state.js';

interface RequestRow {
  readonly approval_request_id: string;
  readonly kind: RequestState['kind'];
  readonly subject_type: string;
  readonly subject_id: string;
  readonly subject_version: number | null;
  readonly fingerprint: string;
  readonly requested_by: string;
  readonly reason: string;
  readonly warehouses: string[] | null;
  readonly lines: RequestState['lines'];
  readonly quantity: string | null;
  readonly percent: string | null;
  readonly value: string | null;
  readonly availability_snapshot: unknown;
  readonly command: RequestState['command'];
  readonly required_role: RequestState['requiredRole'];
  readonly escalate_to: RequestState['escalateTo'];
  readonly created_at: Date;
  readonly remind_at: Date;
  readonly escalate_at: Date | null;
  readonly expire_at: Date;
  readonly status: ApprovalStatus;
  readonly reminded_at: Date | null;
  readonly escalated_at: Date | null;
  readonly closed_at: Date | null;
  readonly close_reason: string | null;
}

interface DecisionRow {
  readonly approval_request_id: string;
  readonly decided_by: string;
  readonly role: Decision['role'];
  readonly decision: Decision['decision'];
  readonly reason: string;
  readonly decided_at: Date;
}

/** The columns beside the key that are read; those that change come last. */
const KEPT: Readonly<Record<Exclude<keyof RequestRow, 'approval_request_id' | keyof typeof CHANGING>, (it: RequestState) => unknown>> = {
  kind: (it) => it.kind,
  subject_type: (it) => it.subjectType,
  subject_id: (it) => it.subjectId,
  fingerprint: (it) => it.fingerprint,
  requested_by: (it) => it.requestedBy,
  reason: (it) => it.reason,
  warehouses: (it) => it.warehouses,
  lines: (it) => JSON.stringify(it.lines),
  quantity: (it) => it.magnitudes.quantity,
  percent: (it) => it.magnitudes.percent,
  value: (it) => it.magnitudes.value,
  availability_snapshot: (it) => json(it.availabilitySnapshot),
  command: (it) => json(it.command),
  required_role: (it) => it.requiredRole,
  escalate_to: (it) => it.escalateTo,
  created_at: (it) => it.createdAt,
  remind_at: (it) => it.remindAt,
  escalate_at: (it) => it.escalateAt,
  expire_at: (it) => it.expireAt,
};
const CHANGING = {
  subject_version: (it: RequestState) => it.subjectVersion,
  status: (it: RequestState) => it.status,
  reminded_at: (it: RequestState) => it.remindedAt,
  escalated_at: (it: RequestState) => it.escalatedAt,
  closed_at: (it: RequestState) => it.closedAt,
  close_reason: (it: RequestState) => it.closeReason,
};
const WRITTEN = { ...KEPT, content_bytes: contentBytes, ...CHANGING, next_due_at: nextDueAt };
const UPDATED = { ...CHANGING, next_due_at: nextDueAt };

const columns = ['approval_request_id', ...Object.keys(KEPT), ...Object.keys(CHANGING)].join(', ');
const written = Object.keys(WRITTEN);

const ensureSubject = statement<never>(
  'subject_ensure',
  'insert into approval_subject (org_id, subject_type, subject_id) values ($1, $2, $3) on conflict do nothing',
);
const lockSubject = statement<{ last_request_id: string | null; cancelled_version: number | null }>(
  'subject_lock',
  `select last_request_id, cancelled_version from approval_subject
    where org_id = $1 and subject_type = $2 and subject_id = $3 for update`,
);
const updateSubject = statement<never>(
  'subject_update',
  `update approval_subject set last_request_id = $4, cancelled_version = $5 where org_id = $1 and subject_type = $2 and subject_id = $3`,
);
const lock = statement<RequestRow>(
  'request_lock',
  `select ${columns} from approval_request where org_id = $1 and approval_request_id = $2 for update`,
);
// Whoever else is about to change it has it: another replica that lets time pass, or somebody who decides, after whom nothing is due.
const claim = statement<RequestRow>(
  'request_claim',
  `select ${columns} from approval_request where org_id = $1 and approval_request_id = $2 for update skip locked`,
);
const read = statement<RequestRow>(
  'request_read',
  `select r.* from unnest($2::uuid[]) with ordinality k (id, position)
    cross join lateral (select ${columns} from approval_request where org_id = $1 and approval_request_id = k.id) r
    order by k.position`,
);
const readDecisions = statement<DecisionRow>(
  'decision_read',
  `select d.approval_request_id, d.decided_by, d.role, d.decision, d.reason, d.decided_at
     from unnest($2::uuid[]) k (id) join approval_decision d on d.org_id = $1 and d.approval_request_id = k.id`,
);
const insert = statement<never>(
  'request_insert',
  `insert into approval_request (org_id, approval_request_id, ${written.join(', ')})
   values ($1, $2, ${written.map((_, index) => `$${index + 3}`).join(', ')})`,
);
const update = statement<never>(
  'request_update',
  `update approval_request set ${Object.keys(UPDATED)
    .map((name, index) => `${name} = $${index + 3}`)
    .join(', ')} where org_id = $1 and approval_request_id = $2`,
);
const insertDecision = statement<never>(
  'decision_insert',
  `insert into approval_decision (org_id, approval_request_id, decided_by, role, decision, reason, decided_at) values ($1, $2, $3, $4, $5, $6, $7)`,
);

const insertEnd = statement<never>(
  'end_insert',
  `insert into approval_end (org_id, approval_request_id, status, ended_by, reason, ended_at) values ($1, $2, $3, $4, $5, $6)`,
);

/** What is known of a subject beside its last request. */
export interface Subject {
  readonly lastRequestId: string | null;
  readonly cancelledVersion: number | null;
}

/** The subject, locked until the end of the transaction, whether or not anything was asked for it before. */
export async function takeSubject(tx: Tx, { orgId, subjectType, subjectId }: SubjectKey): Promise<Subject> {
  void tx.run(ensureSubject, [orgId, subjectType, subjectId]);
  const [row] = await tx.run(lockSubject, [orgId, subjectType, subjectId]);
  return { lastRequestId: row!.last_request_id, cancelledVersion: row!.cancelled_version };
}

export async function writeSubject(tx: Tx, key: SubjectKey, subject: Subject): Promise<void> {
  await tx.run(updateSubject, [key.orgId, key.subjectType, key.subjectId, subject.lastRequestId, subject.cancelledVersion]);
}

/** The request, locked until the end of the transaction; null when there is none. */
export async function lockRequest(tx: Tx, key: RequestKey): Promise<RequestState | null> {
  // The decision is read by a later statement: one that locks and reads at once would see what was there before it waited.
  const rows = await tx.run(lock, [key.orgId, key.approvalRequestId]);
  return (await assemble(tx, key.orgId, rows))[0] ?? null;
}

/** As {@link lockRequest}; null also when somebody else has it. */
export async function claimRequest(tx: Tx, key: RequestKey): Promise<RequestState | null> {
  const rows = await tx.run(claim, [key.orgId, key.approvalRequestId]);
  return (await assemble(tx, key.orgId, rows))[0] ?? null;
}

/** Requests without locks, in the order of the ids. */
export async function readRequests(tx: Tx, orgId: string, ids: readonly string[]): Promise<RequestState[]> {
  return ids.length === 0 ? [] : await assemble(tx, orgId, await tx.run(read, [orgId, ids]));
}

export async function insertRequest(tx: Tx, request: RequestState): Promise<void> {
  await tx.run(insert, [request.orgId, request.approvalRequestId, ...Object.values(WRITTEN).map((value) => value(request))]);
}

/** Stores what has become of a request. */
export async function updateRequest(tx: Tx, request: RequestState): Promise<void> {
  await tx.run(update, [request.orgId, request.approvalRequestId, ...Object.values(UPDATED).map((value) => value(request))]);
}

/** Puts a decision on record for good; a second one for the same request is refused by the key. */
export async function recordDecision(tx: Tx, { orgId, approvalRequestId }: RequestKey, decision: Decision): Promise<void> {
  const { by, role, decision: verdict, reason, at } = decision;
  await tx.run(insertDecision, [orgId, approvalRequestId, by, role, verdict, reason, at]);
}

/** Puts on record for good that a request ended without a decision. @param by null = time did it. */
export async function recordEnd(tx: Tx, request: RequestState, by: string | null): Promise<void> {
  const { orgId, approvalRequestId, status, closeReason, closedAt } = request;
  await tx.run(insertEnd, [orgId, approvalRequestId, status, by, closeReason, closedAt]);
}

/** How much of a request is of any size, in bytes as it travels. */
export function contentBytes({ lines, availabilitySnapshot, command }: Pick<RequestState, 'lines' | 'availabilitySnapshot' | 'command'>) {
  return Buffer.byteLength(JSON.stringify({ lines, availabilitySnapshot, command }));
}

async function assemble(tx: Tx, orgId: string, rows: readonly RequestRow[]): Promise<RequestState[]> {
  const decided = rows.filter(({ status }) => status === 'approved' || status === 'rejected').map((row) => row.approval_request_id);
  const decisions = decided.length === 0 ? [] : await tx.run(readDecisions, [orgId, decided]);
  const byRequest = new Map(decisions.map((row) => [row.approval_request_id, toDecision(row)]));
  return rows.map((row) => toRequest(orgId, row, byRequest.get(row.approval_request_id) ?? null));
}

function toRequest(orgId: string, row: RequestRow, decision: Decision | null): RequestState {
  return {
    orgId,
    approvalRequestId: row.approval_request_id,
    kind: row.kind,
    subjectType: row.subject_type,
    subjectId: row.subject_id,
    subjectVersion: row.subject_version,
    fingerprint: row.fingerprint,
    requestedBy: row.requested_by,
    reason: row.reason,
    warehouses: row.warehouses,
    lines: row.lines,
    magnitudes: { quantity: decimal(row.quantity), percent: decimal(row.percent), value: decimal(row.value) },
    availabilitySnapshot: row.availability_snapshot,
    command: row.command,
    requiredRole: row.required_role,
    escalateTo: row.escalate_to,
    createdAt: row.created_at,
    remindAt: row.remind_at,
    escalateAt: row.escalate_at,
    expireAt: row.expire_at,
    status: row.status,
    remindedAt: row.reminded_at,
    escalatedAt: row.escalated_at,
    closedAt: row.closed_at,
    closeReason: row.close_reason,
    decision,
  };
}

function toDecision(row: DecisionRow): Decision {
  return { by: row.decided_by, role: row.role, decision: row.decision, reason: row.reason, at: row.decided_at };
}

const decimal = (text: string | null) => (text === null ? null : shortestDecimal(text));
const json = (value: unknown) => (value === null || value === undefined ? null : JSON.stringify(value));
