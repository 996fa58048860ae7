import { PickingSuggest, ReservationList, type RequestOf } from '#libs/contracts';
import { startTestService, type TestService } from '#libs/testing';
import { inventory } from '../index.js';

describe('reservation reads', () => {
  let service: TestService;
  const id = (n: number) => `01890000-0000-7000-8000-${String(n).padStart(12, '0')}`;

  beforeAll(async () => {
    service = await startTestService(inventory);
    for (const org of ['org', 'twin']) {
      await service.database.rows(
        `with w as (insert into inventory.warehouse (org_id, warehouse_id, name) values ($1, 'V', 'Side'), ($1, 'W', 'Main'))
         insert into inventory.item (org_id, item_id, name) values ($1, 'a', $1 || ' A'), ($1, 'b', $1 || ' B')`,
        [org],
      );
      await service.database.rows(
        `insert into inventory.stock_balance (org_id, warehouse_id, item_id, on_hand, last_entry_no)
         select $1, w, i, 100, 1 from unnest(array['V', 'W']) w, unnest(array['a', 'b']) i`,
        [org],
      );
      await service.database.rows(
        `insert into inventory.demand (org_id, order_id, state, firm, expires_at)
         values ($1, 'soft', 'open', false, '2030-01-01T00:00:00Z'), ($1, 'firm', 'open', true, null), ($1, 'empty', 'closed', true, null)`,
        [org],
      );
      await service.database.rows(
        `insert into inventory.reservation (org_id, order_id, reservation_id, line_no, warehouse_id, item_id, quantity, fulfilled_quantity, status, reserved_at, closed_at, release_reason)
         values ($1, 'soft', $2, 1, 'W', 'a', 1.5, 0, 'active', '2026-01-01', null, null),
                ($1, 'firm', $3, 2, 'W', 'b', 2, 0, 'active', '2026-01-02', null, null),
                ($1, 'firm', $4, 1, 'W', 'a', 5, 2, 'active', '2026-01-03', null, null),
                ($1, 'firm', $5, 1, 'V', 'a', 3, 0, 'active', '2026-01-04', null, null),
                ($1, 'soft', $6, 2, 'V', 'b', 4, 0, 'released', '2026-01-05', '2026-01-06', 'amended')`,
        [org, id(1), id(2), id(3), id(4), id(5)],
      );
    }
  });
  afterAll(() => service.stop());

  describe('list', () => {
    const list = async (request: RequestOf<typeof ReservationList> = {}, warehouses: string[] | null = null) => {
      const page = await service.call(ReservationList, { orgId: 'org', ...request }, { roles: ['sales'], warehouses });
      return { ids: page.items.map(({ reservationId }) => Number(reservationId.slice(-3))), nextCursor: page.nextCursor };
    };

    it('answers in full; whether it is firm and when it expires is said by its demand', async () => {
      const { items } = await service.call(ReservationList, { orgId: 'org', orderId: 'soft' });
      expect(items).toEqual([
        {
          reservationId: id(5),
          orderId: 'soft',
          lineNo: 2,
          itemId: 'b',
          warehouseId: 'V',
          lot: null,
          location: 'default',
          quantity: '4',
          fulfilledQuantity: '0',
          status: 'released',
          firm: false,
          reservedAt: '2026-01-05T00:00:00.000Z',
          expiresAt: null,
          closedAt: '2026-01-06T00:00:00.000Z',
          releaseReason: 'amended',
        },
        expect.objectContaining({ reservationId: id(1), quantity: '1.5', firm: false, expiresAt: '2030-01-01T00:00:00.000Z' }),
      ]);
      const firm = await service.call(ReservationList, { orgId: 'org', orderId: 'firm', itemId: 'b' });
      expect(firm.items).toEqual([expect.objectContaining({ firm: true, expiresAt: null })]);
    });

    it('finds by every filter, newest first', async () => {
      expect((await list()).ids).toEqual([5, 4, 3, 2, 1]);
      expect((await list({ itemId: 'a' })).ids).toEqual([4, 3, 1]);
      expect((await list({ status: 'active' })).ids).toEqual([4, 3, 2, 1]);
      expect((await list({ itemId: 'b', status: 'active' })).ids).toEqual([2]);
      expect((await list({ orderId: 'firm', itemId: 'a' })).ids).toEqual([4, 3]);
      expect((await list({}, ['V'])).ids).toEqual([5, 4]);
      expect((await list({}, [])).ids).toEqual([]);
      expect((await list({ orderId: 'unknown' })).ids).toEqual([]);
    });

    it('pages without gap or repeat while new ones are made', async () => {
      const first = await list({ limit: 2 });
      await service.database.rows(
        `insert into inventory.reservation (org_id, order_id, reservation_id, line_no, warehouse_id, item_id, quantity, reserved_at)
         values ('org', 'firm', $1, 9, 'W', 'a', 1, now())`,
        [id(9)],
      );
      const second = await list({ limit: 2, cursor: first.nextCursor! });
      const third = await list({ limit: 2, cursor: second.nextCursor! });
      expect([...first.ids, ...second.ids, ...third.ids]).toEqual([5, 4, 3, 2, 1]);
      expect(third.nextCursor).toBeNull();
      await service.database.rows('delete from inventory.reservation where reservation_id = $1', [id(9)]);
    });
  });

  describe('picking suggestions', () => {
    const suggest = async (orderId: string, warehouses: string[] | null = null, orgId = 'org') =>
      (await service.call(PickingSuggest, { orgId, orderId }, { roles: ['warehouse'], warehouses })).lines;

    it('are what the order holds and has not been shipped', async () => {
      const place = { lot: null, location: 'default', expiresAt: null };
      expect(await suggest('firm')).toEqual([
        { lineNo: 1, itemId: 'a', name: 'org A', warehouseId: 'V', quantity: '3', ...place },
        { lineNo: 1, itemId: 'a', name: 'org A', warehouseId: 'W', quantity: '3', ...place },
        { lineNo: 2, itemId: 'b', name: 'org B', warehouseId: 'W', quantity: '2', ...place },
      ]);
      expect(await suggest('soft')).toEqual([expect.objectContaining({ lineNo: 1, quantity: '1.5' })]);
      expect(await suggest('empty')).toEqual([]);
    });

    it('name lot and bin, what expires first at the top, and leave out what has expired', async () => {
      await service.database.rows(
        `with i as (insert into inventory.item (org_id, item_id, name, tracking) values ('org', 'milk', 'Milk', 'lot')),
              d as (insert into inventory.demand (org_id, order_id, state, firm) values ('org', 'lots', 'open', true))
         insert into inventory.stock_balance (org_id, warehouse_id, item_id, on_hand, reserved, last_entry_no) values ('org', 'W', 'milk', 9, 9, 1)`,
      );
      await service.database.rows(
        `insert into inventory.lot (org_id, item_id, lot, expires_at, created_at)
         select 'org', 'milk', lot, expires_at::timestamptz, now() from (values ('old', '2020-01-01T00:00:00Z'), ('soon', '2090-01-01T00:00:00Z'),
           ('late', '2099-01-01T00:00:00Z'), ('never', null)) v (lot, expires_at)`,
      );
      await service.database.rows(
        `insert into inventory.quant (org_id, warehouse_id, item_id, lot, location, quality, quantity, reserved, received_at)
         select 'org', 'W', 'milk', lot, location, 'available', 2, 2, '2026-01-01' from unnest(array['old', 'late', 'soon', 'never', 'soon'],
           array['default', 'default', 'B', 'default', 'A']) v (lot, location)`,
      );
      await service.database.rows(
        `insert into inventory.reservation (org_id, order_id, reservation_id, line_no, warehouse_id, item_id, lot, location, quantity, reserved_at)
         select 'org', 'lots', ('01890000-0000-7000-9000-00000000000' || n)::uuid, 1, 'W', 'milk', lot, location, 2, '2026-01-01'
         from unnest(array['never', 'late', 'soon', 'soon', 'old'], array['default', 'default', 'B', 'A', 'default']) with ordinality v (lot, location, n)`,
      );
      const milk = { lineNo: 1, itemId: 'milk', name: 'Milk', warehouseId: 'W', quantity: '2' };
      expect(await suggest('lots')).toEqual([
        { ...milk, lot: 'soon', location: 'A', expiresAt: '2090-01-01T00:00:00.000Z' },
        { ...milk, lot: 'soon', location: 'B', expiresAt: '2090-01-01T00:00:00.000Z' },
        { ...milk, lot: 'late', location: 'default', expiresAt: '2099-01-01T00:00:00.000Z' },
        { ...milk, lot: 'never', location: 'default', expiresAt: null },
      ]);
    });

    it('leave out what is too old for the line, as line, item and organisation say', async () => {
      const lots = async (days: { line?: number; item?: number; organisation?: number }) => {
        const line = { lineNo: 1, itemId: 'milk', requested: '10', reserved: '10', minRemainingShelfLifeDays: days.line };
        await service.database.rows(`update inventory.demand set lines = $1 where org_id = 'org' and order_id = 'lots'`, [
          JSON.stringify([line]),
        ]);
        await service.database.rows(
          `update inventory.item set min_remaining_shelf_life_days = $1 where org_id = 'org' and item_id = 'milk'`,
          [days.item ?? null],
        );
        await service.database.rows(
          `insert into inventory.stock_settings (org_id, min_remaining_shelf_life_days) values ('org', $1)
               on conflict (org_id) do update set min_remaining_shelf_life_days = $1`,
          [days.organisation ?? 0],
        );
        return (await suggest('lots')).map(({ lot }) => lot);
      };
      // So many days from now that it is after 2090 and before 2099.
      const days = Math.ceil((Date.parse('2095-01-01T00:00:00Z') - Date.now()) / 86_400_000);
      const all = ['soon', 'soon', 'late', 'never'];
      expect([await lots({ line: days }), await lots({ item: days }), await lots({ organisation: days })]).toEqual(
        Array(3).fill(['late', 'never']),
      );
      expect(await lots({ line: 0, item: days })).toEqual(all);
      expect(await lots({ item: 0, organisation: days })).toEqual(all);
    });

    it('are those of the warehouses in which the picker works', async () => {
      expect((await suggest('firm', ['V'])).map(({ warehouseId }) => warehouseId)).toEqual(['V']);
    });

    it('keep organisations with the same ids apart', async () => {
      expect((await suggest('soft', null, 'twin')).map(({ name }) => name)).toEqual(['twin A']);
      await service.database.rows(`insert into inventory.demand (org_id, order_id, state) values ('twin', 'only-twin', 'open')`);
      await expect(suggest('only-twin')).rejects.toEqual(expect.objectContaining({ code: 'ORDER_NOT_FOUND' }));
    });

    it('do not exist for an order of which nothing is known', async () => {
      await expect(suggest('unknown')).rejects.toEqual(expect.objectContaining({ kind: 'not_found', code: 'ORDER_NOT_FOUND' }));
    });
  });
});
