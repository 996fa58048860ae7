import {
  AdjustmentPost,
  BinMovePost,
  CountPost,
  DiscrepancyList,
  ItemCreate,
  LocationCreate,
  ReceiptPost,
  SettingsUpdate,
  TransferCreate,
  WarehouseCreate,
} from '#libs/contracts';
import { startTestService, type TestService } from '#libs/testing';
import { inventory } from '../index.js';

describe('a count', () => {
  let service: TestService;

  beforeAll(async () => {
    service = await startTestService(inventory);
  });
  afterAll(() => service.stop());

  it('of a whole warehouse finds what is below zero, too, also behind goods in another bin', async () => {
    const orgId = 'below';
    for (const warehouseId of ['w', 'v']) await service.call(WarehouseCreate, { orgId, warehouseId, name: warehouseId });
    await service.call(LocationCreate, { orgId, warehouseId: 'w', location: 'bin' });
    for (const itemId of ['even', 'less', 'more', 'none']) await service.call(ItemCreate, { orgId, itemId, name: itemId });
    const lines = ['even', 'less', 'more', 'none'].map((itemId) => ({ itemId, quantity: '3', unitCost: '1' }));
    await service.call(ReceiptPost, { orgId, receiptId: 'r', warehouseId: 'w', lines });
    for (const itemId of ['even', 'more']) {
      await service.call(BinMovePost, { orgId, warehouseId: 'w', itemId, quantity: '3', from: 'default', to: 'bin' });
    }
    await service.call(SettingsUpdate, { orgId, enforcementPhase: 'dark' });
    const leaves = (itemId: string, quantity: string) =>
      service.call(TransferCreate, { orgId, fromWarehouseId: 'w', toWarehouseId: 'v', lines: [{ itemId, quantity }] });
    await leaves('less', '5');
    await leaves('none', '3');
    // Taken where nothing lies, while the goods are in the bin.
    const taken = { quantityDelta: '-3', reason: 'shown to a customer', reasonCode: 'sample' as const };
    await service.call(AdjustmentPost, { orgId, warehouseId: 'w', itemId: 'even', ...taken });

    const count = await service.call(CountPost, {
      orgId,
      warehouseId: 'w',
      mode: 'full',
      lines: [{ itemId: 'more', countedQuantity: '3', location: 'bin' }],
    });
    expect(count.lines.map((line) => `${line.itemId} ${line.location}: ${line.countedQuantity} of ${line.ledgerQuantity}`)).toEqual([
      'more bin: 3 of 3',
      'even bin: 0 of 3',
      'even default: 0 of -3',
      'less default: 0 of -2',
    ]);
  });

  it('ends an earlier one, though that was told only now', async () => {
    const orgId = 'later';
    await service.call(WarehouseCreate, { orgId, warehouseId: 'w', name: 'w' });
    await service.call(ItemCreate, { orgId, itemId: 'a', name: 'a' });
    const count = (countedQuantity: string, day: string) =>
      service.call(CountPost, { orgId, warehouseId: 'w', countedAt: `${day}T00:00:00Z`, lines: [{ itemId: 'a', countedQuantity }] });
    const status = async () =>
      (await service.call(DiscrepancyList, { orgId })).items.map(({ difference, status }) => `${difference} ${status}`);
    await count('2', '2026-01-05');
    await count('0', '2026-01-04');
    expect(await status()).toEqual(['2 new']);
    await count('0', '2026-01-06');
    expect(await status()).toEqual(['2 resolved']);
  });
});
