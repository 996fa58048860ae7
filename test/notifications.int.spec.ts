import { SERVICE_NAMES } from '../apps/standalone/src/service-names.js';
import type { Role } from '#libs/auth';
import { loadConfig } from '#libs/service';
import { Receiver } from '#libs/testing';
import { eventually } from './support/eventually.js';
import { OneProcess } from './support/one-process.js';

// From a request over HTTP to what people are told of it, with all services, as one process runs them.

const KEY = `whsec_${Buffer.from('a key that is long enough for it').toString('base64')}`;

let holdfast: OneProcess;
let hook: Receiver;
const tokens = new Map<string, string>();
let url: string;

beforeAll(async () => {
  hook = await Receiver.open();
  const { notifications } = loadConfig({ NODE_ENV: 'test', HOLDFAST_WEBHOOK_ALLOW: '127.0.0.1/32' });
  holdfast = await OneProcess.start(SERVICE_NAMES, { notifications, poolSizeMax: 3 });
  url = holdfast.url;
}, 60_000);
afterAll(async () => {
  await holdfast.stop();
  await hook.close();
}, 60_000);
beforeEach(() => void (hook.received.length = 0));

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly body: Record<string, unknown> & { items: Record<string, unknown>[] };
}

async function send(who: string, method: string, path: string, body?: object, headers: Record<string, string> = {}): Promise<Answer> {
  const response = await fetch(`${url}/api/v1${path}`, {
    method,
    headers: { authorization: `Bearer ${await tokenOf(who)}`, ...(body && { 'content-type': 'application/json' }), ...headers },
    ...(body && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, text, body: (text === '' ? {} : JSON.parse(text)) as Answer['body'] };
}

/** @param who a role in an organisation: `admin@acme`. */
async function tokenOf(who: string): Promise<string> {
  const known = tokens.get(who);
  if (known !== undefined) return known;
  const [role, orgId] = who.split('@') as [Role, string];
  const response = await fetch(`${url}/api/v1/auth/token`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ orgId, userId: role, roles: [role] }),
  });
  const { accessToken } = (await response.json()) as { accessToken: string };
  tokens.set(who, accessToken);
  return accessToken;
}

const admin = (orgId: string, method: string, path: string, body?: object) => send(`admin@${orgId}`, method, path, body);
const hookOf = (orgId: string, more: object = {}) => ({
  kind: 'webhook',
  name: orgId,
  target: hook.url(`/${orgId}`),
  secret: KEY,
  ...more,
});
/** What an organisation was told, as `type: title`. */
const told = (orgId: string) =>
  hook.received
    .filter(({ path }) => path === `/${orgId}`)
    .map(({ body }) => {
      const { type, title } = JSON.parse(body.toString()) as { type: string; title: string };
      return `${type}: ${title}`;
    });

async function stockUp(orgId: string, quantity: string): Promise<void> {
  await admin(orgId, 'POST', '/warehouses', { warehouseId: 'main', name: 'Main' });
  await admin(orgId, 'POST', '/items', { itemId: 'mug', name: 'Mug', reorderPoint: '5' });
  const lines = [{ itemId: 'mug', quantity, unitCost: '4.20' }];
  expect((await admin(orgId, 'POST', '/inventory/receipts', { warehouseId: 'main', lines })).status).toBe(201);
}

it('tells who listens what happened to orders and stock', async () => {
  const made = await admin('shop', 'POST', '/notifications/channels', hookOf('shop'));
  expect([made.status, made.body['problem'], made.text.includes('whsec_')]).toEqual([201, null, false]);
  await stockUp('shop', '10');
  const order = { orderId: 'o-1', customerId: 'c', lines: [{ itemId: 'mug', quantity: '7' }] };
  expect((await admin('shop', 'POST', '/orders', order)).status).toBe(201);
  expect((await admin('shop', 'POST', '/orders', { ...order, orderId: 'o-2' })).status).toBe(409);
  const broken = { warehouseId: 'main', itemId: 'mug', quantityDelta: '-6', reason: 'fell down', reasonCode: 'damage' };
  expect((await admin('shop', 'POST', '/inventory/adjustments', broken)).status).toBe(201);
  await eventually(() => told('shop').length >= 3);
  expect(told('shop').sort()).toEqual([
    'LowStockDetected: Low stock: mug in main',
    'ReservationShorted: Order o-1 lost stock that was held for it',
    'StockReservationFailed: Not enough stock for order o-2',
  ]);
  await eventually(async () => (await admin('shop', 'GET', '/notifications/deliveries?status=sent')).body.items.length === 3);
  const { body, text } = await admin('shop', 'GET', '/notifications/deliveries?limit=2');
  expect(body.items).toHaveLength(2);
  expect(body['nextCursor']).toEqual(expect.any(String));
  expect(text).not.toContain('whsec_');
}, 60_000);

