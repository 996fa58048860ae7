import { type AvailabilityProject, PROJECTION_DAYS_DEFAULT, type RequestOf, type StockProjection } from '#libs/contracts';
import { formatQuantity } from '#libs/domain';
import type { Tx } from '#libs/persistence';
import { itemNotFound } from '../catalogue/item.queries.js';
import { warehouseNotFound } from '../catalogue/warehouse.queries.js';
import { isShown, type Scope } from '../scope.js';
import { readOutlooks } from './outlook.queries.js';
import { project } from './project.js';

/**
 * How the stock of an item in a warehouse is expected to be on the days from today on.
 *
 * @throws {HoldfastError} `ITEM_NOT_FOUND`; `WAREHOUSE_NOT_FOUND`, also when the actor does not work there.
 */
export async function readProjection(
  tx: Tx,
  orgId: string,
  scope: Scope,
  { itemId, warehouseId, days = PROJECTION_DAYS_DEFAULT }: RequestOf<typeof AvailabilityProject>,
): Promise<StockProjection> {
  const { today, places } = await readOutlooks(tx, orgId, [{ itemId, warehouseId }]);
  const { outlook, itemKnown, warehouseKnown } = places[0]!;
  if (!itemKnown) throw itemNotFound([itemId]);
  if (!warehouseKnown || !isShown(scope, warehouseId)) throw warehouseNotFound(warehouseId);
  const projection = project(outlook, today, days).map(({ day, projected, available }) => ({
    date: day,
    projected: formatQuantity(projected),
    available: formatQuantity(available),
  }));
  return { itemId, warehouseId, days: projection };
}
