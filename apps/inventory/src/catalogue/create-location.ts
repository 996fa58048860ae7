import type { Location } from '#libs/contracts';
import type { Tx } from '#libs/persistence';
import { DEFAULT_LOCATION } from '../stock-machine/quants.js';
import { getWarehouse } from './warehouse.queries.js';

/**
 * Creates a bin in a warehouse. A repeat answers the bin as it is; `default` is always there.
 *
 * @throws {HoldfastError} `WAREHOUSE_NOT_FOUND`.
 */
export async function createLocation(
  tx: Tx,
  orgId: string,
  { warehouseId, location, dryRun = false }: { warehouseId: string; location: string; dryRun?: boolean },
): Promise<Location> {
  const warehouse = await getWarehouse(tx, orgId, null, warehouseId);
  if (location === DEFAULT_LOCATION) return { warehouseId, location, createdAt: warehouse.createdAt, ...(dryRun ? { dryRun } : {}) };
  if (!dryRun) {
    await tx.execute('insert into location (org_id, warehouse_id, location) values ($1, $2, $3) on conflict do nothing', [
      orgId,
      warehouseId,
      location,
    ]);
  }
  const [row] = await tx.rows<{ created_at: Date }>(
    'select created_at from location where org_id = $1 and warehouse_id = $2 and location = $3',
    [orgId, warehouseId, location],
  );
  const createdAt = (row?.created_at ?? new Date()).toISOString();
  return { warehouseId, location, createdAt, ...(dryRun ? { dryRun } : {}) };
}
