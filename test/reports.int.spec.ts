import { parse } from 'csv-parse/sync';
import { HttpClient } from './support/http-client.js';
import { Installation } from './support/installation.js';
import type { Outsider } from './support/outsider.js';

// Reports as people read them: over HTTP, as JSON and as files, of their organisation and their warehouses.

let installation: Installation;
let outsider: Outsider;
let url: string;

beforeAll(async () => {
  installation = await Installation.make(['inventory', 'approvals', 'gateway']);
  const [gateway] = await Promise.all((['gateway', 'approvals', 'inventory'] as const).map((app) => installation.start(app)));
  url = gateway!.url;
  outsider = await installation.outsider();
  for (const orgId of ['acme', 'globex']) await seed(orgId);
}, 60_000);
afterAll(() => installation.remove(), 60_000);

/** Two attempts on what looks like a formula, one elsewhere, in March; a discrepancy at w from its 10th day on; some stock. */
async function seed(orgId: string): Promise<void> {
  const rows = (text: string, values: readonly unknown[]) => installation.database.rows(text, values);
  for (const [itemId, warehouse, source, at] of [
    ['=1+2', 'w', 'a,"b"\nc', '2026-03-01T00:00:00Z'],
    ['=1+2', 'w', '-x', '2026-03-02T00:00:00Z'],
    ['i', 'v', null, '2026-03-03T00:00:00Z'],
  ] as const) {
    await rows(
      `insert into inventory.oversell_attempt (org_id, attempt_id, order_id, line_no, item_id, warehouse_id, source, requested, available,
                                               outcome, reason, phase, snapshot, discrepancy_id, recorded_at)
       values ($1, gen_random_uuid(), 'o', 1, $2, $3, $4, 3, 1.5, 'would_block', 'INSUFFICIENT_STOCK', 'dark', '{}', gen_random_uuid(), $5)`,
      [orgId, itemId, warehouse, source, at],
    );
  }
  await rows(
    `insert into inventory.discrepancy (org_id, discrepancy_id, item_id, warehouse_id, snapshot_quantity, ledger_quantity, severity, source,
                                        owner_role, detected_at)
     values ($1, '01890000-0000-7000-8000-000000000001', 'i', 'w', 7, 10, 'high', 'count', 'inventory_manager', '2026-03-10')`,
    [orgId],
  );
  await rows(`insert into inventory.warehouse (org_id, warehouse_id, name) values ($1, 'w', 'W')`, [orgId]);
  await rows(`insert into inventory.item (org_id, item_id, name) values ($1, 'i', 'I')`, [orgId]);
  await rows(`insert into inventory.stock_balance (org_id, warehouse_id, item_id, on_hand, value) values ($1, 'w', 'i', 5, 12.5)`, [orgId]);
  // Who approves is bob.
  const bob = await HttpClient.signIn(url, orgId, ['inventory_manager'], 'bob');
  for (const [orderId, warehouse] of [
    ['o-1', 'w'],
    ['o-2', 'v'],
  ]) {
    const { response } = await outsider.call(
      'approvals',
      'approvals.request',
      {
        ...{ orgId, kind: 'order_override', subjectType: 'order', subjectId: orderId, requestedBy: 'ann', reason: 'A regular customer' },
        lines: [{ lineNo: 1, itemId: 'i', warehouseId: warehouse, quantity: '3' }],
        magnitudes: { quantity: '3', percent: '15', value: '60' },
        availabilitySnapshot: [{ itemId: 'i', onHand: '10' }],
        warehouses: [warehouse],
      },
      20_000,
    );
    const path = `/approvals/${String(response!['approvalRequestId'])}/approve`;
    expect((await bob.send('PUT', path, { reason: `approves ${orderId}` })).status).toBe(200);
  }
}

const march = 'from=2026-03-01T00:00:00Z&to=2026-04-01T00:00:00Z';
const ever = 'from=2026-01-01T00:00:00Z&to=2100-01-01T00:00:00Z';
const person = (role: string, warehouses?: readonly string[], orgId = 'acme') =>
  HttpClient.signIn(url, orgId, [role], `${role} of ${orgId} in ${warehouses?.join() ?? 'all'}`, warehouses);
const attempts = { refused: 0, pendingApproval: 0 };

async function file(client: HttpClient, path: string): Promise<{ headers: Headers; lines: string[][] }> {
  const response = await client.fetchFile(path);
  expect(response.status).toBe(200);
  return { headers: response.headers, lines: parse(await response.text(), { record_delimiter: '\r\n' }) };
}

