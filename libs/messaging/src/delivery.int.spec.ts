import { setTimeout as delay } from 'node:timers/promises';
import { signActorToken } from '#libs/auth';
import { ParkedCalls, routingKey } from '#libs/contracts';
import { conflict, HoldfastError } from '#libs/domain';
import { createTestDatabase, testBrokerUrl, testPrefix, type TestDatabase } from '#libs/testing';
import { InProcessDelivery, RabbitDelivery, RetryLater, type Delivery, type MessageContext } from './index.js';
import {
  AdminOnly,
  Echo,
  eventually,
  Ignored,
  makePing,
  Noted,
  Pinged,
  range,
  removeTopology,
  TEST_MIGRATIONS,
  TestService,
  type Behaviour,
  type Ping,
} from './test-service.js';

/** The two ways to deliver. In process all services share one; with a broker each has its own. */
const ways = {
  'in process': async () => {
    const delivery = new InProcessDelivery();
    return { open: async () => delivery, closeAll: () => delivery.close() };
  },
  'through RabbitMQ': async () => {
    const prefix = testPrefix();
    const opened: RabbitDelivery[] = [];
    return {
      open: async () => {
        const delivery = await RabbitDelivery.open({ url: testBrokerUrl(), name: prefix, prefix });
        opened.push(delivery);
        return delivery;
      },
      closeAll: async () => {
        await Promise.all(opened.map((delivery) => delivery.close()));
        await removeTopology(testBrokerUrl(), opened[0]!.topology);
      },
    };
  },
};

