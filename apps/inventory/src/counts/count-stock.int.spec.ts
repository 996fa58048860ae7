import {
  AdjustmentPost,
  BinMovePost,
  CountPost,
  ItemCreate,
  LocationCreate,
  ReceiptPost,
  SettingsUpdate,
  TransferCreate,
  WarehouseCreate,
} from '#libs/contracts';
import { startTestService, type TestService } from '#libs/testing';
import { inventory } from '../index.js';

describe('a count of a whole warehouse', () => {
  let service: TestService;

  beforeAll(async () => {
    service = await startTestService(inventory);
  });
  afterAll(() => service.stop());

  it('finds what is below zero, too, also behind goods in another bin', async () => {
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
});
