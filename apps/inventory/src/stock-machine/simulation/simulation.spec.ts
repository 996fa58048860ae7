import fc from 'fast-check';
import { simulate, type SimulationOptions, type Tally } from './simulate.js';
import { someDay } from './steps.js';

// SIMULATION_COMMANDS sets the size, SIMULATION_SEED (and SIMULATION_PATH, both printed by a failure) play a run again.
const COMMANDS = Number(process.env['SIMULATION_COMMANDS'] ?? 20_000);
const SEED = Number(process.env['SIMULATION_SEED'] ?? Date.now() % 1_000_000_000);
const DAYS_PER_ROUND = 25;

/** Plays days until so many commands were decided; each is checked after every command. */
function play(commands: number, options: SimulationOptions = {}): Tally {
  const tally: Tally = new Map();
  const path = process.env['SIMULATION_PATH'];
  const day = fc.property(someDay, (steps) => {
    for (const [what, count] of simulate(steps, options)) tally.set(what, (tally.get(what) ?? 0) + count);
  });
  for (let round = 0; (tally.get('commands') ?? 0) < commands; round++) {
    fc.assert(day, { seed: SEED + round, numRuns: DAYS_PER_ROUND, ...(path === undefined ? {} : { path }) });
  }
  return tally;
}

describe('simulation of the stock machine', () => {
  it(`keeps every invariant over ${COMMANDS} random commands (seed ${SEED})`, () => {
    const startedMs = performance.now();
    const tally = play(COMMANDS);
    const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
    process.stdout.write(`simulated ${tally.get('commands')} commands in ${seconds} s, seed ${SEED}\n`);
    if (process.env['SIMULATION_TALLY'] !== undefined) {
      for (const [what, count] of [...tally].sort()) process.stdout.write(`  ${what}: ${count}\n`);
    }
  }, 300_000);
});
