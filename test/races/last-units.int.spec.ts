import { disagreements, parkedMessages, stockViolations } from '../support/check-stock.js';
import { eventually } from '../support/eventually.js';
import { HttpClient } from '../support/http-client.js';
import { Installation } from '../support/installation.js';
import type { Outsider } from '../support/outsider.js';
import type { ServiceProcess } from '../support/service-process.js';

// 200 orders want two pieces each, one of either item, and there are 50 of each: whichever way they come, exactly 50 get both, and 150
// get none. Two processes of inventory compete for the orders, and each order's lines come in another order than its neighbour's.

const ORDERS = 200;
const UNITS = 50;
const ROUNDS = [1, 2, 3];

let installation: Installation;
let outsider: Outsider;
let gatewayUrl: string;
let inventories: readonly ServiceProcess[];

beforeAll(async () => {
  installation = await Installation.make(['inventory', 'orders', 'gateway']);
  const started = (['inventory', 'inventory', 'orders', 'gateway'] as const).map((app) => installation.start(app));
  const processes = await Promise.all(started);
  inventories = processes.slice(0, 2);
  gatewayUrl = processes[3]!.url;
  outsider = await installation.outsider();
}, 90_000);

afterAll(() => installation.remove(), 60_000);

const orderIds = Array.from({ length: ORDERS }, (_, n) => `order-${n + 1}`);
const linesOf = (orderId: string) => {
  const items = Number(orderId.split('-')[1]) % 2 === 0 ? ['left', 'right'] : ['right', 'left'];
  return items.map((itemId) => ({ itemId, quantity: '1' }));
};
const numberedLinesOf = (orderId: string) => linesOf(orderId).map((line, index) => ({ lineNo: index + 1, ...line }));

/** What both tables and counters must say, with which orders were told that they succeeded. */
async function expectExactly(orgId: string, succeeded: readonly string[]): Promise<void> {
  expect(succeeded).toHaveLength(UNITS);
  const holds = await installation.database.rows<{ order_id: string; items: string[]; quantity: string }>(
    `select order_id, array_agg(item_id order by item_id) as items, sum(quantity - fulfilled_quantity) as quantity
       from inventory.reservation where org_id = $1 and status = 'active' group by 1`,
    [orgId],
  );
  expect(holds.map(({ order_id }) => order_id).sort()).toEqual([...succeeded].sort());
  for (const { items, quantity } of holds) expect([items, quantity]).toEqual([['left', 'right'], '2.0000']);
  const balances = await installation.database.rows(
    'select item_id, on_hand, reserved from inventory.stock_balance where org_id = $1 order by 1',
    [orgId],
  );
  expect(balances).toEqual(['left', 'right'].map((item_id) => ({ item_id, on_hand: `${UNITS}.0000`, reserved: `${UNITS}.0000` })));
  expect(await stockViolations(installation.database)).toEqual([]);
  expect(await eventually(async () => (await disagreements(installation.database)).length === 0)).toBe(true);
  for (const service of ['inventory', 'orders'] as const) expect(await parkedMessages(installation.database, service)).toEqual([]);
}

it.each(ROUNDS)(
  'sells no more than there is over HTTP (round %i)',
  async (round) => {
    const orgId = `http-${round}`;
    await installation.stockUp(outsider, orgId, { left: UNITS, right: UNITS });
    const client = await HttpClient.signIn(gatewayUrl, orgId, ['sales']);
    const place = async (orderId: string) => {
      for (;;) {
        const answer = await client.send('POST', '/orders', { orderId, customerId: 'c', lines: linesOf(orderId) });
        // As it says: try again.
        if (answer.status !== 503) return { orderId, ...answer };
      }
    };
    const answers = await Promise.all(orderIds.map(place));
    const refused = answers.filter(({ status }) => status !== 201);
    expect(refused).toHaveLength(ORDERS - UNITS);
    for (const { status, body } of refused) expect([status, body['code']]).toEqual([409, 'INSUFFICIENT_STOCK']);
    await expectExactly(
      orgId,
      answers.filter(({ status }) => status === 201).map(({ orderId }) => orderId),
    );
  },
  90_000,
);

