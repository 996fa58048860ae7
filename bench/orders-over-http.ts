import autocannon from 'autocannon';
import type { CpuUse } from './cpu.js';
import { coresBetween, readCpu } from './cpu.js';
import { startApp } from './services.js';
import type { BenchRun } from './run.js';
import { itemId, ITEMS, ONE_ORG, WAREHOUSE } from './scenarios.js';

/** Connections, each waiting for its answer before it asks again. */
const CALLERS = 32;
/** Users who share the requests, because each may make only so many a second. */
const USERS = 32;
const WARMUP_SECONDS = 3;

/** `POST /orders` through gateway, orders and inventory, one process each. */
export interface OrdersOverHttpResult {
  readonly part: 'orders';
  readonly round: number;
  readonly callers: number;
  readonly requestsPerSecond: number;
  /** At {@link PERCENTILES}. */
  readonly percentilesMs: readonly number[];
  /** How many answers had each HTTP status. */
  readonly answers: Readonly<Record<string, number>>;
  readonly peakMemoryBytes: Readonly<Record<string, number | null>>;
  readonly cores: CpuUse | null;
}

export async function measureOrdersOverHttp(run: BenchRun, round: number): Promise<OrdersOverHttpResult> {
  const apps = await Promise.all((['inventory', 'orders', 'gateway'] as const).map((app) => startApp(run, app)));
  const children = apps.map(({ child }) => child);
  try {
    const { url } = apps[2]!;
    const tokens = await Promise.all(Array.from({ length: USERS }, (_, n) => signIn(url, `user-${n + 1}`)));
    await load(run, url, tokens, WARMUP_SECONDS);
    await run.settle();
    const pids = children.map((child) => child.pid);
    const before = readCpu(pids);
    const result = await load(run, url, tokens, run.options.seconds);
    const cores = coresBetween(before, readCpu(pids), result.duration);
    const answers = Object.fromEntries(Object.entries(result.statusCodeStats ?? {}).map(([status, { count }]) => [status, count ?? 0]));
    if (Object.keys(answers).some((status) => status !== '201') || result.errors > 0) {
      throw new Error(`POST /orders was not always answered with 201: ${JSON.stringify(answers)}, ${result.errors} without answer.`);
    }
    const { p50, p90, p99, p99_9 } = result.latency;
    return {
      part: 'orders',
      round,
      callers: CALLERS,
      requestsPerSecond: result.requests.total / result.duration,
      percentilesMs: [p50, p90, p99, p99_9],
      answers,
      peakMemoryBytes: Object.fromEntries(children.map((child) => [child.name, child.peakMemoryBytes()])),
      cores,
    };
  } finally {
    await Promise.all(children.map((child) => child.stop()));
  }
}

async function signIn(url: string, userId: string): Promise<string> {
  const response = await fetch(`${url}/api/v1/auth/token`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ orgId: ONE_ORG, userId, roles: ['sales'] }),
  });
  if (!response.ok) throw new Error(`POST /auth/token answered ${response.status}: ${await response.text()}`);
  return ((await response.json()) as { accessToken: string }).accessToken;
}

async function load(run: BenchRun, url: string, tokens: readonly string[], seconds: number): Promise<autocannon.Result> {
  let next = 0;
  const setupRequest = (request: autocannon.Request): autocannon.Request => ({
    ...request,
    headers: { 'content-type': 'application/json', authorization: `Bearer ${tokens[next++ % tokens.length]}` },
    body: JSON.stringify(order()),
  });
  const { promise, resolve, reject } = Promise.withResolvers<autocannon.Result>();
  const instance = autocannon(
    { url: `${url}/api/v1/orders`, connections: CALLERS, duration: seconds, requests: [{ method: 'POST', setupRequest }] },
    (error: Error | null, result) => (error === null ? resolve(result) : reject(error)),
  );
  const stop = () => instance.stop();
  run.signal.addEventListener('abort', stop);
  const result = await promise;
  run.signal.removeEventListener('abort', stop);
  run.signal.throwIfAborted();
  return result;
}

function order(): unknown {
  const first = Math.floor(Math.random() * ITEMS);
  return {
    customerId: 'bench',
    lines: [0, 1, 2].map((line) => ({
      itemId: itemId(1 + ((first + line * 3_331) % ITEMS)),
      warehouseId: WAREHOUSE,
      quantity: String(1 + (line % 2)),
    })),
  };
}