describe.each(Object.entries(ways))('Delivery %s', (_way, prepare) => {
  let database: TestDatabase;
  let way: Awaited<ReturnType<typeof prepare>>;
  let inventory: TestService;
  let orders: TestService;
  let deliveryOfOrders: Delivery;
  /** What the services do; each test sets its own. */
  const does: { inventory: Behaviour; orders: Behaviour } = { inventory: {}, orders: {} };
  const acting = (service: 'inventory' | 'orders'): Behaviour => ({
    event: async (event, context) => does[service].event?.(event, context),
    call: async (request, context) => (await does[service].call?.(request, context)) ?? { text: request.text },
  });

  beforeAll(async () => {
    database = await createTestDatabase(['inventory', 'orders', 'gateway'], { directories: TEST_MIGRATIONS });
    way = await prepare();
    inventory = await TestService.start(database.url, acting('inventory'), { service: 'inventory', delivery: await way.open() });
    deliveryOfOrders = await way.open();
    orders = await TestService.start(database.url, acting('orders'), { service: 'orders', delivery: deliveryOfOrders });
  });

  beforeEach(async () => {
    does.inventory = {};
    does.orders = {};
    await database.rows('truncate inventory.effect, inventory.parked_message, orders.effect, orders.parked_message');
  });

  afterAll(async () => {
    await Promise.all([inventory, orders].map((service) => service.close()));
    await way.closeAll();
    await database.drop();
  });

  const outboxRows = () => database.rows('select id from orders.outbox');
  const outboxEmpties = () => eventually(async () => (await outboxRows()).length === 0);
  const parkedIn = async (service: TestService, orgId = 'acme') => (await service.parked.list(orgId, {})).items;
  const publish = (body: string | Buffer, key = 'TestPinged.acme') =>
    new Promise<boolean>((resolve) => {
      const event = { id: crypto.randomUUID(), type: key.split('.')[0]!, routingKey: key, body: Buffer.from(body) };
      deliveryOfOrders.publish(event, (_id, safe) => resolve(safe));
    });

  it('hands a committed event to its subscriber, with what belongs to it, and deletes it from the outbox', async () => {
    const seen: [Ping, MessageContext][] = [];
    does.inventory.event = async (event, context) => void seen.push([event, context]);
    // Longer than a page of the database, and with characters of several bytes before another event in the same block.
    const large = makePing(2, Pinged, 'acme', '☃'.repeat(400));
    const ping = makePing(1, Pinged, 'acme', 'naïve 🎁');
    await orders.emit(large, ping);
    expect(await eventually(() => seen.length === 2)).toBe(true);
    expect(seen.map(([event]) => event)).toEqual(expect.arrayContaining([large, ping]));
    expect(seen.find(([event]) => event.id === ping.id)).toEqual([
      ping,
      {
        orgId: 'acme',
        actor: { userId: 'alice', orgId: 'acme', roles: ['service'], warehouses: null },
        messageId: ping.id,
        attempt: 1,
        lastAttempt: false,
        traceparent: ping.traceparent,
      },
    ]);
    expect(await eventually(async () => (await inventory.effects()).length === 2)).toBe(true);
    expect(await outboxEmpties()).toBe(true);
  });

  it('publishes nothing of a transaction that is rolled back', async () => {
    const failed = orders.database.transaction(['acme'], async (tx) => {
      await orders.outbox.append(tx, [makePing(1)]);
      throw new Error('no');
    });
    await expect(failed).rejects.toThrow('no');
    await orders.emit(makePing(2));
    expect(await eventually(() => inventory.effects())).toEqual([2]);
    await delay(100);
    expect(await inventory.effects()).toEqual([2]);
  });

  it('delivers hundreds at once, each with one effect, in whatever order they come', async () => {
    const pings = range(600).map((n) => makePing(n));
    for (let at = 0; at < pings.length; at += 100) await orders.emit(...pings.slice(at, at + 100));
    expect(await eventually(async () => (await inventory.effects()).length === 600)).toBe(true);
    expect(await inventory.effects()).toEqual(range(600));
    expect(await outboxEmpties()).toBe(true);
  });

  it('gives an event that comes several times, also at the same time, one effect', async () => {
    const ping = makePing(7);
    const copies = range(20).map(() => publish(JSON.stringify(ping), routingKey(ping)));
    expect(await Promise.all(copies)).toEqual(range(20).map(() => true));
    await eventually(async () => (await inventory.effects()).length > 0);
    await delay(200);
    expect(await inventory.effects()).toEqual([7]);
  });

  it('hands an event to every subscriber; one that fails delays no other', async () => {
    does.orders.event = () => Promise.reject(new RetryLater('not yet'));
    await orders.emit(makePing(1, Noted));
    expect(await eventually(async () => (await inventory.effects()).length, 500)).toBe(1);
    expect(await orders.effects()).toEqual([]);
    does.orders = {};
    expect(await eventually(async () => (await orders.effects()).length)).toBe(1);
    expect(await inventory.effects()).toEqual([1]);
    expect(await outboxEmpties()).toBe(true);
  });

  it('tries again with growing delay, tells which attempt is the last, and lets the others pass', async () => {
    const attempts: { atMs: number; attempt: number; last: boolean }[] = [];
    does.inventory.event = async ({ data }, { attempt, lastAttempt }) => {
      if (data.n !== 1) return;
      attempts.push({ atMs: Date.now(), attempt, last: lastAttempt });
      if (!lastAttempt) throw new RetryLater('its order has not come yet');
    };
    await orders.emit(makePing(1), makePing(2));
    expect(await eventually(async () => (await inventory.effects()).length === 1)).toBe(true);
    expect(await inventory.effects()).toEqual([2]);
    expect(await eventually(async () => (await inventory.effects()).length === 2)).toBe(true);
    expect(attempts.map(({ attempt, last }) => [attempt, last])).toEqual([
      [1, false],
      [2, false],
      [3, false],
      [4, true],
    ]);
    const waits = attempts.slice(1).map(({ atMs }, index) => atMs - attempts[index]!.atMs);
    [100, 200, 400].forEach((ms, index) => expect(waits[index]).toBeGreaterThanOrEqual(ms - 5));
    expect(await parkedIn(inventory)).toEqual([]);
  });

  it('parks what fails beyond the retries, with the number of attempts', async () => {
    does.inventory.event = () => Promise.reject(new Error('a defect'));
    const ping = makePing(1);
    await orders.emit(ping);
    const [parked] = await eventually(() => parkedIn(inventory));
    expect(parked).toMatchObject({
      service: 'inventory',
      routingKey: 'TestPinged.acme',
      type: 'TestPinged',
      reason: 'INTERNAL',
      detail: 'a defect',
      attempts: 4,
    });
    expect(JSON.parse(parked!.body)).toEqual(ping);
    expect(await outboxEmpties()).toBe(true);
  });

  it('parks at once what will never succeed, and goes on', async () => {
    does.inventory.event = async ({ data }) => {
      if (data.n === 1) throw conflict('ALREADY_EXISTS', 'It exists with other content.');
    };
    await orders.emit(makePing(1), makePing(2));
    expect(await eventually(() => inventory.effects().then((effects) => effects.length))).toBe(1);
    const [parked] = await eventually(() => parkedIn(inventory));
    expect(parked).toMatchObject({ reason: 'ALREADY_EXISTS', attempts: 1 });
  });

  it.each([
    ['MALFORMED_JSON', '{"specversion": '],
    ['MALFORMED_JSON', Buffer.from([0x7b, 0xff, 0x00, 0x7d])],
    ['INVALID_ENVELOPE', JSON.stringify({ ...makePing(1), time: 'yesterday' })],
    ['INVALID_ENVELOPE', JSON.stringify({ ...makePing(1), id: 'with\u0000control' })],
    ['UNKNOWN_TYPE', JSON.stringify({ ...makePing(1), type: 'TestUnheardOf' })],
    ['INVALID_DATA', JSON.stringify({ ...makePing(1), data: { n: 1e300 } })],
    ['INVALID_DATA', JSON.stringify({ ...makePing(1), data: { n: 1, note: 'lone \ud800 surrogate' } })],
    ['ROUTING_KEY_MISMATCH', JSON.stringify(makePing(1, undefined, 'other'))],
  ])('parks what is no event (%s) byte by byte, and goes on', async (reason, body) => {
    expect(await publish(body)).toBe(true);
    expect(await publish(JSON.stringify(makePing(2)))).toBe(true);
    expect(await eventually(async () => (await inventory.effects()).length)).toBe(1);
    const [parked] = await eventually(() => parkedIn(inventory));
    expect(parked).toMatchObject({ reason, attempts: 1 });
    expect(Buffer.from(parked!.body, parked!.bodyEncoding)).toEqual(Buffer.from(body));
    expect(await inventory.effects()).toEqual([2]);
  });

  describe('parked messages', () => {
    const admin = () => signActorToken({ userId: 'root', orgId: 'acme', roles: ['admin'], warehouses: null });
    const { list, replay, discard } = ParkedCalls.inventory;

    it('are replayed into the same handling, once it can succeed', async () => {
      does.inventory.event = () => Promise.reject(conflict('NOT_NOW', 'Not now.'));
      await orders.emit(makePing(5));
      await eventually(async () => (await parkedIn(inventory)).length > 0);
      const actor = await admin();
      const [parked] = (await orders.rpc.call(list, { orgId: 'acme' }, { actor })).items;
      const request = { orgId: 'acme', messageId: parked!.messageId };
      expect(await orders.rpc.call(replay, request, { actor })).toEqual({
        messageId: parked!.messageId,
        outcome: 'parked',
        reason: 'NOT_NOW',
      });
      expect((await parkedIn(inventory))[0]).toMatchObject({ messageId: parked!.messageId, attempts: 2 });
      does.inventory = {};
      expect(await orders.rpc.call(replay, request, { actor })).toEqual({ messageId: parked!.messageId, outcome: 'handled', reason: null });
      expect(await inventory.effects()).toEqual([5]);
      expect(await parkedIn(inventory)).toEqual([]);
      await expect(orders.rpc.call(replay, request, { actor })).rejects.toMatchObject({ code: 'MESSAGE_NOT_FOUND' });
    });

    it('can be discarded, by an administrator of their organisation only', async () => {
      expect(await publish('nonsense', 'TestPinged.acme')).toBe(true);
      const [parked] = await eventually(() => parkedIn(inventory));
      expect(await parkedIn(inventory, 'other')).toEqual([]);
      const request = { orgId: 'acme', messageId: parked!.messageId };
      await expect(orders.rpc.call(discard, request)).rejects.toMatchObject({ kind: 'forbidden' });
      const stranger = await signActorToken({ userId: 'eve', orgId: 'other', roles: ['admin'], warehouses: null });
      await expect(orders.rpc.call(discard, { ...request, orgId: 'other' }, { actor: stranger })).rejects.toMatchObject({
        kind: 'not_found',
      });
      await orders.rpc.call(discard, request, { actor: await admin() });
      expect(await parkedIn(inventory)).toEqual([]);
    });
  });

  it('keeps a message in hand while the database cannot work, and counts no attempt', async () => {
    const attempts: number[] = [];
    does.inventory.event = async (_event, { attempt }) => {
      attempts.push(attempt);
      if (attempts.length === 1) throw Object.assign(new Error('shutting down'), { code: '57P01' });
    };
    await orders.emit(makePing(1));
    expect(await eventually(async () => (await inventory.effects()).length)).toBe(1);
    expect(attempts).toEqual([1, 1]);
  });

  it('publishes what a crash left in the outbox', async () => {
    // What the test before has said may still be there, and is older by its id.
    expect(await outboxEmpties()).toBe(true);
    const left = range(700).map((n) => makePing(n));
    const values = left.map((event) => [event.id, JSON.stringify(event)]);
    await database.rows(
      `insert into orders.outbox (id, event, created_at)
       select id::uuid, convert_to(event, 'UTF8'), now() - interval '1 minute' from unnest($1::text[], $2::text[]) e (id, event)`,
      [values.map(([id]) => id), values.map(([, event]) => event)],
    );
    expect(await orders.relay.lagSeconds()).toBeGreaterThan(50);
    expect(await eventually(async () => (await inventory.effects()).length === 700)).toBe(true);
    expect(await outboxEmpties()).toBe(true);
    expect(await orders.relay.lagSeconds()).toBe(0);
  });

  it('counts an event as published that nobody inside waits for', async () => {
    await orders.emit(makePing(1, Ignored));
    expect(await outboxEmpties()).toBe(true);
  });

  it('answers calls with what the handler answers, as JSON would have it', async () => {
    const seen: MessageContext[] = [];
    does.inventory.call = async ({ orgId, text, ...more }, context) => {
      seen.push(context);
      return { text: `${orgId} ${text} ${JSON.stringify(more)}`, at: new Date(0), nothing: undefined } as { text: string };
    };
    const actor = await signActorToken({ userId: 'bob', orgId: 'acme', roles: ['admin'], warehouses: ['main'] });
    const traceparent = `00-${'3'.repeat(32)}-${'4'.repeat(16)}-01`;
    const answer = await orders.rpc.call(Echo, { orgId: 'acme', text: 'hello' }, { actor, traceparent });
    expect(answer).toEqual({ text: 'acme hello {}', at: '1970-01-01T00:00:00.000Z' });
    expect(seen).toMatchObject([{ orgId: 'acme', actor: { userId: 'bob', warehouses: ['main'] }, traceparent, attempt: 1 }]);
    expect(seen[0]!.deadlineMs! - Date.now()).toBeGreaterThan(3_000);
  });

  it.each([
    ['what the handler throws', { text: 'conflict' }, undefined, { kind: 'conflict', code: 'INSUFFICIENT_STOCK', details: { short: '1' } }],
    [
      'a defect without its inside',
      { text: 'defect' },
      undefined,
      { kind: 'bug', code: 'INTERNAL', message: 'Something went wrong on our side.' },
    ],
    [
      'a broken request',
      { text: 5 as unknown as string },
      undefined,
      { kind: 'invalid', details: { errors: [{ path: 'text', message: 'must be string' }] } },
    ],
    ['a bad token', { text: 'x' }, 'not-a-token', { kind: 'unauthenticated' }],
  ])('answers a call with %s', async (_what, { text }, actor, expected) => {
    does.inventory.call = async () => {
      throw text === 'conflict' ? conflict('INSUFFICIENT_STOCK', 'Too little.', { short: '1' }) : new TypeError('secret of the house');
    };
    const error = await orders.rpc.call(Echo, { orgId: 'acme', text }, { actor }).catch((error: unknown) => error);
    expect(error).toBeInstanceOf(HoldfastError);
    expect(error).toMatchObject(expected);
  });

  it('refuses calls that the actor may not make, and patterns that nobody answers', async () => {
    await expect(orders.rpc.call(AdminOnly, { orgId: 'acme' })).rejects.toMatchObject({ kind: 'forbidden' });
    const unheardOf = { ...Echo, pattern: 'test.unheard-of' };
    await expect(orders.rpc.call(unheardOf, { orgId: 'acme', text: '' })).rejects.toMatchObject({ code: 'UNKNOWN_PATTERN' });
    await expect(orders.rpc.call(Echo, { orgId: 'a.b', text: '' })).rejects.toMatchObject({ kind: 'invalid' });
  });

  it("lets Nest's guards and interceptors take part", async () => {
    const actor = (orgId: string) => signActorToken({ userId: 'root', orgId, roles: ['admin'], warehouses: null });
    const passed = await orders.rpc.call(AdminOnly, { orgId: 'acme' }, { actor: await actor('acme') });
    expect(passed).toEqual({ passed: ['handler', 'interceptor'] });
    const refused = orders.rpc.call(AdminOnly, { orgId: 'sunday' }, { actor: await actor('sunday') });
    await expect(refused).rejects.toMatchObject({ code: 'SUNDAY' });
  });

  it('tells in time when there is no answer', async () => {
    does.inventory.call = () => delay(500, { text: 'late' });
    const startedMs = Date.now();
    await expect(orders.rpc.call(Echo, { orgId: 'acme', text: '' }, { timeoutMs: 100 })).rejects.toMatchObject({ kind: 'unavailable' });
    expect(Date.now() - startedMs).toBeLessThan(400);
    await delay(500);
  });

  it('drains: what is under way is finished and acknowledged, the rest comes to the next process', async () => {
    let begun = 0;
    does.inventory.event = async () => {
      begun++;
      await delay(300);
    };
    await orders.emit(...range(5).map((n) => makePing(n)));
    await eventually(() => begun === 5);
    await inventory.close();
    expect((await database.rows('select n from inventory.effect')).length).toBe(5);
    does.inventory = {};
    await orders.emit(makePing(9));
    await delay(100);
    inventory = await TestService.start(database.url, acting('inventory'), { service: 'inventory', delivery: await way.open() });
    expect(await eventually(async () => (await inventory.effects()).length === 6)).toBe(true);
    await delay(100);
    expect(await inventory.effects()).toEqual([0, 1, 2, 3, 4, 9]);
    expect(begun).toBe(5);
    expect(await outboxEmpties()).toBe(true);
  });

  it('shows live events to a process while it runs, and waits for nobody', async () => {
    const seen: number[] = [];
    const live = async (event: Ping) => {
      seen.push(event.data.n);
      if (event.data.n === 1) throw new Error('its screen is gone');
    };
    const gateway = await TestService.start(database.url, { live }, { service: 'gateway', delivery: await way.open() });
    await orders.emit(makePing(1, Noted), makePing(2, Noted));
    expect(await eventually(() => seen.length === 2)).toBe(true);
    await gateway.close();
    await orders.emit(makePing(3, Noted));
    expect(await eventually(async () => (await inventory.effects()).length === 3)).toBe(true);
    expect(await outboxEmpties()).toBe(true);
    expect(seen.sort()).toEqual([1, 2]);
  });
});
