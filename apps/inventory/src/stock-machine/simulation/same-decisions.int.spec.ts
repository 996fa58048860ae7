import fc from 'fast-check';
import type { Outcome, StockCommand } from '../commands.js';
import { type BatchResult, type Pending, runBatch, tryOut, withMore } from '../run-batch.js';
import { DEFAULT_SETTINGS } from '../decision-settings.js';
import { balanceKey } from '../balance.js';
import { NeedsMore } from '../needs-more.js';
import { stockViolations } from './check-database.js';
import { MemoryStock } from './memory-stock.js';
import { Rebinding } from './rebind.js';
import { makeWorld, simulate } from './simulate.js';
import { StockDatabase, type StockProcess } from './stock-database.js';
import { someDay } from './steps.js';
import { begunAt, ORGS } from './world.js';

const SEED = Number(process.env['SIMULATION_SEED'] ?? Date.now() % 1_000_000_000);
const COMMANDS = 400;
const TABLES = [
  'stock_balance',
  'quant',
  'lot',
  'cost_layer',
  'cost_correction',
  'demand',
  'reservation',
  'backorder',
  'movement',
  'ledger_entry',
  'shipment',
  'customer_return',
  'transfer',
  'expected_receipt',
  'discrepancy',
  'discrepancy_change',
  'oversell_attempt',
  'approval_effect',
];

/** Without what is made anew each time. */
function comparable(outcome: Outcome): unknown {
  const made = new Set([
    'reservationId',
    'movementId',
    'expiresAt',
    'dispatchedAt',
    'completedAt',
    'recalledAt',
    'discrepancyId',
    'discrepancyIds',
    'detectedAt',
    'resolvedAt',
  ]);
  const text = JSON.stringify(outcome, (key, value: unknown) => (made.has(key) ? undefined : value));
  return JSON.parse(text.replace(/discrepancy [\da-f]{8}-[\da-f-]{27}/g, 'discrepancy ID'));
}

type Decided = Pick<BatchResult, 'outcomes' | 'unserved'>;

/** Runs one command alone, and then whatever it leaves to be gone on with. */
async function decideAlone(run: (pending: Pending) => Promise<Decided> | Decided, command: StockCommand): Promise<Outcome> {
  let pending: Pending = { command };
  for (;;) {
    const { outcomes, unserved } = await run(pending);
    for (const { orgId, warehouseId, itemId } of unserved) {
      await decideAlone(run, { kind: 'fill-backorders', orgId, warehouseId, itemId, meta: { messageId: 'fill', mayWait: false } });
    }
    const outcome = outcomes[0]!;
    if (!(outcome instanceof NeedsMore)) return outcome;
    pending = withMore(pending, outcome);
  }
}

/** So that nothing runs out while the test runs, in one clock and not in the other. */
function withoutExpiry(command: StockCommand): StockCommand {
  return command.kind === 'set-demand' ? { ...command, ttlSeconds: 100_000 } : command;
}

