import { disagreements, parkedMessages, stockViolations } from '../support/check-stock.js';
import { eventually } from '../support/eventually.js';
import { type HttpAnswer, HttpClient } from '../support/http-client.js';
import { Installation } from '../support/installation.js';
import type { ServiceProcess } from '../support/service-process.js';

// Orders dies between any two steps of an order that needs an approval. Whoever asked asks again, or nobody does; in the end everything was said,
// decided and recorded once, and both services agree.

let installation: Installation;
let url: string;
let orders: ServiceProcess;
let orgs = 0;
let orgId: string;
let sales: HttpClient;
let manager: HttpClient;

beforeAll(async () => {
  installation = await Installation.make(['inventory', 'orders', 'approvals', 'gateway']);
  const apps = ['gateway', 'inventory', 'approvals'] as const;
  url = (await Promise.all(apps.map((app) => installation.start(app))))[0]!.url;
  orders = await installation.start('orders');
}, 90_000);
afterAll(() => installation.remove(), 60_000);

beforeEach(async () => {
  orgId = `org-${++orgs}`;
  const admin = await HttpClient.signIn(url, orgId, ['admin'], 'root');
  [sales, manager] = await Promise.all([
    HttpClient.signIn(url, orgId, ['sales'], 'sam'),
    HttpClient.signIn(url, orgId, ['inventory_manager'], 'mia'),
  ]);
  await admin.stockUp({ apple: 10 });
  await admin.send('PATCH', '/settings', { enforcementPhase: 'soft' });
});

/** Does `work` while orders is a process that dies at the point as soon as it gets there; then orders lives again. */
async function dying<T>(point: string, work: () => Promise<T>): Promise<T> {
  const process = await installation.replaceByMortal(orders, point);
  const worked = work();
  expect([point, await process.ended]).toEqual([point, 'SIGKILL']);
  orders = await installation.start('orders');
  return await worked;
}

async function place(): Promise<HttpAnswer> {
  const body = { orderId: 'o', customerId: 'c', lines: [{ itemId: 'apple', quantity: '12' }] };
  return await sales.send('POST', '/orders', body);
}

/** As it says: try again. */
async function placed(): Promise<HttpAnswer> {
  for (;;) {
    const answer = await place();
    if (answer.status !== 503) return answer;
  }
}

const decide = (verdict: 'approve' | 'reject', { body }: HttpAnswer) =>
  manager.send('PUT', `/approvals/${String(body['approvalRequestId'])}/${verdict}`, { reason: 'r' });

/** The order in the end, and what was recorded of it, in turn. */
async function outcome(status: string): Promise<unknown[]> {
  await eventually(async () => (await sales.send('GET', '/orders/o')).body['status'] === status, 60_000);
  const { body: order } = await sales.send('GET', '/orders/o');
  const { items } = (await sales.send('GET', '/orders/o/events')).body as { items: { type: string }[] };
  const requests = (await manager.send('GET', '/approvals?subjectId=o')).body['items'] as unknown[];
  await eventually(async () => (await disagreements(installation.database)).length === 0, 60_000);
  const wrong = [...(await disagreements(installation.database)), ...(await stockViolations(installation.database))];
  for (const service of ['inventory', 'orders', 'approvals'] as const)
    wrong.push(...(await parkedMessages(installation.database, service)).map((it) => it.reason));
  return [order['status'], items.map(({ type }) => type).reverse(), requests.length, wrong];
}

const asked = ['order_blocked', 'order_created', 'order_approval_requested'];
const PLACING = [
  'after-commit',
  'before-call',
  'after-call',
  'before-call:2',
  'after-call:2',
  'before-approval',
  'after-approval',
  'after-report',
];

it.each(PLACING)(
  'an order that dies at %s while it is placed waits for one approval',
  async (point) => {
    await dying(point, place);
    const order = await placed();
    expect([point, order.status, order.body['status']]).toEqual([point, 201, 'pending_approval']);
    expect(await outcome('pending_approval')).toEqual(['pending_approval', asked, 1, []]);
  },
  120_000,
);

it('an order that dies before anybody is asked asks all the same, though nobody repeats anything', async () => {
  const process = await installation.replaceByMortal(orders, 'before-approval');
  // Until nobody waits for it any more, and the broker has forgotten it.
  expect((await place()).status).toBe(503);
  expect(await process.ended).toBe('SIGKILL');
  orders = await installation.start('orders');
  await eventually(async () => (await sales.send('GET', '/orders/o')).body['approvalRequestId'] !== null, 90_000);
  expect(await outcome('pending_approval')).toEqual(['pending_approval', asked, 1, []]);
}, 180_000);

const ENDS = {
  approve: ['created', ['order_approved', 'order_approval_applied']],
  reject: ['rejected', ['order_approval_rejected', 'order_rejected']],
} as const;

it.each([
  ['after-decision', 'approve'],
  ['before-call', 'reject'],
  ['after-call', 'approve'],
  ['before-ack', 'reject'],
  ['after-report', 'approve'],
  ['relay-after-commit', 'reject'],
  ['relay-after-publish', 'approve'],
] as const)(
  'an order that dies at %s when somebody decides to %s it becomes what was decided',
  async (point, verdict) => {
    const order = await place();
    await outcome('pending_approval');
    expect((await dying(point, () => decide(verdict, order))).status).toBe(200);
    const [status, recorded] = ENDS[verdict];
    expect(await outcome(status)).toEqual([status, [...asked, ...recorded], 1, []]);
  },
  120_000,
);
