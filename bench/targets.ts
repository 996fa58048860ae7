import type { CallResult } from './availability-calls.js';
import type { ImportResult, OrdersDuringImportResult } from './imports.js';
import type { LatencyResult } from './latency.js';
import { median, PERCENTILES } from './latency.js';
import type { Part, SubjectKey } from './options.js';
import type { OrdersOverHttpResult } from './orders-over-http.js';
import type { ThroughputResult } from './throughput.js';

/** Everything that a run measured; parts that did not run are empty. */
export interface Measured {
  readonly throughput: ThroughputResult[];
  readonly latency: LatencyResult[];
  readonly calls: CallResult[];
  readonly ordersOverHttp: OrdersOverHttpResult[];
  readonly imports: ImportResult[];
  readonly ordersDuringImport: OrdersDuringImportResult[];
}

/** A ratio and what it has to be. */
export interface Verdict {
  readonly what: string;
  readonly ratio: number;
  readonly bound: 'at least' | 'at most';
  readonly target: number;
  readonly met: boolean;
}

const TITLES = { spread: 'spread', hot: 'hot item', orgs: '1,000 organisations' };
const P99 = PERCENTILES.indexOf(99);
/** `COPY` checks nothing, keeps nobody apart, and writes no ledger with its events. */
const ITEMS_OF_COPY = 0.04;
const STOCK_OF_COPY = 0.03;
const P99_DURING_IMPORT = 5;

/** Compares what was measured with the targets; only ratios of what ran side by side in the same round, the median of the rounds. */
export function verdicts(measured: Measured): Verdict[] {
  const found: Verdict[] = [];
  const add = (what: string, ratio: number | null, bound: Verdict['bound'], target: number) => {
    if (ratio === null) return;
    found.push({ what, ratio, bound, target, met: bound === 'at least' ? ratio >= target : ratio <= target });
  };
  const rate = (part: Part, subject: SubjectKey) => (round: number) =>
    measured.throughput.find((result) => result.part === part && result.subject === subject && result.round === round)?.ordersPerSecond;
  const p99 = (subject: SubjectKey) => (round: number) =>
    measured.latency.find((result) => result.subject === subject && result.round === round)?.percentilesMs[P99];
  for (const [subject, processes] of [
    ['holdfast1', '1 process'],
    ['holdfast2', '2 processes'],
  ] as const) {
    for (const part of ['spread', 'hot', 'orgs'] as const) {
      add(`${TITLES[part]}, ${processes}: Holdfast / yardstick`, ratioOf(rate(part, subject), rate(part, 'yardstick')), 'at least', 0.5);
    }
    add(`${processes}: hot item / spread`, ratioOf(rate('hot', subject), rate('spread', subject)), 'at least', 0.9);
    add(`spread, ${processes}: Holdfast / naive`, ratioOf(rate('spread', subject), rate('spread', 'naive')), 'at least', 4);
    add(`hot item, ${processes}: Holdfast / naive`, ratioOf(rate('hot', subject), rate('hot', 'naive')), 'at least', 8);
    add(`open loop, ${processes}: p99 Holdfast / yardstick`, ratioOf(p99(subject), p99('yardstick')), 'at most', 3);
  }
  const calls = (subject: CallResult['subject']) => (round: number) =>
    measured.calls.find((result) => result.subject === subject && result.round === round)?.callsPerSecond;
  add('availability.get / empty handler, 16 callers', ratioOf(calls('availability'), calls('empty')), 'at least', 0.5);
  const lines = (kind: ImportResult['kind'], subject: ImportResult['subject']) => (round: number) =>
    measured.imports.find((result) => result.kind === kind && result.subject === subject && result.round === round)?.linesPerSecond;
  for (const [kind, target] of [
    ['items', ITEMS_OF_COPY],
    ['stock', STOCK_OF_COPY],
  ] as const) {
    add(`import of ${kind}: Holdfast / COPY`, ratioOf(lines(kind, 'holdfast'), lines(kind, 'copy')), 'at least', target);
  }
  const during = (importing: boolean) => (round: number) =>
    measured.ordersDuringImport.find((result) => result.importing === importing && result.round === round)?.percentilesMs[P99];
  add('orders, p99: during an import / alone', ratioOf(during(true), during(false)), 'at most', P99_DURING_IMPORT);
  return found;
}

type OfRound = (round: number) => number | undefined;

/** The median over the rounds of one divided by the other; `null` when no round has both. */
function ratioOf(dividend: OfRound, divisor: OfRound): number | null {
  const ratios: number[] = [];
  for (let round = 1; round <= 1_000; round++) {
    const above = dividend(round);
    const below = divisor(round);
    if (above === undefined && below === undefined) break;
    if (above !== undefined && below !== undefined) ratios.push(above / below);
  }
  return ratios.length === 0 ? null : median(ratios);
}
