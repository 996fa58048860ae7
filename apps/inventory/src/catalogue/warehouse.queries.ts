import { Cursor, type Page, PAGE_LIMIT_DEFAULT, type RequestOf, type Warehouse, type WarehouseList } from '#libs/contracts';
import { notFound } from '#libs/domain';
import type { Tx } from '#libs/persistence';
import { And, In, MoreThan } from 'typeorm';
import { isShown, type Scope } from '../scope.js';
import { WarehouseEntity } from './warehouse.entity.js';

const cursor = new Cursor('text');

/** The warehouses in which the actor works, by id. */
export async function listWarehouses(
  tx: Tx,
  orgId: string,
  scope: Scope,
  request: RequestOf<typeof WarehouseList>,
): Promise<Page<Warehouse>> {
  const limit = request.limit ?? PAGE_LIMIT_DEFAULT;
  const [after = ''] = cursor.read(request.cursor);
  const warehouseId = scope === null ? MoreThan(after) : And(MoreThan(after), In([...scope]));
  const rows = await tx.manager.find(WarehouseEntity, { where: { orgId, warehouseId }, order: { warehouseId: 'ASC' }, take: limit + 1 });
  return cursor.page(rows, limit, (row) => [row.warehouseId], toWarehouse);
}

/** @throws {HoldfastError} `WAREHOUSE_NOT_FOUND`, also when the actor does not work there. */
export async function getWarehouse(tx: Tx, orgId: string, scope: Scope, warehouseId: string): Promise<Warehouse> {
  const row = await tx.manager.findOneBy(WarehouseEntity, { orgId, warehouseId });
  if (row === null || !isShown(scope, warehouseId)) throw warehouseNotFound(warehouseId);
  return toWarehouse(row);
}

export function warehouseNotFound(warehouseId: string) {
  return notFound('WAREHOUSE_NOT_FOUND', `There is no warehouse ${warehouseId}.`);
}

export function toWarehouse({ warehouseId, name, priority, createdAt }: WarehouseEntity): Warehouse {
  return { warehouseId, name, priority, createdAt: createdAt.toISOString() };
}
