import { Injectable } from '@nestjs/common';
import { authoriseWarehouses } from '#libs/auth';
import { type Order, type OrderPack, type OrderPick, PickingSuggest, type PickSuggestion, type RequestOf } from '#libs/contracts';
import { type MessageContext, RpcClient } from '#libs/messaging';
import { digestOf } from '../digest.js';
import { callOptions } from '../stock/ask-inventory.js';
import { type Change, ChangeOrder } from './change-order.js';
import { decidePack, decidePick } from './handling.rules.js';
import { warehousesOf } from './order-state.js';
import { ShowOrders } from './show-orders.js';

/** Records what was picked and packed. Inventory moves its holds to what was picked; what was packed is ours alone. */
@Injectable()
export class RecordHandling {
  constructor(
    private readonly changeOrder: ChangeOrder,
    private readonly rpc: RpcClient,
    private readonly showOrders: ShowOrders,
  ) {}

  /** @throws {HoldfastError} also 409 `INSUFFICIENT_STOCK` when more was picked than is held or there. */
  async pick({ orderId, lines, dryRun = false }: RequestOf<typeof OrderPick>, context: MessageContext): Promise<Order> {
    const change = { orgId: context.orgId, orderId, digest: digestOf('pick', { orderId, lines }), dryRun, context };
    return await this.record(change, lines, (order) => decidePick(order, lines ?? null));
  }

  async pack({ orderId, lines, dryRun = false }: RequestOf<typeof OrderPack>, context: MessageContext): Promise<Order> {
    const suggestions = lines === undefined ? await this.suggest(orderId, context) : [];
    const change = { orgId: context.orgId, orderId, digest: digestOf('pack', { orderId }), dryRun, context };
    return await this.record(change, lines, (order, now) => decidePack(order, lines ?? null, suggestions, now));
  }

  /** What to pick, from the order's reservations: a snapshot. */
  async suggest(orderId: string, context: MessageContext): Promise<readonly PickSuggestion[]> {
    return (await this.rpc.call(PickingSuggest, { orgId: context.orgId, orderId }, callOptions(context))).lines;
  }

  private async record(
    change: Change,
    lines: RequestOf<typeof OrderPick>['lines'],
    decide: Parameters<ChangeOrder['runExisting']>[1],
  ): Promise<Order> {
    const order = await this.changeOrder.runExisting(change, (existing, now) => {
      const handled = lines?.map((line) => line.lineNo) ?? existing.lines.map((line) => line.lineNo);
      authoriseWarehouses(change.context.actor, warehousesOf(existing, handled));
      return decide(existing, now);
    });
    return { ...(await this.showOrders.one(order, change.context)), ...(change.dryRun ? { dryRun: true } : {}) };
  }
}
