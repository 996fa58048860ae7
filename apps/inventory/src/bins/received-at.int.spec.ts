import { moves, ORG, puts, ships } from '../stock-machine/simulation/given-stock.js';
import { StockDatabase, type StockProcess } from '../stock-machine/simulation/stock-database.js';
import type { StockCommand } from '../stock-machine/commands.js';

describe('when the goods in a bin came, as it is stored', () => {
  let stock: StockDatabase;
  let process_: StockProcess;
  beforeAll(async () => {
    stock = await StockDatabase.create();
    process_ = await stock.process();
    await stock.addCatalogue(ORG, ['A'], ['W1']);
    await stock.rows(
      `insert into inventory.location (org_id, warehouse_id, location) select $1, 'W1', l from unnest(array['old', 'young', 'shelf']) l`,
      [ORG],
    );
  });
  afterAll(() => stock.drop());

  const done = (command: StockCommand) => process_.batcher.answer(command);
  /** Which of the times came first, by bin; and the clock between them. */
  const times = async () =>
    new Map(
      (
        await stock.rows<{ location: string; at: Date }>(
          `select location, received_at as at from inventory.quant where location <> 'default'`,
        )
      ).map(({ location, at }) => [location, at.getTime()]),
    );

  it('is that of what came after it was empty, and of the oldest that is there', async () => {
    await done(puts('r1', 'W1', 'A 3 @old', 'A 3 @shelf'));
    const first = (await times()).get('old')!;
    await done(puts('r2', 'W1', 'A 3 @young'));
    await done(ships('s', 'o', { 1: 'A 6 @W1' }));
    await done(puts('r3', 'W1', 'A 3 @shelf'));
    const after = await times();
    expect(after.get('old')).toBe(first);
    expect(after.get('shelf')).toBeGreaterThan(after.get('young')!);
    await done(moves('W1/A', '1 young -> shelf'));
    expect((await times()).get('shelf')).toBe(after.get('young'));
    await done(puts('r4', 'W1', 'A 3 @shelf'));
    expect((await times()).get('shelf')).toBe(after.get('young'));
  });
});
