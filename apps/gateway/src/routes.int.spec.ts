import { Controller, Get, Module } from '@nestjs/common';
import { PATH_METADATA } from '@nestjs/common/constants.js';
import { allCalls } from '#libs/contracts';
import { startTestGateway, type StubService, type TestGateway } from '#libs/testing';
import { GatewayModule } from './gateway.module.js';
import { ENDPOINT } from './http/endpoint.js';
import { gateway } from './index.js';

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
const seen = { warehouseId: 'w', itemId: 'i', snapshotQuantity: '1', note: 'n' };
const policies = [{ kind: 'adjustment', requiredRole: 'admin', escalateTo: [], ...hours }];
const key = { name: 'k', roles: ['sales'] };
const channel = { kind: 'email', name: 'n', target: 'a@example.com' };
const file = 'itemId,name\na,A\n';

/** JSON, or the text of a CSV file. */
type Body = object | string | undefined;

/** Every route, a valid body, and the calls that it makes. Who may use it: docs/roles.md, which test/roles holds it against. */
const ROUTES: readonly (readonly [method: string, path: string, body?: Body, ...calls: string[]])[] = [
  ['POST', '/warehouses', { warehouseId: 'w', name: 'W' }, 'warehouses.create'],
  ['GET', '/warehouses', undefined, 'warehouses.list'],
  ['GET', '/warehouses/w', undefined, 'warehouses.get'],
  ['PATCH', '/warehouses/w', { name: 'W' }, 'warehouses.update'],
  ['POST', '/items', { itemId: 'i', name: 'I' }, 'items.create'],
  ['GET', '/items', undefined, 'items.list'],
  ['GET', '/items/i', undefined, 'items.get'],
  ['PATCH', '/items/i', { name: 'I' }, 'items.update'],
  ['POST', '/imports/items', file, 'imports.receive'],
  ['POST', '/imports/lots', file, 'imports.receive'],
  ['POST', '/imports/stock', file, 'imports.receive'],
  ['GET', '/imports?kind=items&status=failed', undefined, 'imports.list'],
  ['GET', `/imports/${MESSAGE}`, undefined, 'imports.get'],
  ['PUT', `/imports/${MESSAGE}/cancel`, undefined, 'imports.cancel'],
  ['POST', '/inventory/receipts', receipt, 'receipts.post'],
  ['POST', '/inventory/adjustments', adjustment, 'adjustments.post'],
  ['POST', '/warehouses/w/locations', { location: 'l' }, 'locations.create'],
  ['GET', '/warehouses/w/locations', undefined, 'locations.list'],
  ['POST', '/inventory/moves', { ...goods, from: 'default', to: 'l' }, 'bin-moves.post'],
  ['POST', '/inventory/quality-changes', { ...goods, from: 'available', to: 'damaged', reason: 'r' }, 'quality-changes.post'],
  ['POST', '/inventory/scraps', { ...goods, reason: 'r' }, 'scraps.post'],
  ['POST', '/inventory/counts', { warehouseId: 'w', lines: [{ itemId: 'i', countedQuantity: 1 }] }, 'counts.post'],
  ['GET', '/inventory/lots?itemId=i&warehouseId=w&expiresBefore=2026-03-31T00:00:00Z', undefined, 'lots.list'],
  ['POST', '/inventory/lots/i/l/recall', { reason: 'r' }, 'lots.recall'],
  ['POST', '/inventory/expected-receipts', expected, 'expected-receipts.create'],
  ['GET', '/inventory/expected-receipts?status=open&expectedTo=2026-03-31', undefined, 'expected-receipts.list'],
  ['GET', '/inventory/expected-receipts/e', undefined, 'expected-receipts.get'],
  ['PATCH', '/inventory/expected-receipts/e', { quantity: 2 }, 'expected-receipts.update'],
  ['DELETE', '/inventory/expected-receipts/e', undefined, 'expected-receipts.cancel'],
  ['POST', '/inventory/transfers', transfer, 'transfers.create'],
  ['GET', '/inventory/transfers?status=in_transit&warehouseId=w', undefined, 'transfers.list'],
  ['GET', '/inventory/transfers/t', undefined, 'transfers.get'],
  ['PUT', '/inventory/transfers/t/receive', { lines: [line] }, 'transfers.receive'],
  ['PUT', '/inventory/safety-stock', { warehouseId: 'w', itemId: 'i', quantity: 1 }, 'safety-stock.set'],
  ['PUT', '/inventory/reorder-points', { warehouseId: 'w', itemId: 'i', reorderPoint: 1 }, 'reorder-point.set'],
  ['GET', '/inventory/availability?itemId=i&itemId=j&warehouseId=w&explain=true', undefined, 'availability.get'],
  ['GET', '/inventory/availability/projection?itemId=i&warehouseId=w&days=14', undefined, 'availability.project'],
  ['GET', '/inventory/stock?low=true&limit=2', undefined, 'stock.list'],
  ['GET', '/inventory/items/i/stock?warehouseId=w', undefined, 'items.get', 'stock.list'],
  ['GET', '/inventory/ledger?orderId=o&from=2026-01-01T00:00:00Z', undefined, 'ledger.list'],
  ['GET', '/inventory/reservations?status=active', undefined, 'reservations.list'],
  ['POST', '/inventory/cost-corrections', costs, 'cost-corrections.post'],
  ['GET', '/inventory/valuation?itemId=i&asOf=2026-01-01T00:00:00Z', undefined, 'valuation.list'],
  ['GET', '/inventory/alerts/low-stock', undefined, 'stock.list'],
  ['POST', '/inventory/discrepancies', seen, 'discrepancies.report'],
  ['GET', '/inventory/discrepancies?open=true&severity=high', undefined, 'discrepancies.list'],
  ['GET', `/inventory/discrepancies/${MESSAGE}`, undefined, 'discrepancies.get'],
  ['POST', `/inventory/discrepancies/${MESSAGE}/review`, { assignedTo: 'ann' }, 'discrepancies.review'],
  ['POST', `/inventory/discrepancies/${MESSAGE}/resolve`, { note: 'n', adjust: true }, 'discrepancies.resolve'],
  ['POST', `/inventory/discrepancies/${MESSAGE}/request-override`, { reason: 'r' }, 'discrepancies.request-override'],
  ['POST', `/inventory/discrepancies/${MESSAGE}/dismiss`, { note: 'n' }, 'discrepancies.dismiss'],
  ['POST', '/orders', { customerId: 'c', lines: [line] }, 'orders.create'],
  ['GET', '/orders?status=created&customerId=c', undefined, 'orders.list'],
  ['GET', '/orders/o', undefined, 'orders.get'],
  ['GET', '/orders/o/events', undefined, 'orders.events'],
  ['PUT', '/orders/o', { lines: [line] }, 'orders.update'],
  ['PUT', '/orders/o/confirm', undefined, 'orders.confirm'],
  ['PUT', '/orders/o/cancel', { reason: 'r' }, 'orders.cancel'],
  ['GET', '/orders/o/pick-list', undefined, 'orders.pick-list'],
  ['PUT', '/orders/o/pick', { lines }, 'orders.pick'],
  ['PUT', '/orders/o/pack', undefined, 'orders.pack'],
  ['POST', '/orders/o/shipments', { lines }, 'shipments.create'],
  ['GET', '/shipments/s', undefined, 'shipments.get'],
  ['PUT', '/shipments/s/cancel', { reason: 'r' }, 'shipments.cancel'],
  ['POST', '/orders/o/returns', authorised, 'returns.create'],
  ['GET', '/returns?orderId=o', undefined, 'returns.list'],
  ['GET', '/returns/r', undefined, 'returns.get'],
  ['PUT', '/returns/r/cancel', { reason: 'r' }, 'returns.cancel'],
  ['PUT', '/returns/r/receive', { lines }, 'returns.receive'],
  ['PUT', '/returns/r/inspect', { lines: [{ ...lines[0], verdict: 'scrap' }] }, 'returns.inspect'],
  ['GET', '/approvals?status=pending&open=true', undefined, 'approvals.list'],
  ['GET', `/approvals/${MESSAGE}`, undefined, 'approvals.get'],
  ['PUT', `/approvals/${MESSAGE}/approve`, { reason: 'r' }, 'approvals.approve'],
  ['PUT', `/approvals/${MESSAGE}/reject`, { reason: 'r' }, 'approvals.reject'],
  ['GET', '/approvals/policies', undefined, 'approval-policies.get'],
  ['PUT', '/approvals/policies', policies, 'approval-policies.set'],
  ['GET', '/approvals/policies/history', undefined, 'approval-policies.history'],
  ['POST', '/reconciliation/runs', undefined, 'reconciliation-runs.start'],
  ['GET', '/reconciliation/runs?status=completed', undefined, 'reconciliation-runs.list'],
  ['GET', `/reconciliation/runs/${MESSAGE}?limit=5`, undefined, 'reconciliation-runs.get'],
  ['GET', '/settings', undefined, 'settings.get'],
  ['PATCH', '/settings', { returnQuarantine: false }, 'settings.update'],
  ['GET', '/settings/history', undefined, 'settings.history'],
  ['GET', '/reports/oversell-attempts?groupBy=day&format=csv', undefined, 'reports.oversell-attempts'],
  ['GET', '/reports/overrides?groupBy=role', undefined, 'reports.overrides', 'reports.overrides-without-effect'],
  ['GET', '/reports/approved-with-open-discrepancies', undefined, 'reports.approved-orders', 'reports.doubts-at'],
  ['GET', '/reports/would-have-been-blocked', undefined, 'reports.would-have-been-blocked'],
  ['GET', '/reports/discrepancies?groupBy=age', undefined, 'reports.discrepancies'],
  ['GET', '/reports/inventory-value?from=2026-01-01T00:00:00Z', undefined, 'reports.inventory-value'],
  ['GET', '/audit/events?type=order_created&actor=ann', undefined, 'audit.list'],
  ['POST', '/notifications/channels', channel, 'notification-channels.create'],
  ['GET', '/notifications/channels', undefined, 'notification-channels.list'],
  ['PATCH', `/notifications/channels/${MESSAGE}`, { enabled: false }, 'notification-channels.update'],
  ['DELETE', `/notifications/channels/${MESSAGE}`, undefined, 'notification-channels.delete'],
  ['GET', '/notifications/deliveries?status=failed', undefined, 'notification-deliveries.list'],
  ['GET', '/parked-messages', undefined, 'parked.list'],
  ['POST', `/parked-messages/${MESSAGE}/replay`, undefined, 'parked.replay'],
  ['DELETE', `/parked-messages/${MESSAGE}`, undefined, 'parked.discard'],
  ['PUT', '/members/m', { roles: ['sales'] }],
  ['GET', '/members'],
  ['POST', '/api-keys', key],
  ['GET', '/api-keys'],
  ['DELETE', `/api-keys/${MESSAGE}`],
  ['GET', '/events'],
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
  for (const stub of [test.inventory, test.orders, test.approvals, test.notifications, test.reconciliation]) answerEverything(stub);
});
afterAll(() => test.stop());

