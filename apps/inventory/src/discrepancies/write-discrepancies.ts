import { formatQuantity } from '#libs/domain';
import type { Tx } from '#libs/persistence';
import { columnsOf } from '../stock-machine/columns-of.js';
import type { StockState } from '../stock-machine/stock-state.js';
import type { Discrepancy } from './discrepancy.js';
import { insertAttempts, insertChanges, insertDiscrepancies, joinAttempts, updateDiscrepancies } from './discrepancy.sql.js';

/** Writes what a batch noticed and what became of what was noticed before. */
export function writeDiscrepancies(tx: Tx, state: StockState): void {
  // First what is over: the same may be found again in the batch, and one at most is open under a key.
  updateChanged(tx, [...state.changedDiscrepancies]);
  // In the order of their keys, so that who finds the same at the same time waits, and does not meet in a deadlock.
  const opened = [...state.newDiscrepancies].sort(byFindingKey);
  if (opened.length > 0) {
    void tx.run(
      insertDiscrepancies,
      columnsOf(
        opened,
        (d) => d.orgId,
        (d) => d.discrepancyId,
        (d) => d.itemId,
        (d) => d.warehouseId,
        (d) => d.location,
        (d) => d.lot,
        (d) => formatQuantity(d.snapshotQuantity),
        (d) => formatQuantity(d.ledgerQuantity),
        (d) => d.status,
        (d) => d.severity,
        (d) => d.source,
        (d) => d.ownerRole,
        (d) => d.assignedTo,
        (d) => d.note,
        (d) => d.findingKey,
        (d) => d.detectedAt,
        (d) => d.detectedBy,
        (d) => d.closedAt,
        (d) => d.closedBy,
        (d) => d.resolutionNote,
        (d) => d.refType,
        (d) => d.refId,
        (d) => d.orderId,
        (d) => d.approvalRequestId,
        (d) => (d.command === null ? null : JSON.stringify(d.command)),
        (d) => d.seenAt ?? null,
      ),
    );
  }
  recordChanges(tx, state);
  writeAttempts(tx, state);
}

function byFindingKey({ findingKey: a }: Discrepancy, { findingKey: b }: Discrepancy): number {
  return Number((a ?? '') > (b ?? '')) - Number((a ?? '') < (b ?? ''));
}

function updateChanged(tx: Tx, changed: readonly Discrepancy[]): void {
  if (changed.length > 0) {
    void tx.run(
      updateDiscrepancies,
      columnsOf(
        changed,
        (d) => d.orgId,
        (d) => d.discrepancyId,
        (d) => d.status,
        (d) => d.ownerRole,
        (d) => d.assignedTo,
        (d) => d.closedAt,
        (d) => d.closedBy,
        (d) => d.resolutionNote,
        (d) => d.approvalRequestId,
      ),
    );
  }
}

function recordChanges(tx: Tx, { discrepancyChanges, now }: StockState): void {
  if (discrepancyChanges.length === 0) return;
  void tx.run(insertChanges, [
    ...columnsOf(
      discrepancyChanges,
      (c) => c.orgId,
      (c) => c.changeId,
      (c) => c.discrepancy.discrepancyId,
      (c) => c.discrepancy.warehouseId,
      (c) => c.discrepancy.orderId,
      (c) => c.type,
      (c) => c.actor,
      (c) => JSON.stringify(c.rederived === undefined ? c.discrepancy : { ...c.discrepancy, rederived: c.rederived }),
    ),
    now,
  ]);
}

function writeAttempts(tx: Tx, state: StockState): void {
  const joined = [...state.joinedAttempts];
  if (joined.length > 0) {
    void tx.run(
      joinAttempts,
      columnsOf(
        joined,
        ([key]) => key.split('/')[0]!,
        ([key]) => key.split('/')[1]!,
        ([, attempts]) => attempts,
      ),
    );
  }
  if (state.attempts.length === 0) return;
  void tx.run(insertAttempts, [
    ...columnsOf(
      state.attempts,
      (a) => a.orgId,
      (a) => a.attemptId,
      (a) => a.orderId,
      (a) => a.lineNo,
      (a) => a.itemId,
      (a) => a.warehouseId,
      (a) => a.source,
      (a) => a.actor,
      (a) => formatQuantity(a.requested),
      (a) => formatQuantity(a.available),
      (a) => a.outcome,
      (a) => a.reason,
      (a) => a.phase,
      (a) => JSON.stringify(a.snapshot),
      (a) => a.discrepancyId,
    ),
    state.now,
  ]);
}
