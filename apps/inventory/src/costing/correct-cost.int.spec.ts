import {
  type CostCorrectionLine,
  CostCorrectionPost,
  ItemCreate,
  ReceiptPost,
  StockReturn,
  StockShip,
  ValuationList,
  WarehouseCreate,
} from '#libs/contracts';
import { startTestService, type TestService } from '#libs/testing';
import { inventory } from '../index.js';
import { stockViolations } from '../stock-machine/simulation/check-database.js';
import { StockDatabase } from '../stock-machine/simulation/stock-database.js';

describe('a correction of costs, in the database', () => {
  let service: TestService;
  beforeAll(async () => {
    service = await startTestService(inventory);
    for (const orgId of ['org', 'twin']) {
      for (const warehouseId of ['W', 'V']) await service.call(WarehouseCreate, { orgId, warehouseId, name: warehouseId });
    }
  });
  afterAll(() => service.stop());

  let made = 0;
  /** An item, 10 of it received in W at 2 each, by a receipt of its own. */
  async function received(orgId = 'org', costing: 'fifo' | 'lifo' | 'average' = 'fifo') {
    const itemId = `i${++made}`;
    await service.call(ItemCreate, { orgId, itemId, name: itemId, costing });
    await service.call(ReceiptPost, {
      orgId,
      receiptId: `r-${itemId}`,
      warehouseId: 'W',
      lines: [{ itemId, quantity: '10', unitCost: '2' }],
    });
    return { orgId, itemId, receiptId: `r-${itemId}` };
  }
  type Goods = Awaited<ReturnType<typeof received>>;
  const correct = (
    { orgId, itemId, receiptId }: Goods,
    line: Omit<CostCorrectionLine, 'itemId'>,
    more: { commandId?: string; dryRun?: boolean } = {},
  ) => service.call(CostCorrectionPost, { orgId, receiptId, lines: [{ itemId, ...line }], ...more });
  const ship = ({ orgId, itemId }: Goods, shipmentId: string, quantity: string, warehouseId = 'W') =>
    service.call(StockShip, { orgId, shipmentId, orderId: `o-${shipmentId}`, warehouseId, lines: [{ lineNo: 1, itemId, quantity }] });
  async function worth({ orgId, itemId }: Goods): Promise<string[]> {
    const { items } = await service.call(ValuationList, { orgId, itemId });
    return items.map(({ warehouseId, quantity, value, layers }) => `${warehouseId} ${quantity} @ ${value} in ${layers!.length}`);
  }

  it.each(['fifo', 'lifo', 'average'] as const)('re-values what is left, %s, and is in the ledger', async (costing) => {
    const goods = await received('org', costing);
    await received('twin', costing);
    await ship(goods, `s-${costing}`, '4');
    const answer = await correct(goods, { unitCost: '2.5', landedCost: '1' });
    expect(answer).toMatchObject({ remainingDelta: '3.6', issuedDelta: '2.4' });
    expect(await worth(goods)).toEqual(['W 6 @ 15.6 in 1']);
    const entries = await service.database.rows(
      `select movement_type, ref_type, ref_id, quantity_delta::text, unit_cost::text, value_delta::text, balance_after::text, actor
         from inventory.ledger_entry where org_id = 'org' and item_id = $1 and movement_type = 'cost_correction'`,
      [goods.itemId],
    );
    expect(entries).toEqual([
      {
        movement_type: 'cost_correction',
        ref_type: 'receipt',
        ref_id: goods.receiptId,
        quantity_delta: '0.0000',
        unit_cost: '2.5000',
        value_delta: '3.6000',
        balance_after: '6.0000',
        actor: 'tester',
      },
    ]);
  });

  it('finds what is left in another warehouse', async () => {
    const goods = await received();
    await ship(goods, 's-moved', '6');
    await service.call(StockReturn, {
      orgId: 'org',
      returnId: 'back',
      orderId: 'o-s-moved',
      warehouseId: 'V',
      lines: [{ lineNo: 1, itemId: goods.itemId, quantity: '2' }],
    });
    expect(await worth(goods)).toEqual(['V 2 @ 4 in 1', 'W 4 @ 8 in 1']);
    expect(await correct(goods, { landedCost: '10' })).toMatchObject({ remainingDelta: '6', issuedDelta: '4' });
    expect(await worth(goods)).toEqual(['V 2 @ 6 in 1', 'W 4 @ 12 in 1']);
  });

  it('in a dry run answers the same, and changes nothing', async () => {
    const goods = await received();
    const dry = await correct(goods, { unitCost: '3' }, { dryRun: true });
    expect(await worth(goods)).toEqual(['W 10 @ 20 in 1']);
    const real = await correct(goods, { unitCost: '3' });
    expect(dry).toEqual({ ...real, movementId: dry.movementId, dryRun: true });
  });

  it('has one effect however often it is said, also at once', async () => {
    const goods = await received();
    const said = Array.from({ length: 20 }, () => correct(goods, { landedCost: '5' }, { commandId: 'once' }));
    const answers = await Promise.all(said);
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
    expect(await correct(goods, { landedCost: '5' }, { commandId: 'once' })).toEqual(answers[0]);
    expect(await worth(goods)).toEqual(['W 10 @ 25 in 1']);
    await expect(correct(goods, { landedCost: '6' }, { commandId: 'once' })).rejects.toMatchObject({ code: 'ALREADY_EXISTS' });
    await expect(correct(await received(), { landedCost: '5' }, { commandId: 'once' })).rejects.toMatchObject({ code: 'ALREADY_EXISTS' });
  });

  it('loses none of many at once, each counted from the price before it', async () => {
    const goods = await received();
    const prices = Array.from({ length: 30 }, (_, n) => ({ unitCost: String(n + 3) }));
    const answers = await Promise.all(prices.map((price) => correct(goods, price)));
    const last = await correct(goods, { unitCost: '2' });
    const sum = [...answers, last].reduce((total, answer) => total + Number(answer.remainingDelta), 0);
    expect(sum).toBe(0);
    expect(await worth(goods)).toEqual(['W 10 @ 20 in 1']);
  });

  it.each(['warehouse', 'sales', 'inventory_manager', 'auditor', 'service'] as const)('is not for %s', async (role) => {
    const request = { orgId: 'org', receiptId: 'r', lines: [{ itemId: 'i', unitCost: '1' }] };
    await expect(service.call(CostCorrectionPost, request, { roles: [role] })).rejects.toMatchObject({ code: 'FORBIDDEN' });
  });

  it('is not for somebody who works in some warehouses only, because what is left may be in any', async () => {
    const request = { orgId: 'org', receiptId: 'r', lines: [{ itemId: 'i', unitCost: '1' }] };
    const clerk = { roles: ['finance_manager' as const], warehouses: ['W'] };
    await expect(service.call(CostCorrectionPost, request, clerk)).rejects.toMatchObject({ code: 'WAREHOUSE_FORBIDDEN' });
  });

  it('keeps quantity and value the sum of layers and ledger, while goods move from warehouse to warehouse', async () => {
    const stock = await StockDatabase.create();
    try {
      await stock.addCatalogue('org', ['A', 'B', 'C'], ['W1', 'W2', 'W3'], { B: 'lifo', C: 'average' });
      const processes = await Promise.all([stock.process(), stock.process()]);
      const meta = (n: number) => ({ messageId: `m${n}`, mayWait: false });
      const items = ['A', 'B', 'C'];
      const submit = (command: Parameters<(typeof processes)[0]['batcher']['submit']>[0], n: number) =>
        processes[n % 2]!.batcher.submit(command, 'calls');
      for (let n = 0; n < 9; n++) {
        const lines = items.map((itemId) => ({ itemId, quantity: '50', unitCost: `${n}.3333` }));
        await submit({ kind: 'receive-goods', orgId: 'org', receiptId: `r${n}`, warehouseId: `W${(n % 3) + 1}`, lines, meta: meta(n) }, n);
      }
      const outcomes = await Promise.all(
        Array.from({ length: 600 }, async (_, n) => {
          const itemId = items[n % 3]!;
          const warehouseId = `W${((n % 5) % 3) + 1}`;
          const about = { orgId: 'org', meta: meta(1_000 + n) };
          if (n % 4 === 0)
            return submit(
              {
                kind: 'correct-cost',
                ...about,
                commandId: `c${n}`,
                receiptId: `r${n % 9}`,
                lines: [{ itemId, landedCost: n % 8 === 0 ? '-7' : '10', unitCost: `${n % 7}.1` }],
              },
              n,
            );
          const orderId = `o${n}`;
          const shipped = await submit(
            { kind: 'ship', ...about, shipmentId: `s${n}`, orderId, lines: [{ lineNo: 1, itemId, quantity: '1.5', warehouseId }] },
            n,
          );
          await submit(
            {
              kind: 'receive-return',
              ...about,
              returnId: `b${n}`,
              orderId,
              warehouseId: `W${(n % 3) + 1}`,
              lines: [{ lineNo: 1, itemId, quantity: '1' }],
            },
            n + 1,
          );
          return shipped;
        }),
      );
      expect(outcomes.filter(({ kind }) => kind === 'answer').length).toBeGreaterThan(500);
      expect(await stockViolations(stock)).toEqual([]);
    } finally {
      await stock.drop();
    }
  }, 60_000);
});