describe('the stock machine on a database', () => {
  let stock: StockDatabase;
  let process_: StockProcess;
  const memory = new MemoryStock();
  const commands: StockCommand[] = [];
  beforeAll(async () => {
    stock = await StockDatabase.create();
    process_ = await stock.process();
    makeWorld(memory);
    for (const orgId of ORGS) await stock.addWorld(orgId);
    for (const orgId of ORGS) await enforce(orgId);
    // The world began 20 minutes ago: two kinds of lots have expired since, the next will in ten minutes.
    const worldBegan = memory.now;
    memory.now = new Date();
    const begins = new Date(memory.now.getTime() - 1_200_000);
    for (let day = 0; commands.length < COMMANDS; day++) {
      const [steps] = fc.sample(someDay, { seed: SEED * 100 + day, numRuns: 1 });
      const ofDay: StockCommand[] = [];
      simulate(steps!, { record: (command) => ofDay.push(begunAt(withoutExpiry(command), worldBegan, begins)) });
      if (ofDay.length > COMMANDS / 2) commands.push(...ofDay);
    }
  });
  afterAll(() => stock.drop());

  /** Each organisation enforces something else. */
  const enforce = async (orgId: (typeof ORGS)[number]) => {
    const phase = { north: 'soft', south: 'dark' } as const;
    const settings = { enforcementPhase: phase[orgId], allowInventoryOversell: orgId === 'north' };
    memory.settings.set(orgId, { ...(memory.settings.get(orgId) ?? DEFAULT_SETTINGS), ...settings });
    await stock.enforce(orgId, settings.enforcementPhase, settings.allowInventoryOversell);
  };
  const inMemory = (pending: Pending): Decided => {
    let unserved: BatchResult['unserved'] = [];
    const watch = {
      before: () => {},
      after: (state: { unserved: Iterable<BatchResult['unserved'][number]> }) => void (unserved = [...state.unserved]),
    };
    return { outcomes: memory.runBatch([pending], watch), unserved };
  };
  const inDatabase = (pending: Pending) => runBatch(process_.machine, [pending]);
  const fingerprintOfTables = async () =>
    await Promise.all(
      [...TABLES, 'outbox', 'inbox'].map((table) =>
        stock.rows(`select count(*), md5(coalesce(string_agg(t::text, '|' order by t::text), '')) from inventory.${table} t`),
      ),
    );

  it(`decides each command as the simulation does, and as a dry run said before (seed ${SEED})`, async () => {
    let tried = 0;
    const rebinding = { memory: new Rebinding(commands), database: new Rebinding(commands) };
    for (const [index, recorded] of commands.entries()) {
      const { orgId } = recorded;
      const inMemoryKnown = () => Promise.resolve([...memory.discrepancies.values()].filter((found) => found.orgId === orgId));
      const remembered = await rebinding.memory.of(recorded, inMemoryKnown);
      const command = await rebinding.database.of(recorded, () => stock.discrepancies(orgId));
      const isKnown = memory.handles(command);
      const before = index % 25 === 0 ? await fingerprintOfTables() : null;
      const dry = await tryOut(process_.machine, command);
      if (before !== null) expect(await fingerprintOfTables()).toEqual(before);

      memory.now = new Date(memory.now.getTime() + 1);
      const expected = await decideAlone(inMemory, remembered);
      const outcome = await decideAlone(inDatabase, command);
      const what = `${index} ${JSON.stringify(command)}`;
      expect([what, comparable(outcome)]).toEqual([what, comparable(expected)]);
      if (isKnown) continue;
      expect([what, comparable(dry)]).toEqual([what, comparable(outcome)]);
      tried++;
    }
    expect(tried).toBeGreaterThan(COMMANDS / 2);
    expect(await stockViolations(stock)).toEqual([]);
  }, 120_000);

  it('has in its tables what the simulation has in memory', async () => {
    const rows = await stock.rows<Record<string, string>>(
      `select org_id, warehouse_id, item_id, on_hand::text, blocked::text, reserved::text, backordered::text, in_transit::text, last_entry_no::text
         from inventory.stock_balance`,
    );
    const stored = rows.map((row) => [
      balanceKey(row['org_id']!, row['warehouse_id']!, row['item_id']!),
      [row['on_hand'], row['blocked'], row['reserved'], row['backordered'], row['in_transit']].map((text) =>
        Math.round(Number(text) * 10_000),
      ),
      Number(row['last_entry_no']),
    ]);
    const expected = [...memory.balances].map(([key, row]) => [
      key,
      [row.onHand, row.blocked, row.reserved, row.backordered, memory.inTransit.get(key) ?? 0n].map(Number),
      row.lastEntryNo,
    ]);
    expect(stored.sort()).toEqual(expected.sort());
    const expectedReceipts = await stock.rows<{ key: string; received: string; status: string }>(
      `select concat_ws('/', org_id, expected_receipt_id) as key, (received_quantity * 10000)::bigint::text as received, status
         from inventory.expected_receipt`,
    );
    expect(expectedReceipts.map(({ key, received, status }) => `${key} ${received} ${status}`).sort()).toEqual(
      [...memory.expectedReceipts].map(([key, { received, status }]) => `${key} ${received} ${status}`).sort(),
    );
  });

  it('has the same discrepancies, which keep back the same, and decided the same about what was approved', async () => {
    const stored = await stock.rows<{ found: string }>(
      `select concat_ws('/', org_id, warehouse_id, item_id, lot, location, source, severity, status, ref_id, approval_request_id,
                        resolution_note, occurrences, (snapshot_quantity * 10000)::bigint, (ledger_quantity * 10000)::bigint) as found
         from inventory.discrepancy`,
    );
    const found = [...memory.discrepancies.values()].map((one) =>
      [
        ...[one.orgId, one.warehouseId, one.itemId, one.lot, one.location, one.source, one.severity, one.status, one.refId],
        ...[one.approvalRequestId, one.resolutionNote, one.occurrences, one.snapshotQuantity, one.ledgerQuantity],
      ]
        .filter((part) => part !== null)
        .join('/'),
    );
    const anyId = (text: string) => text.replace(/discrepancy [\da-f]{8}-[\da-f-]{27}/g, 'discrepancy ID');
    expect(stored.map((row) => anyId(row.found)).sort()).toEqual(found.map(anyId).sort());
    const doubts = await stock.rows<{ key: string }>(
      `select concat_ws(' ', concat_ws('/', org_id, warehouse_id, item_id), doubts, (doubtful * 10000)::bigint) as key from inventory.stock_balance`,
    );
    expect(doubts.map(({ key }) => key).sort()).toEqual(
      [...memory.balances].map(([key, row]) => `${key} ${row.doubts} ${row.doubtful}`).sort(),
    );
    const effects = await stock.rows<{ effect: string }>(
      `select concat_ws('/', org_id, approval_request_id, kind, status, outcome) as effect from inventory.approval_effect`,
    );
    expect(effects.map(({ effect }) => effect).sort()).toEqual(
      [...memory.approvalEffects.values()]
        .map((one) => [one.orgId, one.approvalRequestId, one.kind, one.status, one.outcome].join('/'))
        .sort(),
    );
    expect(effects.length).toBeGreaterThan(2);
  });

  it('has the same in the same lots, bins and qualities, held for the same, in the same layers at the same cost', async () => {
    const quants = await stock.rows<{ key: string; quantity: string; reserved: string }>(
      `select concat_ws('/', org_id, warehouse_id, item_id, lot, location, quality) as key, (quantity * 10000)::bigint::text as quantity,
              (reserved * 10000)::bigint::text as reserved from inventory.quant where quantity > 0`,
    );
    const inMemory = [...memory.quants].flatMap(([key, places]) =>
      [...places.values()]
        .filter(({ quantity }) => quantity > 0n)
        .map(({ lot, location, quality, quantity, reserved }) => `${key}/${lot}/${location}/${quality} ${quantity} ${reserved}`),
    );
    expect(quants.map(({ key, quantity, reserved }) => `${key} ${quantity} ${reserved}`).sort()).toEqual(inMemory.sort());
    const layers = await stock.rows<{ key: string; quantity: string; value: string }>(
      `select concat_ws('/', org_id, warehouse_id, item_id, layer_no) as key, (quantity * 10000)::bigint::text as quantity,
              (value * 10000)::bigint::text as value from inventory.cost_layer where quantity > 0`,
    );
    const layersInMemory = [...memory.costs].flatMap(([key, { layers: all }]) =>
      [...all.values()]
        .filter(({ quantity }) => quantity > 0n)
        .map(({ layerNo, quantity, value }) => `${key}/${layerNo} ${quantity} ${value}`),
    );
    expect(layers.map(({ key, quantity, value }) => `${key} ${quantity} ${value}`).sort()).toEqual(layersInMemory.sort());
    expect(inMemory.length).toBeGreaterThan(5);
  });
});
