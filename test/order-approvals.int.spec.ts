import { disagreements, parkedMessages, stockViolations } from './support/check-stock.js';
import { eventually } from './support/eventually.js';
import { type HttpAnswer, HttpClient } from './support/http-client.js';
import { Installation } from './support/installation.js';

// Orders that want more than can be promised, from end to end: people over HTTP, five processes over RabbitMQ, two of them orders.

const HOUR_SECONDS = 3_600;

let installation: Installation;
let url: string;
let orgs = 0;
let orgId: string;
let admin: HttpClient;
let sales: HttpClient;
let manager: HttpClient;
let finance: HttpClient;

beforeAll(async () => {
  installation = await Installation.make(['inventory', 'orders', 'approvals', 'gateway']);
  const apps = ['gateway', 'inventory', 'orders', 'orders', 'approvals'] as const;
  url = (await Promise.all(apps.map((app) => installation.start(app))))[0]!.url;
}, 90_000);
afterAll(() => installation.remove(), 60_000);

/** There are 10 apples, each of which cost 1. */
beforeEach(async () => {
  orgId = `org-${++orgs}`;
  [admin, sales, manager, finance] = await Promise.all([
    person('root', 'admin'),
    person('sam', 'sales'),
    person('mia', 'inventory_manager'),
    person('fay', 'finance_manager'),
  ]);
  await admin.stockUp({ apple: 10 });
});

afterEach(async () => {
  await eventually(async () => (await disagreements(installation.database)).length === 0);
  expect(await disagreements(installation.database)).toEqual([]);
  expect(await stockViolations(installation.database)).toEqual([]);
  for (const service of ['inventory', 'orders', 'approvals'] as const)
    expect(await parkedMessages(installation.database, service)).toEqual([]);
});

type Json = Readonly<Record<string, unknown>>;
const person = (userId: string, ...roles: string[]) => HttpClient.signIn(url, orgId, roles, userId);
const enforce = async (settings: object) => expect((await admin.send('PATCH', '/settings', settings)).status).toBe(200);
const lines = (quantity: string) => [{ itemId: 'apple', quantity }];
const place = (quantity: string, orderId = 'o', more: object = {}) =>
  sales.send('POST', '/orders', { orderId, customerId: 'c', lines: lines(quantity), ...more });
const amend = (quantity: string, orderId = 'o') =>
  sales.send('PUT', `/orders/${orderId}`, { lines: [{ lineNo: 1, ...lines(quantity)[0] }] });
const decide = (who: HttpClient, verdict: 'approve' | 'reject', { body }: HttpAnswer, reason = 'a truck comes tomorrow') =>
  who.send('PUT', `/approvals/${String(body['approvalRequestId'])}/${verdict}`, { reason });
const read = async (orderId = 'o') => (await sales.send('GET', `/orders/${orderId}`)).body;
/** The order when it has come into this status, or whatever it is instead. */
async function becomes(status: string, orderId = 'o'): Promise<Json> {
  await eventually(async () => (await read(orderId))['status'] === status);
  const order = await read(orderId);
  expect([orderId, order['status']]).toEqual([orderId, status]);
  return order;
}
const available = async () =>
  ((await admin.send('GET', '/inventory/availability?itemId=apple&warehouseId=main')).body['items'] as Json[])[0]!;
const reservations = async (orderId = 'o') =>
  (await admin.send('GET', `/inventory/reservations?orderId=${orderId}`)).body['reservations'] as Json[];
const eventsOf = async (orderId = 'o') => ((await sales.send('GET', `/orders/${orderId}/events`)).body['items'] as Json[]).toReversed();
const doubt = async (snapshotQuantity: string) => {
  const report = { warehouseId: 'main', itemId: 'apple', snapshotQuantity, severity: 'critical', note: 'a box is open' };
  const { status, body } = await manager.send('POST', '/inventory/discrepancies', report);
  expect(status).toBe(201);
  return body['discrepancyId'] as string;
};
const request = async (answer: HttpAnswer) => (await manager.send('GET', `/approvals/${String(answer.body['approvalRequestId'])}`)).body;

