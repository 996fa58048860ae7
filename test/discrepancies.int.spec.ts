import { stockViolations } from './support/check-stock.js';
import { eventually } from './support/eventually.js';
import { HttpClient } from './support/http-client.js';
import { Installation } from './support/installation.js';
import type { ServiceProcess } from './support/service-process.js';

// Discrepancies as those who own them see them: over HTTP, with inventory, orders and approvals as processes of their own.

let installation: Installation;
let url: string;
let inventory: ServiceProcess;

beforeAll(async () => {
  installation = await Installation.make(['inventory', 'orders', 'approvals', 'gateway']);
  const processes = await Promise.all((['gateway', 'inventory', 'orders', 'approvals'] as const).map((app) => installation.start(app)));
  url = processes[0]!.url;
  inventory = processes[1]!;
}, 90_000);

afterAll(async () => {
  expect(await stockViolations(installation.database)).toEqual([]);
  await installation.remove();
}, 60_000);

/** An administrator of an organisation with 100 of `apple`. */
async function organisation(orgId: string): Promise<HttpClient> {
  const admin = await HttpClient.signIn(url, orgId);
  await admin.stockUp({ apple: 100 });
  return admin;
}

const availability = async (client: HttpClient) =>
  ((await client.send('GET', '/inventory/availability?itemId=apple&explain=true')).body['items'] as Record<string, unknown>[])[0]!;
const order = (client: HttpClient, orderId: string, quantity: number, reservationMode = 'all_or_nothing') =>
  client.send('POST', '/orders', {
    orderId,
    customerId: 'c',
    reservationMode,
    lines: [{ itemId: 'apple', quantity, warehouseId: 'main' }],
  });
const report = async (client: HttpClient, snapshotQuantity: number) =>
  (await client.send('POST', '/inventory/discrepancies', { warehouseId: 'main', itemId: 'apple', snapshotQuantity, note: 'half empty' }))
    .body;

/** What monitoring sees of all organisations together. */
async function openCritical(): Promise<number> {
  const metrics = await (await fetch(`${inventory.url}/metrics`)).text();
  return Number(/^stock_discrepancies_open_total\{service="inventory",severity="critical"\} (\d+)$/m.exec(metrics)?.[1]);
}

it.each([
  ['hard', { discrepancyHold: '90', available: '0', requiresAcknowledgement: false }, 1, 'DISCREPANCY_LOCK'],
  ['soft', { discrepancyHold: '30', available: '60', requiresAcknowledgement: true }, 61, null],
  ['monitor', { discrepancyHold: '0', available: '90', requiresAcknowledgement: false }, 91, 'INSUFFICIENT_STOCK'],
] as const)('a severe discrepancy acts at once, by the lock policy %s, until it is over', async (policy, terms, tooMany, refused) => {
  const admin = await organisation(`policy-${policy}`);
  await admin.send('PATCH', '/settings', { discrepancyLockPolicy: policy });
  await order(admin, 'held', 10);
  const found = await report(admin, 70);
  expect(found).toMatchObject({ severity: 'critical', status: 'new', difference: '-30', source: 'manual_report' });
  expect(await openCritical()).toBe(1);
  expect(await availability(admin)).toMatchObject({ onHand: '100', reserved: '10', ...terms, warnings: [expect.stringContaining('30')] });
  expect(await availability(admin)).toMatchObject({
    explain: {
      discrepancies: [{ discrepancyId: found['discrepancyId'], severity: 'critical', source: 'manual_report', difference: '-30' }],
    },
  });
  const short = await order(admin, 'short', tooMany);
  if (policy === 'soft') {
    expect(short).toMatchObject({ status: 201, body: { status: 'pending_approval', requiresDiscrepancyAcknowledgement: true } });
    await admin.send('PUT', '/orders/short/cancel');
  } else expect(short).toMatchObject({ status: 409, body: { code: refused } });
  const some = await order(admin, 'waits', 90, 'partial');
  const held = (answer: { body: Readonly<Record<string, unknown>> }) =>
    (answer.body['lines'] as { reservedQuantity: string }[])[0]!.reservedQuantity;
  expect(held(some)).toBe(terms.available);
  const ended = await admin.send('POST', `/inventory/discrepancies/${String(found['discrepancyId'])}/dismiss`, { note: 'found' });
  expect(ended).toMatchObject({ status: 200, body: { status: 'dismissed', resolvedBy: 'tester' } });
  expect(await openCritical()).toBe(0);
  await eventually(async () => held(await admin.send('GET', '/orders/waits')) === '90');
  expect(await availability(admin)).toMatchObject({ discrepancyHold: '0', available: '0', reserved: '100', warnings: [] });
});

