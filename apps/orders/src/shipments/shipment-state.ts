import type { Shipment as ShipmentView } from '#libs/contracts';
import type { Quantity } from '#libs/domain';

export interface ShipmentLine {
  readonly lineNo: number;
  readonly itemId: string;
  readonly quantity: Quantity;
  /** Null as long as it is inventory's to choose. */
  readonly warehouseId: string | null;
  readonly lot: string | null;
  readonly cogs: string | null;
}

export interface Shipment {
  readonly shipmentId: string;
  readonly status: ShipmentView['status'];
  /** Recognises the body that it was made of. */
  readonly digest: string;
  readonly trackingNumber: string | null;
  readonly shippedAt: Date;
  /** What was asked for while pending, what really left once posted. */
  readonly lines: readonly ShipmentLine[];
  readonly cogsTotal: string | null;
}
