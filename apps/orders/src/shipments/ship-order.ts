import { Injectable } from '@nestjs/common';
import { authoriseWarehouses } from '#libs/auth';
import type { RequestOf, Shipment, ShipmentCreate } from '#libs/contracts';
import { uuidv7 } from '#libs/domain';
import type { MessageContext } from '#libs/messaging';
import { digestOf } from '../digest.js';
import { ChangeOrder } from '../orders/change-order.js';
import { warehousesOf } from '../orders/order-state.js';
import { decideShip, findShipment } from './shipment.rules.js';
import { shipmentView } from './shipment-view.js';

/** Ships an order, or a part of it: on hand falls by what leaves. */
@Injectable()
export class ShipOrder {
  constructor(private readonly changeOrder: ChangeOrder) {}

  async run({ dryRun = false, ...request }: RequestOf<typeof ShipmentCreate>, context: MessageContext): Promise<Shipment> {
    const { orderId, shipmentId = uuidv7() } = request;
    const digest = digestOf('ship', { ...request, shipmentId });
    const change = { orgId: context.orgId, orderId, digest, dryRun, context };
    const order = await this.changeOrder.runExisting(change, (existing, now) => {
      // Lines that name a warehouse were checked when the request came in.
      const elsewhere = request.lines.filter((line) => line.warehouseId === undefined).map((line) => line.lineNo);
      authoriseWarehouses(context.actor, warehousesOf(existing, elsewhere));
      return decideShip(existing, { ...request, shipmentId }, digest, now);
    });
    return { ...shipmentView(orderId, findShipment(order, shipmentId)), ...(dryRun ? { dryRun } : {}) };
  }
}
