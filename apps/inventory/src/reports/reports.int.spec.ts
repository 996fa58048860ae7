import { DiscrepanciesReport, DoubtsAt, InventoryValueReport, OversellReport, type RequestOf, WouldBlockReport } from '#libs/contracts';
import { startTestService, type TestService } from '#libs/testing';
import { inventory } from '../index.js';

describe('reports on stock', () => {
  let service: TestService;
  beforeAll(async () => (service = await startTestService(inventory)));
  afterAll(() => service.stop());

  const rows = (text: string, values: readonly unknown[]) => service.database.rows<{ id: string }>(text, values);
  const attempt = (orgId: string, at: string, said: Record<string, unknown> = {}) => {
    const { item = 'I', warehouse = 'W', source = '/shop', outcome = 'refused', requested = 5, available = 2 } = said;
    return rows(
      `insert into inventory.oversell_attempt (org_id, attempt_id, order_id, line_no, item_id, warehouse_id, source, requested, available,
                                               outcome, reason, phase, snapshot, discrepancy_id, recorded_at)
       values ($1, gen_random_uuid(), 'o', 1, $2, $3, $4, $5, $6, $7, 'INSUFFICIENT_STOCK', 'hard', '{}', gen_random_uuid(), $8)`,
      [orgId, item, warehouse, source, requested, available, outcome, at],
    );
  };
  const discrepancy = async (orgId: string, detectedAt: string, said: Record<string, unknown> = {}) => {
    const { item = 'I', warehouse = 'W', status = 'new', severity = 'high', source = 'count', found = 7, closedAt = null } = said;
    const [row] = await rows(
      `insert into inventory.discrepancy (org_id, discrepancy_id, item_id, warehouse_id, snapshot_quantity, ledger_quantity, status, severity,
                                          source, owner_role, detected_at, closed_at)
       values ($1, gen_random_uuid(), $2, $3, $4, 10, $5, $6, $7, 'inventory_manager', $8, $9) returning discrepancy_id as id`,
      [orgId, item, warehouse, found, status, severity, source, detectedAt, closedAt],
    );
    return row!.id;
  };
  let entries = 0;
  const entry = (orgId: string, at: string, quantity: number, said: Record<string, unknown> = {}) => {
    const { item = 'I', warehouse = 'W', value = quantity * 2, flagged = false, discrepancy = null, movement = null } = said;
    return rows(
      `insert into inventory.ledger_entry (org_id, warehouse_id, item_id, entry_no, movement_id, quality, quantity_delta, balance_after,
                                           value_delta, movement_type, ref_type, flagged, discrepancy_id, occurred_at, recorded_at)
       values ($1, $2, $3, $4, coalesce($5::uuid, gen_random_uuid()), 'available', $6, 0, $7, 'receipt', 'receipt', $8, $9, $10, $10)`,
      [orgId, warehouse, item, ++entries, movement, quantity, value, flagged, discrepancy, at],
    );
  };
  const stock = async (orgId: string, warehouse: string, item: string, quantity: number, value: number) => {
    await rows('insert into inventory.warehouse (org_id, warehouse_id, name) values ($1, $2, $2) on conflict do nothing', [
      orgId,
      warehouse,
    ]);
    await rows('insert into inventory.item (org_id, item_id, name) values ($1, $2, $2) on conflict do nothing', [orgId, item]);
    await rows('insert into inventory.stock_balance (org_id, warehouse_id, item_id, on_hand, value) values ($1, $2, $3, $4, $5)', [
      ...[orgId, warehouse, item, quantity, value],
    ]);
  };
  const ofMay = { from: '2026-05-01T00:00:00Z', to: '2026-06-01T00:00:00Z', limit: 50 };
  const auditor = (warehouses: string[] | null) => ({ roles: ['auditor' as const], warehouses });

  describe('of oversell attempts', () => {
    const ask = (orgId: string, said: Partial<RequestOf<typeof OversellReport>> = {}, warehouses: string[] | null = null) =>
      service.call(OversellReport, { orgId, ...ofMay, groupBy: 'item', ...said }, auditor(warehouses));

    it('count them by item, most first, with how they ended, and in all', async () => {
      for (const orgId of ['tops', 'twin']) {
        await attempt(orgId, '2026-05-01T00:00:00Z', { item: 'rare', requested: 100.5, available: 0 });
        await attempt(orgId, '2026-05-02T00:00:00Z');
        await attempt(orgId, '2026-05-04T00:00:00Z', { outcome: 'pending_approval', warehouse: 'V' });
        await attempt(orgId, '2026-05-03T00:00:00Z', { outcome: 'would_block', requested: 2, available: 3 });
        await attempt(orgId, '2026-06-01T00:00:00Z');
        await attempt(orgId, '2026-04-30T23:59:59.999Z');
      }
      const item = { attempts: 3, quantityShort: '6', refused: 1, pendingApproval: 1, wouldBlock: 1, lastAt: '2026-05-04T00:00:00.000Z' };
      const rare = {
        attempts: 1,
        quantityShort: '100.5',
        refused: 1,
        pendingApproval: 0,
        wouldBlock: 0,
        lastAt: '2026-05-01T00:00:00.000Z',
      };
      const summary = { ...item, attempts: 4, quantityShort: '106.5', refused: 2 };
      expect(await ask('tops')).toEqual({
        rows: [
          { itemId: 'I', ...item },
          { itemId: 'rare', ...rare },
        ],
        summary,
        truncated: false,
      });
      // What is beyond the limit is part of the sum.
      expect(await ask('tops', { limit: 1 })).toEqual({ rows: [{ itemId: 'I', ...item }], summary, truncated: true });
      expect((await ask('tops', {}, ['V'])).summary).toMatchObject({ attempts: 1, pendingApproval: 1 });
      expect(await ask('tops', {}, [])).toMatchObject({ rows: [], summary: { attempts: 0, quantityShort: '0', lastAt: null } });
      expect((await ask('nobody')).rows).toEqual([]);
    });

    it('count by warehouse, by source, and by day where the organisation is', async () => {
      await rows(`insert into inventory.stock_settings (org_id, timezone) values ('days', 'Europe/Berlin')`, []);
      await attempt('days', '2026-05-01T21:59:00Z', { source: null });
      await attempt('days', '2026-05-01T22:01:00Z', { warehouse: 'V', item: 'J' });
      await attempt('days', '2026-05-02T12:00:00Z', { warehouse: 'V' });
      const by = async (groupBy: RequestOf<typeof OversellReport>['groupBy']) =>
        (await ask('days', { groupBy })).rows.map(({ itemId, warehouseId, source, day, attempts }) =>
          [itemId, warehouseId, source, day, attempts].filter((said) => said !== undefined),
        );
      expect(await by('warehouse')).toEqual([
        ['V', 2],
        ['W', 1],
      ]);
      expect(await by('item_warehouse')).toEqual([
        ['I', 'V', 1],
        ['I', 'W', 1],
        ['J', 'V', 1],
      ]);
      expect(await by('source')).toEqual([
        ['/shop', 2],
        [null, 1],
      ]);
      expect(await by('day')).toEqual([
        ['2026-05-02', 2],
        ['2026-05-01', 1],
      ]);
    });
  });

  it('of what would have been blocked: orders, and movements however many entries they are', async () => {
    const discrepancyId = await discrepancy('dark', '2026-05-01T00:00:00Z');
    const movement = '01890000-0000-7000-8000-000000000001';
    for (const orgId of ['dark', 'dark-twin']) {
      await attempt(orgId, '2026-05-02T00:00:00Z', { outcome: 'would_block' });
      await attempt(orgId, '2026-05-02T00:00:00Z');
      await entry(orgId, '2026-05-03T00:00:00Z', -2, { flagged: true, discrepancy: discrepancyId, movement });
      await entry(orgId, '2026-05-03T00:00:00Z', -1.5, { flagged: true, discrepancy: discrepancyId, movement });
      await entry(orgId, '2026-05-04T00:00:00Z', -4, { flagged: true, discrepancy: discrepancyId, warehouse: 'V' });
      // Of unknown cost; what resolved a discrepancy; in June.
      await entry(orgId, '2026-05-05T00:00:00Z', 1, { flagged: true });
      await entry(orgId, '2026-05-05T00:00:00Z', 1, { discrepancy: discrepancyId });
      await entry(orgId, '2026-06-05T00:00:00Z', -1, { flagged: true, discrepancy: discrepancyId });
    }
    const ask = (said: Partial<RequestOf<typeof WouldBlockReport>> = {}, warehouses: string[] | null = null) =>
      service.call(WouldBlockReport, { orgId: 'dark', ...ofMay, groupBy: 'item_warehouse', ...said }, auditor(warehouses));
    const here = { attempts: 1, quantityShort: '3', movements: 1, quantityMoved: '3.5', lastAt: '2026-05-03T00:00:00.000Z' };
    const there = { attempts: 0, quantityShort: '0', movements: 1, quantityMoved: '4', lastAt: '2026-05-04T00:00:00.000Z' };
    const all = { ...there, attempts: 1, quantityShort: '3', movements: 2, quantityMoved: '7.5' };
    expect(await ask()).toEqual({
      rows: [
        { itemId: 'I', warehouseId: 'W', ...here },
        { itemId: 'I', warehouseId: 'V', ...there },
      ],
      summary: all,
      truncated: false,
    });
    expect((await ask({ groupBy: 'item' })).rows).toEqual([{ itemId: 'I', ...all }]);
    expect((await ask({ groupBy: 'day' })).rows.map(({ day }) => day)).toEqual(['2026-05-02', '2026-05-04', '2026-05-03']);
    expect((await ask({}, ['V'])).rows).toEqual([{ itemId: 'I', warehouseId: 'V', ...there }]);
  });

  it('of discrepancies that were open in the period, by what they are and by how old they are', async () => {
    for (const orgId of ['found', 'found-twin']) {
      await discrepancy(orgId, '2026-01-01T00:00:00Z', { warehouse: 'V', severity: 'critical', found: 0 });
      await discrepancy(orgId, '2026-01-02T00:00:00Z', { status: 'resolved', closedAt: '2026-04-30T00:00:00Z' });
      await discrepancy(orgId, '2026-01-03T00:00:00Z', { status: 'resolved', closedAt: '2026-05-10T00:00:00Z', found: 12.5 });
      await discrepancy(orgId, '2026-05-31T01:00:00Z', { status: 'dismissed', closedAt: '2026-06-02T00:00:00Z' });
      await discrepancy(orgId, '2026-05-28T00:00:00Z', { status: 'under_review', warehouse: null, source: 'reconciliation_job' });
      await discrepancy(orgId, '2026-06-01T00:00:00Z');
    }
    const ask = (said: Partial<RequestOf<typeof DiscrepanciesReport>> = {}, warehouses: string[] | null = null) =>
      service.call(DiscrepanciesReport, { orgId: 'found', ...ofMay, groupBy: 'status', ...said }, auditor(warehouses));
    const report = await ask();
    expect(report.summary).toEqual({
      ...{ discrepancies: 4, open: 3, difference: '18.5' },
      ...{ oldestOpenAt: '2026-01-01T00:00:00.000Z', lastDetectedAt: '2026-05-31T01:00:00.000Z' },
    });
    expect(report.rows.map(({ status, discrepancies, open, difference }) => [status, discrepancies, open, difference])).toEqual([
      ['new', 1, 1, '10'],
      ['dismissed', 1, 1, '3'],
      ['under_review', 1, 1, '3'],
      ['resolved', 1, 0, '2.5'],
    ]);
    const by = async (groupBy: RequestOf<typeof DiscrepanciesReport>['groupBy'], warehouses: string[] | null = null) =>
      (await ask({ groupBy }, warehouses)).rows.map((row) => [row.age ?? row.severity ?? row.source ?? row.warehouseId, row.discrepancies]);
    expect(await by('age')).toEqual([
      ['over_30_days', 1],
      ['1_to_7_days', 1],
      ['under_1_day', 1],
    ]);
    expect(await by('severity')).toEqual([
      ['high', 3],
      ['critical', 1],
    ]);
    expect(await by('source', ['V', 'W'])).toEqual([['count', 3]]);
    expect((await ask({ groupBy: 'warehouse' })).rows.map(({ warehouseId }) => warehouseId)).toEqual(['W', 'V', null]);
  });

  it('of what the stock is worth, now and at the end of a period, with what changed in it', async () => {
    for (const orgId of ['worth', 'worth-twin']) {
      await stock(orgId, 'V', 'I', 3, 12);
      await stock(orgId, 'W', 'I', 5, 10);
      await stock(orgId, 'W', 'J', 1, 100.5);
      await stock(orgId, 'W', 'gone', 0, 0);
      await entry(orgId, '2026-04-01T00:00:00Z', 3, { warehouse: 'V', value: 12 });
      await entry(orgId, '2026-05-01T00:00:00Z', 9);
      await entry(orgId, '2026-05-02T00:00:00Z', 2, { item: 'gone' });
      await entry(orgId, '2026-05-31T00:00:00Z', -2, { item: 'gone' });
      await entry(orgId, '2026-06-01T00:00:00Z', -4);
      await entry(orgId, '2026-06-02T00:00:00Z', 1, { item: 'J', value: 100.5 });
    }
    const ask = (said: Partial<RequestOf<typeof InventoryValueReport>> = {}, warehouses: string[] | null = null) =>
      service.call(InventoryValueReport, { orgId: 'worth', limit: 50, groupBy: 'item', ...said }, auditor(warehouses));
    expect(await ask()).toEqual({
      rows: [
        { itemId: 'J', quantity: '1', value: '100.5' },
        { itemId: 'I', quantity: '8', value: '22' },
      ],
      summary: { quantity: '9', value: '122.5', currency: 'EUR' },
      truncated: false,
    });
    expect((await ask({ to: ofMay.to })).rows).toEqual([{ itemId: 'I', quantity: '12', value: '30' }]);
    expect(await ask({ from: ofMay.from, to: ofMay.to, groupBy: 'warehouse' })).toMatchObject({
      rows: [
        { warehouseId: 'W', quantity: '9', value: '18', quantityChange: '9', valueChange: '18' },
        { warehouseId: 'V', quantity: '3', value: '12', quantityChange: '0', valueChange: '0' },
      ],
      summary: { quantity: '12', value: '30', quantityChange: '9', valueChange: '18' },
    });
    expect((await ask({ from: '2026-06-01T00:00:00Z', groupBy: 'item_warehouse' }, ['W'])).rows).toEqual([
      { itemId: 'J', warehouseId: 'W', quantity: '1', value: '100.5', quantityChange: '1', valueChange: '100.5' },
      { itemId: 'I', warehouseId: 'W', quantity: '5', value: '10', quantityChange: '-4', valueChange: '-8' },
    ]);
  });

  it('know which discrepancies put stock in doubt at a time', async () => {
    const open = { itemId: 'I', warehouseId: 'W' };
    const found = await discrepancy('doubt', '2026-05-01T10:00:00Z', { closedAt: '2026-05-03T10:00:00Z', status: 'resolved' });
    const elsewhere = await discrepancy('doubt', '2026-05-02T00:00:00Z', { warehouse: 'V', severity: 'critical', found: 12 });
    await discrepancy('doubt', '2026-05-01T00:00:00Z', { severity: 'medium' });
    await discrepancy('doubt', '2026-05-01T00:00:00Z', { source: 'blocked_transaction' });
    await discrepancy('doubt', '2026-05-01T00:00:00Z', { item: 'J' });
    await discrepancy('doubt-twin', '2026-05-01T00:00:00Z');
    const ask = async (at: string, places: RequestOf<typeof DoubtsAt>['asked'][number]['places'], warehouses: string[] | null = null) => {
      const asked = [
        { at: '2020-01-01T00:00:00Z', places },
        { at, places },
      ];
      const { doubts } = await service.call(DoubtsAt, { orgId: 'doubt', asked }, auditor(warehouses));
      expect(doubts[0]).toEqual([]);
      return doubts[1]!;
    };
    const ids = async (...asked: Parameters<typeof ask>) => (await ask(...asked)).map(({ discrepancyId }) => discrepancyId);
    expect(await ask('2026-05-02T00:00:00Z', [open])).toEqual([
      { discrepancyId: found, ...open, severity: 'high', source: 'count', difference: '-3', detectedAt: '2026-05-01T10:00:00.000Z' },
    ]);
    expect(await ids('2026-05-01T09:59:59Z', [open])).toEqual([]);
    expect(await ids('2026-05-03T10:00:00Z', [open])).toEqual([]);
    expect(await ids('2026-05-02T00:00:00Z', [{ ...open, warehouseId: null }, open])).toEqual([found, elsewhere]);
    expect(await ids('2026-05-02T00:00:00Z', [{ ...open, warehouseId: null }], ['V'])).toEqual([elsewhere]);
  });

  it.each(['sales', 'warehouse', 'cashier', 'inventory_manager', 'service'] as const)('are not for %s', async (role) => {
    const asked = service.call(OversellReport, { orgId: 'tops', ...ofMay, groupBy: 'item' }, { roles: [role] });
    await expect(asked).rejects.toMatchObject({ code: 'FORBIDDEN' });
  });
});
