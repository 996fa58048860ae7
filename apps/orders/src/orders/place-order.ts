import { Injectable } from '@nestjs/common';
import type { Order, OrderCreate, RequestOf } from '#libs/contracts';
import { uuidv7 } from '#libs/domain';
import type { MessageContext } from '#libs/messaging';
import { digestOf } from '../digest.js';
import { ChangeOrder } from './change-order.js';
import { decidePlace } from './order.rules.js';
import { ReadCatalogue } from './read-catalogue.js';
import { ShowOrders } from './show-orders.js';

/** Places an order and holds its stock softly; what is refused leaves no order, only the recorded attempt. */
@Injectable()
export class PlaceOrder {
  constructor(
    private readonly changeOrder: ChangeOrder,
    private readonly readCatalogue: ReadCatalogue,
    private readonly showOrders: ShowOrders,
  ) {}

  async run({ dryRun = false, ...request }: RequestOf<typeof OrderCreate>, context: MessageContext): Promise<Order> {
    const { orgId } = context;
    const orderId = request.orderId ?? uuidv7();
    const catalogue = await this.readCatalogue.run(
      request.lines.map((line) => line.itemId),
      context,
    );
    const digest = digestOf('place', { ...request, orderId });
    const change = { orgId, orderId, digest, dryRun, isNew: request.orderId === undefined, context };
    const order = await this.changeOrder.run(change, (existing, now) =>
      decidePlace({ orgId, orderId }, existing, request, digest, catalogue, now),
    );
    return { ...(await this.showOrders.one(order, context)), ...(dryRun ? { dryRun } : {}) };
  }
}
