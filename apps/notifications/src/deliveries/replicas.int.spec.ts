import type { ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { type ChannelCreate, LowStockDetected, makeEvent, type RequestOf } from '#libs/contracts';
import { uuidv7 } from '#libs/domain';
import { InProcessDelivery } from '#libs/messaging';
import { loadConfig, type RunningService, startService } from '#libs/service';
import { createTestDatabase, Receiver, type TestDatabase } from '#libs/testing';
import { eventually } from '../../../../test/support/eventually.js';
import { notifications } from '../index.js';

// Several replicas of the service on one database.

const REPLICAS = 3;
const ORG = 'acme';
const KEY = `whsec_${Buffer.from('a key that is long enough for it').toString('base64')}`;

let database: TestDatabase;
let hook: Receiver;
let deliveries: InProcessDelivery[];
let running: RunningService[];

beforeEach(async () => {
  hook = await Receiver.open();
  database = await createTestDatabase(['notifications']);
  deliveries = Array.from({ length: REPLICAS }, () => new InProcessDelivery());
  const base = loadConfig({ NODE_ENV: 'test', HOLDFAST_WEBHOOK_ALLOW: '127.0.0.1/32', HOLDFAST_NOTIFY_RETRY_SECONDS: '0,0,0,0,0,0' });
  const config = { ...base, databaseUrl: database.url, poolSizeMax: 4 };
  running = await Promise.all(deliveries.map((delivery) => startService(notifications, { config, delivery, logger: false, port: null })));
});
afterEach(async () => {
  await Promise.all(running.map((service) => service.close()));
  await Promise.all(deliveries.map((delivery) => delivery.close()));
  await hook.close();
  await database.drop();
});

async function makeChannels(count: number): Promise<string[]> {
  const ids = Array.from({ length: count }, () => uuidv7());
  for (const [index, channelId] of ids.entries()) {
    const channel: RequestOf<typeof ChannelCreate> = { channelId, kind: 'webhook', name: 'n', target: hook.url(`/${index}`), secret: KEY };
    await database.rows(
      `with made as (
         insert into notifications.channel (org_id, channel_id, kind, name, target, enabled, secret, created_at, created_by, updated_at, updated_by)
         values ($1, $2, $3, $4, $5, true, $6, now(), 'test', now(), 'test') returning 1)
       insert into notifications.channel_queue (org_id, channel_id, not_before, failures) select $1, $2, now(), 0 from made`,
      [ORG, channelId, channel.kind, channel.name, channel.target, channel.secret],
    );
  }
  return ids;
}

function publish(to: InProcessDelivery, id: string): Promise<boolean> {
  const data = { itemId: id, warehouseId: 'w', onHand: '1', threshold: '2' };
  const event = { ...makeEvent(LowStockDetected, { source: '/i', subject: 's', orgid: ORG, time: '2026-03-01T10:00:00Z' }, data), id };
  const body = Buffer.from(JSON.stringify(event));
  return new Promise((resolve) =>
    to.publish({ id, type: event.type, routingKey: `${event.type}.${ORG}`, body }, (_, safe) => resolve(safe)),
  );
}

const rows = () =>
  database.rows<{ delivery_id: string; status: string; attempts: number }>(
    'select delivery_id, status, attempts from notifications.delivery order by delivery_id',
  );
const allSent = () => eventually(async () => (await rows()).every(({ status }) => status === 'sent'), 30_000);

it('tell each channel of each event once, one after the other, whichever of them gets the event and however often', async () => {
  await makeChannels(6);
  const underWay = new Map<string, number>();
  let overlaps = 0;
  hook.answer = ({ path }, response) => {
    const count = (underWay.get(path) ?? 0) + 1;
    underWay.set(path, count);
    if (count > 1) overlaps++;
    setTimeout(() => {
      underWay.set(path, underWay.get(path)! - 1);
      response.writeHead(204).end();
    }, 3);
  };
  const events = Array.from({ length: 40 }, (_, n) => `event-${n}`);
  // Each event reaches every replica at the same time, as after a redelivery.
  const safe = await Promise.all(events.flatMap((id) => deliveries.map((delivery) => publish(delivery, id))));
  expect(safe).not.toContain(false);
  await allSent();
  const all = await rows();
  expect([all.length, all.filter(({ attempts }) => attempts !== 1)]).toEqual([240, []]);
  const ids = hook.received.map(({ headers }) => headers['webhook-id']);
  expect([ids.length, new Set(ids).size, overlaps]).toEqual([240, 240, 0]);
}, 60_000);

it('retry what fails without sending it twice at once', async () => {
  await makeChannels(4);
  // Every second request fails; what was taken must not come again.
  const taken: unknown[] = [];
  hook.answer = ({ headers }, response) => {
    const isTaken = Math.random() < 0.5;
    if (isTaken) taken.push(headers['webhook-id']);
    response.writeHead(isTaken ? 204 : 500).end();
  };
  for (let n = 0; n < 15; n++) await publish(deliveries[n % REPLICAS]!, `event-${n}`);
  await eventually(async () => (await rows()).every(({ status }) => status !== 'waiting'), 30_000);
  expect(new Set(taken).size).toBe(taken.length);
  const all = await rows();
  expect(all.filter(({ status }) => status === 'sent').length).toBe(taken.length);
  expect(all.reduce((sum, { attempts }) => sum + attempts, 0)).toBe(hook.received.length);
}, 60_000);

it('take over a delivery whose sender is lost, and what that one then still says does not count', async () => {
  await makeChannels(1);
  const held: ServerResponse[] = [];
  hook.answer = (_, response) => void held.push(response);
  await publish(deliveries[0]!, 'event');
  await eventually(() => held.length === 1);
  // As if the lease had run out while the first replica hangs.
  await database.rows(`update notifications.channel_queue set due_at = now(), not_before = now()`);
  await database.rows(`update notifications.delivery set next_attempt_at = now()`);
  await eventually(() => held.length === 2);
  held[1]!.writeHead(204).end();
  await allSent();
  held[0]!.writeHead(500).end();
  await delay(200);
  expect(await rows()).toMatchObject([{ status: 'sent', attempts: 2 }]);
  const [first, second] = hook.received.map(({ headers }) => headers['webhook-id']);
  expect(second).toBe(first);
  // The queue is free again: the next event goes out.
  hook.answer = (_, response) => response.writeHead(204).end();
  await publish(deliveries[1]!, 'next');
  await allSent();
  expect(await rows()).toHaveLength(2);
}, 30_000);

it('finish what they have begun when they are stopped, and leave the rest to the others', async () => {
  await makeChannels(3);
  hook.answer = (_, response) => setTimeout(() => response.writeHead(204).end(), 20);
  for (let n = 0; n < 20; n++) await publish(deliveries[0]!, `event-${n}`);
  await eventually(() => hook.received.length > 3);
  await running[0]!.close();
  await running[1]!.close();
  await allSent();
  const all = await rows();
  expect([all.length, all.filter(({ attempts }) => attempts !== 1)]).toEqual([60, []]);
  expect(hook.received).toHaveLength(60);
}, 60_000);
