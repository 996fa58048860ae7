import { conflict, HoldfastError, notFound, rejected } from '#libs/domain';
import { approvable } from '../approvals/approval.rules.js';
import type { AuditNote } from '../audit/audit.sql.js';
import type { OrderState } from '../orders/order-state.js';
import type { Settled } from './apply-stock-report.js';
import type { Saying } from './outstanding.js';
import type { Refusal } from './stock-report.js';

/** How the record names what was done, and what was refused. */
const TYPES: Readonly<Record<Saying, readonly [done: string, refused: string]>> = {
  place: ['order_created', 'order_refused'],
  amend: ['order_amended', 'order_amendment_refused'],
  confirm: ['order_confirmed', 'order_confirmation_refused'],
  cancel: ['order_cancelled', 'order_cancellation_refused'],
  approve: ['order_approval_applied', 'order_approval_overtaken'],
  restore: ['order_amendment_taken_back', 'order_restoration_refused'],
  reject: ['order_rejected', 'order_rejection_refused'],
  pick: ['order_picked', 'order_pick_refused'],
  ship: ['shipment_posted', 'shipment_refused'],
  unship: ['shipment_cancelled', 'shipment_cancellation_refused'],
  receive: ['return_received', 'return_reception_refused'],
  inspect: ['return_inspected', 'return_inspection_refused'],
};

/** The record of something that was asked for, with its outcome; of a refusal, what was available of each short line; of what was picked, what was missing. */
export function settlementNotes(before: OrderState, after: OrderState, settled: Settled | null): AuditNote[] {
  if (settled === null) return [];
  const { outstanding, refusal, shortages = [] } = settled;
  const [done, refused] = TYPES[outstanding.kind];
  const { orderId: _, ...content } = outstanding.data;
  const status = before.status === after.status ? {} : { from: before.status, to: after.status };
  const asked = { sequence: outstanding.sequence, askedAt: outstanding.askedAt, customerId: before.customerId, ...content };
  if (refusal === null) {
    const missing = shortages.length === 0 ? [] : [{ type: 'pick_shortage', details: { sequence: outstanding.sequence, shortages } }];
    return [{ type: done, details: { ...asked, ...status } }, ...missing];
  }
  const { reason, lines, discrepancyIds, alternatives, override, unreadable } = refusal;
  const known = override === undefined ? {} : { magnitudes: override.magnitudes, availabilitySnapshot: override.availabilitySnapshot };
  const why = unreadable === undefined ? {} : { message: unreadable.message };
  const type = approvable(outstanding, refusal) === null ? refused : 'order_blocked';
  return [{ type, details: { ...asked, reason, shortLines: lines, discrepancyIds, alternatives, ...known, ...why } }];
}

/** The error that tells a caller of a refusal. */
export function refusalError(orderId: string, { reason, lines, discrepancyIds, alternatives, unreadable }: Refusal): Error {
  if (unreadable !== undefined) return new HoldfastError('invalid', 'VALIDATION_FAILED', unreadable.message, unreadable.details);
  const details = { orderId, reason, lines, discrepancyIds, alternatives };
  switch (reason) {
    case 'INSUFFICIENT_STOCK':
      return conflict(reason, `There is not enough stock for order ${orderId}.`, details);
    case 'DISCREPANCY_LOCK':
      return conflict(reason, `Open discrepancies hold the stock that order ${orderId} needs.`, details);
    case 'ITEM_NOT_FOUND':
    case 'WAREHOUSE_NOT_FOUND':
    case 'LOT_NOT_FOUND':
    case 'SHIPMENT_NOT_FOUND':
    case 'RETURN_NOT_FOUND':
      return notFound(
        reason,
        `Inventory does not know what order ${orderId} names: ${lines.map((line) => `line ${line.lineNo}`).join(', ')}.`,
      );
    case 'ORDER_OWNED_ELSEWHERE':
    case 'ALREADY_EXISTS':
      return conflict('ALREADY_EXISTS', `Another system uses this id already (order ${orderId}).`, details);
    case 'ORDER_CANCELLED':
    case 'INVALID_STATE':
      return conflict('INVALID_STATE', `Inventory does not allow this for order ${orderId} now.`, details);
    case 'EXCEEDS_SHIPPED':
    case 'EXCEEDS_REQUESTED':
      return rejected('ORDER_VALIDATION', `More than order ${orderId} allows.`, details);
  }
}
