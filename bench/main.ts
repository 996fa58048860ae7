import { mkdir, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { CALL_SUBJECTS, measureCalls } from './availability-calls.js';
import { prepareHoldfast } from './holdfast.js';
import { IMPORT_SUBJECTS, measureImport, measureOrdersDuringImport, prepareImports } from './imports.js';
import { measureAsOf } from './large.js';
import { measureLatency, median } from './latency.js';
import { type Options, readOptions, SUBJECTS, USAGE } from './options.js';
import { measureOrdersOverHttp } from './orders-over-http.js';
import { measurePath, PATH_PARTS, preparePaths } from './paths.js';
import { plot } from './plot.js';
import { measureReconciliation, prepareReconciliation } from './reconciliation.js';
import { report } from './report.js';
import { measureReport, prepareReports, REPORTS } from './reports.js';
import { BenchRun, Interrupted } from './run.js';
import { SCENARIOS, SPREAD } from './scenarios.js';
import { prepareYardstick, removeFromBroker, type Subject } from './subjects.js';
import { type Measured, verdicts } from './targets.js';
import { measureThroughput } from './throughput.js';

/** Runs the benchmark: prepares names and stock of its own, measures the chosen parts, reports, and removes everything again. */
async function main(): Promise<number> {
  let options: Options | null;
  try {
    options = readOptions(process.argv.slice(2), process.env);
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${USAGE}`);
    return 2;
  }
  if (options === null) {
    console.log(USAGE);
    return 0;
  }
  const run = new BenchRun(options);
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => run.fail(new Interrupted(`${name}: cleaning up.`)));
  try {
    return await benchmark(run);
  } catch (error) {
    const reason: unknown = run.signal.aborted ? run.signal.reason : error;
    console.error(`\n${reason instanceof Error ? reason.message : String(reason)}`);
    return reason instanceof Interrupted ? 130 : 2;
  } finally {
    for (const left of await run.cleanUp()) console.error(`Not removed: ${left}`);
  }
}

async function benchmark(run: BenchRun): Promise<number> {
  const { options } = run;
  const versions = await run.prepare();
  run.onCleanUp('queue of answers', () => removeFromBroker(options.amqpUrl, { queues: [`${run.prefix}.answers`], exchanges: [] }));
  const machine = { cpu: cpus()[0]?.model, cores: cpus().length, node: process.version, ...versions };
  const machineTitle = `${machine.cores} cores (${machine.cpu}), Node ${machine.node}, PostgreSQL ${machine.postgres}, RabbitMQ ${machine.rabbitmq}`;
  console.log(machineTitle);

  const subjects = await prepareSubjects(run);
  const measured: Measured = {
    throughput: [],
    latency: [],
    calls: [],
    ordersOverHttp: [],
    imports: [],
    ordersDuringImport: [],
    paths: [],
    asOf: [],
    reconciliations: [],
    reports: [],
  };
  await measureScenarios(run, subjects, measured);
  await measureLatencies(run, subjects, measured);
  await measureAvailability(run, measured);
  await measureHttp(run, measured);
  await measureImports(run, subjects, measured);
  await measurePaths(run, measured);
  await measureReconciliations(run, measured);
  await measureReports(run, measured);

  const judged = verdicts(measured);
  console.log(`\n${report(measured, judged)}`);
  const file = join(options.output, `bench-${new Date().toISOString().replaceAll(':', '-').slice(0, 19)}`);
  await mkdir(options.output, { recursive: true });
  await writeFile(`${file}.json`, JSON.stringify({ machine, options: withoutAddresses(options), measured, verdicts: judged }, null, 2));
  await writeFile(`${file}.svg`, plot(measured, `Holdfast on ${machineTitle}`));
  console.log(`\nWritten to ${file}.json and .svg`);
  return options.check && judged.some((verdict) => !verdict.met) ? 1 : 0;
}

/** Makes tables, names and stock for those who take part. */
async function prepareSubjects(run: BenchRun): Promise<Subject[]> {
  const { parts, subjects } = run.options;
  const takesPart =
    subjects.some((key) => key.startsWith('holdfast')) ||
    ['atp', 'orders', 'import', 'lots'].some((part) => parts.some((chosen) => chosen === part));
  console.log('  making tables and stock');
  const all = [...(await prepareYardstick(run)), ...(takesPart ? await prepareHoldfast(run) : [])];
  return SUBJECTS.filter((key) => subjects.includes(key)).flatMap((key) => all.find((subject) => subject.key === key) ?? []);
}

/** Every other round goes backwards, so that a machine that grows faster or slower favours nobody. */
function inTurn<T>(items: readonly T[], round: number): readonly T[] {
  return round % 2 === 1 ? items : items.toReversed();
}

async function measureScenarios(run: BenchRun, subjects: readonly Subject[], measured: Measured): Promise<void> {
  for (const scenario of SCENARIOS.filter(({ part }) => run.options.parts.includes(part))) {
    for (let round = 1; round <= run.options.rounds; round++) {
      for (const subject of inTurn(subjects, round)) {
        const result = await measureThroughput(run, subject, scenario, round);
        measured.throughput.push(result);
        progress(`${scenario.title}, round ${round}, ${subject.title}: ${Math.round(result.ordersPerSecond)} orders per second`);
      }
    }
  }
}

async function measureLatencies(run: BenchRun, subjects: readonly Subject[], measured: Measured): Promise<void> {
  const { options } = run;
  if (!options.parts.includes('latency')) return;
  const rate = options.rate ?? Math.round((await topRate(run, subjects, measured)) / 4);
  for (let round = 1; round <= options.rounds; round++) {
    for (const subject of inTurn(subjects, round).filter(({ key }) => key !== 'naive')) {
      const result = await measureLatency(run, subject, SPREAD, rate, round);
      measured.latency.push(result);
      const text = result.percentilesMs.map((ms) => ms.toFixed(1)).join(' / ');
      progress(`open loop at ${rate} per second, round ${round}, ${subject.title}: p50 / p90 / p99 / p99.9 = ${text} ms`);
    }
  }
}

async function measureAvailability(run: BenchRun, measured: Measured): Promise<void> {
  if (!run.options.parts.includes('atp')) return;
  for (let round = 1; round <= run.options.rounds; round++) {
    for (const subject of inTurn(CALL_SUBJECTS, round)) {
      const result = await measureCalls(run, subject, round);
      measured.calls.push(result);
      progress(`RPC by ${result.callers} callers, round ${round}, ${subject}: ${Math.round(result.callsPerSecond)} calls per second`);
    }
  }
}

async function measureHttp(run: BenchRun, measured: Measured): Promise<void> {
  if (!run.options.parts.includes('orders')) return;
  for (let round = 1; round <= run.options.rounds; round++) {
    const result = await measureOrdersOverHttp(run, round);
    measured.ordersOverHttp.push(result);
    progress(`POST /orders by ${result.callers} callers, round ${round}: ${Math.round(result.requestsPerSecond)} per second`);
  }
}

/** Files of lines, beside `COPY`; and orders while stock is imported, beside orders alone. */
async function measureImports(run: BenchRun, subjects: readonly Subject[], measured: Measured): Promise<void> {
  const { options } = run;
  if (!options.parts.includes('import')) return;
  await prepareImports(run);
  for (let round = 1; round <= options.rounds; round++) {
    for (const subject of inTurn(IMPORT_SUBJECTS, round)) {
      for (const result of await measureImport(run, subject, round)) {
        measured.imports.push(result);
        progress(
          `${result.lines} lines of ${result.kind}, round ${round}, ${subject}: ${Math.round(result.linesPerSecond)} lines per second`,
        );
      }
    }
  }
  const rate = options.rate ?? Math.round((await topRate(run, subjects, measured)) / 10);
  for (let round = 1; round <= options.rounds; round++) {
    for (const importing of inTurn([false, true], round)) {
      const result = await measureOrdersDuringImport(run, importing, rate, round);
      measured.ordersDuringImport.push(result);
      const text = result.percentilesMs.map((ms) => ms.toFixed(1)).join(' / ');
      const what = importing ? `with ${Math.round(result.linesPerSecond)} lines of stock imported a second` : 'alone';
      progress(`orders at ${rate} per second, round ${round}, ${what}: p50 / p90 / p99 / p99.9 = ${text} ms`);
    }
  }
}

/** The plain way beside the one that must not cost much more, part by part; and the past of a large warehouse beside a row of it. */
async function measurePaths(run: BenchRun, measured: Measured): Promise<void> {
  for (const part of PATH_PARTS.filter((each) => run.options.parts.includes(each))) {
    progress(`${part}: making tables and stock`);
    const paths = await preparePaths(run, part);
    for (let round = 1; round <= run.options.rounds; round++) {
      for (const path of inTurn(paths, round)) {
        const result = await measurePath(run, path, round);
        measured.paths.push(result);
        progress(`${part}, round ${round}, ${path.path}: ${Math.round(result.ordersPerSecond)} orders per second`);
      }
      if (part !== 'large') continue;
      const result = await measureAsOf(run, round);
      measured.asOf.push(result);
      progress(`as of a time, round ${round}: ${result.asOfMs.toFixed(2)} ms, a row by its key ${result.lookupMs.toFixed(2)} ms`);
    }
  }
}

/** Reports over many events, each beside counting the rows that it reads. */
async function measureReports(run: BenchRun, measured: Measured): Promise<void> {
  if (!run.options.parts.includes('reports')) return;
  progress('reports: making events');
  await prepareReports(run);
  for (let round = 1; round <= run.options.rounds; round++) {
    for (const report of inTurn(REPORTS, round)) {
      const result = await measureReport(run, report, round);
      measured.reports.push(result);
      progress(`${report}, round ${round}: ${result.reportMs.toFixed(1)} ms, counting ${result.countMs.toFixed(1)} ms`);
    }
  }
}

/** A reconciliation of a large warehouse beside one sum of its ledger. */
async function measureReconciliations(run: BenchRun, measured: Measured): Promise<void> {
  if (!run.options.parts.includes('reconciliation')) return;
  progress('reconciliation: making tables and stock');
  await prepareReconciliation(run);
  for (let round = 1; round <= run.options.rounds; round++) {
    const result = await measureReconciliation(run, round);
    measured.reconciliations.push(result);
    progress(`reconciliation, round ${round}: ${(result.runMs / 1_000).toFixed(2)} s, one sum ${(result.sumMs / 1_000).toFixed(2)} s`);
  }
}

/** The yardstick's top rate of this run; measured now when the spread scenario was not asked for. */
async function topRate(run: BenchRun, subjects: readonly Subject[], measured: Measured): Promise<number> {
  const rates = measured.throughput
    .filter(({ part, subject }) => part === 'spread' && subject === 'yardstick')
    .map((r) => r.ordersPerSecond);
  if (rates.length === 0) {
    const yardstick = subjects.find(({ key }) => key === 'yardstick');
    if (yardstick === undefined) throw new Error('Without the yardstick, --rate has to say at which rate latency is measured.');
    rates.push((await measureThroughput(run, yardstick, SPREAD, 0)).ordersPerSecond);
  }
  return median(rates);
}

function progress(text: string): void {
  console.log(`  ${text}`);
}

/** Addresses may hold passwords. */
function withoutAddresses({ databaseUrl: _database, amqpUrl: _amqp, ...rest }: Options): Omit<Options, 'databaseUrl' | 'amqpUrl'> {
  return rest;
}

process.exit(await main());
