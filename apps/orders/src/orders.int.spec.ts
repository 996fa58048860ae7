import { setTimeout as delay } from 'node:timers/promises';
import {
  AuditLists,
  type Availability,
  AvailabilityGet,
  BackorderDates,
  type CallDefinition,
  type DataOf,
  DEFAULT_STOCK_SETTINGS,
  type EventDefinition,
  ItemGet,
  OrderCancel,
  OrderConfirm,
  OrderCreate,
  OrderEventList,
  OrderGet,
  OrderList,
  type RequestOf,
  type ResponseOf,
  ReturnCreate,
  ReturnGet,
  ReturnInspect,
  ReturnReceive,
  SettingsGet,
  ShipmentCreate,
  ShipmentGet,
  StockDemand,
  StockDepletionFailed,
  StockInspect,
  StockReservationFailed,
  StockReserved,
  StockReturn,
  StockReturned,
  StockShip,
} from '#libs/contracts';
import { invalid, unavailable } from '#libs/domain';
import { RpcClient } from '#libs/messaging';
import { startTestService, StubService, type TestService } from '#libs/testing';
import { orders } from './index.js';
import { askAgain, held, hold, item, publish, refused, saidEvents, short, stockLine } from './spoken.fixture.js';

// Orders against an inventory that says what the test lets it say, when the test lets it say it.

let service: TestService;
let inventory: StubService;
let people: StubService;
let orgId: string;
let orgs = 0;

beforeAll(async () => {
  service = await startTestService(orders);
  inventory = await StubService.start(service.delivery, 'inventory');
  people = await StubService.start(service.delivery, 'notifications', [StockReservationFailed]);
});
afterAll(async () => {
  await people.stop();
  await inventory.stop();
  await service.stop();
});
beforeEach(() => {
  orgId = `org-${++orgs}`;
  inventory.calls.length = 0;
  inventory.answers(ItemGet, ({ itemIds }) => ({ items: itemIds.map(item) }));
  inventory.answers(SettingsGet, () => DEFAULT_STOCK_SETTINGS);
  inventory.answers(StockDemand, ({ firm = false, lines }) => held(1, firm, lines.length === 0 ? { closed: '4' } : { reserved: '4' }));
});

const silent = () => {
  throw unavailable('no answer');
};

const call = <D extends CallDefinition>(definition: D, request: RequestOf<D>, org = orgId): Promise<ResponseOf<D>> =>
  service.call(definition, Object.assign({}, request, { orgId: org }));
const place = (request: Partial<RequestOf<typeof OrderCreate>> = {}, org?: string) =>
  call(OrderCreate, { orderId: 'o', customerId: 'c', lines: [{ itemId: 'a', quantity: '4' }], ...request }, org);
const get = () => call(OrderGet, { orderId: 'o' });

/** Says something as inventory does, and waits until orders has heard it. */
async function say<D extends EventDefinition>(definition: D, sequence: number, data: Omit<DataOf<D>, 'orderId'>): Promise<void> {
  const attributes = { source: '/inventory', subject: 'o', orgid: orgId, sequence };
  await publish(service, definition, attributes, Object.assign({ orderId: 'o' }, data) as DataOf<D>);
}
const sayReserved = (sequence: number, firm = false) =>
  say(StockReserved, sequence, { firm, expiresAt: null, lines: [hold], stock: [stockLine({ reserved: '4' })] });
const sayFailed = (sequence: number) =>
  say(StockReservationFailed, sequence, {
    ...{ reason: 'INSUFFICIENT_STOCK', lines: [short], discrepancyIds: [] },
    stock: [stockLine({ unheld: '4' })],
  });

const said = () => saidEvents(service, orgId);

describe('what there is to warn of', () => {
  const doubt: Availability = {
    ...{ itemId: 'a', warehouseId: 'main', onHand: '4', reserved: '4', blocked: '0', expiredOrTooOld: '0', safetyStock: '0' },
    ...{ discrepancyHold: '0', backordered: '0', inTransit: '0', available: '0', requiresAcknowledgement: false, warnings: ['Look.'] },
  };
  const asked = () => inventory.calls.filter(({ pattern }) => pattern === AvailabilityGet.pattern);

  it('is asked for on behalf of who is shown the order, where stock in doubt is only watched', async () => {
    inventory.answers(SettingsGet, () => ({ ...DEFAULT_STOCK_SETTINGS, discrepancyLockPolicy: 'monitor' as const }));
    inventory.answers(AvailabilityGet, () => ({ items: [doubt] }));
    expect(await place()).toMatchObject({ warnings: ['Line 1, item a in main: Look.'] });
    expect(asked()).toMatchObject([
      { request: { items: [{ itemId: 'a', warehouseId: 'main' }] }, actor: { userId: 'tester', roles: ['admin'] } },
    ]);
  });

  it('is left out when inventory does not tell it', async () => {
    inventory.answers(SettingsGet, () => ({ ...DEFAULT_STOCK_SETTINGS, discrepancyLockPolicy: 'monitor' as const }));
    inventory.answers(AvailabilityGet, silent);
    expect(await place()).toMatchObject({ status: 'created', warnings: [] });
  });

  it('is not asked for where nothing in doubt is given out', async () => {
    expect(await place()).toMatchObject({ warnings: [] });
    expect(asked()).toEqual([]);
  });
});

