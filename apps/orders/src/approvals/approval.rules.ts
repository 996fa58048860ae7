import type { ApprovalAsk, ApprovalCancel, ApprovalRequest, RequestOf } from '#libs/contracts';
import { formatQuantity, parseQuantity, sumQuantities } from '#libs/domain';
import type { AuditNote } from '../audit/audit.sql.js';
import { demandOf } from '../orders/order.rules.js';
import { type OrderState, saying } from '../orders/order-state.js';
import type { Ask, Blocked, Outstanding, Restoration } from '../stock/outstanding.js';
import type { Refusal } from '../stock/stock-report.js';
import { type ApprovalOutcome, awaitedApproval, type OrderApproval } from './order-approval.js';

// How an order comes to wait for an approval, and what becomes of it then (docs/rules.md, "Orders that wait for approval").

const SUBJECT_TYPE = 'order';

/** What may be said again so that it waits for an approval. A confirmation never waits: whoever confirms wants to ship. */
type Approvable = Outstanding & { readonly kind: 'place' | 'amend' };

/** What was refused, if that is not the last word: the same is said again then, so that it waits for an approval. Else null. */
export function approvable(outstanding: Outstanding, { override }: Refusal): Approvable | null {
  if (outstanding.kind !== 'place' && outstanding.kind !== 'amend') return null;
  return override === undefined || outstanding.blocked !== undefined ? null : outstanding;
}

/** What to say instead of what was refused; what can be promised is held while it waits. */
export function askPending(order: OrderState, outstanding: Approvable, { reason, override, discrepancyIds }: Refusal): Ask {
  const why = { reason, override: override!, discrepancyIds };
  if (outstanding.kind === 'place') {
    return { kind: 'place', data: { ...outstanding.data, pendingApproval: true }, blocked: { ...why, restore: null } };
  }
  const { data, unitPrices } = outstanding;
  return { kind: 'amend', data: { ...data, pendingApproval: true }, unitPrices, blocked: { ...why, restore: restoration(order) } };
}

/** What makes the order what it is now; one that waits for an approval already keeps what it was before. */
function restoration(order: OrderState): Restoration | null {
  const awaited = awaitedApproval(order);
  if (awaited !== null) return awaited.restore;
  return {
    kind: 'restore',
    data: { ...demandOf(order, order.lines), firm: order.firm, restores: true },
    unitPrices: Object.fromEntries(order.lines.map((line) => [line.lineNo, line.unitPrice])),
  };
}

/** The order as it waits for the approval of what was refused under this count of ours. */
export function waitingFor(order: OrderState, blocked: Blocked, by: { version: number; requestedBy: string }, now: Date): OrderState {
  const { reason, override, discrepancyIds, restore } = blocked;
  const approval: OrderApproval = {
    ...{ reason, override, discrepancyIds, restore, ...by },
    isOpen: true,
    untold: 'request',
    since: now.toISOString(),
    approvalRequestId: null,
    approverRoles: [],
    outcome: null,
  };
  return { ...order, approval };
}

/** The order when it waits for no approval any more, whatever was asked for it; approvals is to be told. */
export function waitingNoMore(order: OrderState, now: Date): OrderState {
  const awaited = awaitedApproval(order);
  if (awaited === null) return order;
  // What was decided just before has no effect any more either.
  const closed = { ...awaited, isOpen: false, outcome: null };
  return { ...order, approval: { ...closed, version: order.sequence, untold: 'withdrawal', since: now.toISOString() } };
}

/** The order when what was decided has taken effect. */
export function decisionDone(order: OrderState): OrderState {
  return order.approval === null ? order : { ...order, approval: { ...order.approval, isOpen: false } };
}

/** The order when what was approved is refused after all. */
export function overtaken(order: OrderState, refusal: Refusal, version: number, now: Date): OrderState {
  const awaited = awaitedApproval(order);
  if (awaited === null) return order;
  const { reason, override, discrepancyIds } = refusal;
  if (override !== undefined) {
    const { restore, requestedBy } = awaited;
    return waitingFor(order, { reason, override, discrepancyIds, restore }, { version, requestedBy }, now);
  }
  const outcome = { status: 'rejected' as const, by: null, reason: `What was approved is not there any more: ${reason}.` };
  return { ...order, approval: { ...awaited, outcome } };
}

/** The order when it cannot become again what it was before its amendment. */
export function notRestored(order: OrderState): OrderState {
  return order.approval === null ? order : { ...order, approval: { ...order.approval, restore: null } };
}

/** What approvals is to be told of the order, in the words of its calls; the same whenever it is said again. */
export function requestFor(order: OrderState, approval: OrderApproval): RequestOf<typeof ApprovalAsk> {
  const { kind, lines, magnitudes, availabilitySnapshot } = approval.override;
  const warehouses = new Set(lines.map((line) => line.warehouseId));
  return {
    ...{ kind, lines, magnitudes, availabilitySnapshot },
    ...{ subjectType: SUBJECT_TYPE, subjectId: order.orderId, subjectVersion: approval.version, requestedBy: approval.requestedBy },
    reason: reasonText(order, approval),
    warehouses: warehouses.size === 0 || warehouses.has(null) ? null : [...(warehouses as Set<string>)],
    command: { customerId: order.customerId, ...demandOf(order, order.lines) },
  };
}

