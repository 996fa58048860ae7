import {
  ItemCreate,
  ItemGet,
  ItemList,
  ItemUpdate,
  ReceiptPost,
  WarehouseCreate,
  WarehouseGet,
  WarehouseList,
  WarehouseUpdate,
} from '#libs/contracts';
import { startTestService, type TestService } from '#libs/testing';
import { inventory } from '../index.js';

describe('catalogue', () => {
  let service: TestService;
  beforeAll(async () => (service = await startTestService(inventory)));
  afterAll(() => service.stop());

  const failure = (code: string): unknown => expect.objectContaining({ code });

  describe('creating', () => {
    it('answers the warehouse, and the same again when it is repeated with an equal body', async () => {
      const body = { orgId: 'create', warehouseId: 'W', name: 'Main' };
      const created = await service.call(WarehouseCreate, body);
      expect(created).toEqual({ warehouseId: 'W', name: 'Main', priority: 100, createdAt: expect.any(String) });
      expect(await service.call(WarehouseCreate, { ...body, priority: 100 })).toEqual(created);
    });

    it('answers the item with what was left out filled in', async () => {
      const item = await service.call(ItemCreate, { orgId: 'create', itemId: 'I', name: 'Bolt', unitPrice: '1.50', reorderPoint: '10.0' });
      expect(item).toEqual({
        itemId: 'I',
        name: 'Bolt',
        unit: 'piece',
        tracking: 'none',
        costing: 'fifo',
        unitPrice: '1.5',
        currency: 'EUR',
        reorderPoint: '10',
        safetyStock: null,
        minRemainingShelfLifeDays: null,
        substitutes: [],
        createdAt: expect.any(String),
      });
      expect(await service.call(ItemGet, { orgId: 'create', itemIds: ['I'] })).toEqual({ items: [item] });
    });

    it('answers the current state to a repeat, whatever was changed since', async () => {
      const body = { orgId: 'create', itemId: 'repeated', name: 'Bolt', substitutes: ['I'] };
      await service.call(ItemCreate, body);
      const updated = await service.call(ItemUpdate, { orgId: 'create', itemId: 'repeated', name: 'Nut' });
      expect(await service.call(ItemCreate, body)).toEqual(updated);
      expect(updated).toMatchObject({ name: 'Nut', substitutes: ['I'] });
    });

    it('refuses another body for what exists', async () => {
      await service.call(ItemCreate, { orgId: 'create', itemId: 'taken', name: 'Bolt' });
      await service.call(WarehouseCreate, { orgId: 'create', warehouseId: 'taken', name: 'Main' });
      await expect(service.call(ItemCreate, { orgId: 'create', itemId: 'taken', name: 'Nut' })).rejects.toEqual(failure('ALREADY_EXISTS'));
      await expect(service.call(WarehouseCreate, { orgId: 'create', warehouseId: 'taken', name: 'Main', priority: 1 })).rejects.toEqual(
        failure('ALREADY_EXISTS'),
      );
    });

    it('makes one of many equal creations at once', async () => {
      const body = { orgId: 'create', itemId: 'raced', name: 'Bolt' };
      const answers = await Promise.all(Array.from({ length: 20 }, () => service.call(ItemCreate, body)));
      expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
    });

    it('lets one of many different creations at once win', async () => {
      const settled = await Promise.allSettled(
        Array.from({ length: 20 }, (_, n) => service.call(ItemCreate, { orgId: 'create', itemId: 'fought', name: `Bolt ${n}` })),
      );
      expect(settled.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    });

    it('keeps how an item is costed once it was in stock, while its first movement is waited for', async () => {
      const orgId = 'costed';
      await service.call(WarehouseCreate, { orgId, warehouseId: 'W', name: 'Main' });
      await service.call(ItemCreate, { orgId, itemId: 'i', name: 'Bolt' });
      await service.call(ItemUpdate, { orgId, itemId: 'i', costing: 'average' });
      const lines = [{ itemId: 'i', quantity: '1', unitCost: '1' }];
      await service.call(ReceiptPost, { orgId, warehouseId: 'W', lines });
      const changed = service.call(ItemUpdate, { orgId, itemId: 'i', costing: 'fifo' });
      await expect(changed).rejects.toEqual(expect.objectContaining({ kind: 'rejected', code: 'STOCK_VALIDATION' }));
      expect(await service.call(ItemUpdate, { orgId, itemId: 'i', costing: 'average', name: 'Nut' })).toMatchObject({ name: 'Nut' });
    });

    it('changes nothing in a dry run, and answers in full', async () => {
      const item = await service.call(ItemCreate, { orgId: 'create', itemId: 'dry', name: 'Bolt', dryRun: true });
      expect(item).toMatchObject({ itemId: 'dry', unit: 'piece', createdAt: expect.any(String), dryRun: true });
      await service.call(WarehouseCreate, { orgId: 'create', warehouseId: 'dry', name: 'Main', dryRun: true });
      await expect(service.call(ItemGet, { orgId: 'create', itemIds: ['dry'] })).rejects.toEqual(failure('ITEM_NOT_FOUND'));
      await expect(service.call(WarehouseGet, { orgId: 'create', warehouseId: 'dry' })).rejects.toEqual(failure('WAREHOUSE_NOT_FOUND'));
    });
  });

  describe('updating', () => {
    beforeAll(async () => {
      await service.call(WarehouseCreate, { orgId: 'update', warehouseId: 'W', name: 'Main' });
      await service.call(ItemCreate, { orgId: 'update', itemId: 'I', name: 'Bolt', reorderPoint: '5', unitPrice: '2' });
    });

    it('changes what is named', async () => {
      expect(await service.call(WarehouseUpdate, { orgId: 'update', warehouseId: 'W', priority: 0 })).toMatchObject({
        name: 'Main',
        priority: 0,
      });
      const updated = await service.call(ItemUpdate, { orgId: 'update', itemId: 'I', name: 'Nut', reorderPoint: null, safetyStock: '0.5' });
      expect(updated).toMatchObject({ name: 'Nut', reorderPoint: null, safetyStock: '0.5', unitPrice: '2' });
      expect((await service.call(ItemGet, { orgId: 'update', itemIds: ['I'] })).items).toEqual([updated]);
    });

    it('changes nothing in a dry run', async () => {
      const dry = { orgId: 'update', dryRun: true };
      expect(await service.call(ItemUpdate, { ...dry, itemId: 'I', unit: 'box' })).toMatchObject({ unit: 'box', dryRun: true });
      expect(await service.call(WarehouseUpdate, { ...dry, warehouseId: 'W', name: 'Other' })).toMatchObject({
        name: 'Other',
        dryRun: true,
      });
      expect((await service.call(ItemGet, { orgId: 'update', itemIds: ['I'] })).items[0]).toMatchObject({ unit: 'piece' });
      expect(await service.call(WarehouseGet, { orgId: 'update', warehouseId: 'W' })).toMatchObject({ name: 'Main' });
    });

    it('loses none of many changes of different fields at once', async () => {
      const changes = [{ name: 'Screw' }, { unit: 'bag' }, { costing: 'lifo' as const }, { safetyStock: '3' }, { substitutes: ['J'] }];
      await Promise.all(changes.map((change) => service.call(ItemUpdate, { orgId: 'update', itemId: 'I', ...change })));
      expect((await service.call(ItemGet, { orgId: 'update', itemIds: ['I'] })).items[0]).toMatchObject(Object.assign({}, ...changes));
    });

    it('changes the costing until a warehouse knows the item', async () => {
      const update = (fields: { costing?: 'fifo' | 'average'; name?: string; dryRun?: boolean }) =>
        service.call(ItemUpdate, { orgId: 'update', itemId: 'costed', ...fields });
      await service.call(ItemCreate, { orgId: 'update', itemId: 'costed', name: 'Bolt' });
      expect((await update({ costing: 'average' })).costing).toBe('average');
      await service.call(WarehouseCreate, { orgId: 'update', warehouseId: 'W', name: 'Main' });
      await service.call(ReceiptPost, { orgId: 'update', warehouseId: 'W', lines: [{ itemId: 'costed', quantity: '1', unitCost: '1' }] });
      await expect(update({ costing: 'fifo' })).rejects.toEqual(failure('STOCK_VALIDATION'));
      await expect(update({ costing: 'fifo', dryRun: true })).rejects.toEqual(failure('STOCK_VALIDATION'));
      expect((await update({ costing: 'average', name: 'Nut' })).name).toBe('Nut');
    });

    it('changes the costing either before the first receipt or not at all', async () => {
      const orgId = 'race';
      await service.call(WarehouseCreate, { orgId, warehouseId: 'W', name: 'Main' });
      for (let round = 0; round < 20; round++) {
        const itemId = `i${round}`;
        await service.call(ItemCreate, { orgId, itemId, name: itemId });
        const changed = service.call(ItemUpdate, { orgId, itemId, costing: 'average' }).then(
          () => true,
          () => false,
        );
        const received = service.call(ReceiptPost, { orgId, warehouseId: 'W', lines: [{ itemId, quantity: '1', unitCost: '1' }] });
        await received;
        const [layer] = await service.database.rows<{ layer_no: number }>(
          'select layer_no::int from inventory.cost_layer where org_id = $1 and item_id = $2',
          [orgId, itemId],
        );
        // An average is layer 0; the others count from 1.
        expect([itemId, layer?.layer_no]).toEqual([itemId, (await changed) ? 0 : 1]);
      }
    });

    it('tells what does not exist', async () => {
      await expect(service.call(ItemUpdate, { orgId: 'update', itemId: 'none', name: 'x' })).rejects.toEqual(failure('ITEM_NOT_FOUND'));
      await expect(service.call(WarehouseUpdate, { orgId: 'update', warehouseId: 'none' })).rejects.toEqual(failure('WAREHOUSE_NOT_FOUND'));
      await expect(service.call(ItemGet, { orgId: 'update', itemIds: ['I', 'a', 'b'] })).rejects.toEqual(
        expect.objectContaining({ code: 'ITEM_NOT_FOUND', details: { itemIds: ['a', 'b'] } }),
      );
    });
  });

  describe('listing', () => {
    const ids = async (cursor?: string) => {
      const { items, nextCursor } = await service.call(ItemList, { orgId: 'list', limit: 2, ...(cursor && { cursor }) });
      return { ids: items.map(({ itemId }) => itemId), nextCursor };
    };

    it('goes on after the last row, whatever was created meanwhile', async () => {
      for (const itemId of ['c', 'a', 'e', 'g']) await service.call(ItemCreate, { orgId: 'list', itemId, name: itemId });
      const first = await ids();
      expect(first.ids).toEqual(['a', 'c']);
      // Before the place of the cursor, at it, and behind.
      for (const itemId of ['b', 'd', 'h']) await service.call(ItemCreate, { orgId: 'list', itemId, name: itemId });
      const second = await ids(first.nextCursor!);
      expect(second.ids).toEqual(['d', 'e']);
      const third = await ids(second.nextCursor!);
      expect(third).toEqual({ ids: ['g', 'h'], nextCursor: null });
    });

    it('refuses a cursor that is none', async () => {
      await expect(ids('nonsense')).rejects.toEqual(expect.objectContaining({ kind: 'invalid', code: 'VALIDATION_FAILED' }));
    });

    it('shows a person the warehouses in which the person works', async () => {
      for (const warehouseId of ['A', 'B', 'C']) await service.call(WarehouseCreate, { orgId: 'list', warehouseId, name: warehouseId });
      const shown = async (warehouses: string[] | null) =>
        (await service.call(WarehouseList, { orgId: 'list' }, { roles: ['sales'], warehouses })).items.map(
          ({ warehouseId }) => warehouseId,
        );
      expect(await shown(null)).toEqual(['A', 'B', 'C']);
      expect(await shown(['C', 'A'])).toEqual(['A', 'C']);
      expect(await shown([])).toEqual([]);
      const hidden = service.call(WarehouseGet, { orgId: 'list', warehouseId: 'B' }, { roles: ['sales'], warehouses: ['A'] });
      await expect(hidden).rejects.toEqual(failure('WAREHOUSE_NOT_FOUND'));
    });
  });

  it('keeps organisations with the same ids apart', async () => {
    for (const orgId of ['org-a', 'org-b']) {
      await service.call(WarehouseCreate, { orgId, warehouseId: 'W', name: `Warehouse of ${orgId}` });
      await service.call(ItemCreate, { orgId, itemId: 'I', name: `Item of ${orgId}` });
    }
    await service.call(ItemCreate, { orgId: 'org-a', itemId: 'only-a', name: 'Of a alone' });
    await service.call(ItemUpdate, { orgId: 'org-a', itemId: 'I', name: 'Changed by a' });
    await service.call(WarehouseUpdate, { orgId: 'org-a', warehouseId: 'W', name: 'Changed by a' });

    expect((await service.call(ItemList, { orgId: 'org-b' })).items.map(({ name }) => name)).toEqual(['Item of org-b']);
    expect((await service.call(WarehouseList, { orgId: 'org-b' })).items.map(({ name }) => name)).toEqual(['Warehouse of org-b']);
    await expect(service.call(ItemUpdate, { orgId: 'org-b', itemId: 'only-a', name: 'x' })).rejects.toEqual(failure('ITEM_NOT_FOUND'));
    await expect(service.call(ItemGet, { orgId: 'org-b', itemIds: ['only-a'] })).rejects.toEqual(failure('ITEM_NOT_FOUND'));
    const foreign = service.call(ItemGet, { orgId: 'org-b', itemIds: ['I'] }, { orgId: 'org-a' });
    await expect(foreign).rejects.toEqual(failure('FORBIDDEN'));
  });

  it('lets nobody change the catalogue who may not', async () => {
    const create = service.call(ItemCreate, { orgId: 'create', itemId: 'X', name: 'x' }, { roles: ['sales', 'warehouse', 'auditor'] });
    await expect(create).rejects.toEqual(failure('FORBIDDEN'));
  });
});
