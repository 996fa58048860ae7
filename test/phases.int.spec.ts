import { stockViolations } from './support/check-stock.js';
import { eventually } from './support/eventually.js';
import { type HttpAnswer, HttpClient } from './support/http-client.js';
import { Installation } from './support/installation.js';
import type { Outsider } from './support/outsider.js';

// What becomes of what is short in each phase of enforcement, through the real gateway and the real broker, by two processes of inventory.

let installation: Installation;
let outsider: Outsider;
let gatewayUrl: string;

beforeAll(async () => {
  installation = await Installation.make(['inventory', 'orders', 'gateway']);
  const processes = await Promise.all((['inventory', 'inventory', 'orders', 'gateway'] as const).map((app) => installation.start(app)));
  gatewayUrl = processes[3]!.url;
  outsider = await installation.outsider();
}, 120_000);

afterAll(async () => {
  expect(await stockViolations(installation.database)).toEqual([]);
  await installation.remove();
}, 60_000);

/** An organisation with 10 apples in `main`, 6 of which an order holds, and another warehouse. */
async function organisation(orgId: string, enforcementPhase: 'dark' | 'soft' | 'hard'): Promise<HttpClient> {
  const client = await HttpClient.signIn(gatewayUrl, orgId);
  await client.stockUp({ apple: 10 });
  await client.send('POST', '/warehouses', { warehouseId: 'other', name: 'other' });
  await enforce(client, enforcementPhase);
  const lines = [{ itemId: 'apple', quantity: 6, warehouseId: 'main' }];
  expect(await client.send('POST', '/orders', { orderId: 'held', customerId: 'c', lines })).toMatchObject({ status: 201 });
  return client;
}

async function enforce(client: HttpClient, enforcementPhase: string): Promise<void> {
  expect(await client.send('PATCH', '/settings', { enforcementPhase })).toMatchObject({ status: 200, body: { enforcementPhase } });
}

async function stockOf(client: HttpClient): Promise<string> {
  const { body } = await client.send('GET', '/inventory/availability?itemId=apple&warehouseId=main');
  const [{ onHand, reserved, backordered }] = body['items'] as [Record<string, string>];
  return `${onHand} on hand, ${reserved} reserved, ${backordered} backordered`;
}

async function discrepanciesOf(client: HttpClient) {
  const { body } = await client.send('GET', '/inventory/discrepancies?severity=medium');
  return body['items'] as { discrepancyId: string; source: string; refType: string | null; refId: string | null; difference: string }[];
}

const taking = (quantity: number) => ({
  warehouseId: 'main',
  itemId: 'apple',
  quantityDelta: -quantity,
  reason: 'tasting',
  reasonCode: 'sample',
});
const sending = (transferId: string, quantity: number) => {
  return { transferId, fromWarehouseId: 'main', toWarehouseId: 'other', lines: [{ itemId: 'apple', quantity }] };
};

/** Tells of a shipment of an order that nobody knows, and waits for the answer. */
async function ship(orgId: string, shipmentId: string, quantity: string) {
  const data = { shipmentId, orderId: `of-${shipmentId}`, warehouseId: 'main', lines: [{ lineNo: 1, itemId: 'apple', quantity }] };
  await outsider.publish({ type: 'ShipmentConfirmed', orgId, data });
  const heard = () => outsider.heard.find((event) => event.orgid === orgId && event.data['shipmentId'] === shipmentId);
  await eventually(() => Promise.resolve(heard() !== undefined));
  return heard()!;
}

