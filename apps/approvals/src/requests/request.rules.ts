import { type Actor, worksIn } from '#libs/auth';
import {
  ApprovalDecided,
  ApprovalEscalated,
  type ApprovalKind,
  type ApprovalPolicy,
  ApprovalReminded,
  APPROVER_ROLES,
  type ApproverRole,
} from '#libs/contracts';
import { conflict, forbidden } from '#libs/domain';
import { type Decision, isOpen, type RequestState, type Step, type Terms } from './request-state.js';

/** What lets through what was refused; the other kinds are approvals of something that nobody refused. */
export const OVERRIDES: readonly ApprovalKind[] = ['order_override', 'discrepancy_acknowledgement', 'movement_override'];

const HOUR_MS = 3_600_000;

/** The terms that a policy sets for a request that is made now. */
export function termsOf(policy: ApprovalPolicy, now: Date): Terms {
  const after = (hours: number) => new Date(now.getTime() + hours * HOUR_MS);
  return {
    requiredRole: policy.requiredRole,
    escalateTo: policy.escalateTo,
    createdAt: now,
    remindAt: after(policy.remindAfterHours),
    escalateAt: policy.escalateTo.length === 0 ? null : after(policy.escalateAfterHours),
    expireAt: after(policy.expireAfterHours),
  };
}

/** What to do with a call that asks for an approval. */
export type Answer =
  /** It is older than what is known of its subject: nothing is done. */
  | 'outdated'
  /** It was made before: answer what became of it. */
  | 'repeat'
  /** The subject has a newer version, and what is to be approved is the same: the open request goes on. */
  | 'goes-on'
  /** Make a new request; an open one is about something else and is cancelled. */
  | 'new';

/** What counts of a call that asks for an approval. */
export interface Asking {
  readonly fingerprint: string;
  readonly subjectVersion: number | null;
}

/**
 * Whether a request is made for what is asked (docs/rules.md, "Approvals"). Calls may come twice, late and in any order.
 *
 * @param last the last request of the subject, if there was one.
 * @param cancelledVersion up to which version of the subject everything was taken back.
 */
export function decideAnswer({ fingerprint, subjectVersion }: Asking, last: RequestState | null, cancelledVersion: number | null): Answer {
  if (subjectVersion !== null && cancelledVersion !== null && subjectVersion <= cancelledVersion) return 'outdated';
  if (last === null) return 'new';
  const isNewer = subjectVersion !== null && last.subjectVersion !== null && subjectVersion > last.subjectVersion;
  if (subjectVersion !== null && last.subjectVersion !== null && subjectVersion < last.subjectVersion) return 'outdated';
  if (fingerprint !== last.fingerprint) return 'new';
  if (!isNewer) return 'repeat';
  return isOpen(last) ? 'goes-on' : 'new';
}

/** The request as taken back by its owner. */
export function cancelled(request: RequestState, reason: string, now: Date): RequestState {
  return { ...request, status: 'cancelled', closedAt: now, closeReason: reason };
}

/** Whether a call that takes back what was asked for a subject, as of this version of it, means this request. */
export function isTakenBack(request: RequestState, subjectVersion: number | null): boolean {
  if (!isOpen(request)) return false;
  return subjectVersion === null || request.subjectVersion === null || request.subjectVersion <= subjectVersion;
}

/** What somebody says about a request. */
export type Verdict = Pick<Decision, 'decision' | 'reason'>;

/**
 * The request as decided by the actor; the same request when the actor has decided so before.
 *
 * @throws {HoldfastError} in this order: `SELF_APPROVAL`; `FORBIDDEN` for who has no role that may decide now; `WAREHOUSE_FORBIDDEN`;
 * `INVALID_STATE` when it is over.
 */
