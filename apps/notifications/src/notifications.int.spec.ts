import {
  type Channel,
  ChannelCreate,
  type DataOf,
  DeliveryList,
  type EventDefinition,
  LowStockDetected,
  makeEvent,
  type NotificationDelivery,
  type RequestOf,
} from '#libs/contracts';
import { uuidv7 } from '#libs/domain';
import { loadConfig } from '#libs/service';
import { Mailbox, Receiver, startTestService, type TestService } from '#libs/testing';
import { eventually } from '../../../test/support/eventually.js';
import { notifications } from './index.js';

const SIGNING_KEY = `whsec_${Buffer.from('a key that is long enough for it').toString('base64')}`;
const BOT = '123456:ABCdefGHIjklMNOpqrSTUvwx-_1234';

let service: TestService;
let mailbox: Mailbox;
let telegram: Receiver;
let hook: Receiver;

beforeAll(async () => {
  [mailbox, telegram, hook] = await Promise.all([Mailbox.open(), Receiver.open(), Receiver.open()]);
  telegram.answer = (_request, response) =>
    response.writeHead(200, { 'content-type': 'application/json' }).end('{"ok":true,"result":{"message_id":1}}');
  service = await startTestService(notifications, {
    notifications: {
      ...loadConfig({}).notifications,
      smtpUrl: `smtp://127.0.0.1:${mailbox.port}`,
      smtpFrom: 'Holdfast <stock@holdfast.example>',
      telegramApiUrl: telegram.url(''),
      webhookAllow: ['127.0.0.1/32'],
      retryDelaysMs: [50, 50, 50],
    },
  });
});
afterAll(async () => {
  await service.stop();
  await Promise.all([mailbox.close(), telegram.close(), hook.close()]);
});

const channel = (orgId: string, more: Partial<RequestOf<typeof ChannelCreate>>): Promise<Channel> =>
  service.call(ChannelCreate, {
    orgId,
    channelId: uuidv7(),
    kind: 'webhook',
    name: 'Hook',
    target: hook.url('/hook'),
    ...(more.kind === undefined || more.kind === 'webhook' ? { secret: SIGNING_KEY } : {}),
    ...more,
  });

/** Publishes an event as another service would, to who is subscribed to it. */
function publish<D extends EventDefinition>(definition: D, orgId: string, data: DataOf<D>, id?: string): Promise<boolean> {
  const event = makeEvent(definition, { source: '/inventory', subject: 'coffee', orgid: orgId, time: '2026-03-01T10:00:00Z' }, data);
  const body = Buffer.from(JSON.stringify(id === undefined ? event : { ...event, id }));
  return new Promise((resolve) =>
    service.delivery.publish({ id: event.id, type: event.type, routingKey: `${event.type}.${orgId}`, body }, (_id, safe) => resolve(safe)),
  );
}

const lowStock = { itemId: 'coffee', warehouseId: 'berlin', onHand: '5', threshold: '20' };

const deliveries = async (orgId: string, query: Partial<RequestOf<typeof DeliveryList>> = {}): Promise<readonly NotificationDelivery[]> =>
  (await service.call(DeliveryList, { orgId, ...query })).items;

/** The deliveries of an organisation, once none is waiting. */
const settled = async (orgId: string): Promise<readonly NotificationDelivery[]> => {
  await eventually(async () => (await deliveries(orgId)).every(({ status }) => status !== 'waiting'));
  return deliveries(orgId);
};

describe('an event', () => {
  it('is told by webhook, e-mail and Telegram', async () => {
    await channel('all', { name: 'Hook' });
    await channel('all', { kind: 'email', name: 'Mail', target: 'ann@example.com' });
    await channel('all', { kind: 'telegram', name: 'Chat', target: '-100123', secret: BOT });
    expect(await publish(LowStockDetected, 'all', lowStock)).toBe(true);
    const told = await settled('all');
    expect(
      told.map(({ channelName, kind, status, attempts, lastError }) => [channelName, kind, status, attempts, lastError]).sort(),
    ).toEqual([
      ['Chat', 'telegram', 'sent', 1, null],
      ['Hook', 'webhook', 'sent', 1, null],
      ['Mail', 'email', 'sent', 1, null],
    ]);
  });
});
