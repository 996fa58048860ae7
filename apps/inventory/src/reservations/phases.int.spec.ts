import { AvailabilityGet, ItemCreate, ReceiptPost, type RequestOf, SettingsUpdate, StockDemand, WarehouseCreate } from '#libs/contracts';
import { RpcClient } from '#libs/messaging';
import { startTestService, type TestService } from '#libs/testing';
import { inventory } from '../index.js';
import type { SetDemand } from '../stock-machine/commands.js';
import { stockViolations } from '../stock-machine/simulation/check-database.js';
import { StockDatabase } from '../stock-machine/simulation/stock-database.js';
import type { DemandAnswer } from './set-demand.js';

describe('holds that are short, by call', () => {
  let service: TestService;
  let orgs = 0;
  let orgId: string;

  beforeAll(async () => {
    service = await startTestService(inventory);
  });
  afterAll(() => service.stop());
  beforeEach(async () => {
    orgId = `org-${++orgs}`;
    await service.call(WarehouseCreate, { orgId, warehouseId: 'w', name: 'w' });
    await service.call(ItemCreate, { orgId, itemId: 'a', name: 'Apple', safetyStock: '2' });
    const lines = [{ itemId: 'a', quantity: '10', unitCost: '2.5' }];
    await service.call(ReceiptPost, { orgId, receiptId: 'r1', warehouseId: 'w', lines });
  });

  const enforce = (settings: Partial<RequestOf<typeof SettingsUpdate>>) => service.call(SettingsUpdate, { orgId, ...settings });
  // As orders speaks: for itself.
  const wants = (quantity: string, more: Partial<RequestOf<typeof StockDemand>> = {}) =>
    new RpcClient(service.delivery).call(StockDemand, {
      orgId,
      source: '/orders',
      orderId: 'o1',
      firm: false,
      lines: [{ lineNo: 1, itemId: 'a', quantity }],
      ...more,
    });
  const attempts = () =>
    service.database.rows<Record<string, string>>(
      `select order_id, requested::text, available::text, outcome, reason, phase, snapshot from inventory.oversell_attempt
        where org_id = $1 order by recorded_at, attempt_id`,
      [orgId],
    );
  const discrepancies = () =>
    service.database.rows(`select severity, source, status, occurrences from inventory.discrepancy where org_id = $1`, [orgId]);
  const balance = async () => {
    const { items } = await service.call(AvailabilityGet, { orgId, items: [{ itemId: 'a', warehouseId: 'w' }] });
    const { onHand, reserved, backordered } = items[0]!;
    return { onHand, reserved, backordered };
  };

  it('hard: refused, on record with everything that availability is made of, and each refusal of the item joins the same discrepancy', async () => {
    const refused = await wants('9', { sequence: 1 });
    expect(refused).toMatchObject({ status: 'failed', reason: 'INSUFFICIENT_STOCK', discrepancyIds: [expect.any(String)] });
    expect(refused.override).toBeUndefined();
    expect(await wants('9', { sequence: 1 })).toMatchObject({ status: 'failed', discrepancyIds: refused.discrepancyIds });
    expect(await wants('9', { orderId: 'o2' })).toMatchObject({ discrepancyIds: refused.discrepancyIds });
    expect(await attempts()).toMatchObject([
      { order_id: 'o1', requested: '9.0000', available: '8.0000', outcome: 'refused', phase: 'hard', snapshot: { available: '8' } },
      { order_id: 'o2' },
    ]);
    expect(await discrepancies()).toEqual([{ severity: 'low', source: 'blocked_transaction', status: 'new', occurrences: 2 }]);
  });

  it('a dry run says the same, and leaves no trace', async () => {
    await enforce({ enforcementPhase: 'soft' });
    const dry = await wants('9', { dryRun: true });
    expect(dry).toMatchObject({ status: 'failed', discrepancyIds: [], override: { kind: 'order_override' }, dryRun: true });
    expect([await attempts(), await discrepancies()]).toEqual([[], []]);
    expect(await wants('9')).toMatchObject({ status: 'failed', override: dry.override });
  });

  it('soft: what is little is laid before an approver, held meanwhile as far as it can be promised, and then as far as it is free', async () => {
    await enforce({ enforcementPhase: 'soft' });
    expect((await wants('10.0001')).override).toBeUndefined();
    const { override } = await wants('10');
    expect(override).toMatchObject({ magnitudes: { quantity: '2', percent: '20', value: '5' }, lines: [{ quantity: '2' }] });
    const pending = { pendingApproval: true, approvalRequestId: 'a1' };
    expect(await wants('10', pending)).toMatchObject({
      status: 'partial',
      expiresAt: null,
      stock: [{ reserved: '8', unheld: '2', backordered: '0' }],
    });
    expect(await balance()).toEqual({ onHand: '10', reserved: '8', backordered: '0' });
    const approved = { approvalRequestId: 'a1', approvedShortages: [{ lineNo: 1, quantity: '2' }] };
    expect(await wants('10', approved)).toMatchObject({ status: 'reserved', stock: [{ reserved: '10', unheld: '0' }] });
    expect((await attempts()).map(({ outcome }) => outcome)).toEqual(['refused', 'pending_approval']);
  });

  it('dark: never refused, held as far as it is free, and on record', async () => {
    await enforce({ enforcementPhase: 'dark' });
    expect(await wants('12', { source: '/oms', firm: true })).toMatchObject({
      status: 'partial',
      stock: [{ reserved: '10', backordered: '2' }],
    });
    expect(await attempts()).toMatchObject([{ outcome: 'would_block', requested: '12.0000', available: '8.0000', phase: 'dark' }]);
  });

  it('allowInventoryOversell: whatever is missing is laid before an approver', async () => {
    await enforce({ allowInventoryOversell: true });
    expect((await wants('1000')).override).toMatchObject({
      kind: 'order_override',
      magnitudes: { quantity: '992', percent: '9920', value: '2480' },
    });
    expect((await wants('1000', { source: '/oms', orderId: 'o2' })).override).toBeUndefined();
  });
});

