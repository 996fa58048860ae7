import { Injectable } from '@nestjs/common';
import { authoriseWarehouses } from '#libs/auth';
import type { RequestOf, Shipment, ShipmentCancel } from '#libs/contracts';
import type { MessageContext } from '#libs/messaging';
import { Database } from '#libs/persistence';
import { digestOf } from '../digest.js';
import { ChangeOrder } from '../orders/change-order.js';
import { orderOfShipment } from './shipment.sql.js';
import { decideUnship, findShipment, shipmentNotFound } from './shipment.rules.js';
import { shipmentView } from './shipment-view.js';

/** Takes a shipment back: its goods return to stock and are held for the order again. */
@Injectable()
export class CancelShipment {
  constructor(
    private readonly database: Database,
    private readonly changeOrder: ChangeOrder,
  ) {}

  async run({ dryRun = false, ...request }: RequestOf<typeof ShipmentCancel>, context: MessageContext): Promise<Shipment> {
    const { orgId } = context;
    const { shipmentId } = request;
    const orderId = await this.database.transaction([orgId], (tx) => orderOfShipment(tx, orgId, shipmentId), { readOnly: true });
    if (orderId === undefined) throw shipmentNotFound(shipmentId);
    const change = { orgId, orderId, digest: digestOf('unship', { shipmentId }), dryRun, context };
    const order = await this.changeOrder.runExisting(change, (existing) => {
      const { lines } = findShipment(existing, shipmentId);
      authoriseWarehouses(
        context.actor,
        lines.flatMap((line) => line.warehouseId ?? []),
      );
      return decideUnship(existing, request);
    });
    return { ...shipmentView(orderId, findShipment(order, shipmentId)), ...(dryRun ? { dryRun } : {}) };
  }
}
