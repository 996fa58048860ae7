import { Cursor, type Item, type ItemList, type Page, PAGE_LIMIT_DEFAULT, type RequestOf } from '#libs/contracts';
import { HoldfastError, shortestDecimal } from '#libs/domain';
import type { Tx } from '#libs/persistence';
import { In, MoreThan } from 'typeorm';
import { ItemEntity } from './item.entity.js';

const cursor = new Cursor('text');

/** The items of an organisation, by id. */
export async function listItems(tx: Tx, orgId: string, request: RequestOf<typeof ItemList>): Promise<Page<Item>> {
  const limit = request.limit ?? PAGE_LIMIT_DEFAULT;
  const [after = ''] = cursor.read(request.cursor);
  const rows = await tx.manager.find(ItemEntity, { where: { orgId, itemId: MoreThan(after) }, order: { itemId: 'ASC' }, take: limit + 1 });
  return cursor.page(rows, limit, (row) => [row.itemId], toItem);
}

/**
 * The items with these ids, in this order.
 *
 * @throws {HoldfastError} `ITEM_NOT_FOUND` that names all that do not exist.
 */
export async function getItems(tx: Tx, orgId: string, itemIds: readonly string[]): Promise<readonly Item[]> {
  const rows = await tx.manager.findBy(ItemEntity, { orgId, itemId: In([...new Set(itemIds)]) });
  const found = new Map(rows.map((row) => [row.itemId, toItem(row)]));
  const missing = itemIds.filter((itemId) => !found.has(itemId));
  if (missing.length > 0) throw itemNotFound(missing);
  return itemIds.map((itemId) => found.get(itemId)!);
}

export function itemNotFound(itemIds: readonly string[]) {
  const which = itemIds.length === 1 ? 'item' : 'items';
  return new HoldfastError('not_found', 'ITEM_NOT_FOUND', `There is no ${which} ${itemIds.join(', ')}.`, { itemIds });
}

export function toItem(row: ItemEntity): Item {
  const { orgId: _, fingerprint: __, createdAt, unitPrice, reorderPoint, safetyStock, ...fields } = row;
  return {
    ...fields,
    unitPrice: unitPrice && shortestDecimal(unitPrice),
    reorderPoint: reorderPoint && shortestDecimal(reorderPoint),
    safetyStock: safetyStock && shortestDecimal(safetyStock),
    createdAt: createdAt.toISOString(),
  };
}