describe('a report', () => {
  it('is for finance managers, auditors and administrators', async () => {
    for (const role of ['finance_manager', 'auditor', 'admin']) {
      const answer = await (await person(role)).send('GET', `/reports/oversell-attempts?${march}`);
      expect(answer).toMatchObject({
        status: 200,
        body: {
          ...{ from: '2026-03-01T00:00:00Z', to: '2026-04-01T00:00:00Z', groupBy: 'item', truncated: false },
          rows: [
            { itemId: '=1+2', attempts: 2, quantityShort: '3', ...attempts, wouldBlock: 2, lastAt: '2026-03-02T00:00:00.000Z' },
            { itemId: 'i', attempts: 1, quantityShort: '1.5', ...attempts, wouldBlock: 1, lastAt: '2026-03-03T00:00:00.000Z' },
          ],
          summary: { attempts: 3, quantityShort: '4.5' },
        },
      });
    }
    for (const role of ['sales', 'warehouse', 'cashier', 'inventory_manager', 'service']) {
      expect((await (await person(role)).send('GET', '/reports/overrides')).status).toBe(403);
    }
  });

  it('is about the last 30 days unless something else is said, and says what it is about', async () => {
    const { body } = await (await person('auditor')).send('GET', '/reports/oversell-attempts?to=2026-03-31T12:00:00Z&limit=1');
    expect(body).toMatchObject({
      from: '2026-03-01T12:00:00.000Z',
      to: '2026-03-31T12:00:00Z',
      rows: [{ itemId: '=1+2' }],
      truncated: true,
    });
    const { body: now } = await (await person('auditor')).send('GET', '/reports/overrides');
    const { from, to, rows } = now as { from: string; to: string; rows: unknown[] };
    expect(Date.parse(to) - Date.parse(from)).toBe(30 * 86_400_000);
    expect(Math.abs(Date.parse(to) - Date.now())).toBeLessThan(600_000);
    expect(rows).toHaveLength(1);
  });

  it.each([
    ['groupBy=customer', 'groupBy'],
    ['groupBy=status', 'groupBy'],
    ['format=xml', 'format'],
    ['limit=501', 'limit'],
    ['limit=10001&format=csv', 'limit'],
    ['limit=0', 'limit'],
    ['from=yesterday', 'from'],
    ['from=2026-04-01T00:00:00Z&to=2026-04-01T00:00:00Z', 'from'],
    ['item=i', 'item'],
  ])('is not made of %s', async (query, path) => {
    const answer = await (await person('auditor')).send('GET', `/reports/oversell-attempts?${query}`);
    expect(answer).toMatchObject({ status: 400, body: { code: 'VALIDATION_FAILED', errors: [{ path }] } });
  });

  it('comes as a file that a spreadsheet reads and does not run', async () => {
    const auditor = await person('auditor');
    const { headers, lines } = await file(auditor, `/reports/oversell-attempts?${march}&format=csv&limit=10000&groupBy=item_warehouse`);
    expect(headers.get('content-type')).toBe('text/csv; charset=utf-8');
    expect(headers.get('content-disposition')).toBe('attachment; filename="oversell-attempts_2026-03-01_2026-04-01.csv"');
    expect(lines).toEqual([
      ['itemId', 'warehouseId', 'attempts', 'quantityShort', 'refused', 'pendingApproval', 'wouldBlock', 'lastAt'],
      ["'=1+2", 'w', '2', '3', '0', '0', '2', '2026-03-02T00:00:00.000Z'],
      ['i', 'v', '1', '1.5', '0', '0', '1', '2026-03-03T00:00:00.000Z'],
    ]);
    const bySource = await file(auditor, `/reports/oversell-attempts?${march}&format=csv&groupBy=source`);
    expect(bySource.lines.map(([source]) => source)).toEqual(['source', "'-x", 'a,"b"\nc', '']);
    const nothing = await file(auditor, '/reports/overrides?to=2020-01-01T00:00:00Z&format=csv');
    expect(nothing.lines).toEqual([['userId', 'role', 'overrides', 'value', 'valueUnknown', 'lastAt']]);
  });

  it('shows the warehouses of who reads it, and nothing of another organisation', async () => {
    const [inV, stranger] = await Promise.all([person('auditor', ['v']), person('admin', undefined, 'initech')]);
    const rowsOf = async (client: HttpClient, report: string) => (await client.send('GET', `/reports/${report}`)).body['rows'] as object[];
    expect(await rowsOf(inV, `oversell-attempts?${march}`)).toMatchObject([{ itemId: 'i', attempts: 1 }]);
    expect(await rowsOf(inV, `would-have-been-blocked?${march}`)).toMatchObject([{ warehouseId: 'v' }]);
    expect(await rowsOf(inV, 'overrides')).toMatchObject([{ userId: 'bob', overrides: 1 }]);
    expect(await rowsOf(inV, `approved-with-open-discrepancies`)).toEqual([]);
    expect(await rowsOf(inV, `discrepancies?${ever}`)).toEqual([]);
    expect(await rowsOf(inV, 'inventory-value')).toEqual([]);
    for (const report of [
      'oversell-attempts',
      'would-have-been-blocked',
      'overrides',
      'approved-with-open-discrepancies',
      'discrepancies',
    ]) {
      expect([report, await rowsOf(stranger, `${report}?${ever}`)]).toEqual([report, []]);
    }
    expect(await rowsOf(stranger, 'inventory-value')).toEqual([]);
  });

  it('tells who let through what, what passed, what differs, and what the stock is worth', async () => {
    const finance = await person('finance_manager');
    const get = async (report: string) => (await finance.send('GET', `/reports/${report}`)).body;
    const overrides = { overrides: 2, value: '120', valueUnknown: 0 };
    expect(await get('overrides')).toMatchObject({
      rows: [{ userId: 'bob', role: 'inventory_manager', ...overrides }],
      summary: overrides,
    });
    expect(await get(`would-have-been-blocked?${march}&groupBy=warehouse`)).toMatchObject({
      rows: [
        { warehouseId: 'w', attempts: 2, quantityShort: '3', movements: 0 },
        { warehouseId: 'v', attempts: 1, quantityShort: '1.5', movements: 0 },
      ],
    });
    expect(await get(`discrepancies?${march}&groupBy=age`)).toMatchObject({ rows: [{ age: '7_to_30_days', open: 1, difference: '3' }] });
    expect(await get('inventory-value')).toEqual({
      ...{ from: null, to: null, groupBy: 'item', truncated: false },
      rows: [{ itemId: 'i', quantity: '5', value: '12.5' }],
      summary: { quantity: '5', value: '12.5', currency: 'EUR' },
    });
    const { headers, lines } = await file(finance, '/reports/inventory-value?format=csv&from=2026-03-01T00:00:00Z');
    expect(headers.get('content-disposition')).toBe('attachment; filename="inventory-value_2026-03-01.csv"');
    expect(lines).toEqual([
      ['itemId', 'quantity', 'value', 'quantityChange', 'valueChange'],
      ['i', '5', '12.5', '0', '0'],
    ]);
  });

  it('tells which orders were approved while discrepancies were open, as they were at that moment', async () => {
    const auditor = await person('auditor');
    const discrepancyId = '01890000-0000-7000-8000-000000000001';
    const { body } = await auditor.send('GET', '/reports/approved-with-open-discrepancies');
    const row = {
      ...{ orderId: 'o-1', approvedBy: 'bob', role: 'inventory_manager', reason: 'approves o-1', discrepancyIds: [discrepancyId] },
      snapshot: { availability: [{ itemId: 'i', onHand: '10' }], discrepancies: [{ discrepancyId, severity: 'high', difference: '-3' }] },
    };
    expect(body).toMatchObject({ groupBy: 'order', rows: [row], summary: { approvals: 2, inDoubt: 1 }, truncated: false });
    const { lines } = await file(auditor, '/reports/approved-with-open-discrepancies?format=csv');
    expect(lines[0]).toEqual(['orderId', 'approvedBy', 'role', 'reason', 'approvalRequestId', 'approvedAt', 'discrepancyIds', 'snapshot']);
    expect([lines[1]![0], JSON.parse(lines[1]![6]!)]).toEqual(['o-1', [discrepancyId]]);
    expect(JSON.parse(lines[1]![7]!)).toMatchObject(row.snapshot);
    // Closed afterwards, it was open all the same.
    await installation.database.rows(
      `update inventory.discrepancy set status = 'resolved', closed_at = now() + interval '1 hour' where org_id = 'acme'`,
      [],
    );
    expect((await auditor.send('GET', '/reports/approved-with-open-discrepancies')).body['rows']).toMatchObject([row]);
    await installation.database.rows(`update inventory.discrepancy set closed_at = '2026-03-11' where org_id = 'acme'`, []);
    expect((await auditor.send('GET', '/reports/approved-with-open-discrepancies')).body).toMatchObject({
      rows: [],
      summary: { inDoubt: 0 },
    });
  });
});