describe('the days of orders', () => {
  const today = () => new Date().toISOString().slice(0, 10);
  const waits = { ...held(1, false, { backordered: '4' }), status: 'partial' as const };
  const asked = (pattern: string) => inventory.calls.filter((call) => call.pattern === pattern);

  it('are those on which inventory will have served those who wait, asked for all of a list at once', async () => {
    inventory.answers(StockDemand, () => waits);
    inventory.answers(BackorderDates, ({ orderIds }) => ({
      orders: orderIds.map((orderId) => ({ orderId, date: orderId === 'o' ? '2999-01-01' : null })),
    }));
    inventory.answers(SettingsGet, () => ({ ...DEFAULT_STOCK_SETTINGS, deliveryLeadDays: 2 }));
    expect(await place({ reservationMode: 'partial' })).toMatchObject({
      estimatedShipDate: '2999-01-01',
      estimatedDeliveryDate: '2999-01-03',
    });
    await place({ orderId: 'p', reservationMode: 'partial' });
    inventory.answers(StockDemand, () => held(1, false, { reserved: '4' }));
    await place({ orderId: 'q' });
    inventory.calls.length = 0;
    const { items } = await call(OrderList, {});
    expect(items.map(({ orderId, estimatedShipDate }) => [orderId, estimatedShipDate])).toEqual([
      ['q', today()],
      ['p', null],
      ['o', '2999-01-01'],
    ]);
    expect(asked('backorders.dates').map(({ request, actor }) => [request['orderIds'], actor.roles])).toEqual([[['p', 'o'], ['service']]]);
    // What was read when an order was placed is known for a while.
    expect(asked('settings.get')).toEqual([]);
  });

  it('are told without asking anybody again for each order', async () => {
    await place();
    for (let n = 0; n < 5; n++) expect(await get()).toMatchObject({ estimatedShipDate: today() });
    expect(asked('settings.get')).toHaveLength(1);
    expect(asked('backorders.dates')).toEqual([]);
  });

  it('are unknown while inventory is silent, and the order is shown all the same', async () => {
    inventory.answers(StockDemand, () => waits);
    inventory.answers(BackorderDates, silent);
    await place({ reservationMode: 'partial' });
    expect(await get()).toMatchObject({ orderId: 'o', estimatedShipDate: null, estimatedDeliveryDate: null });
    inventory.answers(SettingsGet, silent);
    inventory.answers(StockDemand, () => held(1, false, { reserved: '4' }));
    const other = `org-${++orgs}`;
    await service.database.rows(
      `insert into orders.customer_order select (jsonb_populate_record(o, jsonb_build_object('org_id', $2::text))).* from orders.customer_order o where org_id = $1`,
      [orgId, other],
    );
    expect((await call(OrderList, {}, other)).items).toMatchObject([{ orderId: 'o', estimatedShipDate: null }]);
  });
});