it('what a manager may not post alone is posted when somebody else approves it, once', async () => {
  const admin = await organisation('approved');
  const ann = await HttpClient.signIn(url, 'approved', ['inventory_manager'], 'ann');
  const carl = await HttpClient.signIn(url, 'approved', ['finance_manager'], 'carl');
  const adjustment = { warehouseId: 'main', itemId: 'apple', quantityDelta: -50, reason: 'flood', reasonCode: 'damage' };
  const small = await ann.send('POST', '/inventory/adjustments', { ...adjustment, quantityDelta: -5 });
  expect(small).toMatchObject({ status: 201, body: { balanceAfter: '95' } });
  const key = { 'idempotency-key': 'flood' };
  const asked = await ann.send('POST', '/inventory/adjustments', adjustment, key);
  expect(asked).toMatchObject({
    status: 202,
    body: { approvalRequestId: expect.any(String), status: 'pending', requiredRole: 'finance_manager' },
  });
  expect(await ann.send('POST', '/inventory/adjustments', adjustment, key)).toEqual(asked);
  expect((await availability(admin))['onHand']).toBe('95');
  const path = `/approvals/${String(asked.body['approvalRequestId'])}/approve`;
  expect((await ann.send('PUT', path, { reason: 'mine' })).status).toBe(403);
  expect(await carl.send('PUT', path, { reason: 'seen it' })).toMatchObject({
    status: 200,
    body: { kind: 'adjustment', status: 'approved' },
  });
  await eventually(async () => (await availability(admin))['onHand'] === '45');

  const found = await report(ann, 30);
  const decide = `/inventory/discrepancies/${String(found['discrepancyId'])}`;
  expect((await carl.send('POST', `${decide}/resolve`, { note: 'n', adjust: false })).status).toBe(403);
  const resolution = await ann.send('POST', `${decide}/resolve`, { note: 'thrown away', adjust: true });
  expect(resolution.status).toBe(202);
  expect((await ann.send('GET', decide)).body).toMatchObject({ status: 'new', approvalRequestId: resolution.body['approvalRequestId'] });
  await carl.send('PUT', `/approvals/${String(resolution.body['approvalRequestId'])}/approve`, { reason: 'seen the bin' });
  await eventually(async () => (await ann.send('GET', decide)).body['status'] === 'resolved');
  expect((await ann.send('GET', decide)).body).toMatchObject({ resolvedBy: 'carl', resolutionNote: 'thrown away' });
  const { body } = await ann.send('GET', `/inventory/ledger?refType=discrepancy&refId=${String(found['discrepancyId'])}`);
  expect(body['entries']).toMatchObject([
    { movementType: 'count', quantityDelta: '-15', balanceAfter: '30', discrepancyId: found['discrepancyId'], actor: 'carl' },
  ]);
});

it('what was approved is posted once, whenever inventory dies', async () => {
  const admin = await organisation('killed');
  const ann = await HttpClient.signIn(url, 'killed', ['inventory_manager'], 'ann');
  const adjustment = { warehouseId: 'main', itemId: 'apple', quantityDelta: -50, reason: 'flood', reasonCode: 'damage' };
  const asked = await ann.send('POST', '/inventory/adjustments', adjustment);
  const requests = async () => (await admin.send('GET', '/approvals?open=true')).body['items'] as { approvalRequestId: string }[];
  expect(await requests()).toMatchObject([{ approvalRequestId: asked.body['approvalRequestId'] }]);
  const first = await installation.replaceByMortal(inventory, 'mid-batch');
  await admin.send('PUT', `/approvals/${String(asked.body['approvalRequestId'])}/approve`, { reason: 'seen it' });
  await first.ended;
  for (const point of ['before-commit', 'after-commit']) await installation.begin('inventory', { HOLDFAST_CRASH_AT: point }).ended;
  inventory = await installation.start('inventory');
  await eventually(async () => (await availability(admin))['onHand'] === '50');
  const posted = await installation.database.rows(
    `select 1 from inventory.movement where org_id = 'killed' and movement_type = 'adjustment'`,
  );
  expect(posted).toHaveLength(1);
}, 120_000);

