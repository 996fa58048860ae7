import { signActorToken } from '#libs/auth';
import { stockViolations } from '../support/check-stock.js';
import { eventually } from '../support/eventually.js';
import { Installation } from '../support/installation.js';
import { NoAnswer, type Outsider, type WireEvent } from '../support/outsider.js';

// Inventory dies while goods leave for another warehouse, arrive there, are picked, or are recalled, before and after it is committed. Whoever
// said so says it again; in the end everything has happened once, and nothing of it is lost.

const ORG = 'acme';
const POINTS = ['before-commit', 'after-commit'];

/** An installation of its own, because what one death leaves behind would be the next one's. */
class Mortal {
  private constructor(
    readonly point: string,
    readonly installation: Installation,
    readonly outsider: Outsider,
  ) {}

  static async make(point: string): Promise<Mortal> {
    const installation = await Installation.make(['inventory']);
    return new Mortal(point, installation, await installation.outsider());
  }

  /** Does `work` with a process that dies at the point, as soon as it gets there. */
  async dying(work: () => Promise<unknown>): Promise<void> {
    const process = this.installation.begin('inventory', { HOLDFAST_CRASH_AT: `inventory:${this.point}` });
    const ready = process.untilReady().then(work, () => undefined);
    expect([this.point, await process.ended]).toEqual([this.point, 'SIGKILL']);
    await ready;
  }

  /** Does `work` with a process that lives, and waits until all that is committed was told. */
  async living<T>(work: () => Promise<T>): Promise<T> {
    const process = await this.installation.start('inventory');
    const result = await work();
    const left = () => this.rows('select id from inventory.outbox');
    expect([this.point, await eventually(async () => (await left()).length === 0)]).toEqual([this.point, true]);
    await process.stop();
    return result;
  }

  /** The answer; null when whoever was asked died of it. */
  async call(pattern: string, data: object): Promise<Readonly<Record<string, unknown>> | null> {
    const actor = await signActorToken({ userId: 'ann', orgId: ORG, roles: ['admin'], warehouses: null });
    const request = { orgId: ORG, actor, ...data };
    const answer = await this.outsider.call('inventory', pattern, request, 10_000).catch((error: unknown) => {
      if (error instanceof NoAnswer) return null;
      throw error;
    });
    if (answer?.err !== undefined) throw new Error(`${pattern}: ${answer.err.code}: ${answer.err.message}`);
    return answer?.response ?? null;
  }

  /** The lots `a` and `b` of milk in W1, five of each, and the warehouse W2. */
  async stockUp(): Promise<void> {
    for (const warehouseId of ['W1', 'W2']) await this.call('warehouses.create', { warehouseId, name: warehouseId });
    await this.call('items.create', { itemId: 'milk', name: 'Milk', unitPrice: '1', tracking: 'lot' });
    const lines = ['a', 'b'].map((lot) => ({ itemId: 'milk', lot, quantity: '5', unitCost: '2' }));
    await this.call('receipts.post', { receiptId: 'initial', warehouseId: 'W1', lines });
  }

  rows<R extends object>(text: string): Promise<R[]> {
    return this.installation.database.rows<R>(text);
  }

  /** `W1 a available 5, 2 held` for each place in which something lies, with the point. */
  async places(): Promise<string[]> {
    const rows = await this.rows<{ place: string }>(
      `select concat_ws(' ', warehouse_id, lot, quality, trim_scale(quantity)) || ', ' || trim_scale(reserved) || ' held' as place
         from inventory.quant where quantity > 0 order by 1`,
    );
    return [this.point, ...rows.map(({ place }) => place)];
  }

  /** The movements other than the first receipt, by type, with what their entries add up to. */
  async movements(): Promise<string[]> {
    const rows = await this.rows<{ movement: string }>(
      `select concat_ws(' ', movement_type, trim_scale(sum(quantity_delta)), trim_scale(sum(value_delta))) as movement
         from inventory.ledger_entry where movement_type <> 'receipt' group by movement_type, movement_id order by 1`,
    );
    return [this.point, ...rows.map(({ movement }) => movement)];
  }

  heard(type: string): readonly WireEvent[] {
    return this.outsider.heard.filter((event) => event.type === type);
  }
}

let mortals: Mortal[] = [];
beforeEach(async () => {
  mortals = await Promise.all(POINTS.map((point) => Mortal.make(point)));
  await Promise.all(mortals.map((mortal) => mortal.living(() => mortal.stockUp())));
}, 120_000);
afterEach(async () => {
  for (const { point, installation } of mortals) expect([point, await stockViolations(installation.database)]).toEqual([point, []]);
  await Promise.all(mortals.splice(0).map(({ installation }) => installation.remove()));
}, 60_000);

