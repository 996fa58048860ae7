import { randomUUID } from 'node:crypto';
import {
  AvailabilityGet,
  type CallDefinition,
  ItemCreate,
  LedgerList,
  OrderConfirm,
  OrderCreate,
  OrderGet,
  OrderPick,
  ReceiptPost,
  type RequestOf,
  ReservationList,
  type ResponseOf,
  ReturnCreate,
  ReturnInspect,
  ReturnReceive,
  ShipmentCancel,
  ShipmentCreate,
  WarehouseCreate,
} from '#libs/contracts';
import { disagreements, stockViolations } from './support/check-stock.js';
import { eventually } from './support/eventually.js';
import { StockAndOrders } from './support/stock-and-orders.js';

const DAY_MS = 86_400_000;
const inDays = (days: number) => new Date(Date.now() + days * DAY_MS).toISOString();

let running: StockAndOrders;
let orgId: string;

beforeAll(async () => {
  running = await StockAndOrders.start();
});
afterAll(() => running.stop());

beforeEach(async () => {
  orgId = `org-${randomUUID()}`;
  await call(WarehouseCreate, { warehouseId: 'main', name: 'Main' });
  await call(ItemCreate, { itemId: 'milk', name: 'Milk', tracking: 'lot', minRemainingShelfLifeDays: 3 });
});

afterEach(async () => {
  expect(await stockViolations(running.database)).toEqual([]);
  await eventually(async () => (await disagreements(running.database)).length === 0);
  expect(await disagreements(running.database)).toEqual([]);
});

const call = <D extends CallDefinition>(definition: D, request: RequestOf<D>): Promise<ResponseOf<D>> =>
  running.call(definition, Object.assign({}, request, { orgId }));

const receive = (lot: string, quantity: string, unitCost: string, expiresAt?: string) =>
  call(ReceiptPost, {
    warehouseId: 'main',
    lines: [{ itemId: 'milk', quantity, unitCost, lot, ...(expiresAt === undefined ? {} : { expiresAt }) }],
  });
const availability = async (more: Partial<RequestOf<typeof AvailabilityGet>> = {}) =>
  (await call(AvailabilityGet, { items: [{ itemId: 'milk', warehouseId: 'main' }], ...more })).items[0]!;
const allocations = async (orderId: string) => (await call(OrderGet, { orderId })).lines[0]!.allocations;

