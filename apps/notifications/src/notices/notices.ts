import {
  ApprovalDecided,
  ApprovalEscalated,
  ApprovalReminded,
  ApprovalRequested,
  DiscrepancyOpened,
  LowStockDetected,
  ReconciliationCompleted,
  ReservationShorted,
  type Role,
  StockReservationFailed,
} from '#libs/contracts';
import { describeDecision, describeOpenRequest, rolesOfOutcome, withoutCommand } from './approval-notices.js';
import { listed, notice, type NoticeKind, quoted } from './notice.js';

/**
 * The events that people are told of. To add one: name `notifications` among the consumers of its declaration, and say here for whom it
 * is and what it says (docs/rules.md, "Notifications").
 */
export const NOTICES: readonly NoticeKind[] = [
  notice({
    event: ApprovalRequested,
    roles: ({ approverRoles }) => approverRoles,
    payload: withoutCommand,
    describe: (request) => describeOpenRequest('Approval needed', request),
  }),
  notice({
    event: ApprovalReminded,
    roles: ({ approverRoles }) => approverRoles,
    payload: withoutCommand,
    describe: (request) => describeOpenRequest('Still waiting for approval', request),
  }),
  notice({
    event: ApprovalEscalated,
    roles: ({ approverRoles }) => approverRoles,
    payload: withoutCommand,
    describe: (request) => describeOpenRequest('Nobody has decided yet', request),
  }),
  notice({ event: ApprovalDecided, roles: rolesOfOutcome, payload: withoutCommand, describe: describeDecision }),
  notice({
    event: LowStockDetected,
    roles: () => ['inventory_manager', 'warehouse'],
    describe: ({ itemId, warehouseId, onHand, threshold }) => ({
      title: `Low stock: ${itemId} in ${warehouseId}`,
      lines: [`${onHand} of ${itemId} left in warehouse ${warehouseId}; the threshold is ${threshold}.`],
    }),
  }),
  notice({
    event: ReservationShorted,
    roles: () => ['sales', 'inventory_manager'],
    describe: ({ orderId, cause, lines }) => ({
      title: `Order ${orderId} lost stock that was held for it`,
      lines: [
        `Cause: ${quoted(cause)}. What is missing now waits as a backorder:`,
        ...listed(
          lines,
          ({ lineNo, itemId, warehouseId, lot, quantity }) =>
            `Line ${lineNo}: ${quantity} of ${itemId} in warehouse ${warehouseId}${lot === null ? '' : `, lot ${lot}`}.`,
        ),
      ],
    }),
  }),
  notice({
    event: StockReservationFailed,
    roles: () => ['sales', 'inventory_manager'],
    // The other reasons are about the message, not about stock: whoever sent it is answered. What somebody may approve is told as the request
    // for that.
    concerns: ({ reason, override }) => override === undefined && (reason === 'INSUFFICIENT_STOCK' || reason === 'DISCREPANCY_LOCK'),
    describe: ({ orderId, reason, lines, discrepancyIds }) => ({
      title: `Not enough stock for order ${orderId}`,
      lines: [
        reason === 'DISCREPANCY_LOCK'
          ? 'Nothing is held for what it asked: there is stock, but open discrepancies lock it.'
          : 'Nothing is held for what it asked:',
        ...listed(
          lines,
          ({ lineNo, itemId, warehouseId, requested, available }) =>
            `Line ${lineNo}: ${requested} of ${itemId} wanted, ${available} available${warehouseId === null ? '' : ` in warehouse ${warehouseId}`}.`,
        ),
        ...listed(discrepancyIds, (discrepancyId) => `Open discrepancy: ${discrepancyId}.`),
      ],
    }),
  }),
  notice({
    event: DiscrepancyOpened,
    roles: ({ ownerRole }) => [ownerRole as Role],
    // The others wait in the list: they keep no stock back.
    concerns: ({ severity, source }) => source !== 'blocked_transaction' && (severity === 'high' || severity === 'critical'),
    describe: ({ severity, itemId, warehouseId, lot, location, ledgerQuantity, snapshotQuantity, difference, note, source }) => ({
      title: `Discrepancy (${severity}): ${itemId}${warehouseId === null ? '' : ` in ${warehouseId}`}`,
      lines: [
        `The books say ${ledgerQuantity}, ${source} says ${snapshotQuantity}: a difference of ${difference}.`,
        ...(lot === null && location === null ? [] : [`Where: ${[lot, location].filter((part) => part !== null).join(', ')}.`]),
        ...(note === null ? [] : [quoted(note)]),
      ],
    }),
  }),
  notice({
    event: ReconciliationCompleted,
    roles: () => ['inventory_manager', 'finance_manager'],
    concerns: ({ findingsTotal, status }) => findingsTotal > 0 || status === 'failed',
    payload: ({ findings: _, ...run }) => run,
    describe: ({ runId, status, findingsTotal, outOfSyncItems, findings, failure }) => ({
      title: status === 'failed' ? `Reconciliation ${runId} was given up` : `Reconciliation found ${findingsTotal} mismatches`,
      lines: [
        ...(failure === null ? [] : [quoted(failure)]),
        `${outOfSyncItems} items in warehouses are out of sync.`,
        ...listed(
          findings,
          ({ kind, itemId, warehouseId, expected, actual }) =>
            `${kind}: ${itemId}${warehouseId === null ? '' : ` in ${warehouseId}`}, ${expected} expected, ${actual} found.`,
        ),
      ],
    }),
  }),
];

const byType = new Map(NOTICES.map((kind) => [kind.event.type, kind]));

/** How people are told of a type of event. @throws when they are not: nothing subscribes to it. */
export function noticeKindOf(type: string): NoticeKind {
  const kind = byType.get(type);
  if (kind === undefined) throw new Error(`People are not told of ${type}.`);
  return kind;
}