describe('enough stock', () => {
  it('is held for an order, firmly when it is confirmed, and leaves with it', async () => {
    expect(await place('4')).toMatchObject({
      status: 201,
      body: { status: 'created', stockReserved: true, requiresInventoryOverride: false },
    });
    expect((await sales.send('PUT', '/orders/o/confirm', {})).body).toMatchObject({ status: 'confirmed' });
    expect(await reservations()).toMatchObject([{ quantity: '4', firm: true, status: 'active' }]);
    expect((await manager.send('POST', '/orders/o/shipments', { lines: [{ lineNo: 1, quantity: '4' }] })).status).toBe(201);
    const { entries } = (await admin.send('GET', '/inventory/ledger?orderId=o')).body as { entries: Json[] };
    expect(entries).toMatchObject([{ movementType: 'sale_shipment', quantityDelta: '-4', balanceAfter: '6' }]);
  });
});

describe('too little stock', () => {
  it('is refused where nobody may let it through, and leaves no order, only the attempt', async () => {
    expect(await place('11')).toMatchObject({
      status: 409,
      body: {
        code: 'INSUFFICIENT_STOCK',
        lines: [{ lineNo: 1, itemId: 'apple', warehouseId: 'main', requested: '11', available: '10' }],
        discrepancyIds: [expect.any(String)],
        alternatives: expect.any(Array),
      },
    });
    expect((await sales.send('GET', '/orders/o')).status).toBe(404);
    expect(await reservations()).toEqual([]);
    expect(await available()).toMatchObject({ available: '10', reserved: '0' });
    const { items } = (await admin.send('GET', '/audit/events?orderId=o')).body as { items: Json[] };
    const recorded = (type: string) => items.filter((event) => event['type'] === type);
    expect(recorded('order_refused')).toMatchObject([
      { actor: 'sam', details: { reason: 'INSUFFICIENT_STOCK', shortLines: [{ available: '10' }] } },
    ]);
    expect(recorded('oversell_attempt')).toMatchObject([{ details: { requested: '11', snapshot: { onHand: '10', available: '10' } } }]);
    expect(await place('10')).toMatchObject({ status: 201, body: { status: 'created' } });
  });

  it('waits for an approval within the limit, holds what there is, and gets the rest when it comes', async () => {
    await enforce({ enforcementPhase: 'soft' });
    const placed = await place('12');
    expect(placed).toMatchObject({
      status: 201,
      body: {
        ...{ status: 'pending_approval', requiresInventoryOverride: true, requiresDiscrepancyAcknowledgement: false },
        ...{ approvalRequestId: expect.any(String), warnings: [expect.stringContaining('need an approved override')], expiresAt: null },
        lines: [{ reservedQuantity: '10', backorderedQuantity: '0' }],
      },
    });
    expect(await reservations()).toMatchObject([{ quantity: '10', firm: false, expiresAt: null }]);
    expect(await request(placed)).toMatchObject({
      ...{
        kind: 'order_override',
        subjectType: 'order',
        subjectId: 'o',
        status: 'pending',
        requestedBy: 'sam',
        requiredRole: 'inventory_manager',
      },
      ...{ magnitudes: { quantity: '2', percent: '20', value: '2' }, lines: [{ itemId: 'apple', quantity: '2' }] },
      availabilitySnapshot: [{ itemId: 'apple', warehouseId: 'main', onHand: '10', available: '10' }],
    });
    expect(await sales.send('PUT', '/orders/o/confirm', {})).toMatchObject({
      status: 409,
      body: {
        code: 'INVALID_STATE',
        detail: expect.stringContaining('inventory_manager'),
        approvalRequestId: placed.body['approvalRequestId'],
      },
    });

    expect((await decide(manager, 'approve', placed)).status).toBe(200);
    expect(await becomes('created')).toMatchObject({
      ...{ requiresInventoryOverride: false, warnings: [], expiresAt: expect.any(String) },
      lines: [{ reservedQuantity: '10', backorderedQuantity: '2' }],
    });
    expect(await eventsOf()).toMatchObject([
      { type: 'order_blocked', actor: 'sam', details: { reason: 'INSUFFICIENT_STOCK', availabilitySnapshot: [{ available: '10' }] } },
      { type: 'order_created', actor: 'sam', details: { to: 'pending_approval' } },
      { type: 'order_approval_requested', actor: 'sam', details: { requiredRole: 'inventory_manager' } },
      {
        type: 'order_approved',
        actor: 'mia',
        details: {
          approver: 'mia',
          role: 'inventory_manager',
          reason: 'a truck comes tomorrow',
          availabilitySnapshot: [{ available: '10' }],
        },
      },
      { type: 'order_approval_applied', actor: 'mia', details: { to: 'created' } },
    ]);
    const receipt = { receiptId: 'r', warehouseId: 'main', lines: [{ ...lines('2')[0], unitCost: '1' }] };
    expect((await admin.send('POST', '/inventory/receipts', receipt)).status).toBe(201);
    await eventually(async () => (await read())['stockReserved'] === true);
    expect((await sales.send('PUT', '/orders/o/confirm', {})).body).toMatchObject({ status: 'confirmed', stockReserved: true });
    expect(await place('100', 'p')).toMatchObject({ status: 409, body: { code: 'INSUFFICIENT_STOCK' } });
  });

  it('is given back when nobody approves it', async () => {
    await enforce({ allowInventoryOversell: true });
    const placed = await place('25');
    expect(await available()).toMatchObject({ available: '0', reserved: '10' });
    expect((await decide(finance, 'reject', placed, 'not for him')).status).toBe(200);
    expect(await becomes('rejected')).toMatchObject({ cancelReason: 'not for him', requiresInventoryOverride: false });
    expect(await available()).toMatchObject({ available: '10', reserved: '0', backordered: '0' });
    expect((await eventsOf()).slice(-2)).toMatchObject([
      { type: 'order_approval_rejected', actor: 'fay', details: { reason: 'not for him' } },
      { type: 'order_rejected', actor: 'fay' },
    ]);
  });
});

