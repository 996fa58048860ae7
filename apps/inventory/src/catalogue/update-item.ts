import type { Item, ItemUpdate, RequestOf } from '#libs/contracts';
import type { Tx } from '#libs/persistence';
import { readSettings } from '../settings/settings.queries.js';
import { ItemEntity } from './item.entity.js';
import { itemNotFound, toItem } from './item.queries.js';
import { changedItem, checkItem, priced } from './item.js';

/**
 * Changes an item. Balances read safety stock and reorder point from the item, so that a change counts at once for every warehouse that
 * sets none of its own.
 *
 * @throws {HoldfastError} `ITEM_NOT_FOUND`; `STOCK_VALIDATION`, see {@link checkItem}.
 */
export async function updateItem(tx: Tx, orgId: string, request: RequestOf<typeof ItemUpdate>): Promise<Item> {
  const { itemId, dryRun } = request;
  // The lock that a foreign key check does not wait for: the first receipt of an item goes on meanwhile.
  const lock = dryRun ? {} : { lock: { mode: 'for_no_key_update' as const } };
  const row = await tx.manager.findOne(ItemEntity, { where: { orgId, itemId }, ...lock });
  if (row === null) throw itemNotFound([itemId]);
  const { createdAt, ...current } = toItem(row);
  const { currency } = await readSettings(tx, orgId);
  const item = priced(changedItem(current, request), currency);
  checkItem(item);
  if (dryRun) return { ...item, createdAt, dryRun: true };
  await tx.manager.update(ItemEntity, { orgId, itemId }, { ...item, substitutes: [...item.substitutes] });
  return { ...item, createdAt };
}
