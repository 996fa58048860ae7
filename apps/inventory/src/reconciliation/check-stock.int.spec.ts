import type { Mismatch } from '#libs/contracts';
import type { Database } from '#libs/persistence';
import { StockDatabase, type StockProcess } from '../stock-machine/simulation/stock-database.js';
import { receives, wants } from '../stock-machine/simulation/given-stock.js';
import { checkStock } from './check-stock.js';

const ORG = 'org';
const WAREHOUSES = ['W1', 'W2', 'W3', 'W4', 'W5'];
const ITEMS = ['A', 'B', 'C', 'D'];
/** A warehouse that nobody receives into, and one with a single balance. */
const STOCKED = { W1: ITEMS, W3: ITEMS, W4: ['B'], W5: ITEMS };
const LIMITS = [1, 2, 3, 4, 5, 8, 12, 13, 14, 20_000];

let stock: StockDatabase;
let process: StockProcess;
beforeAll(async () => {
  stock = await StockDatabase.create();
  for (const orgId of [ORG, 'other']) await stock.addCatalogue(orgId, ITEMS, WAREHOUSES);
  process = await stock.process();
  for (const orgId of [ORG, 'other']) {
    for (const [warehouseId, items] of Object.entries(STOCKED)) {
      const lines = items.map((itemId) => ({ itemId, quantity: '5', unitCost: '1' }));
      await process.batcher.submit({ ...receives(`r-${warehouseId}`, warehouseId, {}, { lines }), orgId }, 'calls');
    }
    await process.batcher.submit({ ...wants('o1', { 1: 'A 2 @W1', 2: 'D 1 @W5' }), orgId }, 'calls');
  }
});
afterAll(async () => {
  await process.batcher.onApplicationShutdown();
  await process.database.close();
  await stock.drop();
});

/** What all pages of a run find, and how many balances they were about. */
async function checkAll(database: Database, limit: number): Promise<{ checked: number; found: string[] }> {
  const found: Mismatch[] = [];
  let checked = 0;
  for (let after: string | null = ''; after !== null;) {
    const from: string = after;
    const page = await checkStock(database, ORG, from, limit);
    found.push(...page.mismatches);
    checked += page.checked;
    after = page.next;
  }
  return { checked, found: found.map((one) => `${one.kind} ${one.warehouseId}/${one.itemId}: ${one.expected}, ${one.actual}`) };
}

describe('the pages of a check of balances', () => {
  it.each(LIMITS)('cover each balance once, and find nothing in books that agree (%d to a page)', async (limit) => {
    expect(await checkAll(process.database, limit)).toEqual({ checked: 13, found: [] });
  });

  describe('of books that do not agree', () => {
    beforeAll(async () => {
      await stock.rows('alter table inventory.cost_layer drop constraint cost_layer_org_id_warehouse_id_item_id_fkey');
      await stock.rows(`update inventory.stock_balance set backordered = 7 where org_id = $1`, [ORG]);
      // The first and the last of a warehouse, all of another, and the last of all.
      await stock.rows(`delete from inventory.stock_balance where org_id = $1 and (warehouse_id, item_id) in (('W1', 'A'), ('W3', 'D'))`, [
        ORG,
      ]);
      await stock.rows(`delete from inventory.stock_balance where org_id = $1 and (warehouse_id = 'W4' or item_id = 'D')`, [ORG]);
    });

    it.each(LIMITS)('find what is wrong anywhere, once, also of balances that are gone (%d to a page)', async (limit) => {
      const gone = ['W1/A', 'W1/D', 'W3/D', 'W4/B', 'W5/D'];
      const left = ['W1/B', 'W1/C', 'W3/A', 'W3/B', 'W3/C', 'W5/A', 'W5/B', 'W5/C'];
      const { checked, found } = await checkAll(process.database, limit);
      expect(checked).toBe(left.length);
      expect(found.filter((one) => one.startsWith('backordered')).sort()).toEqual(left.map((place) => `backordered ${place}: 0, 7`));
      expect(found.filter((one) => one.startsWith('on_hand')).sort()).toEqual(gone.map((place) => `on_hand ${place}: 5, 0`));
      expect(found.filter((one) => one.startsWith('reserved')).sort()).toEqual(['reserved W1/A: 2, 0', 'reserved W5/D: 1, 0']);
    });
  });
});
