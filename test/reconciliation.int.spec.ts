import type { Finding } from '#libs/contracts';
import { inventoryCheck } from '../scripts/inventory-check/inventory-check.js';
import { Books, inShort } from './support/books.js';
import { DAMAGES } from './support/damages.js';

// Whole organisations live, their books are damaged behind the back of the services, and a reconciliation over HTTP finds what was damaged.

let books: Books;
beforeAll(async () => void (books = await Books.open()), 60_000);
afterAll(() => books.close(), 60_000);
beforeEach(() => books.begin());

it('finds nothing in the books of an organisation that was left alone', async () => {
  await books.live();
  await books.goBeyond();
  const run = await books.reconcile();
  expect([run.status, inShort(run.findings), run.findingsTotal, run.unsettledOrders]).toEqual(['completed', [], 0, 0]);
  expect(run).toMatchObject({ trigger: 'manual', requestedBy: 'tester', balances: 4, outOfSyncItems: 0, failure: null });
  expect(run.progress.done).toBe(run.progress.total);
  expect(run.progress.total).toBe(4 + 9 + 9);
}, 90_000);

/** Orders that come, are confirmed, shipped, returned, cancelled, and goods that come, until it is over; answers how many there were. */
async function keepSelling(isOver: () => boolean): Promise<number> {
  let count = 0;
  const sellOne = async (seller: number) => {
    const orderId = `live-${seller}-${count++}`;
    const send = async (method: string, path: string, body?: object) => (await books.admin.send(method, path, body)).status;
    await send('POST', '/orders', {
      orderId,
      customerId: 'c',
      lines: [
        { itemId: 'mug', quantity: '2' },
        { itemId: 'tea', quantity: '1' },
      ],
    });
    if (count % 4 === 0) return await send('PUT', `/orders/${orderId}/cancel`, {});
    await send('PUT', `/orders/${orderId}/confirm`);
    await send('POST', `/orders/${orderId}/shipments`, { shipmentId: orderId, lines: [{ lineNo: 1, quantity: '1' }] });
    if (count % 3 === 0) await send('PUT', `/shipments/${orderId}/cancel`, { reason: 'again' });
    await send('POST', '/inventory/receipts', { warehouseId: 'w1', lines: [{ itemId: 'mug', quantity: '3', unitCost: '3.33' }] });
    return await send('POST', '/inventory/receipts', {
      warehouseId: 'w1',
      lines: [{ itemId: 'tea', quantity: '1', unitCost: '1.3', lot: 'L1' }],
    });
  };
  const seller = async (n: number) => {
    while (!isOver()) await sellOne(n);
  };
  await Promise.all([1, 2, 3].map(seller));
  return count;
}

/** The discrepancy about a doubt is a doubt itself, so both numbers are larger when it is found again. */
const withoutItsOwn = (finding: Finding): Finding =>
  finding.kind === 'doubts' ? { ...finding, expected: '0', actual: finding.difference, note: '' } : finding;

it('finds each place that was damaged, with an explanation, and nothing else, while orders come and go', async () => {
  await books.live();
  for (const it of DAMAGES) await books.prepare(it);
  expect(inShort((await books.reconcile()).findings)).toEqual([]);
  for (const it of DAMAGES) await books.damage(it);
  const owned = new Map<string, string>();
  const expected = DAMAGES.flatMap(({ found }) => found).sort();
  let over = false;
  const selling = keepSelling(() => over);
  try {
    for (let round = 0; round < 3; round++) {
      const run = await books.reconcile();
      const found = run.findings.map(withoutItsOwn);
      expect(inShort(found).sort()).toEqual(expected);
      expect(run).toMatchObject({ status: 'completed', findingsTotal: expected.length, unsettledOrders: 0 });
      expect(run.findings.filter(({ note }) => note === '')).toEqual([]);
      // Each is one discrepancy, and in the next run the same.
      expect(new Set(run.findings.map(({ discrepancyId }) => discrepancyId)).size).toBe(expected.length);
      for (const { discrepancyId, findingId: _, ...finding } of found) {
        const key = JSON.stringify(finding);
        expect([key, owned.get(key) ?? discrepancyId]).toEqual([key, discrepancyId]);
        owned.set(key, discrepancyId);
      }
    }
  } finally {
    over = true;
    await selling;
  }
  expect(await selling).toBeGreaterThan(20);
}, 180_000);

