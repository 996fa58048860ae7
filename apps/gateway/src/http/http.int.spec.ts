import { request as httpRequest } from 'node:http';
import {
  AvailabilityGet,
  ItemGet,
  OrderConfirm,
  OrderCreate,
  OrderGet,
  OrderUpdate,
  ParkedCalls,
  type ParkedMessage,
  StockList,
  type StockRow,
} from '#libs/contracts';
import { conflict, notFound } from '#libs/domain';
import { startTestGateway, type TestGateway } from '#libs/testing';
import { anItem } from '../catalogue/catalogue.examples.js';
import { gateway } from '../index.js';
import { anOrder } from '../orders/order.examples.js';
import { anAvailability, aStockRow } from '../stock/stock.examples.js';

let test: TestGateway;
let admin: string;
beforeAll(async () => {
  test = await startTestGateway(gateway);
  admin = await test.token('acme', 'ann', ['admin']);
  test.orders.answers(OrderCreate, ({ orderId }) => ({ ...anOrder, orderId: orderId! }));
  test.orders.answers(OrderConfirm, () => anOrder);
  test.orders.answers(OrderGet, () => anOrder);
});
afterAll(() => test.stop());
beforeEach(() => {
  test.orders.calls.splice(0);
  test.inventory.calls.splice(0);
});

const order = { customerId: 'c', lines: [{ itemId: 'i', quantity: '1' }] };

describe('requests', () => {
  it('are JSON of at most 1 MiB', async () => {
    const send = (text: string, type = 'application/json') =>
      test.send('POST', '/orders', { token: admin, text, headers: { 'content-type': type } });
    const padded = (bytes: number) => JSON.stringify(order).padEnd(bytes, ' ');
    expect((await send(padded(1_048_576))).status).toBe(201);
    expect(await send(padded(1_048_577))).toMatchObject({ status: 413, body: { code: 'BODY_TOO_LARGE' } });
    expect((await send(JSON.stringify(order), 'application/json; charset=utf-8')).status).toBe(201);
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/xml', 'nonsense']) {
      expect(await send(JSON.stringify(order), type)).toMatchObject({ status: 400, body: { code: 'MALFORMED_REQUEST' } });
    }
    for (const text of ['{', 'null x', '{"customerId":"c",}']) expect((await send(text)).body['code']).toBe('MALFORMED_REQUEST');
    for (const text of ['', '[]', '"x"', '1', 'null']) expect((await send(text)).body['code']).toBe('VALIDATION_FAILED');
  });

  it('may leave out a body that has no required field', async () => {
    expect((await test.send('PUT', '/orders/o/confirm', { token: admin })).status).toBe(200);
    expect((await test.send('PUT', '/orders/o/confirm', { token: admin, text: '' })).status).toBe(200);
    expect((await test.send('PUT', '/orders/o/confirm', { token: admin, body: {} })).status).toBe(200);
  });

  it('name ids of 1 to 64 known characters, encoded or not', async () => {
    const get = (id: string) => test.send('GET', `/orders/${id}`, { token: admin });
    expect((await get(encodeURIComponent('a:b'.padEnd(64, ':')))).status).toBe(200);
    expect(test.orders.calls.at(-1)!.request['orderId']).toBe('a:b'.padEnd(64, ':'));
    for (const id of ['x'.repeat(65), 'a%20b', 'a%00b', '%C3%A4', 'a%2Fb', "a'b"]) {
      expect([id, await get(id)]).toMatchObject([id, { status: 400, body: { code: 'VALIDATION_FAILED', errors: [{ path: 'orderId' }] } }]);
    }
  });

  it('for entries of the ledger say what those refer to, by names that there are', async () => {
    const types = 'receipt, shipment, sale, return, transfer, adjustment, count, discrepancy, import';
    expect(await test.send('GET', '/inventory/ledger?refType=shipments', { token: admin })).toMatchObject({
      status: 400,
      body: { code: 'VALIDATION_FAILED', errors: [{ path: 'refType', message: `must be one of ${types}` }] },
    });
    expect(test.inventory.calls).toEqual([]);
  });

  it('that are broken below JSON are problems too', async () => {
    for (const path of ['//api/v1/orders/%zz', '//%', `//api/v1/orders/${'x'.repeat(300)}`]) {
      const answer = await raw('GET', test.url + path.slice(1));
      expect([path, answer.status, answer.type]).toEqual([path, expect.any(Number), expect.stringContaining('application/problem+json')]);
      expect(answer.status).toBeLessThan(500);
    }
  });

  it('for what does not exist yet are not found', async () => {
    for (const path of ['/reports/nothing', '/pos/sales', '/nothing']) {
      const answer = await test.send('GET', path, { token: admin });
      expect([path, answer]).toMatchObject([path, { status: 404, body: { code: 'NOT_FOUND', instance: `/api/v1${path}` } }]);
      expect(answer.headers.get('content-type')).toContain('application/problem+json');
    }
  });

  it('carry their trace on', async () => {
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    await test.send('GET', '/orders/o', { token: admin, headers: { traceparent } });
    await test.send('GET', '/orders/o', { token: admin, headers: { traceparent: 'nonsense' } });
    const [given, made] = test.orders.calls.map((call) => call.traceparent);
    expect(given).toBe(traceparent);
    expect(made).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
  });

  it('say the version that they have seen', async () => {
    test.orders.answers(OrderUpdate, () => ({ ...anOrder, version: 4 }));
    const put = (ifMatch?: string) =>
      test.send('PUT', '/orders/o', {
        token: admin,
        body: { lines: order.lines },
        headers: ifMatch === undefined ? {} : { 'if-match': ifMatch },
      });
    for (const ifMatch of ['3', '"3"', 'W/"3"', '*', undefined]) expect((await put(ifMatch)).headers.get('etag')).toBe('"4"');
    expect(test.orders.calls.map(({ request }) => request['ifVersion'])).toEqual([3, 3, 3, undefined, undefined]);
    for (const ifMatch of ['x', '"3', '1.5', '-1', '3, 4']) expect((await put(ifMatch)).status).toBe(400);
  });

  it('are limited per caller, and the others are not', async () => {
    const limited = await startTestGateway(gateway, { rateLimit: 20 });
    try {
      limited.orders.answers(OrderGet, () => anOrder);
      const [ann, bob] = [await limited.token('acme', 'ann', ['sales']), await limited.token('acme', 'bob', ['sales'])];
      const burst = await Promise.all(Array.from({ length: 200 }, () => limited.send('GET', '/orders/o', { token: ann })));
      const refused = burst.filter(({ status }) => status === 429);
      expect(refused.length).toBeGreaterThanOrEqual(20);
      expect(refused[0]!.body).toMatchObject({ code: 'RATE_LIMITED', status: 429 });
      expect(refused[0]!.headers.get('retry-after')).toBe('1');
      expect((await limited.send('GET', '/orders/o', { token: bob })).status).toBe(200);
      await new Promise((resolve) => setTimeout(resolve, 1_100));
      expect((await limited.send('GET', '/orders/o', { token: ann })).status).toBe(200);
      const strangers = await Promise.all(Array.from({ length: 200 }, () => limited.send('GET', '/orders/o')));
      expect(strangers.some(({ status }) => status === 429)).toBe(true);
    } finally {
      await limited.stop();
    }
  });
});

