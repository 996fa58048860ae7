import { Injectable } from '@nestjs/common';
import type { Shipment } from '#libs/contracts';
import { Database } from '#libs/persistence';
import { readShipments, orderOfShipment } from './shipment.sql.js';
import { shipmentNotFound } from './shipment.rules.js';
import { shipmentView } from './shipment-view.js';

/** Shipments for screens. */
@Injectable()
export class ShipmentQueries {
  constructor(private readonly database: Database) {}

  /** @throws {HoldfastError} 404 `SHIPMENT_NOT_FOUND`. */
  async get(orgId: string, shipmentId: string): Promise<Shipment> {
    return await this.database.transaction(
      [orgId],
      async (tx) => {
        const orderId = await orderOfShipment(tx, orgId, shipmentId);
        if (orderId === undefined) throw shipmentNotFound(shipmentId);
        const shipments = (await readShipments(tx, orgId, [orderId])).get(orderId) ?? [];
        return shipmentView(
          orderId,
          shipments.find((shipment) => shipment.shipmentId === shipmentId)!,
        );
      },
      { readOnly: true },
    );
  }
}