describe('an item with lots', () => {
  it('is promised, held and shipped first expired first out, each shipment at the cost of its layers', async () => {
    await receive('later', '5', '3', inDays(90));
    await receive('sooner', '5', '2', inDays(30));
    await receive('too-old', '5', '1', inDays(2));
    expect(await availability()).toMatchObject({ onHand: '15', expiredOrTooOld: '5', available: '10' });
    expect(await availability({ minRemainingShelfLifeDays: 60 })).toMatchObject({ expiredOrTooOld: '10', available: '5' });

    const { orderId } = await call(OrderCreate, { customerId: 'c', lines: [{ itemId: 'milk', quantity: '7' }] });
    expect(await allocations(orderId)).toEqual([
      { warehouseId: 'main', lot: 'sooner', quantity: '5' },
      { warehouseId: 'main', lot: 'later', quantity: '2' },
    ]);
    const refused = call(OrderCreate, { customerId: 'c', lines: [{ itemId: 'milk', quantity: '4' }] });
    await expect(refused).rejects.toMatchObject({ code: 'INSUFFICIENT_STOCK', details: { lines: [{ available: '3' }] } });

    const keeping = await call(OrderCreate, { customerId: 'c', minRemainingShelfLifeDays: 60, lines: [{ itemId: 'milk', quantity: '1' }] });
    expect(await allocations(keeping.orderId)).toMatchObject([{ lot: 'later' }]);
    await call(OrderConfirm, { orderId: keeping.orderId });
    expect(await allocations(keeping.orderId)).toMatchObject([{ lot: 'later', quantity: '1' }]);

    await call(OrderConfirm, { orderId });
    // First in, first out: what was received first is what the goods cost, whatever lot they are of.
    const shipment = await call(ShipmentCreate, { orderId, lines: [{ lineNo: 1, quantity: '7' }] });
    expect(shipment.lines.map(({ lot, quantity, cogs }) => [lot, quantity, cogs])).toEqual([
      ['sooner', '5', '15'],
      ['later', '2', '4'],
    ]);
    expect(shipment.cogsTotal).toBe('19');
    const { items } = await call(LedgerList, { itemId: 'milk' });
    expect(items.slice(0, 2).map(({ lot, quantityDelta, valueDelta }) => [lot, quantityDelta, valueDelta])).toEqual([
      ['later', '-2', '-4'],
      ['sooner', '-5', '-15'],
    ]);
    expect(await availability()).toMatchObject({ onHand: '8', expiredOrTooOld: '5', available: '2' });
  });

  it('is not picked of a lot that is too old for it, and the picker is told why', async () => {
    await receive('old', '5', '1', inDays(2));
    await receive('new', '5', '1', inDays(30));
    await call(OrderCreate, { orderId: 'o', customerId: 'c', lines: [{ itemId: 'milk', quantity: '4' }] });
    await call(OrderConfirm, { orderId: 'o' });
    const pick = (lot: string) => call(OrderPick, { orderId: 'o', lines: [{ lineNo: 1, quantity: '4', lots: [{ lot, quantity: '4' }] }] });
    await expect(pick('old')).rejects.toMatchObject({
      kind: 'conflict',
      code: 'INSUFFICIENT_STOCK',
      message: expect.stringMatching(/^Of line 1 lot old expires at .*; it wants lots that live until .* at least\.$/),
    });
    expect(await pick('new')).toMatchObject({ status: 'picking' });
  });

  it('leaves by the lot that was really taken, and comes back at the cost it left with', async () => {
    await receive('old', '4', '2', inDays(30));
    await receive('new', '4', '5', inDays(90));
    const { orderId } = await call(OrderCreate, { customerId: 'c', lines: [{ itemId: 'milk', quantity: '4' }] });
    await call(OrderConfirm, { orderId });
    expect(await allocations(orderId)).toMatchObject([{ lot: 'old', quantity: '4' }]);

    const lots = [
      { lot: 'new', quantity: '1' },
      { lot: 'old', quantity: '1' },
    ];
    const shipment = await call(ShipmentCreate, { orderId, lines: [{ lineNo: 1, quantity: '2', lots }] });
    expect(shipment.lines.map(({ lot, cogs }) => [lot, cogs])).toEqual([
      ['new', '2'],
      ['old', '2'],
    ]);
    // Where the rest is held is told by an event, because another lot left than was held.
    await eventually(async () => (await allocations(orderId)).length > 0);
    expect(await allocations(orderId)).toEqual([{ warehouseId: 'main', lot: 'old', quantity: '2' }]);
    const held = await call(ReservationList, { orderId, status: 'active' });
    expect(held.items).toMatchObject([{ lot: 'old' }]);

    const back = [{ lineNo: 1, quantity: '1', lot: 'new', condition: 'resellable' as const, reason: '' }];
    const { returnId } = await call(ReturnCreate, { orderId, lines: back });
    await call(ReturnReceive, { returnId });
    await call(ReturnInspect, { returnId, lines: [{ lineNo: 1, quantity: '1', lot: 'new', verdict: 'available' }] });
    const { items } = await call(LedgerList, { itemId: 'milk', refType: 'return' });
    expect(items.at(-1)).toMatchObject({ lot: 'new', quality: 'pending_inspection', unitCost: '2', valueDelta: '2' });
    await expect(call(ShipmentCancel, { shipmentId: shipment.shipmentId, reason: 'x' })).rejects.toMatchObject({ code: 'INVALID_STATE' });
  });

  it('is where it was, at its cost and held again, when its shipment is taken back', async () => {
    await receive('a', '3', '2', inDays(30));
    const before = await availability();
    const { orderId } = await call(OrderCreate, { customerId: 'c', lines: [{ itemId: 'milk', quantity: '3' }] });
    await call(OrderConfirm, { orderId });
    const { shipmentId } = await call(ShipmentCreate, { orderId, lines: [{ lineNo: 1, quantity: '3' }] });
    await call(ShipmentCancel, { shipmentId, reason: 'not collected' });
    expect(await allocations(orderId)).toEqual([{ warehouseId: 'main', lot: 'a', quantity: '3' }]);
    const { items } = await call(LedgerList, { itemId: 'milk' });
    expect(items[0]).toMatchObject({ movementType: 'shipment_cancel', lot: 'a', valueDelta: '6' });
    expect(await availability()).toMatchObject({ onHand: before.onHand, reserved: '3' });
  });
});
