import { Injectable } from '@nestjs/common';
import type { CloudEvent, StockLine } from '#libs/contracts';
import { crashPoint, Inbox } from '#libs/messaging';
import { Database, type Tx } from '#libs/persistence';
import { lockOrder, mayBeNews } from '../orders/order.sql.js';
import { SaveOrder } from '../orders/save-order.js';
import { CarryOn } from '../approvals/carry-on.js';
import { applyStockReport } from './apply-stock-report.js';
import { settlementNotes } from './settlement-note.js';
import { type StockReport, toLineStock } from './stock-report.js';

/** An event of inventory about an order. */
type StockEvent = CloudEvent<{ readonly orderId: string; readonly stock: readonly StockLine[] }>;

/** Applies what inventory says by event. Orders that came by the event of another system are not ours: what is said of them is passed over. */
@Injectable()
export class HearInventory {
  constructor(
    private readonly database: Database,
    private readonly inbox: Inbox,
    private readonly saveOrder: SaveOrder,
    private readonly carryOn: CarryOn,
  ) {}

  /** @param facts what the event says beside the stock state. */
  async run(event: StockEvent, facts: Omit<StockReport, 'sequence' | 'stock'>): Promise<void> {
    const { orgid: orgId, data } = event;
    const report: StockReport = { ...facts, sequence: event.sequence ?? 0, stock: data.stock.map(toLineStock) };
    const work = async (tx: Tx) => {
      const key = { orgId, orderId: data.orderId };
      // Most events only repeat what the call was answered. What was moved is looked at always: its shipment may not know of it yet.
      const [admitted, isNews] = await Promise.all([this.inbox.admit(tx, [event]), mayBeNews(tx, key, report.sequence)]);
      if (admitted.size === 0 || !(isNews || (facts.answer?.moved.length ?? 0) > 0)) return null;
      const order = await lockOrder(tx, key);
      if (order === null) return null;
      const now = new Date();
      const applied = applyStockReport(order, report, now);
      const after = await this.saveOrder.run(tx, order, applied.order, {
        now,
        actor: applied.settled?.outstanding.actor ?? event.actor ?? event.source,
        traceparent: event.traceparent,
        causationId: event.id,
        notes: settlementNotes(order, applied.order, applied.settled),
      });
      return applied.settled === null ? null : after;
    };
    const settled = await this.database.transaction([orgId], work, { repeatable: true });
    crashPoint('after-report', 'orders');
    // What follows because of an approval.
    if (settled !== null) await this.carryOn.run(settled, { traceparent: event.traceparent });
  }
}
