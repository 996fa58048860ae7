import { Controller, Get, Module } from '@nestjs/common';
import { PATH_METADATA } from '@nestjs/common/constants.js';
import { allCalls, ROLES, type Role } from '#libs/contracts';
import { startTestGateway, type StubService, type TestGateway } from '#libs/testing';
import { GatewayModule } from './gateway.module.js';
import { ENDPOINT } from './http/endpoint.js';
import { gateway } from './index.js';

const TAKE_ORDERS: Role[] = ['sales', 'inventory_manager', 'finance_manager', 'service', 'admin'];
const HANDLE_GOODS: Role[] = ['warehouse', 'inventory_manager', 'service', 'admin'];
const WORK_IN_WAREHOUSE: Role[] = ['warehouse', 'inventory_manager', 'admin'];
const KEEP_STOCK: Role[] = ['inventory_manager', 'admin'];
const EVERYBODY: Role[] = [...ROLES];
const AUDIT: Role[] = ['auditor', 'admin'];
const ADMIN: Role[] = ['admin'];
const APPROVE: Role[] = ['inventory_manager', 'finance_manager', 'admin'];
const CORRECT_COSTS: Role[] = ['finance_manager', 'admin'];
const READ_VALUES: Role[] = ['inventory_manager', 'finance_manager', 'auditor', 'admin'];
const SETTINGS: Role[] = ['inventory_manager', 'finance_manager', 'auditor', 'service', 'admin'];

const line = { itemId: 'i', quantity: '1' };
const lines = [{ lineNo: 1, quantity: '1' }];
const goods = { warehouseId: 'w', itemId: 'i', quantity: '1' };
const receipt = { warehouseId: 'w', lines: [{ ...line, unitCost: '1' }] };
const adjustment = { warehouseId: 'w', itemId: 'i', quantityDelta: '-1', reason: 'r' };
const transfer = { fromWarehouseId: 'w', toWarehouseId: 'v', lines: [line] };
const expected = { warehouseId: 'w', ...line, expectedOn: '2026-03-15' };
const costs = { receiptId: 'r', lines: [{ itemId: 'i', unitCost: '1' }] };
const authorised = { lines: [{ ...lines[0], condition: 'unknown', reason: 'r' }] };
const MESSAGE = '019cb5b1-0000-7000-8000-000000000005';
const hours = { remindAfterHours: 1, escalateAfterHours: 2, expireAfterHours: 3 };
const policies = [{ kind: 'adjustment', requiredRole: 'admin', escalateTo: [], ...hours }];
const key = { name: 'k', roles: ['sales'] };
const channel = { kind: 'email', name: 'n', target: 'a@example.com' };
const SEE_IMPORTS: Role[] = ['inventory_manager', 'auditor', 'admin'];
const file = 'itemId,name\na,A\n';

/** JSON, or the text of a CSV file. */
type Body = object | string | undefined;

