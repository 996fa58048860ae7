import { Injectable } from '@nestjs/common';
import { authoriseWarehouses } from '#libs/auth';
import type { Order, OrderCancel, RequestOf } from '#libs/contracts';
import type { MessageContext } from '#libs/messaging';
import { digestOf } from '../digest.js';
import { ChangeOrder } from './change-order.js';
import { allWarehousesOf } from './order-state.js';
import { decideCancel } from './order.rules.js';
import { ShowOrders } from './show-orders.js';

/** Cancels an order: what it holds is given back; of a partly shipped one the rest is closed. */
@Injectable()
export class CancelOrder {
  constructor(
    private readonly changeOrder: ChangeOrder,
    private readonly showOrders: ShowOrders,
  ) {}

  async run({ dryRun = false, ...request }: RequestOf<typeof OrderCancel>, context: MessageContext): Promise<Order> {
    const { orderId } = request;
    const change = { orgId: context.orgId, orderId, digest: digestOf('cancel', { orderId }), dryRun, context };
    const order = await this.changeOrder.runExisting(change, (existing) => {
      authoriseWarehouses(context.actor, allWarehousesOf(existing));
      return decideCancel(existing, request);
    });
    return { ...(await this.showOrders.one(order, context)), ...(dryRun ? { dryRun } : {}) };
  }
}
