import { Injectable } from '@nestjs/common';
import { authoriseWarehouses } from '#libs/auth';
import { type Order, type OrderPack, type OrderPick, PickingSuggest, type PickSuggestion, type RequestOf } from '#libs/contracts';
import { type MessageContext, RpcClient } from '#libs/messaging';
import { digestOf } from '../digest.js';
import { callOptions } from '../stock/ask-inventory.js';
import { ChangeOrder } from './change-order.js';
import { decidePack, decidePick, suggestedTotals } from './handling.rules.js';
import { warehousesOf } from './order-state.js';
import { ShowOrders } from './show-orders.js';

/** Records what was picked and packed. Both are ours alone: inventory learns of it when the goods leave. */
@Injectable()
export class RecordHandling {
  constructor(
    private readonly changeOrder: ChangeOrder,
    private readonly rpc: RpcClient,
    private readonly showOrders: ShowOrders,
  ) {}

  async pick({ orderId, lines, dryRun = false }: RequestOf<typeof OrderPick>, context: MessageContext): Promise<Order> {
    const suggestions = lines === undefined ? await this.suggest(orderId, context) : [];
    return await this.record('pick', { orderId, lines, dryRun }, context, (order, now) =>
      decidePick(order, lines ?? suggestedTotals(order, suggestions), now),
    );
  }

  async pack({ orderId, lines, dryRun = false }: RequestOf<typeof OrderPack>, context: MessageContext): Promise<Order> {
    const suggestions = lines === undefined ? await this.suggest(orderId, context) : [];
    return await this.record('pack', { orderId, lines, dryRun }, context, (order, now) =>
      decidePack(order, lines ?? null, suggestions, now),
    );
  }

  /** What to pick, from the order's reservations: a snapshot. */
  async suggest(orderId: string, context: MessageContext): Promise<readonly PickSuggestion[]> {
    return (await this.rpc.call(PickingSuggest, { orgId: context.orgId, orderId }, callOptions(context))).lines;
  }

  private async record(
    kind: 'pick' | 'pack',
    { orderId, lines, dryRun }: { orderId: string; lines: RequestOf<typeof OrderPick>['lines']; dryRun: boolean },
    context: MessageContext,
    decide: Parameters<ChangeOrder['runExisting']>[1],
  ): Promise<Order> {
    const change = { orgId: context.orgId, orderId, digest: digestOf(kind, { orderId }), dryRun, context };
    const order = await this.changeOrder.runExisting(change, (existing, now) => {
      const handled = lines?.map((line) => line.lineNo) ?? existing.lines.map((line) => line.lineNo);
      authoriseWarehouses(context.actor, warehousesOf(existing, handled));
      return decide(existing, now);
    });
    return { ...(await this.showOrders.one(order, context)), ...(dryRun ? { dryRun } : {}) };
  }
}
