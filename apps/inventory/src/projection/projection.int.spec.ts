import type { Actor } from '#libs/auth';
import { AvailabilityProject, BackorderDates, ExpectedReceiptCreate, SettingsUpdate, StockDemand } from '#libs/contracts';
import { addDays, dayOf } from '#libs/domain';
import { startTestService, type TestService } from '#libs/testing';
import { inventory } from '../index.js';

describe('stock on the days to come', () => {
  let service: TestService;
  let orgId: string;
  let orgs = 0;
  let day: (offset: number) => string;
  beforeAll(async () => (service = await startTestService(inventory)));
  afterAll(() => service.stop());
  beforeEach(async () => {
    orgId = `org-${++orgs}`;
    const today = dayOf(new Date(), 'UTC');
    day = (offset) => addDays(today, offset);
    await service.database.rows(
      `with w as (insert into inventory.warehouse (org_id, warehouse_id, name, priority) values ($1, 'V', 'V', 2), ($1, 'W', 'W', 1))
       insert into inventory.item (org_id, item_id, name, substitutes) values ($1, 'A', 'A', '{B}'), ($1, 'B', 'B', '{}')`,
      [orgId],
    );
  });

  const stock = async (quantities: Readonly<Record<string, number>>, org = orgId) => {
    for (const [place, onHand] of Object.entries(quantities)) {
      const [warehouseId, itemId] = place.split('/');
      await service.database.rows(
        'insert into inventory.stock_balance (org_id, warehouse_id, item_id, on_hand, last_entry_no) values ($1, $2, $3, $4, 1)',
        [org, warehouseId, itemId, onHand],
      );
    }
  };
  const expected = (place: string, quantity: string, offset: number, org = orgId) => {
    const [warehouseId, itemId] = place.split('/') as [string, string];
    return service.call(ExpectedReceiptCreate, { orgId: org, warehouseId, itemId, quantity, expectedOn: day(offset) });
  };
  const projected = async (place: string, days?: number, actor: Partial<Actor> = {}) => {
    const [warehouseId, itemId] = place.split('/') as [string, string];
    const answer = await service.call(AvailabilityProject, { orgId, warehouseId, itemId, ...(days === undefined ? {} : { days }) }, actor);
    return answer.days;
  };
  const figures = async (place: string, days?: number) => (await projected(place, days)).map((at) => `${at.projected}/${at.available}`);
  const demand = (orderId: string, lines: Readonly<Record<number, string>>, more: object = {}, actor: Partial<Actor> = {}) => {
    const asked = Object.entries(lines).map(([lineNo, text]) => {
      const [itemId, quantity, warehouseId] = text.split(' ') as [string, string, string?];
      return { lineNo: Number(lineNo), itemId, quantity, ...(warehouseId === undefined ? {} : { warehouseId }) };
    });
    return service.call(StockDemand, { orgId, orderId, lines: asked, ...more }, actor);
  };

  describe('projection', () => {
    it('has a week unless another number of days is asked for', async () => {
      const week = await projected('W/A');
      expect(week).toEqual([0, 1, 2, 3, 4, 5, 6].map((offset) => ({ date: day(offset), projected: '0', available: '0' })));
      expect(await projected('W/A', 1)).toEqual(week.slice(0, 1));
      expect(await projected('W/A', 366)).toHaveLength(366);
    });

    it('adds what is open of what is expected, the overdue today, to what can be promised', async () => {
      await stock({ 'W/A': 10, 'V/A': 99 });
      await expected('W/A', '1', -5);
      await expected('W/A', '2.5', 2);
      await expected('W/A', '4', 2);
      await expected('V/A', '50', 1);
      await expected('W/B', '50', 1);
      for (const [status, received] of [
        ['received', 60],
        ['cancelled', 10],
      ]) {
        const { expectedReceiptId } = await expected('W/A', '60', 1);
        await service.database.rows(
          'update inventory.expected_receipt set status = $3, received_quantity = $4 where org_id = $1 and expected_receipt_id = $2',
          [orgId, expectedReceiptId, status, received],
        );
      }
      const { expectedReceiptId } = await expected('W/A', '5', 3);
      await service.database.rows(
        'update inventory.expected_receipt set received_quantity = 2 where org_id = $1 and expected_receipt_id = $2',
        [orgId, expectedReceiptId],
      );
      await demand('o', { 1: 'A 3 W' });
      expect(await figures('W/A', 5)).toEqual(['8/8', '8/8', '14.5/14.5', '17.5/17.5', '17.5/17.5']);
    });

    it('lets those who wait have theirs first', async () => {
      await demand('o', { 1: 'A 6 W' }, { reservationMode: 'partial' });
      await expected('W/A', '4', 1);
      await expected('W/A', '5', 3);
      expect(await figures('W/A', 4)).toEqual(['-6/0', '-2/0', '-2/0', '3/3']);
    });

    it('lets what nobody holds of a lot fall out when it can be promised no more', async () => {
      const lots = async (
        ...rows: readonly [lot: string, quantity: number, reserved: number, expires: string | null, quality?: string][]
      ) => {
        for (const [lot, quantity, reserved, expiresAt, quality = 'available'] of rows) {
          await service.database.rows(
            `insert into inventory.quant (org_id, warehouse_id, item_id, lot, quality, quantity, reserved, expires_at, received_at)
             values ($1, 'W', 'A', $2, $3, $4, $5, $6, now())`,
            [orgId, lot, quality, quantity, reserved, expiresAt],
          );
        }
      };
      await service.database.rows(
        `insert into inventory.stock_balance (org_id, warehouse_id, item_id, on_hand, blocked, reserved, has_quants, last_entry_no)
         values ($1, 'W', 'A', 20, 5, 2, true, 1)`,
        [orgId],
      );
      await lots(
        ['L1', 6, 2, `${day(2)}T12:00:00Z`],
        ['L2', 3, 0, `${day(2)}T23:59:59Z`],
        ['L3', 4, 0, `${day(40)}T00:00:00Z`],
        ['L4', 5, 0, `${day(1)}T00:00:00Z`, 'damaged'],
        ['L5', 2, 0, null],
      );
      expect(await figures('W/A', 4)).toEqual(['13/13', '13/13', '6/6', '6/6']);
      expect((await figures('W/A', 41)).slice(39)).toEqual(['6/6', '2/2']);
      await service.database.rows('insert into inventory.stock_settings (org_id, min_remaining_shelf_life_days) values ($1, 1)', [orgId]);
      expect(await figures('W/A', 3)).toEqual(['13/13', '6/6', '6/6']);
      await service.database.rows('update inventory.item set min_remaining_shelf_life_days = 38 where org_id = $1', [orgId]);
      expect(await figures('W/A', 3)).toEqual(['6/6', '6/6', '2/2']);
    });

    it('begins its days where the organisation says', async () => {
      const { timezone: far } = await service.call(SettingsUpdate, { orgId, timezone: 'Pacific/Kiritimati' });
      expect((await projected('W/A', 1))[0]!.date).toBe(dayOf(new Date(), far));
      const { timezone: near } = await service.call(SettingsUpdate, { orgId, timezone: 'Pacific/Niue' });
      expect((await projected('W/A', 1))[0]!.date).toBe(dayOf(new Date(), near));
      // 25 hours lie between them: it is never the same day there.
      expect(dayOf(new Date(), far)).not.toBe(dayOf(new Date(), near));
    });

    it('adds up more than a quantity can be', async () => {
      await stock({ 'W/A': 1 });
      for (let n = 0; n < 3; n++) await expected('W/A', '999999999999', 1);
      expect(await figures('W/A', 2)).toEqual(['1/1', '1000000000000/1000000000000']);
    });

    it('is of what exists and is shown', async () => {
      await expect(projected('W/X')).rejects.toMatchObject({ kind: 'not_found', code: 'ITEM_NOT_FOUND' });
      await expect(projected('X/A')).rejects.toMatchObject({ kind: 'not_found', code: 'WAREHOUSE_NOT_FOUND' });
      await expect(projected('W/A', 1, { warehouses: ['V'] })).rejects.toMatchObject({ code: 'WAREHOUSE_NOT_FOUND' });
      expect(await projected('V/A', 1, { roles: ['sales'], warehouses: ['V'] })).toHaveLength(1);
      await expect(projected('W/A', 0)).rejects.toMatchObject({ kind: 'invalid' });
      await expect(projected('W/A', 367)).rejects.toMatchObject({ kind: 'invalid' });
    });

    it("is of an organisation's own stock and expectations", async () => {
      const other = `${orgId}-other`;
      await service.database.rows(
        `with w as (insert into inventory.warehouse (org_id, warehouse_id, name) values ($1, 'W', 'W'))
         insert into inventory.item (org_id, item_id, name) values ($1, 'A', 'A')`,
        [other],
      );
      await stock({ 'W/A': 7 }, other);
      await expected('W/A', '5', 0, other);
      expect(await figures('W/A', 1)).toEqual(['0/0']);
    });
  });

  describe('alternatives to what is short', () => {
    const later = async (...asked: Parameters<typeof demand>) =>
      (await demand(...asked)).alternatives!.map((a) => [a.lineNo, a.kind, `${a.warehouseId}/${a.itemId}`, a.available, a.date]);

    it('are elsewhere, something else, or later', async () => {
      await stock({ 'W/A': 2, 'V/A': 9, 'V/B': 8 });
      await expected('W/A', '4', 3);
      await expected('V/A', '4', 1);
      expect(await later('o', { 1: 'A 6 W' })).toEqual([
        [1, 'warehouse', 'V/A', '9', undefined],
        [1, 'substitute', 'V/B', '8', undefined],
        [1, 'later', 'W/A', '6', day(3)],
      ]);
    });

    it('are later elsewhere only when that is sooner', async () => {
      await stock({ 'W/A': 2 });
      await expected('W/A', '4', 3);
      await expected('V/A', '6', 3);
      expect(await later('o', { 1: 'A 6 W' })).toEqual([[1, 'later', 'W/A', '6', day(3)]]);
      await expected('V/A', '6', 2);
      expect(await later('o', { 1: 'A 6 W' })).toEqual([
        [1, 'later', 'W/A', '6', day(3)],
        [1, 'later', 'V/A', '6', day(2)],
      ]);
      expect(await later('o', { 1: 'A 7 W' })).toEqual([[1, 'later', 'V/A', '12', day(3)]]);
      expect(await later('o', { 1: 'A 13 W' })).toEqual([]);
    });

    it('are in the warehouses in which the asker works', async () => {
      await expected('W/A', '6', 3);
      await expected('V/A', '6', 2);
      const onlyW = { roles: ['sales' as const], warehouses: ['W'] };
      expect(await later('o', { 1: 'A 6 W' }, {}, onlyW)).toEqual([[1, 'later', 'W/A', '6', day(3)]]);
    });

    it('count with what other lines of the order take', async () => {
      await stock({ 'W/A': 10 });
      await expected('W/A', '1', 4);
      expect(await later('o', { 1: 'A 6 W', 2: 'A 5 W' })).toEqual([[2, 'later', 'W/A', '11', day(4)]]);
      expect(await later('o', { 1: 'A 6 W', 2: 'A 6 W' })).toEqual([]);
    });

    it('count with what the order has already', async () => {
      await stock({ 'W/A': 5 });
      await demand('o', { 1: 'A 4 W' });
      await expected('W/A', '5', 2);
      expect(await later('o', { 1: 'A 10 W' })).toEqual([[1, 'later', 'W/A', '6', day(2)]]);
      expect(await later('o', { 1: 'A 11 W' })).toEqual([]);
    });

    it('are not there for what does not exist', async () => {
      await expected('W/A', '5', 2);
      expect(await demand('o', { 1: 'X 1 W' })).toMatchObject({ reason: 'ITEM_NOT_FOUND', alternatives: [] });
    });
  });

  describe('the day of a backorder', () => {
    const dates = async (...orderIds: string[]) =>
      Object.fromEntries((await service.call(BackorderDates, { orgId, orderIds })).orders.map(({ orderId, date }) => [orderId, date]));
    const wait = (orderId: string, lines: Readonly<Record<number, string>>, more: object = {}) =>
      demand(orderId, lines, { reservationMode: 'partial', ...more });

    it('is that on which those before it and itself are served', async () => {
      await wait('o1', { 1: 'A 4 W' });
      await wait('o2', { 1: 'A 4 W' });
      await wait('o3', { 1: 'A 1 W' }, { priority: 60 });
      await wait('o4', { 1: 'A 4 W' });
      await expected('W/A', '5', 1);
      await expected('W/A', '4', 4);
      expect(await dates('o1', 'o2', 'o3', 'o4', 'unknown')).toEqual({ o1: day(1), o2: day(4), o3: day(1), o4: null });
    });

    it('is the last of those of its lines, and unknown when one of them is', async () => {
      await wait('o1', { 1: 'A 4 W', 2: 'B 2 W', 3: 'A 1 W' });
      await expected('W/A', '5', 1);
      expect(await dates('o1')).toEqual({ o1: null });
      await expected('W/B', '2', 6);
      expect(await dates('o1')).toEqual({ o1: day(6) });
    });

    it('leaves the safety stock alone', async () => {
      await service.database.rows(`update inventory.item set safety_stock = 3 where org_id = $1`, [orgId]);
      await wait('o1', { 1: 'A 4 W' });
      await expected('W/A', '4', 1);
      await expected('W/A', '3', 2);
      expect(await dates('o1')).toEqual({ o1: day(2) });
    });

    it('is not told of orders that do not wait', async () => {
      await stock({ 'W/A': 9 });
      await wait('o1', { 1: 'A 4 W' });
      expect(await dates('o1')).toEqual({});
    });

    it('is that of the last in a long queue for those who are far behind', async () => {
      await stock({ 'W/A': 0 });
      await service.database.rows(
        `insert into inventory.backorder (org_id, order_id, line_no, warehouse_id, item_id, quantity, priority, accepted_at)
         select $1, 'q' || n, 1, 'W', 'A', 1, 50, timestamptz '2026-01-01' + n * interval '1 second' from generate_series(1, 2500) n`,
        [orgId],
      );
      await service.database.rows('update inventory.stock_balance set backordered = 2500 where org_id = $1', [orgId]);
      await expected('W/A', '500', 1);
      await expected('W/A', '1000', 2);
      expect(await dates('q500', 'q501', 'q1001')).toEqual({ q500: day(1), q501: day(2), q1001: null });
      await expected('W/A', '1000', 3);
      expect(await dates('q1000', 'q1001')).toEqual({ q1000: day(2), q1001: day(3) });
    });
  });
});
