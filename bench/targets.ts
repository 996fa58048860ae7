import type { CallResult } from './availability-calls.js';
import type { AsOfResult } from './large.js';
import type { ImportResult, OrdersDuringImportResult } from './imports.js';
import type { LatencyResult } from './latency.js';
import { median, PERCENTILES } from './latency.js';
import type { Part, SubjectKey } from './options.js';
import type { OrdersOverHttpResult } from './orders-over-http.js';
import { PATHS, type PathPart, type PathResult } from './paths.js';
import { type ReportName, type ReportResult, REPORTS } from './reports.js';
import type { ReconciliationResult } from './reconciliation.js';
import type { ThroughputResult } from './throughput.js';

/** Everything that a run measured; parts that did not run are empty. */
export interface Measured {
  readonly throughput: ThroughputResult[];
  readonly latency: LatencyResult[];
  readonly calls: CallResult[];
  readonly ordersOverHttp: OrdersOverHttpResult[];
  readonly imports: ImportResult[];
  readonly ordersDuringImport: OrdersDuringImportResult[];
  readonly paths: PathResult[];
  readonly asOf: AsOfResult[];
  readonly reconciliations: ReconciliationResult[];
  readonly reports: ReportResult[];
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
/** What may be lost by lots, by the size of the warehouse, and by what was built since another version. */
const PATH_TARGETS: Readonly<Record<PathPart, number>> = { lots: 0.5, large: 0.8, before: 0.95 };
const LOOKUPS_OF_AS_OF = 20;
const SUMS_OF_RECONCILIATION = 3;
const RECONCILIATION_MEMORY_BYTES = 300 * 1024 ** 2;
/** Grouping and summing, beside counting; a page of the trail is found by an index, however many there are. */
const COUNTS_OF_REPORT = 20;
const COUNTS_OF_AUDIT = 1;

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
  for (const [part, target] of Object.entries(PATH_TARGETS) as [PathPart, number][]) {
    const [plain, other] = PATHS[part];
    const pathRate = (path: string) => (round: number) =>
      measured.paths.find((result) => result.part === part && result.path === path && result.round === round)?.ordersPerSecond;
    add(`${part}, 1 process: ${other} / ${plain}`, ratioOf(pathRate(other), pathRate(plain)), 'at least', target);
  }
  const asOf = (what: 'asOfMs' | 'lookupMs') => (round: number) => measured.asOf.find((result) => result.round === round)?.[what];
  add('one item as of a time / a row by its key', ratioOf(asOf('asOfMs'), asOf('lookupMs')), 'at most', LOOKUPS_OF_AS_OF);
  const reported = (report: ReportName, what: 'countMs' | 'reportMs') => (round: number) =>
    measured.reports.find((result) => result.report === report && result.round === round)?.[what];
  for (const report of REPORTS) {
    const ratio = ratioOf(reported(report, 'reportMs'), reported(report, 'countMs'));
    if (report === 'audit') add('a page of the audit trail / counting the rows', ratio, 'at most', COUNTS_OF_AUDIT);
    else add(`report, ${report} / counting the same rows`, ratio, 'at most', COUNTS_OF_REPORT);
  }
  const books = (valueOf: (result: ReconciliationResult) => number) => (round: number) => {
    const result = measured.reconciliations.find((it) => it.round === round);
    return result === undefined ? undefined : valueOf(result);
  };
  const ofSum = ratioOf(
    books((it) => it.runMs),
    books((it) => it.sumMs),
  );
  add('a reconciliation / one sum of the ledger', ofSum, 'at most', SUMS_OF_RECONCILIATION);
  const peaks = measured.reconciliations.flatMap(({ peakMemoryBytes }) => Object.values(peakMemoryBytes).filter((bytes) => bytes !== null));
  const memory = peaks.length === 0 ? null : Math.max(...peaks) / RECONCILIATION_MEMORY_BYTES;
  add('largest process of a reconciliation / 300 MB', memory, 'at most', 1);
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
