import { connect, type GetMessage } from 'amqplib';
import { testBrokerUrl } from '#libs/testing';
import { Random } from '../../scripts/demo/random.js';
import { parkedMessages, stockViolations } from '../support/check-stock.js';
import { eventually } from '../support/eventually.js';
import { Installation } from '../support/installation.js';
import type { Outsider } from '../support/outsider.js';

// What arrives: twice, in the wrong order, broken, or such that nobody can ever handle it.

const SEED = Number(process.env['CRASH_SEED'] ?? Date.now() % 1_000_000);
const ORDERS = 60;

let installation: Installation;
let outsider: Outsider;

beforeAll(async () => {
  installation = await Installation.make();
  await Promise.all([installation.start('inventory'), installation.start('inventory'), installation.start('orders')]);
  outsider = await installation.outsider();
}, 60_000);

afterAll(() => installation.remove(), 60_000);

interface Said {
  readonly type: string;
  readonly sequence: number;
  readonly data: object;
}

/** Everything that an OMS says about one order. */
function lifeOf(random: Random, orderId: string): Said[] {
  const lines = ['apple', 'bread'].map((itemId, index) => ({ lineNo: index + 1, itemId, quantity: String(random.between(4, 6)) }));
  const one = lines.map((line) => ({ ...line, quantity: '1' }));
  const life = [
    { type: 'OrderConfirmed', data: { orderId, lines } },
    { type: 'ShipmentConfirmed', data: { shipmentId: `${orderId}-a`, orderId, lines: one } },
    {
      type: 'ReturnReceived',
      data: { returnId: `${orderId}-r`, orderId, warehouseId: 'main', lines: [{ ...one[0], condition: 'unknown' }] },
    },
    { type: 'ShipmentConfirmed', data: { shipmentId: `${orderId}-b`, orderId, lines: one.slice(1) } },
    ...(random.next() < 0.4 ? [{ type: 'OrderCancelled', data: { orderId } }] : []),
  ];
  return life.map((said, index) => ({ ...said, sequence: index + 1 }));
}

/** Of each order, what became of it: shipped, returned, held; and what there is of each item. */
async function outcomeOf(orgId: string) {
  const orders = await installation.database.rows(
    `select order_id, line->>'itemId' as item, line->>'fulfilled' as fulfilled, line->>'returned' as returned, line->>'reserved' as reserved
       from inventory.demand, jsonb_array_elements(lines) line where org_id = $1 order by 1, 2`,
    [orgId],
  );
  const stock = await installation.database.rows(
    'select item_id, on_hand, reserved, blocked from inventory.stock_balance where org_id = $1 order by 1',
    [orgId],
  );
  return { orders, stock };
}

it(`makes the same of a stream in order and of one that is shuffled and repeated (seed ${SEED})`, async () => {
  const random = new Random(SEED);
  const stock = { apple: 10_000, bread: 10_000 };
  for (const orgId of ['straight', 'shuffled']) await installation.stockUp(outsider, orgId, stock);
  const lives = Array.from({ length: ORDERS }, (_, n) => lifeOf(random, `order-${n}`));

  for (const said of lives.flat()) {
    const id = await outsider.publish({ ...said, orgId: 'straight' });
    if (said.type !== 'OrderConfirmed') expect(await outsider.answerTo(id)).toBeDefined();
  }

  const events = lives.flat().flatMap((said) => {
    const event = outsider.envelope({ ...said, orgId: 'shuffled' });
    return Array.from({ length: random.between(1, 3) }, () => ({ at: random.next(), event }));
  });
  const publishing = events
    .sort((a, b) => a.at - b.at)
    .map(({ event }) => {
      return outsider.publishBytes(`${event.type}.shuffled`, Buffer.from(JSON.stringify(event)));
    });
  await Promise.all(publishing);

  const expected = await outcomeOf('straight');
  await eventually(async () => JSON.stringify(await outcomeOf('shuffled')) === JSON.stringify(expected));
  expect(await outcomeOf('shuffled')).toEqual(expected);
  expect(expected.orders).toHaveLength(2 * ORDERS);
  expect(await stockViolations(installation.database)).toEqual([]);
  expect(await parkedMessages(installation.database, 'inventory')).toEqual([]);
  expect(
    outsider.heard.filter(({ orgid, type }) => orgid === 'shuffled' && type.endsWith('Failed') && type !== 'StockReservationFailed'),
  ).toEqual([]);
}, 90_000);

