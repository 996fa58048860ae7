import { setTimeout as delay } from 'node:timers/promises';
import type { Actor } from '#libs/auth';
import {
  ExpectedReceiptCancel,
  ExpectedReceiptCreate,
  ExpectedReceiptGet,
  ExpectedReceiptList,
  ExpectedReceiptUpdate,
  ReceiptPost,
  type RequestOf,
} from '#libs/contracts';
import { startTestService, type TestService } from '#libs/testing';
import { inventory } from '../index.js';

describe('expected receipts', () => {
  let service: TestService;
  let orgId: string;
  let orgs = 0;
  beforeAll(async () => (service = await startTestService(inventory)));
  afterAll(() => service.stop());
  beforeEach(async () => {
    orgId = `org-${++orgs}`;
    await service.database.rows(
      `with w as (insert into inventory.warehouse (org_id, warehouse_id, name) values ($1, 'W', 'W'), ($1, 'V', 'V'))
       insert into inventory.item (org_id, item_id, name) values ($1, 'A', 'A'), ($1, 'B', 'B')`,
      [orgId],
    );
  });

  const expecting = (request: Partial<RequestOf<typeof ExpectedReceiptCreate>> = {}, actor: Partial<Actor> = {}) =>
    service.call(
      ExpectedReceiptCreate,
      { orgId, warehouseId: 'W', itemId: 'A', quantity: '10', expectedOn: '2026-03-15', ...request },
      actor,
    );
  const list = async (request: RequestOf<typeof ExpectedReceiptList> = {}, actor: Partial<Actor> = {}) =>
    (await service.call(ExpectedReceiptList, { orgId, ...request }, actor)).items.map(({ expectedReceiptId }) => expectedReceiptId);
  const get = (expectedReceiptId: string, actor: Partial<Actor> = {}) =>
    service.call(ExpectedReceiptGet, { orgId, expectedReceiptId }, actor);
  const update = (expectedReceiptId: string, request: object, actor: Partial<Actor> = {}) =>
    service.call(ExpectedReceiptUpdate, { orgId, expectedReceiptId, ...request }, actor);
  const cancel = (expectedReceiptId: string, request: object = {}, actor: Partial<Actor> = {}) =>
    service.call(ExpectedReceiptCancel, { orgId, expectedReceiptId, ...request }, actor);
  const stored = () => service.database.rows('select * from inventory.expected_receipt where org_id = $1', [orgId]);

  it('are kept as they were announced', async () => {
    const made = await expecting({ quantity: '10.50', reference: 'PO 7' }, { userId: 'ann' });
    expect(made).toEqual({
      expectedReceiptId: expect.any(String),
      warehouseId: 'W',
      itemId: 'A',
      quantity: '10.5',
      receivedQuantity: '0',
      openQuantity: '10.5',
      expectedOn: '2026-03-15',
      reference: 'PO 7',
      status: 'open',
      createdAt: expect.any(String),
      updatedAt: made.createdAt,
      updatedBy: 'ann',
    });
    expect(await get(made.expectedReceiptId)).toEqual(made);
  });

  it('are announced once under their id', async () => {
    const made = await expecting({ expectedReceiptId: 'e' });
    await update('e', { quantity: '20' });
    expect(await expecting({ expectedReceiptId: 'e', quantity: '10.0' })).toMatchObject({ quantity: '20', createdAt: made.createdAt });
    await expect(expecting({ expectedReceiptId: 'e', quantity: '20' })).rejects.toMatchObject({ kind: 'conflict', code: 'ALREADY_EXISTS' });
    expect(await stored()).toHaveLength(1);
  });

  it('of what does not exist are refused', async () => {
    await expect(expecting({ itemId: 'X' })).rejects.toMatchObject({ kind: 'not_found', code: 'ITEM_NOT_FOUND' });
    await expect(expecting({ warehouseId: 'X' })).rejects.toMatchObject({ kind: 'not_found', code: 'WAREHOUSE_NOT_FOUND' });
    await expect(expecting({ expectedOn: '2026-02-30' })).rejects.toMatchObject({ kind: 'invalid' });
    await expect(expecting({ expectedOn: '0000-01-01' })).rejects.toMatchObject({ kind: 'invalid' });
    await expect(expecting({ quantity: '0' })).rejects.toMatchObject({ kind: 'invalid' });
    for (const call of [get('e'), update('e', { quantity: '1' }), cancel('e')]) {
      await expect(call).rejects.toMatchObject({ kind: 'not_found', code: 'NOT_FOUND' });
    }
    expect(await stored()).toEqual([]);
  });

  it('change, and say when and by whom', async () => {
    const { createdAt } = await expecting({ expectedReceiptId: 'e' }, { userId: 'ann' });
    const changed = await update('e', { expectedOn: '2026-04-01', quantity: '12' }, { userId: 'bob' });
    expect(changed).toMatchObject({ expectedOn: '2026-04-01', quantity: '12', openQuantity: '12', createdAt, updatedBy: 'bob' });
    expect(Date.parse(changed.updatedAt)).toBeGreaterThanOrEqual(Date.parse(createdAt));
    expect(await update('e', { quantity: '12.00' }, { userId: 'cleo' })).toEqual(changed);
    expect(await get('e')).toEqual(changed);
  });

  it('are cancelled for good', async () => {
    await expecting({ expectedReceiptId: 'e' });
    const cancelled = await cancel('e');
    expect(cancelled).toMatchObject({ status: 'cancelled', quantity: '10', openQuantity: '0' });
    expect(await cancel('e')).toEqual(cancelled);
    await expect(update('e', { quantity: '11' })).rejects.toMatchObject({ kind: 'conflict', code: 'INVALID_STATE' });
  });

  it('are left as they are by a dry run', async () => {
    expect(await expecting({ expectedReceiptId: 'e', dryRun: true })).toMatchObject({ status: 'open', openQuantity: '10', dryRun: true });
    expect(await stored()).toEqual([]);
    await expecting({ expectedReceiptId: 'e' });
    const before = await stored();
    expect(await expecting({ expectedReceiptId: 'e', dryRun: true })).toMatchObject({ dryRun: true });
    expect(await update('e', { quantity: '12', dryRun: true })).toMatchObject({ quantity: '12', dryRun: true });
    expect(await cancel('e', { dryRun: true })).toMatchObject({ status: 'cancelled', dryRun: true });
    expect(await stored()).toEqual(before);
  });

  it('are listed by where, what, when and state, the last announced first', async () => {
    await expecting({ expectedReceiptId: 'e1', expectedOn: '2026-03-10' });
    await expecting({ expectedReceiptId: 'e2', expectedOn: '2026-03-12', warehouseId: 'V' });
    await expecting({ expectedReceiptId: 'e3', expectedOn: '2026-03-11', itemId: 'B' });
    await cancel('e3');
    expect(await list()).toEqual(['e3', 'e2', 'e1']);
    expect(await list({ warehouseId: 'V' })).toEqual(['e2']);
    expect(await list({ itemId: 'B' })).toEqual(['e3']);
    expect(await list({ status: 'open' })).toEqual(['e2', 'e1']);
    expect(await list({ expectedFrom: '2026-03-11' })).toEqual(['e3', 'e2']);
    expect(await list({ expectedTo: '2026-03-11' })).toEqual(['e3', 'e1']);
  });

  it('are paged without gap or repeat while they change and more come', async () => {
    for (const id of ['e1', 'e2', 'e3', 'e4', 'e5']) await expecting({ expectedReceiptId: id });
    // Announced in one transaction, they would have the same time.
    await service.database.rows(`update inventory.expected_receipt set created_at = '2026-03-01T00:00:00.000001Z' where org_id = $1`, [
      orgId,
    ]);
    const first = await service.call(ExpectedReceiptList, { orgId, limit: 2 });
    await update('e1', { expectedOn: '2030-01-01' });
    await expecting({ expectedReceiptId: 'e0' });
    const second = await service.call(ExpectedReceiptList, { orgId, limit: 10, cursor: first.nextCursor! });
    expect([...first.items, ...second.items].map(({ expectedReceiptId }) => expectedReceiptId)).toEqual(['e5', 'e4', 'e3', 'e2', 'e1']);
  });

  it('are shown to those who work there, and changed by nobody else', async () => {
    await expecting({ expectedReceiptId: 'w' });
    await expecting({ expectedReceiptId: 'v', warehouseId: 'V' });
    const onlyV = { roles: ['warehouse' as const], warehouses: ['V'] };
    expect(await list({}, onlyV)).toEqual(['v']);
    expect(await list({ warehouseId: 'W' }, onlyV)).toEqual([]);
    await expect(get('w', onlyV)).rejects.toMatchObject({ kind: 'not_found', code: 'NOT_FOUND' });
    const forbidden = { kind: 'forbidden', code: 'WAREHOUSE_FORBIDDEN' };
    await expect(expecting({}, onlyV)).rejects.toMatchObject(forbidden);
    await expect(update('w', { quantity: '1' }, onlyV)).rejects.toMatchObject(forbidden);
    await expect(cancel('w', {}, onlyV)).rejects.toMatchObject(forbidden);
    expect(await cancel('v', {}, onlyV)).toMatchObject({ status: 'cancelled' });
    await expect(expecting({}, { roles: ['sales'] })).rejects.toMatchObject({ kind: 'forbidden', code: 'FORBIDDEN' });
  });

  it('are announced once by many at the same time', async () => {
    const made = await Promise.all(Array.from({ length: 8 }, () => expecting({ expectedReceiptId: 'e' })));
    expect(new Set(made.map(({ createdAt }) => createdAt)).size).toBe(1);
    expect(await stored()).toHaveLength(1);
    const settled = await Promise.allSettled([cancel('e'), update('e', { quantity: '11' }), cancel('e'), update('e', { quantity: '12' })]);
    expect(settled.filter(({ status }) => status === 'fulfilled').length).toBeGreaterThanOrEqual(2);
    expect(await get('e')).toMatchObject({ status: 'cancelled', openQuantity: '0' });
  });

  it('are changed as they are when it is their turn, not as they were', async () => {
    await expecting({ expectedReceiptId: 'e' });
    const database = await service.database.open('inventory');
    const waiting = () =>
      service.database.rows(`select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`);
    let late: Promise<unknown>;
    await database.transaction([orgId], async (tx) => {
      await tx.rows('select from expected_receipt where org_id = $1 for update', [orgId]);
      late = update('e', { quantity: '11' }).catch((error: unknown) => error);
      while ((await waiting()).length === 0) await delay(10);
      await tx.execute(`update expected_receipt set status = 'cancelled' where org_id = $1`, [orgId]);
    });
    expect(await late!).toMatchObject({ code: 'INVALID_STATE' });
    expect(await get('e')).toMatchObject({ status: 'cancelled', quantity: '10' });
  });

  describe('that come', () => {
    const receive = (receiptId: string, quantity: string, request: object = {}, actor: Partial<Actor> = {}) =>
      service.call(
        ReceiptPost,
        { orgId, receiptId, warehouseId: 'W', lines: [{ itemId: 'A', quantity, unitCost: '1', expectedReceiptId: 'e' }], ...request },
        actor,
      );

    it('are received in as many parts as they come in', async () => {
      const { createdAt } = await expecting({ expectedReceiptId: 'e' }, { userId: 'ann' });
      await receive('r1', '4', {}, { userId: 'bob' });
      expect(await get('e')).toMatchObject({ status: 'open', receivedQuantity: '4', openQuantity: '6', createdAt, updatedBy: 'bob' });
      await receive('r1', '4');
      expect(await get('e')).toMatchObject({ receivedQuantity: '4' });
      await receive('r2', '6.5', {}, { userId: 'cleo' });
      const received = await get('e');
      expect(received).toMatchObject({
        status: 'received',
        quantity: '10',
        receivedQuantity: '10.5',
        openQuantity: '0',
        updatedBy: 'cleo',
      });
      expect(Date.parse(received.updatedAt)).toBeGreaterThanOrEqual(Date.parse(createdAt));
      await expect(cancel('e')).rejects.toMatchObject({ code: 'INVALID_STATE' });
    });

    it('are not received by a dry run, nor by what is refused', async () => {
      await expecting({ expectedReceiptId: 'e' });
      const before = await stored();
      expect(await receive('r1', '4', { dryRun: true })).toMatchObject({ dryRun: true });
      await expect(receive('r1', '4', { warehouseId: 'V' })).rejects.toMatchObject({ kind: 'rejected', code: 'STOCK_VALIDATION' });
      const lines = [{ itemId: 'B', quantity: '4', unitCost: '1', expectedReceiptId: 'e' }];
      await expect(receive('r1', '4', { lines })).rejects.toMatchObject({ kind: 'rejected', code: 'STOCK_VALIDATION' });
      await expect(receive('r1', '4', { lines: [{ ...lines[0]!, itemId: 'A', expectedReceiptId: 'x' }] })).rejects.toMatchObject({
        kind: 'not_found',
        code: 'NOT_FOUND',
      });
      expect(await stored()).toEqual(before);
    });

    it('are counted right while others change and cancel them', async () => {
      await expecting({ expectedReceiptId: 'e', quantity: '1000' });
      const work = Array.from({ length: 20 }, (_, n) => [receive(`r${n}`, '1'), update('e', { quantity: String(1000 + n) })]).flat();
      await Promise.all(work);
      expect(await get('e')).toMatchObject({ status: 'open', receivedQuantity: '20' });
      const settled = await Promise.allSettled([...Array.from({ length: 5 }, (_, n) => receive(`s${n}`, '1')), cancel('e')]);
      expect(settled.filter(({ status }) => status === 'rejected')).toEqual([]);
      expect(await get('e')).toMatchObject({ status: 'cancelled', receivedQuantity: '25' });
    });

    it('are counted as they are when it is their turn, not as they were', async () => {
      await expecting({ expectedReceiptId: 'e' });
      const database = await service.database.open('inventory');
      const waiting = () =>
        service.database.rows(`select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`);
      let late: Promise<unknown>;
      await database.transaction([orgId], async (tx) => {
        await tx.rows('select from expected_receipt where org_id = $1 for update', [orgId]);
        late = receive('r1', '4');
        while ((await waiting()).length === 0) await delay(10);
        await tx.execute('update expected_receipt set received_quantity = 3 where org_id = $1', [orgId]);
      });
      await late!;
      expect(await get('e')).toMatchObject({ receivedQuantity: '7' });
    });
  });

  it("are each organisation's own", async () => {
    await expecting({ expectedReceiptId: 'e' });
    const other = `${orgId}-other`;
    await expect(service.call(ExpectedReceiptGet, { orgId: other, expectedReceiptId: 'e' })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(service.call(ExpectedReceiptCancel, { orgId: other, expectedReceiptId: 'e' })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
    expect((await service.call(ExpectedReceiptList, { orgId: other })).items).toEqual([]);
    expect(await get('e')).toMatchObject({ status: 'open' });
  });
});
