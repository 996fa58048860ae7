import { randomBytes, randomUUID } from 'node:crypto';
import { type Channel, type ChannelModel, type ConfirmChannel, connect } from 'amqplib';
import { SERVICE_NAMES } from '../apps/standalone/src/service-names.js';
import { build } from '../apps/standalone/src/test-process.js';
import { allEvents } from '#libs/contracts';
import { type BrokerUser, brokerDefinitions } from '#libs/messaging';
import { createTestDatabase, rabbitmqctl, reachesTestBroker, testBrokerUrl, type TestDatabase, testPrefix } from '#libs/testing';
import { eventually } from './support/eventually.js';
import { HttpClient } from './support/http-client.js';
import { ServiceProcess } from './support/service-process.js';

// All services run under broker users of their own, and systems of two organisations beside them, in a virtual host of this test, with
// what brokerDefinitions says they may do, as an operator would import it.

const reaches = reachesTestBroker();
const ours = testPrefix();
const users: BrokerUser[] = [
  ...SERVICE_NAMES.map((service) => ({ name: `${ours}_${service}`, password: randomUUID(), service })),
  { name: `${ours}_oms`, password: randomUUID(), orgId: 'acme' },
  { name: `${ours}_other`, password: randomUUID(), orgId: 'globex' },
];
const userOf = (what: string) => users.find(({ name }) => name === `${ours}_${what}`)!;
const OMS = userOf('oms');

function urlOf({ name, password }: BrokerUser): string {
  const url = new URL(testBrokerUrl());
  url.username = name;
  url.password = password;
  url.pathname = `/${ours}`;
  return url.href;
}

let database: TestDatabase;
const processes: ServiceProcess[] = [];
const connections = new Map<string, Promise<ChannelModel>>();

/** Where the tool does not reach the broker, that is said by the name of what is left out. */
const whereUsersCanBeMade = reaches ? describe : describe.skip;

