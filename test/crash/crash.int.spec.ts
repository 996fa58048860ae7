import { KILL_POINTS } from './kill-points.js';
import { killCount } from './mortal-slot.js';
import { type CrashRunOptions, describeRun, runCrashes } from './crash-run.js';

// Real processes over real RabbitMQ and PostgreSQL, killed at named points. `npm run test:crash` is the full size; `CRASH_SEED` repeats a run.

const SEED = Number(process.env['CRASH_SEED'] ?? Date.now() % 1_000_000);
const POINTS = KILL_POINTS.inventory.length + KILL_POINTS.orders.length + 2 * KILL_POINTS.relay.length;
const KILLS = Number(process.env['CRASH_KILLS'] ?? POINTS);
const TIMEOUT_MS = 180_000 + KILLS * 5_000;

async function run(name: string, options: Omit<CrashRunOptions, 'seed'>) {
  const all = { seed: SEED, ...options };
  const report = await runCrashes(all);
  process.stderr.write(`${describeRun(name, all, report)}\n`);
  return report;
}

it(
  'loses and doubles nothing when processes are killed',
  async () => {
    const report = await run('Crashes', { kills: KILLS });
    expect({ lost: report.lost, doubled: report.doubled, inconsistent: report.inconsistent }).toEqual({
      lost: [],
      doubled: [],
      inconsistent: [],
    });
    expect({ defects: report.defects, accidents: report.toll.accidents }).toEqual({ defects: [], accidents: [] });
    expect(killCount(report.toll)).toBeGreaterThanOrEqual(KILLS);
    expect(report.toll.kills.size).toBeGreaterThanOrEqual(Math.min(KILLS, POINTS));
  },
  TIMEOUT_MS,
);

// What the run above found nothing of, it does find: each protection is taken away in turn.

it('would double effects without inbox and business keys', async () => {
  const unsafe = { HOLDFAST_UNSAFE_NO_INBOX: '1', HOLDFAST_UNSAFE_NO_BUSINESS_KEYS: '1' };
  const report = await run('Without inbox and business keys', { kills: 4, unsafe, quietWithinMs: 5_000, patienceMs: 8_000 });
  expect(report.doubled.length).toBeGreaterThan(0);
}, 120_000);

it('would lose answers without the sweep of the outbox', async () => {
  const unsafe = { HOLDFAST_UNSAFE_NO_SWEEP: '1' };
  const options = { kills: 12, unsafe, without: ['relay-sweep'], quietWithinMs: 5_000, patienceMs: 8_000 };
  const report = await run('Without the sweep', options);
  expect(report.lost.length).toBeGreaterThan(0);
}, 120_000);