it('hard: refused with the discrepancy that somebody owns from then on, whoever asks', async () => {
  const client = await organisation('hard', 'hard');
  const adjusted = await client.send('POST', '/inventory/adjustments', taking(5));
  expect(adjusted).toMatchObject({ status: 409, body: { code: 'INSUFFICIENT_STOCK', discrepancyIds: [expect.any(String)] } });
  const sent = await client.send('POST', '/inventory/transfers', sending('t1', 5));
  expect(sent).toMatchObject({ status: 409, body: { code: 'INSUFFICIENT_STOCK', discrepancyIds: [expect.any(String)] } });
  const shipped = await ship('hard', 's1', '5');
  expect(shipped).toMatchObject({ type: 'StockDepletionFailed', data: { reason: 'INSUFFICIENT_STOCK' } });
  const ids = [adjusted.body, sent.body, shipped.data].flatMap((told) => told['discrepancyIds'] as string[]);
  const found = await discrepanciesOf(client);
  expect(found.map(({ discrepancyId }) => discrepancyId).sort()).toEqual(ids.sort());
  expect(found.map(({ refType, difference }) => `${refType} ${difference}`).sort()).toEqual(['adjustment 1', 'shipment 1', 'transfer 1']);
  const order = { orderId: 'o2', customerId: 'c', lines: [{ itemId: 'apple', quantity: 5, warehouseId: 'main' }] };
  expect(await client.send('POST', '/orders', order)).toMatchObject({ status: 409, body: { code: 'INSUFFICIENT_STOCK' } });
  expect(await stockOf(client)).toBe('10 on hand, 6 reserved, 0 backordered');
  const dry = await client.send('POST', '/inventory/adjustments?dryRun=true', taking(5));
  expect(dry).toMatchObject({ status: 409, body: { discrepancyIds: [] } });
  expect(await discrepanciesOf(client)).toHaveLength(3);
});

it('soft: posted within the percentage of what was on hand, and flagged; refused beyond it', async () => {
  const client = await organisation('soft', 'soft');
  expect(await client.send('POST', '/inventory/adjustments', taking(6.5))).toMatchObject({ status: 409 });
  expect(await client.send('POST', '/inventory/adjustments', taking(6))).toMatchObject({ status: 201, body: { balanceAfter: '4' } });
  expect(await stockOf(client)).toBe('4 on hand, 4 reserved, 2 backordered');
  const { body } = await client.send('GET', '/inventory/ledger?itemId=apple&refType=adjustment');
  expect(body['entries']).toMatchObject([{ flagged: true, quantityDelta: '-6', discrepancyId: expect.any(String) }]);
  expect((await discrepanciesOf(client)).map(({ difference }) => difference).sort()).toEqual(['2', '2.5']);
});

it('dark: posted below zero; when it is enforced that stays, is looked into, and does not become deeper; goods that come make it good', async () => {
  const client = await organisation('dark', 'dark');
  expect(await ship('dark', 's1', '13')).toMatchObject({ type: 'StockDepleted', data: { cogsTotal: '13' } });
  expect(await stockOf(client)).toBe('-3 on hand, 0 reserved, 6 backordered');
  expect(await client.send('POST', '/inventory/transfers', sending('t1', 1))).toMatchObject({ status: 201 });
  expect(await stockOf(client)).toBe('-4 on hand, 0 reserved, 6 backordered');
  const before = (await discrepanciesOf(client)).map(({ discrepancyId }) => discrepancyId);
  expect(before).toHaveLength(2);
  await enforce(client, 'hard');
  expect(await eventually(async () => (await discrepanciesOf(client)).length === 3)).toBe(true);
  const [noted] = (await discrepanciesOf(client)).filter(({ discrepancyId }) => !before.includes(discrepancyId));
  expect(noted).toMatchObject({ source: 'blocked_transaction', difference: '4', refType: null });
  expect(await ship('dark', 's2', '1')).toMatchObject({ type: 'StockDepletionFailed' });
  const receipt = { receiptId: 'r1', warehouseId: 'main', lines: [{ itemId: 'apple', quantity: 11, unitCost: '3' }] };
  expect(await client.send('POST', '/inventory/receipts', receipt)).toMatchObject({ status: 201 });
  expect(await stockOf(client)).toBe('7 on hand, 6 reserved, 0 backordered');
  const { body } = await client.send('GET', '/inventory/ledger?refType=receipt&refId=r1');
  expect(body['entries']).toMatchObject([
    { movementType: 'cost_correction', valueDelta: '-8' },
    { movementType: 'receipt', valueDelta: '33' },
  ]);
});