it.each(ROUNDS)(
  'sells no more than there is by calls (round %i)',
  async (round) => {
    const orgId = `rpc-${round}`;
    await installation.stockUp(outsider, orgId, { left: UNITS, right: UNITS });
    const answers = await Promise.all(
      orderIds.map(async (orderId) => {
        const data = { orgId, source: '/shop', orderId, firm: true, lines: numberedLinesOf(orderId) };
        const { response } = await outsider.call('inventory', 'stock.demand', data, 30_000);
        return { orderId, status: response?.['status'], reason: response?.['reason'] };
      }),
    );
    const refused = answers.filter(({ status }) => status !== 'reserved');
    expect(refused).toHaveLength(ORDERS - UNITS);
    for (const { status, reason } of refused) expect([status, reason]).toEqual(['failed', 'INSUFFICIENT_STOCK']);
    await expectExactly(
      orgId,
      answers.filter(({ status }) => status === 'reserved').map(({ orderId }) => orderId),
    );
  },
  90_000,
);

it.each(ROUNDS)(
  'sells no more than there is by events (round %i)',
  async (round) => {
    const orgId = `events-${round}`;
    await installation.stockUp(outsider, orgId, { left: UNITS, right: UNITS });
    const answers = await Promise.all(
      orderIds.map(async (orderId) => {
        const data = { orderId, lines: numberedLinesOf(orderId) };
        const id = await outsider.publish({ type: 'OrderConfirmed', orgId, sequence: 1, data });
        return { orderId, answer: await outsider.answerTo(id, 30_000) };
      }),
    );
    const refused = answers.filter(({ answer }) => answer?.type !== 'StockReserved');
    expect(refused).toHaveLength(ORDERS - UNITS);
    for (const { answer } of refused)
      expect([answer?.type, answer?.data['reason']]).toEqual(['StockReservationFailed', 'INSUFFICIENT_STOCK']);
    await expectExactly(
      orgId,
      answers.filter(({ answer }) => answer?.type === 'StockReserved').map(({ orderId }) => orderId),
    );
  },
  90_000,
);

it('sells no more than there is when orders come all three ways at once', async () => {
  const orgId = 'mixed';
  await installation.stockUp(outsider, orgId, { left: UNITS, right: UNITS });
  const client = await HttpClient.signIn(gatewayUrl, orgId, ['sales']);
  const ways: ((orderId: string) => Promise<boolean>)[] = [
    async (orderId) => (await client.send('POST', '/orders', { orderId, customerId: 'c', lines: linesOf(orderId) })).status === 201,
    async (orderId) => {
      const data = { orgId, source: '/shop', orderId, firm: true, lines: numberedLinesOf(orderId) };
      return (await outsider.call('inventory', 'stock.demand', data, 30_000)).response?.['status'] === 'reserved';
    },
    async (orderId) => {
      const id = await outsider.publish({ type: 'OrderConfirmed', orgId, data: { orderId, lines: numberedLinesOf(orderId) } });
      return (await outsider.answerTo(id, 30_000))?.type === 'StockReserved';
    },
  ];
  const succeeded = await Promise.all(orderIds.map(async (orderId, n) => ((await ways[n % ways.length]!(orderId)) ? [orderId] : [])));
  await expectExactly(orgId, succeeded.flat());
}, 90_000);

it('was decided by both processes of inventory', async () => {
  const batches = await Promise.all(
    inventories.map(async ({ url }) =>
      Number(/^stock_batch_commands_sum(?:\{.*\})? (\d+)$/m.exec(await (await fetch(`${url}/metrics`)).text())?.[1]),
    ),
  );
  for (const commands of batches) expect(commands).toBeGreaterThan(ORDERS);
});
