import { stockViolations } from './simulation/check-database.js';
import { adjusts, ORG, receives, receivesAt, wants } from './simulation/given-stock.js';
import { StockDatabase, type StockProcess } from './simulation/stock-database.js';

const HOLDS = 600;

describe('the sweep for what has become due', () => {
  let stock: StockDatabase;
  let replicas: StockProcess[];
  beforeAll(async () => {
    stock = await StockDatabase.create();
    replicas = await Promise.all(Array.from({ length: 4 }, () => stock.process()));
    for (const org of [ORG, 'twin']) await stock.addCatalogue(org, ['A', 'B'], ['W1']);
  });
  afterAll(async () => {
    expect(await stockViolations(stock)).toEqual([]);
    await stock.drop();
  });

  const sweepAll = () => Promise.all(replicas.map(({ dueWork }) => dueWork.sweep()));
  const states = async () =>
    Object.fromEntries(
      (await stock.rows<{ state: string; n: string }>('select state, count(*) as n from inventory.demand group by 1')).map(
        ({ state, n }) => [state, Number(n)],
      ),
    );

  it('ends each hold once, however many replicas sweep at the same time, and spares what is confirmed meanwhile', async () => {
    const { batcher } = replicas[0]!;
    for (const orgId of [ORG, 'twin']) await batcher.submit({ ...receives('r1', 'W1', { A: '1000' }), orgId }, 'calls');
    const orders = Array.from({ length: HOLDS }, (_, n) => ({ orgId: n % 2 === 0 ? ORG : 'twin', orderId: `o${n >> 1}` }));
    await Promise.all(
      orders.map(({ orgId, orderId }) => batcher.submit({ ...wants(orderId, { 1: 'A 1' }, { firm: false }), orgId }, 'events')),
    );
    await sweepAll();
    expect(await states()).toEqual({ open: HOLDS });

    await stock.rows(`update inventory.demand set expires_at = now() - interval '1 second'`);
    // A third is confirmed while all replicas sweep; whichever comes first under the lock decides, and a confirmation holds again.
    const confirmed = orders.filter((_, n) => n % 3 === 0);
    const confirming = confirmed.map(({ orgId, orderId }, n) =>
      replicas[n % 4]!.batcher.submit({ ...wants(orderId, { 1: 'A 1' }, { firm: true }), orgId }, 'calls'),
    );
    for (let sweeps = 0; sweeps < 3; sweeps++) await sweepAll();
    await Promise.all(confirming);

    expect(await states()).toEqual({ open: confirmed.length, expired: HOLDS - confirmed.length });
    const events = [...(await stock.events(ORG, 'ReservationExpired')), ...(await stock.events('twin', 'ReservationExpired'))];
    const [balances] = await stock.rows<{ reserved: string }>('select sum(reserved) as reserved from inventory.stock_balance');
    expect(Number(balances!.reserved)).toBe(confirmed.length);
    // Those that ran out before they were confirmed were told of as well; none twice.
    const kept = await stock.rows<{ n: string }>(`select count(*) as n from inventory.reservation where status = 'expired'`);
    expect(events).toHaveLength(Number(kept[0]!.n));
    expect(
      await stock.rows(`select org_id, order_id from inventory.reservation where status = 'expired' group by 1, 2 having count(*) > 1`),
    ).toEqual([]);
  });

  it('makes expired what has expired, once, while goods move and orders come', async () => {
    await stock.rows(`insert into inventory.item (org_id, item_id, name, tracking) select $1, 'L', 'L', 'lot'`, [ORG]);
    const until = new Date(Date.now() + 3_000).toISOString();
    const lots = Array.from({ length: 20 }, (_, n) => `lot-${n}`);
    const lines = lots.map((lot) => ({ itemId: 'L', quantity: '5', unitCost: '1', lot, expiresAt: until }));
    await replicas[0]!.batcher.submit(receives('lots', 'W1', {}, { lines }), 'calls');
    await replicas[0]!.batcher.submit(receivesAt('fresh', 'W1/L #fresh', '10'), 'calls');
    await Promise.all(lots.map((_, n) => replicas[n % 4]!.batcher.submit(wants(`x${n}`, { 1: 'L 3' }), 'calls')));
    while (Date.now() < new Date(until).getTime() + 200) {
      await sweepAll();
      await replicas[1]!.batcher.submit(adjusts('W1/L #fresh', '1 found'), 'calls');
    }
    for (let sweeps = 0; sweeps < 3; sweeps++) await sweepAll();
    const rows = await stock.rows<{ quality: string; quantity: string; reserved: string }>(
      `select quality, sum(quantity)::int as quantity, sum(reserved)::int as reserved from inventory.quant where item_id = 'L' and quantity > 0
        and lot <> 'fresh' group by 1`,
    );
    expect(rows).toEqual([{ quality: 'expired', quantity: 100, reserved: 0 }]);
    const changes = await stock.events(ORG, 'QualityChanged');
    expect(changes).toHaveLength(20);
    // Whoever held them holds what is fresh, as far as there is any.
    const [fresh] = await stock.rows<{ quantity: number; reserved: number }>(
      `select quantity::int as quantity, reserved::int as reserved from inventory.quant where lot = 'fresh' and quality = 'available'`,
    );
    expect(fresh!.reserved).toBe(Math.min(60, fresh!.quantity));
  }, 60_000);

  it('decides by the database’s clock, not by its own', async () => {
    const { batcher, dueWork } = replicas[1]!;
    await batcher.submit(receives('r2', 'W1', { B: '5' }), 'calls');
    await batcher.submit(wants('clock', { 1: 'B 1' }, { firm: false, ttlSeconds: 3_600 }), 'calls');
    const realNow = Date.now;
    Date.now = () => realNow() + 7_200_000;
    await dueWork.sweep().finally(() => (Date.now = realNow));
    const [row] = await stock.rows<{ state: string }>(`select state from inventory.demand where order_id = 'clock'`);
    expect(row!.state).toBe('open');
  });

  it('goes on where a process ended that was serving a queue', async () => {
    const { batcher } = replicas[2]!;
    await batcher.submit(wants('waiting', { 1: 'B 9' }, { mode: 'partial' }), 'calls');
    // As if stock had come free in a process that died before it served who waits.
    await stock.rows(`update inventory.item set safety_stock = 0 where item_id = 'B'`);
    await stock.rows(
      `with freed as (update inventory.stock_balance set reserved = reserved - 2, backordered = backordered + 2
                       where org_id = $1 and item_id = 'B' returning 1),
            back as (update inventory.backorder set quantity = quantity + 2 where order_id = 'waiting' returning 1),
            held as (update inventory.reservation set quantity = quantity - 2 where order_id = 'waiting' returning 1)
       update inventory.demand set lines = jsonb_set(jsonb_set(lines, '{0,reserved}', '"2"'), '{0,backordered}', '"7"') where order_id = 'waiting'`,
      [ORG],
    );
    await sweepAll();
    const [row] = await stock.rows<{ lines: unknown }>(`select lines from inventory.demand where order_id = 'waiting'`);
    expect(row!.lines).toMatchObject([{ requested: '9', reserved: '4', backordered: '5' }]);
  });
});
