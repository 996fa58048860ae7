import { stockViolations as violationsOfRows } from './support/check-stock.js';
import { eventually } from './support/eventually.js';
import { HttpClient } from './support/http-client.js';
import { Installation } from './support/installation.js';

// What is done with goods inside a warehouse, through the real gateway: bins, moves, quality, recalls, expiry, scraps and counts.

let installation: Installation;
let gatewayUrl: string;

beforeAll(async () => {
  installation = await Installation.make(['inventory', 'orders', 'gateway']);
  const processes = await Promise.all((['inventory', 'inventory', 'orders', 'gateway'] as const).map((app) => installation.start(app)));
  gatewayUrl = processes[3]!.url;
}, 90_000);

afterAll(async () => {
  expect(await violationsOfRows(installation.database)).toEqual([]);
  await installation.remove();
}, 60_000);

/** An organisation with the warehouses W1 and W2, a bin in W1, and items that are not tracked, tracked by lot, and by serial number. */
async function organisation(orgId: string): Promise<HttpClient> {
  const client = await HttpClient.signIn(gatewayUrl, orgId);
  for (const warehouseId of ['W1', 'W2']) await done(client, '/warehouses', { warehouseId, name: warehouseId });
  await done(client, '/warehouses/W1/locations', { location: 'shelf' });
  for (const tracking of ['none', 'lot', 'serial'])
    await done(client, '/items', { itemId: tracking, name: tracking, unitPrice: '1', tracking });
  return client;
}

async function done(client: HttpClient, path: string, body: object, method = 'POST'): Promise<Readonly<Record<string, unknown>>> {
  const { status, body: answer } = await client.send(method, path, body);
  if (status > 201) throw new Error(`${method} ${path}: ${status} ${JSON.stringify(answer)}`);
  return answer;
}

const receive = (client: HttpClient, warehouseId: string, ...lines: object[]) =>
  done(client, '/inventory/receipts', { warehouseId, lines: lines.map((line) => ({ unitCost: '2', ...line })) });

const order = (client: HttpClient, orderId: string, ...lines: object[]) => done(client, '/orders', { orderId, customerId: 'c', lines });

async function holdsOf(client: HttpClient, orderId: string) {
  const { body } = await client.send('GET', `/inventory/reservations?orderId=${orderId}&status=active`);
  const rows = body['reservations'] as { warehouseId: string; lot: string | null; location: string; quantity: string }[];
  return rows.map(({ warehouseId, lot, location, quantity }) => `${warehouseId} ${lot ?? '-'} ${location} ${quantity}`).sort();
}

async function lotsOf(client: HttpClient, query = '') {
  const { body } = await client.send('GET', `/inventory/lots${query}`);
  return body['items'] as {
    lot: string;
    quantity: string;
    recalledAt: string | null;
    places: { warehouseId: string; quality: string; quantity: string }[];
  }[];
}

it('bins are created, listed with the default one, and needed', async () => {
  const client = await organisation('bins');
  await done(client, '/warehouses/W1/locations', { location: 'shelf' });
  const { body } = await client.send('GET', '/warehouses/W1/locations');
  expect((body['items'] as { location: string }[]).map(({ location }) => location)).toEqual(['default', 'shelf']);
  const page = await client.send('GET', `/warehouses/W1/locations?limit=1`);
  const rest = await client.send('GET', `/warehouses/W1/locations?limit=1&cursor=${String(page.body['nextCursor'])}`);
  expect(rest.body).toMatchObject({ items: [{ location: 'shelf' }], nextCursor: null });
  expect(await client.send('GET', '/warehouses/W9/locations')).toMatchObject({ status: 404, body: { code: 'WAREHOUSE_NOT_FOUND' } });
  expect(await client.send('POST', '/warehouses/W9/locations', { location: 'x' })).toMatchObject({ body: { code: 'WAREHOUSE_NOT_FOUND' } });
  const nowhere = { warehouseId: 'W1', itemId: 'none', quantity: 1, from: 'default', to: 'cellar' };
  expect(await client.send('POST', '/inventory/moves', nowhere)).toMatchObject({ status: 404, body: { code: 'LOCATION_NOT_FOUND' } });
});

