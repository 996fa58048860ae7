import { setTimeout as delay } from 'node:timers/promises';
import { AdjustmentPost, OrderCreate, OrderUpdate, ReceiptPost } from '#libs/contracts';
import { conflict, HoldfastError, notFound, rejected, unavailable } from '#libs/domain';
import { startTestGateway, type TestGateway } from '#libs/testing';
import { gateway } from '../index.js';
import { anOrder } from '../orders/order.examples.js';
import { aReceipt, anAdjustment } from '../stock/stock.examples.js';

let test: TestGateway;
let admin: string;
beforeAll(async () => {
  test = await startTestGateway(gateway);
  admin = await test.token('acme', 'ann', ['admin']);
});
afterAll(() => test.stop());
beforeEach(() => {
  test.orders.calls.splice(0);
  test.inventory.calls.splice(0);
  test.orders.answers(OrderCreate, ({ orderId }) => ({ ...anOrder, orderId: orderId! }));
});

const order = { customerId: 'c', lines: [{ itemId: 'i', quantity: '1' }] };
let keys = 0;
const newKey = () => `key-${keys++}`;
const post = (key: string, body: object = order, token = admin, path = '/orders') =>
  test.send('POST', path, { token, body, headers: { 'idempotency-key': key } });
const madeIds = () => test.orders.calls.map(({ request }) => request['orderId']);
const records = (key: string) =>
  test.database.rows<{ status: number | null; locked: boolean }>(
    'select status, locked_until > now() as locked from gateway.idempotency_record where key = $1',
    [key],
  );

