import { Cursor, type Location, type LocationList, type Page, PAGE_LIMIT_DEFAULT, type RequestOf } from '#libs/contracts';
import type { Tx } from '#libs/persistence';
import type { Scope } from '../scope.js';
import { DEFAULT_LOCATION } from '../stock-machine/quants.js';
import { getWarehouse } from './warehouse.queries.js';

const cursor = new Cursor('text');

/** The bins of a warehouse, by name. @throws {HoldfastError} `WAREHOUSE_NOT_FOUND`, also when the actor does not work there. */
export async function listLocations(tx: Tx, orgId: string, scope: Scope, request: RequestOf<typeof LocationList>): Promise<Page<Location>> {
  const { warehouseId, limit = PAGE_LIMIT_DEFAULT } = request;
  await getWarehouse(tx, orgId, scope, warehouseId);
  const [after = null] = cursor.read(request.cursor);
  const rows = await tx.rows<{ location: string; created_at: Date }>(
    `select * from (
       select location, created_at from location where org_id = $1 and warehouse_id = $2
        union all
       select $3, created_at from warehouse where org_id = $1 and warehouse_id = $2) l
      where $4::text is null or location > $4
      order by location
      limit $5`,
    [orgId, warehouseId, DEFAULT_LOCATION, after, limit + 1],
  );
  return cursor.page(
    rows,
    limit,
    (row) => [row.location],
    (row) => ({ warehouseId, location: row.location, createdAt: row.created_at.toISOString() }),
  );
}