describe('a confirmed order of which nothing is held', () => {
  /** An order of 5 pears, of which there are none, that waits. */
  async function waiting(orgId: string, phase: 'dark' | 'hard') {
    const client = await organisation(orgId, phase);
    expect(await client.send('POST', '/items', { itemId: 'pear', name: 'Pear' })).toMatchObject({ status: 201 });
    const lines = [{ itemId: 'pear', quantity: 5 }];
    const order = { orderId: 'o', customerId: 'c', reservationMode: 'partial', lines };
    expect(await client.send('POST', '/orders', order)).toMatchObject({ status: 201, body: { status: 'backordered' } });
    const send = (as: HttpClient, more = {}) =>
      as.send('POST', '/orders/o/shipments', { shipmentId: `${orgId}-s`, lines: [{ lineNo: 1, quantity: 5, ...more }] });
    expect(await send(client)).toMatchObject({ status: 409, body: { code: 'INVALID_STATE' } });
    expect(await client.send('PUT', '/orders/o/confirm')).toMatchObject({ status: 200, body: { status: 'backordered' } });
    return { client, send };
  }

  it('dark: leaves, posted and flagged, from a warehouse of who sends it', async () => {
    const { client, send } = await waiting('dark-order', 'dark');
    const packer = await HttpClient.signIn(gatewayUrl, 'dark-order', ['warehouse'], 'pat', ['main']);
    expect(await send(packer)).toMatchObject({ status: 403, body: { code: 'WAREHOUSE_FORBIDDEN' } });
    expect(await send(packer, { warehouseId: 'main' })).toMatchObject({ status: 201, body: { status: 'posted' } });
    expect(await client.send('GET', '/orders/o')).toMatchObject({ body: { status: 'shipped', lines: [{ fulfilledQuantity: '5' }] } });
    const { body } = await client.send('GET', '/inventory/ledger?itemId=pear');
    expect(body['entries']).toMatchObject([{ flagged: true, quantityDelta: '-5', balanceAfter: '-5' }]);
  });

  it('hard: is refused for want of stock, on record with a discrepancy', async () => {
    const { client, send } = await waiting('hard-order', 'hard');
    const refused = { status: 409, body: { code: 'INSUFFICIENT_STOCK', discrepancyIds: [expect.any(String)] } };
    expect(await send(client, { warehouseId: 'main' })).toMatchObject(refused);
    expect(await client.send('GET', '/orders/o')).toMatchObject({ body: { status: 'backordered', shipments: [] } });
    const { body } = await client.send('GET', '/orders/o/events');
    expect(body).toMatchObject({ items: [{ type: 'shipment_refused' }, { type: 'order_confirmed' }, {}] });
  });
});

