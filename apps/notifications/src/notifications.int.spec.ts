import { randomUUID } from 'node:crypto';
import {
  type Channel,
  ChannelCreate,
  ChannelDelete,
  ChannelList,
  ChannelUpdate,
  type DataOf,
  DeliveryList,
  type EventDefinition,
  LowStockDetected,
  makeEvent,
  type NotificationDelivery,
  notifiedEventTypes,
  type RequestOf,
  StockReservationFailed,
} from '#libs/contracts';
import { uuidv7 } from '#libs/domain';
import { metrics, type NotificationsConfig } from '#libs/service';
import { Mailbox, Receiver, startTestService, type TestService } from '#libs/testing';
import { eventually } from '../../../test/support/eventually.js';
import { ForgetDeliveries } from './deliveries/forget-deliveries.js';
import { notifications } from './index.js';

const KEY = `whsec_${Buffer.from('a key that is long enough for it').toString('base64')}`;
const OTHER_KEY = `whsec_${Buffer.from('another key, and as long as that').toString('base64')}`;
const BOT = '123456:ABCdefGHIjklMNOpqrSTUvwx-_1234';
const lowStock = { itemId: 'coffee', warehouseId: 'berlin', onHand: '5', threshold: '20' };

let service: TestService;
let mailbox: Mailbox;
let telegram: Receiver;
let hook: Receiver;
let orgs = 0;
let orgId: string;

const settings = (more: Partial<NotificationsConfig> = {}): { notifications: NotificationsConfig } => ({
  notifications: {
    smtpUrl: `smtp://127.0.0.1:${mailbox.port}`,
    smtpFrom: 'Holdfast <stock@holdfast.example>',
    telegramApiUrl: telegram.url('/api'),
    webhookAllow: ['127.0.0.1/32'],
    retryDelaysMs: [20, 20],
    ...more,
  },
});

beforeAll(async () => {
  [mailbox, telegram, hook] = await Promise.all([Mailbox.open(), Receiver.open(), Receiver.open()]);
  telegram.answer = (_, response) => response.setHeader('content-type', 'application/json').end('{"ok":true,"result":{"message_id":1}}');
  service = await startTestService(notifications, settings());
});
afterAll(async () => {
  await service.stop();
  await Promise.all([mailbox.close(), telegram.close(), hook.close()]);
});
beforeEach(() => {
  orgId = `org-${++orgs}`;
  hook.answer = (_, response) => response.writeHead(204).end();
  hook.received.length = mailbox.received.length = telegram.received.length = 0;
});

/** Makes a channel: a webhook to `hook`, unless it is said otherwise. */
const channel = (more: Partial<RequestOf<typeof ChannelCreate>> = {}, org = orgId, through = service): Promise<Channel> =>
  through.call(ChannelCreate, {
    orgId: org,
    channelId: uuidv7(),
    kind: 'webhook',
    name: 'Hook',
    target: hook.url('/hook'),
    ...(more.kind === undefined ? { secret: KEY } : {}),
    ...more,
  });
const change = (channelId: string, said: Omit<RequestOf<typeof ChannelUpdate>, 'channelId'>, org = orgId) =>
  service.call(ChannelUpdate, { orgId: org, channelId, ...said }, { userId: 'bob' });
const channels = async (org = orgId) => (await service.call(ChannelList, { orgId: org })).items;
const deliveries = async (query: Partial<RequestOf<typeof DeliveryList>> = {}, org = orgId): Promise<readonly NotificationDelivery[]> =>
  (await service.call(DeliveryList, { orgId: org, ...query })).items;

/** The deliveries of an organisation, newest first, once none is waiting. */
async function settled(org = orgId): Promise<readonly NotificationDelivery[]> {
  await eventually(async () => (await deliveries({}, org)).every(({ status }) => status !== 'waiting'));
  return deliveries({}, org);
}

