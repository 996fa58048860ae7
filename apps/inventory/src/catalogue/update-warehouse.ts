import type { RequestOf, Warehouse, WarehouseUpdate } from '#libs/contracts';
import type { Tx } from '#libs/persistence';
import { WarehouseEntity } from './warehouse.entity.js';
import { toWarehouse, warehouseNotFound } from './warehouse.queries.js';

/**
 * Changes a warehouse; what is not named stays as it is.
 *
 * @throws {HoldfastError} `WAREHOUSE_NOT_FOUND`.
 */
export async function updateWarehouse(tx: Tx, orgId: string, request: RequestOf<typeof WarehouseUpdate>): Promise<Warehouse> {
  const { warehouseId, name, priority, dryRun } = request;
  const changes = { ...(name !== undefined && { name }), ...(priority !== undefined && { priority }) };
  if (!dryRun && Object.keys(changes).length > 0) await tx.manager.update(WarehouseEntity, { orgId, warehouseId }, changes);
  const row = await tx.manager.findOneBy(WarehouseEntity, { orgId, warehouseId });
  if (row === null) throw warehouseNotFound(warehouseId);
  return dryRun ? { ...toWarehouse(row), ...changes, dryRun: true } : toWarehouse(row);
}