describe('answers', () => {
  it('are not to be sniffed, framed or cached in parts', async () => {
    const { headers } = await test.send('GET', '/orders/o', { token: admin });
    expect([headers.get('x-content-type-options'), headers.get('x-frame-options'), headers.get('x-powered-by')]).toEqual([
      'nosniff',
      'SAMEORIGIN',
      null,
    ]);
  });

  it('pass the details of a conflict on', async () => {
    const details = {
      lines: [{ lineNo: 1, itemId: 'i', warehouseId: 'w', requested: '2', available: '1' }],
      discrepancyIds: [],
      alternatives: [{ lineNo: 1, kind: 'warehouse', itemId: 'i', warehouseId: 'v', available: '9' }],
    };
    test.orders.answers(OrderConfirm, () => {
      throw conflict('INSUFFICIENT_STOCK', 'Too little of i.', details);
    });
    expect((await test.send('PUT', '/orders/o/confirm', { token: admin })).body).toEqual({
      type: 'urn:holdfast:problem:insufficient-stock',
      title: 'Insufficient stock',
      status: 409,
      code: 'INSUFFICIENT_STOCK',
      detail: 'Too little of i.',
      instance: '/api/v1/orders/o/confirm',
      ...details,
    });
  });

  it('say nothing of a defect', async () => {
    test.orders.answers(OrderConfirm, () => {
      throw new Error('relation "order" does not exist at db-7.internal');
    });
    const { status, body } = await test.send('PUT', '/orders/o/confirm', { token: admin });
    expect([status, body['code']]).toEqual([500, 'INTERNAL']);
    expect(JSON.stringify(body)).not.toMatch(/relation|db-7/);
  });

  it('of availability are for each pair of item and warehouse', async () => {
    test.inventory.answers(AvailabilityGet, () => ({ items: [anAvailability] }));
    const get = (query: string) => test.send('GET', `/inventory/availability?${query}`, { token: admin });
    expect((await get('itemId=a&itemId=b&warehouseId=v&warehouseId=w')).body).toEqual({ items: [anAvailability] });
    await get('itemId=a');
    expect(test.inventory.calls.map(({ request }) => request['items'])).toEqual([
      [
        { itemId: 'a', warehouseId: 'v' },
        { itemId: 'a', warehouseId: 'w' },
        { itemId: 'b', warehouseId: 'v' },
        { itemId: 'b', warehouseId: 'w' },
      ],
      [{ itemId: 'a' }],
    ]);
    const ids = (name: string, count: number) => Array.from({ length: count }, (_, at) => `${name}=${at}`).join('&');
    expect((await get(`${ids('itemId', 40)}&${ids('warehouseId', 40)}`)).status).toBe(400);
    expect((await get('itemId=a&asOf=yesterday')).status).toBe(400);
    await get('itemId=a&asOf=2026-01-01T00:00:00Z&minRemainingShelfLifeDays=7');
    expect(test.inventory.calls.at(-1)!.request).toMatchObject({ asOf: '2026-01-01T00:00:00Z', minRemainingShelfLifeDays: 7 });
  });

  it('of an item add up its warehouses, page after page', async () => {
    const rows: StockRow[] = ['v', 'w', 'x'].map((warehouseId, at) => ({
      ...aStockRow,
      itemId: 'a',
      warehouseId,
      onHand: `${at}.5`,
      reorderPoint: at === 1 ? '3' : null,
      threshold: at === 1 ? '3' : '0',
      isLowStock: at === 1,
    }));
    test.inventory.answers(ItemGet, ({ itemIds }) => ({ items: itemIds.includes('a') ? [{ ...anItem, itemId: 'a' }] : [] }));
    test.inventory.answers(StockList, ({ cursor }) =>
      cursor === undefined
        ? { items: rows.slice(0, 2), nextCursor: 'more', lowStockCount: 1 }
        : { items: rows.slice(2), nextCursor: null, lowStockCount: 1 },
    );
    expect((await test.send('GET', '/inventory/items/a/stock', { token: admin })).body).toEqual({
      itemId: 'a',
      onHand: '4.5',
      reserved: '9',
      available: '270',
      safetyStock: '15',
      reorderPoint: '3',
      threshold: '3',
      isLowStock: true,
      lowStockWarehouses: ['w'],
      warehouses: rows,
    });
    expect((await test.send('GET', '/inventory/items/b/stock', { token: admin })).body['code']).toBe('ITEM_NOT_FOUND');
    expect((await test.send('GET', '/items/b', { token: admin })).body['code']).toBe('ITEM_NOT_FOUND');
  });
});