describe('holds that are short, by two processes at once', () => {
  let stock: StockDatabase;
  beforeAll(async () => {
    stock = await StockDatabase.create();
  });
  afterAll(() => stock.drop());

  async function given(orgId: string, settings: string) {
    await stock.addCatalogue(orgId, ['a'], ['w']);
    await stock.rows(`insert into inventory.stock_settings (org_id, ${settings.split('=')[0]}) values ($1, $2)`, [
      orgId,
      settings.split('=')[1],
    ]);
    const processes = await Promise.all([stock.process(), stock.process()]);
    const meta = { messageId: 'r', mayWait: false };
    const lines = [{ itemId: 'a', quantity: '10', unitCost: '1' }];
    await processes[0].batcher.submit({ kind: 'receive-goods', orgId, receiptId: 'r', warehouseId: 'w', lines, meta }, 'calls');
    const wants = async (n: number, quantity: string, more: Partial<SetDemand> = {}) => {
      const command: SetDemand = {
        ...{ kind: 'set-demand', orgId, orderId: `o${n}`, source: '/orders', firm: false, meta: { messageId: `m${n}`, mayWait: false } },
        lines: [{ lineNo: 1, itemId: 'a', quantity }],
        ...more,
      };
      const outcome = await processes[n % 2]!.batcher.submit(command, 'calls');
      if (outcome.kind !== 'answer') throw new Error(JSON.stringify(outcome));
      return outcome.answer as DemandAnswer;
    };
    const end = async () => {
      for (const { batcher, database } of processes) {
        await batcher.onApplicationShutdown();
        await database.close();
      }
    };
    return { wants, end };
  }

  it('joins all refusals of an item to one discrepancy', async () => {
    const { wants, end } = await given('hot', 'enforcement_phase=hard');
    const answers = await Promise.all(Array.from({ length: 300 }, (_, n) => wants(n, '11')));
    expect(answers.every(({ status }) => status === 'failed')).toBe(true);
    expect(new Set(answers.flatMap(({ discrepancyIds }) => discrepancyIds)).size).toBe(1);
    const found = await stock.rows(`select occurrences, status from inventory.discrepancy where org_id = 'hot'`);
    expect(found).toEqual([{ occurrences: 300, status: 'new' }]);
    expect(await stock.rows(`select count(*)::int as n from inventory.oversell_attempt where org_id = 'hot'`)).toEqual([{ n: 300 }]);
    await end();
  });

  it('soft: of two orders for the last goods one gets them, and the other is laid before an approver', async () => {
    const { wants, end } = await given('race', 'enforcement_phase=soft');
    await wants(0, '8');
    const answers = await Promise.all([wants(1, '2'), wants(2, '2')]);
    const [lost] = answers.filter(({ status }) => status === 'failed');
    expect(answers.map(({ status }) => status).sort()).toEqual(['failed', 'reserved']);
    expect(lost).toMatchObject({ reason: 'INSUFFICIENT_STOCK', override: { magnitudes: { quantity: '2', percent: '20' } } });
    // Both are approved, and what is there is still given away once.
    const approved = { approvalRequestId: 'x', approvedShortages: [{ lineNo: 1, quantity: '2' }] };
    const both = await Promise.all([wants(1, '2', approved), wants(2, '2', approved)]);
    expect(both.map(({ status }) => status).sort()).toEqual(['partial', 'reserved']);
    expect(
      await stock.rows(`select on_hand::int, reserved::int, backordered::int from inventory.stock_balance where org_id = 'race'`),
    ).toEqual([{ on_hand: 10, reserved: 10, backordered: 2 }]);
    expect(await stockViolations(stock)).toEqual([]);
    await end();
  });
});