describe('A message that cannot be handled', () => {
  const orgId = 'poisoned';
  const order = (data: object) => ({ type: 'OrderConfirmed', orgId, data: { orderId: 'bad', lines: [], ...data } });
  const line = { lineNo: 1, itemId: 'apple', quantity: '1' };
  const bytes = (event: object) => Buffer.from(JSON.stringify(event));

  const poison = (): { key: string; body: Buffer; reason: string }[] => [
    { key: `OrderConfirmed.${orgId}`, body: Buffer.from('{"specversion":'), reason: 'MALFORMED_JSON' },
    { key: `OrderConfirmed.${orgId}`, body: Buffer.from([0xc3, 0x28, 0xff, 0]), reason: 'MALFORMED_JSON' },
    { key: `OrderConfirmed.${orgId}`, body: Buffer.from('null'), reason: 'INVALID_ENVELOPE' },
    { key: `OrderConfirmed.${orgId}`, body: bytes({ ...outsider.envelope(order({})), orgid: undefined }), reason: 'INVALID_ENVELOPE' },
    { key: `OrderConfirmed.${orgId}`, body: bytes({ ...outsider.envelope(order({})), type: 'OrderDreamt' }), reason: 'UNKNOWN_TYPE' },
    { key: `OrderConfirmed.${orgId}`, body: bytes(outsider.envelope(order({}))), reason: 'INVALID_DATA' },
    {
      key: `OrderConfirmed.${orgId}`,
      body: bytes(outsider.envelope(order({ lines: [{ ...line, quantity: -1 }] }))),
      reason: 'INVALID_DATA',
    },
    {
      key: `OrderConfirmed.${orgId}`,
      body: bytes(outsider.envelope(order({ lines: [{ ...line, quantity: '0.00001' }] }))),
      reason: 'INVALID_DATA',
    },
    {
      key: `OrderConfirmed.${orgId}`,
      body: bytes(outsider.envelope(order({ orderId: 'a\u0000b', lines: [line] }))),
      reason: 'INVALID_DATA',
    },
    {
      key: `OrderConfirmed.${orgId}`,
      body: bytes(outsider.envelope({ ...order({ lines: [line] }), orgId: 'victim' })),
      reason: 'ROUTING_KEY_MISMATCH',
    },
    { key: `OrderConfirmed.${orgId}`, body: Buffer.alloc(1_100_000, ' '), reason: 'TOO_LARGE' },
    // Nothing is wrong with it, and the database does not take it: one table of this test refuses this one order.
    {
      key: `OrderConfirmed.${orgId}`,
      body: bytes(outsider.envelope(order({ orderId: 'refused-by-a-table', lines: [line] }))),
      reason: 'DATA_REFUSED',
    },
  ];

  it('is parked with its reason and its bytes, and holds up nobody', async () => {
    await installation.stockUp(outsider, orgId, { apple: 1_000 });
    await installation.database.rows(`alter table inventory.demand add constraint test check (order_id <> 'refused-by-a-table')`);
    const broken = poison();
    const good: string[] = [];
    const publishing: Promise<void>[] = [];
    const speak = (n: number) => {
      const event = outsider.envelope({ type: 'OrderConfirmed', orgId, data: { orderId: `good-${n}`, lines: [line] } });
      good.push(event.id);
      publishing.push(outsider.publishBytes(`OrderConfirmed.${orgId}`, bytes(event)));
    };
    broken.forEach(({ key, body }, index) => {
      for (let n = 0; n < 10; n++) speak(index * 10 + n);
      publishing.push(outsider.publishBytes(key, body));
    });
    await Promise.all(publishing);

    for (const id of good) expect(await outsider.answerTo(id)).toMatchObject({ type: 'StockReserved' });
    const parked = () =>
      installation.database.rows<{ routing_key: string; reason: string; body: Buffer; org_id: string }>(
        'select routing_key, reason, body, org_id from inventory.parked_message where org_id = $1',
        [orgId],
      );
    await eventually(async () => (await parked()).length >= broken.length);
    const rows = await parked();
    expect(rows).toHaveLength(broken.length);
    for (const { key, body, reason } of broken) {
      const row = rows.find((candidate) => candidate.body.equals(body));
      expect([reason, row?.routing_key, row?.reason]).toEqual([reason, key, reason]);
    }
    const [balance] = await installation.database.rows<{ on_hand: string; reserved: string }>(
      'select on_hand, reserved from inventory.stock_balance where org_id = $1',
      [orgId],
    );
    expect(balance).toEqual({ on_hand: '1000.0000', reserved: `${good.length}.0000` });
    expect(await installation.database.rows(`select 1 from inventory.demand where org_id = 'victim' or order_id = 'bad'`)).toEqual([]);
    await expectCopies(broken);
  }, 60_000);

  /** On the broker, for whoever watches that instead. */
  async function expectCopies(broken: readonly { body: Buffer; reason: string }[]): Promise<void> {
    const connection = await connect(testBrokerUrl());
    const channel = await connection.createChannel();
    const copies: GetMessage[] = [];
    await eventually(async () => {
      for (let copy = await take(); copy !== false; copy = await take()) copies.push(copy);
      return copies.length >= broken.length;
    });
    await connection.close();
    for (const { body, reason } of broken) {
      const copy = copies.find(({ content }) => content.equals(body));
      expect(copy?.properties.headers).toMatchObject({ 'x-parked-reason': reason, 'x-parked-by': 'inventory', 'x-attempts': 1 });
    }

    function take(): Promise<GetMessage | false> {
      return channel.get(`${installation.prefix}.holdfast.parked`, { noAck: true });
    }
  }

  it('parks what nobody but inventory may have said, at orders', async () => {
    const data = { orderId: 'x', lines: 'none' };
    const body = bytes(outsider.envelope({ type: 'StockReserved', orgId, source: '/inventory', sequence: 1, data }));
    await outsider.publishBytes(`StockReserved.${orgId}`, body);
    const parked = await eventually(() => parkedMessages(installation.database, 'orders'));
    expect(parked).toMatchObject([{ routing_key: `StockReserved.${orgId}`, reason: 'INVALID_DATA' }]);
  }, 30_000);
});
