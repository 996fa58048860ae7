import type { Actor } from '#libs/auth';
import {
  AuditLists,
  AvailabilityGet,
  type CallDefinition,
  ItemCreate,
  OrderCancel,
  OrderConfirm,
  OrderCreate,
  OrderEventList,
  OrderGet,
  OrderList,
  OrderPack,
  OrderPick,
  OrderUpdate,
  PickListGet,
  ReceiptPost,
  type RequestOf,
  ReservationList,
  type ResponseOf,
  ReturnCancel,
  ReturnCreate,
  ReturnGet,
  ReturnInspect,
  ReturnList,
  ReturnReceive,
  SettingsUpdate,
  ShipmentCancel,
  ShipmentCreate,
  ShipmentGet,
  WarehouseCreate,
} from '#libs/contracts';
import { HoldfastError } from '#libs/domain';
import { StockAndOrders } from './support/stock-and-orders.js';

let running: StockAndOrders;
let org = 0;
let orgId: string;

beforeAll(async () => {
  running = await StockAndOrders.start();
});
afterAll(() => running.stop());

const call = <D extends CallDefinition>(definition: D, request: RequestOf<D>, actor: Partial<Actor> = {}): Promise<ResponseOf<D>> =>
  running.call(definition, Object.assign({}, request, { orgId }), actor);

/** A new organisation with two warehouses, and `a` at 10 and `b` at 10 in the first. */
beforeEach(async () => {
  orgId = `org-${++org}`;
  await call(WarehouseCreate, { warehouseId: 'main', name: 'Main', priority: 1 });
  await call(WarehouseCreate, { warehouseId: 'side', name: 'Side', priority: 2 });
  await call(ItemCreate, { itemId: 'a', name: 'Apple', unitPrice: '1.25', currency: 'EUR' });
  await call(ItemCreate, { itemId: 'b', name: 'Bread' });
  await receive('a', '10');
  await receive('b', '10');
});

async function receive(itemId: string, quantity: string): Promise<void> {
  await call(ReceiptPost, { warehouseId: 'main', lines: [{ itemId, quantity, unitCost: '1' }] });
}

async function available(itemId: string): Promise<string> {
  return (await call(AvailabilityGet, { items: [{ itemId, warehouseId: 'main' }] })).items[0]!.available;
}

const place = (request: Partial<RequestOf<typeof OrderCreate>> = {}) =>
  call(OrderCreate, { customerId: 'c', lines: [{ itemId: 'a', quantity: '4' }], ...request });
const audit = async (orderId: string) => (await call(AuditLists.orders, { orderId })).items.map((event) => event.type).reverse();

