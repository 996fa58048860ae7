import type { CpuUse } from './cpu.js';
import { IMPORT_SUBJECTS, IMPORTED } from './imports.js';
import { median, PERCENTILES } from './latency.js';
import { type Part, SUBJECTS, type SubjectKey } from './options.js';
import { REPORTS } from './reports.js';
import { PATH_PARTS, PATHS } from './paths.js';
import { table } from './table.js';
import type { Measured, Verdict } from './targets.js';

export const SUBJECT_TITLES: Readonly<Record<SubjectKey, string>> = {
  yardstick: '(a) yardstick',
  holdfast1: '(b) Holdfast, 1 process',
  holdfast2: '(b) Holdfast, 2 processes',
  naive: '(c) naive',
};
export const PART_TITLES: Readonly<Record<'spread' | 'hot' | 'orgs', string>> = {
  spread: 'spread over 10,000 items',
  hot: 'one item in every order',
  orgs: '1,000 organisations',
};

/** What one subject did in one part, the median of its rounds. */
export interface Summary {
  readonly part: Part;
  readonly subject: SubjectKey;
  readonly ordersPerSecond: number;
  readonly slowest: number;
  readonly fastest: number;
  readonly peakMemoryMegabytes: number | null;
}

export function summarise(measured: Measured): Summary[] {
  return (['spread', 'hot', 'orgs'] as const).flatMap((part) =>
    SUBJECTS.flatMap((subject) => {
      const results = measured.throughput.filter((result) => result.part === part && result.subject === subject);
      if (results.length === 0) return [];
      const rates = results.map((result) => result.ordersPerSecond);
      const peaks = results.flatMap((result) => result.peakMemoryBytes).filter((bytes) => bytes !== null);
      return {
        part,
        subject,
        ordersPerSecond: median(rates),
        slowest: Math.min(...rates),
        fastest: Math.max(...rates),
        peakMemoryMegabytes: peaks.length === 0 ? null : Math.max(...peaks) / 1024 ** 2,
      };
    }),
  );
}

/** All that was measured, as text for a terminal. */
export function report(measured: Measured, verdicts: readonly Verdict[]): string {
  return [
    throughputTable(measured),
    latencyTable(measured),
    callsTable(measured),
    httpTable(measured),
    importTable(measured),
    duringTable(measured),
    pathTable(measured),
    asOfTable(measured),
    reconciliationTable(measured),
    reportsTable(measured),
    verdictTable(verdicts),
  ]
    .filter((text) => text !== '')
    .join('\n\n');
}

function throughputTable(measured: Measured): string {
  const summaries = summarise(measured);
  const rows = summaries.map((summary) => {
    const yardstick = summaries.find((other) => other.part === summary.part && other.subject === 'yardstick');
    const cores = measured.throughput.findLast((result) => result.part === summary.part && result.subject === summary.subject)?.cores;
    return [
      `${PART_TITLES[summary.part as keyof typeof PART_TITLES]}: ${SUBJECT_TITLES[summary.subject]}`,
      count(summary.ordersPerSecond),
      `${count(summary.slowest)} - ${count(summary.fastest)}`,
      yardstick === undefined ? '' : (summary.ordersPerSecond / yardstick.ordersPerSecond).toFixed(2),
      summary.peakMemoryMegabytes === null ? '' : summary.peakMemoryMegabytes.toFixed(0),
      coresText(cores),
    ];
  });
  const head = ['orders reserved, queue full', 'per second', 'rounds', 'of (a)', 'peak MB', 'cores: own, sql, mq, load'];
  return rows.length === 0 ? '' : table(head, rows);
}

function coresText(cores: CpuUse | null | undefined): string {
  return cores ? [cores.subject, cores.postgres, cores.rabbitmq, cores.bench].map((each) => each.toFixed(2)).join(' ') : '';
}

function latencyTable(measured: Measured): string {
  const rows = SUBJECTS.flatMap((subject) => {
    const results = measured.latency.filter((result) => result.subject === subject);
    if (results.length === 0) return [];
    const percentiles = PERCENTILES.map((_, index) => median(results.map((result) => result.percentilesMs[index]!)).toFixed(1));
    return [[`${SUBJECT_TITLES[subject]} at ${count(results[0]!.ordersPerSecond)} per second`, ...percentiles]];
  });
  return rows.length === 0 ? '' : table(['published to answered, open loop, ms', ...PERCENTILES.map((percent) => `p${percent}`)], rows);
}

function callsTable(measured: Measured): string {
  const rows = (['empty', 'availability'] as const).flatMap((subject) => {
    const results = measured.calls.filter((result) => result.subject === subject);
    if (results.length === 0) return [];
    const name = subject === 'empty' ? 'empty handler' : 'availability.get';
    return [[name, count(median(results.map((result) => result.callsPerSecond))), ...medianPercentiles(results)]];
  });
  return rows.length === 0 ? '' : table(['calls over RPC, 16 callers', 'per second', 'p50 ms', 'p99 ms'], rows);
}

function httpTable(measured: Measured): string {
  const results = measured.ordersOverHttp;
  if (results.length === 0) return '';
  const row = [
    `${results[0]!.callers} callers`,
    count(median(results.map((result) => result.requestsPerSecond))),
    ...medianPercentiles(results),
  ];
  return table(['POST /orders through the gateway', 'per second', 'p50 ms', 'p99 ms'], [row]);
}

