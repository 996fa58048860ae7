import type { Transfer as TransferView } from '#libs/contracts';
import { formatQuantity, type Quantity } from '#libs/domain';
import { lotOrNull } from '../stock-machine/holds.js';
import type { Transfer, TransferLine } from './transfer.js';

/** What of a line is neither here nor there. */
export const underWay = (line: TransferLine): Quantity => line.quantity - line.received - line.missing;

/** A transfer as callers see it. */
export function transferView(transfer: Transfer): TransferView {
  const { transferId, fromWarehouseId, toWarehouseId, mode, status, lines, dispatchedAt, dispatchedBy, completedAt } = transfer;
  return {
    transferId,
    fromWarehouseId,
    toWarehouseId,
    mode,
    status,
    lines: lines.map((line) => ({
      itemId: line.itemId,
      lot: lotOrNull(line.lot),
      quantity: formatQuantity(line.quantity),
      receivedQuantity: formatQuantity(line.received),
      missingQuantity: formatQuantity(line.missing),
      inTransitQuantity: formatQuantity(underWay(line)),
    })),
    dispatchedAt: dispatchedAt.toISOString(),
    dispatchedBy,
    completedAt: completedAt?.toISOString() ?? null,
  };
}