describe('who is warned', () => {
  const warningsOf = ({ status, body }: HttpAnswer) => ({ status, warnings: body['warnings'] });
  const places = (client: HttpClient, orderId: string, quantity: number, path = '/orders') =>
    client.send('POST', path, { orderId, customerId: 'c', lines: [{ itemId: 'apple', quantity, warehouseId: 'main' }] });
  const availability = async (client: HttpClient) =>
    ((await client.send('GET', '/inventory/availability?itemId=apple&warehouseId=main')).body['items'] as Record<string, unknown>[])[0];
  /** Somebody has counted 7 of the 10, of which 6 are held. */
  async function inDoubt(orgId: string, enforcementPhase: 'dark' | 'soft' | 'hard', discrepancyLockPolicy: 'soft' | 'monitor') {
    const admin = await organisation(orgId, enforcementPhase);
    await admin.send('PATCH', '/settings', { discrepancyLockPolicy });
    const report = { warehouseId: 'main', itemId: 'apple', snapshotQuantity: 7, severity: 'critical', note: 'a box is open' };
    expect(await admin.send('POST', '/inventory/discrepancies', report)).toMatchObject({ status: 201 });
    return { admin, sales: await HttpClient.signIn(gatewayUrl, orgId, ['sales'], 'sam') };
  }
  const doubt = expect.stringContaining('An open discrepancy puts 3 of it in doubt') as string;
  const wouldBlock = expect.stringContaining('of 5 only 1 could be promised') as string;

  it('dark: administrators alone, of what is in doubt and of what would have been refused', async () => {
    const { admin, sales } = await inDoubt('dark-warned', 'dark', 'soft');
    expect(await availability(admin)).toMatchObject({ discrepancyHold: '3', requiresAcknowledgement: false, warnings: [doubt] });
    expect(await availability(sales)).toMatchObject({ discrepancyHold: '3', requiresAcknowledgement: false, warnings: [] });
    const asked = { orgId: 'dark-warned', items: [{ itemId: 'apple', warehouseId: 'main' }] };
    for (const more of [{}, { isAdmin: true }]) {
      const told = await outsider.call('inventory', 'availability.get', { ...asked, ...more });
      expect(told).toMatchObject({ response: { items: [{ warnings: [] }] } });
    }

    expect(warningsOf(await places(sales, 'o1', 5))).toEqual({ status: 201, warnings: [] });
    expect(warningsOf(await sales.send('PUT', '/orders/o1/confirm', {}))).toEqual({ status: 200, warnings: [] });
    expect(warningsOf(await sales.send('GET', '/orders/o1'))).toEqual({ status: 200, warnings: [] });
    expect(warningsOf(await admin.send('GET', '/orders/o1'))).toEqual({ status: 200, warnings: [wouldBlock, doubt] });
    await sales.send('PUT', '/orders/o1/cancel', {});
    expect(warningsOf(await admin.send('GET', '/orders/o1'))).toEqual({ status: 200, warnings: [] });

    expect(warningsOf(await places(admin, 'o2', 5))).toEqual({ status: 201, warnings: [wouldBlock, doubt] });
    expect(warningsOf(await admin.send('PUT', '/orders/o2/confirm', {}))).toEqual({ status: 200, warnings: [wouldBlock, doubt] });
    const less = { lines: [{ lineNo: 1, itemId: 'apple', quantity: 1, warehouseId: 'main' }] };
    expect(warningsOf(await admin.send('PUT', '/orders/o2', less))).toEqual({ status: 200, warnings: [doubt] });
  });

  it.each(['soft', 'hard'] as const)('%s: everybody, of what is in doubt and only watched', async (phase) => {
    const { admin, sales } = await inDoubt(`${phase}-warned`, phase, 'monitor');
    for (const who of [admin, sales]) expect(await availability(who)).toMatchObject({ discrepancyHold: '0', warnings: [doubt] });
    expect(warningsOf(await places(sales, 'o1', 2, '/orders?dryRun=true'))).toEqual({ status: 200, warnings: [doubt] });
    expect(warningsOf(await places(sales, 'o1', 2))).toEqual({ status: 201, warnings: [doubt] });
    expect(warningsOf(await sales.send('PUT', '/orders/o1/confirm', {}))).toEqual({ status: 200, warnings: [doubt] });
  });

  it('hard: of what is held beside what is kept back nobody is warned', async () => {
    const { admin, sales } = await inDoubt('kept-back', 'hard', 'soft');
    expect(await availability(sales)).toMatchObject({ discrepancyHold: '3', requiresAcknowledgement: true, warnings: [doubt] });
    expect(warningsOf(await places(admin, 'o1', 1))).toEqual({ status: 201, warnings: [] });
  });
});
