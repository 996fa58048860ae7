import type { Shipment as ShipmentView } from '#libs/contracts';
import { formatQuantity } from '#libs/domain';
import type { Shipment } from './shipment-state.js';

/** The shipment as callers see it. */
export function shipmentView(orderId: string, shipment: Shipment): ShipmentView {
  return {
    shipmentId: shipment.shipmentId,
    orderId,
    status: shipment.status,
    trackingNumber: shipment.trackingNumber,
    shippedAt: shipment.shippedAt.toISOString(),
    lines: shipment.lines.map((line) => ({ ...line, quantity: formatQuantity(line.quantity) })),
    cogsTotal: shipment.cogsTotal,
  };
}