/** Answers fit every mapping of the gateway. */
function answerEverything(stub: StubService): void {
  const items = [{ itemId: 'i', places: [], approvedAt: '2026-01-01T00:00:00Z' }];
  for (const call of allCalls()) stub.answers(call, () => ({ items, lines: [], rows: [], doubts: [[]], nextCursor: null }));
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
    for (const [method, path, body] of ROUTES) {
      expect([method, path, await statusOf(method, path, undefined, body)]).toEqual([method, path, 401]);
    }
  });

  it('asks the services for the organisation of the token, and on behalf of who has it', async () => {
    for (const orgId of ['acme', 'globex']) {
      const token = await test.token(orgId, `admin-of-${orgId}`, ['admin']);
      for (const [method, path, body, ...patterns] of ROUTES.filter((route) => route.length > 3)) {
        const calls = [test.inventory.calls, test.orders.calls, test.approvals.calls, test.notifications.calls, test.reconciliation.calls];
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
    for (const [method, path, body] of ROUTES.filter(([method]) => method !== 'DELETE')) {
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
    for (const [method, path, body, pattern] of ROUTES.filter(([method]) => method !== 'GET')) {
      const takes =
        pattern !== undefined &&
        !/^(parked|approvals|approval-policies|notification-channels|reconciliation-runs)\.|^imports\.cancel$/.test(pattern);
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
