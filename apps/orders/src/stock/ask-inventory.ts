import { Injectable } from '@nestjs/common';
import { HoldfastError, unavailable } from '#libs/domain';
import { type CallOptions, crashPoint, type MessageContext, RpcClient } from '#libs/messaging';
import { Database, type Tx } from '#libs/persistence';
import { lockOrder } from '../orders/order.sql.js';
import type { OrderState, Waiting } from '../orders/order-state.js';
import { SaveOrder } from '../orders/save-order.js';
import { type Applied, applyStockReport, type Settled, subjectOf } from './apply-stock-report.js';
import { settlementNotes } from './settlement-note.js';
import { call } from './stock-command.js';
import { type StockReport, unreadable } from './stock-report.js';

/** What a call of ours needs to know of the call that it serves. */
export type Caller = { readonly [K in 'deadlineMs' | 'traceparent']?: MessageContext[K] | undefined };

const TIMEOUT_MS = 5_000;
/** Kept back of the caller's patience, so that it hears from us which order to ask for again. */
const MARGIN_MS = 500;

/** How long a call of ours may take, so that its failure can still be answered in time. */
export function callOptions({ deadlineMs = Infinity, traceparent }: Caller): CallOptions {
  return { timeoutMs: Math.max(1, Math.min(TIMEOUT_MS, deadlineMs - Date.now() - MARGIN_MS)), traceparent };
}

/**
 * Asks inventory about what is outstanding, and applies the answer. The event that says the same is under way, so asking is safe at any
 * time, any number of times, and a lost answer is only a slow one.
 */
@Injectable()
export class AskInventory {
  constructor(
    private readonly rpc: RpcClient,
    private readonly database: Database,
    private readonly saveOrder: SaveOrder,
  ) {}

  /**
   * Settles what is outstanding.
   *
   * @throws {HoldfastError} kind `unavailable`, with the `orderId`, when inventory does not answer in time.
   */
  async settle(order: Waiting, caller: Caller): Promise<{ order: OrderState; settled: Settled }> {
    const { outstanding } = order;
    crashPoint('before-call', 'orders');
    const report = await this.ask(order, false, caller);
    crashPoint('after-call', 'orders');
    const work = async (tx: Tx) => {
      const current = await lockOrder(tx, order);
      if (current === null) throw new Error(`Order ${order.orderId} is gone.`);
      const now = new Date();
      // Its event, or somebody who asked at the same time, may have been first.
      const isOpen = current.outstanding?.sequence === outstanding.sequence;
      const applied = applyStockReport(current, report, now, isOpen);
      const notes = settlementNotes(current, applied.order, applied.settled);
      const context = { now, actor: outstanding.actor, traceparent: caller.traceparent, notes };
      return (await this.saveOrder.run(tx, current, applied.order, context)) ?? current;
    };
    const after = await this.database.transaction([order.orgId], work, { repeatable: true });
    return { order: after, settled: { outstanding, refusal: report.answer?.refusal ?? null } };
  }

  /** What inventory would answer; changes nothing anywhere. */
  async rehearse(order: Waiting, caller: Caller, now: Date): Promise<Applied> {
    return applyStockReport(order, await this.ask(order, true, caller), now, true);
  }

  private async ask(order: Waiting, dryRun: boolean, caller: Caller): Promise<StockReport> {
    try {
      return await call(this.rpc, order.orgId, order.outstanding, dryRun, {
        ...callOptions(caller),
        onBehalfOf: order.outstanding.actor,
      });
    } catch (error) {
      if (!(error instanceof HoldfastError)) throw error;
      const { kind, data } = order.outstanding;
      // Asking again would be answered the same for ever; the order must not wait for it.
      if (error.kind === 'invalid') return unreadable(kind, subjectOf(order.outstanding), error);
      if (error.kind !== 'unavailable') throw error;
      const subject =
        kind === 'ship' || kind === 'unship' ? { shipmentId: data.shipmentId } : 'returnId' in data ? { returnId: data.returnId } : {};
      const message = 'Inventory has not answered in time. Repeat the request with the same ids: it goes on where it stopped.';
      throw unavailable(message, { orderId: order.orderId, ...subject, retryAfterSeconds: 1 }, { cause: error });
    }
  }
}
