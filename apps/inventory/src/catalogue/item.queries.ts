import { Cursor, type Item, type ItemList, type Page, PAGE_LIMIT_DEFAULT, type RequestOf } from '#libs/contracts';
import { HoldfastError, shortestDecimal } from '#libs/domain';
import { statement, type Tx } from '#libs/persistence';
import { MoreThan } from 'typeorm';
import { ItemEntity } from './item.entity.js';

const cursor = new Cursor('text');

/** Asked for every order that is placed, hence prepared: through the entity the statement is planned anew each time. */
const read = statement<ItemEntity>(
  'items_read',
  `select i.org_id as "orgId", i.item_id as "itemId", i.name, i.unit, i.tracking, i.costing, i.unit_price as "unitPrice", i.currency,
          i.reorder_point as "reorderPoint", i.safety_stock as "safetyStock",
          i.min_remaining_shelf_life_days as "minRemainingShelfLifeDays", i.substitutes, i.created_at as "createdAt", i.fingerprint
     from unnest($2::text[]) k (id)
    -- Each looked up by itself: joined on a constant organisation, the planner reads all items of it.
    cross join lateral (select * from item where org_id = $1 and item_id = k.id offset 0) i`,
);

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
  const found = await findItems(tx, orgId, itemIds);
  const missing = itemIds.filter((itemId) => !found.has(itemId));
  if (missing.length > 0) throw itemNotFound(missing);
  return itemIds.map((itemId) => found.get(itemId)!);
}

/** Those of the items that exist, by id. */
export async function findItems(tx: Tx, orgId: string, itemIds: Iterable<string>): Promise<ReadonlyMap<string, Item>> {
  const rows = await tx.run(read, [orgId, [...new Set(itemIds)]]);
  return new Map(rows.map((row) => [row.itemId, toItem(row)]));
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