/** Every route, who may use it (the role table of the API), a valid body, and the calls that it makes. */
const ROUTES: readonly (readonly [method: string, path: string, roles: Role[], body?: Body, ...calls: string[]])[] = [
  ['POST', '/warehouses', KEEP_STOCK, { warehouseId: 'w', name: 'W' }, 'warehouses.create'],
  ['GET', '/warehouses', EVERYBODY, undefined, 'warehouses.list'],
  ['GET', '/warehouses/w', EVERYBODY, undefined, 'warehouses.get'],
  ['PATCH', '/warehouses/w', KEEP_STOCK, { name: 'W' }, 'warehouses.update'],
  ['POST', '/items', KEEP_STOCK, { itemId: 'i', name: 'I' }, 'items.create'],
  ['GET', '/items', EVERYBODY, undefined, 'items.list'],
  ['GET', '/items/i', EVERYBODY, undefined, 'items.get'],
  ['PATCH', '/items/i', KEEP_STOCK, { name: 'I' }, 'items.update'],
  ['POST', '/imports/items', KEEP_STOCK, file, 'imports.receive'],
  ['POST', '/imports/lots', KEEP_STOCK, file, 'imports.receive'],
  ['POST', '/imports/stock', KEEP_STOCK, file, 'imports.receive'],
  ['GET', '/imports?kind=items&status=failed', SEE_IMPORTS, undefined, 'imports.list'],
  ['GET', `/imports/${MESSAGE}`, SEE_IMPORTS, undefined, 'imports.get'],
  ['PUT', `/imports/${MESSAGE}/cancel`, KEEP_STOCK, undefined, 'imports.cancel'],
  ['POST', '/inventory/receipts', HANDLE_GOODS, receipt, 'receipts.post'],
  ['POST', '/inventory/adjustments', KEEP_STOCK, adjustment, 'adjustments.post'],
  ['POST', '/warehouses/w/locations', KEEP_STOCK, { location: 'l' }, 'locations.create'],
  ['GET', '/warehouses/w/locations', EVERYBODY, undefined, 'locations.list'],
  ['POST', '/inventory/moves', WORK_IN_WAREHOUSE, { ...goods, from: 'default', to: 'l' }, 'bin-moves.post'],
  [
    'POST',
    '/inventory/quality-changes',
    WORK_IN_WAREHOUSE,
    { ...goods, from: 'available', to: 'damaged', reason: 'r' },
    'quality-changes.post',
  ],
  ['POST', '/inventory/scraps', KEEP_STOCK, { ...goods, reason: 'r' }, 'scraps.post'],
  ['POST', '/inventory/counts', WORK_IN_WAREHOUSE, { warehouseId: 'w', lines: [{ itemId: 'i', countedQuantity: 1 }] }, 'counts.post'],
  ['GET', '/inventory/lots?itemId=i&warehouseId=w&expiresBefore=2026-03-31T00:00:00Z', EVERYBODY, undefined, 'lots.list'],
  ['POST', '/inventory/lots/i/l/recall', KEEP_STOCK, { reason: 'r' }, 'lots.recall'],
  ['POST', '/inventory/expected-receipts', HANDLE_GOODS, expected, 'expected-receipts.create'],
  ['GET', '/inventory/expected-receipts?status=open&expectedTo=2026-03-31', EVERYBODY, undefined, 'expected-receipts.list'],
  ['GET', '/inventory/expected-receipts/e', EVERYBODY, undefined, 'expected-receipts.get'],
  ['PATCH', '/inventory/expected-receipts/e', HANDLE_GOODS, { quantity: 2 }, 'expected-receipts.update'],
  ['DELETE', '/inventory/expected-receipts/e', HANDLE_GOODS, undefined, 'expected-receipts.cancel'],
  ['POST', '/inventory/transfers', WORK_IN_WAREHOUSE, transfer, 'transfers.create'],
  ['GET', '/inventory/transfers?status=in_transit&warehouseId=w', EVERYBODY, undefined, 'transfers.list'],
  ['GET', '/inventory/transfers/t', EVERYBODY, undefined, 'transfers.get'],
  ['PUT', '/inventory/transfers/t/receive', WORK_IN_WAREHOUSE, { lines: [line] }, 'transfers.receive'],
  ['PUT', '/inventory/safety-stock', KEEP_STOCK, { warehouseId: 'w', itemId: 'i', quantity: 1 }, 'safety-stock.set'],
  ['PUT', '/inventory/reorder-points', KEEP_STOCK, { warehouseId: 'w', itemId: 'i', reorderPoint: 1 }, 'reorder-point.set'],
  ['GET', '/inventory/availability?itemId=i&itemId=j&warehouseId=w&explain=true', EVERYBODY, undefined, 'availability.get'],
  ['GET', '/inventory/availability/projection?itemId=i&warehouseId=w&days=14', EVERYBODY, undefined, 'availability.project'],
  ['GET', '/inventory/stock?low=true&limit=2', EVERYBODY, undefined, 'stock.list'],
  ['GET', '/inventory/items/i/stock?warehouseId=w', EVERYBODY, undefined, 'items.get', 'stock.list'],
  ['GET', '/inventory/ledger?orderId=o&from=2026-01-01T00:00:00Z', EVERYBODY, undefined, 'ledger.list'],
  ['GET', '/inventory/reservations?status=active', EVERYBODY, undefined, 'reservations.list'],
  ['POST', '/inventory/cost-corrections', CORRECT_COSTS, costs, 'cost-corrections.post'],
  ['GET', '/inventory/valuation?itemId=i&asOf=2026-01-01T00:00:00Z', READ_VALUES, undefined, 'valuation.list'],
  ['GET', '/inventory/alerts/low-stock', EVERYBODY, undefined, 'stock.list'],
  ['POST', '/orders', TAKE_ORDERS, { customerId: 'c', lines: [line] }, 'orders.create'],
  ['GET', '/orders?status=created&customerId=c', EVERYBODY, undefined, 'orders.list'],
  ['GET', '/orders/o', EVERYBODY, undefined, 'orders.get'],
  ['GET', '/orders/o/events', EVERYBODY, undefined, 'orders.events'],
  ['PUT', '/orders/o', TAKE_ORDERS, { lines: [line] }, 'orders.update'],
  ['PUT', '/orders/o/confirm', TAKE_ORDERS, undefined, 'orders.confirm'],
  ['PUT', '/orders/o/cancel', TAKE_ORDERS, { reason: 'r' }, 'orders.cancel'],
  ['GET', '/orders/o/pick-list', EVERYBODY, undefined, 'orders.pick-list'],
  ['PUT', '/orders/o/pick', HANDLE_GOODS, { lines }, 'orders.pick'],
  ['PUT', '/orders/o/pack', HANDLE_GOODS, undefined, 'orders.pack'],
  ['POST', '/orders/o/shipments', HANDLE_GOODS, { lines }, 'shipments.create'],
  ['GET', '/shipments/s', EVERYBODY, undefined, 'shipments.get'],
  ['PUT', '/shipments/s/cancel', HANDLE_GOODS, { reason: 'r' }, 'shipments.cancel'],
  ['POST', '/orders/o/returns', TAKE_ORDERS, authorised, 'returns.create'],
  ['GET', '/returns?orderId=o', EVERYBODY, undefined, 'returns.list'],
  ['GET', '/returns/r', EVERYBODY, undefined, 'returns.get'],
  ['PUT', '/returns/r/receive', HANDLE_GOODS, { lines }, 'returns.receive'],
  ['PUT', '/returns/r/inspect', HANDLE_GOODS, { lines: [{ ...lines[0], verdict: 'scrap' }] }, 'returns.inspect'],
  ['GET', '/approvals?status=pending&open=true', SETTINGS, undefined, 'approvals.list'],
  ['GET', `/approvals/${MESSAGE}`, SETTINGS, undefined, 'approvals.get'],
  ['PUT', `/approvals/${MESSAGE}/approve`, APPROVE, { reason: 'r' }, 'approvals.approve'],
  ['PUT', `/approvals/${MESSAGE}/reject`, APPROVE, { reason: 'r' }, 'approvals.reject'],
  ['GET', '/approvals/policies', SETTINGS, undefined, 'approval-policies.get'],
  ['PUT', '/approvals/policies', ADMIN, policies, 'approval-policies.set'],
  ['GET', '/approvals/policies/history', AUDIT, undefined, 'approval-policies.history'],
  ['GET', '/settings', SETTINGS, undefined, 'settings.get'],
  ['PATCH', '/settings', ADMIN, { returnQuarantine: false }, 'settings.update'],
  ['GET', '/settings/history', AUDIT, undefined, 'settings.history'],
  ['GET', '/audit/events?type=order_created&actor=ann', AUDIT, undefined, 'audit.list'],
  ['POST', '/notifications/channels', ADMIN, channel, 'notification-channels.create'],
  ['GET', '/notifications/channels', AUDIT, undefined, 'notification-channels.list'],
  ['PATCH', `/notifications/channels/${MESSAGE}`, ADMIN, { enabled: false }, 'notification-channels.update'],
  ['DELETE', `/notifications/channels/${MESSAGE}`, ADMIN, undefined, 'notification-channels.delete'],
  ['GET', '/notifications/deliveries?status=failed', AUDIT, undefined, 'notification-deliveries.list'],
  ['GET', '/parked-messages', AUDIT, undefined, 'parked.list'],
  ['POST', `/parked-messages/${MESSAGE}/replay`, ADMIN, undefined, 'parked.replay'],
  ['DELETE', `/parked-messages/${MESSAGE}`, ADMIN, undefined, 'parked.discard'],
  ['PUT', '/members/m', ADMIN, { roles: ['sales'] }],
  ['GET', '/members', AUDIT],
  ['POST', '/api-keys', ADMIN, key],
  ['GET', '/api-keys', AUDIT],
  ['DELETE', `/api-keys/${MESSAGE}`, ADMIN],
  ['GET', '/events', EVERYBODY],
];

