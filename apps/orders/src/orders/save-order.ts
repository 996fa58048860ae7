import { isDeepStrictEqual } from 'node:util';
import { Injectable } from '@nestjs/common';
import { type CloudEvent, makeEvent, OrderStatusChanged } from '#libs/contracts';
import { Outbox } from '#libs/messaging';
import type { Tx } from '#libs/persistence';
import { metrics } from '#libs/service';
import { type AuditNote, recordAudit } from '../audit/audit.sql.js';
import { awaitedApproval, shownRequestId } from '../approvals/order-approval.js';
import { writeReturn } from '../returns/return.sql.js';
import { writeShipment } from '../shipments/shipment.sql.js';
import { eventOf } from '../stock/stock-command.js';
import { insertOrder, updateOrder, writeOrderLines } from './order.sql.js';
import { type OrderState, SOURCE } from './order-state.js';

/** Who makes a change, when, and why. */
export interface ChangeContext {
  readonly now: Date;
  readonly actor: string;
  readonly traceparent?: string | undefined;
  /** The event that it follows from. */
  readonly causationId?: string | undefined;
  /** What is put on record beside the change of status. */
  readonly notes: readonly AuditNote[];
}

/** Writes a changed order, and all that follows from the change: its version, its events, its record. */
@Injectable()
export class SaveOrder {
  constructor(private readonly outbox: Outbox) {}

  /**
   * @param before what was read under the lock of this transaction; null for a new order.
   * @returns the order as it is stored; null when another transaction has just made an order with the same id.
   */
  async run(tx: Tx, before: OrderState | null, changed: OrderState, context: ChangeContext): Promise<OrderState | null> {
    if (before === changed) return changed;
    const after = withVersion(before, changed, context.now);
    if (before === null && !(await insertOrder(tx, after))) return null;
    // Nothing below is waited for one by one: the statements travel together, and the commit waits for all of them.
    await Promise.all([
      before === null ? undefined : updateOrder(tx, after),
      before?.lines === after.lines ? undefined : writeOrderLines(tx, after, before?.lines ?? []),
      ...after.shipments.filter((shipment) => before?.shipments.includes(shipment) !== true).map((it) => writeShipment(tx, after, it)),
      ...after.returns.filter((ret) => before?.returns.includes(ret) !== true).map((ret) => writeReturn(tx, after, ret)),
      this.outbox.append(tx, eventsOf(before, after, context)),
      ...notesOf(before, after, context).map((note) => recordAudit(tx, after, note, context.actor, context.now)),
    ]);
    if (before !== null && before.status !== after.status) {
      const seconds = (context.now.getTime() - before.statusSince.getTime()) / 1000;
      tx.afterCommit(() => metrics.orderStageSeconds.observe({ stage: before.status }, seconds));
    }
    return after;
  }
}

/** Raised by what a reader can see; the first answer of inventory makes version 1. */
export function withVersion(before: OrderState | null, changed: OrderState, now: Date): OrderState {
  if (before === null || changed.status === 'reserving' || changed.status === 'refused') return { ...changed, version: 0, updatedAt: now };
  if (isDeepStrictEqual(visible(before), visible(changed))) return changed;
  return { ...changed, version: before.version + 1, updatedAt: now };
}

function visible({ version: _v, updatedAt: _u, sequence: _s, stockSequence: _q, outstanding: _o, approval, ...seen }: OrderState) {
  return { ...seen, approvalRequestId: shownRequestId({ approval }), awaited: awaitedApproval({ approval })?.override };
}

function eventsOf(before: OrderState | null, after: OrderState, context: ChangeContext): CloudEvent[] {
  const attributes = {
    source: SOURCE,
    subject: after.orderId,
    orgid: after.orgId,
    time: context.now.toISOString(),
    actor: context.actor,
    traceparent: context.traceparent,
    causationid: context.causationId,
  };
  const events: CloudEvent[] = [];
  if (after.outstanding !== null && after.outstanding !== before?.outstanding) events.push(eventOf(after.outstanding, attributes));
  if (statusChanged(before, after)) {
    const hasEnded = after.status === 'rejected' || after.status === 'cancelled';
    const reason = hasEnded && after.cancelReason !== null ? { reason: after.cancelReason } : {};
    const data = { orderId: after.orderId, from: before.status, to: after.status, ...reason };
    events.push(makeEvent(OrderStatusChanged, attributes, data));
  }
  return events;
}

/** A change of status is on record by itself when nothing else says why it came: it was inventory's own doing. */
function notesOf(before: OrderState | null, after: OrderState, { notes }: ChangeContext): readonly AuditNote[] {
  if (notes.length > 0 || !statusChanged(before, after)) return notes;
  return [{ type: 'order_status_changed', details: { from: before.status, to: after.status } }];
}

/** Nobody sees a refused order, so it neither comes from nor goes to a status. */
function statusChanged(before: OrderState | null, after: OrderState): before is OrderState {
  return before !== null && before.status !== after.status && before.status !== 'refused' && after.status !== 'refused';
}