it('held goods are moved with their holds, also pieces, and are shipped from where they are', async () => {
  const client = await organisation('moves');
  await receive(client, 'W1', { itemId: 'none', quantity: 10 }, { itemId: 'serial', quantity: 1, lot: 's1' });
  await order(client, 'o1', { itemId: 'none', quantity: 8, warehouseId: 'W1' }, { itemId: 'serial', quantity: 1, warehouseId: 'W1' });
  const move = { warehouseId: 'W1', itemId: 'none', quantity: 10, from: 'default', to: 'shelf' };
  expect(await client.send('POST', '/inventory/moves?dryRun=true', move)).toMatchObject({ status: 200, body: { dryRun: true } });
  expect(await holdsOf(client, 'o1')).toEqual(['W1 - default 8', 'W1 s1 default 1']);
  await done(client, '/inventory/moves', move);
  const piece = { warehouseId: 'W1', itemId: 'serial', lot: 's1', quantity: 1 };
  await done(client, '/inventory/moves', { ...piece, from: 'default', to: 'shelf' });
  expect(await holdsOf(client, 'o1')).toEqual(['W1 - shelf 8', 'W1 s1 shelf 1']);
  await done(client, '/inventory/moves', { ...piece, from: 'shelf', to: 'default' });
  await done(client, '/inventory/moves', { ...piece, from: 'default', to: 'shelf' });
  await done(client, '/orders/o1/confirm', {}, 'PUT');
  await done(client, '/orders/o1/shipments', {
    shipmentId: 's1',
    lines: [
      { lineNo: 1, quantity: 8 },
      { lineNo: 2, quantity: 1 },
    ],
  });
  const { body } = await client.send('GET', '/inventory/ledger?itemId=none');
  expect((body['entries'] as object[])[0]).toMatchObject({ movementType: 'sale_shipment', location: 'shelf', quantityDelta: '-8' });
});

it('what is not available any more is taken from its orders, and serves them when it is again', async () => {
  const client = await organisation('quality');
  await receive(client, 'W1', { itemId: 'none', quantity: 10 });
  await order(client, 'o1', { itemId: 'none', quantity: 10, warehouseId: 'W1' });
  const goods = { warehouseId: 'W1', itemId: 'none', reason: 'smoke' };
  await done(client, '/inventory/quality-changes', { ...goods, quantity: 4, from: 'available', to: 'quarantined' });
  const line = async () => ((await client.send('GET', '/orders/o1')).body['lines'] as object[])[0];
  expect(await eventually(async () => JSON.stringify(await line()).includes('"backorderedQuantity":"4"'))).toBe(true);
  await done(client, '/inventory/quality-changes', { ...goods, quantity: 3, from: 'quarantined', to: 'available' });
  expect(await eventually(async () => JSON.stringify(await line()).includes('"reservedQuantity":"9"'))).toBe(true);
  const scrap = { ...goods, quantity: 1, quality: 'quarantined' };
  expect(await done(client, '/inventory/scraps', scrap)).toMatchObject({ quantityDelta: '-1', balanceAfter: '9' });
  expect(await client.send('POST', '/inventory/scraps', scrap)).toMatchObject({ status: 409, body: { code: 'INSUFFICIENT_STOCK' } });
});

it('a recall is over every warehouse, and over what comes in later', async () => {
  const client = await organisation('recall');
  await receive(client, 'W1', { itemId: 'lot', quantity: 5, lot: 'bad', location: 'shelf' }, { itemId: 'lot', quantity: 5, lot: 'good' });
  await receive(client, 'W2', { itemId: 'lot', quantity: 5, lot: 'bad' });
  await order(client, 'o1', { itemId: 'lot', quantity: 4, warehouseId: 'W1', lot: 'bad' });
  await order(client, 'o2', { itemId: 'lot', quantity: 5, warehouseId: 'W2' });
  const worker = await HttpClient.signIn(gatewayUrl, 'recall', ['warehouse']);
  expect(await worker.send('POST', '/inventory/lots/lot/bad/recall', { reason: 'glass' })).toMatchObject({ status: 403 });
  expect(await client.send('POST', '/inventory/lots/lot/none/recall', { reason: 'glass' })).toMatchObject({
    status: 404,
    body: { code: 'LOT_NOT_FOUND' },
  });
  const answer = await done(client, '/inventory/lots/lot/bad/recall', { reason: 'glass' });
  expect(answer['recalled']).toHaveLength(2);
  await receive(client, 'W2', { itemId: 'lot', quantity: 2, lot: 'bad' });
  expect(await lotsOf(client, '?itemId=lot')).toMatchObject([
    {
      lot: 'bad',
      quantity: '12',
      recallReason: 'glass',
      recalledAt: answer['recalledAt'],
      places: [{ quality: 'recalled' }, { quality: 'recalled', quantity: '7' }],
    },
    { lot: 'good', quantity: '5', recalledAt: null },
  ]);
  expect(await lotsOf(client, '?warehouseId=W2')).toHaveLength(1);
  expect([await holdsOf(client, 'o1'), await holdsOf(client, 'o2')]).toEqual([[], []]);
});

