import type { ApprovalKind, ApprovalLine, ApprovalRequest, ApprovalStatus, Magnitudes, Role } from '#libs/contracts';
import { listed, type Notice, quoted } from './notice.js';

/** What an approval lets happen. */
const WHAT: Readonly<Record<ApprovalKind, string>> = {
  order_override: 'more than is available',
  discrepancy_acknowledgement: 'stock that is in doubt',
  movement_override: 'a movement that was blocked',
  adjustment: 'a correction of stock',
  discrepancy_resolution: 'the resolution of a discrepancy',
};

/** Who waits for the outcome beside those who could decide. */
const WAITING: Readonly<Record<ApprovalKind, readonly Role[]>> = {
  order_override: ['sales'],
  discrepancy_acknowledgement: ['sales'],
  movement_override: ['warehouse'],
  adjustment: ['warehouse'],
  discrepancy_resolution: ['warehouse'],
};

const OUTCOMES: Readonly<Partial<Record<ApprovalStatus, string>>> = {
  approved: 'Approved',
  rejected: 'Rejected',
  expired: 'Expired without a decision',
  cancelled: 'No longer needed',
};

/** For those who may decide: what is asked, how much is at stake, until when. */
export function describeOpenRequest(headline: string, request: ApprovalRequest): Notice {
  const { requestedBy, reason, lines, magnitudes, approverRoles, dueAt, approvalRequestId } = request;
  return {
    title: titleOf(headline, request),
    lines: [
      `${quoted(requestedBy)} asks for it: ${quoted(reason)}`,
      ...listed(lines, describeLine),
      ...describeMagnitudes(magnitudes),
      `To be decided by: ${approverRoles.join(' or ')}. It expires at ${dueAt}.`,
      `Request for approval: ${approvalRequestId}`,
    ],
  };
}

/** For those who asked and those who could decide: what came of it, through whom, and why. */
export function describeDecision(request: ApprovalRequest): Notice {
  const { status, decisions, closeReason, lines, approvalRequestId, requestedBy } = request;
  const decided = decisions.map(({ by, role, reason }) => `By ${quoted(by)} as ${role}: ${quoted(reason)}`);
  return {
    title: titleOf(OUTCOMES[status] ?? 'Over', request),
    lines: [
      ...decided,
      ...(closeReason === null ? [] : [`Reason: ${quoted(closeReason)}`]),
      `Asked for by ${quoted(requestedBy)}.`,
      ...listed(lines, describeLine),
      `Request for approval: ${approvalRequestId}`,
    ],
  };
}

/** Who must hear what came of a request. */
export function rolesOfOutcome({ kind, requiredRole, escalateTo }: ApprovalRequest): readonly Role[] {
  return [requiredRole, ...escalateTo, ...WAITING[kind]];
}

/** The command is for who runs it once it is approved. */
export function withoutCommand({ command: _, ...request }: ApprovalRequest): Omit<ApprovalRequest, 'command'> {
  return request;
}

function titleOf(headline: string, { kind, subjectType, subjectId }: ApprovalRequest): string {
  return `${headline}: ${subjectType} ${subjectId} (${WHAT[kind]})`;
}

function describeLine({ lineNo, itemId, warehouseId, lot, quantity, requested, available }: ApprovalLine): string {
  const where = warehouseId === null ? '' : ` in warehouse ${warehouseId}`;
  const which = lot === undefined || lot === null ? '' : `, lot ${lot}`;
  const wanted = requested === undefined ? '' : `, ${requested} wanted`;
  const there = available === undefined ? '' : `, ${available} available`;
  return `${lineNo === undefined ? '' : `Line ${lineNo}: `}${quantity} of ${itemId}${where}${which}${wanted}${there}.`;
}

function describeMagnitudes({ quantity, percent, value }: Magnitudes): string[] {
  const known = [
    ...(quantity === null ? [] : [`quantity ${quantity}`]),
    ...(percent === null ? [] : [`${percent} percent`]),
    ...(value === null ? [] : [`value ${value}`]),
  ];
  return known.length === 0 ? [] : [`At stake: ${known.join(', ')}.`];
}
