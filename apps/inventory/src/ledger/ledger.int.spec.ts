import { AdjustmentPost, ItemCreate, LedgerList, type RequestOf, WarehouseCreate } from '#libs/contracts';
import { startTestService, type TestService } from '#libs/testing';
import { inventory } from '../index.js';

interface Entry {
  readonly org?: string;
  readonly warehouse?: string;
  readonly item?: string;
  readonly no: number;
  readonly at: string;
  readonly order?: string;
  readonly refType?: string;
  readonly ref?: string;
}

describe('ledger list', () => {
  let service: TestService;
  beforeAll(async () => (service = await startTestService(inventory)));
  afterAll(() => service.stop());

  const add = async (entries: readonly Entry[]) => {
    for (const { org = 'org', warehouse = 'W', item = 'I', no, at, order = null, refType = 'receipt', ref = null } of entries) {
      await service.database.rows(
        `insert into inventory.ledger_entry (org_id, warehouse_id, item_id, entry_no, movement_id, quality, quantity_delta, balance_after,
                                             movement_type, ref_type, ref_id, order_id, occurred_at, recorded_at)
         values ($1, $2, $3, $4::bigint, gen_random_uuid(), 'available', 1.5, $4::bigint, 'receipt', $7, $8, $6, '2020-01-01T00:00:00Z', $5)`,
        [org, warehouse, item, no, at, order, refType, ref],
      );
    }
  };
  const list = async (request: RequestOf<typeof LedgerList> & { orgId?: string } = {}, warehouses: string[] | null = null) => {
    const page = await service.call(LedgerList, { orgId: 'org', ...request }, { roles: ['auditor'], warehouses });
    return { entries: page.items.map((entry) => `${entry.warehouseId}/${entry.itemId}/${entry.entryNo}`), nextCursor: page.nextCursor };
  };

  it('answers an entry in full, decimals in their shortest form', async () => {
    await add([{ org: 'full', no: 1, at: '2026-05-01T10:00:00.123Z', order: 'O', ref: 'R' }]);
    expect(await service.call(LedgerList, { orgId: 'full' })).toEqual({
      items: [
        {
          entryNo: 1,
          movementId: expect.any(String),
          itemId: 'I',
          warehouseId: 'W',
          lot: null,
          location: 'default',
          quality: 'available',
          quantityDelta: '1.5',
          balanceAfter: '1',
          movementType: 'receipt',
          refType: 'receipt',
          refId: 'R',
          orderId: 'O',
          unitCost: null,
          valueDelta: null,
          producedAt: null,
          expiresAt: null,
          flagged: false,
          discrepancyId: null,
          actor: null,
          occurredAt: '2020-01-01T00:00:00.000Z',
          recordedAt: '2026-05-01T10:00:00.123Z',
          note: null,
          reasonCode: null,
        },
      ],
      nextCursor: null,
    });
  });

  it('says what kind of adjustment it was, as its author said', async () => {
    const orgId = 'kinds';
    await service.call(WarehouseCreate, { orgId, warehouseId: 'w', name: 'W' });
    await service.call(ItemCreate, { orgId, itemId: 'i', name: 'I' });
    const adjust = (quantityDelta: string, more: Partial<RequestOf<typeof AdjustmentPost>>) =>
      service.call(AdjustmentPost, { orgId, warehouseId: 'w', itemId: 'i', reason: 'r', quantityDelta, ...more });
    await adjust('5', { reasonCode: 'found' });
    await adjust('-1', { reasonCode: 'sample' });
    await adjust('-1', {});
    const { items } = await service.call(LedgerList, { orgId });
    expect(items.map(({ reasonCode }) => reasonCode)).toEqual(['correction', 'sample', 'found']);
  });

  it('finds by every filter, in this organisation only', async () => {
    const at = (day: number) => `2026-06-0${day}T00:00:00Z`;
    for (const org of ['org', 'twin']) {
      await add([
        { org, no: 1, at: at(1), order: 'O1', ref: 'R1' },
        { org, no: 2, at: at(2), order: 'O2', ref: 'R2', refType: 'shipment' },
        { org, item: 'J', no: 1, at: at(3), order: 'O1', ref: 'R1', refType: 'shipment' },
        { org, warehouse: 'V', no: 1, at: at(4) },
      ]);
    }
    await add([{ org: 'twin', no: 3, at: at(5), order: 'O1', ref: 'R1' }]);
    expect((await list()).entries).toEqual(['V/I/1', 'W/J/1', 'W/I/2', 'W/I/1']);
    expect((await list({ itemId: 'I' })).entries).toEqual(['V/I/1', 'W/I/2', 'W/I/1']);
    expect((await list({ itemId: 'I', warehouseId: 'W' })).entries).toEqual(['W/I/2', 'W/I/1']);
    expect((await list({ orderId: 'O1' })).entries).toEqual(['W/J/1', 'W/I/1']);
    expect((await list({ refType: 'shipment' })).entries).toEqual(['W/J/1', 'W/I/2']);
    expect((await list({ refType: 'receipt', refId: 'R1' })).entries).toEqual(['W/I/1']);
    expect((await list({ from: at(2), to: at(4) })).entries).toEqual(['W/J/1', 'W/I/2']);
    expect((await list({}, ['V'])).entries).toEqual(['V/I/1']);
    expect((await list({ warehouseId: 'W' }, ['V'])).entries).toEqual([]);
    expect((await list({}, [])).entries).toEqual([]);
    expect((await list({ orgId: 'nobody' })).entries).toEqual([]);
  });

  it('pages without gap or repeat while entries are added, also within one moment and across months', async () => {
    const moment = '2026-07-31T23:59:59.999999Z';
    const old: Entry[] = [
      ...Array.from({ length: 4 }, (_, n) => ({ no: n + 1, at: '2026-07-01T00:00:00Z' })),
      ...['A', 'B', 'C'].flatMap((item) => [1, 2].map((no) => ({ item, no, at: moment }))),
      { item: 'A', no: 3, at: '2026-08-01T00:00:00Z' },
    ].map((entry) => ({ org: 'paged', ...entry }));
    await add(old);
    const all = (await list({ orgId: 'paged' })).entries;
    expect(all).toHaveLength(old.length);
    expect(all[0]).toBe('W/A/3');

    const seen: string[] = [];
    let cursor: string | null = null;
    for (let page = 0; ; page++) {
      const { entries, nextCursor } = await list({ orgId: 'paged', limit: 2, ...(cursor !== null && { cursor }) });
      seen.push(...entries);
      cursor = nextCursor;
      if (cursor === null) break;
      await add([{ org: 'paged', item: 'NEW', no: page + 1, at: '2026-08-02T00:00:00Z' }]);
    }
    expect(seen).toEqual(all);
  });

  it('refuses a cursor of another list', async () => {
    const foreign = Buffer.from('["W","I"]').toString('base64url');
    await expect(list({ cursor: foreign })).rejects.toEqual(expect.objectContaining({ kind: 'invalid' }));
  });
});
