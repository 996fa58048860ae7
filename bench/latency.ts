import type { SubjectKey } from './options.js';
import type { BenchRun } from './run.js';
import { prepareOrders, type Scenario } from './scenarios.js';
import type { Subject } from './subjects.js';
import { openLoad } from './throughput.js';
import { coresBetween, type CpuUse, readCpu } from './cpu.js';

export const PERCENTILES = [50, 90, 99, 99.9] as const;
const WARMUP_SECONDS = 2;

/** One subject in one round of open-loop load. */
export interface LatencyResult {
  readonly part: 'latency';
  readonly subject: SubjectKey;
  readonly round: number;
  readonly ordersPerSecond: number;
  readonly orders: number;
  /** From publishing an order to consuming its `StockReserved`, in ms, at each of {@link PERCENTILES}; and the worst. */
  readonly percentilesMs: readonly number[];
  readonly maxMs: number;
  readonly peakMemoryBytes: readonly (number | null)[];
  readonly cores: CpuUse | null;
}

/** Publishes at a fixed rate, whatever comes back, and measures how long each order waits for its answer. */
export async function measureLatency(
  run: BenchRun,
  subject: Subject,
  scenario: Scenario,
  ordersPerSecond: number,
  round: number,
): Promise<LatencyResult> {
  const { signal, options } = run;
  const load = await openLoad(run, subject);
  const children = await subject.start();
  try {
    await run.settle();
    const discarded = WARMUP_SECONDS * ordersPerSecond;
    const orders = prepareOrders(scenario, discarded + options.seconds * ordersPerSecond);
    const answers = load.expect(orders);
    const pids = children.map((child) => child.pid);
    const cpuBefore = readCpu(pids);
    const startMs = performance.now();
    const dueMs = await load.publishAtRate(orders, ordersPerSecond, signal);
    await answers.all(signal);
    const cores = coresBetween(cpuBefore, readCpu(pids), (performance.now() - startMs) / 1_000);
    const waitedMs = answers.answeredAtMs
      .map((atMs, index) => atMs - dueMs[index]!)
      .slice(discarded)
      .sort();
    return {
      part: 'latency',
      subject: subject.key,
      round,
      ordersPerSecond,
      orders: waitedMs.length,
      percentilesMs: PERCENTILES.map((percent) => percentile(waitedMs, percent)),
      maxMs: waitedMs.at(-1)!,
      peakMemoryBytes: children.map((child) => child.peakMemoryBytes()),
      cores,
    };
  } finally {
    await Promise.all(children.map((child) => child.stop()));
    await load.close();
  }
}

/** The smallest value that at least `percent` of the sorted values do not exceed. */
export function percentile(sorted: ArrayLike<number>, percent: number): number {
  return sorted[Math.max(0, Math.ceil((sorted.length * percent) / 100) - 1)]!;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