describe('two orders for the same stock', () => {
  it('compete, and the second fails on its approval when what was approved is not there any more', async () => {
    await enforce({ enforcementPhase: 'soft' });
    expect(await place('8', 'first')).toMatchObject({ body: { status: 'created' } });
    const second = await place('4', 'second');
    expect(second).toMatchObject({ body: { status: 'pending_approval', lines: [{ reservedQuantity: '2' }] } });
    // Half of it turns out to be broken: the newer order loses its hold first, and more is missing of it than may be approved.
    const damaged = { warehouseId: 'main', itemId: 'apple', quantityDelta: '-5', reason: 'a shelf fell', reasonCode: 'damage' };
    expect((await admin.send('POST', '/inventory/adjustments', damaged)).status).toBe(201);
    expect((await decide(manager, 'approve', second)).status).toBe(200);
    const order = await becomes('rejected', 'second');
    expect(order).toMatchObject({ cancelReason: expect.stringContaining('INSUFFICIENT_STOCK'), lines: [{ reservedQuantity: '0' }] });
    expect((await eventsOf('second')).slice(-3)).toMatchObject([
      { type: 'order_approved', actor: 'mia' },
      { type: 'order_approval_overtaken', details: { reason: 'INSUFFICIENT_STOCK', shortLines: [{ available: '0' }] } },
      { type: 'order_rejected' },
    ]);
    expect(await read('first')).toMatchObject({ status: 'created', lines: [{ reservedQuantity: '5', backorderedQuantity: '3' }] });
  });

  it('compete, and the second is asked for anew where more may be approved', async () => {
    await enforce({ allowInventoryOversell: true });
    await place('8', 'first');
    const second = await place('4', 'second');
    const damaged = { warehouseId: 'main', itemId: 'apple', quantityDelta: '-1', reason: 'one is rotten', reasonCode: 'damage' };
    expect((await admin.send('POST', '/inventory/adjustments', damaged)).status).toBe(201);
    expect((await decide(manager, 'approve', second)).status).toBe(200);
    const asked = async () => (await read('second'))['approvalRequestId'] ?? second.body['approvalRequestId'];
    await eventually(async () => (await asked()) !== second.body['approvalRequestId']);
    const again = { ...second, body: await read('second') };
    expect(again.body).toMatchObject({ status: 'pending_approval', requiresInventoryOverride: true });
    expect(await request(again)).toMatchObject({
      requestedBy: 'sam',
      magnitudes: { quantity: '3' },
      availabilitySnapshot: [{ onHand: '9' }],
    });
    expect((await decide(finance, 'approve', again)).status).toBe(200);
    expect(await becomes('created', 'second')).toMatchObject({ lines: [{ reservedQuantity: '1', backorderedQuantity: '3' }] });
  });
});

