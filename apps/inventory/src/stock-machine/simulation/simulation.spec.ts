import fc from 'fast-check';
import { Violation } from './check-rows.js';
import { MUTANTS } from './mutants.js';
import { simulate, type Tally } from './simulate.js';
import { someDay } from './steps.js';

// SIMULATION_COMMANDS sets the size; SIMULATION_SEED and SIMULATION_PATH, as a failure prints them, play it again.
const COMMANDS = Number(process.env['SIMULATION_COMMANDS'] ?? 20_000);
const SEED = Number(process.env['SIMULATION_SEED'] ?? Date.now() % 1_000_000_000);
const PATH = process.env['SIMULATION_PATH'];
const DAYS_PER_ROUND = 25;

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
    const rare = ['event BackorderFilled', 'event ReservationExpired', 'event ReservationShorted', 'fill-backorders done'];
    const early = ['ship too-early', 'unship too-early', 'receive-return too-early', 'inspect-return too-early'];
    const never = [...rare, ...early, 'unship done', 'receive-return done', 'inspect-return done'].filter((what) => count(what) === 0);
    expect(never).toEqual([]);
  }, 300_000);

  it.each(Object.entries(MUTANTS))(
    'notices a machine that %s',
    (_, { decide, noticed }) => {
      const day = fc.property(someDay, (steps) => void simulate(steps, { decide }));
      const { errorInstance } = fc.check(day, { seed: SEED, numRuns: 1_500, endOnFailure: true });
      expect(errorInstance).toBeInstanceOf(Violation);
      expect((errorInstance as Violation).message).toMatch(noticed);
      // Most are noticed within a few days, the rarest within some hundreds.
    },
    300_000,
  );
});
