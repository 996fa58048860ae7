import { setTimeout as delay } from 'node:timers/promises';
import { Injectable, Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { Database } from '#libs/persistence';
import { readOrders } from '../orders/order.sql.js';
import type { OrderKey } from '../orders/order-state.js';
import { CarryOn } from '../approvals/carry-on.js';

const EVERY_MS = 15_000;
/** Both the call and the event have had their time. */
const UNANSWERED_MS = 30_000;
const ORDERS_MAX = 100;

/**
 * Asks again about what has been outstanding for too long: inventory about an inspection, which no event about the order answers, and
 * whatever else was lost to both ways; approvals about what it has not answered. Several replicas may ask the same: the second answer changes nothing.
 */
@Injectable()
export class AskAgain implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger(AskAgain.name);
  private readonly stopping = new AbortController();
  private running: Promise<void> = Promise.resolve();

  constructor(
    private readonly database: Database,
    private readonly carryOn: CarryOn,
  ) {}

  onApplicationBootstrap(): void {
    this.running = this.runUntilStopped();
  }

  async onModuleDestroy(): Promise<void> {
    this.stopping.abort();
    await this.running;
  }

  /** Asks about everything that was asked before this time, once. */
  async run(askedBefore: Date): Promise<void> {
    const due = await this.database.transaction([], (tx) =>
      tx.rows<{ org_id: string; order_id: string }>(
        'select org_id, order_id from unanswered_orders($1, $2) union select org_id, order_id from untold_approvals($1, $2)',
        [askedBefore, ORDERS_MAX],
      ),
    );
    for (const { org_id: orgId, order_id: orderId } of due) {
      if (this.stopping.signal.aborted) return;
      // One that cannot be answered now does not keep the others waiting for good.
      await this.ask({ orgId, orderId }).catch((error: unknown) => this.logger.warn(`Order ${orderId} stays unanswered: ${String(error)}`));
    }
  }

  private async ask({ orgId, orderId }: OrderKey): Promise<void> {
    const [order] = await this.database.transaction([orgId], (tx) => readOrders(tx, orgId, [orderId]), { readOnly: true });
    if (order !== undefined) await this.carryOn.run(order, {});
  }

  private async runUntilStopped(): Promise<void> {
    for (;;) {
      await delay(EVERY_MS, undefined, { signal: this.stopping.signal }).catch(() => {});
      if (this.stopping.signal.aborted) return;
      await this.run(new Date(Date.now() - UNANSWERED_MS)).catch((error: unknown) => this.logger.warn(String(error)));
    }
  }
}
