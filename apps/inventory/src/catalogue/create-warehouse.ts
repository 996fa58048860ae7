import type { RequestOf, Warehouse, WarehouseCreate } from '#libs/contracts';
import { conflict } from '#libs/domain';
import type { Tx } from '#libs/persistence';
import { fingerprint } from '../fingerprint.js';
import { WarehouseEntity } from './warehouse.entity.js';
import { toWarehouse } from './warehouse.queries.js';

const PRIORITY_DEFAULT = 100;

/**
 * Creates a warehouse. A repeat with an equal body answers the warehouse as it is now, whatever was changed since.
 *
 * @throws {HoldfastError} `ALREADY_EXISTS` when it was created with another body.
 */
export async function createWarehouse(tx: Tx, orgId: string, request: RequestOf<typeof WarehouseCreate>): Promise<Warehouse> {
  const { warehouseId, name, priority = PRIORITY_DEFAULT, dryRun } = request;
  const wanted = { warehouseId, name, priority };
  const body = fingerprint(wanted);
  if (!dryRun) {
    await tx.manager
      .createQueryBuilder()
      .insert()
      .into(WarehouseEntity)
      .values({ orgId, ...wanted, fingerprint: body })
      .orIgnore()
      .execute();
  }
  const row = await tx.manager.findOneBy(WarehouseEntity, { orgId, warehouseId });
  if (row !== null && row.fingerprint !== body) {
    throw conflict('ALREADY_EXISTS', `Warehouse ${warehouseId} exists and was created with another body. Change it with an update.`);
  }
  const answer = row === null ? { ...wanted, createdAt: new Date().toISOString() } : toWarehouse(row);
  return dryRun ? { ...answer, dryRun: true } : answer;
}