it('goes through the life of an order, from the basket to the return', async () => {
  const placed = await place({
    lines: [
      { itemId: 'a', quantity: '4' },
      { itemId: 'b', quantity: '2.5' },
    ],
  });
  expect(placed).toMatchObject({ status: 'created', version: 1, stockReserved: true, confirmedAt: null, currency: 'EUR' });
  expect(placed.estimatedShipDate).toBe(new Date().toISOString().slice(0, 10));
  expect(placed.lines).toMatchObject([
    { lineNo: 1, reservedQuantity: '4', unitPrice: '1.25', allocations: [{ warehouseId: 'main', lot: null, quantity: '4' }] },
    { lineNo: 2, reservedQuantity: '2.5', unitPrice: null },
  ]);
  expect(await available('a')).toBe('6');

  const { orderId } = placed;
  const confirmed = await call(OrderConfirm, { orderId });
  expect(confirmed).toMatchObject({ status: 'confirmed', expiresAt: null, stockReserved: true });
  expect(confirmed.confirmedAt).not.toBeNull();
  expect(await call(OrderConfirm, { orderId })).toEqual(confirmed);

  const { lines: pickList } = await call(PickListGet, { orderId });
  expect(pickList).toMatchObject([
    { lineNo: 1, itemId: 'a', name: 'Apple', warehouseId: 'main', quantity: '4' },
    { lineNo: 2, itemId: 'b', quantity: '2.5' },
  ]);
  expect(await call(OrderPick, { orderId })).toMatchObject({
    status: 'picking',
    lines: [{ pickedQuantity: '4' }, { pickedQuantity: '2.5' }],
  });
  expect(await call(OrderPack, { orderId, lines: [{ lineNo: 1, quantity: '3' }] })).toMatchObject({
    status: 'packed',
    lines: [{ packedQuantity: '3' }, { packedQuantity: null }],
  });

  const shipment = await call(ShipmentCreate, { orderId, shipmentId: 's1', trackingNumber: 'T', lines: [{ lineNo: 1, quantity: '3' }] });
  expect(shipment).toMatchObject({
    shipmentId: 's1',
    status: 'posted',
    lines: [{ lineNo: 1, quantity: '3', warehouseId: 'main', cogs: '3' }],
  });
  expect(await call(ShipmentGet, { shipmentId: 's1' })).toEqual(shipment);
  expect(await call(OrderGet, { orderId })).toMatchObject({
    status: 'partially_shipped',
    lines: [{ fulfilledQuantity: '3', reservedQuantity: '1', allocations: [{ quantity: '1' }] }, { reservedQuantity: '2.5' }],
    shipments: [{ shipmentId: 's1' }],
  });
  await call(ShipmentCreate, {
    orderId,
    lines: [
      { lineNo: 1, quantity: '1' },
      { lineNo: 2, quantity: '2.5' },
    ],
  });
  expect(await call(OrderGet, { orderId })).toMatchObject({ status: 'shipped' });

  const authorised = await call(ReturnCreate, {
    orderId,
    returnId: 'r1',
    lines: [
      { lineNo: 1, quantity: '2', condition: 'resellable', reason: 'wrong size' },
      { lineNo: 1, quantity: '1', condition: 'damaged', reason: 'broken' },
    ],
  });
  expect(authorised).toMatchObject({ status: 'authorised', refundTotal: null, lines: [{ refund: '2.5' }, { refund: '1.25' }] });
  await expect(
    call(ReturnCreate, { orderId, lines: [{ lineNo: 1, quantity: '2', condition: 'unknown', reason: '' }] }),
  ).rejects.toMatchObject({ kind: 'rejected', code: 'ORDER_VALIDATION' });
  const received = await call(ReturnReceive, { returnId: 'r1' });
  expect(received).toMatchObject({
    status: 'received',
    warehouseId: 'main',
    lines: [{ receivedQuantity: '2' }, { receivedQuantity: '1' }],
  });
  expect(await call(ReturnReceive, { returnId: 'r1' })).toEqual(received);
  await expect(call(ReturnReceive, { returnId: 'r1', warehouseId: 'side' })).rejects.toMatchObject({ code: 'INVALID_STATE' });
  expect(await call(OrderGet, { orderId })).toMatchObject({ lines: [{ returnedQuantity: '3' }, {}] });
  expect(await available('a')).toBe('6');

  expect(await call(ReturnInspect, { returnId: 'r1', lines: [{ lineNo: 1, quantity: '2', verdict: 'available' }] })).toMatchObject({
    status: 'partially_inspected',
    refundTotal: '2.5',
  });
  const inspected = await call(ReturnInspect, { returnId: 'r1', lines: [{ lineNo: 1, quantity: '1', verdict: 'scrap', note: 'flat' }] });
  expect(inspected).toMatchObject({
    status: 'completed',
    refundTotal: '3.75',
    lines: [{}, { verdicts: [{ verdict: 'scrap', note: 'flat' }] }],
  });
  expect(await available('a')).toBe('8');
  expect(await call(ReturnGet, { returnId: 'r1' })).toEqual(inspected);
  expect((await call(ReturnList, { orderId })).items).toEqual([inspected]);

  expect(await audit(orderId)).toEqual([
    'order_created',
    'order_confirmed',
    'order_picked',
    'order_packed',
    'shipment_posted',
    'shipment_posted',
    'return_authorised',
    'return_received',
    'return_inspected',
    'return_inspected',
  ]);
});

