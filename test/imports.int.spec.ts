import { setTimeout as delay } from 'node:timers/promises';
import { signActorToken } from '#libs/auth';
import { IMPORT_PART_BYTES, type Import } from '#libs/contracts';
import { uuidv7 } from '#libs/domain';
import { SERVICE_NAMES } from '../apps/standalone/src/service-names.js';
import { stockViolations } from './support/check-stock.js';
import { HttpClient } from './support/http-client.js';
import { Installation } from './support/installation.js';
import type { Outsider } from './support/outsider.js';

// Files through the real services: whole, and with processes that are killed in the middle.

const ORG = 'acme';
const itemIds = (count: number) => Array.from({ length: count }, (_, n) => `item-${n}`);
const itemsFile = (ids: readonly string[]) => ['itemId,name,unitPrice', ...ids.map((id) => `${id},"Item ""${id}""",9.99`), ''].join('\r\n');
const stockFile = (ids: readonly string[], ...warehouses: string[]) =>
  [
    'warehouseId,itemId,quantity,unitCost',
    ...ids.flatMap((id, n) => warehouses.map((warehouse) => `${warehouse},${id},${n + 1},2.5`)),
    '',
  ].join('\n');

/** What was imported is there, each once. */
async function expectStock({ database }: Installation, count: number, warehouses: number): Promise<void> {
  const sum = await database.rows(
    `select count(*)::int as balances, sum(on_hand)::int as "onHand", sum(value)::int as value, max(last_entry_no)::int as entries
       from inventory.stock_balance where org_id = $1`,
    [ORG],
  );
  const onHand = ((count * (count + 1)) / 2) * warehouses;
  expect(sum).toEqual([{ balances: count * warehouses, onHand, value: onHand * 2.5, entries: 1 }]);
  expect(await stockViolations(database)).toEqual([]);
}

describe('a process that is killed in the middle of an import', () => {
  let installation: Installation;
  let outsider: Outsider;
  beforeAll(async () => {
    installation = await Installation.make(['inventory']);
    outsider = await installation.outsider();
  }, 60_000);
  afterAll(() => installation.remove(), 60_000);

  async function call(pattern: string, data: object) {
    const actor = await signActorToken({ userId: 'tester', orgId: ORG, roles: ['admin'], warehouses: null });
    const { err, response } = await outsider.call('inventory', pattern, { ...data, orgId: ORG, actor }, 20_000);
    if (err !== undefined) throw new Error(`${pattern}: ${err.code}: ${err.message}`);
    return response!;
  }

  async function send(kind: string, file: string): Promise<string> {
    const importId = uuidv7();
    const bytes = Buffer.from(file);
    for (let part = 1, at = 0; at < bytes.length; part++, at += IMPORT_PART_BYTES) {
      const data = bytes.subarray(at, at + IMPORT_PART_BYTES).toString('base64');
      await call('imports.receive', { importId, kind, part, data, last: at + IMPORT_PART_BYTES >= bytes.length });
    }
    return importId;
  }

  const stateOf = async (importId: string) =>
    (
      await installation.database.rows<{ status: string; done: number; cleared: boolean }>(
        'select status, done, cleared from inventory.import where import_id = $1',
        [importId],
      )
    )[0]!;

  /** Lets the processes of each line die at its point, one after the other, then two at once go on to the end. */
  async function liveThrough(importId: string, deaths: readonly string[]): Promise<void> {
    for (const point of deaths) {
      const mortal = installation.begin('inventory', { HOLDFAST_CRASH_AT: `inventory:${point}` });
      expect([point, await mortal.ended]).toEqual([point, 'SIGKILL']);
      // As if the time that a dead process is waited for had run out.
      await installation.database.rows('update inventory.import set lease_until = now() where lease_until is not null');
    }
    const lasts = [await installation.start('inventory'), await installation.start('inventory')];
    while (!(await stateOf(importId)).cleared) await delay(50);
    await Promise.all(lasts.map((last) => last.stop()));
  }

  const ids = itemIds(3_000);

  it('is followed by another that goes on where it was: items', async () => {
    const first = await installation.start('inventory');
    await call('warehouses.create', { warehouseId: 'W1', name: 'W1' });
    await call('warehouses.create', { warehouseId: 'W2', name: 'W2' });
    await first.stop();
    // Taken in by a process that dies before it has done anything with it.
    const taker = await installation.start('inventory', { HOLDFAST_CRASH_AT: 'inventory:import-staging' });
    const importId = await send('items', itemsFile(ids)).catch((error: unknown) => error);
    await taker.ended;
    expect(typeof importId).toBe('string');
    await installation.database.rows('update inventory.import set lease_until = now()');
    await liveThrough(String(importId), ['import-staged:1', 'import-staging:2', 'import-applied:1', 'import-applied:2']);
    expect(await stateOf(String(importId))).toEqual({ status: 'completed', done: 3_000, cleared: true });
    const [count] = await installation.database.rows('select count(*)::int as items from inventory.item where org_id = $1', [ORG]);
    expect(count).toEqual({ items: 3_000 });
  }, 120_000);

  it('is followed by another that goes on where it was, and doubles nothing: stock', async () => {
    const taker = await installation.start('inventory', { HOLDFAST_CRASH_AT: 'inventory:import-staging:2' });
    const importId = await send('stock', stockFile(ids, 'W1', 'W2'));
    await taker.ended;
    await installation.database.rows('update inventory.import set lease_until = now()');
    // Before a receipt is committed; when four are and it is not noted yet; and when it is.
    const deaths = ['before-commit:1', 'after-commit:2', 'import-received:1', 'import-received:2', 'import-applied:1', 'before-commit:7'];
    await liveThrough(importId, deaths);
    expect(await stateOf(importId)).toEqual({ status: 'completed', done: 6_000, cleared: true });
    await expectStock(installation, 3_000, 2);
  }, 120_000);
});