function importTable(measured: Measured): string {
  const rows = IMPORTED.flatMap((kind) =>
    IMPORT_SUBJECTS.flatMap((subject) => {
      const results = measured.imports.filter((result) => result.kind === kind && result.subject === subject);
      if (results.length === 0) return [];
      const rate = (by: string) =>
        median(measured.imports.filter((result) => result.kind === kind && result.subject === by).map((result) => result.linesPerSecond));
      const peaks = results.flatMap((result) => Object.values(result.peakMemoryBytes)).filter((bytes) => bytes !== null);
      const name = subject === 'copy' ? 'COPY, insert ... select' : 'POST /imports';
      return [
        [
          `${kind}: ${name}`,
          count(rate(subject)),
          (rate(subject) / rate('copy')).toFixed(2),
          peaks.length === 0 ? '' : (Math.max(...peaks) / 1024 ** 2).toFixed(0),
        ],
      ];
    }),
  );
  return rows.length === 0 ? '' : table([`files of ${count(measured.imports[0]!.lines)} lines`, 'per second', 'of COPY', 'peak MB'], rows);
}

function duringTable(measured: Measured): string {
  const rows = [false, true].flatMap((importing) => {
    const results = measured.ordersDuringImport.filter((result) => result.importing === importing);
    if (results.length === 0) return [];
    const lines = count(median(results.map((result) => result.linesPerSecond)));
    const percentiles = PERCENTILES.map((_, index) => median(results.map((result) => result.percentilesMs[index]!)).toFixed(1));
    const orders = `${count(results[0]!.ordersPerSecond)} orders per second`;
    return [[importing ? `${orders}, ${lines} lines of stock imported` : `${orders} alone`, ...percentiles]];
  });
  return rows.length === 0 ? '' : table(['published to answered, open loop, ms', ...PERCENTILES.map((percent) => `p${percent}`)], rows);
}

function pathTable(measured: Measured): string {
  const rows = PATH_PARTS.flatMap((part) =>
    PATHS[part].flatMap((path) => {
      const results = measured.paths.filter((result) => result.part === part && result.path === path);
      if (results.length === 0) return [];
      const rates = results.map((result) => result.ordersPerSecond);
      return [
        [
          `${part}: ${path}`,
          count(median(rates)),
          `${count(Math.min(...rates))} - ${count(Math.max(...rates))}`,
          coresText(results.at(-1)!.cores),
        ],
      ];
    }),
  );
  const head = ['orders reserved, queue full, 1 process', 'per second', 'rounds', 'cores: own, sql, mq, load'];
  return rows.length === 0 ? '' : table(head, rows);
}

function asOfTable(measured: Measured): string {
  const results = measured.asOf;
  if (results.length === 0) return '';
  const { balances, ledgerEntries } = results[0]!;
  const row = (what: string, times: readonly number[]) => [what, median(times).toFixed(3)];
  return table(
    [`${count(balances)} balances, ${count(ledgerEntries)} ledger entries`, 'ms'],
    [
      row(
        'one row by its key',
        results.map((result) => result.lookupMs),
      ),
      row(
        'availability of one item as of a time',
        results.map((result) => result.asOfMs),
      ),
    ],
  );
}

function reportsTable(measured: Measured): string {
  const rows = REPORTS.flatMap((report) => {
    const results = measured.reports.filter((result) => result.report === report);
    if (results.length === 0) return [];
    return [[report, median(results.map(({ reportMs }) => reportMs)).toFixed(1), median(results.map(({ countMs }) => countMs)).toFixed(1)]];
  });
  return rows.length === 0 ? '' : table([`${count(measured.reports[0]!.events)} events`, 'report, ms', 'counting, ms'], rows);
}

function reconciliationTable(measured: Measured): string {
  const results = measured.reconciliations;
  if (results.length === 0) return '';
  const { balances, ledgerEntries } = results[0]!;
  const row = (what: string, times: readonly number[]) => [what, (median(times) / 1_000).toFixed(2)];
  const memory = Object.entries(results.at(-1)!.peakMemoryBytes).map(([name, bytes]) => [
    `memory of ${name}, MB`,
    bytes === null ? '?' : (bytes / 1024 ** 2).toFixed(0),
  ]);
  return table(
    [`${count(balances)} balances, ${count(ledgerEntries)} ledger entries`, 'seconds'],
    [
      row(
        'one sum of the ledger',
        results.map((result) => result.sumMs),
      ),
      row(
        'a reconciliation',
        results.map((result) => result.runMs),
      ),
      ...memory,
    ],
  );
}

function verdictTable(verdicts: readonly Verdict[]): string {
  const rows = verdicts.map(({ what, ratio, bound, target, met }) => [
    what,
    ratio.toFixed(2),
    `${bound} ${target}`,
    met ? 'met' : 'MISSED',
  ]);
  return rows.length === 0 ? '' : table(['ratio, median of the rounds', 'measured', 'target', ''], rows);
}

function medianPercentiles(results: readonly { readonly percentilesMs: readonly number[] }[]): string[] {
  return [50, 99].map((percent) => {
    const index = PERCENTILES.findIndex((known) => known === percent);
    return median(results.map((result) => result.percentilesMs[index]!)).toFixed(1);
  });
}

function count(value: number): string {
  return Math.round(value).toLocaleString('en-GB');
}
