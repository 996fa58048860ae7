import type { Item, ItemCreate, RequestOf } from '#libs/contracts';
import { conflict } from '#libs/domain';
import type { Tx } from '#libs/persistence';
import { fingerprint } from '../fingerprint.js';
import { readSettings } from '../settings/settings.queries.js';
import { ItemEntity } from './item.entity.js';
import { toItem } from './item.queries.js';
import { checkItem, newItem, priced } from './item.js';

/**
 * Creates an item. A repeat with an equal body answers the item as it is now, whatever was changed since.
 *
 * @throws {HoldfastError} `ALREADY_EXISTS` when it was created with another body; `STOCK_VALIDATION`, see {@link checkItem}.
 */
export async function createItem(tx: Tx, orgId: string, request: RequestOf<typeof ItemCreate>): Promise<Item> {
  const wanted = newItem(request);
  const body = fingerprint(wanted);
  const { currency } = await readSettings(tx, orgId);
  const item = priced(wanted, currency);
  checkItem(item);
  if (!request.dryRun) {
    const row = { ...item, orgId, substitutes: [...item.substitutes], fingerprint: body };
    await tx.manager.createQueryBuilder().insert().into(ItemEntity).values(row).orIgnore().execute();
  }
  const row = await tx.manager.findOneBy(ItemEntity, { orgId, itemId: request.itemId });
  if (row !== null && row.fingerprint !== body) {
    throw conflict('ALREADY_EXISTS', `Item ${request.itemId} exists and was created with another body. Change it with an update.`);
  }
  const answer = row === null ? { ...item, createdAt: new Date().toISOString() } : toItem(row);
  return request.dryRun ? { ...answer, dryRun: true } : answer;
}
