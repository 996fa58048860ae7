import { coresBetween, type CpuUse, readCpu } from './cpu.js';
import { EventLoad } from './event-load.js';
import type { Part, SubjectKey } from './options.js';
import type { BenchRun } from './run.js';
import { prepareOrders, type Scenario } from './scenarios.js';
import type { Subject } from './subjects.js';

/** One subject in one round. */
export interface ThroughputResult {
  readonly part: Part;
  readonly subject: SubjectKey;
  readonly round: number;
  readonly orders: number;
  readonly seconds: number;
  readonly ordersPerSecond: number;
  /** Answers that came more than once; at-least-once delivery allows some. */
  readonly repeatedAnswers: number;
  readonly peakMemoryBytes: readonly (number | null)[];
  readonly cores: CpuUse | null;
}

/**
 * How many orders a second a subject reserves when its queue is full: it is warmed up, held still while the queue is filled, and let
 * go. The time runs from there until the last answer has been consumed.
 */
export async function measureThroughput(run: BenchRun, subject: Subject, scenario: Scenario, round: number): Promise<ThroughputResult> {
  const { signal, options } = run;
  const load = await openLoad(run, subject);
  const children = await subject.start();
  try {
    const warmup = prepareOrders(scenario, share(options.warmupOrders, subject));
    const warm = load.expect(warmup);
    await load.publishAll(warmup);
    await warm.all(signal);

    const orders = prepareOrders(scenario, share(options.orders, subject));
    children.forEach((child) => child.hold());
    await load.publishAll(orders);
    await run.settle();
    const answers = load.expect(orders);
    const pids = children.map((child) => child.pid);
    const cpuBefore = readCpu(pids);
    const startMs = performance.now();
    children.forEach((child) => child.release());
    await answers.all(signal);
    const cores = coresBetween(cpuBefore, readCpu(pids), (performance.now() - startMs) / 1_000);
    const seconds = (answers.lastAtMs - startMs) / 1_000;
    return {
      part: scenario.part,
      subject: subject.key,
      round,
      orders: orders.events.length,
      seconds,
      ordersPerSecond: orders.events.length / seconds,
      repeatedAnswers: answers.repeats,
      peakMemoryBytes: children.map((child) => child.peakMemoryBytes()),
      cores,
    };
  } finally {
    await Promise.all(children.map((child) => child.stop()));
    await load.close();
  }
}

/** A load on a subject's exchange; its queue goes with the run if not before. */
export function openLoad(run: BenchRun, subject: Subject): Promise<EventLoad> {
  return EventLoad.open({ amqpUrl: run.options.amqpUrl, exchange: subject.exchange, queue: `${run.prefix}.answers` });
}

function share(orders: number, subject: Subject): number {
  return Math.ceil(orders * subject.share);
}
