import { signActorToken } from '#libs/auth';
import { Receiver } from '#libs/testing';
import { parkedMessages } from '../support/check-stock.js';
import { eventually } from '../support/eventually.js';
import { Installation } from '../support/installation.js';
import type { Outsider } from '../support/outsider.js';

// Notifications as processes of their own over RabbitMQ, killed at the moments that matter: no event is lost, and only what was under way
// when a process died comes a second time, with the same id.

const ORG = 'acme';
const CHANNEL = '019cb5b1-0000-7000-8000-000000000006';
const KEY = `whsec_${Buffer.from('a key that is long enough for it').toString('base64')}`;
const ENV = { HOLDFAST_WEBHOOK_ALLOW: '127.0.0.1/32', HOLDFAST_NOTIFY_RETRY_SECONDS: '0,0,0,0,0' };

let installation: Installation;
let outsider: Outsider;
let hook: Receiver;

beforeEach(async () => {
  hook = await Receiver.open();
  installation = await Installation.make(['notifications']);
  outsider = await installation.outsider();
}, 60_000);
afterEach(async () => {
  await installation.remove();
  await hook.close();
}, 60_000);

async function makeChannel(): Promise<void> {
  const actor = await signActorToken({ userId: 'tester', orgId: ORG, roles: ['admin'], warehouses: null });
  const channel = { channelId: CHANNEL, kind: 'webhook', name: 'Hook', target: hook.url(), secret: KEY };
  const { err } = await outsider.call('notifications', 'notification-channels.create', { ...channel, orgId: ORG, actor }, 20_000);
  expect(err).toBeUndefined();
}

const itemLow = (id: string) =>
  outsider.publish({ id, type: 'LowStockDetected', orgId: ORG, data: { itemId: id, warehouseId: 'w', onHand: '1', threshold: '2' } });

const rows = () =>
  installation.database.rows<{ event_id: string; status: string; attempts: number }>(
    `select n.event_id, d.status, d.attempts from notifications.delivery d join notifications.notice n using (org_id, notice_id) order by 1`,
  );

/** As if the lease of whatever a dead process had under way had run out. */
async function leasesEnd(): Promise<void> {
  await installation.database.rows(`update notifications.delivery set next_attempt_at = now() where status = 'waiting'`);
  await installation.database.rows('update notifications.channel_queue set due_at = now(), not_before = now()');
}

const idsReceived = () => hook.received.map(({ headers }) => headers['webhook-id'] as string);

it('sends again, with the same id, what was sent and not recorded when the process died', async () => {
  const mortal = await installation.start('notifications', { ...ENV, HOLDFAST_CRASH_AT: 'notifications:after-send:3' });
  await makeChannel();
  for (let n = 0; n < 6; n++) await itemLow(`event-${n}`);
  expect(await mortal.ended).toBe('SIGKILL');
  expect(hook.received).toHaveLength(3);
  expect((await rows()).filter(({ status }) => status === 'sent')).toHaveLength(2);

  await installation.start('notifications', ENV);
  await leasesEnd();
  await eventually(async () => (await rows()).length === 6 && (await rows()).every(({ status }) => status === 'sent'));
  const ids = idsReceived();
  const twice = [...new Set(ids)].filter((id) => ids.indexOf(id) !== ids.lastIndexOf(id));
  expect([ids.length, new Set(ids).size, twice.length]).toEqual([7, 6, 1]);
  expect((await rows()).map(({ attempts }) => attempts).sort()).toEqual([1, 1, 1, 1, 1, 2]);
  expect(await parkedMessages(installation.database, 'notifications')).toEqual([]);
}, 90_000);

it('records an event once that comes again because the process died before it could say that it has it', async () => {
  // The first message is the call that makes the channel.
  const mortal = await installation.start('notifications', { ...ENV, HOLDFAST_CRASH_AT: 'notifications:before-ack:2' });
  await makeChannel();
  for (let n = 0; n < 4; n++) await itemLow(`event-${n}`);
  expect(await mortal.ended).toBe('SIGKILL');

  await installation.start('notifications', ENV);
  await eventually(async () => (await rows()).length === 4);
  await leasesEnd();
  await eventually(async () => (await rows()).every(({ status }) => status === 'sent'));
  expect((await rows()).map(({ event_id }) => event_id)).toEqual(['event-0', 'event-1', 'event-2', 'event-3']);
  expect(new Set(idsReceived()).size).toBe(4);
}, 90_000);

it('lets two processes share the work, while one is killed again and again', async () => {
  const lasting = await installation.start('notifications', ENV);
  await makeChannel();
  for (let round = 0; round < 3; round++) {
    // Not waited for: with what an earlier round left it may die before it is ready.
    const mortal = installation.begin('notifications', { ...ENV, HOLDFAST_CRASH_AT: 'notifications:after-send:2' });
    await Promise.race([mortal.ended, mortal.untilReady().catch(() => {})]);
    for (let n = 0; n < 10; n++) await itemLow(`event-${round}-${n}`);
    // It may be that the other one has done it all.
    await Promise.race([mortal.ended, eventually(async () => (await rows()).every(({ status }) => status === 'sent'), 3_000)]);
    mortal.kill();
    await mortal.ended;
    await leasesEnd();
  }
  await eventually(async () => (await rows()).length === 30 && (await rows()).every(({ status }) => status === 'sent'));
  const all = await rows();
  expect([all.length, all.filter(({ status }) => status !== 'sent')]).toEqual([30, []]);
  expect(new Set(idsReceived()).size).toBe(30);
  expect(hook.received.length).toBeLessThanOrEqual(30 + 3);
  await lasting.stop();
}, 120_000);
