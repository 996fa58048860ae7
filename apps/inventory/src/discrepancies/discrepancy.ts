import type { NoteBelowZero } from '../stock-machine/commands.js';
import type { Discrepancy as DiscrepancyView, DiscrepancySeverity, DiscrepancySource, DiscrepancyStatus } from '#libs/contracts';
import { absolute, conflict, forbidden, formatQuantity, type HoldfastError, notFound, type Quantity, SCALE, ZERO } from '#libs/domain';
import type { Actor } from '#libs/auth';

/** A mismatch between what the books say and what was counted, refused or computed (docs/rules.md, "discrepancies"). */
export interface Discrepancy {
  readonly orgId: string;
  readonly discrepancyId: string;
  readonly itemId: string;
  /** Null when it is about an order as a whole. */
  readonly warehouseId: string | null;
  readonly location: string | null;
  readonly lot: string | null;
  readonly snapshotQuantity: Quantity;
  readonly ledgerQuantity: Quantity;
  status: DiscrepancyStatus;
  readonly severity: DiscrepancySeverity;
  readonly source: DiscrepancySource;
  ownerRole: string;
  assignedTo: string | null;
  readonly note: string | null;
  readonly occurrences: number;
  /** Kind and subject of a finding of reconciliation. */
  readonly findingKey: string | null;
  readonly detectedAt: Date;
  readonly detectedBy: string | null;
  /** Of a count, when it was made: its quantities are as of then; those of others, as of when it was detected. */
  readonly seenAt?: Date | null;
  closedAt: Date | null;
  closedBy: string | null;
  resolutionNote: string | null;
  readonly refType: string | null;
  readonly refId: string | null;
  readonly orderId: string | null;
  approvalRequestId: string | null;
  /** The movement that was refused, as it came. */
  readonly command: unknown;
}

/** `new` and `under_review` are open. */
export const isOpen = ({ status }: Pick<Discrepancy, 'status'>): boolean => status === 'new' || status === 'under_review';

/** Whether it says so much against the books that stock is not promised as before while it is open. */
export function raisesDoubt({ severity, source }: Pick<Discrepancy, 'severity' | 'source'>): boolean {
  return source !== 'blocked_transaction' && (severity === 'high' || severity === 'critical');
}

const PERCENT = 100n;

/** As of when its quantities are. */
export const seenAt = (found: Pick<Discrepancy, 'seenAt' | 'detectedAt'>): Date => found.seenAt ?? found.detectedAt;

/** How much it differs, without sign. */
export const differenceOf = (found: Pick<Discrepancy, 'snapshotQuantity' | 'ledgerQuantity'>): Quantity =>
  absolute(found.snapshotQuantity - found.ledgerQuantity);

/**
 * How severe a difference is, by its percentage of what the books say.
 *
 * @param percents up to which it is low, medium, high; above, or where the books say nothing is there, it is critical.
 */
export function severityOf(
  { snapshotQuantity, ledgerQuantity }: Pick<Discrepancy, 'snapshotQuantity' | 'ledgerQuantity'>,
  percents: readonly [Quantity, Quantity, Quantity],
): DiscrepancySeverity {
  const difference = absolute(snapshotQuantity - ledgerQuantity);
  if (difference === ZERO) return 'low';
  const isWithin = (percent: Quantity) => difference * PERCENT * SCALE <= absolute(ledgerQuantity) * percent;
  const [low, medium, high] = percents;
  if (ledgerQuantity === ZERO) return 'critical';
  return isWithin(low) ? 'low' : isWithin(medium) ? 'medium' : isWithin(high) ? 'high' : 'critical';
}

/** Whether a difference is small enough to be taken as it is: within the quantity, or within the percentage of what the books say. */
export function isTolerated(
  { snapshotQuantity, ledgerQuantity }: Pick<Discrepancy, 'snapshotQuantity' | 'ledgerQuantity'>,
  tolerance: { readonly quantity: Quantity; readonly percent: Quantity },
): boolean {
  const difference = absolute(snapshotQuantity - ledgerQuantity);
  return difference <= tolerance.quantity || difference * PERCENT * SCALE <= absolute(ledgerQuantity) * tolerance.percent;
}