describe('parked messages', () => {
  const parked = (service: string, at: number): ParkedMessage => ({
    messageId: `019cb5b1-0000-7000-8000-00000000000${at}`,
    service,
    routingKey: 'OrderConfirmed.acme',
    type: 'OrderConfirmed',
    reason: 'INVALID_DATA',
    detail: 'd',
    attempts: 1,
    parkedAt: '2026-03-01T10:00:00.000Z',
    body: '{}',
    bodyEncoding: 'utf8',
    bodyTruncated: false,
  });
  const page = (all: ParkedMessage[], cursor = '0', limit = 50) => {
    const from = Number(cursor);
    return { items: all.slice(from, from + limit), nextCursor: from + limit < all.length ? String(from + limit) : null };
  };

  it('are listed over all services, page after page', async () => {
    const all = {
      inventory: [0, 1, 2].map((at) => parked('inventory', at)),
      orders: [3, 4].map((at) => parked('orders', at)),
      notifications: [parked('notifications', 5)],
      reconciliation: [parked('reconciliation', 6)],
    };
    test.inventory.answers(ParkedCalls.inventory.list, ({ cursor, limit }) => page(all.inventory, cursor, limit));
    test.orders.answers(ParkedCalls.orders.list, ({ cursor, limit }) => page(all.orders, cursor, limit));
    test.notifications.answers(ParkedCalls.notifications.list, ({ cursor, limit }) => page(all.notifications, cursor, limit));
    test.reconciliation.answers(ParkedCalls.reconciliation.list, ({ cursor, limit }) => page(all.reconciliation, cursor, limit));
    for (const limit of [1, 2, 3, 4, 5, 6, 7, 8]) {
      const seen: unknown[] = [];
      let query = `?limit=${limit}`;
      for (;;) {
        const { body } = await test.send('GET', `/parked-messages${query}`, { token: admin });
        const items = body['items'] as unknown[];
        expect(items.length).toBeLessThanOrEqual(limit);
        seen.push(...items);
        if (body['nextCursor'] === null) break;
        query = `?limit=${limit}&cursor=${body['nextCursor'] as string}`;
      }
      expect([limit, seen]).toEqual([limit, [...all.inventory, ...all.orders, ...all.notifications, ...all.reconciliation]]);
    }
    expect((await test.send('GET', '/parked-messages?cursor=nowhere.1', { token: admin })).status).toBe(400);
  });

  it('are replayed and deleted by whichever service has them', async () => {
    const { messageId } = parked('orders', 3);
    const missing = () => {
      throw notFound('MESSAGE_NOT_FOUND', 'There is no such message.');
    };
    test.inventory.answers(ParkedCalls.inventory.replay, missing);
    test.inventory.answers(ParkedCalls.inventory.discard, missing);
    test.notifications.answers(ParkedCalls.notifications.replay, missing);
    test.notifications.answers(ParkedCalls.notifications.discard, missing);
    test.reconciliation.answers(ParkedCalls.reconciliation.replay, missing);
    test.reconciliation.answers(ParkedCalls.reconciliation.discard, missing);
    test.orders.answers(ParkedCalls.orders.replay, (request) => ({
      messageId: request.messageId,
      outcome: 'handled' as const,
      reason: null,
    }));
    test.orders.answers(ParkedCalls.orders.discard, missing);
    const replay = (id: string) => test.send('POST', `/parked-messages/${id}/replay`, { token: admin });
    expect(await replay(messageId)).toMatchObject({ status: 200, body: { messageId, outcome: 'handled' } });
    for (const id of [messageId, 'not-a-uuid']) {
      const answer = await test.send('DELETE', `/parked-messages/${id}`, { token: admin });
      expect(answer).toMatchObject({ status: 404, body: { code: 'MESSAGE_NOT_FOUND' } });
    }
    test.orders.answers(ParkedCalls.orders.discard, (request) => ({ messageId: request.messageId }));
    expect((await test.send('DELETE', `/parked-messages/${messageId}`, { token: admin })).status).toBe(204);
  });
});