it('orders that race for the last lot while it is recalled hold nothing of it', async () => {
  const client = await organisation('race');
  for (let round = 0; round < 5; round++) {
    const lot = `last-${round}`;
    await receive(client, 'W1', { itemId: 'lot', quantity: 1, lot });
    const race = await Promise.all([
      client.send('POST', '/orders', {
        orderId: `a${round}`,
        customerId: 'c',
        lines: [{ itemId: 'lot', quantity: 1, lot, warehouseId: 'W1' }],
      }),
      client.send('POST', `/inventory/lots/lot/${lot}/recall`, { reason: 'glass' }),
      client.send('POST', '/orders', {
        orderId: `b${round}`,
        customerId: 'c',
        lines: [{ itemId: 'lot', quantity: 1, lot, warehouseId: 'W1' }],
      }),
      client.send('POST', '/inventory/receipts', { warehouseId: 'W2', lines: [{ itemId: 'lot', quantity: 1, unitCost: 1, lot }] }),
    ]);
    const statuses = race.map(({ status }) => status);
    expect([statuses[1], statuses[3]]).toEqual([200, 201]);
    expect([statuses[0], statuses[2]].filter((status) => status === 201).length).toBeLessThanOrEqual(1);
    expect([...(await holdsOf(client, `a${round}`)), ...(await holdsOf(client, `b${round}`))]).toEqual([]);
    const [row] = (await lotsOf(client, '?itemId=lot')).filter((known) => known.lot === lot);
    expect(row!.places).toMatchObject([
      { warehouseId: 'W1', quality: 'recalled', quantity: '1' },
      { warehouseId: 'W2', quality: 'recalled', quantity: '1' },
    ]);
  }
});

it('what expires is swept, and its orders hold what does not', async () => {
  const client = await organisation('expiry');
  const expiresAt = new Date(Date.now() + 4_000).toISOString();
  await receive(client, 'W1', { itemId: 'lot', quantity: 3, lot: 'soon', expiresAt }, { itemId: 'lot', quantity: 2, lot: 'never' });
  await order(client, 'o1', { itemId: 'lot', quantity: 3, warehouseId: 'W1' });
  expect(await holdsOf(client, 'o1')).toEqual(['W1 soon default 3']);
  expect(await lotsOf(client, `?expiresBefore=${new Date(Date.now() + 60_000).toISOString()}`)).toMatchObject([{ lot: 'soon' }]);
  const swept = async () => (await lotsOf(client, '?itemId=lot')).some(({ places }) => places[0]?.quality === 'expired');
  expect(await eventually(swept)).toBe(true);
  expect(await holdsOf(client, 'o1')).toEqual(['W1 never default 2']);
  const changes = await installation.database.rows(
    `select 1 from inventory.ledger_entry where org_id = 'expiry' and movement_type = 'quality_change'`,
  );
  expect(changes).toHaveLength(2);
});

it('counts post differences, whatever moves meanwhile', async () => {
  const client = await organisation('counts');
  await client.send('PATCH', '/settings', { tolerance: { quantity: '5', percent: '0' } });
  await receive(client, 'W1', { itemId: 'none', quantity: 100 }, { itemId: 'lot', quantity: 5, lot: 'x', location: 'shelf' });
  const { body: ledger } = await client.send('GET', '/inventory/ledger?itemId=none');
  const countedAt = new Date(new Date((ledger['entries'] as { recordedAt: string }[])[0]!.recordedAt).getTime() + 1).toISOString();
  const moved = Array.from({ length: 20 }, () => receive(client, 'W1', { itemId: 'none', quantity: 1 }));
  const counted = done(client, '/inventory/counts', {
    warehouseId: 'W1',
    countedAt,
    lines: [{ itemId: 'none', countedQuantity: 98 }],
    note: 'yearly',
  });
  await Promise.all(moved);
  expect(await counted).toMatchObject({
    lines: [{ itemId: 'none', countedQuantity: '98', ledgerQuantity: '100', difference: '-2', posted: true }],
  });
  const onHand = async (itemId: string) => (await client.send('GET', `/inventory/items/${itemId}/stock`)).body['onHand'];
  expect(await onHand('none')).toBe('118');
  const worker = await HttpClient.signIn(gatewayUrl, 'counts', ['warehouse']);
  const full = { warehouseId: 'W1', mode: 'full', lines: [{ itemId: 'none', countedQuantity: '118' }] };
  expect(await worker.send('POST', '/inventory/counts?dryRun=true', full)).toMatchObject({
    status: 200,
    body: { dryRun: true, lines: [{ difference: '0' }, { itemId: 'lot', lot: 'x', location: 'shelf', difference: '-5' }] },
  });
  expect(await worker.send('POST', '/inventory/counts', full)).toMatchObject({ status: 201 });
  expect([await onHand('none'), await onHand('lot')]).toEqual(['118', '0']);
});
