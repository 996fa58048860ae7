import { HttpClient } from './support/http-client.js';
import { OneProcess } from './support/one-process.js';

// What a finance department sees over HTTP of what the stock cost.

let holdfast: OneProcess;
let orgId: string;
let orgs = 0;
let admin: HttpClient;
let finance: HttpClient;

beforeAll(async () => {
  holdfast = await OneProcess.start(['inventory', 'orders', 'gateway']);
}, 30_000);

afterAll(() => holdfast.stop());

const signIn = (roles: readonly string[]) => HttpClient.signIn(holdfast.url, orgId, roles);
/** Sends what must succeed. */
async function done(client: HttpClient, method: string, path: string, body?: object, more?: Record<string, string>) {
  const answer = await client.send(method, path, body, more);
  if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
  return answer.body;
}
const receive = (receiptId: string, quantity: number, unitCost: string) =>
  done(admin, 'POST', '/inventory/receipts', { receiptId, warehouseId: 'main', lines: [{ itemId: 'tea', quantity, unitCost }] });
const valuation = async (query = '') => (await done(finance, 'GET', `/inventory/valuation?itemId=tea${query}`))['items'];

beforeEach(async () => {
  orgId = `org-${++orgs}`;
  admin = await signIn(['admin']);
  finance = await signIn(['finance_manager']);
  await done(admin, 'POST', '/warehouses', { warehouseId: 'main', name: 'Main' });
  await done(admin, 'POST', '/items', { itemId: 'tea', name: 'Tea', costing: 'fifo' });
});

it('values what was received, shipped and corrected, now and as it was', async () => {
  await receive('r1', 10, '2');
  await receive('r2', 10, '3.3333');
  const { createdAt } = await done(admin, 'POST', '/orders', { orderId: 'o', customerId: 'c', lines: [{ itemId: 'tea', quantity: 12 }] });
  await done(admin, 'PUT', '/orders/o/confirm');
  expect(await done(admin, 'POST', '/orders/o/shipments', { lines: [{ lineNo: 1, quantity: 12 }] })).toMatchObject({
    cogsTotal: '26.6666',
  });

  const correction = { receiptId: 'r2', reason: 'Invoice 7', lines: [{ itemId: 'tea', unitCost: 4, landedCost: '1' }] };
  const expected = { receiptId: 'r2', remainingDelta: '6.1336', issuedDelta: '1.5334' };
  const dry = await done(finance, 'POST', '/inventory/cost-corrections?dryRun=true', correction);
  expect(dry).toMatchObject({ ...expected, dryRun: true });
  const post = () => done(finance, 'POST', '/inventory/cost-corrections', correction, { 'idempotency-key': 'invoice-7' });
  const first = await post();
  expect(first).toMatchObject({ ...expected, lines: [{ itemId: 'tea', lot: null, remainingDelta: '6.1336', issuedDelta: '1.5334' }] });
  expect(await post()).toEqual(first);

  const receivedAt = expect.any(String) as unknown;
  expect(await valuation()).toEqual([
    {
      itemId: 'tea',
      warehouseId: 'main',
      quantity: '8',
      value: '32.8',
      layers: [{ receivedAt, receiptId: 'r2', quantity: '8', value: '32.8', unitCost: '4.1' }],
      truncated: false,
    },
  ]);
  expect(await valuation(`&asOf=${String(createdAt)}`)).toEqual([{ itemId: 'tea', warehouseId: 'main', quantity: '20', value: '53.333' }]);
  const { entries } = await done(finance, 'GET', '/inventory/ledger?refType=receipt&refId=r2');
  expect(entries).toMatchObject([
    {
      movementType: 'cost_correction',
      quantityDelta: '0',
      valueDelta: '6.1336',
      unitCost: '4',
      balanceAfter: '8',
      note: 'Invoice 7',
      actor: 'tester',
    },
    { movementType: 'receipt', quantityDelta: '10', valueDelta: '33.333', unitCost: '3.3333' },
  ]);
});

it('says what is wrong with a correction', async () => {
  await receive('r1', 10, '2');
  const send = (body: object) => finance.send('POST', '/inventory/cost-corrections', body);
  expect(await send({ receiptId: 'r9', lines: [{ itemId: 'tea', unitCost: 1 }] })).toMatchObject({
    status: 404,
    body: { code: 'NOT_FOUND' },
  });
  expect(await send({ receiptId: 'r1', lines: [{ itemId: 'cup', unitCost: 1 }] })).toMatchObject({
    status: 422,
    body: { code: 'STOCK_VALIDATION', detail: 'lines.0: receipt r1 brought no cup', path: 'lines.0' },
  });
  expect(await send({ receiptId: 'r1', lines: [{ itemId: 'tea' }] })).toMatchObject({ status: 422, body: { code: 'STOCK_VALIDATION' } });
  expect(await send({ receiptId: 'r1', lines: [{ itemId: 'tea', unitCost: '-1' }] })).toMatchObject({ status: 400 });
  expect(await send({ receiptId: 'r1', lines: [{ itemId: 'tea', cost: '1' }] })).toMatchObject({ status: 400 });
  expect(await send({ receiptId: 'r1', lines: [] })).toMatchObject({ status: 400 });
});

it('shows values to those who may see them', async () => {
  const keeper = await signIn(['inventory_manager']);
  expect((await keeper.send('GET', '/inventory/valuation')).status).toBe(200);
  const correction = { receiptId: 'r1', lines: [{ itemId: 'tea', unitCost: 1 }] };
  expect(await keeper.send('POST', '/inventory/cost-corrections', correction)).toMatchObject({ status: 403, body: { code: 'FORBIDDEN' } });
  const clerk = await signIn(['warehouse']);
  expect(await clerk.send('GET', '/inventory/valuation')).toMatchObject({ status: 403, body: { code: 'FORBIDDEN' } });
  expect(await finance.send('GET', '/inventory/valuation?cursor=x')).toMatchObject({ status: 400, body: { code: 'VALIDATION_FAILED' } });
  expect(await finance.send('GET', '/inventory/valuation?asOf=yesterday')).toMatchObject({ status: 400 });
});
