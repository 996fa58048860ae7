import { signActorToken } from '#libs/auth';
import {
  AvailabilityGet,
  type CallDefinition,
  DiscrepancyList,
  ItemCreate,
  LedgerList,
  ReceiptPost,
  type RequestOf,
  type ResponseOf,
  StockDemand,
  TransferCreate,
  TransferGet,
  TransferList,
  TransferReceive,
  WarehouseCreate,
} from '#libs/contracts';
import { InProcessDelivery, RpcClient } from '#libs/messaging';
import { loadConfig, startService } from '#libs/service';
import { startTestService, type TestService } from '#libs/testing';
import { inventory } from '../index.js';

const code = (name: string) => expect.objectContaining({ code: name });

describe('transfers', () => {
  let service: TestService;
  let org = 0;
  let orgId: string;

  beforeAll(async () => {
    service = await startTestService(inventory);
  });
  afterAll(() => service.stop());

  /** A new organisation with three warehouses, and 10 of `a` in the first. */
  beforeEach(async () => {
    orgId = `org-${++org}`;
    for (const warehouseId of ['w1', 'w2', 'w3']) await service.call(WarehouseCreate, { orgId, warehouseId, name: warehouseId });
    await service.call(ItemCreate, { orgId, itemId: 'a', name: 'Apple' });
    const lines = [{ itemId: 'a', quantity: '10', unitCost: '2.5' }];
    await service.call(ReceiptPost, { orgId, receiptId: 'r1', warehouseId: 'w1', lines });
  });

  /** Quantities and values add up, whatever happened, and what is on its way is what transfers say. */
  afterEach(async () => {
    const wrong = await service.database.rows(
      `select b.warehouse_id, b.item_id, b.on_hand, b.in_transit, b.value, l.quantity, l.value as posted, c.layers, t.under_way
         from inventory.stock_balance b
         left join lateral (select sum(quantity_delta) as quantity, sum(value_delta) as value from inventory.ledger_entry e
                             where (e.org_id, e.warehouse_id, e.item_id) = (b.org_id, b.warehouse_id, b.item_id)) l on true
         left join lateral (select sum(value) as layers from inventory.cost_layer c
                             where (c.org_id, c.warehouse_id, c.item_id) = (b.org_id, b.warehouse_id, b.item_id)) c on true
         left join lateral (
           select sum((line->>'quantity')::numeric - coalesce((line->>'received')::numeric, 0) - coalesce((line->>'missing')::numeric, 0)) as under_way
             from inventory.transfer t, jsonb_array_elements(t.lines) line
            where t.org_id = b.org_id and t.to_warehouse_id = b.warehouse_id and line->>'itemId' = b.item_id) t on true
        where b.on_hand <> coalesce(l.quantity, 0) or b.value <> coalesce(l.value, 0) or b.value <> coalesce(c.layers, 0)
           or b.in_transit <> coalesce(t.under_way, 0)`,
    );
    expect(wrong).toEqual([]);
  });

  /** Another process on the same database. */
  async function startOther() {
    const delivery = new InProcessDelivery();
    const config = { ...loadConfig({ NODE_ENV: 'test' }), databaseUrl: service.database.url };
    const running = await startService(inventory, { config, delivery, logger: false, port: null });
    const client = new RpcClient(delivery);
    return {
      call: async <D extends CallDefinition>(definition: D, request: RequestOf<D> & { orgId: string }): Promise<ResponseOf<D>> => {
        const actor = await signActorToken({ userId: 'tester', orgId, roles: ['admin'], warehouses: null });
        return await client.call(definition, request, { actor });
      },
      stop: async () => {
        await running.close();
        await delivery.close();
      },
    };
  }

  type Sent = Partial<RequestOf<typeof TransferCreate>>;
  const send = (quantity: string, more: Sent = {}, warehouses: string[] | null = null) => {
    const request = { orgId, fromWarehouseId: 'w1', toWarehouseId: 'w2', lines: [{ itemId: 'a', quantity }], ...more };
    return service.call(TransferCreate, request, { roles: ['warehouse'], warehouses });
  };
  const receive = (transferId: string, more: Partial<RequestOf<typeof TransferReceive>> = {}, warehouses: string[] | null = null) =>
    service.call(TransferReceive, { orgId, transferId, ...more }, { roles: ['warehouse'], warehouses });
  const at = async (warehouseId: string) => {
    const { items } = await service.call(AvailabilityGet, { orgId, items: [{ itemId: 'a', warehouseId }] });
    const { onHand, reserved, inTransit, available } = items[0]!;
    return { onHand, reserved, inTransit, available };
  };

  it('go at once, with their cost, and say nothing twice', async () => {
    const sent = await send('4', { transferId: 't1' });
    expect(sent).toMatchObject({ transferId: 't1', mode: 'immediate', status: 'completed' });
    expect(await send('4', { transferId: 't1' })).toEqual(sent);
    await expect(send('5', { transferId: 't1' })).rejects.toEqual(code('ALREADY_EXISTS'));
    expect(await at('w2')).toEqual({ onHand: '4', reserved: '0', inTransit: '0', available: '4' });
    const { items } = await service.call(LedgerList, { orgId, refType: 'transfer', refId: 't1' });
    expect(
      items
        .map(({ movementType, warehouseId, quantityDelta, valueDelta }) => [movementType, warehouseId, quantityDelta, valueDelta])
        .sort(),
    ).toEqual([
      ['transfer_in', 'w2', '4', '10'],
      ['transfer_out', 'w1', '-4', '-10'],
    ]);
  });

  it('are on their way until they arrive, also when the process that sent them has ended', async () => {
    const { transferId } = await send('4', { mode: 'in_transit' });
    expect(await at('w1')).toMatchObject({ onHand: '6' });
    expect(await at('w2')).toEqual({ onHand: '0', reserved: '0', inTransit: '4', available: '0' });
    const other = await startOther();
    try {
      const half = { orgId, transferId, commandId: 'c1', lines: [{ itemId: 'a', quantity: '2' }] };
      const twice = await Promise.all([other.call(TransferReceive, half), service.call(TransferReceive, half)]);
      expect(twice[0]).toEqual(twice[1]);
    } finally {
      await other.stop();
    }
    expect(await at('w2')).toEqual({ onHand: '2', reserved: '0', inTransit: '2', available: '2' });
    const dry = await receive(transferId, { lines: [{ itemId: 'a', quantity: '1' }], closeShortLines: true, dryRun: true });
    expect(dry).toMatchObject({ dryRun: true, status: 'completed', lines: [{ missingQuantity: '1' }] });
    const done = await receive(transferId, { lines: [{ itemId: 'a', quantity: '1' }], closeShortLines: true });
    expect(done).toMatchObject({ status: 'completed', lines: [{ receivedQuantity: '3', missingQuantity: '1', inTransitQuantity: '0' }] });
    // What was missing is in doubt until somebody has found out.
    expect(await at('w2')).toEqual({ onHand: '3', reserved: '0', inTransit: '0', available: '2' });
    expect((await service.call(DiscrepancyList, { orgId })).items).toMatchObject([
      {
        source: 'transfer_shortage',
        warehouseId: 'w2',
        ledgerQuantity: '2',
        snapshotQuantity: '1',
        refType: 'transfer',
        refId: transferId,
      },
    ]);
    expect(await service.call(TransferGet, { orgId, transferId })).toEqual(done);
  });

  it('are shown and received where somebody works', async () => {
    await send('1', { transferId: 't1', mode: 'in_transit' });
    await send('1', { transferId: 't2', toWarehouseId: 'w3' });
    const list = async (warehouses: string[] | null, request: RequestOf<typeof TransferList> = {}) =>
      (await service.call(TransferList, { orgId, ...request }, { roles: ['sales'], warehouses })).items.map(({ transferId }) => transferId);
    expect(await list(null)).toEqual(['t2', 't1']);
    expect(await list(null, { status: 'in_transit' })).toEqual(['t1']);
    expect(await list(null, { warehouseId: 'w3' })).toEqual(['t2']);
    expect(await list(['w2'])).toEqual(['t1']);
    const page = await service.call(TransferList, { orgId, limit: 1 });
    expect((await service.call(TransferList, { orgId, limit: 1, cursor: page.nextCursor! })).items).toMatchObject([{ transferId: 't1' }]);
    await expect(send('1', {}, ['w1'])).rejects.toEqual(code('WAREHOUSE_FORBIDDEN'));
    await expect(receive('t1', {}, ['w1'])).rejects.toEqual(code('WAREHOUSE_FORBIDDEN'));
    await expect(receive('t1', {}, ['w3'])).rejects.toEqual(code('TRANSFER_NOT_FOUND'));
    expect(await receive('t1', { lines: [{ itemId: 'a', quantity: '1' }] }, ['w2'])).toMatchObject({ status: 'completed' });
  });

  it('never move the last units twice, nor those that orders hold', async () => {
    const other = await startOther();
    try {
      const request = { orgId, fromWarehouseId: 'w1', lines: [{ itemId: 'a', quantity: '1' }] };
      const order = (n: number) => ({
        orgId,
        orderId: `o${n}`,
        firm: true,
        lines: [{ lineNo: 1, itemId: 'a', quantity: '1', warehouseId: 'w1' }],
      });
      const settled = await Promise.allSettled(
        Array.from({ length: 40 }, async (_, n): Promise<string> => {
          const one = n % 2 === 0 ? service : other;
          if (n % 4 === 3) return (await one.call(StockDemand, order(n))).status;
          return (await one.call(TransferCreate, { ...request, toWarehouseId: n % 4 === 0 ? 'w2' : 'w3', mode: 'in_transit' })).status;
        }),
      );
      const answers = settled.map((result) => (result.status === 'fulfilled' ? result.value : (result.reason as { code: string }).code));
      const moved = answers.filter((status) => status === 'in_transit').length;
      const held = answers.filter((status) => status === 'reserved').length;
      expect(moved + held).toBe(10);
      expect(answers.filter((status) => status === 'INSUFFICIENT_STOCK' || status === 'failed')).toHaveLength(30);
      expect(await at('w1')).toMatchObject({ onHand: String(10 - moved), reserved: String(held) });
      const [w2, w3] = [await at('w2'), await at('w3')];
      expect(Number(w2.inTransit) + Number(w3.inTransit)).toBe(moved);
    } finally {
      await other.stop();
    }
  });

  it('sent under one id at the same time are one', async () => {
    const all = await Promise.allSettled(['w2', 'w3', 'w2', 'w3'].map((toWarehouseId) => send('2', { transferId: 't1', toWarehouseId })));
    expect(all.filter(({ status }) => status === 'fulfilled')).toHaveLength(2);
    expect(await at('w1')).toMatchObject({ onHand: '8' });
  });

  it('are the only way in for pieces that are under way', async () => {
    await service.database.rows(`insert into inventory.item (org_id, item_id, name, tracking) values ($1, 's', 'Saw', 'serial')`, [orgId]);
    const piece = { itemId: 's', quantity: '1', lot: 's1' };
    const takeIn = (warehouseId: string) => service.call(ReceiptPost, { orgId, warehouseId, lines: [{ ...piece, unitCost: '9' }] });
    await takeIn('w1');
    const { transferId } = await send('1', { mode: 'in_transit', lines: [piece] });
    await expect(takeIn('w3')).rejects.toEqual(code('SERIAL_EXISTS'));
    await receive(transferId);
    await expect(takeIn('w3')).rejects.toEqual(code('SERIAL_EXISTS'));
    // Back at once: the piece leaves one place and comes to another in one transaction.
    await send('1', { fromWarehouseId: 'w2', toWarehouseId: 'w1', lines: [piece] });
    expect((await send('1', { lines: [{ itemId: 's', quantity: '1' }] })).lines).toMatchObject([{ lot: 's1', receivedQuantity: '1' }]);
  });
});
