import { setTimeout as delay } from 'node:timers/promises';
import { testBrokerUrl } from '#libs/testing';
import { Random } from '../../scripts/demo/random.js';
import { eventually } from '../support/eventually.js';
import { Installation } from '../support/installation.js';
import type { Outsider } from '../support/outsider.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { settle } from './crash-run.js';
import { STOCK } from './order-lines.js';
import { Workload } from './workload.js';

// What the services need goes away while they work: for them alone, by a proxy, so that the machine's own servers are left in peace.

const SEED = Number(process.env['CRASH_SEED'] ?? Date.now() % 1_000_000);
const OUTAGES = 5;
const ORG = 'acme';

let installation: Installation;
let outsider: Outsider;
let broker: TcpProxy;
let postgres: TcpProxy;

beforeEach(async () => {
  installation = await Installation.make();
  broker = await TcpProxy.to(testBrokerUrl());
  postgres = await TcpProxy.to(installation.database.url);
  const env = { AMQP_URL: broker.url, DATABASE_URL: postgres.url };
  await Promise.all([installation.start('inventory', env), installation.start('orders', env)]);
  outsider = await installation.outsider();
  await installation.stockUp(outsider, ORG, STOCK);
}, 60_000);

afterEach(async () => {
  await installation.remove();
  broker.refuse();
  postgres.refuse();
}, 60_000);

it('publishes what was committed while the broker was not reachable, once it is', async () => {
  const orders = Array.from({ length: 20 }, (_, n) => `soft-${n}`);
  const line = { lineNo: 1, itemId: 'apple', quantity: '1' };
  for (const orderId of orders) {
    await outsider.publish({ type: 'OrderPlaced', orgId: ORG, sequence: 1, data: { orderId, ttlSeconds: 3, lines: [line] } });
  }
  const heard = (type: string) => outsider.heard.filter((event) => event.type === type).map((event) => event.data['orderId']);
  await eventually(() => heard('StockReserved').length === orders.length);
  broker.refuse();
  // They run out by themselves, with nobody to tell.
  const outbox = () => installation.database.rows<{ event: string }>(`select convert_from(event, 'UTF8') as event from inventory.outbox`);
  await eventually(async () => (await outbox()).length >= orders.length);
  expect((await outbox()).filter(({ event }) => event.includes('"ReservationExpired"'))).toHaveLength(orders.length);
  expect(heard('ReservationExpired')).toEqual([]);
  await broker.accept();
  await eventually(() => heard('ReservationExpired').length >= orders.length);
  expect(heard('ReservationExpired').sort()).toEqual([...orders].sort());
  expect(await eventually(async () => (await outbox()).length === 0)).toBe(true);
}, 60_000);

it.each([
  ['the broker', () => [broker]],
  ['PostgreSQL', () => [postgres]],
  ['either or both', () => [broker, postgres]],
])(
  `loses and doubles nothing when %s goes away again and again (seed ${SEED})`,
  async (_, proxies) => {
    const random = new Random(SEED);
    const workload = Workload.of(outsider, { orgId: ORG, seed: SEED });
    workload.start(4);
    for (let outage = 0; outage < OUTAGES; outage++) {
      // While something is going on, however slow the machine is.
      const heard = outsider.heard.length;
      await eventually(() => outsider.heard.length > heard);
      await delay(random.between(100, 600));
      const gone = proxies().filter(
        (one, index, all) => all.length === 1 || random.next() < 0.7 || (index === all.length - 1 && one === postgres),
      );
      const isShort = random.next() < 0.4;
      for (const proxy of gone)
        if (isShort) proxy.cut();
        else proxy.refuse();
      await delay(isShort ? 0 : random.between(100, 1_500));
      for (const proxy of gone) if (!isShort) await proxy.accept();
    }
    await delay(500);
    const verdict = await settle(installation, outsider, workload);
    expect(verdict).toEqual({ lost: [], doubled: [], inconsistent: [] });
    expect(workload.books.defects).toEqual([]);
    expect(outsider.heard.length).toBeGreaterThan(2 * OUTAGES);
  },
  300_000,
);
