import { type RequestOf, StockList } from '#libs/contracts';
import { formatQuantity, parseQuantity } from '#libs/domain';
import { startTestService, type TestService } from '#libs/testing';
import { inventory } from '../index.js';
import { lowStockThreshold } from './available-to-promise.js';

describe('stock list', () => {
  let service: TestService;
  beforeAll(async () => (service = await startTestService(inventory)));
  afterAll(() => service.stop());

  const addWarehouses = (orgId: string, ...warehouseIds: string[]) =>
    service.database.rows('insert into inventory.warehouse (org_id, warehouse_id, name) select $1, unnest($2::text[]), $1', [
      orgId,
      warehouseIds,
    ]);
  const addItem = (orgId: string, itemId: string, fields: { reorderPoint?: number | null; safetyStock?: number } = {}) =>
    service.database.rows('insert into inventory.item (org_id, item_id, name, reorder_point, safety_stock) values ($1, $2, $2, $3, $4)', [
      orgId,
      itemId,
      fields.reorderPoint ?? null,
      fields.safetyStock ?? null,
    ]);
  const addBalance = (
    orgId: string,
    warehouseId: string,
    itemId: string,
    onHand: number,
    fields: { reorderPoint?: number | null; lastEntryNo?: number } = {},
  ) =>
    service.database.rows(
      'insert into inventory.stock_balance (org_id, warehouse_id, item_id, on_hand, reorder_point, last_entry_no) values ($1, $2, $3, $4, $5, $6)',
      [orgId, warehouseId, itemId, onHand, fields.reorderPoint ?? null, fields.lastEntryNo ?? 1],
    );
  const list = async (request: RequestOf<typeof StockList> & { orgId: string }, warehouses: string[] | null = null) => {
    const page = await service.call(StockList, request, { roles: ['warehouse'], warehouses });
    return { rows: page.items.map((row) => `${row.warehouseId}/${row.itemId}`), low: page.lowStockCount, nextCursor: page.nextCursor };
  };

  it('answers a row in full', async () => {
    await addWarehouses('full', 'W');
    await addItem('full', 'I', { reorderPoint: 5, safetyStock: 2 });
    await service.database.rows(
      `insert into inventory.stock_balance (org_id, warehouse_id, item_id, on_hand, blocked, reserved, last_entry_no) values ('full', 'W', 'I', 10.5, 1, 3, 1)`,
    );
    expect((await service.call(StockList, { orgId: 'full' })).items).toEqual([
      {
        itemId: 'I',
        warehouseId: 'W',
        onHand: '10.5',
        reserved: '3',
        blocked: '1',
        available: '4.5',
        safetyStock: '2',
        reorderPoint: '5',
        threshold: '5',
        isLowStock: false,
      },
    ]);
  });

  it('tells low stock by the same rule as the stock machine', async () => {
    // Every mix of who sets a reorder point, with on hand below, at and above it.
    const points = [null, 0, 5];
    for (const [orgDefault, orgId] of [
      [null, 'rule'],
      [4, 'rule-4'],
    ] as const) {
      if (orgDefault !== null) {
        await service.database.rows('insert into inventory.stock_settings (org_id, default_reorder_point) values ($1, $2)', [
          orgId,
          orgDefault,
        ]);
      }
      await addWarehouses(orgId, 'W');
      const expected: Record<string, unknown> = {};
      const quantity = (point: number | null) => (point === null ? null : parseQuantity(String(point)));
      for (const own of points) {
        for (const item of points) {
          for (const onHand of [0, 4, 5, 6]) {
            const itemId = `${own}-${item}-${onHand}`;
            await addItem(orgId, itemId, { reorderPoint: item });
            await addBalance(orgId, 'W', itemId, onHand, { reorderPoint: own });
            const threshold = lowStockThreshold(quantity(own), quantity(item), quantity(orgDefault));
            expected[itemId] = { threshold: formatQuantity(threshold), isLowStock: parseQuantity(String(onHand)) <= threshold };
          }
        }
      }
      const page = await service.call(StockList, { orgId, limit: 500 });
      const told = Object.fromEntries(page.items.map(({ itemId, threshold, isLowStock }) => [itemId, { threshold, isLowStock }]));
      expect(told).toEqual(expected);
      const low = page.items.filter(({ isLowStock }) => isLowStock).map(({ itemId }) => itemId);
      expect(page.lowStockCount).toBe(low.length);
      expect((await service.call(StockList, { orgId, limit: 500, low: true })).items.map(({ itemId }) => itemId)).toEqual(low);
    }
  });

  it('does not call low what was never in stock', async () => {
    await addWarehouses('never', 'W');
    await addItem('never', 'I', { reorderPoint: 5 });
    await addBalance('never', 'W', 'I', 0, { lastEntryNo: 0 });
    expect(await list({ orgId: 'never' })).toEqual({ rows: ['W/I'], low: 0, nextCursor: null });
    expect((await list({ orgId: 'never', low: true })).rows).toEqual([]);
  });

  it('filters, and counts what is low of what it filters', async () => {
    await addWarehouses('filter', 'V', 'W');
    for (const itemId of ['a', 'b']) await addItem('filter', itemId, { reorderPoint: 1 });
    await addBalance('filter', 'V', 'a', 0);
    await addBalance('filter', 'V', 'b', 9);
    await addBalance('filter', 'W', 'a', 1);
    await addBalance('filter', 'W', 'b', 0);
    expect(await list({ orgId: 'filter' })).toMatchObject({ rows: ['V/a', 'V/b', 'W/a', 'W/b'], low: 3 });
    expect(await list({ orgId: 'filter', warehouseId: 'V' })).toMatchObject({ rows: ['V/a', 'V/b'], low: 1 });
    expect(await list({ orgId: 'filter', itemId: 'a' })).toMatchObject({ rows: ['V/a', 'W/a'], low: 2 });
    expect(await list({ orgId: 'filter', low: true, limit: 1 })).toMatchObject({ rows: ['V/a'], low: 3 });
    expect(await list({ orgId: 'filter' }, ['W'])).toMatchObject({ rows: ['W/a', 'W/b'], low: 2 });
    expect(await list({ orgId: 'filter', warehouseId: 'V' }, ['W'])).toMatchObject({ rows: [], low: 0 });
    expect(await list({ orgId: 'filter' }, [])).toMatchObject({ rows: [], low: 0 });
  });

  it('pages without gap or repeat while stock comes to new places', async () => {
    await addWarehouses('paged', 'V', 'W');
    for (const itemId of ['a', 'b', 'c', 'd', 'e']) await addItem('paged', itemId);
    for (const pair of ['V/b', 'V/d', 'W/b', 'W/d']) await addBalance('paged', ...(pair.split('/') as [string, string]), 1);
    const first = await list({ orgId: 'paged', limit: 2 });
    expect(first.rows).toEqual(['V/b', 'V/d']);
    for (const pair of ['V/a', 'V/c', 'V/e', 'W/a']) await addBalance('paged', ...(pair.split('/') as [string, string]), 1);
    const second = await list({ orgId: 'paged', limit: 3, cursor: first.nextCursor! });
    expect(second.rows).toEqual(['V/e', 'W/a', 'W/b']);
    expect(await list({ orgId: 'paged', cursor: second.nextCursor! })).toMatchObject({ rows: ['W/d'], nextCursor: null });
  });

  it('keeps organisations with the same ids apart', async () => {
    for (const [orgId, onHand] of [
      ['org-a', 1],
      ['org-b', 2],
    ] as const) {
      await addWarehouses(orgId, 'W');
      await addItem(orgId, 'I');
      await addBalance(orgId, 'W', 'I', onHand);
    }
    expect((await service.call(StockList, { orgId: 'org-b' })).items.map(({ onHand }) => onHand)).toEqual(['2']);
    expect((await service.call(StockList, { orgId: 'org-c' })).items).toEqual([]);
  });
});