/** A sample of 120 of the 100 apples is refused; the discrepancy by which that is known. */
async function refused(client: HttpClient): Promise<string> {
  const sample = { warehouseId: 'main', itemId: 'apple', quantityDelta: -120, reason: 'for the fair', reasonCode: 'sample' };
  const answer = await client.send('POST', '/inventory/adjustments', sample);
  expect(answer).toMatchObject({ status: 409, body: { code: 'INSUFFICIENT_STOCK', discrepancyIds: [expect.any(String)] } });
  return (answer.body['discrepancyIds'] as string[])[0]!;
}

it('what was asked about a discrepancy is cancelled with it, once, and whoever listens hears so', async () => {
  const admin = await organisation('withdrawn');
  const ann = await HttpClient.signIn(url, 'withdrawn', ['inventory_manager'], 'ann');
  const carl = await HttpClient.signIn(url, 'withdrawn', ['finance_manager'], 'carl');
  const listener = await installation.outsider();
  const found = await report(ann, 30);
  const seen = `/inventory/discrepancies/${String(found['discrepancyId'])}`;
  const missing = `/inventory/discrepancies/${await refused(ann)}`;
  const requests = [
    await ann.send('POST', `${seen}/resolve`, { note: 'thrown away', adjust: true }),
    await ann.send('POST', `${missing}/request-override`, { reason: 'they stand in front of me' }),
  ];
  for (const path of [seen, missing]) {
    const dismissal = { note: 'they were behind the door' };
    expect(await admin.send('POST', `${path}/dismiss`, dismissal)).toMatchObject({ status: 200, body: { status: 'dismissed' } });
    expect((await admin.send('POST', `${path}/dismiss`, dismissal)).status).toBe(200);
  }
  for (const { body } of requests) {
    const path = `/approvals/${String(body['approvalRequestId'])}`;
    expect(await eventually(async () => (await carl.send('GET', path)).body['status'] === 'cancelled')).toBe(true);
    expect((await carl.send('GET', path)).body).toMatchObject({ closeReason: 'The discrepancy is dismissed: they were behind the door' });
    expect(await admin.send('PUT', `${path}/approve`, { reason: 'r' })).toMatchObject({ status: 409, body: { code: 'INVALID_STATE' } });
    const told = () => listener.heard.filter((event) => event.type === 'ApprovalDecided' && event.subject === body['approvalRequestId']);
    expect(await eventually(() => told().length > 0)).toBe(true);
    expect(told().map((event) => (event.data as { status: string }).status)).toEqual(['cancelled']);
  }
  expect((await admin.send('GET', '/approvals?open=true')).body['items']).toEqual([]);
  expect((await availability(admin))['onHand']).toBe('100');
});

