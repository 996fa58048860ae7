import { setTimeout as delay } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import { type Actor, signActorToken } from '#libs/auth';
import {
  type CallDefinition,
  type CheckedPage,
  type CloudEvent,
  DemandBooksRead,
  DemandCheck,
  DiscrepancyFindings,
  makeEvent,
  type Mismatch,
  OrderBooksRead,
  type ReconciliationRun,
  type RequestOf,
  type ResponseOf,
  RowsCount,
  RunGet,
  RunList,
  RunStart,
  SettingsChanged,
  SettingsGet,
  StockCheck,
  WarehouseCreated,
} from '#libs/contracts';
import { uuidv7 } from '#libs/domain';
import { InProcessDelivery, RpcClient } from '#libs/messaging';
import { type Config, loadConfig, type RunningService, startService } from '#libs/service';
import { createTestDatabase, StubService, type TestDatabase } from '#libs/testing';
import { eventually } from '../../../../test/support/eventually.js';
import { reconciliation } from '../index.js';

// Several replicas of the service on one database. What they ask is answered by a test, which sees how often and when.

const REPLICAS = 3;
const PAGES = 6;
const HOUR_SECONDS = 3_600;

interface Replica {
  readonly delivery: InProcessDelivery;
  readonly inventory: StubService;
  readonly running: RunningService;
}

let database: TestDatabase;
let replicas: Replica[];
let orgs = 0;
let orgId: string;
/** Pages of balances that are being computed, by organisation, and how many were asked for at the same time at most. */
const underWay = new Map<string, number>();
let overlaps = 0;
const asked: string[] = [];
let page: (request: RequestOf<typeof StockCheck>) => Promise<CheckedPage>;

beforeAll(() => Logger.overrideLogger(false));
beforeEach(async () => {
  database = await createTestDatabase(['reconciliation']);
  replicas = [];
  orgId = `org-${++orgs}`;
  asked.length = 0;
  overlaps = 0;
  page = ({ after = '0' }) => Promise.resolve(pageOf(Number(after)));
});
afterEach(async () => {
  for (const replica of replicas) await stop(replica);
  await database.drop();
}, 60_000);

const mismatch: Mismatch = {
  ...{ kind: 'on_hand', subject: '', itemId: 'i', warehouseId: 'w', lot: null, location: null, orderId: null },
  ...{ expected: '1', actual: '2', note: 'n' },
};

/** Every page finds one thing. */
function pageOf(number: number): CheckedPage {
  const mismatches = [{ ...mismatch, itemId: `i-${number}` }];
  const next = number + 1 < PAGES ? String(number + 1) : null;
  return { checked: 10, next, outOfSync: 1, mismatchesTotal: 1, mismatches };
}

async function begin(count = REPLICAS, settings: Partial<Config> = {}): Promise<void> {
  for (let n = 0; n < count; n++) {
    const delivery = new InProcessDelivery();
    const inventory = await StubService.start(delivery, 'inventory');
    const orders = await StubService.start(delivery, 'orders');
    inventory.answers(RowsCount.inventory, () => ({ balances: PAGES * 10, orders: 0 }));
    orders.answers(RowsCount.orders, () => ({ balances: 0, orders: 0 }));
    inventory.answers(SettingsGet, () => ({ reconciliationCron: '0 2 * * *', timezone: 'UTC' }) as ResponseOf<typeof SettingsGet>);
    inventory.answers(DemandCheck, () => ({ checked: 0, next: null, outOfSync: 0, mismatchesTotal: 0, mismatches: [] }));
    orders.answers(OrderBooksRead, () => ({ orders: [], next: null }));
    inventory.answers(DemandBooksRead, () => ({ demands: [], others: [] }));
    inventory.answers(DiscrepancyFindings, ({ findings }) => ({
      findings: findings.map(({ findingKey }) => ({ findingKey, discrepancyId: uuidv7(), isNew: true })),
    }));
    inventory.answers(StockCheck, async (request) => {
      const now = (underWay.get(request.orgId) ?? 0) + 1;
      underWay.set(request.orgId, now);
      if (now > 1) overlaps++;
      asked.push(`${request.orgId} ${request.after ?? '0'}`);
      await delay(10);
      return await page(request).finally(() => underWay.set(request.orgId, underWay.get(request.orgId)! - 1));
    });
    const config = { ...loadConfig({ NODE_ENV: 'test' }), databaseUrl: database.url, poolSizeMax: 3, ...settings };
    const running = await startService(reconciliation, { config, delivery, logger: false, port: null });
    replicas.push({ delivery, inventory, running });
  }
}