it('keeps channels and deliveries of organisations apart', async () => {
  const { channelId } = (await admin('acme', 'POST', '/notifications/channels', hookOf('acme'))).body as unknown as { channelId: string };
  await admin('globex', 'POST', '/notifications/channels', hookOf('globex', { events: ['StockReservationFailed'] }));
  for (const orgId of ['acme', 'globex']) await stockUp(orgId, '6');
  await admin('acme', 'POST', '/orders', { orderId: 'o', customerId: 'c', lines: [{ itemId: 'mug', quantity: '9' }] });
  await eventually(() => told('acme').length > 0);
  expect([told('acme'), told('globex')]).toEqual([['StockReservationFailed: Not enough stock for order o'], []]);
  const theirs = await admin('globex', 'GET', '/notifications/channels');
  expect(theirs.body.items.map(({ name }) => name)).toEqual(['globex']);
  expect((await admin('globex', 'GET', '/notifications/deliveries')).body.items).toEqual([]);
  expect((await admin('globex', 'GET', `/notifications/deliveries?channelId=${channelId}`)).body.items).toEqual([]);
  for (const [method, body] of [['PATCH', { enabled: false }], ['DELETE']] as const) {
    const refused = await admin('globex', method, `/notifications/channels/${channelId}`, body);
    expect([method, refused.status, refused.body['code']]).toEqual([method, 404, 'NOT_FOUND']);
  }
  expect((await admin('acme', 'GET', '/notifications/channels')).body.items).toMatchObject([{ channelId, enabled: true }]);
}, 60_000);

it('lets administrators change channels, and auditors look', async () => {
  const made = await admin('roles', 'POST', '/notifications/channels', { kind: 'email', name: 'Mail', target: 'ann@example.com' });
  const path = `/notifications/channels/${String(made.body['channelId'])}`;
  expect(made.body['problem']).toBe('No e-mail is sent, because the operator has not set SMTP_URL and SMTP_FROM.');
  for (const role of ['inventory_manager', 'finance_manager', 'service', 'sales', 'auditor'] as const) {
    const statuses = [
      (await send(`${role}@roles`, 'POST', '/notifications/channels', hookOf('roles'))).status,
      (await send(`${role}@roles`, 'PATCH', path, { name: 'x' })).status,
      (await send(`${role}@roles`, 'DELETE', path)).status,
      (await send(`${role}@roles`, 'GET', '/notifications/channels')).status,
      (await send(`${role}@roles`, 'GET', '/notifications/deliveries')).status,
    ];
    const read = role === 'auditor' ? 200 : 403;
    expect([role, ...statuses]).toEqual([role, 403, 403, 403, read, read]);
  }
  expect((await admin('roles', 'PATCH', path, { name: 'Post', roles: ['sales'], events: null })).body).toMatchObject({
    name: 'Post',
    roles: ['sales'],
  });
  expect((await admin('roles', 'DELETE', path)).status).toBe(204);
  expect((await admin('roles', 'DELETE', path)).status).toBe(404);
  expect((await admin('roles', 'PATCH', '/notifications/channels/none', { name: 'x' })).status).toBe(404);
});

it('refuses what is not right, field by field', async () => {
  const errorsOf = async (body: object) => {
    const answer = await admin('wrong', 'POST', '/notifications/channels', body);
    return [answer.status, ...(answer.body['errors'] as { path: string }[]).map((error) => error.path)];
  };
  expect(await errorsOf({})).toEqual([400, 'kind', 'name', 'target']);
  expect(await errorsOf(hookOf('w', { kind: 'pigeon', events: [], roles: ['boss'], enabled: 'yes', extra: 1 }))).toEqual(
    expect.arrayContaining([400, 'kind', 'events', 'roles', 'enabled', 'extra']),
  );
  expect(await errorsOf(hookOf('w', { target: 'https://169.254.169.254/', secret: 'x', events: ['Nothing'] }))).toEqual([
    ...[400, 'target', 'secret', 'events.0'],
  ]);
  expect((await admin('wrong', 'GET', '/notifications/deliveries?status=lost')).status).toBe(400);
  expect((await admin('wrong', 'GET', '/notifications/channels')).body.items).toEqual([]);
});

it('makes one channel for a request that is repeated with its Idempotency-Key, and keeps no secret for that', async () => {
  const again = () => send('admin@twice', 'POST', '/notifications/channels', hookOf('twice'), { 'idempotency-key': 'once' });
  const [first, second] = [await again(), await again()];
  expect([first.status, second.status, second.body]).toEqual([201, 201, first.body]);
  expect((await admin('twice', 'GET', '/notifications/channels')).body.items).toHaveLength(1);
  const [kept] = await holdfast.database.rows<{ text: string }>(`select string_agg(r::text, '') as text from gateway.idempotency_record r`);
  expect(kept!.text).not.toContain(KEY.slice(6, 20));
});

it('says in the metrics what was sent, and on the probes that it is ready', async () => {
  const metrics = await (await fetch(`${url}/metrics`)).text();
  expect(metrics).toMatch(/^notification_deliveries_total\{kind="webhook",result="sent"\} [1-9]/m);
  expect(metrics).toMatch(/^notification_wait_seconds 0/m);
  expect(holdfast.running.flatMap(({ checks }) => checks.map(({ name }) => name))).toEqual(
    expect.arrayContaining(['notifications.database', 'notifications.migrations', 'notifications.broker', 'notifications.outbox']),
  );
});
