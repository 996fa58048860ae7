import { createServer, type AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { ClientProxyFactory, Transport } from '@nestjs/microservices';
import { connect, type Channel, type ChannelModel, type GetMessage } from 'amqplib';
import { firstValueFrom } from 'rxjs';
import { signActorToken } from '#libs/auth';
import { ParkedCalls, routingKey } from '#libs/contracts';
import { conflict } from '#libs/domain';
import { createTestDatabase, testBrokerUrl, testPrefix, type TestDatabase } from '#libs/testing';
import { BrokerProxy } from './broker-proxy.js';

import { RabbitDelivery, type RabbitDeliveryOptions } from './rabbit-delivery.js';
import { RetryLater, type MessageContext } from './handlers.js';
import {
  Echo,
  eventually,
  makePing,
  Noted,
  range,
  removeTopology,
  TEST_MIGRATIONS,
  TestService,
  type Behaviour,
  type EchoRequest,
} from './test-service.js';

/** What only a broker has: lost connections, blocking, queues that others see, and clients that know nothing of us. */
describe('RabbitDelivery', () => {
  let database: TestDatabase;
  let proxy: BrokerProxy;
  let prefix: string;
  let outsider: ChannelModel;
  let oms: Channel;
  const cleanUp: (() => Promise<unknown>)[] = [];

  beforeAll(async () => {
    database = await createTestDatabase(['inventory', 'orders'], { directories: TEST_MIGRATIONS });
    outsider = await connect(testBrokerUrl());
    oms = await outsider.createChannel();
  });

  beforeEach(async () => {
    prefix = testPrefix();
    proxy = await BrokerProxy.start(testBrokerUrl());
    await database.rows(
      'truncate inventory.effect, inventory.parked_message, inventory.outbox, orders.effect, orders.parked_message, orders.outbox',
    );
  });

  afterEach(async () => {
    proxy.resume();
    for (const undo of cleanUp.splice(0).reverse()) await undo();
    await proxy.stop();
  });

  afterAll(async () => {
    await outsider.close();
    await database.drop();
  });

  async function open(options: Partial<RabbitDeliveryOptions> = {}): Promise<RabbitDelivery> {
    const delivery = await RabbitDelivery.open({ url: proxy.url, name: prefix, prefix, ...options });
    cleanUp.push(async () => {
      await delivery.close();
      await removeTopology(testBrokerUrl(), delivery.topology);
    });
    return delivery;
  }

  async function start(
    service: 'inventory' | 'orders',
    behaviour: Behaviour,
    delivery: RabbitDelivery,
    prefetch?: number,
  ): Promise<TestService> {
    const running = await TestService.start(database.url, behaviour, { service, delivery, ...(prefetch && { prefetch }) });
    cleanUp.push(() => running.close());
    return running;
  }

  const effectsReach = (service: TestService, count: number) => eventually(async () => (await service.effects()).length === count);
  const outboxEmpties = () => eventually(async () => (await database.rows('select id from orders.outbox')).length === 0);

  it.each([
    ['is cut', () => proxy.cut()],
    ['is closed by the broker', () => proxy.closeConnections()],
  ])('goes on when the connection %s: what was under way comes again and has one effect', async (_how, lose) => {
    const gate = Promise.withResolvers<void>();
    let begun = 0;
    const event = async () => {
      begun++;
      await gate.promise;
    };
    const delivery = await open();
    const inventory = await start('inventory', { event }, delivery);
    const orders = await start('orders', {}, await open());
    await orders.emit(...range(3).map((n) => makePing(n)));
    expect(await eventually(() => begun === 3)).toBe(true);
    lose();
    expect(await eventually(() => delivery.status().state === 'connecting')).toBe(true);
    // Their acknowledgements belong to a channel that is gone.
    gate.resolve();
    expect(await eventually(() => begun === 6)).toBe(true);
    await orders.emit(makePing(3));
    expect(await effectsReach(inventory, 4)).toBe(true);
    expect(await inventory.effects()).toEqual(range(4));
    expect(await outboxEmpties()).toBe(true);
    expect(await eventually(() => delivery.status().state === 'connected')).toBe(true);
  });

  it('publishes what was committed while the broker was away', async () => {
    const inventory = await start('inventory', {}, await open({ url: testBrokerUrl() }));
    const orders = await start('orders', {}, await open());
    await proxy.stop();
    await orders.emit(...range(50).map((n) => makePing(n)));
    await delay(200);
    expect((await database.rows('select id from orders.outbox')).length).toBe(50);
    proxy = await proxy.restart();
    expect(await effectsReach(inventory, 50)).toBe(true);
    expect(await outboxEmpties()).toBe(true);
  });

  it('pauses while the broker says that it is blocked, reports it, and goes on', async () => {
    const inventory = await start('inventory', {}, await open({ url: testBrokerUrl() }));
    const delivery = await open();
    const orders = await start('orders', {}, delivery);
    proxy.block('low on disk');
    expect(await eventually(() => delivery.status().blocked)).toBe('low on disk');
    await orders.emit(makePing(1));
    await expect(orders.rpc.call(Echo, { orgId: 'acme', text: '' })).rejects.toMatchObject({ kind: 'unavailable' });
    await delay(200);
    expect(await inventory.effects()).toEqual([]);
    proxy.unblock();
    expect(await effectsReach(inventory, 1)).toBe(true);
    expect(await outboxEmpties()).toBe(true);
    expect(delivery.status()).toMatchObject({ state: 'connected', blocked: null });
  });

  it('gives up a connection on which messages are not confirmed, and sends them again on the next', async () => {
    const inventory = await start('inventory', {}, await open({ url: testBrokerUrl() }));
    const delivery = await open({ confirmTimeoutMs: 300 });
    const orders = await start('orders', {}, delivery);
    proxy.fallSilent();
    await orders.emit(makePing(1));
    expect(await eventually(() => delivery.status().lastError, 3_000)).toContain('was not confirmed within 300 ms');
    proxy.resume();
    expect(await outboxEmpties()).toBe(true);
    expect(await inventory.effects()).toEqual([1]);
  });

  it('says in time what is wrong with a broker that does not answer, or is not there', async () => {
    const mute = createServer((socket) => socket.resume());
    await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve));
    const { port } = mute.address() as AddressInfo;
    const opening = RabbitDelivery.open({ url: `amqp://127.0.0.1:${port}`, name: prefix, prefix, connectTimeoutMs: 300 });
    await expect(opening).rejects.toThrow(`RabbitMQ at 127.0.0.1:${port} could not be used`);
    await new Promise((resolve) => mute.close(resolve));
    const refused = RabbitDelivery.open({ url: `amqp://127.0.0.1:${port}`, name: prefix, prefix, connectTimeoutMs: 300 });
    await expect(refused).rejects.toThrow('ECONNREFUSED');
    proxy.fallSilent();
    const silent = RabbitDelivery.open({ url: proxy.url, name: prefix, prefix, connectTimeoutMs: 300 });
    await expect(silent).rejects.toThrow('could not be used');
  });

  it('is not caught by a broker that falls silent after the handshake', async () => {
    const inventory = await start('inventory', {}, await open({ url: testBrokerUrl() }));
    const delivery = await open({ connectTimeoutMs: 300 });
    const orders = await start('orders', {}, delivery);
    proxy.fallSilentWhenOpen();
    proxy.cut();
    expect(await eventually(() => (delivery.status().lastError ?? '').includes('Channel ended'))).toBe(true);
    proxy.resume();
    await orders.emit(makePing(1));
    expect(await effectsReach(inventory, 1)).toBe(true);
    expect(await eventually(() => delivery.status().state === 'connected')).toBe(true);
  });

  it('consumes again when its queue was deleted', async () => {
    const delivery = await open();
    const inventory = await start('inventory', {}, delivery);
    const orders = await start('orders', {}, await open());
    await oms.deleteQueue(delivery.topology.eventsQueue('inventory'));
    expect(await eventually(() => delivery.status().state === 'connecting')).toBe(true);
    expect(await eventually(() => delivery.status().state === 'connected')).toBe(true);
    await orders.emit(makePing(1));
    expect(await effectsReach(inventory, 1)).toBe(true);
  });

  it('keeps an event that a service inside must have until that service has a queue', async () => {
    const orders = await start('orders', {}, await open());
    await orders.emit(makePing(1));
    await delay(300);
    expect((await database.rows('select id from orders.outbox')).length).toBe(1);
    const inventory = await start('inventory', {}, await open());
    expect(await effectsReach(inventory, 1)).toBe(true);
    expect(await outboxEmpties()).toBe(true);
  });

  it('has no more under way than the prefetch', async () => {
    const gate = Promise.withResolvers<void>();
    let begun = 0;
    const event = async () => {
      begun++;
      await gate.promise;
    };
    const inventory = await start('inventory', { event }, await open(), 5);
    const orders = await start('orders', {}, await open());
    await orders.emit(...range(30).map((n) => makePing(n)));
    await outboxEmpties();
    await delay(200);
    expect(begun).toBe(5);
    gate.resolve();
    expect(await effectsReach(inventory, 30)).toBe(true);
  });

  it('does not let one slow message keep others from coming', async () => {
    const gate = Promise.withResolvers<void>();
    const event = async ({ data }: { data: { n: number } }) => (data.n === 0 ? await gate.promise : undefined);
    const inventory = await start('inventory', { event }, await open(), 10);
    const orders = await start('orders', {}, await open());
    await orders.emit(...range(60).map((n) => makePing(n)));
    expect(await effectsReach(inventory, 59)).toBe(true);
    gate.resolve();
    expect(await effectsReach(inventory, 60)).toBe(true);
  });

  it('keeps retries on the broker, so that they survive the process', async () => {
    const attempts: number[] = [];
    const delivery = await open();
    const first = await TestService.start(
      database.url,
      { event: () => Promise.reject(new RetryLater('not yet')) },
      { service: 'inventory', delivery },
    );
    const orders = await start('orders', {}, await open());
    await orders.emit(makePing(1));
    expect(await eventually(async () => (await oms.checkQueue(delivery.topology.retryQueue('inventory', 100))).messageCount === 1)).toBe(
      true,
    );
    await first.close();
    const event = async (_event: unknown, { attempt }: MessageContext) => void attempts.push(attempt);
    const second = await start('inventory', { event }, await open());
    expect(await effectsReach(second, 1)).toBe(true);
    expect(attempts).toEqual([2]);
  });

  it('copies what it parks to the parked queue, with the reason, and acknowledges only then', async () => {
    const delivery = await open();
    const inventory = await start('inventory', { event: () => Promise.reject(conflict('NOT_NOW', 'Not now.')) }, delivery);
    const ping = makePing(1);
    oms.publish(delivery.topology.eventsExchange, routingKey(ping), Buffer.from(JSON.stringify(ping)), {
      contentType: 'application/cloudevents+json',
      headers: { 'x-own': 'kept' },
    });
    const copy = await eventually(() => oms.get(delivery.topology.parkedQueue, { noAck: true }));
    const { content, properties } = copy as GetMessage;
    expect(JSON.parse(content.toString())).toEqual(ping);
    expect(properties.headers).toMatchObject({
      'x-parked-reason': 'NOT_NOW',
      'x-parked-by': 'inventory',
      'x-attempts': 1,
      'x-own': 'kept',
    });
    expect((await inventory.parked.list('acme', {})).items).toMatchObject([{ reason: 'NOT_NOW' }]);
    expect(await eventually(async () => (await oms.checkQueue(delivery.topology.eventsQueue('inventory'))).messageCount === 0)).toBe(true);
  });

  it('keeps a message that cannot be parked yet', async () => {
    const [role] = await database.rows<{ name: string }>(
      `select grantee as name from information_schema.role_table_grants where table_schema = 'inventory' and table_name = 'parked_message' and privilege_type = 'INSERT' and grantee like '%messaging'`,
    );
    const delivery = await open();
    await start('inventory', {}, delivery);
    await database.rows(`revoke insert on inventory.parked_message from "${role!.name}"`);
    oms.publish(delivery.topology.eventsExchange, 'TestPinged.acme', Buffer.from('nonsense'));
    await delay(300);
    expect(await oms.get(delivery.topology.parkedQueue, { noAck: true })).toBe(false);
    await database.rows(`grant insert on inventory.parked_message to "${role!.name}"`);
    expect(await eventually(() => oms.get(delivery.topology.parkedQueue, { noAck: true }))).toMatchObject({
      content: Buffer.from('nonsense'),
    });
  });

  it('believes its own headers only where an outsider cannot write', async () => {
    const attempts: number[] = [];
    const delivery = await open();
    const inventory = await start('inventory', { event: async (_event, { attempt }) => void attempts.push(attempt) }, delivery);
    const victim = makePing(1, undefined, 'victim');
    const headers = { 'x-routing-key': 'TestPinged.victim', 'x-attempts': 50 };
    oms.publish(delivery.topology.eventsExchange, 'TestPinged.acme', Buffer.from(JSON.stringify(victim)), { headers });
    oms.publish(delivery.topology.eventsExchange, 'TestPinged.acme', Buffer.from(JSON.stringify(makePing(2))), { headers });
    expect(await eventually(() => inventory.parked.list('acme', {}).then(({ items }) => items))).toMatchObject([
      { reason: 'ROUTING_KEY_MISMATCH', attempts: 1 },
    ]);
    expect(await effectsReach(inventory, 1)).toBe(true);
    expect(attempts).toEqual([1]);
    expect((await inventory.parked.list('victim', {})).items).toEqual([]);
  });

  it('takes what says that it is ours only from our own users, also when it comes again', async () => {
    const user = decodeURIComponent(new URL(testBrokerUrl()).username);
    const delivery = await open();
    const attempts: number[] = [];
    const event = async (_event: unknown, { attempt }: MessageContext) => {
      attempts.push(attempt);
      if (attempt === 1) throw new RetryLater('not yet');
      if (attempt === 2) throw conflict('NOT_NOW', 'Not now.');
    };
    const inventory = await TestService.start(
      database.url,
      { event },
      { service: 'inventory', delivery, brokerUserOrgs: { [user]: '*', oms: 'acme' } },
    );
    cleanUp.push(() => inventory.close());
    const orders = await start('orders', {}, await open());
    const parked = async () => (await inventory.parked.list('acme', {})).items;

    const forged = Buffer.from(JSON.stringify({ ...makePing(1), source: '/orders' }));
    // Nobody vouches for it, whatever its headers say.
    oms.publish(delivery.topology.eventsExchange, 'TestPinged.acme', forged, { headers: { 'x-broker-user': user } });
    const [refused] = await eventually(parked);
    expect(refused).toMatchObject({ reason: 'SOURCE_NOT_YOURS', type: 'TestPinged' });
    const actor = await signActorToken({ userId: 'ann', orgId: 'acme', roles: ['admin'], warehouses: null });
    const { replay, discard } = ParkedCalls.inventory;
    const ask = { orgId: 'acme', messageId: refused!.messageId };
    expect(await orders.rpc.call(replay, ask, { actor })).toMatchObject({ outcome: 'parked', reason: 'SOURCE_NOT_YOURS' });
    await orders.rpc.call(discard, ask, { actor });

    await orders.emit({ ...makePing(2), source: '/orders' });
    const [failed] = await eventually(parked);
    expect(failed).toMatchObject({ reason: 'NOT_NOW', attempts: 2 });
    expect(await orders.rpc.call(replay, { orgId: 'acme', messageId: failed!.messageId }, { actor })).toMatchObject({ outcome: 'handled' });
    expect([attempts, await inventory.effects()]).toEqual([[1, 2, 3], [2]]);
  });

  it('tells an upgraded service apart from an unknown event: what it does not handle yet comes again', async () => {
    const delivery = await open();
    await start('orders', {}, delivery);
    const queue = delivery.topology.eventsQueue('orders');
    await oms.bindQueue(queue, delivery.topology.eventsExchange, 'TestPinged.*');
    const ping = makePing(1);
    oms.publish(delivery.topology.eventsExchange, routingKey(ping), Buffer.from(JSON.stringify(ping)));
    const retried = delivery.topology.retryQueue('orders', 100);
    expect(await eventually(async () => (await oms.checkQueue(retried)).messageCount === 1)).toBe(true);
    expect(await eventually(() => oms.get(delivery.topology.parkedQueue, { noAck: true }))).toMatchObject({
      properties: { headers: { 'x-parked-reason': 'NOT_HANDLED', 'x-attempts': 4 } },
    });
  });

  describe('calls', () => {
    let delivery: RabbitDelivery;
    let seen: EchoRequest[];
    let queue: string;
    beforeEach(async () => {
      seen = [];
      delivery = await open();
      queue = delivery.topology.rpcQueue('inventory');
    });
    const call = async (request: EchoRequest) => {
      seen.push(request);
      return { text: request.text.toUpperCase() };
    };

    it('are answered to any AMQP client', async () => {
      await start('inventory', { call }, delivery);
      const { queue: replyTo } = await oms.assertQueue('', { exclusive: true });
      const ask = async (content: string) => {
        oms.sendToQueue(queue, Buffer.from(content), { replyTo, correlationId: 'c-1' });
        const { content: answer, properties } = (await eventually(() => oms.get(replyTo, { noAck: true }))) as GetMessage;
        expect(properties.correlationId).toBe('c-1');
        return JSON.parse(answer.toString()) as unknown;
      };
      expect(await ask('{"pattern": "test.echo", "id": "7", "data": {"orgId": "acme", "text": "hi"}}')).toEqual({
        id: '7',
        response: { text: 'HI' },
        isDisposed: true,
      });
      expect(await ask('{"pattern": "test.unheard-of", "id": "8", "data": {"orgId": "acme"}}')).toMatchObject({
        id: '8',
        err: { code: 'UNKNOWN_PATTERN', kind: 'not_found' },
        isDisposed: true,
      });
      expect(await ask('{"pattern": ')).toMatchObject({ err: { code: 'MALFORMED_REQUEST' } });
      expect(await ask('[]')).toMatchObject({ err: { code: 'MALFORMED_REQUEST' } });
      expect(await eventually(async () => (await oms.checkQueue(queue)).messageCount === 0)).toBe(true);
    });

    it("are answered to NestJS's own client", async () => {
      await start('inventory', { call }, delivery);
      const client = ClientProxyFactory.create({ transport: Transport.RMQ, options: { urls: [testBrokerUrl()], queue, noAssert: true } });
      cleanUp.push(async () => {
        await client.close();
      });
      expect(await firstValueFrom(client.send('test.echo', { orgId: 'acme', text: 'hi' }))).toEqual({ text: 'HI' });
      await expect(firstValueFrom(client.send('test.echo', { orgId: 'acme' }))).rejects.toMatchObject({ code: 'VALIDATION_FAILED' });
    });

    it('are not executed when nobody waits any more', async () => {
      const orders = await start('orders', {}, await open());
      const before = await TestService.start(database.url, { call }, { service: 'inventory', delivery });
      await before.close();
      const late = orders.rpc.call(Echo, { orgId: 'acme', text: 'late' }, { timeoutMs: 100 });
      await expect(late).rejects.toMatchObject({ kind: 'unavailable' });
      const inventory = await start('inventory', { call }, await open());
      expect(await orders.rpc.call(Echo, { orgId: 'acme', text: 'now' })).toEqual({ text: 'NOW' });
      expect(seen.map(({ text }) => text)).toEqual(['now']);
      expect(inventory).toBeDefined();
    });

    it('fail at once when there is no queue for them, or the connection is lost', async () => {
      const orders = await start('orders', {}, delivery);
      const startedMs = Date.now();
      await expect(orders.rpc.call(Echo, { orgId: 'acme', text: '' })).rejects.toThrow('Nobody answers');
      await start('inventory', { call: () => delay(2_000, { text: '' }) }, await open({ url: testBrokerUrl() }));
      const pending = orders.rpc.call(Echo, { orgId: 'acme', text: '' });
      await delay(100);
      proxy.cut();
      await expect(pending).rejects.toMatchObject({ kind: 'unavailable' });
      expect(Date.now() - startedMs).toBeLessThan(2_000);
    });
  });

  it('publishes to every subscriber of an event', async () => {
    const inventory = await start('inventory', {}, await open());
    const orders = await start('orders', {}, await open());
    await orders.emit(makePing(1, Noted));
    expect(await effectsReach(inventory, 1)).toBe(true);
    expect(await effectsReach(orders, 1)).toBe(true);
  });
});
