import { Injectable } from '@nestjs/common';
import { authoriseWarehouses } from '#libs/auth';
import type { Order, OrderConfirm, RequestOf } from '#libs/contracts';
import type { MessageContext } from '#libs/messaging';
import { digestOf } from '../digest.js';
import { ChangeOrder } from './change-order.js';
import { allWarehousesOf } from './order-state.js';
import { decideConfirm } from './order.rules.js';
import { ShowOrders } from './show-orders.js';

/** Confirms an order: its hold becomes firm, and one that expired is made again. */
@Injectable()
export class ConfirmOrder {
  constructor(
    private readonly changeOrder: ChangeOrder,
    private readonly showOrders: ShowOrders,
  ) {}

  async run({ orderId, dryRun = false }: RequestOf<typeof OrderConfirm>, context: MessageContext): Promise<Order> {
    const change = { orgId: context.orgId, orderId, digest: digestOf('confirm', { orderId }), dryRun, context };
    const order = await this.changeOrder.runExisting(change, (existing) => {
      authoriseWarehouses(context.actor, allWarehousesOf(existing));
      return decideConfirm(existing);
    });
    return { ...(await this.showOrders.one(order, context)), ...(dryRun ? { dryRun } : {}) };
  }
}
