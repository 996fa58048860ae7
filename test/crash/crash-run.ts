import { setTimeout as delay } from 'node:timers/promises';
import { Random } from '../../scripts/demo/random.js';
import { eventually } from '../support/eventually.js';
import { SERVICE_NAMES } from '../../apps/standalone/src/service-names.js';
import { freePort } from '../../apps/standalone/src/test-process.js';
import { HttpClient } from '../support/http-client.js';
import { Installation } from '../support/installation.js';
import { Books } from './books.js';
import { planKills } from './kill-points.js';
import { killCount, liveAndDie, newToll, type Toll } from './mortal-slot.js';
import { STOCK } from './order-lines.js';
import { callOverHttp } from './shop-over-http.js';
import { ShopOrders } from './shop-orders.js';
import { type Hearer, isQuiet, judge, type Verdict } from './verdict.js';
import { Workload } from './workload.js';

export interface CrashRunOptions {
  readonly seed: number;
  readonly kills: number;
  /** Switches that take a protection away. */
  readonly unsafe?: Readonly<Record<string, string>>;
  /** Points to leave out, because without the protection nobody gets there. */
  readonly without?: readonly string[];
  /** How long to wait for what is under way; default 60,000. */
  readonly quietWithinMs?: number;
  /** How long an order waits for an answer; default 60,000. */
  readonly patienceMs?: number;
}

export interface CrashReport extends Verdict {
  readonly toll: Toll;
  readonly orders: number;
  readonly messages: number;
  readonly calls: number;
  readonly defects: readonly string[];
}

const ORG = 'acme';
/** Orders under way at once, of each kind. */
const CONCURRENCY = 5;
const REPLICAS = 2;
/** Time for what must not come. */
const AFTERMATH_MS = 1_000;

/** Runs two processes each of inventory and orders under load, kills them again and again, and looks at what is left. */
export async function runCrashes(options: CrashRunOptions): Promise<CrashReport> {
  const { seed, unsafe = {}, without = [] } = options;
  const installation = await Installation.make();
  try {
    const outsider = await installation.outsider();
    const firsts = [await installation.start('inventory', unsafe), await installation.start('orders', unsafe)];
    await installation.stockUp(outsider, ORG, STOCK);
    // Production never runs without; here the index would keep what must be doubled from being stored.
    if ('HOLDFAST_UNSAFE_NO_BUSINESS_KEYS' in unsafe) await installation.database.rows('drop index inventory.movement_business_key');
    const workload = Workload.of(outsider, { orgId: ORG, seed, ...(options.patienceMs && { patienceMs: options.patienceMs }) });
    workload.start(CONCURRENCY);
    const toll = newToll();
    const slots = (['inventory', 'orders'] as const).flatMap((app) => {
      const kills = planKills(new Random(seed), Math.ceil(options.kills / 2), [app], without);
      const begin = (env: Readonly<Record<string, string>>) => installation.begin(app, { ...unsafe, ...env });
      return Array.from({ length: REPLICAS }, () => liveAndDie(begin, kills, toll));
    });
    // From now on there are only mortals.
    for (const first of firsts) first.kill();
    const lasts = await Promise.all(slots);
    const verdict = await settle(installation, outsider, workload, options.quietWithinMs);
    await Promise.all(lasts.map((last) => last.stop()));
    const { books } = workload;
    return { ...verdict, toll, orders: workload.orders, messages: books.said.size, calls: books.answered, defects: books.defects };
  } finally {
    await installation.remove();
  }
}

/** There is no OMS in the embedded mode, so nobody waits for events. */
const NOBODY: Hearer = { answersTo: () => [] };

/** The same with all services in one process and messages handed over in process; orders come over HTTP. */
export async function runEmbeddedCrashes({ seed, kills, unsafe = {}, without = [], quietWithinMs }: CrashRunOptions): Promise<CrashReport> {
  const installation = await Installation.make(SERVICE_NAMES);
  try {
    const port = String(await freePort());
    const begin = (env: Readonly<Record<string, string>>) => installation.begin('embedded', { ...unsafe, ...env, PORT: port });
    const first = begin({});
    await first.untilReady();
    const client = await HttpClient.signIn(first.url, ORG);
    await client.stockUp(STOCK);
    const books = new Books();
    const workload = new Workload(books, seed, [new ShopOrders(callOverHttp(client), books)]);
    workload.start(2 * CONCURRENCY);
    const toll = newToll();
    first.kill();
    await first.ended;
    // Calls are not messages in process, so nothing stands between their end and their answer.
    const plan = planKills(new Random(seed), kills, ['inventory', 'orders'], ['before-answer', ...without]);
    const last = await liveAndDie(begin, plan, toll);
    const verdict = await settle(installation, NOBODY, workload, quietWithinMs);
    await last.stop();
    return { ...verdict, toll, orders: workload.orders, messages: 0, calls: books.answered, defects: books.defects };
  } finally {
    await installation.remove();
  }
}

/** Lets the orders under way come to their end, waits until nothing moves any more, and judges. */
export async function settle(installation: Installation, outsider: Hearer, workload: Workload, quietWithinMs = 60_000): Promise<Verdict> {
  await workload.stop();
  await eventually(() => isQuiet(installation.database, outsider, workload.books), quietWithinMs);
  await delay(AFTERMATH_MS);
  return await judge(installation.database, outsider, workload.books);
}

/** What a run found, for people. */
export function describeRun(name: string, { seed }: CrashRunOptions, report: CrashReport): string {
  const { toll, orders, messages, calls, lost, doubled, inconsistent } = report;
  const points = [...toll.kills].sort().map(([point, count]) => `${point} ${count}`);
  return [
    `${name} (seed ${seed}): attempts ${toll.attempts}, kills ${killCount(toll)} at ${toll.kills.size} points, elsewhere ${toll.elsewhere},`,
    `  orders ${orders}, events ${messages}, calls ${calls}, lost ${lost.length}, doubled ${doubled.length}, inconsistent ${inconsistent.length}`,
    `  ${points.join(', ')}`,
  ].join('\n');
}
