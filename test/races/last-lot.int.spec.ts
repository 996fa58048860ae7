import { disagreements, stockViolations } from '../support/check-stock.js';
import { eventually } from '../support/eventually.js';
import { HttpClient } from '../support/http-client.js';
import { Installation } from '../support/installation.js';
import type { Outsider } from '../support/outsider.js';

// There is plenty of an item, but of all its lots only one piece may be sold: the others are too old, quarantined or recalled. An order over
// HTTP, an event of an order-management system and a call want it at the same moment, by way of two processes of inventory.

const ROUNDS = 3;
const DAY_MS = 86_400_000;

let installation: Installation;
let outsider: Outsider;
let gatewayUrl: string;

beforeAll(async () => {
  installation = await Installation.make(['inventory', 'orders', 'gateway']);
  const processes = await Promise.all((['inventory', 'inventory', 'orders', 'gateway'] as const).map((app) => installation.start(app)));
  gatewayUrl = processes[3]!.url;
  outsider = await installation.outsider();
}, 90_000);

afterAll(() => installation.remove(), 60_000);

async function stockUp(orgId: string): Promise<HttpClient> {
  const client = await HttpClient.signIn(gatewayUrl, orgId);
  const done = async (path: string, body: object) => {
    const { status, body: answer } = await client.send('POST', path, body);
    if (status > 201) throw new Error(`${path}: ${status} ${JSON.stringify(answer)}`);
  };
  await done('/warehouses', { warehouseId: 'main', name: 'Main' });
  await done('/items', { itemId: 'milk', name: 'Milk', unitPrice: '1', tracking: 'lot', minRemainingShelfLifeDays: 3 });
  const inDays = (days: number) => new Date(Date.now() + days * DAY_MS).toISOString();
  const lines = [
    { lot: 'too-old', quantity: '5', expiresAt: inDays(2) },
    { lot: 'quarantined', quantity: '5', expiresAt: inDays(20) },
    { lot: 'recalled', quantity: '5', expiresAt: inDays(20) },
    { lot: 'good', quantity: '1', expiresAt: inDays(90) },
  ].map((line) => ({ itemId: 'milk', unitCost: '1', ...line }));
  await done('/inventory/receipts', { warehouseId: 'main', lines });
  const change = {
    warehouseId: 'main',
    itemId: 'milk',
    lot: 'quarantined',
    quantity: '5',
    from: 'available',
    to: 'quarantined',
    reason: 'smell',
  };
  await done('/inventory/quality-changes', change);
  await done('/inventory/lots/milk/recalled/recall', { reason: 'glass' });
  const { body } = await client.send('GET', '/inventory/availability?itemId=milk&warehouseId=main');
  expect((body['items'] as object[])[0]).toMatchObject({ onHand: '16', blocked: '10', expiredOrTooOld: '5', available: '1' });
  return client;
}

const line = { lineNo: 1, itemId: 'milk', quantity: '1' };

/** Who wants it, and whether he was told that he has it. */
const wanters = (client: HttpClient, orgId: string, mode: 'all_or_nothing' | 'partial'): Record<string, () => Promise<string>> => ({
  'order-http': async () => {
    const order = { orderId: 'order-http', customerId: 'c', reservationMode: mode, lines: [{ itemId: 'milk', quantity: '1' }] };
    for (;;) {
      const { status, body } = await client.send('POST', '/orders', order);
      // As it says: try again.
      if (status !== 503) return status === 409 ? String(body['code']) : String(body['status']);
    }
  },
  'order-event': async () => {
    const id = await outsider.publish({
      type: 'OrderConfirmed',
      orgId,
      sequence: 1,
      data: { orderId: 'order-event', reservationMode: mode, lines: [line] },
    });
    const answer = await outsider.answerTo(id, 30_000);
    return answer?.type === 'StockReservationFailed' ? String(answer.data['reason']) : String(answer?.type);
  },
  'order-call': async () => {
    const data = { orgId, source: '/shop', orderId: 'order-call', firm: true, reservationMode: mode, lines: [line] };
    const { response } = await outsider.call('inventory', 'stock.demand', data, 30_000);
    return response?.['status'] === 'failed' ? String(response['reason']) : String(response?.['status']);
  },
});
const WON = ['created', 'StockReserved', 'reserved'];

describe.each(Array.from({ length: ROUNDS }, (_, round) => round + 1))('the last lot that may be sold (round %i)', (round) => {
  it.each(['all_or_nothing', 'partial'] as const)(
    'goes to exactly one, %s',
    async (mode) => {
      const orgId = `last-${mode}-${round}`.replaceAll('_', '-');
      const client = await stockUp(orgId);
      const answers = await Promise.all(
        Object.entries(wanters(client, orgId, mode)).map(async ([orderId, want]) => ({ orderId, told: await want() })),
      );
      const winners = answers.filter(({ told }) => WON.includes(told));
      expect([answers, winners.length]).toEqual([answers, 1]);
      const losers = answers.filter(({ told }) => !WON.includes(told));
      const lost = mode === 'partial' ? /backordered|partial/i : /^INSUFFICIENT_STOCK$/;
      for (const { told } of losers) expect(told).toMatch(lost);

      const holds = await installation.database.rows(
        `select order_id, lot, trim_scale(quantity)::text as quantity from inventory.reservation where org_id = $1 and status = 'active'`,
        [orgId],
      );
      expect(holds).toEqual([{ order_id: winners[0]!.orderId, lot: 'good', quantity: '1' }]);
      const waiting = await installation.database.rows<{ order_id: string }>('select order_id from inventory.backorder where org_id = $1', [
        orgId,
      ]);
      expect(waiting.map(({ order_id }) => order_id).sort()).toEqual(mode === 'partial' ? losers.map(({ orderId }) => orderId).sort() : []);
      const quants = await installation.database.rows<{ quant: string }>(
        `select concat_ws(' ', q.lot, q.quality, trim_scale(q.quantity), trim_scale(q.reserved), trim_scale(sum(l.quantity_delta))) as quant
         from inventory.quant q join inventory.ledger_entry l using (org_id, warehouse_id, item_id, lot, location, quality)
        where q.org_id = $1 group by q.lot, q.quality, q.quantity, q.reserved having q.quantity > 0 order by 1`,
        [orgId],
      );
      expect(quants.map(({ quant }) => quant)).toEqual([
        'good available 1 1 1',
        'quarantined quarantined 5 0 5',
        'recalled recalled 5 0 5',
        'too-old available 5 0 5',
      ]);
      expect(await stockViolations(installation.database)).toEqual([]);
      expect(await eventually(async () => (await disagreements(installation.database)).length === 0)).toBe(true);
    },
    90_000,
  );
});
