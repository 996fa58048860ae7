import { setTimeout } from 'node:timers/promises';
import fc from 'fast-check';
import type { Availability } from '#libs/contracts';
import type { StockCommand } from '../stock-machine/commands.js';
import { arrives, receives, transfers } from '../stock-machine/simulation/given-stock.js';
import { simulate } from '../stock-machine/simulation/simulate.js';
import { StockDatabase, type StockProcess } from '../stock-machine/simulation/stock-database.js';
import { someDay } from '../stock-machine/simulation/steps.js';
import { ITEMS, ORGS, WAREHOUSES } from '../stock-machine/simulation/world.js';
import { readPastAvailability } from './as-of.queries.js';
import { readAvailability } from './availability.queries.js';

const SEED = Number(process.env['SIMULATION_SEED'] ?? Date.now() % 1_000_000_000);
const COMMANDS = 250;
const DAYS_MAX = 30;
const SAMPLE_EVERY = 10;

/** What is read at a time must be what is told of that time ever after, whatever happens later. */
describe('availability as of a time', () => {
  let stock: StockDatabase;
  let process_: StockProcess;
  beforeAll(async () => {
    stock = await StockDatabase.create();
    process_ = await stock.process();
    for (const orgId of ORGS) await stock.addCatalogue(orgId, ITEMS, WAREHOUSES);
    await stock.rows(`update inventory.item set tracking = 'lot' where item_id = 'A'`);
  });
  afterAll(() => stock.drop());

  const question = (orgId: string, minRemainingShelfLifeDays: number) => ({
    orgId,
    scope: null,
    minRemainingShelfLifeDays,
    items: ITEMS.flatMap((itemId) => WAREHOUSES.map((warehouseId) => ({ itemId, warehouseId }))),
  });
  // After so many days the lot `soon` is too old.
  const read = (orgId: string, asOf?: Date, livesDays = 30_000): Promise<readonly Availability[]> =>
    process_.database.transaction(
      [orgId],
      async (tx) => {
        if (asOf !== undefined) return await readPastAvailability(tx, question(orgId, livesDays), asOf);
        const [answer] = await readAvailability(tx, [question(orgId, livesDays)]);
        if ('error' in answer!) throw answer.error;
        return answer!.items;
      },
      { readOnly: true },
    );

  it(`tells what was told then (seed ${SEED})`, async () => {
    const samples: { at: Date; told: Map<string, readonly Availability[]> }[] = [];
    const logged = () => stock.rows<{ kind: string }>('select distinct kind from inventory.reservation_log order by kind');
    // A rare seed has days on which nothing that waits is served.
    for (let day = 0, played = 0; played < COMMANDS || (day < DAYS_MAX && (await logged()).length < 2); day++) {
      const commands: StockCommand[] = [];
      const [steps] = fc.sample(someDay, { seed: SEED * 100 + day, numRuns: 1 });
      // The rules are those of today, whenever is asked about.
      simulate(steps!, {
        record: (command) => void (command.kind === 'set-stock-policy' || commands.push(inLots(command, commands.length))),
      });
      for (const command of commands) {
        await process_.batcher.submit(command, 'calls');
        if (played++ % SAMPLE_EVERY > 0) continue;
        const [clock] = await stock.rows<{ at: Date }>('select clock_timestamp() as at');
        const told = new Map<string, readonly Availability[]>();
        for (const orgId of ORGS) told.set(orgId, await read(orgId));
        samples.push({ at: clock!.at, told });
      }
    }
    expect(samples.length).toBeGreaterThan(10);
    const tooOld = samples.flatMap(({ told }) => [...told.values()].flat().map(({ expiredOrTooOld }) => expiredOrTooOld));
    expect(new Set(tooOld).size).toBeGreaterThan(2);
    expect(await logged()).toEqual([{ kind: 'backorder' }, { kind: 'reservation' }]);
    for (const { at, told } of samples) {
      for (const orgId of ORGS) expect([at, await read(orgId, at)]).toEqual([at, told.get(orgId)]);
    }
  }, 120_000);

  it('tells what was under way then, what arrived of it at once, in parts, or never', async () => {
    const orgId = 'transfers';
    await stock.addCatalogue(orgId, ITEMS, WAREHOUSES);
    const steps: StockCommand[] = [
      receives('opening', 'W1', { B: '50', C: '50' }),
      transfers('t1', ['B 10', 'C 7'], { mode: 'in_transit' }),
      transfers('now', ['B 5']),
      arrives('t1', ['B 4']),
      transfers('t2', ['B 3'], { mode: 'in_transit' }),
      arrives('t1', ['B 1'], { closeShortLines: true }),
      arrives('t1'),
      arrives('t2'),
    ];
    const samples: { at: Date; told: readonly Availability[] }[] = [];
    for (const command of steps) {
      await process_.batcher.submit({ ...command, orgId }, 'calls');
      const [clock] = await stock.rows<{ at: Date }>('select clock_timestamp() as at');
      samples.push({ at: clock!.at, told: await read(orgId) });
      await setTimeout(2);
    }
    const underWay = (told: readonly Availability[]) =>
      told.filter(({ inTransit }) => inTransit !== '0').map((it) => `${it.itemId} ${it.inTransit}`);
    const then = [];
    for (const { at, told } of samples) {
      const past = await read(orgId, at);
      expect([at, past]).toEqual([at, told]);
      then.push(underWay(past).join(', '));
    }
    expect(then).toEqual(['', 'B 10, C 7', 'B 10, C 7', 'B 6, C 7', 'B 9, C 7', 'B 3, C 7', 'B 3', '']);
  });

  it('of a time to come is that of now, whatever will have expired by then', async () => {
    const orgId = 'future';
    await stock.addCatalogue(orgId, ITEMS, WAREHOUSES);
    await stock.rows(`update inventory.item set tracking = 'lot' where org_id = 'future' and item_id = 'A'`);
    await process_.batcher.submit({ ...inLots(receives('opening', 'W1', { A: '2' }), 0), orgId }, 'calls');
    const now = await read(orgId, undefined, 0);
    expect(now.find(({ itemId, warehouseId }) => itemId === 'A' && warehouseId === 'W1')).toMatchObject({
      expiredOrTooOld: '0',
      available: '2',
    });
    expect(await read(orgId, new Date('9999-12-31T23:59:59Z'), 0)).toEqual(now);
  });

  it('cannot be rewritten: the service may add to the log and read it, no more', async () => {
    const attempt = (text: string) => process_.database.transaction(['north'], (tx) => tx.rows(text));
    await expect(attempt('update reservation_log set quantity_delta = 0')).rejects.toThrow(/permission denied/);
    await expect(attempt('delete from reservation_log')).rejects.toThrow(/permission denied/);
  });
});

/** Receipts of A come in lots in turn; what else is said of A names none. */
function inLots(command: StockCommand, turn: number): StockCommand {
  if (command.kind !== 'receive-goods') return command;
  const lots = [{ lot: 'soon', expiresAt: '2090-01-01T00:00:00Z' }, { lot: 'ever' }];
  const lines = command.lines.map((line) => (line.itemId === 'A' ? { ...line, ...lots[turn % lots.length]! } : line));
  return { ...command, lines };
}