it('a movement that was refused is run when somebody else approves it, once, and what was missing is counted', async () => {
  const admin = await organisation('override');
  const [ann, carl, wim] = await Promise.all([
    HttpClient.signIn(url, 'override', ['inventory_manager'], 'ann'),
    HttpClient.signIn(url, 'override', ['inventory_manager'], 'carl'),
    HttpClient.signIn(url, 'override', ['warehouse'], 'wim'),
  ]);
  const discrepancyId = await refused(ann);
  const path = `/inventory/discrepancies/${discrepancyId}`;
  const foreseen = { approvalRequestId: null, status: 'pending', requiredRole: 'inventory_manager', dryRun: true };
  const tried = await ann.send('POST', `${path}/request-override?dryRun=true`, { reason: 'they stand in front of me' });
  expect([tried.status, tried.body]).toEqual([200, foreseen]);
  expect((await ann.send('GET', path)).body).toMatchObject({ approvalRequestId: null });
  const asked = await ann.send('POST', `${path}/request-override`, { reason: 'they stand in front of me' });
  expect(asked).toMatchObject({ status: 202, body: { status: 'pending', requiredRole: 'inventory_manager' } });
  expect(await wim.send('POST', `${path}/request-override`, { reason: 'me, too' })).toEqual(asked);
  const approval = `/approvals/${String(asked.body['approvalRequestId'])}`;
  expect((await ann.send('GET', path)).body).toMatchObject({ status: 'new', approvalRequestId: asked.body['approvalRequestId'] });
  expect((await carl.send('GET', approval)).body).toMatchObject({
    ...{ kind: 'movement_override', subjectType: 'discrepancy', subjectId: discrepancyId, requestedBy: 'ann' },
    ...{ lines: [{ itemId: 'apple', warehouseId: 'main', quantity: '20' }], magnitudes: { quantity: '20', percent: '20' } },
  });
  expect(await ann.send('PUT', `${approval}/approve`, { reason: 'mine' })).toMatchObject({ status: 403, body: { code: 'SELF_APPROVAL' } });
  expect((await carl.send('PUT', `${approval}/reject`, { reason: 'look again' })).status).toBe(200);
  expect(await eventually(async () => (await ann.send('GET', path)).body['approvalRequestId'] === null)).toBe(true);
  expect((await ann.send('GET', path)).body).toMatchObject({ status: 'new', resolutionNote: 'Rejected by carl: look again' });
  const anew = await ann.send('POST', `${path}/request-override`, { reason: 'they stand in front of me' });
  expect(anew.body['approvalRequestId']).not.toBe(asked.body['approvalRequestId']);
  await carl.send('PUT', `/approvals/${String(anew.body['approvalRequestId'])}/approve`, { reason: 'seen them' });
  expect(await eventually(async () => (await ann.send('GET', path)).body['status'] === 'resolved')).toBe(true);
  expect((await ann.send('GET', path)).body).toMatchObject({ resolvedBy: 'carl', resolutionNote: 'seen them' });
  const { body } = await admin.send('GET', '/inventory/ledger?itemId=apple');
  const entries = (body['entries'] as Record<string, unknown>[]).filter((entry) => entry['movementType'] !== 'receipt');
  expect(entries.map((entry) => [entry['movementType'], entry['quantityDelta'], entry['actor']]).sort()).toEqual([
    ['adjustment', '-120', 'ann'],
    ['count', '20', 'carl'],
  ]);
  expect(await ann.send('POST', `${path}/request-override`, { reason: 'r' })).toMatchObject({
    status: 409,
    body: { code: 'INVALID_STATE' },
  });
  const seen = await report(ann, 1);
  expect(
    await ann.send('POST', `/inventory/discrepancies/${String(seen['discrepancyId'])}/request-override`, { reason: 'r' }),
  ).toMatchObject({
    status: 409,
    body: { code: 'INVALID_STATE', detail: expect.stringContaining('count the item') },
  });
});

it('an override of a movement is taken back when one of its discrepancies is dismissed, and asked anew for what is left of it', async () => {
  const admin = await HttpClient.signIn(url, 'beside');
  await admin.stockUp({ apple: 100, pear: 100 });
  await admin.send('POST', '/warehouses', { warehouseId: 'side', name: 'side' });
  const ann = await HttpClient.signIn(url, 'beside', ['inventory_manager'], 'ann');
  const lines = ['apple', 'pear'].map((itemId) => ({ itemId, quantity: 120 }));
  const transfer = { transferId: 't', fromWarehouseId: 'main', toWarehouseId: 'side', lines };
  const { body } = await ann.send('POST', '/inventory/transfers', transfer);
  const [apple, pear] = (body['discrepancyIds'] as string[]).map((id) => `/inventory/discrepancies/${id}`) as [string, string];
  const ask = async () => (await ann.send('POST', `${apple}/request-override`, { reason: 'they stand there' })).body;
  const approval = ({ approvalRequestId }: Record<string, unknown>) => `/approvals/${String(approvalRequestId)}`;
  const asked = await ask();
  expect((await admin.send('GET', approval(asked))).body['lines']).toMatchObject([{ itemId: 'apple' }, { itemId: 'pear' }]);

  await admin.send('POST', `${pear}/dismiss`, { note: 'no pears anywhere' });
  expect(await eventually(async () => (await ann.send('GET', apple)).body['approvalRequestId'] === null)).toBe(true);
  const closeReason = expect.stringContaining('of the same movement is dismissed: no pears anywhere') as unknown;
  expect((await ann.send('GET', apple)).body).toMatchObject({ status: 'new', resolutionNote: closeReason });
  expect((await admin.send('GET', approval(asked))).body).toMatchObject({ status: 'cancelled', closeReason });

  const anew = await ask();
  expect(anew).toMatchObject({ status: 'pending' });
  expect((await admin.send('GET', approval(anew))).body['lines']).toMatchObject([{ itemId: 'apple' }]);
  const pears = [{ itemId: 'pear', quantity: 20, unitCost: '1' }];
  await admin.send('POST', '/inventory/receipts', { warehouseId: 'main', lines: pears });
  await admin.send('PUT', `${approval(anew)}/approve`, { reason: 'seen them' });
  expect(await eventually(async () => (await ann.send('GET', apple)).body['status'] === 'resolved')).toBe(true);
  expect((await ann.send('GET', '/inventory/transfers/t')).status).toBe(200);
});

