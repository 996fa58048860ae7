import { setTimeout as delay } from 'node:timers/promises';
import { inventory } from '#apps/inventory';
import { orders } from '#apps/orders';
import { signActorToken } from '#libs/auth';
import {
  AdjustmentPost,
  type CallDefinition,
  ItemCreate,
  OrderCancel,
  OrderConfirm,
  OrderCreate,
  OrderGet,
  OrderPick,
  OrderUpdate,
  ReceiptPost,
  type RequestOf,
  type ResponseOf,
  ReturnCreate,
  ReturnInspect,
  ReturnReceive,
  ShipmentCancel,
  ShipmentCreate,
  type StockLine,
  WarehouseCreate,
} from '#libs/contracts';
import { HoldfastError, unavailable } from '#libs/domain';
import { type Consumer, type Delivery, InProcessDelivery, type OutgoingCall, RpcClient, type Subscription } from '#libs/messaging';
import { loadConfig, type RunningService, startService } from '#libs/service';
import { createTestDatabase, type TestDatabase } from '#libs/testing';

// Orders and inventory over a delivery that loses calls and answers, repeats events and changes their order. Clients do what clients do:
// on 503 they ask again. In the end both services must tell the same about every order, and every answer that a client got must be true.

const SEED = Number(process.env['HOLDFAST_TEST_SEED'] ?? Date.now() % 1_000_000);
const ORDERS = 24;
const STEPS = 14;
const orgId = 'acme';

/** Mulberry32: small, and good enough to choose among a few things. */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const random = randomNumbers(SEED);
const chance = (probability: number) => random() < probability;
const upTo = (most: number) => 1 + Math.floor(random() * most);
const oneOf = <T>(choices: readonly T[]) => choices[Math.floor(random() * choices.length)]!;

/** Between the services: whatever may happen to a message happens. */
class UnreliableDelivery implements Delivery {
  reliable = false;

  constructor(private readonly inner: InProcessDelivery) {}

  async subscribe(consumer: Consumer): Promise<Subscription> {
    return await this.inner.subscribe({
      service: consumer.service,
      eventTypes: consumer.eventTypes,
      liveTypes: consumer.liveTypes,
      answersCalls: consumer.answersCalls,
      prefetch: consumer.prefetch,
      retryDelaysMs: consumer.retryDelaysMs,
      onEvent: async (message) => {
        if (!this.reliable) await delay(chance(0.3) ? 0 : upTo(chance(0.3) ? 500 : 50));
        if (!this.reliable && chance(0.2)) await Promise.all([consumer.onEvent(message), delay(upTo(30))]);
        return await consumer.onEvent(message);
      },
      onLiveEvent: async (message) => consumer.onLiveEvent(message),
      onCall: async (call) => consumer.onCall(call),
    });
  }

  async call(call: OutgoingCall): Promise<Buffer> {
    // Only what orders asks about stock gets lost: the test itself needs its answers.
    if (this.reliable || !call.body.includes('"pattern":"stock.')) return await this.inner.call(call);
    if (chance(0.15)) throw unavailable('The call got lost.');
    await delay(chance(0.5) ? 0 : upTo(40));
    const answer = await this.inner.call(call);
    if (chance(0.15)) throw unavailable('The answer got lost.');
    await delay(chance(0.5) ? 0 : upTo(40));
    return answer;
  }

  room = () => this.inner.room();
  onRoom = (listener: () => void) => this.inner.onRoom(listener);
  publish = (...published: Parameters<Delivery['publish']>) => this.inner.publish(...published);
  status = () => this.inner.status();
  close = async () => this.inner.close();
}

let database: TestDatabase;
let delivery: UnreliableDelivery;
let client: RpcClient;
let services: RunningService[];

beforeAll(async () => {
  database = await createTestDatabase(['inventory', 'orders']);
  delivery = new UnreliableDelivery(new InProcessDelivery());
  client = new RpcClient(delivery);
  const config = { ...loadConfig({ NODE_ENV: 'test' }), databaseUrl: database.url };
  services = [];
  for (const service of [inventory, orders]) services.push(await startService(service, { config, delivery, logger: false, port: null }));
  await call(WarehouseCreate, { warehouseId: 'w1', name: 'One', priority: 1 });
  await call(WarehouseCreate, { warehouseId: 'w2', name: 'Two', priority: 2 });
  for (const itemId of ['a', 'b', 'c']) await call(ItemCreate, { itemId, name: itemId, unitPrice: '1.99' });
});

