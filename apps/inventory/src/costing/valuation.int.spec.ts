import { type ItemValuation, type Page, type RequestOf, ValuationList } from '#libs/contracts';
import { startTestService, type TestService } from '#libs/testing';
import { inventory } from '../index.js';

describe('valuation', () => {
  let service: TestService;
  beforeAll(async () => (service = await startTestService(inventory)));
  afterAll(() => service.stop());

  /** Stock of an item: `[receivedAt, receipt, quantity, value]` of each layer. */
  async function stock(orgId: string, warehouseId: string, itemId: string, ...layers: [string, string | null, number, number][]) {
    const names = [orgId, warehouseId, itemId];
    const sum = (at: 2 | 3) => layers.reduce((total, layer) => total + layer[at], 0);
    const rows = (text: string, values: readonly unknown[]) => service.database.rows(text, values);
    await rows(
      'insert into inventory.warehouse (org_id, warehouse_id, name) values ($1, $2, $2) on conflict do nothing',
      names.slice(0, 2),
    );
    await rows('insert into inventory.item (org_id, item_id, name) values ($1, $2, $2) on conflict do nothing', [orgId, itemId]);
    await rows('insert into inventory.stock_balance (org_id, warehouse_id, item_id, on_hand, value) values ($1, $2, $3, $4, $5)', [
      ...names,
      sum(2),
      sum(3),
    ]);
    for (const [index, layer] of layers.entries()) {
      await rows(
        `insert into inventory.cost_layer (org_id, warehouse_id, item_id, layer_no, received_at, receipt_id, quantity, value)
         values ($1, $2, $3, $4, $5, $6, $7, $8)`,
        [...names, index + 1, ...layer],
      );
    }
  }
  let entries = 0;
  const post = (orgId: string, warehouseId: string, itemId: string, at: string, quantity: number, value: number | null) =>
    service.database.rows(
      `insert into inventory.ledger_entry (org_id, warehouse_id, item_id, entry_no, movement_id, quality, quantity_delta, balance_after,
                                           value_delta, movement_type, ref_type, occurred_at, recorded_at)
       values ($1, $2, $3, $4, gen_random_uuid(), 'available', $5, 0, $6, 'receipt', 'receipt', '2020-01-01T00:00:00Z', $7)`,
      [orgId, warehouseId, itemId, ++entries, quantity, value, at],
    );
  const list = async (request: RequestOf<typeof ValuationList> & { orgId: string }, warehouses: string[] | null = null) => {
    const page = await service.call(ValuationList, request, { roles: ['auditor'], warehouses });
    return page.items.map((item) => `${item.warehouseId}/${item.itemId} ${item.quantity} @ ${item.value}`);
  };

  it('answers in full what is there, with its layers, the oldest first', async () => {
    await stock(
      'full',
      'W',
      'I',
      ['2026-05-02T10:00:00Z', null, 3, 10],
      ['2026-05-01T10:00:00.123Z', 'R', 1.5, 3],
      ['2026-04-01T00:00:00Z', 'Q', 0, 0],
    );
    expect(await service.call(ValuationList, { orgId: 'full' })).toEqual({
      items: [
        {
          itemId: 'I',
          warehouseId: 'W',
          quantity: '4.5',
          value: '13',
          layers: [
            { receivedAt: '2026-05-01T10:00:00.123Z', receiptId: 'R', quantity: '1.5', value: '3', unitCost: '2' },
            { receivedAt: '2026-05-02T10:00:00.000Z', receiptId: null, quantity: '3', value: '10', unitCost: '3.3333' },
          ],
          truncated: false,
        },
      ],
      nextCursor: null,
    });
  });

  it('lists no more layers than it says', async () => {
    const layers = Array.from({ length: 101 }, (_, n) => [new Date(Date.UTC(2026, 0, 1, n)).toISOString(), `r${n}`, 1, n] as const);
    await stock('many', 'W', 'I', ...layers.map((layer) => [...layer] as [string, string, number, number]));
    await stock('many', 'W', 'J', ['2026-01-01T00:00:00Z', 'r', 1, 1]);
    const { items } = await service.call(ValuationList, { orgId: 'many' });
    expect(items.map(({ layers: listed, truncated }) => [listed!.length, truncated])).toEqual([
      [100, true],
      [1, false],
    ]);
    expect(items[0]).toMatchObject({ quantity: '101', layers: { 99: { receiptId: 'r99' } } });
  });

  it('finds by every filter, in this organisation and the warehouses of who asks, and leaves out what is not there', async () => {
    for (const orgId of ['org', 'twin']) {
      await stock(orgId, 'V', 'I', ['2026-01-01T00:00:00Z', 'r', 1, 2]);
      await stock(orgId, 'W', 'I', ['2026-01-01T00:00:00Z', 'r', 2, 4]);
      await stock(orgId, 'W', 'J', ['2026-01-01T00:00:00Z', 'r', 3, 6]);
      await stock(orgId, 'W', 'K');
    }
    expect(await list({ orgId: 'org' })).toEqual(['V/I 1 @ 2', 'W/I 2 @ 4', 'W/J 3 @ 6']);
    expect(await list({ orgId: 'org', itemId: 'I' })).toEqual(['V/I 1 @ 2', 'W/I 2 @ 4']);
    expect(await list({ orgId: 'org', warehouseId: 'W' })).toEqual(['W/I 2 @ 4', 'W/J 3 @ 6']);
    expect(await list({ orgId: 'org' }, ['V'])).toEqual(['V/I 1 @ 2']);
    expect(await list({ orgId: 'org', warehouseId: 'W' }, ['V'])).toEqual([]);
    expect(await list({ orgId: 'org' }, [])).toEqual([]);
    expect(await list({ orgId: 'nobody' })).toEqual([]);
  });

  it('tells what there was at a time, without layers', async () => {
    await stock('then', 'W', 'I', ['2026-06-01T00:00:00Z', 'r', 5, 20]);
    await stock('then', 'W', 'GONE');
    await stock('then', 'W', 'NEW', ['2026-06-03T00:00:00Z', 'r', 1, 1]);
    await post('then', 'W', 'I', '2026-05-31T23:00:00Z', 10, 30);
    await post('then', 'W', 'I', '2026-06-02T00:00:00.001Z', -5, -15);
    // A correction of costs, and a change of quality, which has no value.
    await post('then', 'W', 'I', '2026-06-02T00:00:00.002Z', 0, 5);
    await post('then', 'W', 'I', '2026-06-02T00:00:00.003Z', 0, null);
    await post('then', 'W', 'GONE', '2026-06-01T00:00:00Z', 2, 7.5);
    await post('then', 'W', 'GONE', '2026-06-02T12:00:00Z', -2, -7.5);
    await post('then', 'W', 'NEW', '2026-06-03T00:00:00Z', 1, 1);
    const at = (asOf: string) => list({ orgId: 'then', asOf });
    expect(await at('2026-06-03T00:00:00Z')).toEqual(['W/I 5 @ 20', 'W/NEW 1 @ 1']);
    expect(await at('2026-06-02T12:00:00Z')).toEqual(['W/I 5 @ 20']);
    expect(await at('2026-06-02T00:00:00.001Z')).toEqual(['W/GONE 2 @ 7.5', 'W/I 5 @ 15']);
    expect(await at('2026-06-02T00:00:00Z')).toEqual(['W/GONE 2 @ 7.5', 'W/I 10 @ 30']);
    expect(await at('2026-05-31T23:00:00Z')).toEqual(['W/I 10 @ 30']);
    expect(await at('2026-05-31T22:59:59Z')).toEqual([]);
    const { items } = await service.call(ValuationList, { orgId: 'then', asOf: '2026-06-03T00:00:00Z' });
    expect(items[0]).toEqual({ itemId: 'I', warehouseId: 'W', quantity: '5', value: '20' });
  });

  it.each([undefined, '2030-01-01T00:00:00Z'])('pages without gap or repeat, as of %s', async (asOf) => {
    const orgId = asOf === undefined ? 'paged' : 'paged-then';
    for (const warehouse of ['V', 'W'])
      for (const item of ['A', 'B', 'C']) await stock(orgId, warehouse, item, ['2026-01-01T00:00:00Z', 'r', 1, 2]);
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const page: Page<ItemValuation> = await service.call(ValuationList, {
        orgId,
        limit: 2,
        ...(asOf && { asOf }),
        ...(cursor !== null && { cursor }),
      });
      seen.push(...page.items.map((item) => `${item.warehouseId}/${item.itemId} ${item.layers?.length ?? 'no'}`));
      cursor = page.nextCursor;
    } while (cursor !== null);
    const layers = asOf === undefined ? '1' : 'no';
    expect(seen).toEqual(['V/A', 'V/B', 'V/C', 'W/A', 'W/B', 'W/C'].map((place) => `${place} ${layers}`));
  });

  it.each(['sales', 'warehouse', 'cashier', 'service'] as const)('is not for %s', async (role) => {
    await expect(service.call(ValuationList, { orgId: 'org' }, { roles: [role] })).rejects.toMatchObject({ code: 'FORBIDDEN' });
  });
});
