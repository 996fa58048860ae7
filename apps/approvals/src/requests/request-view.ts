import type { ApprovalRequest } from '#libs/contracts';
import { type HoldfastError, notFound } from '#libs/domain';
import { approverRoles } from './request.rules.js';
import type { RequestState } from './request-state.js';

/** A request as everybody sees it: answers, lists and events. */
export function requestView(request: RequestState): ApprovalRequest {
  const { decision } = request;
  return {
    approvalRequestId: request.approvalRequestId,
    kind: request.kind,
    subjectType: request.subjectType,
    subjectId: request.subjectId,
    subjectVersion: request.subjectVersion,
    status: request.status,
    requiredRole: request.requiredRole,
    escalateTo: [...request.escalateTo],
    approverRoles: approverRoles(request),
    requestedBy: request.requestedBy,
    reason: request.reason,
    warehouses: request.warehouses === null ? null : [...request.warehouses],
    lines: [...request.lines],
    magnitudes: request.magnitudes,
    availabilitySnapshot: request.availabilitySnapshot,
    command: request.command,
    createdAt: request.createdAt.toISOString(),
    dueAt: request.expireAt.toISOString(),
    remindedAt: request.remindedAt?.toISOString() ?? null,
    escalatedAt: request.escalatedAt?.toISOString() ?? null,
    closedAt: request.closedAt?.toISOString() ?? null,
    closeReason: request.closeReason,
    decisions: decision === null ? [] : [{ ...decision, at: decision.at.toISOString() }],
  };
}

const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i;

/** Whether a text can be the id of a request at all: they are ours, and UUIDs. */
export function isRequestId(text: string): boolean {
  return UUID.test(text);
}

export function approvalNotFound(approvalRequestId: string): HoldfastError {
  return notFound('APPROVAL_NOT_FOUND', `There is no request for approval ${approvalRequestId}.`);
}