describe('Idempotency-Key', () => {
  it('gives a repeat the answer of the first time, once done', async () => {
    const key = newKey();
    const first = await post(key);
    const repeat = await post(key);
    expect(first.status).toBe(201);
    expect(repeat).toMatchObject({ status: 201, body: first.body });
    expect([first.headers.get('idempotency-replayed'), repeat.headers.get('idempotency-replayed')]).toEqual([null, 'true']);
    for (const header of ['content-type', 'etag']) expect(repeat.headers.get(header)).toBe(first.headers.get(header));
    expect(test.orders.calls).toHaveLength(1);
  });

  it('takes the same body for the same however it is written', async () => {
    const key = newKey();
    await post(key, { customerId: 'c', lines: [{ itemId: 'i', quantity: '1' }] });
    const repeat = await post(key, { lines: [{ quantity: '1', itemId: 'i' }], customerId: 'c' });
    expect([repeat.status, test.orders.calls.length]).toEqual([201, 1]);
  });

  it('refuses another body', async () => {
    const key = newKey();
    await post(key);
    const other = await post(key, { ...order, customerId: 'd' });
    expect(other).toMatchObject({ status: 422, body: { code: 'IDEMPOTENCY_KEY_REUSED' } });
    // That refusal is not what the first one was answered.
    expect((await post(key)).status).toBe(201);
  });

  it('is one per organisation, caller, method and path', async () => {
    const key = newKey();
    test.orders.answers(OrderUpdate, () => anOrder);
    await post(key);
    await post(key, order, await test.token('acme', 'bob', ['admin']));
    await post(key, order, await test.token('globex', 'ann', ['admin']));
    for (const orderId of ['a', 'b']) {
      await test.send('PUT', `/orders/${orderId}`, { token: admin, body: { lines: order.lines }, headers: { 'idempotency-key': key } });
    }
    expect(test.orders.calls).toHaveLength(5);
  });

  it('lets one of many at the same time run, and tells the others to wait', async () => {
    const key = newKey();
    // Runs until all others have been told to wait, however long that takes.
    const { promise: othersAnswered, resolve: letGo } = Promise.withResolvers<void>();
    test.orders.answers(OrderCreate, async ({ orderId }) => {
      await othersAnswered;
      return { ...anOrder, orderId: orderId! };
    });
    let answered = 0;
    const posts = Array.from({ length: 20 }, async () => {
      const answer = await post(key);
      if (++answered === 19) letGo();
      return answer;
    });
    const answers = await Promise.all(posts);
    const [done, waiting] = [answers.filter(({ status }) => status === 201), answers.filter(({ status }) => status !== 201)];
    expect([done.length, waiting.length, test.orders.calls.length]).toEqual([1, 19, 1]);
    for (const answer of waiting) {
      expect(answer).toMatchObject({ status: 409, body: { code: 'IDEMPOTENCY_IN_PROGRESS' } });
      expect(answer.headers.get('retry-after')).toBe('1');
    }
    expect((await post(key)).body).toEqual(done[0]!.body);
  });

  it.each([
    [404, notFound('ITEM_NOT_FOUND', 'There is no item i.')],
    [409, conflict('INSUFFICIENT_STOCK', 'Too little.', { lines: [{ lineNo: 1 }], discrepancyIds: [] })],
    [422, rejected('ORDER_VALIDATION', 'No.')],
  ])('gives a repeat the same %i', async (status, error) => {
    const key = newKey();
    test.orders.answers(OrderCreate, () => {
      throw error;
    });
    const first = await post(key);
    const repeat = await post(key);
    expect(first).toMatchObject({ status, body: { code: error.code, ...error.details } });
    expect(repeat).toMatchObject({ status, body: first.body });
    expect(repeat.headers.get('content-type')).toContain('application/problem+json');
    expect(test.orders.calls).toHaveLength(1);
  });

  it('keeps nothing of what was refused for its shape or its rights, so that a corrected body is taken', async () => {
    const key = newKey();
    expect((await post(key, { ...order, lines: [] })).status).toBe(400);
    expect((await post(key)).status).toBe(201);

    const forbidden = newKey();
    const scoped = await test.token('acme', 'eve', ['admin'], ['elsewhere']);
    const body = { ...order, lines: [{ ...order.lines[0], warehouseId: 'w' }] };
    expect((await post(forbidden, body, scoped)).body['code']).toBe('WAREHOUSE_FORBIDDEN');
    expect(await records(forbidden)).toEqual([]);

    const outdated = newKey();
    test.orders.answers(OrderCreate, () => {
      throw new HoldfastError('precondition', 'VERSION_MISMATCH', 'No.');
    });
    expect((await post(outdated)).status).toBe(412);
    expect(await records(outdated)).toEqual([]);
  });

  it('lets a request without answer run again, for the same order', async () => {
    const key = newKey();
    test.orders.answers(OrderCreate, () => {
      throw unavailable('inventory does not answer.');
    });
    const first = await post(key);
    expect(first).toMatchObject({ status: 503, body: { code: 'UNAVAILABLE', orderId: madeIds()[0] } });
    expect(first.headers.get('retry-after')).toBe('1');
    test.orders.answers(OrderCreate, ({ orderId }) => ({ ...anOrder, orderId: orderId! }));
    const second = await post(key);
    expect(second).toMatchObject({ status: 201, body: { orderId: madeIds()[0] } });
    expect(madeIds()).toEqual([first.body['orderId'], first.body['orderId']]);
    // And still no other body: the first one may have had its effect.
    expect((await post(key, { ...order, customerId: 'd' })).status).toBe(422);
  });

  it('lets a repeat run what a gateway that died had begun, when its lease has ended, for the same order', async () => {
    const key = newKey();
    let hold = true;
    test.orders.answers(OrderCreate, async ({ orderId }) => {
      // As if the gateway that asked never heard of it.
      for (let waitedMs = 0; hold && waitedMs < 5_000; waitedMs += 10) await delay(10);
      return { ...anOrder, orderId: orderId! };
    });
    const lost = post(key);
    while (test.orders.calls.length === 0) await delay(10);
    expect((await post(key)).status).toBe(409);
    await test.database.rows(`update gateway.idempotency_record set locked_until = now() - interval '1 second' where key = $1`, [key]);
    const repeat = post(key);
    while (test.orders.calls.length < 2) await delay(10);
    hold = false;
    const [lateAnswer, answer] = await Promise.all([lost, repeat]);
    expect([lateAnswer.status, answer.status]).toEqual([201, 201]);
    expect(new Set(madeIds()).size).toBe(1);
    expect(await records(key)).toMatchObject([{ status: 201 }]);
  });

  it('keeps the id of whatever else is made', async () => {
    for (const [path, definition, example, body, field] of [
      [
        '/inventory/receipts',
        ReceiptPost,
        aReceipt,
        { warehouseId: 'w', lines: [{ itemId: 'i', quantity: '1', unitCost: '1' }] },
        'receiptId',
      ],
      [
        '/inventory/adjustments',
        AdjustmentPost,
        anAdjustment,
        { warehouseId: 'w', itemId: 'i', quantityDelta: 1, reason: 'r' },
        'commandId',
      ],
    ] as const) {
      const key = newKey();
      test.inventory.calls.splice(0);
      test.inventory.answers(definition, () => {
        throw unavailable('Wait.');
      });
      await post(key, body, admin, path);
      test.inventory.answers(definition, () => example as never);
      await post(key, body, admin, path);
      const ids = test.inventory.calls.map(({ request }) => request[field]);
      expect([path, ids.length, new Set(ids).size, typeof ids[0]]).toEqual([path, 2, 1, 'string']);
    }
  });

  it('records no dry run', async () => {
    const key = newKey();
    const dry = await post(key, order, admin, '/orders?dryRun=true');
    expect(dry).toMatchObject({ status: 200, body: { dryRun: true } });
    expect(await records(key)).toEqual([]);
    expect((await post(key, { ...order, customerId: 'd' })).status).toBe(201);
  });

  it('forgets after a day, and sweeps what is forgotten', async () => {
    const [old, kept] = [newKey(), newKey()];
    await post(old);
    await post(kept);
    await test.database.rows(`update gateway.idempotency_record set created_at = now() - interval '25 hours' where key = $1`, [old]);
    expect((await post(old, { ...order, customerId: 'd' })).status).toBe(201);
    await test.database.rows(`update gateway.idempotency_record set created_at = now() - interval '25 hours' where key = $1`, [old]);
    for (let i = 0; i < 3; i++) await post(newKey());
    expect([await records(old), (await records(kept)).length]).toEqual([[], 1]);
  });

  it('shows an API key to nobody who repeats', async () => {
    const key = newKey();
    const body = { name: 'shop', roles: ['service'] };
    const first = await post(key, body, admin, '/api-keys');
    const repeat = await post(key, body, admin, '/api-keys');
    expect(first.body['key']).toMatch(/^hf\.acme\./);
    expect(repeat).toMatchObject({ status: 201, body: { ...first.body, key: null } });
    const stored = await test.database.rows('select * from gateway.idempotency_record, gateway.api_key');
    expect(JSON.stringify(stored)).not.toContain(String(first.body['key']).split('.')[3]);
  });

  it('is checked itself, and means nothing elsewhere', async () => {
    for (const key of ['', ' ', 'x'.repeat(256), 'ä']) {
      const answer = await post(encodeURIComponent(key) === key ? key : 'a b', order);
      expect(answer).toMatchObject({ status: 400, body: { errors: [{ path: 'Idempotency-Key' }] } });
    }
    expect((await post('x'.repeat(255))).status).toBe(201);
    const token = await test.send('POST', '/auth/token', {
      body: { orgId: 'acme', userId: 'ann', roles: [] },
      headers: { 'idempotency-key': newKey() },
    });
    expect(token.status).toBe(200);
  });
});

describe('without a key', () => {
  it('makes an id, and tells it when there is no answer', async () => {
    test.orders.answers(OrderCreate, () => {
      throw unavailable('inventory does not answer.');
    });
    const answer = await test.send('POST', '/orders', { token: admin, body: order });
    expect(answer).toMatchObject({ status: 503, body: { orderId: madeIds()[0] } });
    expect(madeIds()[0]).toMatch(/^[0-9a-f-]{36}$/);
    await test.send('POST', '/orders', { token: admin, body: { ...order, orderId: 'mine' } });
    expect(madeIds()[1]).toBe('mine');
  });
});