/** The discrepancy as answers and events tell it. */
export function discrepancyView(found: Discrepancy): DiscrepancyView {
  return {
    discrepancyId: found.discrepancyId,
    itemId: found.itemId,
    warehouseId: found.warehouseId,
    location: found.location,
    lot: found.lot,
    snapshotQuantity: formatQuantity(found.snapshotQuantity),
    ledgerQuantity: formatQuantity(found.ledgerQuantity),
    difference: formatQuantity(found.snapshotQuantity - found.ledgerQuantity),
    status: found.status,
    severity: found.severity,
    source: found.source,
    ownerRole: found.ownerRole,
    assignedTo: found.assignedTo,
    note: found.note,
    occurrences: found.occurrences,
    detectedAt: found.detectedAt.toISOString(),
    resolvedAt: found.closedAt?.toISOString() ?? null,
    resolvedBy: found.closedBy,
    resolutionNote: found.resolutionNote,
    refType: found.refType,
    refId: found.refId,
    orderId: found.orderId,
    approvalRequestId: found.approvalRequestId,
  };
}

export function discrepancyNotFound(discrepancyId: string): HoldfastError {
  return notFound('DISCREPANCY_NOT_FOUND', `There is no discrepancy ${discrepancyId}.`);
}

/** Why nothing more can be done about it. */
export function discrepancyOver({ discrepancyId, status }: Discrepancy): HoldfastError {
  return conflict('INVALID_STATE', `discrepancy ${discrepancyId} is ${status}, which is final; report what you see now as a new one`);
}

/** What a command says of the discrepancy that it is about: what of it never changes, and says what is locked. */
export function aboutDiscrepancy({ discrepancyId, warehouseId, itemId, lot }: Discrepancy) {
  return { discrepancyId, place: warehouseId === null ? null : { warehouseId, itemId, lot } };
}

/** After so long a severe discrepancy is also for finance to decide. */
const HANDED_ON_AFTER_MS = 24 * 60 * 60 * 1000;

/**
 * Refuses an actor whose task the discrepancy is not: `inventory_manager` decides about all, `finance_manager` about those that are high or
 * critical and that nobody has decided for a day.
 *
 * @throws {HoldfastError} 403 `FORBIDDEN`.
 */
export function authoriseKeeper({ roles }: Pick<Actor, 'roles'>, found: Pick<Discrepancy, 'severity' | 'detectedAt'>, now: Date): void {
  if (roles.some((role) => role === 'admin' || role === 'inventory_manager')) return;
  const isHandedOn =
    (found.severity === 'high' || found.severity === 'critical') && now.getTime() - found.detectedAt.getTime() >= HANDED_ON_AFTER_MS;
  if (isHandedOn && roles.includes('finance_manager')) return;
  throw forbidden(
    'FORBIDDEN',
    'This is for inventory_manager to decide; it becomes yours when it is high or critical, and nobody has for a day.',
  );
}

/** What was done with a discrepancy, as the record names it. */
export interface DiscrepancyChange {
  readonly orgId: string;
  readonly changeId: string;
  readonly type:
    | 'discrepancy_opened'
    | 'discrepancy_reviewed'
    | 'discrepancy_approval_requested'
    /** Nothing came of what was asked, and it goes on. */
    | 'discrepancy_approval_ended'
    | 'discrepancy_resolved'
    | 'discrepancy_dismissed';
  readonly actor: string | null;
  /** As it was then. */
  readonly discrepancy: DiscrepancyView;
  readonly rederived: Rederived | undefined;
}

/** A counter that was set to what its records add up to. */
export interface Rederived {
  readonly counter: string;
  readonly from: string;
  readonly to: string;
}

/** An order's line that wanted more than it could have. */
export interface Attempt {
  readonly orgId: string;
  readonly attemptId: string;
  readonly orderId: string;
  readonly lineNo: number;
  readonly itemId: string;
  readonly warehouseId: string;
  readonly source: string | null;
  readonly actor: string | null;
  readonly requested: Quantity;
  readonly available: Quantity;
  readonly outcome: 'refused' | 'pending_approval' | 'would_block';
  readonly reason: string;
  readonly phase: 'dark' | 'soft' | 'hard';
  readonly snapshot: unknown;
  readonly discrepancyId: string;
}

/** By which what is below zero in a balance is recognised as long as its discrepancy is open. */
export const belowZeroKey = ({ warehouseId, itemId }: Pick<NoteBelowZero, 'warehouseId' | 'itemId'>): string =>
  `below-zero/${warehouseId}/${itemId}`;