describe('durable event first, quick call second', () => {
  it('says the same by both ways', async () => {
    expect(await place()).toMatchObject({ status: 'created', version: 1 });
    const [placed] = await said();
    expect(placed).toMatchObject({ type: 'OrderPlaced', source: '/orders', subject: 'o', actor: 'tester', sequence: 1 });
    const { request } = inventory.calls.find(({ pattern }) => pattern === 'stock.demand')!;
    expect(request).toMatchObject({ orgId, source: '/orders', sequence: 1, firm: false, ...(placed!.data as object) });

    // The same answer by event changes nothing.
    const before = await get();
    await sayReserved(1);
    expect(await get()).toEqual(before);
    const changes = await service.database.rows(`select 1 from orders.audit_event where org_id = $1`, [orgId]);
    expect(changes).toHaveLength(1);
  });

  it('is committed when inventory is silent, and answered by event', async () => {
    inventory.answers(StockDemand, silent);
    await expect(place()).rejects.toMatchObject({ kind: 'unavailable', details: { orderId: 'o', retryAfterSeconds: 1 } });
    expect(await get()).toMatchObject({ status: 'reserving', version: 0 });
    expect(await said()).toMatchObject([{ type: 'OrderPlaced', sequence: 1 }]);
    await sayReserved(1);
    await sayReserved(1);
    expect(await get()).toMatchObject({ status: 'created', version: 1, lines: [{ allocations: [{ warehouseId: 'main' }] }] });
    expect(await place()).toMatchObject({ status: 'created', version: 1 });
    await expect(place({ note: 'another' })).rejects.toMatchObject({ code: 'ALREADY_EXISTS' });
    expect(await said()).toHaveLength(1);
  });

  it('goes on where it stopped when the same is asked again', async () => {
    inventory.answers(StockDemand, silent);
    await expect(place()).rejects.toMatchObject({ kind: 'unavailable' });
    await expect(place({ note: 'another' })).rejects.toMatchObject({ kind: 'unavailable' });
    inventory.answers(StockDemand, () => held(1, false, { reserved: '4' }));
    expect(await place()).toMatchObject({ status: 'created', version: 1 });
    const asked = inventory.calls.filter(({ pattern }) => pattern === 'stock.demand');
    expect(asked.map(({ request }) => request['sequence'])).toEqual([1, 1, 1]);
    expect(await said()).toHaveLength(1);
  });

  it('leaves no order when it is refused after all, and the next attempt continues the count', async () => {
    inventory.answers(StockDemand, silent);
    await expect(place()).rejects.toMatchObject({ kind: 'unavailable' });
    await sayFailed(1);
    await expect(get()).rejects.toMatchObject({ code: 'ORDER_NOT_FOUND' });
    expect((await call(OrderList, {})).items).toEqual([]);
    inventory.answers(StockDemand, () => refused(2));
    await expect(place({ lines: [{ itemId: 'b', quantity: '4' }] })).rejects.toMatchObject({
      code: 'INSUFFICIENT_STOCK',
      details: { lines: [short], discrepancyIds: [], alternatives: [] },
    });
    await sayFailed(2);
    inventory.answers(StockDemand, () => held(3, false, { reserved: '4' }));
    expect(await place()).toMatchObject({ status: 'created', version: 1, lines: [{ itemId: 'a' }] });
    await sayFailed(2);
    expect(await get()).toMatchObject({ status: 'created', version: 1 });
    expect((await said()).map((event) => event.sequence)).toEqual([1, 2, 3]);
    const { items } = await call(OrderEventList, { orderId: 'o' });
    expect(items.map(({ type, details }) => [type, details['sequence'], details['shortLines']])).toEqual([
      ['order_created', 3, undefined],
      ['order_refused', 2, [short]],
      ['order_refused', 1, [short]],
    ]);
  });

  it('settles what is outstanding before anything else', async () => {
    inventory.answers(StockDemand, silent);
    await expect(place()).rejects.toMatchObject({ kind: 'unavailable' });
    const asked: unknown[] = [];
    inventory.answers(StockDemand, ({ sequence, firm = false }) => {
      asked.push([sequence, firm]);
      return held(sequence!, firm, { reserved: '4' });
    });
    expect(await call(OrderConfirm, { orderId: 'o' })).toMatchObject({ status: 'confirmed', version: 2 });
    expect(asked).toEqual([
      [1, false],
      [2, true],
    ]);
  });

  it('makes one order of two requests at the same time', async () => {
    inventory.answers(StockDemand, async () => {
      await delay(50);
      return held(1, false, { reserved: '4' });
    });
    const both = await Promise.all([place(), place()]);
    expect(both.map(({ orderId, status, version }) => [orderId, status, version])).toEqual([
      ['o', 'created', 1],
      ['o', 'created', 1],
    ]);
    expect(await said()).toHaveLength(1);
  });

  it('answers in time for its own caller', async () => {
    inventory.answers(StockDemand, async () => {
      await delay(3_000);
      return held(1, false, { reserved: '4' });
    });
    const client = new RpcClient(service.delivery);
    const request = { orgId, orderId: 'o', customerId: 'c', lines: [{ itemId: 'a', quantity: '4' }] };
    await expect(client.call(OrderCreate, request, { timeoutMs: 1_500 })).rejects.toMatchObject({ details: { orderId: 'o' } });
  });
});

