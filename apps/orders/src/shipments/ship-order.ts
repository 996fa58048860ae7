import { Injectable } from '@nestjs/common';
import { type Actor, authoriseWarehouses } from '#libs/auth';
import type { RequestOf, Shipment, ShipmentCreate } from '#libs/contracts';
import { forbidden, parseQuantity, sumQuantities, uuidv7, ZERO } from '#libs/domain';
import type { MessageContext } from '#libs/messaging';
import { digestOf } from '../digest.js';
import { ChangeOrder } from '../orders/change-order.js';
import { lineOf, type OrderState, warehousesOf } from '../orders/order-state.js';
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
      authoriseShipping(context.actor, existing, request.lines);
      return decideShip(existing, { ...request, shipmentId }, digest, now);
    });
    return { ...shipmentView(orderId, findShipment(order, shipmentId)), ...(dryRun ? { dryRun } : {}) };
  }
}

/** Lines that name a warehouse were checked when the request came in; the others leave from where they are held, or were ordered from. */
function authoriseShipping(actor: Actor, order: OrderState, lines: RequestOf<typeof ShipmentCreate>['lines']): void {
  for (const { lineNo, quantity } of lines.filter((line) => line.warehouseId === undefined)) {
    const { warehouseId } = lineOf(order, lineNo);
    authoriseWarehouses(actor, warehouseId === null ? warehousesOf(order, [lineNo]) : [warehouseId]);
    const held = sumQuantities(order.holds, (hold) => (hold.lineNo === lineNo ? hold.quantity : ZERO));
    if (actor.warehouses === null || warehouseId !== null || held >= parseQuantity(quantity)) continue;
    const message = `More of line ${lineNo} leaves than is held anywhere: say in \`warehouseId\` from where, so that no other warehouse serves it.`;
    throw forbidden('WAREHOUSE_FORBIDDEN', message);
  }
}