describe('open discrepancies', () => {
  it('hard: keep an order out and a soft hold from being confirmed', async () => {
    await enforce({ discrepancyLockPolicy: 'hard' });
    await place('2', 'before');
    const discrepancyId = await doubt('7');
    expect(await place('1')).toMatchObject({
      status: 409,
      body: { code: 'DISCREPANCY_LOCK', lines: [{ available: '0' }], discrepancyIds: expect.arrayContaining([discrepancyId]) },
    });
    expect((await sales.send('GET', '/orders/o')).status).toBe(404);
    expect(await sales.send('PUT', '/orders/before/confirm', {})).toMatchObject({
      status: 409,
      body: { code: 'DISCREPANCY_LOCK', discrepancyIds: expect.arrayContaining([discrepancyId]) },
    });
    expect(await read('before')).toMatchObject({ status: 'created', lines: [{ reservedQuantity: '2' }] });
    expect((await eventsOf('before')).at(-1)).toMatchObject({
      type: 'order_confirmation_refused',
      details: { reason: 'DISCREPANCY_LOCK' },
    });
  });

  it('hard: what cannot be confirmed is refused, and on record as refused, also where orders may be short, because nobody is asked', async () => {
    await enforce({ discrepancyLockPolicy: 'hard', allowInventoryOversell: true });
    await place('2');
    await doubt('7');
    expect(await sales.send('PUT', '/orders/o/confirm', {})).toMatchObject({ status: 409, body: { code: 'DISCREPANCY_LOCK' } });
    expect((await manager.send('GET', '/approvals?open=true')).body['items']).toEqual([]);
    const recorded = (await admin.send('GET', '/audit/events?orderId=o&type=oversell_attempt')).body['items'];
    expect(recorded).toMatchObject([{ details: { outcome: 'refused', reason: 'DISCREPANCY_LOCK' } }]);
    const { summary } = (await finance.send('GET', '/reports/oversell-attempts')).body;
    expect(summary).toMatchObject({ attempts: 1, refused: 1, pendingApproval: 0 });
  });

  it('soft: what is in doubt needs an acknowledgement, which stays on record with the discrepancy', async () => {
    const discrepancyId = await doubt('7');
    expect(await place('7', 'sure')).toMatchObject({ body: { status: 'created' } });
    const placed = await place('2');
    expect(placed).toMatchObject({
      status: 201,
      body: {
        ...{ status: 'pending_approval', requiresInventoryOverride: false, requiresDiscrepancyAcknowledgement: true },
        warnings: [expect.stringContaining('need an acknowledgement')],
      },
    });
    expect(await request(placed)).toMatchObject({ kind: 'discrepancy_acknowledgement', availabilitySnapshot: [{ discrepancyHold: '3' }] });
    expect((await decide(sales, 'approve', placed)).status).toBe(403);
    expect((await decide(finance, 'approve', placed)).status).toBe(403);
    expect((await decide(manager, 'approve', placed)).status).toBe(200);
    expect(await becomes('created')).toMatchObject({ stockReserved: true, lines: [{ reservedQuantity: '2' }] });
    const [approved] = (await admin.send('GET', '/audit/events?type=order_approved')).body['items'] as Json[];
    expect(approved).toMatchObject({
      orderId: 'o',
      actor: 'mia',
      details: {
        kind: 'discrepancy_acknowledgement',
        discrepancyIds: expect.arrayContaining([discrepancyId]),
        reason: 'a truck comes tomorrow',
      },
    });
  });

  it('monitor: keep nothing back', async () => {
    await enforce({ discrepancyLockPolicy: 'monitor' });
    await doubt('7');
    expect(await place('10')).toMatchObject({ status: 201, body: { status: 'created', stockReserved: true } });
    expect((await available())['warnings']).not.toEqual([]);
  });
});

