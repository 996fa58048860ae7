import { setTimeout as delay } from 'node:timers/promises';
import { AdjustmentPost, ItemUpdate, ReceiptPost, ReorderPointSet, StockList } from '#libs/contracts';
import { startTestService, type TestService } from '#libs/testing';
import { inventory } from '../index.js';

describe('low stock', () => {
  let service: TestService;
  let orgId: string;
  let orgs = 0;
  const heard: { type: string; actor: string; data: Record<string, string> }[] = [];
  beforeAll(async () => {
    service = await startTestService(inventory);
    await service.delivery.subscribe({
      ...{ service: 'notifications', eventTypes: ['LowStockDetected', 'StockReplenished'], liveTypes: [], answersCalls: false },
      ...{ prefetch: 100, retryDelaysMs: [] },
      onEvent: ({ body }) => {
        heard.push(JSON.parse(body.toString()) as (typeof heard)[number]);
        return Promise.resolve({ kind: 'handled' });
      },
      onLiveEvent: () => Promise.resolve(),
      onCall: () => Promise.resolve(null),
    });
  });
  afterAll(() => service.stop());
  beforeEach(async () => {
    orgId = `org-${++orgs}`;
    await service.database.rows(
      `with w as (insert into inventory.warehouse (org_id, warehouse_id, name) values ($1, 'V', 'V'), ($1, 'W', 'W'))
       insert into inventory.item (org_id, item_id, name) values ($1, 'A', 'A'), ($1, 'B', 'B')`,
      [orgId],
    );
  });

  const receive = (warehouseId: string, quantity: string) =>
    service.call(ReceiptPost, { orgId, warehouseId, lines: [{ itemId: 'A', quantity, unitCost: '1' }] });
  const take = (warehouseId: string, quantity: string) =>
    service.call(AdjustmentPost, { orgId, warehouseId, itemId: 'A', quantityDelta: `-${quantity}`, reason: 'r', reasonCode: 'loss' });
  const change = (request: object) => service.call(ItemUpdate, { orgId, itemId: 'A', ...request }, { userId: 'ann' });
  const reorderAt = (warehouseId: string, reorderPoint: string | null) =>
    service.call(ReorderPointSet, { orgId, warehouseId, itemId: 'A', reorderPoint });
  const low = async () => {
    const { items, lowStockCount } = await service.call(StockList, { orgId, low: true });
    expect(lowStockCount).toBe(items.length);
    return items.map((row) => `${row.warehouseId}/${row.itemId} ${row.onHand} of ${row.threshold}`);
  };
  /** What was said of low stock since the last time that somebody asked. */
  const said = async () => {
    // What was committed has been handed over when nothing is left to hand over.
    while ((await service.database.rows('select from inventory.outbox')).length > 0) await delay(10);
    return heard
      .splice(0)
      .map(
        ({ type, actor, data }) => `${type} ${data['warehouseId']}/${data['itemId']} ${data['onHand']} of ${data['threshold']} by ${actor}`,
      )
      .sort();
  };

  it('is told when stock crosses the threshold, and listed as long as it is low', async () => {
    await reorderAt('W', '4');
    await receive('W', '10');
    expect([await low(), await said()]).toEqual([[], []]);
    await take('W', '6');
    expect([await low(), await said()]).toEqual([['W/A 4 of 4'], ['LowStockDetected W/A 4 of 4 by tester']]);
    await take('W', '1');
    expect([await low(), await said()]).toEqual([['W/A 3 of 4'], []]);
    await receive('W', '2');
    expect([await low(), await said()]).toEqual([[], ['StockReplenished W/A 5 of 4 by tester']]);
  });

  it('is told where the reorder point of an item makes it low, or ends that', async () => {
    await receive('V', '3');
    await receive('W', '7');
    await said();
    await change({ reorderPoint: '5' });
    expect([await low(), await said()]).toEqual([['V/A 3 of 5'], ['LowStockDetected V/A 3 of 5 by ann']]);
    await change({ reorderPoint: '7.0' });
    expect([await low(), await said()]).toEqual([['V/A 3 of 7', 'W/A 7 of 7'], ['LowStockDetected W/A 7 of 7 by ann']]);
    await change({ reorderPoint: '2.5' });
    expect([await low(), await said()]).toEqual([[], ['StockReplenished V/A 3 of 2.5 by ann', 'StockReplenished W/A 7 of 2.5 by ann']]);
    await change({ reorderPoint: '3', dryRun: true });
    await change({ name: 'Another name' });
    expect([await low(), await said()]).toEqual([[], []]);
  });

  it('of an item counts for the warehouses that have no reorder point of their own', async () => {
    await receive('V', '3');
    await receive('W', '3');
    await reorderAt('W', '1');
    await said();
    await change({ reorderPoint: '5' });
    expect(await said()).toEqual(['LowStockDetected V/A 3 of 5 by ann']);
  });

  it('falls back to what the organisation says when the item says nothing any more', async () => {
    await receive('W', '3');
    await service.database.rows('insert into inventory.stock_settings (org_id, default_reorder_point) values ($1, 4)', [orgId]);
    await change({ reorderPoint: '2' });
    await said();
    await change({ reorderPoint: null });
    expect(await said()).toEqual(['LowStockDetected W/A 3 of 4 by ann']);
  });

  it('is not told of what was never in stock', async () => {
    await reorderAt('W', '9');
    await reorderAt('V', null);
    await change({ reorderPoint: '5' });
    expect([await low(), await said()]).toEqual([[], []]);
  });
});