describe('descriptions and probes', () => {
  it('need no token, and no prefix where the contract says so', async () => {
    await test.send('GET', '/orders/o', { token: admin });
    const metrics = await (await fetch(`${test.url}/metrics`)).text();
    expect(metrics).toContain('http_request_seconds_count{method="GET",route="/api/v1/orders/:orderId",status="200"}');
    for (const path of [
      '//api/openapi.json',
      '//api/asyncapi.json',
      '//api/docs',
      '//api/docs/swagger-ui-bundle.js',
      '//api/docs/swagger-ui-init.js',
      '//health/live',
      '//health/ready',
      '//metrics',
    ]) {
      expect([path, (await test.send('GET', path)).status]).toEqual([path, 200]);
    }
  });

  it('show an example of every body and every answer', async () => {
    const { body } = await test.send('GET', '//api/openapi.json');
    const document = body as unknown as OpenApi;
    for (const [path, operations] of Object.entries(document.paths)) {
      for (const [method, { responses }] of Object.entries(operations)) {
        const [status, done] = Object.entries(responses).find(([code]) => code.startsWith('2'))!;
        const example = done.content?.['application/json']?.example;
        expect([method, path, status === '204' || path.endsWith('/events') || example !== undefined]).toEqual([method, path, true]);
      }
    }
    for (const [name, { properties }] of Object.entries(document.components.schemas)) {
      for (const [field, property] of Object.entries(properties)) {
        const described = ['example', '$ref', 'allOf', 'items', 'type', 'oneOf'].some((key) => key in property);
        expect([name, field, described]).toEqual([name, field, true]);
      }
    }
    expect(document.paths['/api/v1/orders']!['post']!.parameters.map(({ name }) => name)).toEqual(['dryRun', 'Idempotency-Key']);
    expect(document.paths['/api/v1/orders']!['get']!.parameters.map(({ name }) => name)).toContain('cursor');
  });
});

interface OpenApi {
  readonly paths: Record<string, Record<string, Operation>>;
  readonly components: { schemas: Record<string, { properties: Record<string, object> }> };
}
interface Operation {
  readonly parameters: { name: string }[];
  readonly responses: Record<string, { content?: Record<string, { example?: unknown }> }>;
}

/** fetch corrects addresses before it sends them. */
function raw(method: string, url: string): Promise<{ status: number; type: string }> {
  const { origin } = new URL(test.url);
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(origin);
    httpRequest({ hostname, port, method, path: url.slice(origin.length) }, (response) => {
      response.resume();
      resolve({ status: response.statusCode!, type: response.headers['content-type'] ?? '' });
    })
      .on('error', reject)
      .end();
  });
}
