import type { CheckedPage } from '#libs/contracts';
import type { Database, Tx } from '#libs/persistence';
import { checkRange, rangeAfter } from './check-stock.queries.js';
import { joinPages } from './checked-page.js';

/**
 * Checks a page of balances: two halves at the same time, each on a snapshot of its own, because no check looks beyond its range. So a run takes
 * two connections for as long as a half takes, and about half the time.
 *
 * @param after the key after which the page begins; empty: from the beginning.
 */
export async function checkStock(database: Database, orgId: string, after: string, limit: number): Promise<CheckedPage> {
  const half = Math.ceil(limit / 2);
  const read = <A>(work: (tx: Tx) => Promise<A>) => database.transaction([orgId], work, { readOnly: true });
  const first = await read((tx) => rangeAfter(tx, orgId, after, half));
  const { next } = first;
  const [page, rest] = await Promise.all([
    read((tx) => checkRange(tx, first)),
    next === null ? null : read(async (tx) => checkRange(tx, await rangeAfter(tx, orgId, next, half))),
  ]);
  return rest === null ? page : joinPages(page, rest);
}
