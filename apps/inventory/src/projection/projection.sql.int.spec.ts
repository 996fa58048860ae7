import type { Database, Statement } from '#libs/persistence';
import { createTestDatabase, type TestDatabase } from '#libs/testing';
import { readServedBefore, readWaiting } from './backorder-dates.queries.js';
import { findExpecting } from './later.queries.js';
import { findCandidates } from '../reservations/alternatives.queries.js';
import { readArrivals, readExpiries, readPlaces } from './outlook.queries.js';

/** By which columns an index must be entered at least; by fewer, a statement would go through all of an organisation. */
const ENTERED_BY: Readonly<Record<string, readonly string[]>> = {
  item_pkey: ['org_id', 'item_id'],
  stock_balance_by_item: ['org_id', 'item_id'],
  stock_balance_pkey: ['org_id', 'warehouse_id', 'item_id'],
  quant_in_turn: ['org_id', 'warehouse_id', 'item_id'],
  stock_settings_pkey: ['org_id'],
  expected_receipt_open: ['org_id', 'item_id'],
  backorder_pkey: ['org_id', 'order_id'],
  backorder_queue: ['org_id', 'warehouse_id', 'item_id'],
  warehouse_pkey: ['org_id', 'warehouse_id'],
};

describe('the statements of projections and alternatives', () => {
  let test: TestDatabase;
  let database: Database;
  beforeAll(async () => {
    test = await createTestDatabase(['inventory']);
    database = await test.open('inventory');
  });
  afterAll(() => test.drop());

  // Plans are kept by connections for hours, and a new installation knows nothing of its data: then any index seems good whose first column
  // fits, and that is the organisation for all of them.
  it.each(
    (
      [
        findCandidates,
        readWaiting,
        readServedBefore,
        findExpecting,
        readPlaces,
        readArrivals,
        readExpiries,
      ] as readonly Statement<unknown>[]
    ).map(({ name, text }) => [name, text]),
  )('%s finds its rows by their keys', async (_, text) => {
    const nulls = Array.from({ length: Math.max(...[...text.matchAll(/\$(\d+)/g)].map((match) => Number(match[1]))) }, () => 'null');
    const plan = await database.transaction(['org'], async (tx) => {
      await tx.rows(`select set_config('plan_cache_mode', 'force_generic_plan', true)`);
      await tx.rows(`prepare planned as ${text}`);
      const rows = await tx.rows<{ 'QUERY PLAN': string }>(`explain (costs off) execute planned(${nulls.join()})`);
      await tx.rows('deallocate planned');
      return rows.map((row) => row['QUERY PLAN']);
    });
    expect(plan.join('\n')).not.toMatch(/(Seq|Bitmap \w+) Scan/);
    const entered = plan.flatMap((line, at) => {
      const index = /Index (?:Only )?Scan using (\w+)/.exec(line)?.[1];
      if (index === undefined) return [];
      const columns = [...plan[at + 1]!.matchAll(/\((\w+) = /g)].map((match) => match[1]);
      return [[index, columns]];
    });
    expect(entered.length).toBeGreaterThan(0);
    for (const [index, columns] of entered) {
      expect([index, columns]).toEqual([index, expect.arrayContaining([...(ENTERED_BY[index as string] ?? ['unknown'])])]);
    }
  });
});
