import type { Availability, AvailabilityGet, RequestOf } from '#libs/contracts';
import { createTestDatabase, type TestDatabase } from '#libs/testing';
import { AvailabilityController } from './availability.controller.js';
import { AvailabilityReader } from './availability-reader.js';

type Asked = RequestOf<typeof AvailabilityGet>['items'];

// Without the rest of the service, which would serve the backorders of this test from its stock.
describe('availability', () => {
  let test: TestDatabase;
  let controller: AvailabilityController;
  beforeAll(async () => {
    test = await createTestDatabase(['inventory']);
    const database = await test.open('inventory');
    controller = new AvailabilityController(database, new AvailabilityReader(database));
    for (const [org, factor] of [
      ['org', 1],
      ['twin', 10],
    ] as const) {
      await test.rows(
        `with warehouses as (insert into inventory.warehouse (org_id, warehouse_id, name) values ($1, 'W', 'Main'), ($1, 'V', 'Side'), ($1, 'EMPTY', 'New')),
         items as (insert into inventory.item (org_id, item_id, name, safety_stock)
                   values ($1, 'plain', 'Plain', null), ($1, 'kept', 'Kept back', 2), ($1, 'unstocked', 'Never stocked', 3))
         select`,
        [org],
      );
      await test.rows(
        `insert into inventory.stock_balance (org_id, warehouse_id, item_id, on_hand, blocked, reserved, backordered, safety_quantity, safety_percent, last_entry_no)
         values ($1, 'W', 'plain', 20 * $2, 1.5, 4, 2.25, null, null, 1),
                ($1, 'V', 'plain', 7 * $2, 0, 0, 0, null, null, 1),
                ($1, 'W', 'kept', 20 * $2, 0, 0, 0, null, 25, 1),
                ($1, 'V', 'kept', 20 * $2, 0, 0, 0, 1, null, 1)`,
        [org, factor],
      );
    }
  });
  afterAll(() => test.drop());

  const ask = async (items: Asked, { orgId = 'org', warehouses = null as string[] | null, explain = false } = {}) => {
    const actor = { userId: 'tester', orgId, roles: ['sales' as const], warehouses };
    const context = { orgId, actor, messageId: 'call', attempt: 1, lastAttempt: true };
    return (await controller.get({ orgId, items, explain }, context)).items;
  };
  const available = (answers: readonly Availability[]) => answers.map((a) => `${a.warehouseId}/${a.itemId}=${a.available}`);

  it('tells every term of the calculation', async () => {
    expect(await ask([{ itemId: 'plain', warehouseId: 'W' }])).toEqual([
      {
        itemId: 'plain',
        warehouseId: 'W',
        onHand: '20',
        reserved: '4',
        blocked: '1.5',
        expiredOrTooOld: '0',
        safetyStock: '0',
        discrepancyHold: '0',
        backordered: '2.25',
        inTransit: '0',
        available: '12.25',
        requiresAcknowledgement: false,
        warnings: [],
      },
    ]);
  });

  it('takes safety stock from the balance, else from the item; the larger of quantity and percent', async () => {
    const answers = await ask([
      { itemId: 'kept', warehouseId: 'W' },
      { itemId: 'kept', warehouseId: 'V' },
    ]);
    expect(answers.map(({ safetyStock, available }) => [safetyStock, available])).toEqual([
      ['5', '15'],
      ['1', '19'],
    ]);
  });

  it('answers for every warehouse that knows the item when none is named', async () => {
    expect(available(await ask([{ itemId: 'kept' }, { itemId: 'unstocked' }, { itemId: 'plain' }]))).toEqual([
      'V/kept=19',
      'W/kept=15',
      'V/plain=7',
      'W/plain=12.25',
    ]);
  });

  it('answers zeros where a known item was never stocked', async () => {
    expect(await ask([{ itemId: 'unstocked', warehouseId: 'EMPTY' }])).toEqual([
      expect.objectContaining({ onHand: '0', reserved: '0', backordered: '0', available: '0', safetyStock: '3' }),
    ]);
  });

  it('tells what does not exist', async () => {
    await expect(ask([{ itemId: 'none', warehouseId: 'W' }])).rejects.toEqual(
      expect.objectContaining({ kind: 'not_found', code: 'ITEM_NOT_FOUND' }),
    );
    await expect(ask([{ itemId: 'none' }])).rejects.toEqual(expect.objectContaining({ code: 'ITEM_NOT_FOUND' }));
    await expect(ask([{ itemId: 'plain', warehouseId: 'none' }])).rejects.toEqual(
      expect.objectContaining({ kind: 'not_found', code: 'WAREHOUSE_NOT_FOUND' }),
    );
  });

  it('leaves out warehouses in which the asker does not work', async () => {
    const asked = [{ itemId: 'plain' }, { itemId: 'kept', warehouseId: 'V' }, { itemId: 'kept', warehouseId: 'W' }];
    expect(available(await ask(asked, { warehouses: ['V'] }))).toEqual(['V/plain=7', 'V/kept=19']);
    expect(await ask(asked, { warehouses: [] })).toEqual([]);
  });

  it('keeps organisations with the same ids apart, also within one read', async () => {
    const questions = Array.from({ length: 60 }, (_, n) => ['org', 'twin', 'stranger'][n % 3]!);
    const settled = await Promise.allSettled(questions.map((orgId) => ask([{ itemId: 'plain', warehouseId: 'V' }], { orgId })));
    const answers = settled.map((result) =>
      result.status === 'fulfilled' ? result.value[0]!.onHand : (result.reason as { code: string }).code,
    );
    expect(answers).toEqual(questions.map((orgId) => ({ org: '7', twin: '70' })[orgId] ?? 'ITEM_NOT_FOUND'));
  });

  it('gives each of many callers at once its own answer, whatever its neighbours ask', async () => {
    const questions: { items: Asked; expected: string[] | string }[] = [
      {
        items: [
          { itemId: 'plain', warehouseId: 'V' },
          { itemId: 'plain', warehouseId: 'V' },
        ],
        expected: ['V/plain=7', 'V/plain=7'],
      },
      { items: [{ itemId: 'none', warehouseId: 'V' }], expected: 'ITEM_NOT_FOUND' },
      { items: [{ itemId: 'plain' }], expected: ['V/plain=7', 'W/plain=12.25'] },
      { items: [{ itemId: 'plain', warehouseId: 'none' }], expected: 'WAREHOUSE_NOT_FOUND' },
      { items: [{ itemId: 'kept', warehouseId: 'W' }, { itemId: 'plain' }], expected: ['W/kept=15', 'V/plain=7', 'W/plain=12.25'] },
      { items: [{ itemId: 'unstocked' }], expected: [] },
    ];
    const asked = Array.from({ length: 300 }, (_, n) => questions[n % questions.length]!);
    const settled = await Promise.allSettled(asked.map(({ items }) => ask(items)));
    const answers = settled.map((result) =>
      result.status === 'fulfilled' ? available(result.value) : (result.reason as { code: string }).code,
    );
    expect(answers).toEqual(asked.map(({ expected }) => expected));
  });

  describe('explained', () => {
    beforeAll(async () => {
      await test.rows(
        `insert into inventory.demand (org_id, order_id, state, firm, expires_at)
         select org, 'soft', 'open', false, '2030-01-01T00:00:00Z'::timestamptz from unnest(array['org', 'twin']) org
         union all select org, 'firm', 'open', true, null from unnest(array['org', 'twin']) org`,
      );
      await test.rows(
        `insert into inventory.reservation (org_id, order_id, reservation_id, line_no, warehouse_id, item_id, quantity, fulfilled_quantity, status, reserved_at)
         select org, r.* from unnest(array['org', 'twin']) org, (values
           ('soft', '01890000-0000-7000-8000-000000000001'::uuid, 1, 'W', 'plain', 1.5, 0, 'active', '2026-01-02'::timestamptz),
           ('firm', '01890000-0000-7000-8000-000000000002'::uuid, 2, 'W', 'plain', 5, 2.5, 'active', '2026-01-01'::timestamptz),
           ('firm', '01890000-0000-7000-8000-000000000003'::uuid, 3, 'W', 'plain', 9, 9, 'fulfilled', '2026-01-01'::timestamptz)) r`,
      );
      await test.rows(
        `insert into inventory.backorder (org_id, order_id, line_no, warehouse_id, item_id, quantity, priority, accepted_at)
         values ('org', 'late', 1, 'W', 'plain', 1, 50, '2026-01-02'), ('org', 'early', 1, 'W', 'plain', 1, 50, '2026-01-01'),
                ('org', 'urgent', 1, 'W', 'plain', 0.25, 90, '2026-01-03')`,
      );
      await test.rows(
        `insert into inventory.quant (org_id, warehouse_id, item_id, quality, quantity, received_at)
         values ('org', 'W', 'plain', 'quarantined', 0.5, now()), ('org', 'W', 'plain', 'damaged', 1, now()), ('org', 'W', 'plain', 'recalled', 0, now())`,
      );
    });

    it('adds what stands behind each term', async () => {
      const [plain, other] = await ask(
        [
          { itemId: 'plain', warehouseId: 'W' },
          { itemId: 'plain', warehouseId: 'V' },
        ],
        { explain: true },
      );
      expect(plain!.explain).toEqual({
        reservations: [
          {
            reservationId: '01890000-0000-7000-8000-000000000002',
            orderId: 'firm',
            lineNo: 2,
            quantity: '2.5',
            firm: true,
            expiresAt: null,
          },
          {
            reservationId: '01890000-0000-7000-8000-000000000001',
            orderId: 'soft',
            lineNo: 1,
            quantity: '1.5',
            firm: false,
            expiresAt: '2030-01-01T00:00:00.000Z',
          },
        ],
        backorders: ['urgent', 'early', 'late'].map((orderId): unknown => expect.objectContaining({ orderId })),
        blocked: [
          { quality: 'damaged', quantity: '1' },
          { quality: 'quarantined', quantity: '0.5' },
        ],
        lots: [],
        discrepancies: [],
        truncated: false,
      });
      expect(other!.explain).toEqual({ reservations: [], backorders: [], blocked: [], lots: [], discrepancies: [], truncated: false });
    });

    it('stays within bounds for an item that everybody wants, and says so', async () => {
      await test.rows(
        `insert into inventory.reservation (org_id, order_id, reservation_id, line_no, warehouse_id, item_id, quantity, reserved_at)
         select 'org', 'firm', gen_random_uuid(), 1, 'V', 'kept', 0.001, '2026-01-01'::timestamptz + make_interval(secs => n) from generate_series(1, 2100) n`,
      );
      const [kept] = await ask([{ itemId: 'kept', warehouseId: 'V' }], { explain: true });
      expect(kept!.explain).toMatchObject({ truncated: true });
      expect(kept!.explain!.reservations).toHaveLength(2000);
    });
  });
});