describe('what inventory cannot be told', () => {
  const unreadable = () => {
    throw invalid('lines must NOT have more than 1000 items', [{ path: 'lines', message: 'must NOT have more than 1000 items' }]);
  };
  const ship = () => call(ShipmentCreate, { orderId: 'o', shipmentId: 's', lines: [{ lineNo: 1, quantity: '4' }] });

  it('is never committed', async () => {
    await place();
    // As a rule that forgot it would have let it pass.
    await service.database.rows('update orders.order_line set line_no = 1000001 where org_id = $1', [orgId]);
    await expect(call(OrderConfirm, { orderId: 'o' })).rejects.toMatchObject({
      kind: 'invalid',
      code: 'VALIDATION_FAILED',
      details: { errors: [{ path: 'lines.0.lineNo' }] },
    });
    expect((await said()).map(({ type }) => type)).toEqual(['OrderPlaced']);
    inventory.answers(StockDemand, () => held(2, false, { closed: '4' }));
    expect(await call(OrderCancel, { orderId: 'o' })).toMatchObject({ status: 'cancelled' });
  });

  it('is over when inventory says so, and the order is what it was', async () => {
    await place();
    inventory.answers(StockDemand, () => held(2, true, { reserved: '4' }));
    const confirmed = await call(OrderConfirm, { orderId: 'o' });
    inventory.answers(StockShip, unreadable);
    await expect(ship()).rejects.toMatchObject({ kind: 'invalid', details: { errors: [{ path: 'lines' }] } });
    expect(await get()).toMatchObject({ status: 'confirmed', shipments: [], lines: confirmed.lines });
    const { items } = await call(OrderEventList, { orderId: 'o' });
    expect(items[0]).toMatchObject({
      type: 'shipment_refused',
      details: { shipmentId: 's', detail: expect.stringContaining('1000 items') },
    });

    // One that waits since before is ended by the sweep, and the next one goes its way.
    inventory.answers(StockShip, silent);
    await expect(ship()).rejects.toMatchObject({ kind: 'unavailable' });
    inventory.answers(StockShip, unreadable);
    await askAgain(service);
    expect(await call(ShipmentGet, { shipmentId: 's' })).toMatchObject({ status: 'refused' });
    inventory.answers(StockDemand, () => held(3, true, { closed: '4' }));
    expect(await call(OrderCancel, { orderId: 'o' })).toMatchObject({ status: 'cancelled' });
  });
});

it('what happened to an order is told without lines and snapshots of warehouses in which the reader does not work', async () => {
  const availabilitySnapshot = ['main', 'side'].map((warehouseId) => ({ warehouseId, itemId: 'a', onHand: '1' }));
  const lines = [{ lineNo: 1, itemId: 'a', warehouseId: 'side', quantity: '3' }];
  const magnitudes = { quantity: '3', percent: '300', value: null };
  const override = { kind: 'order_override' as const, magnitudes, lines, availabilitySnapshot };
  inventory.answers(StockDemand, ({ pendingApproval }) =>
    pendingApproval === true ? held(2, false, { unheld: '4' }) : { ...refused(1), override },
  );
  await place();
  const seenBy = async (warehouses: string[] | null) => {
    const actor = { roles: ['auditor' as const], warehouses };
    const [trail, ofOrder] = await Promise.all([
      service.call(AuditLists.orders, { orgId, type: 'order_blocked' }, actor),
      service.call(OrderEventList, { orgId, orderId: 'o' }, actor),
    ]);
    const { details } = trail.items[0]!;
    expect(ofOrder.items.find(({ type }) => type === 'order_blocked')!.details).toEqual(details);
    return [details['availabilitySnapshot'], details['shortLines'], details['magnitudes']];
  };
  expect(await seenBy(null)).toEqual([availabilitySnapshot, [short], magnitudes]);
  expect(await seenBy(['side'])).toEqual([[availabilitySnapshot[1]], [], magnitudes]);
  expect(await seenBy([])).toEqual([[], [], magnitudes]);
});

