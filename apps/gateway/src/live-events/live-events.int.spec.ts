import { setTimeout as delay } from 'node:timers/promises';
import {
  ApprovalRequested,
  DiscrepancyOpened,
  DiscrepancyResolved,
  type EventDefinition,
  LowStockDetected,
  makeEvent,
  OrderConfirmed,
  routingKey,
  SettingsChanged,
  StockReserved,
} from '#libs/contracts';
import { startTestGateway, type TestGateway } from '#libs/testing';
import { anApproval } from '../approvals/approval.examples.js';
import { anOpenDiscrepancy } from '../discrepancies/discrepancy.examples.js';
import { gateway } from '../index.js';

const attributes = (orgid: string) => ({ source: '/inventory', subject: 's', orgid, time: '2026-03-01T10:00:00Z' });
const lowStock = (warehouseId: string) => ({ itemId: 'i', warehouseId, onHand: '1', threshold: '2' });
const reserved = { orderId: 'o', firm: true, expiresAt: null, lines: [], stock: [] };

let test: TestGateway;
beforeAll(async () => {
  test = await startTestGateway(gateway);
});
afterAll(() => test.stop());

/** Publishes as the relay of a service does. */
function publish<D extends EventDefinition>(definition: D, orgid: string, data: D['data']['static'], through = test): string {
  const event = makeEvent(definition, attributes(orgid), data as never);
  const body = Buffer.from(JSON.stringify(event));
  through.delivery.publish({ id: event.id, type: event.type, routingKey: routingKey(event), body }, () => {});
  return event.id;
}

interface Watcher {
  readonly status: number;
  readonly headers: Headers;
  /** What has come so far: the fields of each event. */
  readonly seen: { id?: string; event?: string; data?: string }[];
  ended(): boolean;
  stop(): Promise<void>;
}

const watchers: Watcher[] = [];
afterEach(() => Promise.all(watchers.splice(0).map((watcher) => watcher.stop())));

async function watch(token: string, url = test.url): Promise<Watcher> {
  const abort = new AbortController();
  const response = await fetch(`${url}/api/v1/events`, { headers: { authorization: `Bearer ${token}` }, signal: abort.signal });
  const seen: Watcher['seen'] = [];
  let ended = false;
  const reading = (async () => {
    let text = '';
    for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
      text += chunk;
      const blocks = text.split('\n\n');
      text = blocks.pop()!;
      for (const block of blocks) {
        const fields = Object.fromEntries(block.split('\n').map((line) => line.split(/: ?(.*)/s).slice(0, 2) as [string, string]));
        if (fields['data']) seen.push(fields);
      }
    }
  })()
    .catch(() => {})
    .finally(() => (ended = true));
  const stop = async () => {
    abort.abort();
    await reading;
  };
  const watcher = { status: response.status, headers: response.headers, seen, ended: () => ended, stop };
  watchers.push(watcher);
  return watcher;
}

async function eventually(check: () => boolean, timeoutMs = 2_000): Promise<boolean> {
  for (const giveUpMs = Date.now() + timeoutMs; Date.now() < giveUpMs;) {
    if (check()) return true;
    await delay(10);
  }
  return check();
}

