import type { Item, ItemUpdate, RequestOf } from '#libs/contracts';
import { rejected } from '#libs/domain';
import type { Outbox } from '#libs/messaging';
import type { Tx } from '#libs/persistence';
import { tellLowStock } from '../availability/tell-low-stock.js';
import { readSettings } from '../settings/settings.queries.js';
import { ItemEntity } from './item.entity.js';
import { itemNotFound, toItem } from './item.queries.js';
import { changedItem, checkItem, priced } from './item.js';

/**
 * Changes an item. Balances read safety stock and reorder point from the item, so that a change counts at once for every warehouse that
 * sets none of its own, and is told where it makes the item low or ends that.
 *
 * @throws {HoldfastError} `ITEM_NOT_FOUND`; `STOCK_VALIDATION`, see {@link checkItem} and {@link checkCostingIsOpen}.
 */
export async function updateItem(
  tx: Tx,
  outbox: Outbox,
  orgId: string,
  request: RequestOf<typeof ItemUpdate>,
  by: { readonly actor: string; readonly traceparent?: string | undefined },
): Promise<Item> {
  const { itemId, dryRun } = request;
  // The lock that a foreign key check does not wait for, so that the first receipt of an item goes on meanwhile; but not when the way of
  // costing changes, which that receipt must not meet half way.
  const mode = request.costing === undefined ? ('for_no_key_update' as const) : ('pessimistic_write' as const);
  const lock = dryRun ? {} : { lock: { mode } };
  const row = await tx.manager.findOne(ItemEntity, { where: { orgId, itemId }, ...lock });
  if (row === null) throw itemNotFound([itemId]);
  const { createdAt, ...current } = toItem(row);
  const { currency } = await readSettings(tx, orgId);
  const item = priced(changedItem(current, request), currency);
  checkItem(item);
  if (item.costing !== current.costing) await checkCostingIsOpen(tx, orgId, current);
  if (dryRun) return { ...item, createdAt, dryRun: true };
  await tx.manager.update(ItemEntity, { orgId, itemId }, { ...item, substitutes: [...item.substitutes] });
  if (item.reorderPoint !== current.reorderPoint) {
    await tellLowStock(tx, outbox, orgId, itemId, [current.reorderPoint, item.reorderPoint], by);
  }
  return { ...item, createdAt };
}

/**
 * Refuses another costing for an item that some warehouse knows: its cost layers are kept by the one that it has (docs/rules.md, "costs").
 * Not only when something was received: a batch that has waited for the lock of a balance still sees the item as it was before, but one that
 * makes the balance waits for the item itself.
 */
async function checkCostingIsOpen(tx: Tx, orgId: string, { itemId, costing }: Pick<Item, 'itemId' | 'costing'>): Promise<void> {
  const known = await tx.rows('select 1 from stock_balance where org_id = $1 and item_id = $2 limit 1', [orgId, itemId]);
  if (known.length === 0) return;
  throw rejected(
    'STOCK_VALIDATION',
    `Item ${itemId} is stocked already, and so stays costed by ${costing}. Make a new item for another way.`,
  );
}