it('holds what was picked, where it was picked; what was missing is held elsewhere or waits, and is on record', async () => {
  await running.database.rows(`insert into inventory.item (org_id, item_id, name, tracking) values ($1, 'milk', 'Milk', 'lot')`, [orgId]);
  for (const [lot, expiresAt] of [
    ['feb', '2090-02-01T00:00:00Z'],
    ['march', '2090-03-01T00:00:00Z'],
  ] as const) {
    await call(ReceiptPost, { warehouseId: 'main', lines: [{ itemId: 'milk', quantity: '5', unitCost: '1', lot, expiresAt }] });
  }
  const { orderId } = await place({
    lines: [
      { itemId: 'milk', quantity: '5' },
      { itemId: 'a', quantity: '4' },
    ],
  });
  await call(OrderConfirm, { orderId });
  expect((await call(PickListGet, { orderId })).lines).toMatchObject([
    { lineNo: 1, lot: 'feb', location: 'default', quantity: '5', expiresAt: '2090-02-01T00:00:00.000Z' },
    { lineNo: 2, lot: null, quantity: '4' },
  ]);
  const lines = [
    {
      lineNo: 1,
      quantity: '4',
      lots: [
        { lot: 'march', quantity: '3' },
        { lot: 'feb', quantity: '1' },
      ],
    },
    { lineNo: 2, quantity: '3' },
  ];
  const rehearsed = await call(OrderPick, { orderId, lines, dryRun: true });
  expect(rehearsed).toMatchObject({
    status: 'picking',
    lines: [{ pickedQuantity: '4' }, { pickedQuantity: '3', backorderedQuantity: '1' }],
  });
  expect(await call(OrderGet, { orderId })).toMatchObject({ status: 'confirmed', lines: [{ pickedQuantity: null }, {}] });
  const picked = await call(OrderPick, { orderId, lines });
  expect(picked.lines).toMatchObject([
    {
      pickedQuantity: '4',
      reservedQuantity: '5',
      allocations: [
        { lot: 'feb', quantity: '1' },
        { lot: 'march', quantity: '4' },
      ],
    },
    { pickedQuantity: '3' },
  ]);
  expect((await call(PickListGet, { orderId })).lines).toMatchObject([
    { lineNo: 1, lot: 'feb', quantity: '1' },
    { lineNo: 1, lot: 'march', quantity: '4' },
    { lineNo: 2 },
  ]);
  const unknown = [{ lineNo: 1, quantity: '5', lots: [{ lot: 'july', quantity: '5' }] }];
  await expect(call(OrderPick, { orderId, lines: unknown })).rejects.toMatchObject({ code: 'LOT_NOT_FOUND' });
  expect(await call(ShipmentCreate, { orderId, lines: [{ lineNo: 1, quantity: '5' }] })).toMatchObject({
    lines: [
      { lot: 'feb', quantity: '1' },
      { lot: 'march', quantity: '4' },
    ],
  });
  const events = (await call(AuditLists.orders, { orderId })).items;
  expect(events.map(({ type }) => type).reverse()).toEqual([
    'order_created',
    'order_confirmed',
    'order_picked',
    'pick_shortage',
    'order_pick_refused',
    'shipment_posted',
  ]);
  expect(events.find(({ type }) => type === 'pick_shortage')?.details).toMatchObject({
    shortages: [
      { lineNo: 1, itemId: 'milk', warehouseId: 'main', lot: 'feb', location: 'default', missing: '1' },
      { lineNo: 2, itemId: 'a', lot: null, missing: '1' },
    ],
  });
});

it('refuses what is short with what could be had, and leaves no order', async () => {
  const refused = place({
    orderId: 'o',
    lines: [
      { itemId: 'a', quantity: '6' },
      { itemId: 'a', quantity: '5' },
    ],
  });
  await expect(refused).rejects.toMatchObject({
    kind: 'conflict',
    code: 'INSUFFICIENT_STOCK',
    details: {
      lines: [{ lineNo: 2, itemId: 'a', requested: '5', available: '4' }],
      discrepancyIds: [expect.any(String)],
      alternatives: [],
    },
  });
  await expect(call(OrderGet, { orderId: 'o' })).rejects.toMatchObject({ code: 'ORDER_NOT_FOUND' });
  expect((await call(OrderList, {})).items).toEqual([]);
  expect(await available('a')).toBe('10');
  const { items } = await call(OrderEventList, { orderId: 'o' });
  expect(items).toMatchObject([
    { type: 'order_refused', actor: 'tester', details: { reason: 'INSUFFICIENT_STOCK', shortLines: [{ lineNo: 2, available: '4' }] } },
  ]);

  // The id is free: another attempt, with another body, continues the count.
  expect(await place({ orderId: 'o' })).toMatchObject({ orderId: 'o', status: 'created', version: 1 });
  expect(await place({ orderId: 'o' })).toMatchObject({ orderId: 'o', status: 'created', version: 1 });
  await expect(place({ orderId: 'o', note: 'other' })).rejects.toMatchObject({ code: 'ALREADY_EXISTS' });
  expect(await available('a')).toBe('6');
});