afterAll(async () => {
  for (const service of services) await service.close();
  await delivery.close();
  await database.drop();
});

async function call<D extends CallDefinition>(definition: D, request: RequestOf<D>): Promise<ResponseOf<D>> {
  const actor = await signActorToken({ userId: 'tester', orgId, roles: ['admin'], warehouses: null });
  return await client.call(definition, Object.assign({}, request, { orgId }), { actor });
}

/** What a client learned in the end: it was done, or it was refused. */
async function insist<D extends CallDefinition>(definition: D, request: RequestOf<D>): Promise<ResponseOf<D> | HoldfastError> {
  for (;;) {
    try {
      return await call(definition, request);
    } catch (error) {
      if (!(error instanceof HoldfastError)) throw error;
      if (error.kind === 'bug') throw error;
      if (error.kind !== 'unavailable') return error;
      await delay(upTo(30));
    }
  }
}

const shipmentsPosted = new Set<string>();
let picksDone = 0;

async function liveOneOrder(n: number): Promise<void> {
  const orderId = `o${n}`;
  const lines = () =>
    Array.from({ length: upTo(3) }, () => ({
      itemId: oneOf(['a', 'b', 'c']),
      quantity: String(upTo(4)),
      ...(chance(0.2) ? { warehouseId: oneOf(['w1', 'w2']) } : {}),
    }));
  const place = { orderId, customerId: 'c', lines: lines(), reservationMode: oneOf(['partial', 'all_or_nothing'] as const) };
  let made = 0;
  const steps: Record<string, () => Promise<unknown>> = {
    place: () => insist(OrderCreate, place),
    amend: () =>
      insist(OrderUpdate, { orderId, lines: lines().map((line, index) => (chance(0.5) ? { ...line, lineNo: index + 1 } : line)) }),
    confirm: () => insist(OrderConfirm, { orderId }),
    cancel: () => insist(OrderCancel, { orderId }),
    pick: async () => {
      if (chance(0.3)) return await insist(OrderPick, { orderId });
      const order = await insist(OrderGet, { orderId });
      if (order instanceof HoldfastError) return order;
      const line = oneOf(order.lines);
      const most = Number(line.fulfilledQuantity) + Number(line.reservedQuantity);
      const quantity = String(Math.max(Number(line.fulfilledQuantity), most - (chance(0.5) ? 0 : upTo(2))));
      const picked = await insist(OrderPick, { orderId, lines: [{ lineNo: line.lineNo, quantity }] });
      if (!(picked instanceof HoldfastError)) picksDone++;
      return picked;
    },
    ship: async () => {
      const order = await insist(OrderGet, { orderId });
      if (order instanceof HoldfastError) return;
      const line = oneOf(order.lines);
      const shipmentId = `s-${orderId}-${++made}`;
      const shipped = await insist(ShipmentCreate, {
        orderId,
        shipmentId,
        closeShortLines: chance(0.1),
        lines: [{ lineNo: line.lineNo, quantity: String(upTo(Number(line.quantity))) }],
      });
      if (!(shipped instanceof HoldfastError)) shipmentsPosted.add(shipmentId);
    },
    unship: async () => {
      const shipmentId = `s-${orderId}-${upTo(made + 1)}`;
      const cancelled = await insist(ShipmentCancel, { shipmentId, reason: 'test' });
      if (!(cancelled instanceof HoldfastError)) shipmentsPosted.delete(shipmentId);
    },
    returns: async () => {
      const returnId = `r-${orderId}-${++made}`;
      const authorised = await insist(ReturnCreate, {
        orderId,
        returnId,
        lines: [{ lineNo: upTo(3), quantity: '1', condition: 'unknown', reason: 'test' }],
      });
      if (authorised instanceof HoldfastError) return;
      const received = await insist(ReturnReceive, { returnId });
      expect(received).toMatchObject({ status: 'received' });
      const verdict = oneOf(['available', 'damaged', 'scrap'] as const);
      const inspected = await insist(ReturnInspect, { returnId, lines: [{ lineNo: authorised.lines[0]!.lineNo, quantity: '1', verdict }] });
      expect(inspected).toMatchObject({ status: 'completed', refundTotal: '1.99' });
    },
    supply: () =>
      insist(ReceiptPost, { warehouseId: oneOf(['w1', 'w2']), lines: [{ itemId: oneOf(['a', 'b', 'c']), quantity: '3', unitCost: '1' }] }),
    // Answers 409 when there is nothing to lose.
    lose: () =>
      insist(AdjustmentPost, {
        warehouseId: 'w1',
        itemId: oneOf(['a', 'b', 'c']),
        quantityDelta: '-1',
        reason: 'lost',
        reasonCode: 'loss',
      }),
  };
  const usual = ['amend', 'confirm', 'confirm', 'pick', 'pick', 'ship', 'ship', 'ship', 'unship', 'returns', 'supply', 'supply', 'lose'];
  for (let step = 0; step < STEPS; step++) {
    const choice = chance(0.02) ? 'cancel' : step < 4 ? oneOf(['place', 'supply']) : oneOf([...usual, 'place']);
    // Now and then somebody else does something with the same order at the same time.
    await Promise.all([steps[choice]!(), ...(chance(0.15) ? [steps[oneOf(['amend', 'confirm', 'pick', 'ship'])]!()] : [])]);
  }
}

