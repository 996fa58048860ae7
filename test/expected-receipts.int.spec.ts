import { addDays, dayOf } from '#libs/domain';
import { eventually } from './support/eventually.js';
import { type HttpAnswer, HttpClient } from './support/http-client.js';
import { OneProcess } from './support/one-process.js';

// What a shop sees over HTTP of goods that are to come.

let holdfast: OneProcess;
let admin: HttpClient;
let orgId: string;
let orgs = 0;
let day: (offset: number) => string;

beforeAll(async () => {
  holdfast = await OneProcess.start(['inventory', 'orders', 'gateway']);
}, 30_000);

afterAll(() => holdfast.stop());

const signIn = (roles: readonly string[]) => HttpClient.signIn(holdfast.url, orgId, roles);

beforeEach(async () => {
  orgId = `org-${++orgs}`;
  const today = dayOf(new Date(), 'UTC');
  day = (offset) => addDays(today, offset);
  admin = await signIn(['admin']);
  await admin.stockUp({ coffee: 2 });
});

async function done(answer: Promise<HttpAnswer>): Promise<Record<string, unknown>> {
  const { status, body } = await answer;
  expect([200, 201]).toContain(status);
  return body;
}
const expecting = (quantity: number, offset: number, more: object = {}) =>
  done(
    admin.send('POST', '/inventory/expected-receipts', {
      ...{ warehouseId: 'main', itemId: 'coffee', quantity, expectedOn: day(offset) },
      ...more,
    }),
  );
const order = (orderId: string, quantity: number, more: object = {}) =>
  admin.send('POST', '/orders', { orderId, customerId: 'c', lines: [{ itemId: 'coffee', quantity }], ...more });
const daysOf = async (orderId: string) => {
  const { estimatedShipDate, estimatedDeliveryDate } = await done(admin.send('GET', `/orders/${orderId}`));
  return [estimatedShipDate, estimatedDeliveryDate];
};

it('announces goods once for one key, and shows, changes and cancels them', async () => {
  const body = { warehouseId: 'main', itemId: 'coffee', quantity: 5, expectedOn: day(3), reference: 'PO 7' };
  const warehouse = await signIn(['warehouse']);
  const post = () => warehouse.send('POST', '/inventory/expected-receipts', body, { 'idempotency-key': 'key' });
  const [first, second] = [await post(), await post()];
  expect(first).toMatchObject({ status: 201, body: { status: 'open', quantity: '5', openQuantity: '5', reference: 'PO 7' } });
  expect(second).toEqual(first);
  const path = `/inventory/expected-receipts/${String(first.body['expectedReceiptId'])}`;
  expect(await done(warehouse.send('GET', '/inventory/expected-receipts?itemId=coffee&status=open'))).toEqual({
    items: [first.body],
    nextCursor: null,
  });
  expect(await done(warehouse.send('PATCH', path, { quantity: '4.5' }))).toMatchObject({ quantity: '4.5', expectedOn: day(3) });
  expect(await done(warehouse.send('DELETE', `${path}?dryRun=true`))).toMatchObject({ status: 'cancelled', dryRun: true });
  expect(await done(warehouse.send('DELETE', path))).toMatchObject({ status: 'cancelled', openQuantity: '0' });
  expect(await warehouse.send('PATCH', path, { quantity: 9 })).toMatchObject({ status: 409, body: { code: 'INVALID_STATE' } });
  expect(await warehouse.send('GET', '/inventory/expected-receipts/none')).toMatchObject({ status: 404, body: { code: 'NOT_FOUND' } });
  const wrong = { ...body, expectedOn: '2026-02-30', quantity: 0 };
  expect(await warehouse.send('POST', '/inventory/expected-receipts', wrong)).toMatchObject({
    status: 400,
    body: { errors: [{ path: 'quantity' }, { path: 'expectedOn' }] },
  });
});

it('projects stock, and says in a refusal from which day on there is enough', async () => {
  await expecting(5, 3);
  const { days } = await done(admin.send('GET', '/inventory/availability/projection?itemId=coffee&warehouseId=main&days=4'));
  expect(days).toEqual([
    { date: day(0), projected: '2', available: '2' },
    { date: day(1), projected: '2', available: '2' },
    { date: day(2), projected: '2', available: '2' },
    { date: day(3), projected: '7', available: '7' },
  ]);
  expect(await order('o', 6)).toMatchObject({
    status: 409,
    body: {
      code: 'INSUFFICIENT_STOCK',
      alternatives: [{ lineNo: 1, kind: 'later', itemId: 'coffee', warehouseId: 'main', available: '7', date: day(3) }],
    },
  });
  expect(await order('o', 8)).toMatchObject({ status: 409, body: { alternatives: [] } });
});