@Controller('forgotten')
class ForgottenController {
  @Get()
  get() {
    return 'secret';
  }
}

@Module({ imports: [GatewayModule], controllers: [ForgottenController] })
class GatewayWithForgottenRoute {}

let test: TestGateway;
beforeAll(async () => {
  test = await startTestGateway({ ...gateway, module: GatewayWithForgottenRoute });
  for (const stub of [test.inventory, test.orders, test.approvals, test.notifications]) answerEverything(stub);
});
afterAll(() => test.stop());

/** Answers fit every mapping of the gateway. */
function answerEverything(stub: StubService): void {
  for (const call of allCalls()) stub.answers(call, () => ({ items: [{ itemId: 'i' }], lines: [], nextCursor: null }));
}

/** The status, without waiting for the end of a stream. */
async function statusOf(method: string, path: string, token?: string, body?: object | string): Promise<number> {
  const abort = new AbortController();
  const type = typeof body === 'string' ? 'text/csv' : 'application/json';
  const headers = { ...(token && { authorization: `Bearer ${token}` }), ...(body && { 'content-type': type }) };
  const payload = body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) };
  const response = await fetch(`${test.url}/api/v1${path}`, { method, headers, ...payload, signal: abort.signal });
  abort.abort();
  return response.status;
}

describe('every route', () => {
  it('is in this table, and says who may use it', async () => {
    const { body } = await test.send('GET', '//api/openapi.json');
    const paths = Object.entries(body['paths'] as Record<string, Record<string, { description: string }>>);
    const described = paths.flatMap(([path, operations]) =>
      Object.entries(operations).map(([method, { description }]) => ({ name: `${method.toUpperCase()} ${path}`, description })),
    );
    const withoutPublic = described.filter(({ description }) => description !== 'Needs no authentication.').map(({ name }) => name);
    const inTable = ROUTES.map(([method, path]) => {
      const found = withoutPublic.find((name) => name.startsWith(`${method} `) && template(name.split(' ')[1]!).test(`/api/v1${path}`));
      return found ?? `${method} ${path} is not there`;
    });
    expect(inTable.sort()).toEqual(withoutPublic.filter((name) => !name.includes('forgotten')).sort());
    expect(described.length - withoutPublic.length).toBe(1);

    for (const controller of Reflect.getMetadata('controllers', GatewayModule) as (new () => object)[]) {
      for (const name of Object.getOwnPropertyNames(controller.prototype)) {
        const handler = (controller.prototype as Record<string, unknown>)[name] as object;
        if (Reflect.getMetadata(PATH_METADATA, handler) === undefined || name === 'constructor') continue;
        expect([controller.name, name, Reflect.hasMetadata(ENDPOINT, handler)]).toEqual([controller.name, name, true]);
      }
    }
  });

  it('is refused to everybody when it does not say who may use it', async () => {
    const answer = await test.send('GET', '/forgotten', { token: await test.token('acme', 'ann', ['admin']) });
    expect(answer).toMatchObject({ status: 403, body: { code: 'FORBIDDEN' } });
  });

  it('is for those who are signed in', async () => {
    for (const [method, path, , body] of ROUTES) {
      expect([method, path, await statusOf(method, path, undefined, body)]).toEqual([method, path, 401]);
    }
  });

  it('is open to exactly the roles that the contract names', async () => {
    for (const role of ROLES) {
      const token = await test.token('acme', `one-${role}`, [role]);
      for (const [method, path, roles, body] of ROUTES) {
        const refused = (await statusOf(method, path, token, body)) === 403;
        expect([role, method, path, refused]).toEqual([role, method, path, !roles.includes(role)]);
      }
    }
    const nobody = await test.token('acme', 'nobody', []);
    for (const [method, path, , body] of ROUTES)
      expect([method, path, await statusOf(method, path, nobody, body)]).toEqual([method, path, 403]);
  });

  it('asks the services for the organisation of the token, and on behalf of who has it', async () => {
    for (const orgId of ['acme', 'globex']) {
      const token = await test.token(orgId, `admin-of-${orgId}`, ['admin']);
      for (const [method, path, , body, ...patterns] of ROUTES.filter((route) => route.length > 4)) {
        const calls = [test.inventory.calls, test.orders.calls, test.approvals.calls, test.notifications.calls];
        calls.forEach((list) => list.splice(0));
        const status = await statusOf(method, path, token, body);
        expect([method, path, Math.floor(status / 100)]).toEqual([method, path, 2]);
        const made = calls.flat();
        expect(new Set(made.map(({ pattern }) => pattern))).toEqual(new Set(patterns));
        for (const { request, actor, traceparent } of made) {
          expect([method, path, request['orgId'], actor]).toEqual([
            method,
            path,
            orgId,
            { userId: `admin-of-${orgId}`, orgId, roles: ['admin'], warehouses: null },
          ]);
          expect(traceparent).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
        }
      }
    }
  });

  it('takes no organisation from body, query or header', async () => {
    const token = await test.token('acme', 'ann', ['admin']);
    for (const [method, path, , body] of ROUTES.filter(([method]) => method !== 'DELETE')) {
      if (typeof body === 'string') {
        expect([path, await statusOf(method, `${path}?orgId=globex`, token, body)]).toEqual([path, 400]);
        continue;
      }
      const isRead = method === 'GET';
      const asked = isRead ? `${path}${path.includes('?') ? '&' : '?'}orgId=globex` : path;
      const takesBody = body !== undefined || path.includes('confirm') || path.includes('pack');
      const status = await statusOf(method, asked, token, isRead ? undefined : { ...body, orgId: 'globex' });
      if (isRead || takesBody) expect([method, path, status]).toEqual([method, path, 400]);
    }
    test.orders.calls.splice(0);
    await test.send('GET', '/orders/o', { token, headers: { 'x-org-id': 'globex' } });
    expect(test.orders.calls).toMatchObject([{ request: { orgId: 'acme', orderId: 'o' } }]);
  });

  it('takes dryRun where its call does, and nowhere else', async () => {
    const token = await test.token('acme', 'ann', ['admin']);
    for (const [method, path, , body, pattern] of ROUTES.filter(([method]) => method !== 'GET')) {
      const takes =
        pattern !== undefined && !/^(parked|approvals|approval-policies|notification-channels)\.|^imports\.cancel$/.test(pattern);
      const isFile = typeof body === 'string';
      const sent = isFile ? { text: body, headers: { 'content-type': 'text/csv' } } : { body };
      const { status, body: answer } = await test.send(method, `${path}?dryRun=true`, { token, ...sent });
      // A dry run of an import is followed like any other.
      expect([method, path, status]).toEqual([method, path, takes ? (isFile ? 202 : 200) : 400]);
      if (isFile) expect(test.inventory.calls.at(-1)!.request).toMatchObject({ dryRun: true });
      else if (takes) expect(answer).toMatchObject({ dryRun: true });
    }
  });
});