it('an override that nobody decided about is on the audit trail: asked for, and expired', async () => {
  const admin = await organisation('undecided');
  const path = `/inventory/discrepancies/${await refused(admin)}`;
  const asked = await admin.send('POST', `${path}/request-override`, { reason: 'they stand in front of me' });
  const details = { kind: 'movement_override', approvalRequestId: asked.body['approvalRequestId'] };
  const later = await installation.start('approvals', { HOLDFAST_TEST_CLOCK_OFFSET_SECONDS: String(169 * 3_600) });
  expect(await eventually(async () => (await admin.send('GET', path)).body['approvalRequestId'] === null, 30_000)).toBe(true);
  await later.stop();
  const { items } = (await admin.send('GET', '/audit/events')).body as { items: Record<string, unknown>[] };
  expect(items.filter(({ service }) => service === 'approvals')).toMatchObject([
    { type: 'approval_expired', actor: null, orderId: null, details },
    { type: 'approval_requested', actor: 'tester', details },
  ]);
}, 60_000);

it('an override is carried out once, whenever inventory dies', async () => {
  const admin = await organisation('override-killed');
  const ann = await HttpClient.signIn(url, 'override-killed', ['inventory_manager'], 'ann');
  const path = `/inventory/discrepancies/${await refused(ann)}`;
  const asked = await ann.send('POST', `${path}/request-override`, { reason: 'r' });
  const first = await installation.replaceByMortal(inventory, 'before-commit');
  await admin.send('PUT', `/approvals/${String(asked.body['approvalRequestId'])}/approve`, { reason: 'seen it' });
  await first.ended;
  await installation.begin('inventory', { HOLDFAST_CRASH_AT: 'after-commit' }).ended;
  inventory = await installation.start('inventory');
  expect(await eventually(async () => (await ann.send('GET', path)).body['status'] === 'resolved')).toBe(true);
  const movements = await installation.database.rows(
    `select movement_type from inventory.movement where org_id = 'override-killed' and movement_type <> 'receipt' order by movement_type`,
  );
  expect(movements).toEqual([{ movement_type: 'adjustment' }, { movement_type: 'count' }]);
}, 120_000);

it('a shipment of an order of our own that was refused is posted once it is approved, and its order says so', async () => {
  const admin = await organisation('override-shipment');
  const carl = await HttpClient.signIn(url, 'override-shipment', ['inventory_manager'], 'carl');
  await order(admin, 'o', 120, 'partial');
  expect((await admin.send('PUT', '/orders/o/confirm')).status).toBe(200);
  const shipment = await admin.send('POST', '/orders/o/shipments', { shipmentId: 's', lines: [{ lineNo: 1, quantity: '110' }] });
  expect(shipment).toMatchObject({ status: 409, body: { code: 'INSUFFICIENT_STOCK', discrepancyIds: [expect.any(String)] } });
  const path = `/inventory/discrepancies/${(shipment.body['discrepancyIds'] as string[])[0]!}`;
  expect((await carl.send('GET', path)).body).toMatchObject({ difference: '10', refType: 'shipment', orderId: 'o' });
  const asked = await admin.send('POST', `${path}/request-override`, { reason: 'they are on the truck' });
  await carl.send('PUT', `/approvals/${String(asked.body['approvalRequestId'])}/approve`, { reason: 'seen the truck' });
  expect(await eventually(async () => (await admin.send('GET', '/orders/o')).body['status'] === 'partially_shipped')).toBe(true);
  expect((await admin.send('GET', '/orders/o')).body).toMatchObject({
    lines: [{ fulfilledQuantity: '110', reservedQuantity: '0', backorderedQuantity: '10' }],
    shipments: [{ shipmentId: 's', status: 'posted' }],
  });
  expect((await carl.send('GET', path)).body).toMatchObject({ status: 'resolved', resolvedBy: 'carl' });
  expect(await availability(admin)).toMatchObject({ onHand: '0', reserved: '0' });
});
