import type {
  ApprovalDecision,
  ApprovalKind,
  ApprovalLine,
  ApprovalRequested,
  ApprovalStatus,
  ApproverRole,
  Magnitudes,
} from '#libs/contracts';

/** Which request. */
export interface RequestKey {
  readonly orgId: string;
  readonly approvalRequestId: string;
}

/** What an approval is about. */
export interface SubjectKey {
  readonly orgId: string;
  readonly subjectType: string;
  readonly subjectId: string;
}

/** What is to be approved, as its owner said it; never changed. */
export interface Asked extends SubjectKey {
  readonly kind: ApprovalKind;
  readonly requestedBy: string;
  readonly reason: string;
  readonly lines: readonly ApprovalLine[];
  readonly magnitudes: Magnitudes;
  readonly availabilitySnapshot: unknown;
  /** Null: whichever. */
  readonly warehouses: readonly string[] | null;
  readonly command: Readonly<Record<string, unknown>> | null;
}

/** Who may decide, and until when: by the policy at the time of the request. */
export interface Terms {
  readonly requiredRole: ApproverRole;
  readonly escalateTo: readonly ApproverRole[];
  readonly createdAt: Date;
  readonly remindAt: Date;
  /** Null: never. */
  readonly escalateAt: Date | null;
  readonly expireAt: Date;
}

/** A request for approval with all that has become of it. */
export interface RequestState extends RequestKey, Asked, Terms {
  readonly subjectVersion: number | null;
  readonly fingerprint: string;
  readonly status: ApprovalStatus;
  readonly remindedAt: Date | null;
  readonly escalatedAt: Date | null;
  readonly closedAt: Date | null;
  readonly closeReason: string | null;
  readonly decision: Decision | null;
}

/** What somebody decided, by virtue of which role, why, and when. */
export interface Decision extends Omit<ApprovalDecision, 'at'> {
  readonly at: Date;
}

/** Something that happened to a request, and the event that tells it with the request as it was then. */
export interface Step {
  readonly event: typeof ApprovalRequested;
  readonly request: RequestState;
}

/** Waits for a decision. */
export function isOpen(request: RequestState): boolean {
  return request.status === 'pending' || request.status === 'escalated';
}