async function stop({ running, delivery }: Replica): Promise<void> {
  await running.close();
  await delivery.close();
}

async function call<D extends CallDefinition>(definition: D, request: RequestOf<D>, org = orgId, replica = 0): Promise<ResponseOf<D>> {
  const actor: Actor = { userId: 'tester', orgId: org, roles: ['admin'], warehouses: null };
  const options = { actor: await signActorToken(actor) };
  return await new RpcClient(replicas[replica]!.delivery).call(definition, Object.assign({}, request, { orgId: org }), options);
}
const startRun = (runId: string, org = orgId, replica = 0) => call(RunStart, { runId }, org, replica);
const getRun = (runId: string, org = orgId): Promise<ReconciliationRun> => call(RunGet, { runId, limit: 500 }, org);
const ended = (runId: string, org = orgId) => eventually(async () => (await getRun(runId, org)).status !== 'running', 60_000);

/** Hands an event to one replica; answers whether it was taken. */
function hear(event: CloudEvent): Promise<boolean> {
  const body = Buffer.from(JSON.stringify(event));
  return new Promise((resolve) =>
    replicas[0]!.delivery.publish({ id: event.id, type: event.type, routingKey: `${event.type}.${event.orgid}`, body }, (_, safe) =>
      resolve(safe),
    ),
  );
}
const attributes = (time = '2026-03-01T10:00:00Z') => ({ source: '/inventory', subject: 's', orgid: orgId, time });

describe('replicas', () => {
  it('work on a run of an organisation one at a time, and ask for each page once', async () => {
    await begin();
    const runs = Array.from({ length: 5 }, (_, n) => [`${orgId}-${n}`, uuidv7()] as const);
    await Promise.all(runs.map(([org, runId], index) => startRun(runId, org, index % REPLICAS)));
    for (const [org, runId] of runs) {
      await ended(runId, org);
      const run = await getRun(runId, org);
      expect(run).toMatchObject({ status: 'completed', findingsTotal: PAGES, balances: PAGES * 10, outOfSyncItems: PAGES });
      expect(run.findings.map(({ itemId }) => itemId)).toEqual(Array.from({ length: PAGES }, (_, n) => `i-${n}`));
    }
    expect([overlaps, asked.length, new Set(asked).size]).toEqual([0, PAGES * 5, PAGES * 5]);
  }, 60_000);

  it('start one run of an organisation at a time, whoever asks', async () => {
    await begin();
    const gate = Promise.withResolvers<void>();
    page = async ({ after = '0' }) => {
      await gate.promise;
      return pageOf(Number(after));
    };
    const ids = Array.from({ length: 6 }, () => uuidv7());
    const answers = await Promise.allSettled(ids.map((runId, index) => startRun(runId, orgId, index % REPLICAS)));
    const made = answers.flatMap((answer, index) => (answer.status === 'fulfilled' ? [ids[index]!] : []));
    expect(made).toHaveLength(1);
    const refused = answers.flatMap((answer) => (answer.status === 'rejected' ? [answer.reason as { code: string; details: object }] : []));
    for (const { code, details } of refused) expect([code, details]).toEqual(['RUN_IN_PROGRESS', { runId: made[0] }]);
    // Asked again, it is the same.
    expect(await startRun(made[0]!)).toMatchObject({ runId: made[0], status: 'running' });
    gate.resolve();
    await ended(made[0]!);
    expect((await call(RunList, {})).items.map(({ runId }) => runId)).toEqual(made);
    await startRun(uuidv7());
  }, 60_000);

  it('take a run over whose process hangs, and what that one still says does not count', async () => {
    await begin(2);
    const gate = Promise.withResolvers<void>();
    let hanging = 0;
    page = async ({ after = '0' }) => {
      if (after === '2' && hanging++ === 0) await gate.promise;
      return pageOf(Number(after));
    };
    const runId = uuidv7();
    await startRun(runId);
    await eventually(() => hanging === 1);
    // As if it could not renew its lease.
    await database.rows('update reconciliation.run set lease_until = now(), holder = null');
    await ended(runId);
    gate.resolve();
    await delay(200);
    const run = await getRun(runId);
    expect([run.findingsTotal, run.findings.length, run.balances]).toEqual([PAGES, PAGES, PAGES * 10]);
  }, 60_000);

  it('wait for a service that does not answer, and give up in the end', async () => {
    await begin(1);
    page = () => Promise.reject(new Error('broken'));
    const runId = uuidv7();
    await startRun(runId);
    await eventually(() => asked.length > 0);
    await eventually(() => database.rows('select 1 from reconciliation.run where holder is null'));
    await database.rows('update reconciliation.run set attempts = 100, lease_until = now()');
    await ended(runId);
    expect(await getRun(runId)).toMatchObject({ status: 'failed', failure: expect.any(String), findingsTotal: 0 });
    // It is out of the way of the next one.
    page = ({ after = '0' }) => Promise.resolve(pageOf(Number(after)));
    const next = uuidv7();
    await startRun(next);
    await ended(next);
    expect(await getRun(next)).toMatchObject({ status: 'completed' });
  }, 60_000);
});

