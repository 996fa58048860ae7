import { setTimeout as sleep } from 'node:timers/promises';
import { EVENTS_EXCHANGE, type Import } from '#libs/contracts';
import { coresBetween, type CpuUse, readCpu } from './cpu.js';
import { EventLoad } from './event-load.js';
import { percentile, PERCENTILES } from './latency.js';
import type { BenchRun } from './run.js';
import { ONE_ORG, prepareOrders, SCENARIOS } from './scenarios.js';
import { mainSite, startApp } from './services.js';
import { COPY_TABLES, copyLines } from './yardstick/copy-lines.js';

export const IMPORT_SUBJECTS = ['copy', 'holdfast'] as const;
export const IMPORTED = ['items', 'stock'] as const;

/** A file of lines: by `COPY` and `insert ... select`, or by `POST /imports` from the first byte until it is applied. */
export interface ImportResult {
  readonly part: 'import';
  readonly subject: (typeof IMPORT_SUBJECTS)[number];
  readonly kind: (typeof IMPORTED)[number];
  readonly round: number;
  readonly lines: number;
  readonly linesPerSecond: number;
  readonly peakMemoryBytes: Readonly<Record<string, number | null>>;
  readonly cores: CpuUse | null;
}

/** Orders that are served while stock is imported, or not. */
export interface OrdersDuringImportResult {
  readonly part: 'import';
  readonly importing: boolean;
  readonly round: number;
  readonly ordersPerSecond: number;
  /** From publishing an order to consuming its `StockReserved`, in ms, at each of {@link PERCENTILES}. */
  readonly percentilesMs: readonly number[];
  /** How many lines were applied meanwhile, each second. */
  readonly linesPerSecond: number;
  readonly cores: CpuUse | null;
}

const WARMUP_SECONDS = 2;
const LOOK_MS = 20;

export async function prepareImports(run: BenchRun): Promise<void> {
  await run.inDatabase((client) => client.query(COPY_TABLES));
}

const itemIds = (round: string, lines: number) => Array.from({ length: lines }, (_, n) => `${round}-${String(n).padStart(7, '0')}`);
const itemsFile = (ids: readonly string[]) =>
  ['itemId,name,unitPrice,reorderPoint', ...ids.map((id, n) => `${id},"Article ${n}, of the bench",${n % 100}.95,${n % 50}`), ''].join(
    '\n',
  );
const stockFile = (ids: readonly string[], warehouseId: string) =>
  ['warehouseId,itemId,quantity,unitCost', ...ids.map((id, n) => `${warehouseId},${id},${1 + (n % 900)},${n % 70}.5`), ''].join('\n');

/** One round of both kinds by one subject: first items, then stock of these items. */
export async function measureImport(run: BenchRun, subject: ImportResult['subject'], round: number): Promise<ImportResult[]> {
  const { lines } = run.options;
  const ids = itemIds(`${subject}-${round}`, lines);
  const warehouseId = `import-${round}`;
  const files = { items: itemsFile(ids), stock: stockFile(ids, warehouseId) };
  const shared = { part: 'import', subject, round, lines } as const;
  if (subject === 'copy') {
    return await run.inDatabase(async (client) => {
      const results: ImportResult[] = [];
      for (const kind of IMPORTED) {
        await run.settle();
        const [before, startMs] = [readCpu([]), performance.now()];
        await copyLines(client, kind, ONE_ORG, files[kind]);
        const seconds = (performance.now() - startMs) / 1_000;
        const cores = coresBetween(before, readCpu([]), seconds);
        results.push({ ...shared, kind, linesPerSecond: lines / seconds, peakMemoryBytes: {}, cores });
      }
      return results;
    });
  }
  return await withApps(run, async (importer, children) => {
    await importer.addWarehouse(warehouseId);
    const results: ImportResult[] = [];
    for (const kind of IMPORTED) {
      await run.settle();
      const pids = children.map((child) => child.pid);
      const [before, startMs] = [readCpu(pids), performance.now()];
      await importer.run(kind, files[kind]);
      const seconds = (performance.now() - startMs) / 1_000;
      const cores = coresBetween(before, readCpu(pids), seconds);
      const peakMemoryBytes = Object.fromEntries(children.map((child) => [child.name, child.peakMemoryBytes()]));
      results.push({ ...shared, kind, linesPerSecond: lines / seconds, peakMemoryBytes, cores });
    }
    return results;
  });
}

