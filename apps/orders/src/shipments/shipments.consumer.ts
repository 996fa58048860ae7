import { Controller } from '@nestjs/common';
import { type RequestOf, type Shipment, ShipmentCancel, ShipmentCreate, ShipmentGet } from '#libs/contracts';
import { type MessageContext, OnCall } from '#libs/messaging';
import { CancelShipment } from './cancel-shipment.js';
import { ShipOrder } from './ship-order.js';
import { ShipmentQueries } from './shipment.queries.js';

/** Calls about shipments. */
@Controller()
export class ShipmentsConsumer {
  constructor(
    private readonly shipOrder: ShipOrder,
    private readonly cancelShipment: CancelShipment,
    private readonly queries: ShipmentQueries,
  ) {}

  @OnCall(ShipmentCreate)
  async ship(request: RequestOf<typeof ShipmentCreate>, context: MessageContext): Promise<Shipment> {
    return await this.shipOrder.run(request, context);
  }

  @OnCall(ShipmentCancel)
  async cancel(request: RequestOf<typeof ShipmentCancel>, context: MessageContext): Promise<Shipment> {
    return await this.cancelShipment.run(request, context);
  }

  @OnCall(ShipmentGet)
  async get({ shipmentId }: RequestOf<typeof ShipmentGet>, { orgId }: MessageContext): Promise<Shipment> {
    return await this.queries.get(orgId, shipmentId);
  }
}
