import { Injectable } from '@nestjs/common';
import { BackorderDates, type Order } from '#libs/contracts';
import type { Day } from '#libs/domain';
import { RpcClient } from '#libs/messaging';
import { type Caller, callOptions } from '../stock/ask-inventory.js';
import type { OrderState } from './order-state.js';
import { orderView, waitsForStock } from './order-view.js';
import { OrganisationSettings } from './organisation-settings.js';
import { StockWarnings, type Viewer } from './stock-warnings.js';

/** An order is shown without its day rather than late. */
const PATIENCE_MS = 1_000;
const ORDERS_PER_CALL_MAX = 500;

/** Shows orders to callers, with the days on which they are expected to leave and to arrive, as far as inventory knows. */
@Injectable()
export class ShowOrders {
  constructor(
    private readonly rpc: RpcClient,
    private readonly settings: OrganisationSettings,
    private readonly stockWarnings: StockWarnings,
  ) {}

  /** With what there is to warn of its stock. */
  async one(order: OrderState, viewer: Viewer): Promise<Order> {
    const settings = await this.settings.read(order.orgId, viewer);
    const [[view], warnings] = await Promise.all([
      this.all(order.orgId, [order], viewer),
      settings === null ? [] : this.stockWarnings.read(order, settings, viewer),
    ]);
    return { ...view!, warnings: [...view!.warnings, ...warnings] };
  }

  async all(orgId: string, orders: readonly OrderState[], caller: Caller): Promise<Order[]> {
    const calendar = await this.settings.read(orgId, caller);
    const waiting = orders.filter(waitsForStock).map(({ orderId }) => orderId);
    // Who does not tell what time it is will not tell this either.
    const days = calendar === null || waiting.length === 0 ? new Map<string, Day | null>() : await this.servedDays(orgId, waiting, caller);
    const now = new Date();
    return orders.map((order) => orderView(order, calendar, days.get(order.orderId) ?? null, now));
  }

  private async servedDays(orgId: string, waiting: readonly string[], caller: Caller): Promise<ReadonlyMap<string, Day | null>> {
    const { timeoutMs = PATIENCE_MS, traceparent } = callOptions(caller);
    const orderIds = waiting.slice(0, ORDERS_PER_CALL_MAX);
    const { orders } = await this.rpc
      .call(BackorderDates, { orgId, orderIds }, { timeoutMs: Math.min(timeoutMs, PATIENCE_MS), traceparent })
      .catch(() => ({ orders: [] }));
    return new Map(orders.map(({ orderId, date }) => [orderId, date]));
  }
}