/** Publishes orders at a fixed rate, whatever comes back, while stock is imported into one new warehouse after the other, or nothing is. */
export async function measureOrdersDuringImport(
  run: BenchRun,
  importing: boolean,
  ordersPerSecond: number,
  round: number,
): Promise<OrdersDuringImportResult> {
  return await withApps(run, async (importer, children) => {
    const ids = itemIds(`live-${round}-${importing}`, run.options.lines);
    if (importing) await importer.run('items', itemsFile(ids));
    const exchange = `${mainSite(run).prefix}.${EVENTS_EXCHANGE}`;
    const load = await EventLoad.open({ amqpUrl: run.options.amqpUrl, exchange, queue: `${run.prefix}.answers` });
    const over = new AbortController();
    try {
      await run.settle();
      const background = importing ? importer.keepImporting(ids, `live-${round}`, over.signal) : Promise.resolve(0);
      // What fails while orders are published is told when they are done.
      background.catch(() => undefined);
      const discarded = WARMUP_SECONDS * ordersPerSecond;
      const orders = prepareOrders(SCENARIOS[0]!, discarded + run.options.seconds * ordersPerSecond);
      const answers = load.expect(orders);
      const pids = children.map((child) => child.pid);
      const [before, startMs] = [readCpu(pids), performance.now()];
      const dueMs = await load.publishAtRate(orders, ordersPerSecond, run.signal);
      await answers.all(run.signal);
      const seconds = (performance.now() - startMs) / 1_000;
      const cores = coresBetween(before, readCpu(pids), seconds);
      over.abort();
      const lines = await background;
      const waitedMs = answers.answeredAtMs
        .map((atMs, index) => atMs - dueMs[index]!)
        .slice(discarded)
        .sort();
      return {
        part: 'import',
        importing,
        round,
        ordersPerSecond,
        percentilesMs: PERCENTILES.map((percent) => percentile(waitedMs, percent)),
        linesPerSecond: lines / seconds,
        cores,
      };
    } finally {
      over.abort();
      await load.close();
    }
  });
}

type Children = readonly Awaited<ReturnType<typeof startApp>>['child'][];

async function withApps<T>(run: BenchRun, work: (importer: Importer, children: Children) => Promise<T>): Promise<T> {
  const apps = await Promise.all((['inventory', 'gateway'] as const).map((app) => startApp(run, app)));
  const children = apps.map(({ child }) => child);
  try {
    return await work(await Importer.signIn(apps[1]!.url, run.signal), children);
  } finally {
    await Promise.all(children.map((child) => child.stop()));
  }
}

/** Whoever imports, by HTTP. */
class Importer {
  private constructor(
    private readonly url: string,
    private readonly token: string,
    private readonly signal: AbortSignal,
  ) {}

  static async signIn(url: string, signal: AbortSignal): Promise<Importer> {
    const importer = new Importer(url, '', signal);
    const { accessToken } = await importer.send('POST', '/auth/token', { orgId: ONE_ORG, userId: 'importer', roles: ['admin'] });
    return new Importer(url, String(accessToken), signal);
  }

  async addWarehouse(warehouseId: string): Promise<void> {
    await this.send('POST', '/warehouses', { warehouseId, name: warehouseId, priority: 1_000 });
  }

  /** Imports a file, and waits until it is applied; answers how many lines were, which are fewer when it is given up. */
  async run(kind: ImportResult['kind'], file: string, over?: AbortSignal): Promise<number> {
    const { importId } = await this.send('POST', `/imports/${kind}`, file);
    for (;;) {
      const state = (await this.send('GET', `/imports/${String(importId)}`)) as unknown as Import;
      if (over?.aborted === true && state.finishedAt === null) await this.send('PUT', `/imports/${String(importId)}/cancel`);
      else if (state.status === 'failed') throw new Error(`An import failed: ${JSON.stringify(state.errors[0])}`);
      else if (state.finishedAt !== null) return state.progress.done;
      await sleep(LOOK_MS, undefined, { signal: this.signal });
    }
  }

  /** Imports stock into one warehouse after the other until it is over; answers how many lines were applied. */
  async keepImporting(ids: readonly string[], name: string, over: AbortSignal): Promise<number> {
    let lines = 0;
    for (let n = 1; !over.aborted; n++) {
      await this.addWarehouse(`${name}-${n}`);
      lines += await this.run('stock', stockFile(ids, `${name}-${n}`), over);
    }
    return lines;
  }

  private async send(method: string, path: string, body?: object | string): Promise<Readonly<Record<string, unknown>>> {
    const isFile = typeof body === 'string';
    const headers = {
      ...(body === undefined ? {} : { 'content-type': isFile ? 'text/csv' : 'application/json' }),
      ...(this.token === '' ? {} : { authorization: `Bearer ${this.token}` }),
    };
    const sent = body === undefined ? {} : { body: isFile ? body : JSON.stringify(body) };
    const response = await fetch(`${this.url}/api/v1${path}`, { method, headers, ...sent, signal: this.signal });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${text}`);
    return JSON.parse(text) as Record<string, unknown>;
  }
}