/** @see requestFor */
export function withdrawalFor(order: OrderState, approval: OrderApproval): RequestOf<typeof ApprovalCancel> {
  const reason = `Order ${order.orderId} needs no approval any more: it is ${order.status}.`;
  return { subjectType: SUBJECT_TYPE, subjectId: order.orderId, subjectVersion: approval.version, reason };
}

function reasonText({ orderId, customerId }: OrderState, { reason }: OrderApproval): string {
  const why = reason === 'DISCREPANCY_LOCK' ? 'needs stock that open discrepancies put in doubt' : 'asks for more than can be promised';
  return `Order ${orderId} of ${customerId} ${why}.`;
}

/**
 * The order when approvals has said how a request stands, by answer or by event, in whatever order. What is said of any other request than
 * the awaited one changes nothing. Before its id is known, the awaited one is the one made for our version.
 */
function heard(order: OrderState, request: ApprovalRequest): OrderState {
  const awaited = awaitedApproval(order);
  if (awaited === null || awaited.outcome !== null || request.subjectType !== SUBJECT_TYPE) return order;
  const { approvalRequestId, version } = awaited;
  const isAwaited = approvalRequestId === null ? request.subjectVersion === version : request.approvalRequestId === approvalRequestId;
  if (!isAwaited) return order;
  const outcome = outcomeOf(request);
  if (approvalRequestId !== null && outcome === null) return order;
  const { approverRoles } = request;
  return { ...order, approval: { ...awaited, untold: null, approvalRequestId: request.approvalRequestId, approverRoles, outcome } };
}

/** How a request ended, for its order; null while it is open, and when it was cancelled, which is our own doing. */
function outcomeOf({ status, decisions }: ApprovalRequest): ApprovalOutcome | null {
  if (status === 'expired') return { status, by: null, reason: 'Nobody decided about the approval in time.' };
  if (status !== 'approved' && status !== 'rejected') return null;
  const decision = decisions.find((candidate) => candidate.decision === status);
  return { status, by: decision?.by ?? null, reason: decision?.reason ?? '' };
}

/** What is heard of a request: the order with it, acting upon it as soon as nothing else is outstanding, and the record of it. */
export function hear(order: OrderState, request: ApprovalRequest, now: Date): { order: OrderState; notes: AuditNote[] } {
  const after = heard(order, request);
  return { order: proceed(after, now), notes: approvalNotes(order, after, request) };
}

/** The order when approvals knows what it was to be told. */
export function told(order: OrderState): { order: OrderState; notes: AuditNote[] } {
  return { order: order.approval === null ? order : { ...order, approval: { ...order.approval, untold: null } }, notes: [] };
}

/** The order when it acts upon what was decided, as soon as nothing else is outstanding. */
export function proceed(order: OrderState, now: Date): OrderState {
  const awaited = awaitedApproval(order);
  if (awaited === null || awaited.outcome === null || order.outstanding !== null) return order;
  const by = { digest: `approval ${awaited.approvalRequestId}`, actor: awaited.outcome.by ?? awaited.requestedBy };
  return saying(order, nextAsk(order, awaited, awaited.outcome), by, now);
}

function nextAsk(order: OrderState, { restore, override, approvalRequestId }: OrderApproval, { status, reason }: ApprovalOutcome): Ask {
  if (status !== 'approved') return restore ?? { kind: 'reject', data: { orderId: order.orderId, reason } };
  const by = approvalRequestId === null ? {} : { approvalRequestId };
  return { kind: 'approve', data: { ...demandOf(order, order.lines), firm: order.firm, ...by, approvedShortages: shortagesOf(override) } };
}

/** By how much each line may be short: as much as whoever decided was told. */
function shortagesOf({ lines }: Blocked['override']): { lineNo: number; quantity: string }[] {
  const lineNos = [...new Set(lines.flatMap((line) => line.lineNo ?? []))];
  return lineNos.map((lineNo) => {
    const ofLine = lines.filter((line) => line.lineNo === lineNo);
    return { lineNo, quantity: formatQuantity(sumQuantities(ofLine, (line) => parseQuantity(line.quantity))) };
  });
}

const OUTCOME_TYPES = { approved: 'order_approved', rejected: 'order_approval_rejected', expired: 'order_approval_expired' } as const;

/** The record of what approvals said: that somebody is asked, and what was decided by whom, about what, of how much there was then. */
function approvalNotes(before: OrderState, after: OrderState, request: ApprovalRequest): AuditNote[] {
  const was = before.approval;
  const is = after.approval;
  if (was === null || is === null || was === is) return [];
  const { approvalRequestId, kind, lines, magnitudes, availabilitySnapshot, requestedBy, requiredRole } = request;
  const { discrepancyIds } = is;
  const about = { approvalRequestId, kind, requestedBy, lines, magnitudes, availabilitySnapshot, discrepancyIds };
  const notes: AuditNote[] = [];
  if (was.approvalRequestId === null) {
    const { reason, dueAt } = request;
    notes.push({ type: 'order_approval_requested', actor: requestedBy, details: { ...about, requiredRole, reason, dueAt } });
  }
  if (is.outcome !== null) {
    const { status, by, reason } = is.outcome;
    const [decision] = request.decisions;
    const role = decision?.role ?? null;
    const decidedAt = decision?.at ?? request.closedAt;
    notes.push({
      type: OUTCOME_TYPES[status],
      ...(by === null ? {} : { actor: by }),
      details: { ...about, approver: by, role, reason, decidedAt },
    });
  }
  return notes;
}