it('goods leave once and arrive once, wherever it dies of sending or receiving them', async () => {
  await Promise.all(
    mortals.map(async (mortal) => {
      const lines = [{ itemId: 'milk', quantity: '4', lot: 'a' }];
      const way = { transferId: 't', fromWarehouseId: 'W1', toWarehouseId: 'W2', mode: 'in_transit', lines };
      await mortal.dying(() => mortal.call('transfers.create', way));
      const sent = await mortal.living(() => mortal.call('transfers.create', way));
      expect(sent).toMatchObject({ status: 'in_transit', lines: [{ quantity: '4', inTransitQuantity: '4' }] });
      expect(await mortal.places()).toEqual([mortal.point, 'W1 a available 1, 0 held', 'W1 b available 5, 0 held']);
      expect(await mortal.movements()).toEqual([mortal.point, 'transfer_out -4 -8']);

      const arrival = {
        transferId: 't',
        commandId: 'arrival',
        lines: [{ itemId: 'milk', quantity: '3', lot: 'a' }],
        closeShortLines: true,
      };
      await mortal.dying(() => mortal.call('transfers.receive', arrival));
      const received = await mortal.living(() => mortal.call('transfers.receive', arrival));
      expect(received).toMatchObject({
        status: 'completed',
        lines: [{ receivedQuantity: '3', missingQuantity: '1', inTransitQuantity: '0' }],
      });
      expect(await mortal.places()).toEqual([
        mortal.point,
        'W1 a available 1, 0 held',
        'W1 b available 5, 0 held',
        'W2 a available 3, 0 held',
      ]);
      expect(await mortal.movements()).toEqual([mortal.point, 'transfer_in 3 6', 'transfer_out -4 -8']);
      const inTransit = await mortal.rows('select 1 from inventory.stock_balance where in_transit <> 0');
      expect([mortal.point, inTransit]).toEqual([mortal.point, []]);
    }),
  );
}, 240_000);

it('a pick moves its hold once, wherever it dies of it', async () => {
  await Promise.all(
    mortals.map(async (mortal) => {
      const lines = [{ lineNo: 1, itemId: 'milk', quantity: '4', warehouseId: 'W1' }];
      const order = { source: '/oms', orderId: 'o', sequence: 1, firm: true, lines };
      await mortal.living(() => mortal.call('stock.demand', order));
      const picked = {
        source: '/oms',
        orderId: 'o',
        sequence: 2,
        lines: [{ lineNo: 1, quantity: '3', lots: [{ lot: 'b', quantity: '3' }] }],
      };
      await mortal.dying(() => mortal.call('stock.pick', picked));
      const answer = await mortal.living(() => mortal.call('stock.pick', picked));
      expect(answer).toMatchObject({ status: 'done', picked: [{ lineNo: 1, quantity: '3' }] });
      const [held] = await mortal.rows<{ held: string; waits: string }>(
        `select (select trim_scale(sum(quantity)) from inventory.reservation where status = 'active')::text as held,
                (select coalesce(trim_scale(sum(quantity)), 0) from inventory.backorder)::text as waits`,
      );
      // One was missing of what was held in lot a; it is held in lot b, where something was left.
      expect([mortal.point, held]).toEqual([mortal.point, { held: '4', waits: '0' }]);
      expect(await mortal.places()).toEqual([mortal.point, 'W1 a available 5, 0 held', 'W1 b available 5, 4 held']);
      expect(await mortal.movements()).toEqual([mortal.point]);
    }),
  );
}, 240_000);

it('a lot is recalled once and everywhere, wherever it dies of it, and what was on its way arrives so', async () => {
  await Promise.all(
    mortals.map(async (mortal) => {
      await mortal.living(async () => {
        const way = { transferId: 't', fromWarehouseId: 'W1', toWarehouseId: 'W2', mode: 'in_transit' };
        await mortal.call('transfers.create', { ...way, lines: [{ itemId: 'milk', quantity: '2', lot: 'a' }] });
        const lines = [{ lineNo: 1, itemId: 'milk', quantity: '6', warehouseId: 'W1' }];
        await mortal.call('stock.demand', { source: '/oms', orderId: 'o', sequence: 1, firm: true, lines });
      });
      const recall = { commandId: 'recall', itemId: 'milk', lot: 'a', reason: 'glass' };
      await mortal.dying(() => mortal.call('lots.recall', recall));
      const answer = await mortal.living(() => mortal.call('lots.recall', recall));
      expect(answer).toMatchObject({ lot: 'a', recalled: [{ warehouseId: 'W1', quantity: '3' }] });
      await mortal.living(() => mortal.call('transfers.receive', { transferId: 't', commandId: 'arrival' }));
      expect(await mortal.places()).toEqual([
        mortal.point,
        'W1 a recalled 3, 0 held',
        'W1 b available 5, 5 held',
        'W2 a recalled 2, 0 held',
      ]);
      expect(await mortal.movements()).toEqual([mortal.point, 'quality_change 0', 'transfer_in 2 4', 'transfer_out -2 -4']);
      expect([mortal.point, mortal.heard('ReservationShorted').length]).toEqual([mortal.point, 1]);
    }),
  );
}, 240_000);