describe('npm run inventory:check', () => {
  const check = async (argv: readonly string[], environment: Readonly<Record<string, string>> = {}) => {
    const [out, errors]: [string[], string[]] = [[], []];
    const output = { out: (line: string) => void out.push(line), error: (line: string) => void errors.push(line), isTerminal: false };
    const code = await inventoryCheck(argv, { HOLDFAST_URL: books.url, ...environment }, output);
    return { code, out: out.join('\n'), errors: errors.join('\n') };
  };

  it('ends with 0 when all agrees, and with 1 and a table of findings when not', async () => {
    await books.admin.stockUp({ apple: 5, pear: 5 });
    expect(await check(['--org', books.orgId])).toEqual({
      code: 0,
      out: `${books.orgId}: 2 items in warehouses and their orders agree.`,
      errors: '',
    });
    await books.database.rows('update inventory.stock_balance set value = value + 1 where org_id = $1 and item_id = $2', [
      books.orgId,
      'pear',
    ]);
    const found = await check(['--org', books.orgId]);
    expect([found.code, found.errors]).toEqual([1, '']);
    expect(found.out).toMatch(/^kind +item .*difference +discrepancy\nledger_value +pear +main +5 +6 +1 +[0-9a-f-]{36}\n/);
    expect(found.out).toContain('1 findings, at 1 of 2 items');
    const asJson = await check(['--org', books.orgId, '--json']);
    expect([asJson.code, JSON.parse(asJson.out)]).toEqual([
      1,
      expect.objectContaining({ status: 'completed', findings: [expect.objectContaining({ kind: 'ledger_value', itemId: 'pear' })] }),
    ]);
  }, 60_000);

  it('takes an API key or a token, of this organisation only', async () => {
    await books.admin.stockUp({ apple: 5 });
    const { key } = await books.ask<{ key: string }>('POST', '/api-keys', { name: 'nightly', roles: ['inventory_manager'] });
    expect(await check(['--org', books.orgId], { HOLDFAST_API_KEY: key })).toMatchObject({ code: 0 });
    expect(await check(['--org', 'other'], { HOLDFAST_API_KEY: key })).toMatchObject({
      code: 2,
      errors: expect.stringContaining(books.orgId),
    });
    expect(await check(['--org', books.orgId], { HOLDFAST_TOKEN: 'x.y.z' })).toMatchObject({ code: 2 });
    const auditor = await books.ask<{ key: string }>('POST', '/api-keys', { name: 'auditor', roles: ['auditor'] });
    expect(await check(['--org', books.orgId], { HOLDFAST_API_KEY: auditor.key })).toMatchObject({
      code: 2,
      errors: expect.stringContaining('403'),
    });
  }, 60_000);

  it('ends with 2 and says what to do when it cannot be done', async () => {
    expect(await check([])).toMatchObject({ code: 2, errors: expect.stringContaining('--org') });
    expect(await check(['--org', 'a-typo'])).toEqual({
      code: 2,
      out: '',
      errors: expect.stringContaining('nothing of an organisation a-typo'),
    });
    expect(await check(['--all'])).toMatchObject({ code: 2, errors: expect.stringContaining('--all') });
    const nowhere = await check(['--org', books.orgId], { HOLDFAST_URL: 'http://127.0.0.1:1' });
    expect(nowhere).toMatchObject({ code: 2, errors: expect.stringContaining('npm start') });
  });
});