describe.each(['services', 'embedded'] as const)('a file of 20,000 lines, by HTTP (%s)', (mode) => {
  let installation: Installation;
  let client: HttpClient;
  const ids = itemIds(20_000);

  beforeAll(async () => {
    installation = await Installation.make(mode === 'services' ? ['inventory', 'orders', 'gateway'] : SERVICE_NAMES);
    if (mode === 'services') await Promise.all([installation.start('inventory'), installation.start('orders')]);
    const { url } = await installation.start(mode === 'services' ? 'gateway' : 'embedded');
    client = await HttpClient.signIn(url, ORG);
    await client.send('POST', '/warehouses', { warehouseId: 'main', name: 'Main' });
    await client.send('POST', '/warehouses', { warehouseId: 'shop', name: 'Shop' });
  }, 90_000);
  afterAll(() => installation.remove(), 60_000);

  async function run(path: string, file: string): Promise<Import> {
    const { status, body } = await client.sendCsv(path, file);
    expect(status).toBe(202);
    for (;;) {
      const { body: state } = await client.send('GET', `/imports/${String(body['importId'])}`);
      if (state['finishedAt'] !== null) return state as unknown as Import;
      await delay(50);
    }
  }

  it('is checked, and nothing of it is applied while one line is wrong', async () => {
    const wrong = itemsFile([...ids.slice(0, 19_999), 'not an id']);
    expect(await run('/imports/items', wrong)).toMatchObject({
      status: 'failed',
      progress: { done: 0, total: 20_000 },
      errors: [{ line: 20_001, column: 'itemId', message: expect.stringContaining('"not an id"') }],
    });
    expect((await client.send('GET', '/items')).body['items']).toEqual([]);
  }, 60_000);

  it('brings items', async () => {
    expect(await run('/imports/items?dryRun=true', itemsFile(ids))).toMatchObject({ status: 'completed', dryRun: true });
    expect(await run('/imports/items', itemsFile(ids))).toMatchObject({ status: 'completed', progress: { done: 20_000, total: 20_000 } });
    expect((await client.send('GET', '/items/item-19999')).body).toMatchObject({ name: 'Item "item-19999"', unitPrice: '9.99' });
  }, 60_000);

  it('brings opening stock, while orders are served', async () => {
    const ordered = ['hot-1', 'hot-2'];
    await run('/imports/items', itemsFile(ordered));
    await run('/imports/stock', stockFile(ordered, 'shop'));
    const over = new AbortController();
    const orders = (async () => {
      const statuses: number[] = [];
      for (; !over.signal.aborted; await delay(20)) {
        const order = { customerId: 'c', lines: [{ itemId: 'hot-2', warehouseId: 'shop', quantity: '1' }] };
        const { status, body } = await client.send('POST', '/orders', order);
        statuses.push(status);
        if (status === 201) await client.send('PUT', `/orders/${String(body['orderId'])}/cancel`, {});
      }
      return statuses;
    })();
    const ended = await run('/imports/stock', stockFile(ids, 'main')).finally(() => over.abort());
    expect(ended).toMatchObject({ status: 'completed', progress: { done: 20_000, total: 20_000 }, errorCount: 0 });
    expect(new Set(await orders)).toEqual(new Set([201]));
    const [sum] = await installation.database.rows(
      `select count(*)::int as balances, sum(on_hand)::int as "onHand" from inventory.stock_balance where warehouse_id = 'main'`,
    );
    expect(sum).toEqual({ balances: 20_000, onHand: 200_010_000 });
    expect(await stockViolations(installation.database)).toEqual([]);
  }, 120_000);
});

it('a file of 60 MiB is held as a whole by no process', async () => {
  const installation = await Installation.make(['inventory', 'gateway']);
  try {
    // A small heap, so that what is garbage is not taken for what is held.
    const env = { NODE_OPTIONS: '--max-semi-space-size=1 --max-old-space-size=96' };
    const [inventory, gateway] = await Promise.all([installation.start('inventory', env), installation.start('gateway', env)]);
    const client = await HttpClient.signIn(gateway.url, ORG);
    const resident = async ({ url }: { url: string }) =>
      Number(/^process_resident_memory_bytes (\S+)$/m.exec(await (await fetch(`${url}/metrics`)).text())![1]) / 1_048_576;
    const send = async (mebibytes: number) => {
      const line = `${'x'.repeat(50)},${'y'.repeat(200)},1\n`;
      const file = `itemId,name,unitPrice\n${line.repeat(Math.floor((mebibytes * 1_048_576) / line.length))}`;
      const { body } = await client.sendCsv('/imports/items', file);
      let most = [0, 0];
      // Whoever needs the whole file has it by then.
      for (const untilMs = Date.now() + 5_000; Date.now() < untilMs; await delay(20)) {
        const now = [await resident(inventory), await resident(gateway)];
        most = most.map((value, index) => Math.max(value, now[index]!));
      }
      await client.send('PUT', `/imports/${String(body['importId'])}/cancel`);
      return most;
    };
    // The first brings the code into memory, and the pools to their size. What is held is held each time; what is garbage on a busy machine is not.
    const small = await send(2);
    const [once, again] = [await send(60), await send(60)];
    small.forEach((most, index) => expect(Math.min(once[index]!, again[index]!) - most).toBeLessThan(25));
  } finally {
    await installation.remove();
  }
}, 180_000);
