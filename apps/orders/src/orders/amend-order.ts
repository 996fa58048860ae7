import { Injectable } from '@nestjs/common';
import { authoriseWarehouses } from '#libs/auth';
import type { Order, OrderUpdate, RequestOf } from '#libs/contracts';
import type { MessageContext } from '#libs/messaging';
import { digestOf } from '../digest.js';
import { ChangeOrder } from './change-order.js';
import { allWarehousesOf } from './order-state.js';
import { decideAmend } from './order.rules.js';
import { ReadCatalogue } from './read-catalogue.js';
import { ShowOrders } from './show-orders.js';

/** Replaces the lines of an order and holds the new totals, in one step; when refused, everything stays as it was. */
@Injectable()
export class AmendOrder {
  constructor(
    private readonly changeOrder: ChangeOrder,
    private readonly readCatalogue: ReadCatalogue,
    private readonly showOrders: ShowOrders,
  ) {}

  async run({ dryRun = false, ...request }: RequestOf<typeof OrderUpdate>, context: MessageContext): Promise<Order> {
    const { orgId } = context;
    const catalogue = await this.readCatalogue.run(
      request.lines.map((line) => line.itemId),
      context,
    );
    const change = { orgId, orderId: request.orderId, digest: digestOf('amend', request), dryRun, context };
    const order = await this.changeOrder.runExisting(change, (existing) => {
      // What the request names was checked when it came in; lines that go, or go elsewhere, are held somewhere too.
      authoriseWarehouses(context.actor, allWarehousesOf(existing));
      return decideAmend(existing, request, catalogue);
    });
    return { ...(await this.showOrders.one(order, context)), ...(dryRun ? { dryRun } : {}) };
  }
}