interface Compared {
  readonly order_id: string;
  readonly status: string;
  readonly outstanding: unknown;
  readonly ours: readonly StockLine[];
  readonly theirs: readonly Partial<StockLine>[];
  readonly firm: boolean;
  readonly their_firm: boolean;
  readonly stock_sequence: number;
  readonly their_sequence: number;
}

it(`tells the same as inventory whatever happens to messages (seed ${SEED})`, async () => {
  await Promise.all(Array.from({ length: ORDERS }, async (_, n) => liveOneOrder(n + 1)));
  delivery.reliable = true;
  await eventually(async () => {
    const rows = await database.rows<Compared>(
      `select o.order_id, o.status, o.outstanding, o.stock as ours, d.lines as theirs, o.firm, d.firm as their_firm,
              o.stock_sequence, d.sequence as their_sequence
         from orders.customer_order o join inventory.demand d using (org_id, order_id) where o.status <> 'refused' order by order_id`,
    );
    const differing = rows.filter((row) => row.outstanding !== null || row.stock_sequence !== row.their_sequence);
    expect(differing).toEqual([]);
    for (const row of rows) expect([row.order_id, row.firm, told(row.ours)]).toEqual([row.order_id, row.their_firm, told(row.theirs)]);
  });
  const posted = await database.rows<{ shipment_id: string }>(`select shipment_id from inventory.shipment where status = 'posted'`);
  expect(posted.map((row) => row.shipment_id).sort()).toEqual([...shipmentsPosted].sort());
  const shipments = await database.rows<{ shipment_id: string; ours: string; theirs: string | null }>(
    `select o.shipment_id, o.status as ours, i.status as theirs
       from orders.shipment o left join inventory.shipment i using (org_id, shipment_id) where o.status <> coalesce(i.status, 'refused')`,
  );
  expect(shipments).toEqual([]);
  // Something did happen.
  expect(shipmentsPosted.size).toBeGreaterThan(0);
  expect(picksDone).toBeGreaterThan(0);
}, 120_000);

/** Inventory leaves out what is zero. */
function told(lines: readonly Partial<StockLine>[]) {
  const counters = ['requested', 'reserved', 'backordered', 'fulfilled', 'returned', 'closed', 'unheld'] as const;
  return lines.map((line) => [line.lineNo, line.itemId, ...counters.map((counter) => line[counter] ?? '0')].join(' '));
}

async function eventually(check: () => Promise<void>, timeoutMs = 20_000): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await delay(100);
    }
  }
}
