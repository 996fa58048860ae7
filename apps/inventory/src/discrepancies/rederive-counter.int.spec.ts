import type { DiscrepancyAnswer, DiscrepancyFindings, ResponseOf } from '#libs/contracts';
import type { StockCommand } from '../stock-machine/commands.js';
import { type Pending, runBatch } from '../stock-machine/run-batch.js';
import { stockViolations } from '../stock-machine/simulation/check-database.js';
import { adjusts, cancels, finds, ORG, puts, receives, resolves, ships, wants } from '../stock-machine/simulation/given-stock.js';
import { StockDatabase, type StockProcess } from '../stock-machine/simulation/stock-database.js';
import { NeedsMore } from '../stock-machine/needs-more.js';

describe('a counter that is set right', () => {
  let stock: StockDatabase;
  let process_: StockProcess;
  beforeAll(async () => {
    stock = await StockDatabase.create();
    process_ = await stock.process();
    await stock.addCatalogue(ORG, ['A', 'B', 'C'], ['W1'], { B: 'average' });
    await stock.rows(`insert into inventory.location (org_id, warehouse_id, location) values ($1, 'W1', 'shelf')`, [ORG]);
    await done(receives('opening', 'W1', { A: '10', B: '10', C: '10' }));
    await done(puts('shelf', 'W1', 'C 5 @shelf'));
    await done(wants('held', { 1: 'A 3', 2: 'B 3', 3: 'C 12' }));
  });
  afterAll(() => stock.drop());

  const done = <A extends object>(command: StockCommand) => process_.batcher.answer<A>(command);

  /** The discrepancy that a reconciliation makes of a finding. */
  const found = async (kind: string, itemId: string, subject = '', location: string | null = null) => {
    const recording = finds(`W1/${itemId}`, '10 11');
    const finding = { ...recording.findings[0]!, kind, location, findingKey: [kind, 'W1', itemId, '', subject].join('|') };
    const { findings } = await done<ResponseOf<typeof DiscrepancyFindings>>({ ...recording, findings: [finding] });
    return { discrepancyId: findings[0]!.discrepancyId, warehouseId: 'W1', itemId, lot: null };
  };

  it('is changed by the difference, once, whatever else happens in its batch', async () => {
    await stock.rows(
      `update inventory.stock_balance set on_hand = on_hand + 1, value = value + 7, backordered = 2 where item_id in ('A', 'B')`,
    );
    await stock.rows(`update inventory.stock_balance set reserved = reserved - 2, in_transit = 4 where item_id = 'A'`);
    await stock.rows(`update inventory.cost_layer set quantity = quantity - 4, value = value - 3 where item_id = 'B'`);
    await stock.rows(`update inventory.quant set quantity = quantity + 2, reserved = reserved + 1 where item_id = 'C'`);
    expect(await stockViolations(stock)).not.toEqual([]);
    const counters = [
      ...['on_hand', 'ledger_value', 'backordered', 'reserved', 'in_transit'].map((kind) => ['A', kind] as const),
      ...['backordered', 'on_hand', 'ledger_value'].map((kind) => ['B', kind] as const),
    ];
    const resolved = async (kind: string, itemId: string, ...place: [string?, string?]) => {
      const closes = resolves(await found(kind, itemId, ...place));
      return { command: closes, more: { derived: [`${ORG}/W1/${itemId}`] } };
    };
    const batch: Pending[] = [{ command: receives('meanwhile', 'W1', { A: '5', B: '5', C: '5' }) }, { command: cancels('nothing') }];
    for (const [itemId, kind] of counters.slice(0, 5)) {
      const pending = await resolved(kind, itemId);
      batch.push({ command: wants(`o-${kind}`, { 1: 'A 1', 2: 'C 1' }) }, pending, pending, { command: adjusts('W1/A', '-1 damage') });
    }
    batch.push({ command: ships('s', 'held', { 1: 'A 2', 3: 'C 1' }) });
    batch.push(await resolved('quant', 'C', '/shelf/available', 'shelf'), await resolved('quant_reserved', 'C', '/shelf', 'shelf'));
    const { outcomes } = await runBatch(process_.machine, batch);
    const answers = outcomes.map((outcome) => (outcome instanceof NeedsMore ? outcome.message : outcome.kind));
    expect(new Set(answers)).toEqual(new Set(['answer']));
    // The layers of B say that it is the ledger that may be wrong, and the balance that the layers are not to be believed: nothing is changed.
    for (const [itemId, kind] of counters.slice(6)) {
      await expect(done<DiscrepancyAnswer>(resolves(await found(kind, itemId)))).rejects.toThrow(/cost layers contradict the ledger/);
    }
    await expect(done(resolves(await found('layer_quantity', 'B')))).rejects.toThrow(/balance contradicts the ledger/);
    await stock.rows(`update inventory.stock_balance set on_hand = on_hand - 1, value = value - 7 where item_id = 'B'`);
    // The layer is set right as one, by either of its findings.
    await runBatch(process_.machine, [await resolved('layer_value', 'B'), await resolved('layer_quantity', 'B')]);
    await done(resolves(await found('backordered', 'B')));
    // What was told while a counter was wrong stays in the ledger as it was told.
    const carriedOn = /an entry does not carry on the balance of the one before.*"ref_id":"meanwhile"/;
    expect((await stockViolations(stock)).filter((violation) => !carriedOn.test(violation))).toEqual([]);
  });
});