describe('who may let an order through', () => {
  it('is a manager within the limits, finance above them, never sales, and never who asked', async () => {
    await enforce({ allowInventoryOversell: true });
    const large = await place('20', 'large');
    expect(await request(large)).toMatchObject({ requiredRole: 'finance_manager', magnitudes: { percent: '100' } });
    expect(await decide(sales, 'approve', large)).toMatchObject({ status: 403, body: { code: 'FORBIDDEN' } });
    expect(await decide(manager, 'approve', large)).toMatchObject({ status: 403, body: { code: 'FORBIDDEN' } });
    expect((await decide(finance, 'reject', large)).status).toBe(200);
    await becomes('rejected', 'large');
    const own = await manager.send('POST', '/orders', { orderId: 'own', customerId: 'c', lines: lines('12') });
    expect(own).toMatchObject({ status: 201, body: { status: 'pending_approval' } });
    expect(await decide(manager, 'approve', own)).toMatchObject({ status: 403, body: { code: 'SELF_APPROVAL' } });
    const max = await person('max', 'inventory_manager');
    await admin.send('PUT', '/members/max', { roles: ['sales'] });
    expect(await decide(max, 'approve', own)).toMatchObject({ status: 403, body: { code: 'FORBIDDEN' } });
    await admin.send('PUT', '/members/max', { roles: ['inventory_manager'] });
    expect((await decide(max, 'approve', own)).status).toBe(200);
    await becomes('created', 'own');
  });
});

