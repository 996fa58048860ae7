import fc from 'fast-check';
import type { Outcome, StockCommand } from '../commands.js';
import { deadlocks, stockViolations } from './check-database.js';
import { MemoryStock } from './memory-stock.js';
import { ofOrg, Rebinding } from './rebind.js';
import { simulate } from './simulate.js';
import { StockDatabase, type StockProcess } from './stock-database.js';
import { someDay } from './steps.js';
import { begunAt, ORGS } from './world.js';

const SEED = Number(process.env['SIMULATION_SEED'] ?? Date.now() % 1_000_000_000);
const DAYS = Number(process.env['SIMULATION_DAYS'] ?? 40);
const PROCESSES = 3;
const PHASES = ['hard', 'dark', 'soft', 'hard'] as const;
const IN_FLIGHT_MAX = 400;
const WORLD_BEGAN = new MemoryStock().now;
/** So that some lots have expired already, and others do while the test runs. */
const BEGINS = new Date(Date.now() - 895_000);

/** The commands of a simulated day, for organisations of its own. */
function commandsOfDay(day: number): StockCommand[] {
  const commands: StockCommand[] = [];
  const [steps] = fc.sample(someDay, { seed: SEED + day, numRuns: 1 });
  simulate(steps!, { record: (command) => commands.push(command) });
  return commands.map((command) => {
    // What waits for more than a second will not run out while the test runs.
    const ttl = command.kind === 'set-demand' && command.ttlSeconds === 60 ? { ttlSeconds: 1 } : {};
    return begunAt(ofOrg({ ...command, ...ttl }, `${command.orgId}-${day}`), WORLD_BEGAN, BEGINS);
  });
}

/** Plays commands to several processes at once, in their order, but many at a time; what came too early comes again at the end. */
async function play(
  stock: StockDatabase,
  processes: readonly StockProcess[],
  commands: readonly StockCommand[],
): Promise<Map<string, number>> {
  const rebinding = new Rebinding(commands);
  const tally = new Map<string, number>();
  const early: StockCommand[] = [];
  let at = 0;
  const submit = async (recorded: StockCommand) => {
    const command = await rebinding.of(recorded, () => stock.discrepancies(recorded.orgId));
    const lane = command.meta.event === undefined ? 'calls' : 'events';
    const outcome: Outcome = await processes[Math.floor(Math.random() * processes.length)]!.batcher.submit(command, lane);
    if (outcome.kind === 'too-early') early.push({ ...command, meta: { ...command.meta, mayWait: false } });
    const { status, outcome: effect } = ((outcome.kind === 'answer' && outcome.answer) || {}) as { status?: string; outcome?: string };
    for (const what of [outcome.kind, `${command.kind} ${effect ?? status}`]) tally.set(what, (tally.get(what) ?? 0) + 1);
  };
  const work = async () => {
    while (at < commands.length) await submit(commands[at++]!);
  };
  await Promise.all(Array.from({ length: IN_FLIGHT_MAX }, work));
  for (const command of early) await submit(command);
  return tally;
}

describe('the stock machine on a real database, by several processes at once', () => {
  let stock: StockDatabase;
  beforeAll(async () => {
    stock = await StockDatabase.create();
  });
  afterAll(() => stock.drop());

  it(`keeps every invariant, without a deadlock (seed ${SEED})`, async () => {
    const days = Array.from({ length: DAYS }, (_, day) => day);
    for (const orgId of days.flatMap((day) => ORGS.map((org) => `${org}-${day}`))) await stock.addWorld(orgId);
    for (const day of days) for (const org of ORGS) await stock.enforce(`${org}-${day}`, PHASES[day % 4]!, day % 2 === 0);
    const processes = await Promise.all(Array.from({ length: PROCESSES }, () => stock.process()));
    // All days at once: every batch mixes organisations, all with the same ids of items, warehouses, orders and messages.
    const perDay = days.map(commandsOfDay);
    const commands = interleave(perDay);

    const sweepers = setInterval(() => processes.forEach(({ dueWork }) => void dueWork.sweep()), 100);
    const startedMs = performance.now();
    const tally = await play(stock, processes, commands);
    const seconds = (performance.now() - startedMs) / 1000;
    clearInterval(sweepers);
    for (const { dueWork } of processes) await dueWork.sweep();
    await Promise.all(processes.map(({ batcher }) => batcher.onApplicationShutdown()));
    process.stdout.write(`played ${commands.length} commands on ${PROCESSES} processes in ${seconds.toFixed(1)} s, seed ${SEED}\n`);

    const done = ['duplicate', 'report-discrepancy new', 'close-discrepancy resolved', 'close-discrepancy dismissed'];
    const decided = ['carry-out-approval done', 'carry-out-approval refused', 'carry-out-approval noted'];
    expect([...done, ...decided].filter((what) => !tally.has(what))).toEqual([]);
    expect(await stockViolations(stock)).toEqual([]);
    await Promise.all(processes.map(({ database }) => database.close()));
    expect(await deadlocks(stock)).toBe(0);
  }, 240_000);

  it('notices tables that do not add up', async () => {
    const damage = [
      ['update inventory.stock_balance set reserved = reserved + 0.5 where on_hand - blocked > reserved + 1', /^I3: reserved is not/],
      ['update inventory.stock_balance set on_hand = on_hand + 1', /^I2: on hand is not/],
      [`update inventory.quant set quantity = quantity + 1 where quality <> 'available' and not is_serial`, /^I2: blocked is not/],
      ['update inventory.quant set quantity = quantity + 1 where not is_serial', /^I2: a quant is not/],
      ['update inventory.cost_layer set value = value + 0.0001 where quantity > 0', /^I2, I8: quantity or value/],
      ['update inventory.backorder set quantity = quantity + 1', /^I3: backordered is not/],
      ['update inventory.stock_balance set doubts = doubts + 1', /^what a balance counts/],
      [`update inventory.discrepancy set status = 'dismissed' where status = 'resolved'`, /^something else was posted for a discrepancy/],
      [`delete from inventory.ledger_entry where entry_no = 2`, /^I2: an entry does not carry on/],
      [`update inventory.shipment set status = 'posted'`, /^I5: an order shipped something else than its shipments/],
      [`update inventory.demand set sequence = sequence + 1 where sequence > 0`, /^the outgoing sequence/],
      [
        `update inventory.demand set lines = replace(lines::text, '"fulfilled":', '"was":')::jsonb`,
        /^I5: an order shipped something else than the ledger/,
      ],
    ] as const;
    for (const [change, noticed] of damage) {
      await stock.rows(change);
      expect(await stockViolations(stock)).toContainEqual(expect.stringMatching(noticed));
    }
  }, 60_000);
});

function interleave<T>(lists: readonly (readonly T[])[]): T[] {
  const longest = Math.max(...lists.map((list) => list.length));
  return Array.from({ length: longest }, (_, index) => lists.flatMap((list) => (index < list.length ? [list[index]!] : []))).flat();
}