export function decide(request: RequestState, actor: Actor, { decision, reason }: Verdict, now: Date): RequestState {
  if (actor.userId === request.requestedBy) throw forbidden('SELF_APPROVAL', 'Nobody decides about a request of their own.');
  const role = decidingRole(request, actor);
  if (!coversWarehouses(actor, request.warehouses)) {
    const concerned = request.warehouses?.join(', ') ?? 'whichever warehouse has the stock';
    throw forbidden('WAREHOUSE_FORBIDDEN', `The request is about ${concerned}, where you do not work.`);
  }
  if (request.decision?.by === actor.userId && request.decision.decision === decision) return request;
  if (!isOpen(request)) throw isOver(request, `The request is ${request.status} already.`);
  // Whether or not somebody has put it on record yet.
  if (now >= request.expireAt) throw isOver(request, `The request has expired at ${request.expireAt.toISOString()}.`);
  return { ...request, status: decision, closedAt: now, decision: { by: actor.userId, role, decision, reason, at: now } };
}

/** Who may decide now: the required role, after escalation its successors as well, and an administrator. */
export function approverRoles(request: RequestState): ApproverRole[] {
  if (!isOpen(request)) return [];
  return entitledRoles(request);
}

/** Whether somebody works wherever a request is about. */
export function coversWarehouses(actor: Pick<Actor, 'warehouses'>, warehouses: RequestState['warehouses']): boolean {
  if (warehouses === null) return actor.warehouses === null;
  return warehouses.every((warehouseId) => worksIn(actor, warehouseId));
}

/**
 * What time has made of an open request: a reminder, an escalation, its end, each once. When several are due, because nothing ran for a
 * while, they come in the order of their times; nobody is reminded of a request that has expired.
 */
export function letTimePass(request: RequestState, now: Date): Step[] {
  if (!isOpen(request)) return [];
  if (now >= request.expireAt) return [{ event: ApprovalDecided, request: { ...request, status: 'expired', closedAt: now } }];
  const steps: Step[] = [];
  let passed = request;
  for (const { time, becomes, event } of dueTimes(request)) {
    if (now < time) break;
    passed = { ...passed, ...becomes(now) };
    steps.push({ event, request: passed });
  }
  return steps;
}

/** When something is to be done about the request next; null when it is over. */
export function nextDueAt(request: RequestState): Date | null {
  if (!isOpen(request)) return null;
  return dueTimes(request)[0]?.time ?? request.expireAt;
}

interface DueTime {
  readonly time: Date;
  readonly event: Step['event'];
  readonly becomes: (now: Date) => Partial<RequestState>;
}

/** What is still to come before the end, the next one first. */
function dueTimes({ remindAt, remindedAt, escalateAt, escalatedAt }: RequestState): DueTime[] {
  const times: DueTime[] = [];
  if (remindedAt === null) times.push({ time: remindAt, event: ApprovalReminded, becomes: (now) => ({ remindedAt: now }) });
  if (escalateAt !== null && escalatedAt === null) {
    times.push({ time: escalateAt, event: ApprovalEscalated, becomes: (now) => ({ status: 'escalated', escalatedAt: now }) });
  }
  return times.sort((a, b) => a.time.getTime() - b.time.getTime());
}

function entitledRoles({ requiredRole, escalateTo, escalatedAt }: RequestState): ApproverRole[] {
  return [...new Set([requiredRole, ...(escalatedAt === null ? [] : escalateTo), 'admin' as const])];
}

/** By virtue of which role somebody decides: the first that may. */
function decidingRole(request: RequestState, actor: Actor): ApproverRole {
  const entitled = entitledRoles(request);
  const role = entitled.find((candidate) => actor.roles.includes(candidate));
  if (role !== undefined) return role;
  const mine = actor.roles.filter((candidate) => (APPROVER_ROLES as readonly string[]).includes(candidate)).join(', ');
  throw forbidden('FORBIDDEN', `This needs one of the roles ${entitled.join(', ')}; you have ${mine || 'none of those that approve'}.`);
}

function isOver(request: RequestState, message: string) {
  const { approvalRequestId, status, decision } = request;
  return conflict('INVALID_STATE', message, { approvalRequestId, approvalStatus: status, decidedBy: decision?.by ?? null });
}