describe('an order that waits and is changed', () => {
  it('asks anew for more, and nothing any more for what fits; a refused change changes nothing', async () => {
    await enforce({ enforcementPhase: 'soft' });
    const first = await place('11');
    const more = await amend('12');
    expect(more).toMatchObject({ status: 200, body: { status: 'pending_approval', lines: [{ quantity: '12' }] } });
    expect(more.body['approvalRequestId']).not.toBe(first.body['approvalRequestId']);
    expect(await request(first)).toMatchObject({ status: 'cancelled' });
    expect(await amend('13')).toMatchObject({ status: 409, body: { code: 'INSUFFICIENT_STOCK' } });
    expect(await read()).toEqual(more.body);
    expect(await request(more)).toMatchObject({ status: 'pending' });
    expect(await amend('9')).toMatchObject({
      status: 200,
      body: { status: 'created', requiresInventoryOverride: false, stockReserved: true },
    });
    expect(await eventually(async () => (await request(more))['status'] === 'cancelled')).toBe(true);
    expect(await available()).toMatchObject({ available: '1', reserved: '9' });
  });

  it('is cancelled with its request', async () => {
    await enforce({ enforcementPhase: 'soft' });
    const placed = await place('11');
    expect((await sales.send('PUT', '/orders/o/cancel', {})).body).toMatchObject({
      ...{ status: 'cancelled', requiresInventoryOverride: false, approvalRequestId: null, warnings: [] },
    });
    expect(await eventually(async () => (await request(placed))['status'] === 'cancelled')).toBe(true);
    expect(await available()).toMatchObject({ available: '10', reserved: '0' });
  });

  it('is what it was before, when nobody approves that it grows', async () => {
    await enforce({ enforcementPhase: 'soft' });
    await place('8');
    await sales.send('PUT', '/orders/o/confirm', {});
    const before = await read();
    const grown = await amend('12');
    expect(grown).toMatchObject({ status: 200, body: { status: 'pending_approval', lines: [{ reservedQuantity: '10' }] } });
    expect((await decide(manager, 'reject', grown)).status).toBe(200);
    const after = await becomes('confirmed');
    expect(after).toMatchObject({ lines: before['lines'], stockReserved: true, confirmedAt: before['confirmedAt'] });
    expect(await available()).toMatchObject({ available: '2', reserved: '8' });
    const again = await amend('12');
    expect((await decide(manager, 'approve', again)).status).toBe(200);
    expect(await becomes('confirmed')).toMatchObject({ lines: [{ quantity: '12', reservedQuantity: '10', backorderedQuantity: '2' }] });
  });
});

describe('an order whose amendment was not approved', () => {
  it('is rejected when it cannot be what it was any more, and nobody is said to be asked about that', async () => {
    await enforce({ allowInventoryOversell: true });
    await admin.send('POST', '/items', { itemId: 'pear', name: 'Pear' });
    await place('8');
    await sales.send('PUT', '/orders/o/confirm', {});
    const changed = await sales.send('PUT', '/orders/o', { lines: [{ lineNo: 1, itemId: 'pear', quantity: 5, warehouseId: 'main' }] });
    expect(changed).toMatchObject({ status: 200, body: { status: 'pending_approval' } });
    // What it gave back is somebody else's by now.
    expect((await place('8', 'other')).status).toBe(201);
    expect((await decide(manager, 'reject', changed)).status).toBe(403);
    expect((await decide(finance, 'reject', changed, 'no pears')).status).toBe(200);
    expect(await becomes('rejected')).toMatchObject({ cancelReason: 'no pears' });
    const types = (await eventsOf()).map(({ type }) => type);
    expect(types.slice(-3)).toEqual(['order_approval_rejected', 'order_restoration_refused', 'order_rejected']);
    const attempts = (await admin.send('GET', '/audit/events?type=oversell_attempt&orderId=o')).body['items'] as Json[];
    expect(attempts.map(({ details }) => details)).toMatchObject([
      { itemId: 'apple', outcome: 'refused' },
      { itemId: 'pear', outcome: 'pending_approval' },
    ]);
    expect((await manager.send('GET', '/approvals?open=true')).body['items']).toEqual([]);
  });
});

describe('time', () => {
  it('ends what nobody decided, once, whatever the number of replicas', async () => {
    await enforce({ enforcementPhase: 'soft' });
    await place('12');
    const environment = { HOLDFAST_TEST_CLOCK_OFFSET_SECONDS: String(169 * HOUR_SECONDS) };
    const later = await Promise.all([installation.start('approvals', environment), installation.start('approvals', environment)]);
    await eventually(async () => (await read())['status'] === 'rejected', 60_000);
    for (const replica of later) await replica.stop();
    expect(await becomes('rejected')).toMatchObject({ cancelReason: 'Nobody decided about the approval in time.' });
    expect((await eventsOf()).map(({ type }) => type)).toEqual([
      ...['order_blocked', 'order_created', 'order_approval_requested', 'order_approval_expired', 'order_rejected'],
    ]);
    expect(await available()).toMatchObject({ available: '10', reserved: '0' });
  }, 120_000);
});