it('changes lines as a whole or not at all', async () => {
  const { orderId } = await place({
    lines: [
      { itemId: 'a', quantity: '8' },
      { itemId: 'b', quantity: '1' },
    ],
  });
  await expect(call(OrderUpdate, { orderId, lines: [{ lineNo: 1, itemId: 'a', quantity: '11' }] })).rejects.toMatchObject({
    code: 'INSUFFICIENT_STOCK',
    details: { lines: [{ lineNo: 1, requested: '11', available: '2' }] },
  });
  expect(await call(OrderGet, { orderId })).toMatchObject({ version: 1, lines: [{ quantity: '8' }, { quantity: '1' }] });

  // Its own hold does not stand in its way.
  const update = {
    orderId,
    ifVersion: 1,
    lines: [
      { lineNo: 1, itemId: 'a', quantity: '10' },
      { itemId: 'b', quantity: '2' },
    ],
  };
  const updated = await call(OrderUpdate, update);
  expect(updated).toMatchObject({
    version: 2,
    lines: [
      { lineNo: 1, quantity: '10', reservedQuantity: '10', unitPrice: '1.25' },
      { lineNo: 3, itemId: 'b', quantity: '2' },
    ],
  });
  await expect(call(OrderUpdate, update)).rejects.toMatchObject({ kind: 'precondition', code: 'VERSION_MISMATCH' });
  expect(await available('a')).toBe('0');
  expect(await available('b')).toBe('8');
});

it('fills what waits, and closes what is cancelled', async () => {
  const { orderId } = await place({ reservationMode: 'partial', lines: [{ itemId: 'a', quantity: '12' }] });
  expect(await call(OrderConfirm, { orderId })).toMatchObject({
    status: 'confirmed',
    stockReserved: false,
    estimatedShipDate: null,
    lines: [{ reservedQuantity: '10', backorderedQuantity: '2' }],
  });
  await call(ShipmentCreate, { orderId, lines: [{ lineNo: 1, quantity: '4' }] });
  await receive('a', '1');
  await eventually(async () =>
    expect(await call(OrderGet, { orderId })).toMatchObject({
      lines: [{ reservedQuantity: '7', backorderedQuantity: '1', fulfilledQuantity: '4' }],
    }),
  );
  expect(await call(OrderCancel, { orderId, reason: 'enough' })).toMatchObject({
    status: 'shipped',
    cancelReason: 'enough',
    lines: [{ reservedQuantity: '0', backorderedQuantity: '0', fulfilledQuantity: '4', closedQuantity: '8' }],
  });
  expect(await call(OrderCancel, { orderId })).toMatchObject({ status: 'shipped' });
  expect(await available('a')).toBe('7');

  const other = await place();
  expect(await call(OrderCancel, { orderId: other.orderId })).toMatchObject({ status: 'cancelled', stockReserved: false });
  expect(await call(OrderCancel, { orderId: other.orderId })).toMatchObject({ status: 'cancelled' });
  await expect(call(OrderConfirm, { orderId: other.orderId })).rejects.toMatchObject({ code: 'INVALID_STATE' });
  await expect(call(ShipmentCreate, { orderId: other.orderId, lines: [{ lineNo: 1, quantity: '1' }] })).rejects.toMatchObject({
    code: 'INVALID_STATE',
  });
});

it('ships and takes back no more than there is, however many try at once', async () => {
  const { orderId } = await place();
  await call(OrderConfirm, { orderId });
  const settled = async (tries: Promise<unknown>[]) =>
    (await Promise.allSettled(tries)).map((result) => (result.status === 'fulfilled' ? 'done' : codeOf(result.reason)));
  const shipped = await settled(Array.from({ length: 7 }, () => call(ShipmentCreate, { orderId, lines: [{ lineNo: 1, quantity: '1' }] })));
  expect(shipped.filter((outcome) => outcome === 'done')).toHaveLength(4);
  expect(new Set(shipped)).toEqual(new Set(['done', 'INVALID_STATE']));
  expect(await call(OrderGet, { orderId })).toMatchObject({ status: 'shipped', lines: [{ fulfilledQuantity: '4' }] });

  const line = { lineNo: 1, quantity: '1', condition: 'unknown' as const, reason: 'no' };
  const returned = await settled(Array.from({ length: 7 }, () => call(ReturnCreate, { orderId, lines: [line] })));
  expect(returned.filter((outcome) => outcome === 'done')).toHaveLength(4);
  expect(new Set(returned)).toEqual(new Set(['done', 'ORDER_VALIDATION']));
});