it('tells when an order will leave and arrive, as far as it is known', async () => {
  await done(admin.send('PATCH', '/settings', { deliveryLeadDays: 2 }));
  expect(await done(order('held', 1))).toMatchObject({ estimatedShipDate: day(0), estimatedDeliveryDate: day(2) });
  expect(await done(order('waits', 5, { reservationMode: 'partial' }))).toMatchObject({
    status: 'created',
    stockReserved: false,
    estimatedShipDate: null,
    estimatedDeliveryDate: null,
  });
  const { expectedReceiptId } = await expecting(4, 3);
  expect(await daysOf('waits')).toEqual([day(3), day(5)]);
  expect(await done(order('behind', 1, { reservationMode: 'partial' }))).toMatchObject({ estimatedShipDate: null });
  await done(admin.send('PATCH', `/inventory/expected-receipts/${String(expectedReceiptId)}`, { quantity: 6, expectedOn: day(7) }));
  expect(await daysOf('waits')).toEqual([day(7), day(9)]);
  expect(await daysOf('behind')).toEqual([day(7), day(9)]);
  expect(await done(admin.send('PUT', '/orders/waits/confirm'))).toMatchObject({ status: 'confirmed', estimatedShipDate: day(7) });
  const { items } = await done(admin.send('GET', '/orders'));
  expect((items as { orderId: string; estimatedShipDate: string }[]).map((each) => [each.orderId, each.estimatedShipDate])).toEqual([
    ['behind', day(7)],
    ['waits', day(7)],
    ['held', day(0)],
  ]);
  await done(admin.send('DELETE', `/inventory/expected-receipts/${String(expectedReceiptId)}`));
  expect(await daysOf('waits')).toEqual([null, null]);
  expect(await daysOf('held')).toEqual([day(0), day(2)]);
});

it('serves who waits when the goods come, and counts them off what was expected', async () => {
  await done(order('waits', 5, { reservationMode: 'partial' }));
  const { expectedReceiptId } = await expecting(10, 3);
  expect(await daysOf('waits')).toEqual([day(3), day(3)]);
  const receive = (receiptId: string, quantity: number, itemId = 'coffee') =>
    admin.send('POST', '/inventory/receipts', {
      ...{ receiptId, warehouseId: 'main' },
      lines: [{ itemId, quantity, unitCost: 1, expectedReceiptId }],
    });
  await done(receive('r1', 4));
  // Its hold is told to the order by event.
  expect(await eventually(async () => (await daysOf('waits'))[0] === day(0))).toBe(true);
  const path = `/inventory/expected-receipts/${String(expectedReceiptId)}`;
  expect(await done(admin.send('GET', path))).toMatchObject({ status: 'open', receivedQuantity: '4', openQuantity: '6' });
  const { days } = await done(admin.send('GET', '/inventory/availability/projection?itemId=coffee&warehouseId=main&days=4'));
  expect((days as { available: string }[]).map(({ available }) => available)).toEqual(['1', '1', '1', '7']);
  await done(admin.send('POST', '/items', { itemId: 'tea', name: 'Tea' }));
  expect(await receive('r2', 6, 'tea')).toMatchObject({ status: 422, body: { code: 'STOCK_VALIDATION' } });
  await done(receive('r3', 6));
  expect(await done(admin.send('GET', path))).toMatchObject({ status: 'received', openQuantity: '0' });
});

it('begins days where the organisation is', async () => {
  await done(admin.send('PATCH', '/settings', { timezone: 'Pacific/Kiritimati' }));
  const there = dayOf(new Date(), 'Pacific/Kiritimati');
  const { days } = await done(admin.send('GET', '/inventory/availability/projection?itemId=coffee&warehouseId=main&days=1'));
  expect(days).toEqual([{ date: there, projected: '2', available: '2' }]);
  expect(await done(order('o', 1))).toMatchObject({ estimatedShipDate: there });
  expect(await admin.send('PATCH', '/settings', { timezone: 'Kiritimati' })).toMatchObject({
    status: 400,
    body: { errors: [{ path: 'timezone' }] },
  });
});
