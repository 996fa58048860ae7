import {
  AvailabilityGet,
  DiscrepancyDismiss,
  DiscrepancyFindings,
  DiscrepancyGet,
  DiscrepancyList,
  DiscrepancyReport,
  ItemCreate,
  ReceiptPost,
  SettingsUpdate,
  StockDemand,
  WarehouseCreate,
} from '#libs/contracts';
import { Logger } from '@nestjs/common';
import { startTestService, type TestService } from '#libs/testing';
import { inventory } from '../index.js';

const RFC_3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const code = (name: string) => expect.objectContaining({ code: name });

describe('discrepancies', () => {
  let service: TestService;
  let org = 0;
  let orgId: string;

  beforeAll(async () => {
    service = await startTestService(inventory);
  });
  afterAll(() => service.stop());

  /** A new organisation with two warehouses, and 10 of `a` in each. */
  beforeEach(async () => {
    orgId = `org-${++org}`;
    await service.call(ItemCreate, { orgId, itemId: 'a', name: 'Apple' });
    for (const warehouseId of ['w1', 'w2']) {
      await service.call(WarehouseCreate, { orgId, warehouseId, name: warehouseId });
      const lines = [{ itemId: 'a', quantity: '10', unitCost: '2.5' }];
      await service.call(ReceiptPost, { orgId, receiptId: `r-${warehouseId}`, warehouseId, lines });
    }
  });

  const finding = (findingKey: string, warehouseId: string | null, actual = '7') => {
    return { findingKey, kind: 'on_hand', itemId: 'a', warehouseId, expected: '10', actual, note: 'The ledger says otherwise.' };
  };
  const find = (...findings: ReturnType<typeof finding>[]) => service.call(DiscrepancyFindings, { orgId, runId: 'run', findings });

  const report = (warehouseId: string, snapshotQuantity: string) =>
    service.call(DiscrepancyReport, { orgId, warehouseId, itemId: 'a', snapshotQuantity, severity: 'high', note: 'seen' });

  it('are opened once for each finding of reconciliation, whoever is first', async () => {
    // Keys hold whatever identifies what was found.
    const odd = 'on_hand "a", {w1}\\ ä';
    const all = await Promise.all(Array.from({ length: 5 }, () => find(finding('k1', 'w1'), finding(odd, null))));
    const ids = (key: string) => new Set(all.map(({ findings }) => findings.find(({ findingKey }) => findingKey === key)!.discrepancyId));
    expect([ids('k1').size, ids(odd).size]).toEqual([1, 1]);
    expect(all.flatMap(({ findings }) => findings).filter(({ isNew }) => isNew)).toHaveLength(2);
    expect((await service.call(AvailabilityGet, { orgId, items: [{ itemId: 'a', warehouseId: 'w1' }] })).items[0]).toMatchObject({
      discrepancyHold: '3',
      available: '7',
    });
  });

  it.each([
    ['soft', true],
    ['monitor', false],
  ] as const)('that differ by nothing put nothing in doubt, however severe: %s', async (discrepancyLockPolicy, isAsked) => {
    await service.call(SettingsUpdate, { orgId, discrepancyLockPolicy });
    const told = async () => (await service.call(AvailabilityGet, { orgId, items: [{ itemId: 'a', warehouseId: 'w1' }] })).items[0]!;
    await report('w1', '10');
    expect(await told()).toMatchObject({ available: '10', requiresAcknowledgement: false, warnings: [] });
    await report('w1', '9');
    expect(await told()).toMatchObject({ requiresAcknowledgement: isAsked, warnings: [expect.stringContaining(' 1 of it in doubt')] });
  });

  it('are logged when they are opened, and when stock that is only watched is held all the same', async () => {
    const said: unknown[] = [];
    const note = (line: unknown) => said.push(line);
    Logger.overrideLogger({ log: note, warn: note, error: note });
    try {
      await service.call(SettingsUpdate, { orgId, discrepancyLockPolicy: 'monitor' });
      const { findings } = await find(finding('k1', 'w1'), finding('k2', 'w2', '10.5'));
      const [opened, other] = findings.map(({ discrepancyId }) => discrepancyId);
      const numbers = { snapshotQuantity: '7', ledgerQuantity: '10', difference: '-3' };
      const what = { orgId, itemId: 'a', warehouseId: 'w1', severity: 'critical', source: 'reconciliation_job', ...numbers };
      expect(said).toContainEqual({ msg: 'Discrepancy created', discrepancyId: opened, ...what });
      expect(said).toContainEqual(expect.objectContaining({ msg: 'Discrepancy created', discrepancyId: other, warehouseId: 'w2' }));
      await report('w2', '10');
      said.length = 0;
      for (const [orderId, warehouseId] of [
        ['watched', 'w1'],
        ['sure', 'w2'],
      ] as const) {
        const lines = [{ lineNo: 1, itemId: 'a', warehouseId, quantity: '2' }];
        await service.call(StockDemand, { orgId, orderId, firm: true, sequence: 1, lines });
      }
      const held = { orgId, orderId: 'watched', itemId: 'a', warehouseId: 'w1', quantity: '2', discrepancyIds: [opened] };
      expect(said).toEqual([{ msg: 'Stock in doubt was held', ...held }]);
    } finally {
      Logger.overrideLogger(false);
    }
  });

  it('are listed newest first, in pages, and by what is asked of them', async () => {
    await find(finding('k1', 'w1'));
    await find(finding('k2', 'w2', '9.9'));
    await find(finding('k3', 'w1', '10.4'));
    const first = await service.call(DiscrepancyList, { orgId, limit: 2 });
    const second = await service.call(DiscrepancyList, { orgId, limit: 2, cursor: first.nextCursor! });
    const listed = [...first.items, ...second.items];
    const owner = { ownerRole: 'inventory_manager', assignedTo: null, source: 'reconciliation_job', itemId: 'a' };
    const open = { status: 'new', detectedAt: expect.stringMatching(RFC_3339), resolvedAt: null, resolvedBy: null, resolutionNote: null };
    expect(listed).toMatchObject([
      { ...owner, ...open, warehouseId: 'w1', ledgerQuantity: '10', snapshotQuantity: '10.4', difference: '0.4', severity: 'medium' },
      { ...owner, ...open, warehouseId: 'w2', ledgerQuantity: '10', snapshotQuantity: '9.9', difference: '-0.1', severity: 'low' },
      { ...owner, ...open, warehouseId: 'w1', ledgerQuantity: '10', snapshotQuantity: '7', difference: '-3', severity: 'critical' },
    ]);
    const times = listed.map(({ detectedAt }) => detectedAt);
    expect(times).toEqual(times.toSorted().reverse());
    expect(second.nextCursor).toBeNull();
    const count = async (asked: object) => (await service.call(DiscrepancyList, { orgId, ...asked })).items.length;
    expect(await count({ severity: 'critical' })).toBe(1);
    expect(await count({ warehouseId: 'w1', open: true, status: 'new', source: 'reconciliation_job', itemId: 'a' })).toBe(2);
    expect(await count({ open: false })).toBe(0);
    const { discrepancyId, detectedAt } = listed[1]!;
    await service.call(DiscrepancyDismiss, { orgId, discrepancyId, note: 'counted twice' });
    const [closed, ...others] = (await service.call(DiscrepancyList, { orgId, open: false })).items;
    expect(others).toEqual([]);
    const end = { status: 'dismissed', resolvedAt: expect.stringMatching(RFC_3339), resolutionNote: 'counted twice' };
    expect(closed).toMatchObject({ ...owner, ...end, discrepancyId, detectedAt, severity: 'low', resolvedBy: expect.stringMatching(/./) });
    expect(await count({ ownerRole: 'inventory_manager', from: '2020-01-01T00:00:00Z', to: '2020-02-01T00:00:00Z' })).toBe(0);
  });

  it('are shown to who works in their warehouse; those of orders to who works in all', async () => {
    const { findings } = await find(finding('k1', 'w1'), finding('k2', 'w2'), finding('k3', null));
    const inW1 = { roles: ['inventory_manager' as const], warehouses: ['w1'] };
    const { items } = await service.call(DiscrepancyList, { orgId }, inW1);
    expect(items.map(({ discrepancyId }) => discrepancyId)).toEqual([findings[0]!.discrepancyId]);
    expect(await service.call(DiscrepancyGet, { orgId, discrepancyId: findings[0]!.discrepancyId }, inW1)).toEqual(items[0]);
    for (const discrepancyId of [findings[1]!.discrepancyId, findings[2]!.discrepancyId, 'unknown']) {
      await expect(service.call(DiscrepancyGet, { orgId, discrepancyId }, inW1)).rejects.toEqual(code('DISCREPANCY_NOT_FOUND'));
    }
    expect((await service.call(DiscrepancyList, { orgId })).items).toHaveLength(3);
  });
});