/** Publishes an event as the service that makes it does; resolves when it is handled, with whether it is safe. */
function publish<D extends EventDefinition>(definition: D, data: DataOf<D>, id: string = randomUUID(), org = orgId): Promise<boolean> {
  const attributes = { source: '/inventory', subject: 'coffee', orgid: org, time: '2026-03-01T10:00:00Z' };
  const event = { ...makeEvent(definition, attributes, data), id };
  const body = Buffer.from(JSON.stringify(event));
  return new Promise((resolve) => {
    service.delivery.publish({ id, type: event.type, routingKey: `${event.type}.${org}`, body }, (_, safe) => resolve(safe));
  });
}
const itemLow = (itemId: string) => publish(LowStockDetected, { ...lowStock, itemId });
const bodies = () => hook.received.map(({ body }) => JSON.parse(body.toString()) as { data: { itemId: string }; deliveryId: string });

describe('an event', () => {
  it('is told by webhook, e-mail and Telegram, once on each channel', async () => {
    await channel();
    await channel({ kind: 'email', name: 'Mail', target: 'ann@example.com' });
    await channel({ kind: 'telegram', name: 'Chat', target: '-100123', secret: BOT });
    expect(await publish(LowStockDetected, lowStock, 'event-1')).toBe(true);
    const told = await settled();
    expect(
      told.map(({ kind, channelName, status, attempts, lastError }) => [kind, channelName, status, attempts, lastError]).sort(),
    ).toEqual([
      ['email', 'Mail', 'sent', 1, null],
      ['telegram', 'Chat', 'sent', 1, null],
      ['webhook', 'Hook', 'sent', 1, null],
    ]);
    expect(told[0]).toMatchObject({ eventType: 'LowStockDetected', eventId: 'event-1', subject: 'coffee', nextAttemptAt: null });
    expect(told[0]!.title).toBe('Low stock: coffee in berlin');
    expect([hook.received.length, mailbox.received.length, telegram.received.length]).toEqual([1, 1, 1]);
    expect(telegram.received[0]!.path).toBe(`/api/bot${BOT}/sendMessage`);
  });

  it('that comes again, also many times at once, is told once', async () => {
    await channel();
    await Promise.all(Array.from({ length: 20 }, () => publish(LowStockDetected, lowStock, 'same')));
    await settled();
    await publish(LowStockDetected, lowStock, 'same');
    // Long after the inbox has forgotten it.
    await service.database.rows('delete from notifications.inbox');
    expect(await publish(LowStockDetected, lowStock, 'same')).toBe(true);
    expect(await settled()).toHaveLength(1);
    expect(hook.received).toHaveLength(1);
  });

  it('goes to the channels that are for it and for one of its roles', async () => {
    const all = await channel({ name: 'all' });
    const both = await channel({ name: 'both', events: ['LowStockDetected'], roles: ['warehouse', 'sales'] });
    await channel({ name: 'another event', events: ['StockReservationFailed'] });
    await channel({ name: 'another role', roles: ['cashier'] });
    await channel({ name: 'off', enabled: false });
    await publish(LowStockDetected, lowStock);
    expect((await settled()).map(({ channelId }) => channelId).sort()).toEqual([all.channelId, both.channelId].sort());
  });

  it('that concerns nobody, or that nobody listens to, leaves nothing', async () => {
    await publish(LowStockDetected, lowStock);
    await channel();
    const refused = { orderId: 'o', reason: 'ORDER_CANCELLED' as const, lines: [], discrepancyIds: [], stock: [] };
    await publish(StockReservationFailed, refused);
    await publish(StockReservationFailed, { ...refused, reason: 'INSUFFICIENT_STOCK' });
    expect((await settled()).map(({ title }) => title)).toEqual(['Not enough stock for order o']);
  });

  it('is told to channels of its own organisation only', async () => {
    await channel({}, 'theirs');
    await channel();
    await publish(LowStockDetected, lowStock);
    await settled();
    expect([(await deliveries({}, 'theirs')).length, hook.received.length]).toEqual([0, 1]);
  });

  it('of which part cannot be stored as jsonb is told all the same', async () => {
    await channel();
    const odd = { ...lowStock, note: 'half \ud800 and nul \0' };
    expect(await publish(LowStockDetected, odd)).toBe(true);
    expect((await settled())[0]).toMatchObject({ status: 'sent' });
  });
});

