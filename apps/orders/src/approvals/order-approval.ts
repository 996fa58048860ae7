import type { ApproverRole, Override, RefusalReason } from '#libs/contracts';
import type { OrderState } from '../orders/order-state.js';
import type { Restoration } from '../stock/outstanding.js';

/** What inventory refused, and would let through with an approval. */
export interface Blocked {
  readonly reason: RefusalReason;
  readonly override: Override;
  /** Those that were open then and kept stock from being promised. */
  readonly discrepancyIds: readonly string[];
  /** What makes the order what it was before, if the approval is refused; null when it was never agreed to. */
  readonly restore: Restoration | null;
}

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

/** The approval that an order waits for now. */
export function awaitedApproval({ approval }: Pick<OrderState, 'approval'>): OrderApproval | null {
  return approval?.isOpen === true ? approval : null;
}

/** The request that the order waits for, or that was decided; not one that was taken back: nobody is to decide it any more. */
export function shownRequestId({ approval }: Pick<OrderState, 'approval'>): string | null {
  if (approval === null || (!approval.isOpen && approval.outcome === null)) return null;
  return approval.approvalRequestId;
}
