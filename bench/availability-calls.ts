import { AvailabilityGet } from '#libs/contracts';
import { callBody, makeCalls } from './calls.js';
import type { Child } from './child.js';
import { coresBetween, type CpuUse, readCpu } from './cpu.js';
import { emptyServiceSite, environment, mainSite, startApp } from './services.js';
import { percentile, PERCENTILES } from './latency.js';
import type { BenchRun } from './run.js';
import { itemId, ITEMS, ONE_ORG, WAREHOUSE } from './scenarios.js';
import { built } from './subjects.js';

const CALLERS = 16;
const WARMUP_MS = 1_500;

/** `availability.get`, or an empty handler on the same transport. */
export interface CallResult {
  readonly part: 'atp';
  readonly subject: 'availability' | 'empty';
  readonly round: number;
  readonly callers: number;
  readonly callsPerSecond: number;
  /** At {@link PERCENTILES}. */
  readonly percentilesMs: readonly number[];
  readonly peakMemoryBytes: number | null;
  readonly cores: CpuUse | null;
}

export const CALL_SUBJECTS = ['empty', 'availability'] as const;

export async function measureCalls(run: BenchRun, subject: CallResult['subject'], round: number): Promise<CallResult> {
  const child = await (subject === 'empty' ? startEmptyService(run) : startApp(run, 'inventory').then((app) => app.child));
  const { prefix } = subject === 'empty' ? emptyServiceSite(run) : mainSite(run);
  try {
    await run.settle();
    const countFromMs = performance.now() + WARMUP_MS;
    const untilMs = countFromMs + run.options.seconds * 1_000;
    const waitedMs: number[] = [];
    const before = readCpu([child.pid]);
    const startMs = performance.now();
    await makeCalls(
      {
        amqpUrl: run.options.amqpUrl,
        queue: `${prefix}.inventory.rpc`,
        callers: CALLERS,
        next: () => (performance.now() < untilMs ? availabilityCall() : null),
        onAnswer: (calledMs, answeredMs) => {
          if (answeredMs >= countFromMs && answeredMs < untilMs) waitedMs.push(answeredMs - calledMs);
        },
      },
      run.signal,
    );
    const cores = coresBetween(before, readCpu([child.pid]), (performance.now() - startMs) / 1_000);
    const sorted = Float64Array.from(waitedMs).sort();
    return {
      part: 'atp',
      subject,
      round,
      callers: CALLERS,
      callsPerSecond: sorted.length / run.options.seconds,
      percentilesMs: PERCENTILES.map((percent) => percentile(sorted, percent)),
      peakMemoryBytes: child.peakMemoryBytes(),
      cores,
    };
  } finally {
    await child.stop();
  }
}

async function startEmptyService(run: BenchRun): Promise<Child> {
  const env = environment(run, emptyServiceSite(run));
  const { child } = await run.startChild({ name: 'empty service', script: built('bench/empty-service.js'), env });
  return child;
}

/** Asks both for the same, so that reading and checking the request costs them the same. */
function availabilityCall(): string {
  const items = [{ itemId: itemId(1 + Math.floor(Math.random() * ITEMS)), warehouseId: WAREHOUSE }];
  return callBody(AvailabilityGet.pattern, { orgId: ONE_ORG, items });
}