describe('GET /events', () => {
  it("shows the events of one's organisation, and of no other", async () => {
    const acme = await watch(await test.token('acme', 'ann', ['sales']));
    const globex = await watch(await test.token('globex', 'ann', ['sales']));
    expect([acme.status, acme.headers.get('content-type')]).toEqual([200, 'text/event-stream']);
    const id = publish(StockReserved, 'acme', reserved);
    const other = publish(StockReserved, 'globex', reserved);
    expect(await eventually(() => acme.seen.length === 1 && globex.seen.length === 1)).toBe(true);
    expect(acme.seen[0]).toMatchObject({ id, event: 'StockReserved' });
    expect(JSON.parse(acme.seen[0]!.data!)).toMatchObject({ specversion: '1.0', id, orgid: 'acme', type: 'StockReserved', data: reserved });
    expect(globex.seen[0]).toMatchObject({ id: other });
  });

  it('shows the same to everybody who watches, and nothing of what orders say to inventory', async () => {
    const token = await test.token('acme', 'ann', ['admin']);
    const both = [await watch(token), await watch(token)];
    publish(OrderConfirmed, 'acme', { orderId: 'o', lines: [{ lineNo: 1, itemId: 'i', quantity: '1' }] });
    publish(LowStockDetected, 'acme', lowStock('w1'));
    expect(await eventually(() => both.every(({ seen }) => seen.length === 1))).toBe(true);
    await delay(50);
    expect(both.map(({ seen }) => seen.map(({ event }) => event))).toEqual([['LowStockDetected'], ['LowStockDetected']]);
  });

  it('leaves out warehouses that one does not work in, and settings that one may not read', async () => {
    const scoped = await watch(await test.token('acme', 'bob', ['warehouse'], ['w1']));
    const manager = await watch(await test.token('acme', 'eve', ['inventory_manager']));
    publish(LowStockDetected, 'acme', lowStock('w2'));
    publish(SettingsChanged, 'acme', { returnQuarantine: false });
    publish(LowStockDetected, 'acme', lowStock('w1'));
    expect(await eventually(() => scoped.seen.length === 1 && manager.seen.length === 3)).toBe(true);
    expect(JSON.parse(scoped.seen[0]!.data!)).toMatchObject({ data: lowStock('w1') });
  });

  it('shows approvals to those who may read them and work in all warehouses concerned', async () => {
    const sales = await watch(await test.token('acme', 'sam', ['sales']));
    const scoped = await watch(await test.token('acme', 'bob', ['inventory_manager'], ['w1']));
    const manager = await watch(await test.token('acme', 'eve', ['inventory_manager']));
    for (const warehouses of [['w1', 'w2'], null, ['w1']]) publish(ApprovalRequested, 'acme', { ...anApproval, warehouses });
    publish(StockReserved, 'acme', reserved);
    expect(await eventually(() => sales.seen.length === 1 && scoped.seen.length === 2 && manager.seen.length === 4)).toBe(true);
    expect([sales.seen[0]!.event, JSON.parse(scoped.seen[0]!.data!)]).toMatchObject(['StockReserved', { data: { warehouses: ['w1'] } }]);
  });

  it('shows discrepancies to those who may read them, and those of an order as a whole to who works in all warehouses', async () => {
    const others: Watcher[] = [];
    for (const role of ['sales', 'warehouse', 'cashier'] as const) others.push(await watch(await test.token('acme', role, [role])));
    const scoped = await watch(await test.token('acme', 'bob', ['inventory_manager'], ['w1']));
    const auditor = await watch(await test.token('acme', 'aud', ['auditor']));
    for (const definition of [DiscrepancyOpened, DiscrepancyResolved]) {
      for (const warehouseId of ['w1', 'w2', null]) publish(definition, 'acme', { ...anOpenDiscrepancy, warehouseId });
    }
    publish(StockReserved, 'acme', reserved);
    expect(await eventually(() => [...others, scoped, auditor].every(({ seen }) => seen.at(-1)?.event === 'StockReserved'))).toBe(true);
    expect([...others, scoped, auditor].map(({ seen }) => seen.length - 1)).toEqual([0, 0, 0, 2, 6]);
  });

  it('ends within a second when access is withdrawn', async () => {
    const admin = await test.token('acme', 'root', ['admin']);
    const watcher = await watch(await test.token('acme', 'mallory', ['sales']));
    const rights = { roles: ['sales'], warehouses: null };
    await test.send('PUT', '/members/mallory', { token: admin, body: rights });
    await delay(700);
    publish(LowStockDetected, 'acme', lowStock('w1'));
    expect(await eventually(() => watcher.seen.length === 1)).toBe(true);
    await test.send('PUT', '/members/mallory', { token: admin, body: { ...rights, disabled: true } });
    expect(await eventually(() => watcher.ended(), 1_000)).toBe(true);
  });

  it('narrows within a second when the warehouses of a member are changed', async () => {
    const admin = await test.token('acme', 'root', ['admin']);
    const watcher = await watch(await test.token('acme', 'walter', ['sales']));
    await test.send('PUT', '/members/walter', { token: admin, body: { roles: ['sales'], warehouses: ['w1'] } });
    await delay(1_000);
    publish(LowStockDetected, 'acme', lowStock('w2'));
    publish(LowStockDetected, 'acme', lowStock('w1'));
    expect(await eventually(() => watcher.seen.length === 1)).toBe(true);
    expect(watcher.seen.map(({ data }) => (JSON.parse(data!) as { data: unknown }).data)).toEqual([lowStock('w1')]);
  });

  it('is refused to those who are not signed in, and beyond a number of streams', async () => {
    expect((await test.send('GET', '/events')).status).toBe(401);
    const token = await test.token('acme', 'many', ['sales']);
    const opened = await Promise.all(Array.from({ length: 100 }, () => watch(token)));
    expect(opened.every(({ status }) => status === 200)).toBe(true);
    const refused = await test.send('GET', '/events', { token });
    expect(refused).toMatchObject({ status: 429, body: { code: 'RATE_LIMITED' } });
    await opened[0]!.stop();
    expect(await eventually(() => opened[0]!.ended())).toBe(true);
    await delay(100);
    expect((await watch(token)).status).toBe(200);
  });

  it('ends when the gateway does, without keeping it', async () => {
    const second = await startTestGateway(gateway);
    const watcher = await watch(await second.token('acme', 'ann', ['sales']), second.url);
    const startedMs = Date.now();
    await second.stop();
    expect(await eventually(() => watcher.ended())).toBe(true);
    expect(Date.now() - startedMs).toBeLessThan(5_000);
  });
});
