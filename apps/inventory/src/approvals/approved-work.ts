import type { ApprovalKind, ApprovalRequest } from '#libs/contracts';
import type { CarryOutApproval, CommandMeta } from '../stock-machine/commands.js';

/**
 * The command by which what was decided comes into effect; null when it is not about stock, still open, or was taken back. The work is what
 * was given to approvals when it was asked for, which nobody can change there.
 */
export function carryOutOf(orgId: string, request: Decided, meta: CommandMeta): CarryOutApproval | null {
  const { approvalRequestId, kind: approvalKind, subjectType, subjectId, status, decisions } = request;
  if (status !== 'approved' && status !== 'rejected' && status !== 'expired') return null;
  if (!KINDS.has(approvalKind)) return null;
  const [decision] = decisions;
  const by = { ...meta, actor: approvalKind === 'adjustment' ? request.requestedBy : (decision?.by ?? meta.actor) };
  return {
    kind: 'carry-out-approval',
    orgId,
    approvalRequestId,
    approvalKind,
    subjectType,
    subjectId,
    status,
    decidedBy: decision?.by ?? null,
    role: decision?.role ?? null,
    reason: decision?.reason ?? null,
    snapshot: request.availabilitySnapshot,
    work: { ...toWork(request), orgId, meta: { ...by, event: undefined } },
    meta,
  };
}

/** What counts of a request. */
type Decided = Pick<
  ApprovalRequest,
  'approvalRequestId' | 'kind' | 'subjectType' | 'subjectId' | 'status' | 'decisions' | 'command' | 'requestedBy' | 'availabilitySnapshot'
>;

const KINDS: ReadonlySet<ApprovalKind> = new Set(['adjustment', 'discrepancy_resolution', 'movement_override']);

function toWork({ command, decisions }: Decided): CarryOutApproval['work'] {
  const work = command as unknown as CarryOutApproval['work'];
  return work.kind === 'run-override' ? { ...work, reason: decisions[0]?.reason ?? '' } : work;
}
