import { StockDatabase } from './simulation/stock-database.js';

describe('the balances that the sweep for backorders looks at', () => {
  let stock: StockDatabase;
  beforeAll(async () => {
    stock = await StockDatabase.create();
    for (const org of ['unset', 'soft', 'hard', 'monitor']) {
      await stock.addCatalogue(org, ['free', 'less', 'more'], ['W1']);
      if (org !== 'unset') {
        await stock.rows('insert into inventory.stock_settings (org_id, discrepancy_lock_policy) values ($1, $1)', [org]);
      }
      // Of five, nothing, three and five are in doubt.
      await stock.rows(
        `insert into inventory.stock_balance (org_id, warehouse_id, item_id, on_hand, backordered, doubts, doubtful)
         values ($1, 'W1', 'free', 5, 2, 0, 0), ($1, 'W1', 'less', 5, 2, 1, 3), ($1, 'W1', 'more', 5, 2, 2, 5)`,
        [org],
      );
    }
  });
  afterAll(() => stock.drop());

  const look = async (most: number) =>
    (await stock.rows<{ org_id: string; item_id: string }>('select * from inventory.fillable_balances($1)', [most]))
      .map((row) => `${row.org_id} ${row.item_id}`)
      .sort();

  it('are those of which nothing is kept back: what is in doubt is left out, as the lock policy says', async () => {
    const monitored = ['monitor free', 'monitor less', 'monitor more'];
    expect(await look(100)).toEqual(['hard free', ...monitored, 'soft free', 'soft less', 'unset free', 'unset less']);
  });

  it('come in any order, so that what cannot be served keeps nobody waiting', async () => {
    const items = Array.from({ length: 50 }, (_, n) => `i${n}`);
    await stock.addCatalogue('many', items, ['W1']);
    await stock.rows(
      `insert into inventory.stock_balance (org_id, warehouse_id, item_id, on_hand, backordered) select 'many', 'W1', i, 5, 2 from unnest($1::text[]) i`,
      [items],
    );
    const seen = new Set<string>();
    for (let turn = 0; turn < 100; turn++) for (const one of await look(20)) seen.add(one);
    expect([...seen].filter((one) => one.startsWith('many'))).toHaveLength(items.length);
  });

  it('are found by the index of those on which somebody waits', async () => {
    const { database } = await stock.process();
    const [{ body } = { body: '' }] = await stock.rows<{ body: string }>(
      `select prosrc as body from pg_proc where proname = 'fillable_balances' and pronamespace = 'inventory'::regnamespace`,
    );
    const plan = await database.transaction([], (tx) =>
      tx.rows<{ 'QUERY PLAN': string }>(`explain (costs off) ${body.replace('row_limit', '20')}`),
    );
    const lines = plan.map((row) => row['QUERY PLAN']).join('\n');
    expect(lines).toMatch(/Index Scan (using|on) stock_balance_waiting/);
    expect(lines).not.toContain('Seq Scan');
  });
});
