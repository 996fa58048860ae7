import type { ApprovalKind } from '#libs/contracts';

/** What became of a request for approval that was decided, or ran out; each has one effect, for ever. */
export interface ApprovalEffect {
  readonly orgId: string;
  readonly approvalRequestId: string;
  readonly kind: ApprovalKind;
  readonly subjectType: string;
  readonly subjectId: string;
  readonly status: 'approved' | 'rejected' | 'expired';
  readonly decidedBy: string | null;
  readonly role: string | null;
  readonly reason: string | null;
  /** `refused`: it was approved, and could not be done any more; `outdated`: something else is awaited by now. */
  readonly outcome: 'done' | 'refused' | 'outdated' | 'noted';
  /** What was answered, or why not. */
  readonly detail: unknown;
  readonly snapshot: unknown;
}