function template(path: string): RegExp {
  return new RegExp(`^${path.replace(/\{\w+\}/g, '[^/?]+')}(\\?|$)`);
}

describe('of organisations with the same names', () => {
  it('members, keys and answers to repeats are apart', async () => {
    const [acme, globex] = await Promise.all([test.token('acme', 'ann', ['admin']), test.token('globex', 'ann', ['admin'])]);
    await test.send('PUT', '/members/bob', { token: acme, body: { roles: ['auditor'] } });
    const made = await test.send('POST', '/api-keys', { token: acme, body: key });
    const members = await test.send('GET', '/members', { token: globex });
    const keys = await test.send('GET', '/api-keys', { token: globex });
    expect([members.body['items'], keys.body['items']]).toEqual([
      expect.not.arrayContaining([expect.objectContaining({ userId: 'bob' })]),
      expect.not.arrayContaining([expect.objectContaining({ apiKeyId: made.body['apiKeyId'] })]),
    ]);
    const stolen = await test.send('DELETE', `/api-keys/${String(made.body['apiKeyId'])}`, { token: globex });
    expect(stolen.status).toBe(404);
    // The key names its organisation; under another's name it is none.
    const foreign = String(made.body['key']).replace('hf.acme.', 'hf.globex.');
    expect((await test.send('GET', '/orders', { headers: { 'x-api-key': foreign } })).status).toBe(401);
    expect((await test.send('GET', '/orders', { headers: { 'x-api-key': String(made.body['key']) } })).status).toBe(200);

    const repeat = { body: { customerId: 'c', lines: [line] }, headers: { 'idempotency-key': 'same' } };
    test.orders.calls.splice(0);
    for (const token of [acme, globex, acme, globex]) await test.send('POST', '/orders', { token, ...repeat });
    expect(test.orders.calls.map(({ request }) => request['orgId'])).toEqual(['acme', 'globex']);
  });
});
