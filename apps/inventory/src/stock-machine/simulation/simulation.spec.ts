import fc from 'fast-check';
import { Violation } from './check-rows.js';
import { MUTANTS } from './mutants.js';
import { simulate, type Tally } from './simulate.js';
import { crowdedDay, someDay } from './steps.js';

// SIMULATION_COMMANDS sets the size; SIMULATION_SEED and SIMULATION_PATH, as a failure prints them, play it again.
const COMMANDS = Number(process.env['SIMULATION_COMMANDS'] ?? 20_000);
const SEED = Number(process.env['SIMULATION_SEED'] ?? Date.now() % 1_000_000_000);
const PATH = process.env['SIMULATION_PATH'];
/** Of the days that faulty machines live through: here it is the checks that are tried, and always the same. */
const FAULTY_SEED = 20_261_120;
const DAYS_PER_ROUND = 25;
const CROWDED_DAYS = 8;

describe('simulation of the stock machine', () => {
  it(`keeps every invariant over ${COMMANDS} random commands (seed ${SEED})`, () => {
    const startedMs = performance.now();
    const tally: Tally = new Map();
    const count = (what: string) => tally.get(what) ?? 0;
    const day = fc.property(someDay, (steps) => {
      for (const [what, times] of simulate(steps)) tally.set(what, count(what) + times);
    });
    for (let round = 0; count('commands') < COMMANDS; round++) {
      fc.assert(day, { seed: SEED + round, numRuns: DAYS_PER_ROUND, ...(PATH === undefined ? {} : { path: PATH }) });
    }
    const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
    process.stdout.write(`simulated ${count('commands')} commands in ${seconds} s, seed ${SEED}\n`);
    if (process.env['SIMULATION_TALLY'] !== undefined) {
      for (const [what, times] of [...tally].sort()) process.stdout.write(`  ${what}: ${times}\n`);
    }
    // What never happened is not proved.
    const rare = ['below zero', 'event BackorderFilled', 'event ReservationExpired', 'event ReservationShorted', 'fill-backorders done'];
    const early = ['ship too-early', 'unship too-early', 'receive-return too-early', 'inspect-return too-early'];
    const inside = ['confirm-pick done', 'event PickShortage', 'count-stock done', 'correct-cost done'];
    const between = ['transfer-stock completed', 'transfer-stock in_transit', 'receive-transfer completed', 'event TransferShortage'];
    const done = [...inside, ...between, 'unship done', 'receive-return done', 'inspect-return done'];
    const found = [
      'report-discrepancy new',
      'record-findings new',
      'record-findings known',
      'review-discrepancy under_review',
      'close-discrepancy resolved',
      'close-discrepancy dismissed',
    ];
    const works = ['adjust-stock', 'close-discrepancy', 'run-override'].flatMap((work) => [
      `${work} done`,
      `${work} noted`,
      `${work} refused`,
    ]);
    const approved = [...works, 'run-override outdated'].map((work) => `carry-out-approval of ${work}`);
    const never = [...rare, ...early, ...done, ...found, ...approved].filter((what) => count(what) === 0);
    expect(never).toEqual([]);
  }, 300_000);

  // Where all want the same, rare things happen: pieces and lots that somebody else holds, and too much to be read at once.
  it.each(['D', 'E', 'S'] as const)(
    'keeps every invariant when all is about %s in one warehouse',
    (itemId) => {
      const day = fc.property(crowdedDay(itemId, 'W1'), (steps) => void simulate(steps));
      fc.assert(day, { seed: SEED, numRuns: CROWDED_DAYS });
    },
    300_000,
  );

  it.each(Object.entries(MUTANTS))(
    'notices a machine that %s',
    (_, { decide, noticed, day = someDay }) => {
      const faulty = fc.property(day, (steps) => void simulate(steps, { decide }));
      const { errorInstance } = fc.check(faulty, { seed: FAULTY_SEED, numRuns: 1_500, endOnFailure: true });
      expect(errorInstance).toBeInstanceOf(Violation);
      expect((errorInstance as Violation).message).toMatch(noticed);
      // Most are noticed within a few days, the rarest within some hundreds.
    },
    300_000,
  );
});
