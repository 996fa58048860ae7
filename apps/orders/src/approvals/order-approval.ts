import type { ApproverRole } from '#libs/contracts';
import type { Blocked } from '../stock/outstanding.js';

/** How a request for approval ended. */
export interface ApprovalOutcome {
  readonly status: 'approved' | 'rejected' | 'expired';
  /** Null when nobody decided. */
  readonly by: string | null;
  readonly reason: string;
}

/** The approval that an order waits for, or last waited for. Stored as JSON, and so without quantities. */
export interface OrderApproval extends Blocked {
  /** The order waits: nothing was decided, or what was decided has not taken effect. */
  readonly isOpen: boolean;
  /** Our count of what was last said to inventory: what approvals is told as version of the order. */
  readonly version: number;
  /** What approvals is to be told and has not answered. */
  readonly untold: 'request' | 'withdrawal' | null;
  /** Since when; RFC 3339. */
  readonly since: string;
  readonly requestedBy: string;
  /** Null until approvals has answered. */
  readonly approvalRequestId: string | null;
  /** Who may decide. */
  readonly approverRoles: readonly ApproverRole[];
  readonly outcome: ApprovalOutcome | null;
}

/** An order, as far as it is about approvals. */
interface Approvable {
  readonly approval: OrderApproval | null;
}

/** The approval that an order waits for now. */
export function awaitedApproval({ approval }: Approvable): OrderApproval | null {
  return approval?.isOpen === true ? approval : null;
}

/** The request that the order waits for, or that was decided; not one that was taken back: nobody is to decide it any more. */
export function shownRequestId({ approval }: Approvable): string | null {
  if (approval === null || (!approval.isOpen && approval.outcome === null)) return null;
  return approval.approvalRequestId;
}