describe('schedules', () => {
  const schedules = () =>
    database.rows<{ cron: string; timezone: string; next_due_at: Date }>('select * from reconciliation.schedule where org_id = $1', [
      orgId,
    ]);
  const runs = async () => (await call(RunList, {})).items;

  it('begin when an organisation is heard of, and follow its settings, whichever comes last', async () => {
    await begin(1);
    await hear(makeEvent(WarehouseCreated, attributes(), { warehouseId: 'w', name: 'W' }));
    await eventually(schedules);
    expect(await schedules()).toMatchObject([{ cron: '0 2 * * *', timezone: 'UTC' }]);
    await hear(makeEvent(SettingsChanged, attributes('2026-03-02T10:00:00Z'), { reconciliationCron: '0 4 * * *', timezone: 'Asia/Tokyo' }));
    await hear(makeEvent(SettingsChanged, attributes('2026-03-01T10:00:00Z'), { reconciliationCron: '0 3 * * *', timezone: 'UTC' }));
    await hear(makeEvent(WarehouseCreated, attributes('2026-03-03T10:00:00Z'), { warehouseId: 'v', name: 'V' }));
    const [schedule] = await schedules();
    expect(schedule).toMatchObject({ cron: '0 4 * * *', timezone: 'Asia/Tokyo' });
    expect(schedule!.next_due_at.toISOString()).toMatch(/T19:00:00/);
  }, 30_000);

  it('run once when their time has come, however many replicas look, and however often it was missed', async () => {
    await begin(1);
    await hear(makeEvent(SettingsChanged, attributes(), { reconciliationCron: '0 * * * *', timezone: 'UTC' }));
    await eventually(schedules);
    await stop(replicas.pop()!);
    // Three days later.
    await begin(REPLICAS, { clockOffsetSeconds: 72 * HOUR_SECONDS });
    await eventually(async () => (await runs())[0]?.status === 'completed', 30_000);
    await delay(2_500);
    expect(await runs()).toMatchObject([{ trigger: 'schedule', requestedBy: null, status: 'completed' }]);
    const next = (await schedules())[0]!.next_due_at;
    expect(next.getTime()).toBeGreaterThan(Date.now() + 72 * HOUR_SECONDS * 1_000);
    expect(next.getTime()).toBeLessThan(Date.now() + 74 * HOUR_SECONDS * 1_000);
  }, 60_000);
});