whereUsersCanBeMade(
  `Broker users (rabbitmqctl ${reaches ? 'makes' : 'does not reach the broker of the tests, so it cannot make'} them)`,
  () => {
    beforeAll(async () => {
      build();
      const { status, stdout, stderr } = rabbitmqctl(['import_definitions'], JSON.stringify(brokerDefinitions(users, ours)));
      expect({ status, said: stdout + stderr }).toEqual({ status: 0, said: '' });
      database = await createTestDatabase(SERVICE_NAMES);
      const speaksFor = users.map((user) => [user.name, 'orgId' in user ? user.orgId : '*'] as const);
      for (const service of SERVICE_NAMES) {
        processes.push(
          ServiceProcess.begin(service, {
            NODE_ENV: 'test',
            DATABASE_URL: database.url,
            AMQP_URL: urlOf(userOf(service)),
            AMQP_USER_ORGS: JSON.stringify(Object.fromEntries(speaksFor)),
            HOLDFAST_AUTH: 'dev',
            HOLDFAST_HEALTH_PORT: '0',
            PORT: '0',
            LOG_LEVEL: 'fatal',
          }),
        );
      }
      await Promise.all(processes.map((process) => process.untilReady()));
    }, 120_000);

    afterAll(async () => {
      for (const connection of connections.values()) await (await connection).close().catch(() => {});
      for (const process of processes) process.kill();
      await Promise.all(processes.map((process) => process.ended));
      rabbitmqctl(['delete_vhost', ours]);
      for (const { name } of users) rabbitmqctl(['delete_user', name]);
      await database.drop();
    }, 60_000);

    async function channelOf(user: BrokerUser): Promise<ConfirmChannel> {
      const { name } = user;
      if (!connections.has(name)) connections.set(name, connect(urlOf(user)));
      const connection = await connections.get(name)!;
      return await connection.createConfirmChannel();
    }

    /** What the broker says when it closes the channel on which this is tried. */
    async function refusalOf(user: BrokerUser, attempt: (channel: Channel) => Promise<unknown> | boolean): Promise<string> {
      const channel = await channelOf(user);
      const refused = new Promise<string>((resolve) => channel.on('error', (error: Error) => resolve(error.message)));
      const done = async () => {
        await attempt(channel);
        await channel.waitForConfirms();
        return 'not refused';
      };
      return await Promise.race([refused, done().catch(() => refused)]);
    }

    it('lets the services do all that they do', async () => {
      const gateway = processes[SERVICE_NAMES.indexOf('gateway')]!;
      const admin = await HttpClient.signIn(gateway.url, 'acme');
      await admin.stockUp({ apple: 50, pear: 10 });
      const order = { orderId: 'o', customerId: 'c', lines: [{ itemId: 'apple', quantity: 5 }] };
      expect(await admin.send('POST', '/orders', order)).toMatchObject({ status: 201, body: { stockReserved: true } });
      expect(await admin.send('PUT', '/orders/o/confirm')).toMatchObject({ status: 200, body: { status: 'confirmed' } });
      const shipped = { shipmentId: 's', lines: [{ lineNo: 1, quantity: 5 }] };
      expect(await admin.send('POST', '/orders/o/shipments', shipped)).toMatchObject({ status: 201 });
      // More than there is needs an approval, which is asked for, decided, and comes into effect.
      expect(await admin.send('PATCH', '/settings', { allowInventoryOversell: true })).toMatchObject({ status: 200 });
      const short = { orderId: 'short', customerId: 'c', lines: [{ itemId: 'apple', quantity: 50 }] };
      expect(await admin.send('POST', '/orders', short)).toMatchObject({ status: 201, body: { status: 'pending_approval' } });
      const requests = async () => (await admin.send('GET', '/approvals?open=true')).body['items'] as { approvalRequestId: string }[];
      const [asked] = await eventually(requests);
      const boss = await HttpClient.signIn(gateway.url, 'acme', ['admin'], 'boss');
      expect(await boss.send('PUT', `/approvals/${asked!.approvalRequestId}/approve`, { reason: 'r' })).toMatchObject({ status: 200 });
      const isDecided = async () => (await admin.send('GET', '/orders/short')).body['status'] !== 'pending_approval';
      expect(await eventually(isDecided)).toBe(true);
      const { runId } = (await admin.send('POST', '/reconciliation/runs')).body;
      const hasRun = async () => (await admin.send('GET', `/reconciliation/runs/${String(runId)}`)).body['status'] === 'completed';
      expect(await eventually(hasRun)).toBe(true);
      expect(await admin.send('GET', '/notifications/channels')).toMatchObject({ status: 200 });
      // Events have left, and those who hear them have understood them.
      const waiting = SERVICE_NAMES.map((service) => `select 1 from ${service}.outbox`).join(' union all ');
      await eventually(async () => (await database.rows(waiting)).length === 0);
      expect(await database.rows(waiting)).toEqual([]);
      const heard = 'select 1 from inventory.inbox union all select 1 from orders.inbox';
      expect((await eventually(() => database.rows(heard))).length).toBeGreaterThan(0);
      const parked = SERVICE_NAMES.map((service) => `select reason from ${service}.parked_message`).join(' union all ');
      expect(await database.rows(parked)).toEqual([]);
    }, 60_000);

    it('lets an OMS say what happened in its organisation, and hear what became of it', async () => {
      const channel = await channelOf(OMS);
      const heard: { type: string; orgid: string; data: { orderId?: string } }[] = [];
      await channel.consume(`${OMS.name}.events`, (message) => heard.push(JSON.parse(message!.content.toString()) as (typeof heard)[0]), {
        noAck: true,
      });
      channel.publish('holdfast.events', 'OrderConfirmed.acme', orderConfirmed('acme', 'from-oms'));
      await eventually(() => heard.some(({ data }) => data.orderId === 'from-oms'));
      expect(heard.find(({ data }) => data.orderId === 'from-oms')).toMatchObject({ type: 'StockReserved', orgid: 'acme' });
      // What was said through the gateway before, too; and nothing of what it or others say to Holdfast.
      expect(new Set(heard.map(({ type }) => type))).toEqual(new Set(heard.map(({ type }) => type).filter(isOut)));
      expect(heard.map(({ type }) => type)).toEqual(expect.arrayContaining(['StockReceived', 'StockDepleted', 'OrderStatusChanged']));
    });

    it('lets an OMS write every type that comes from outside, for its organisation alone', async () => {
      for (const { type, direction } of allEvents()) {
        const write = (orgId: string) =>
          refusalOf(OMS, (channel) => channel.publish('holdfast.events', `${type}.${orgId}`, Buffer.from('not JSON')));
        expect([type, /ACCESS_REFUSED/.test(await write('acme'))]).toEqual([type, direction === 'out']);
        expect([type, await write('globex')]).toEqual([type, expect.stringContaining('ACCESS_REFUSED')]);
        if (direction === 'in') expect(await write('acme.globex')).toContain('ACCESS_REFUSED');
      }
    }, 60_000);

    const own = `${OMS.name}.events`;
    it.each<[string, (channel: Channel) => Promise<unknown> | boolean]>([
      ['read the queue of another system', (channel) => channel.consume(`${userOf('other').name}.events`, () => {})],
      ['read the queue of a service', (channel) => channel.get('orders.events')],
      ['read parked messages', (channel) => channel.get('holdfast.parked')],
      ['empty the queue of a service', (channel) => channel.purgeQueue('inventory.events')],
      ['put something into a queue past the exchange', (channel) => channel.publish('', 'inventory.events', Buffer.from('{}'))],
      ['hear more than it was given', (channel) => channel.bindQueue(own, 'holdfast.events', 'StockReserved.globex')],
      ['make a queue', (channel) => channel.assertQueue(`${OMS.name}.more`)],
      ['make a queue of its connection', (channel) => channel.assertQueue('', { exclusive: true })],
      ['change its queue', (channel) => channel.deleteQueue(own)],
      ['make an exchange', (channel) => channel.assertExchange(`${OMS.name}.more`, 'fanout')],
      ['bind exchanges', (channel) => channel.bindExchange('holdfast.events', 'amq.topic', '#')],
      ['speak through the exchanges of the broker', (channel) => channel.publish('amq.topic', 'OrderConfirmed.globex', Buffer.from('{}'))],
    ])('does not let an OMS %s', async (_, attempt) => {
      expect(await refusalOf(OMS, attempt)).toContain('ACCESS_REFUSED');
    });

    it('takes a call of an OMS for one of its organisation', async () => {
      const items = [{ itemId: 'apple', warehouseId: 'main' }];
      expect(await callAs(OMS, 'availability.get', { orgId: 'acme', items })).toMatchObject({ response: { items: [{ onHand: '45' }] } });
      expect(await callAs(OMS, 'availability.get', { orgId: 'globex', items })).toMatchObject({ err: { code: 'FORBIDDEN' } });
      expect(await callAs(OMS, 'settings.update', { orgId: 'acme', currency: 'USD' })).toMatchObject({ err: { code: 'FORBIDDEN' } });
      expect(await callAs(OMS, 'availability.get', { orgId: 'acme', items }, null)).toMatchObject({ err: { code: 'UNAUTHENTICATED' } });
      // The broker does not vouch for another name than the one that logged in.
      expect(await callAs(OMS, 'availability.get', { orgId: 'globex', items }, userOf('inventory').name)).toContain('PRECONDITION_FAILED');
    });

    it('lets no OMS speak as a service of ours, by event or call', async () => {
      const channel = await channelOf(OMS);
      const wanted = { lines: [{ lineNo: 1, itemId: 'apple', quantity: '1000' }] };
      const approved = { ...wanted, orderId: 'forged', approvedShortages: [{ lineNo: 1, quantity: '1000' }] };
      const asOrders = eventOf('OrderPlaced', 'acme', 'forged', approved, '/orders');
      channel.publish('holdfast.events', 'OrderPlaced.acme', asOrders);
      const named = eventOf('OrderCancelled', 'acme', 'o', { orderId: 'o' }, '/orders');
      channel.publish('holdfast.events', 'OrderCancelled.acme', named, { userId: OMS.name });
      const parked = () => database.rows("select type, reason from inventory.parked_message where reason = 'SOURCE_NOT_YOURS' order by 1");
      expect(await eventually(async () => (await parked()).length === 2)).toBe(true);
      expect(await parked()).toMatchObject([{ type: 'OrderCancelled' }, { type: 'OrderPlaced' }]);
      // Nor with the name of one of them: the broker closes the channel.
      const borrowed = (other: Channel) =>
        other.publish('holdfast.events', 'OrderPlaced.acme', asOrders, { userId: userOf('orders').name });
      expect(await refusalOf(OMS, borrowed)).toContain('PRECONDITION_FAILED');
      const forbidden = { err: { code: 'FORBIDDEN' } };
      const shortage = { orgId: 'acme', source: '/orders', ...approved, firm: false };
      expect(await callAs(OMS, 'stock.demand', shortage)).toMatchObject(forbidden);
      expect(await callAs(OMS, 'stock.demand', { orgId: 'acme', source: '/orders', orderId: 'o', lines: [] })).toMatchObject(forbidden);
      // What no outsider is offered is no outsider's to call.
      expect(await callAs(OMS, 'discrepancies.record-findings', { orgId: 'acme', runId: 'r', findings: [] })).toMatchObject(forbidden);
      expect(await database.rows("select 1 from inventory.demand where order_id = 'forged'")).toEqual([]);
    });

    it('lets a service publish its own events only, and read its own queues only', async () => {
      for (const service of SERVICE_NAMES) {
        const user = userOf(service);
        for (const { type, publisher } of allEvents().filter((event) => event.publisher !== service)) {
          const publish = (channel: Channel) => channel.publish('holdfast.events', `${type}.acme`, Buffer.from('{}'));
          expect([service, type, publisher, await refusalOf(user, publish)]).toEqual([
            ...[service, type, publisher],
            expect.stringContaining('ACCESS_REFUSED'),
          ]);
        }
        const foreign = service === 'orders' ? 'inventory' : 'orders';
        expect(await refusalOf(user, (channel) => channel.get(`${foreign}.events`))).toContain('ACCESS_REFUSED');
        expect(await refusalOf(user, (channel) => channel.get(`${foreign}.rpc`))).toContain('ACCESS_REFUSED');
        expect(await refusalOf(user, (channel) => channel.get(own))).toContain('ACCESS_REFUSED');
      }
    }, 120_000);

    /** The answer; what the broker says when it refuses. `userId` null: the caller does not name itself. */
    async function callAs(user: BrokerUser, pattern: string, data: object, userId: string | null = user.name): Promise<unknown> {
      const channel = await channelOf(user);
      const refused = new Promise((resolve) => channel.on('error', (error: Error) => resolve(error.message)));
      const answer = new Promise((resolve) => {
        void channel.consume('amq.rabbitmq.reply-to', (message) => resolve(JSON.parse(message!.content.toString())), { noAck: true });
      });
      const body = Buffer.from(JSON.stringify({ pattern, id: randomBytes(8).toString('hex'), data }));
      const options = { replyTo: 'amq.rabbitmq.reply-to', correlationId: '1', expiration: 20_000, ...(userId !== null && { userId }) };
      channel.publish('holdfast.calls', 'inventory.rpc', body, options);
      return await Promise.race([answer, refused]);
    }
  },
);

const isOut = (type: string) => allEvents().some((event) => event.type === type && event.direction === 'out');

function orderConfirmed(orgid: string, orderId: string): Buffer {
  return eventOf('OrderConfirmed', orgid, orderId, { orderId, lines: [{ lineNo: 1, itemId: 'pear', quantity: '3' }] });
}

function eventOf(type: string, orgid: string, subject: string, data: object, source = '/oms'): Buffer {
  const head = { specversion: '1.0', id: randomUUID(), source, type, time: new Date().toISOString(), subject };
  const kind = { datacontenttype: 'application/json', dataschema: `urn:holdfast:${type}:1` };
  return Buffer.from(JSON.stringify({ ...head, ...kind, orgid, data }));
}
