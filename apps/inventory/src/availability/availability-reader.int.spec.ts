import type { Database } from '#libs/persistence';
import { createTestDatabase, type TestDatabase } from '#libs/testing';
import { AvailabilityReader } from './availability-reader.js';
import { readItems, readPairs } from './availability.queries.js';

const ITEMS = 10_000;

describe('availability reader', () => {
  let test: TestDatabase;
  let database: Database;
  beforeAll(async () => {
    test = await createTestDatabase(['inventory']);
    // One connection, so that what it counts is all there is.
    database = await test.open('inventory', { poolSizeMax: 1 });
    await test.rows(`insert into inventory.warehouse (org_id, warehouse_id, name) values ('org', 'W', 'Main')`);
    await test.rows(
      `insert into inventory.item (org_id, item_id, name) select 'org', 'item-' || n, 'x' from generate_series(1, ${ITEMS}) n`,
    );
    await test.rows(
      `insert into inventory.stock_balance (org_id, warehouse_id, item_id, on_hand) select 'org', 'W', 'item-' || n, n from generate_series(1, ${ITEMS}) n`,
    );
  });
  afterAll(() => test.drop());

  const question = (n: number) => ({ orgId: 'org', scope: null, items: [{ itemId: `item-${n}`, warehouseId: 'W' }] });

  it('reads together what is asked together', async () => {
    const reader = new AvailabilityReader(database);
    const ask = async (n: number) => {
      // Messages of one turn of the event loop arrive one after the other, with promises settled in between.
      for (let step = 0; step < n % 20; step++) await Promise.resolve();
      return await reader.read(question(n + 1));
    };
    const answers = await Promise.all(Array.from({ length: 500 }, (_, n) => ask(n)));
    expect(answers.map(([answer]) => answer!.onHand)).toEqual(Array.from({ length: 500 }, (_, n) => String(n + 1)));
    const [statement] = await database.transaction([], (tx) =>
      tx.rows<{ runs: number }>('select generic_plans + custom_plans as runs from pg_prepared_statements where name = $1', [
        readPairs.name,
      ]),
    );
    expect(statement!.runs).toBe(1);
  });

  it('reads nothing for who does not wait any more, and answers the others', async () => {
    const reader = new AvailabilityReader(database);
    const late = reader.read(question(1), Date.now() - 1);
    const inTime = reader.read(question(2), Date.now() + 10_000);
    await expect(late).rejects.toEqual(expect.objectContaining({ kind: 'unavailable' }));
    expect(await inTime).toHaveLength(1);
  });

  it('tells everybody in a batch when the database fails, and goes on afterwards', async () => {
    const failing = await test.open('inventory', { poolSizeMax: 1 });
    const reader = new AvailabilityReader(failing);
    await test.rows('alter table inventory.stock_balance rename to moved_away');
    const settled = await Promise.allSettled([reader.read(question(1)), reader.read(question(2))]);
    await test.rows('alter table inventory.moved_away rename to stock_balance');
    expect(settled.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(await reader.read(question(3))).toHaveLength(1);
  });

  it('looks each pair up by key, also where tables have grown since they were last analysed', async () => {
    const plan = (guarded: boolean) =>
      database.transaction(
        ['org'],
        async (tx) => {
          for (const setting of guarded ? [] : ['enable_seqscan', 'enable_hashjoin', 'enable_mergejoin', 'enable_material']) {
            await tx.execute(`set local ${setting} = on`);
          }
          const times300 = (idOf: (n: number) => string) => `'{${Array.from({ length: 300 }, (_, n) => idOf(n)).join()}}'`;
          const [orgs, warehouses, items, days] = [
            times300(() => 'org'),
            times300(() => 'W'),
            times300((n) => `item-${n}`),
            times300(() => 'null'),
          ];
          const explain = async (text: string, name: string, values: string) => {
            await tx.execute(`prepare ${name} as ${text}`);
            const lines = await tx.rows<{ 'QUERY PLAN': string }>(`explain (costs off) execute ${name}(${values})`);
            await tx.execute(`deallocate ${name}`);
            return lines.map((line) => line['QUERY PLAN']).join('\n');
          };
          const pairs = await explain(readPairs.text, 'explained_pairs', [orgs, warehouses, items, days].join());
          return `${pairs}\n${await explain(readItems.text, 'explained_items', [orgs, items, days].join())}`;
        },
        { readOnly: true },
      );
    const readsAll = /Seq Scan|Hash|Merge Join|Materialize/;
    expect(await plan(true)).not.toMatch(readsAll);
    // What the planner does without the settings that every connection of a service has.
    expect(await plan(false)).toMatch(readsAll);
  });
});