it('lets a soft hold expire, and holds again when it is confirmed', async () => {
  await call(SettingsUpdate, { softReservationTtlSeconds: 1 });
  const first = await place({ lines: [{ itemId: 'a', quantity: '6' }] });
  const second = await place({ lines: [{ itemId: 'b', quantity: '6' }] });
  expect(first.expiresAt).not.toBeNull();
  for (const { orderId } of [first, second]) {
    await eventually(
      async () => expect(await call(OrderGet, { orderId })).toMatchObject({ status: 'expired', stockReserved: false }),
      15_000,
    );
  }
  expect(await available('a')).toBe('10');
  expect(await call(OrderConfirm, { orderId: first.orderId })).toMatchObject({ status: 'confirmed', lines: [{ reservedQuantity: '6' }] });
  expect(await audit(first.orderId)).toEqual(['order_created', 'order_status_changed', 'order_confirmed']);

  await call(SettingsUpdate, { softReservationTtlSeconds: 1800 });
  await place({ lines: [{ itemId: 'b', quantity: '5' }] });
  await expect(call(OrderConfirm, { orderId: second.orderId })).rejects.toMatchObject({
    code: 'INSUFFICIENT_STOCK',
    details: { lines: [{ requested: '6', available: '5' }] },
  });
  expect(await call(OrderGet, { orderId: second.orderId })).toMatchObject({ status: 'expired' });
});

it('takes a shipment back, and holds its goods again', async () => {
  const { orderId } = await place();
  await call(OrderConfirm, { orderId });
  const { shipmentId } = await call(ShipmentCreate, { orderId, lines: [{ lineNo: 1, quantity: '4' }] });
  expect(await call(ShipmentCancel, { shipmentId, reason: 'never left' })).toMatchObject({ status: 'cancelled' });
  expect(await call(ShipmentCancel, { shipmentId, reason: 'never left' })).toMatchObject({ status: 'cancelled' });
  expect(await call(OrderGet, { orderId })).toMatchObject({
    status: 'confirmed',
    lines: [{ reservedQuantity: '4', fulfilledQuantity: '0', allocations: [{ warehouseId: 'main', quantity: '4' }] }],
  });
  expect((await call(ReservationList, { orderId, status: 'active' })).items).toHaveLength(1);
});

it('answers a dry run as the real one would, and changes nothing', async () => {
  expect(await place({ orderId: 'o', dryRun: true })).toMatchObject({ dryRun: true, orderId: 'o', status: 'created', version: 1 });
  await expect(place({ lines: [{ itemId: 'a', quantity: '11' }], dryRun: true })).rejects.toMatchObject({ code: 'INSUFFICIENT_STOCK' });
  await expect(call(OrderGet, { orderId: 'o' })).rejects.toMatchObject({ code: 'ORDER_NOT_FOUND' });
  await expect(call(OrderEventList, { orderId: 'o' })).rejects.toMatchObject({ code: 'ORDER_NOT_FOUND' });
  const { orderId } = await place();
  const before = await call(OrderGet, { orderId });
  expect(await call(OrderConfirm, { orderId, dryRun: true })).toMatchObject({ dryRun: true, status: 'confirmed', version: 2 });
  expect(await call(OrderCancel, { orderId, dryRun: true })).toMatchObject({ dryRun: true, status: 'cancelled' });
  expect(await call(OrderUpdate, { orderId, dryRun: true, lines: [{ lineNo: 1, itemId: 'a', quantity: '9' }] })).toMatchObject({
    dryRun: true,
    lines: [{ quantity: '9', reservedQuantity: '9' }],
  });
  expect(await call(OrderGet, { orderId })).toEqual(before);
  await call(OrderConfirm, { orderId });
  expect(await call(ShipmentCreate, { orderId, dryRun: true, lines: [{ lineNo: 1, quantity: '1' }] })).toMatchObject({
    dryRun: true,
    status: 'posted',
  });
  expect(await available('a')).toBe('6');
});