describe('shipments and returns', () => {
  const ship = () => call(ShipmentCreate, { orderId: 'o', shipmentId: 's', lines: [{ lineNo: 1, quantity: '4' }] });
  const shipped = { ...hold, cogs: null };

  beforeEach(async () => {
    await place();
    inventory.answers(StockDemand, () => held(2, true, { reserved: '4' }));
    await call(OrderConfirm, { orderId: 'o' });
  });

  it('keeps a refused shipment out of the order, and its id free', async () => {
    inventory.answers(StockShip, silent);
    await expect(ship()).rejects.toMatchObject({ kind: 'unavailable', details: { orderId: 'o', shipmentId: 's' } });
    expect(await get()).toMatchObject({ status: 'confirmed', shipments: [{ shipmentId: 's', status: 'pending' }] });
    await say(StockDepletionFailed, 3, {
      ...{ shipmentId: 's', reason: 'INSUFFICIENT_STOCK', lines: [short], discrepancyIds: [] },
      stock: [stockLine({ reserved: '4' })],
    });
    expect(await get()).toMatchObject({ status: 'confirmed', shipments: [] });
    expect(await call(ShipmentGet, { shipmentId: 's' })).toMatchObject({ status: 'refused' });
    inventory.answers(StockShip, () => ({
      status: 'done' as const,
      sequence: 4,
      stock: [stockLine({ fulfilled: '4' })],
      lines: [shipped],
      cogsTotal: null,
    }));
    expect(await ship()).toMatchObject({ status: 'posted', lines: [{ warehouseId: 'main' }] });
    expect(await ship()).toMatchObject({ status: 'posted' });
    expect(await get()).toMatchObject({ status: 'shipped', shipments: [{ status: 'posted' }] });
  });

  it('asks again for the answer that no event brings', async () => {
    inventory.answers(StockShip, () => ({
      status: 'done' as const,
      sequence: 3,
      stock: [stockLine({ fulfilled: '4' })],
      lines: [shipped],
      cogsTotal: null,
    }));
    await ship();
    await call(ReturnCreate, { orderId: 'o', returnId: 'r', lines: [{ lineNo: 1, quantity: '1', condition: 'unknown', reason: 'no' }] });
    const returned = { ...hold, quantity: '1', quality: 'pending_inspection', unitCost: null, balanceAfter: '1' };
    const stock = [stockLine({ fulfilled: '4', returned: '1' })];
    inventory.answers(StockReturn, silent);
    await expect(call(ReturnReceive, { returnId: 'r' })).rejects.toMatchObject({ details: { returnId: 'r' } });
    await say(StockReturned, 4, { returnId: 'r', lines: [returned], stock });
    expect(await call(ReturnGet, { returnId: 'r' })).toMatchObject({ status: 'received', refundTotal: null });

    inventory.answers(StockInspect, silent);
    const inspect = { returnId: 'r', lines: [{ lineNo: 1, quantity: '1', verdict: 'available' as const }] };
    await expect(call(ReturnInspect, inspect)).rejects.toMatchObject({ kind: 'unavailable' });
    inventory.answers(StockInspect, () => ({ status: 'done' as const, sequence: 5, stock, lines: [returned] }));
    await askAgain(service);
    expect(await call(ReturnGet, { returnId: 'r' })).toMatchObject({ status: 'completed', refundTotal: '2' });
  });
});

describe('the tables', () => {
  it('keep organisations apart that use the same ids', async () => {
    const other = `${orgId}-other`;
    await place({ customerId: 'ours' });
    await place({ customerId: 'theirs' }, other);
    expect(await get()).toMatchObject({ customerId: 'ours' });
    expect((await call(OrderList, {}, other)).items).toMatchObject([{ customerId: 'theirs' }]);
    await expect(call(OrderGet, { orderId: 'o' }, 'nobody')).rejects.toMatchObject({ code: 'ORDER_NOT_FOUND' });
    await sayReserved(9, true);
    expect(await call(OrderGet, { orderId: 'o' }, other)).toMatchObject({ version: 1 });
  });

  it('hide every row from a transaction of another organisation', async () => {
    await place();
    const database = await service.database.open('orders');
    const tables = await service.database.rows<{ name: string }>(
      `select c.relname as name from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'org_id'
        where c.relkind = 'r' and c.relnamespace = 'orders'::regnamespace`,
    );
    expect(tables.length).toBeGreaterThanOrEqual(7);
    for (const { name } of tables.filter((table) => !['outbox', 'inbox', 'parked_message'].includes(table.name))) {
      const seen = await database.transaction(['nobody'], (tx) => tx.rows(`select 1 from ${name}`));
      expect([name, seen.length]).toEqual([name, 0]);
    }
  });

  it('take no change and no removal of the record', async () => {
    await place();
    const database = await service.database.open('orders');
    for (const text of [
      `update audit_event set type = 'x'`,
      'delete from audit_event',
      'truncate audit_event',
      'delete from customer_order',
    ]) {
      await expect(database.transaction([orgId], (tx) => tx.execute(text))).rejects.toMatchObject({ code: '42501' });
    }
  });

  it('are not reached by what is said of other systems’ orders', async () => {
    await sayReserved(1);
    expect(await service.database.rows(`select 1 from orders.customer_order where org_id = $1`, [orgId])).toEqual([]);
  });
});
