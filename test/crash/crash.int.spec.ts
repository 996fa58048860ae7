import { pointsOf } from './kill-points.js';
import { killCount } from './mortal-slot.js';
import { type CrashReport, type CrashRunOptions, describeRun, runCrashes, runEmbeddedCrashes } from './crash-run.js';

// Real processes over real RabbitMQ and PostgreSQL, killed at named points. `npm run test:crash` is the full size; `CRASH_SEED` repeats a run.

const SEED = Number(process.env['CRASH_SEED'] ?? Date.now() % 1_000_000);
const POINTS = pointsOf(['inventory', 'orders']).length;
/** Enough for each point. */
const KILLS = Number(process.env['CRASH_KILLS'] ?? 28);
/** The embedded mode has one process, so its kills come one after another. */
const EMBEDDED_KILLS = Math.ceil(KILLS / 4);
const TIMEOUT_MS = 180_000 + KILLS * 5_000;

async function run(
  name: string,
  options: Omit<CrashRunOptions, 'seed'>,
  crash: (options: CrashRunOptions) => Promise<CrashReport> = runCrashes,
): Promise<CrashReport> {
  const all = { seed: SEED, ...options };
  const report = await crash(all);
  process.stderr.write(`${describeRun(name, all, report)}\n`);
  return report;
}

function expectNothingWrong({ lost, doubled, inconsistent, defects, toll }: CrashReport): void {
  expect({ lost, doubled, inconsistent, defects }).toEqual({ lost: [], doubled: [], inconsistent: [], defects: [] });
  expect(toll.accidents).toEqual([]);
}

it(
  'loses and doubles nothing when processes are killed',
  async () => {
    const report = await run('Crashes', { kills: KILLS });
    expectNothingWrong(report);
    expect(killCount(report.toll)).toBeGreaterThanOrEqual(KILLS);
    expect(report.toll.kills.size).toBeGreaterThanOrEqual(Math.min(KILLS, POINTS));
  },
  TIMEOUT_MS,
);

it(
  'loses and doubles nothing when the one process of the embedded mode is killed',
  async () => {
    const report = await run('Embedded crashes', { kills: EMBEDDED_KILLS }, runEmbeddedCrashes);
    expectNothingWrong(report);
    expect(killCount(report.toll)).toBeGreaterThanOrEqual(EMBEDDED_KILLS);
  },
  TIMEOUT_MS,
);

// What the run above found nothing of, it does find: each protection is taken away in turn.

it('would double effects without inbox and business keys', async () => {
  const unsafe = { HOLDFAST_UNSAFE_NO_INBOX: '1', HOLDFAST_UNSAFE_NO_BUSINESS_KEYS: '1' };
  const report = await run('Without inbox and business keys', { kills: 4, unsafe, quietWithinMs: 5_000, patienceMs: 8_000 });
  expect(report.doubled.length).toBeGreaterThan(0);
  // Stock itself, and not only what is said of it.
  expect(report.doubled.some((what) => what.startsWith('moved'))).toBe(true);
}, 240_000);

it('would lose answers without the sweep of the outbox', async () => {
  const unsafe = { HOLDFAST_UNSAFE_NO_SWEEP: '1' };
  const options = { kills: 8, unsafe, without: ['relay-sweep'], quietWithinMs: 5_000, patienceMs: 8_000 };
  const report = await run('Without the sweep', options);
  expect(report.lost.length).toBeGreaterThan(0);
}, 240_000);