it('lets a price be set only by those who may', async () => {
  const lines = [{ itemId: 'a', quantity: '1', unitPrice: '1' }];
  await expect(call(OrderCreate, { customerId: 'c', lines }, { roles: ['sales'] })).rejects.toMatchObject({ kind: 'forbidden' });
  expect(await call(OrderCreate, { customerId: 'c', lines }, { roles: ['finance_manager'] })).toMatchObject({
    lines: [{ unitPrice: '1' }],
  });
  const same = [{ itemId: 'a', quantity: '1', unitPrice: '1.2500' }];
  expect(await call(OrderCreate, { customerId: 'c', lines: same }, { roles: ['sales'] })).toMatchObject({ lines: [{ unitPrice: '1.25' }] });
  await expect(place({ lines: [{ itemId: 'nothing', quantity: '1' }] })).rejects.toMatchObject({
    kind: 'not_found',
    code: 'ITEM_NOT_FOUND',
  });
});

it('lists orders newest first, page by page', async () => {
  const made = [];
  for (let n = 0; n < 5; n++) made.unshift((await place({ customerId: `c${n % 2}`, lines: [{ itemId: 'a', quantity: '1' }] })).orderId);
  const seen: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await call(OrderList, { limit: 2, ...(cursor === undefined ? {} : { cursor }) });
    seen.push(...page.items.map((order) => order.orderId));
    cursor = page.nextCursor ?? undefined;
  } while (cursor !== undefined);
  expect(seen).toEqual(made);
  expect((await call(OrderList, { customerId: 'c1' })).items).toHaveLength(2);
  expect((await call(OrderList, { status: 'confirmed' })).items).toEqual([]);
});

function codeOf(reason: unknown): string {
  return reason instanceof HoldfastError ? reason.code : String(reason);
}

async function eventually(check: () => Promise<void>, timeoutMs = 5_000): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

it('gives up a return that does not come, and what it was for can be returned again', async () => {
  const { orderId } = await place();
  await call(OrderConfirm, { orderId });
  const { shipmentId } = await call(ShipmentCreate, { orderId, lines: [{ lineNo: 1, quantity: '4' }] });
  const lines = [{ lineNo: 1, quantity: '4', condition: 'unknown' as const, reason: 'too sour' }];
  await call(ReturnCreate, { orderId, returnId: 'kept', lines });
  await expect(call(ShipmentCancel, { shipmentId, reason: 'x' })).rejects.toMatchObject({ code: 'INVALID_STATE' });
  expect(await call(ReturnCancel, { returnId: 'kept', dryRun: true })).toMatchObject({ status: 'cancelled', dryRun: true });
  const cancelled = await call(ReturnCancel, { returnId: 'kept', reason: 'eaten' });
  expect(cancelled).toMatchObject({ returnId: 'kept', status: 'cancelled' });
  expect(await call(ReturnCancel, { returnId: 'kept' })).toEqual(cancelled);
  expect((await call(ReturnList, { orderId, status: 'cancelled' })).items).toEqual([cancelled]);
  expect((await audit(orderId)).at(-1)).toBe('return_cancelled');
  await call(ReturnCreate, { orderId, returnId: 'again', lines });
  await call(ReturnReceive, { returnId: 'again' });
  await expect(call(ReturnCancel, { returnId: 'again' })).rejects.toMatchObject({ code: 'INVALID_STATE' });
});

it('takes back and orders whole pieces only, where they have serial numbers', async () => {
  await call(ItemCreate, { itemId: 'bike', name: 'Bike', tracking: 'serial' });
  const lines = ['s1', 's2'].map((lot) => ({ itemId: 'bike', quantity: '1', unitCost: '1', lot }));
  await call(ReceiptPost, { warehouseId: 'main', lines });
  const rule = { code: 'ORDER_VALIDATION', message: expect.stringContaining('whole pieces') };
  await expect(place({ lines: [{ itemId: 'bike', quantity: '1.5' }] })).rejects.toMatchObject(rule);
  const { orderId } = await place({ lines: [{ itemId: 'bike', quantity: '2' }] });
  await call(OrderConfirm, { orderId });
  await call(ShipmentCreate, { orderId, lines: [{ lineNo: 1, quantity: '2' }] });
  const back = [{ lineNo: 1, quantity: '0.5', condition: 'unknown' as const, reason: 'half of it' }];
  await expect(call(ReturnCreate, { orderId, lines: back })).rejects.toMatchObject(rule);
});