describe('a delivery', () => {
  it('that fails is tried again with the same id, and then is sent', async () => {
    await channel();
    hook.answer = (_, response) => response.writeHead(hook.received.length < 3 ? 500 : 200).end();
    await publish(LowStockDetected, lowStock);
    expect(await settled()).toMatchObject([{ status: 'sent', attempts: 3, lastError: null, sentAt: expect.any(String) }]);
    expect(new Set(hook.received.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
  });

  it('that keeps failing is given up, and says why', async () => {
    await channel();
    hook.answer = (_, response) => response.writeHead(500).end();
    await publish(LowStockDetected, lowStock);
    await eventually(async () => (await deliveries())[0]!.attempts > 0);
    expect((await settled())[0]).toMatchObject({
      ...{ status: 'failed', attempts: 3, nextAttemptAt: null, sentAt: null },
      lastError: 'The receiver answered 500.',
    });
    expect(hook.received).toHaveLength(3);
    expect(await deliveries({ status: 'failed' })).toHaveLength(1);
  });

  it('that is refused for good is not tried again, and holds up nobody behind it', async () => {
    await channel({ kind: 'email', target: 'nobody@example.com' });
    mailbox.refuse = () => (mailbox.received.length === 0 ? { code: 550, message: 'No such user' } : null);
    await publish(LowStockDetected, lowStock);
    expect(await settled()).toMatchObject([{ status: 'failed', attempts: 1, lastError: 'The mail server refused it: 550 No such user' }]);
    mailbox.refuse = null;
  });

  it('says nothing of secrets, whatever a receiver answers', async () => {
    telegram.answer = (request, response) =>
      response
        .writeHead(400, { 'content-type': 'application/json' })
        .end(JSON.stringify({ ok: false, error_code: 400, description: `No chat at ${request.path}` }));
    await channel({ kind: 'telegram', target: '1', secret: BOT });
    await publish(LowStockDetected, lowStock);
    expect((await settled())[0]!.lastError).toBe('Telegram refused it: 400 No chat at /api/bot***/sendMessage');
    expect(JSON.stringify(await service.database.rows('select * from notifications.delivery'))).not.toContain(BOT);
    telegram.answer = (_, response) => response.setHeader('content-type', 'application/json').end('{"ok":true,"result":{}}');
  });

  it('is one of a page, newest first, and can be looked for', async () => {
    const first = await channel({ name: 'first' });
    await channel({ name: 'second' });
    for (let n = 0; n < 5; n++) await itemLow(`item-${n}`);
    await publish(StockReservationFailed, { orderId: 'o', reason: 'INSUFFICIENT_STOCK', lines: [], discrepancyIds: [], stock: [] });
    const all = await settled();
    expect(all).toHaveLength(12);
    expect(all.map(({ deliveryId }) => deliveryId)).toEqual(
      all
        .map(({ deliveryId }) => deliveryId)
        .toSorted()
        .toReversed(),
    );
    const seen: NotificationDelivery[] = [];
    for (let cursor: string | undefined; ;) {
      const page = await service.call(DeliveryList, { orgId, limit: 5, ...(cursor === undefined ? {} : { cursor }) });
      seen.push(...page.items);
      if (page.nextCursor === null) break;
      cursor = page.nextCursor;
    }
    expect(seen).toEqual(all);
    expect((await deliveries({ channelId: first.channelId })).length).toBe(6);
    expect((await deliveries({ eventType: 'StockReservationFailed' })).length).toBe(2);
    expect((await deliveries({ eventType: 'StockReservationFailed', channelId: first.channelId, status: 'sent' })).length).toBe(1);
    expect(await deliveries({ status: 'failed' })).toEqual([]);
  });

  it('is forgotten after 90 days, with its event', async () => {
    await channel();
    await itemLow('old');
    await itemLow('young');
    await settled();
    const days = (count: number) => new Date(Date.now() + count * 24 * 3_600_000);
    await service.database.rows(
      `update notifications.notice set created_at = created_at - interval '50 days' where org_id = $1 and title like '%old%'`,
      [orgId],
    );
    const database = await service.database.open('notifications');
    const forget = new ForgetDeliveries(database);
    await forget.run(days(39));
    expect(await deliveries()).toHaveLength(2);
    await forget.run(days(41));
    expect((await deliveries()).map(({ title }) => title)).toEqual(['Low stock: young in berlin']);
  });

  it('that is too old is given up, however often it was tried', async () => {
    await channel();
    hook.answer = (_, response) => response.writeHead(503, { 'retry-after': '3600' }).end();
    await itemLow('late');
    await eventually(async () => (await deliveries())[0]!.attempts === 1);
    await service.database.rows(
      `update notifications.delivery set created_at = now() - interval '2 hours', next_attempt_at = now() where org_id = $1`,
      [orgId],
    );
    await service.database.rows('update notifications.channel_queue set due_at = now(), not_before = now() where org_id = $1', [orgId]);
    expect(await settled()).toMatchObject([
      { status: 'failed', attempts: 1, lastError: 'The receiver answered 503. Given up, because it is too old by now.' },
    ]);
  });
});

describe('a channel', () => {
  it('gets what happened in the order in which it came', async () => {
    await channel();
    const items = Array.from({ length: 30 }, (_, n) => `item-${n}`);
    for (const item of items) await itemLow(item);
    await settled();
    expect(bodies().map(({ data }) => data.itemId)).toEqual(items);
  });

  it('that does not answer, or fails, delays no other', async () => {
    const silent = await Receiver.open();
    silent.answer = () => {};
    const failing = await Receiver.open();
    failing.answer = (_, response) => response.writeHead(500).end();
    for (let n = 0; n < 40; n++) await channel({ name: `silent ${n}`, target: silent.url(`/${n}`) });
    for (let n = 0; n < 20; n++) await channel({ name: `failing ${n}`, target: failing.url(`/${n}`) });
    for (let n = 0; n < 3; n++) await itemLow(`flood-${n}`);
    // Other organisations go on as if nothing were.
    const began = Date.now();
    const others = ['other-a', 'other-b', 'other-c'];
    for (const org of others) {
      await channel({}, org);
      await publish(LowStockDetected, lowStock, undefined, org);
    }
    for (const org of others) expect(await settled(org)).toMatchObject([{ status: 'sent' }]);
    expect(Date.now() - began).toBeLessThan(5_000);
    await Promise.all((await channels()).map(({ channelId }) => service.call(ChannelDelete, { orgId, channelId })));
    await Promise.all([silent.close(), failing.close()]);
  }, 60_000);

  it('shows all of itself but its secret', async () => {
    const made = await service.call(
      ChannelCreate,
      { orgId, channelId: uuidv7(), kind: 'webhook', name: 'Hook', target: hook.url(), roles: ['admin'], secret: KEY },
      { userId: 'ann' },
    );
    expect(made).toEqual({
      ...{ channelId: expect.any(String), kind: 'webhook', name: 'Hook', target: hook.url(), events: null, roles: ['admin'] },
      ...{ enabled: true, problem: null, createdAt: expect.any(String), createdBy: 'ann', updatedAt: made.createdAt, updatedBy: 'ann' },
    });
    const changed = await change(made.channelId, { name: 'Other', secret: OTHER_KEY });
    expect(changed).toEqual({ ...made, name: 'Other', updatedBy: 'bob', updatedAt: expect.any(String) });
    expect(await channels()).toEqual([changed]);
    await itemLow('x');
    await settled();
    const shown = JSON.stringify([made, changed, await channels(), await deliveries()]);
    for (const secret of [KEY, OTHER_KEY]) expect(shown).not.toContain(secret.slice(6, 20));
  });

  it('is made once when the same request comes again', async () => {
    const channelId = uuidv7();
    const [first, ...others] = await Promise.all(Array.from({ length: 5 }, () => channel({ channelId })));
    expect(others).toEqual(Array.from({ length: 4 }, () => first));
    expect(await channels()).toHaveLength(1);
  });

  it('is refused when it is not right, with what and why', async () => {
    const errorOf = (more: Partial<RequestOf<typeof ChannelCreate>>) => expect(channel(more)).rejects;
    await errorOf({ target: 'https://10.0.0.1/', events: ['LowStockDetected', 'OrderPlaced'], secret: 'short' }).toMatchObject({
      code: 'VALIDATION_FAILED',
      details: {
        errors: [
          { path: 'target', message: 'must be a public address; the operator may allow others (HOLDFAST_WEBHOOK_ALLOW)' },
          { path: 'secret', message: expect.stringContaining('openssl rand -base64 32') },
          { path: 'events.1', message: `must be one of ${notifiedEventTypes().join(', ')}` },
        ],
      },
    });
    await errorOf({ kind: 'email', target: 'nobody' }).toMatchObject({ details: { errors: [{ path: 'target' }] } });
    await errorOf({ kind: 'telegram', target: '1' }).toMatchObject({ details: { errors: [{ path: 'secret' }] } });
    const made = await channel({ kind: 'email', target: 'ann@example.com' });
    await expect(change(made.channelId, { secret: KEY })).rejects.toMatchObject({ code: 'VALIDATION_FAILED' });
    await expect(change(made.channelId, { target: hook.url() })).rejects.toMatchObject({ code: 'VALIDATION_FAILED' });
    expect(await channels()).toEqual([made]);
  });

  it('is one of a hundred at most', async () => {
    for (let n = 0; n < 100; n++) await channel({ kind: 'email', target: 'ann@example.com', enabled: false });
    await expect(channel()).rejects.toMatchObject({ kind: 'conflict', code: 'INVALID_STATE' });
    const page = await service.call(ChannelList, { orgId, limit: 60 });
    const rest = await service.call(ChannelList, { orgId, limit: 60, cursor: page.nextCursor! });
    expect([new Set([...page.items, ...rest.items].map(({ channelId }) => channelId)).size, rest.nextCursor]).toEqual([100, null]);
  });

  it('whose target or secret is put right gets what waits, at once', async () => {
    const wrong = await Receiver.open();
    wrong.answer = (_, response) => response.writeHead(503, { 'retry-after': '3600' }).end();
    const { channelId } = await channel({ target: wrong.url() });
    for (const item of ['a', 'b', 'c']) await itemLow(item);
    await eventually(() => wrong.received.length === 1);
    await eventually(async () => (await deliveries()).some(({ lastError }) => lastError !== null));
    await change(channelId, { target: hook.url(), secret: OTHER_KEY });
    expect((await settled()).map(({ status }) => status)).toEqual(['sent', 'sent', 'sent']);
    expect(
      bodies()
        .map(({ data }) => data.itemId)
        .sort(),
    ).toEqual(['a', 'b', 'c']);
    expect(wrong.received).toHaveLength(1);
    await wrong.close();
  });

  it('that is switched off or deleted gets nothing more, and what waited says why', async () => {
    hook.answer = (_, response) => response.writeHead(503, { 'retry-after': '3600' }).end();
    const [off, gone] = [await channel({ name: 'off' }), await channel({ name: 'gone' })];
    await itemLow('a');
    await eventually(async () => (await deliveries()).every(({ lastError }) => lastError !== null));
    expect(await change(off.channelId, { enabled: false })).toMatchObject({ enabled: false, problem: 'The channel is switched off.' });
    await service.call(ChannelDelete, { orgId, channelId: gone.channelId });
    hook.received.length = 0;
    await itemLow('b');
    expect((await settled()).map(({ channelName, status, lastError }) => [channelName, status, lastError]).sort()).toEqual([
      ['gone', 'failed', 'The channel was deleted.'],
      ['off', 'failed', 'The channel was switched off.'],
    ]);
    expect(await channels()).toHaveLength(1);
    expect(await service.database.rows('select 1 from notifications.channel_queue where channel_id = $1', [gone.channelId])).toEqual([]);
    hook.answer = (_, response) => response.writeHead(204).end();
    await change(off.channelId, { enabled: true });
    await itemLow('c');
    await settled();
    expect(bodies().map(({ data }) => data.itemId)).toEqual(['c']);
  });

  it('that goes while events come leaves nothing that waits for it for ever', async () => {
    for (let round = 0; round < 25; round++) {
      const { channelId } = await channel();
      const coming = Array.from({ length: 4 }, (_, n) => itemLow(`${round}-${n}`));
      const going = round % 2 === 0 ? service.call(ChannelDelete, { orgId, channelId }) : change(channelId, { enabled: false });
      await Promise.all([...coming, going]);
      if (round % 2 === 1) await service.call(ChannelDelete, { orgId, channelId });
    }
    await eventually(async () => (await deliveries({ status: 'waiting' })).length === 0, 5_000);
    expect(await deliveries({ status: 'waiting' })).toEqual([]);
  }, 60_000);

  it('that is another organisation’s is not there', async () => {
    const { channelId } = await channel();
    const missing = { kind: 'not_found', code: 'NOT_FOUND' };
    await expect(change(channelId, { name: 'mine' }, 'theirs')).rejects.toMatchObject(missing);
    await expect(service.call(ChannelDelete, { orgId: 'theirs', channelId })).rejects.toMatchObject(missing);
    // The same id in both is two channels.
    await channel({ channelId, name: 'mine' }, 'theirs');
    await service.call(ChannelDelete, { orgId: 'theirs', channelId });
    await expect(service.call(ChannelDelete, { orgId: 'theirs', channelId })).rejects.toMatchObject(missing);
    expect(await channels()).toMatchObject([{ channelId, name: 'Hook' }]);
  });
});

describe('without a mail server', () => {
  it('e-mail channels say why nothing is sent, and so do their deliveries', async () => {
    const bare = await startTestService(notifications, settings({ smtpUrl: null, smtpFrom: null, retryDelaysMs: [] }));
    const problem = 'No e-mail is sent, because the operator has not set SMTP_URL and SMTP_FROM.';
    const made = await channel({ kind: 'email', target: 'ann@example.com' }, orgId, bare);
    expect(made.problem).toBe(problem);
    const event = makeEvent(LowStockDetected, { source: '/i', subject: 's', orgid: orgId, time: '2026-03-01T10:00:00Z' }, lowStock);
    const body = Buffer.from(JSON.stringify(event));
    bare.delivery.publish({ id: event.id, type: event.type, routingKey: `${event.type}.${orgId}`, body }, () => {});
    const list = () => bare.call(DeliveryList, { orgId });
    await eventually(async () => (await list()).items.some(({ status }) => status === 'failed'));
    expect((await list()).items).toMatchObject([{ status: 'failed', attempts: 1, lastError: problem }]);
    await bare.stop();
  });
});

describe('metrics', () => {
  it('count attempts by kind and result, and say how long the due ones wait', async () => {
    const count = async (result: string) => {
      const { values } = await metrics.notificationDeliveries.get();
      return values.find(({ labels }) => labels.kind === 'webhook' && labels.result === result)?.value ?? 0;
    };
    const before = await Promise.all([count('sent'), count('retried'), count('failed')]);
    await channel();
    hook.answer = (_, response) => response.writeHead(hook.received.length < 2 ? 500 : 200).end();
    await itemLow('a');
    await settled();
    hook.answer = (_, response) => response.writeHead(410).end();
    await itemLow('b');
    await settled();
    const after = await Promise.all([count('sent'), count('retried'), count('failed')]);
    expect(after.map((value, index) => value - before[index]!)).toEqual([1, 1, 1]);
  });
});

describe('rights', () => {
  it('of the service reach one organisation, and change nothing that is over', async () => {
    await channel();
    await itemLow('a');
    await settled();
    const database = await service.database.open('notifications');
    const tables = ['channel', 'channel_queue', 'notice', 'delivery'];
    for (const table of tables) {
      const seen = async (org: string) => (await database.transaction([org], (tx) => tx.rows(`select 1 from ${table}`))).length;
      expect([table, await seen(orgId), await seen('nobody')]).toEqual([table, 1, 0]);
    }
    const refused = (text: string) => expect(database.transaction([orgId], (tx) => tx.execute(text))).rejects.toThrow(/permission denied/);
    await refused('delete from delivery');
    await refused('delete from notice');
    await refused(`update notice set title = 'x'`);
  });
});
