import fc from 'fast-check';
import type { DemandLine } from '#libs/contracts';
import { formatQuantity, parseQuantity } from '#libs/domain';
import type { StockCommand } from '../commands.js';
import type { Pending } from '../run-batch.js';
import { subjectKey } from '../balance.js';
import { stockLines } from '../demand.js';
import { NeedsMore } from '../needs-more.js';
import { MemoryStock } from './memory-stock.js';

// No delivery order is promised, and any message may come twice. With stock for everybody, what an order holds in the end does not depend
// on the way in which its messages came.

type Said =
  | { readonly says: 'wants'; readonly lines: readonly { lineNo: number; quantity: number }[]; readonly firm: boolean }
  | { readonly says: 'ships'; readonly lineNo: number; readonly quantity: number }
  | { readonly says: 'takes back'; readonly nth: number }
  | { readonly says: 'cancels' };

const lines = fc.uniqueArray(fc.record({ lineNo: fc.integer({ min: 1, max: 3 }), quantity: fc.integer({ min: 4, max: 9 }) }), {
  selector: ({ lineNo }) => lineNo,
  minLength: 1,
});
const wants = fc.record({ says: fc.constant('wants' as const), lines, firm: fc.boolean() });
const ships = fc.record({
  says: fc.constant('ships' as const),
  lineNo: fc.integer({ min: 1, max: 3 }),
  quantity: fc.integer({ min: 1, max: 2 }),
});
const takesBack = fc.record({ says: fc.constant('takes back' as const), nth: fc.nat({ max: 1 }) });
const story = fc
  .tuple(wants, fc.array(fc.oneof(wants, ships, takesBack), { maxLength: 5 }), fc.boolean())
  .map(([first, more, ends]): Said[] => [first, ...more, ...(ends ? [{ says: 'cancels' as const }] : [])]);

/** The messages of a story, as its source says them one after the other; each is possible at its time. */
function messagesOf(story: readonly Said[], numbered: boolean): StockCommand[] {
  const messages: StockCommand[] = [];
  let wanted = new Map<number, number>();
  // Nobody un-confirms an order.
  let firm = false;
  const shipped = new Map<number, number>();
  const shipments: { id: string; lineNo: number; quantity: number }[] = [];
  for (const said of story) {
    const n = messages.length + 1;
    const event = { orgid: 'org', source: '/oms', id: `event-${n}` };
    const time = new Date(Date.UTC(2026, 0, 1, 0, 0, n));
    const meta = { messageId: event.id, event, sequence: numbered ? n : undefined, time, mayWait: true };
    const about = { orgId: 'org', orderId: 'order', meta };
    if (said.says === 'wants') {
      firm ||= said.firm;
      wanted = new Map(said.lines.map(({ lineNo, quantity }) => [lineNo, quantity]));
      const asked: DemandLine[] = said.lines.map(({ lineNo, quantity }) => ({
        lineNo,
        itemId: 'A',
        quantity: String(quantity),
        warehouseId: 'W',
      }));
      messages.push({ kind: 'set-demand', ...about, source: '/oms', lines: asked, firm });
    } else if (said.says === 'ships') {
      const { lineNo, quantity } = said;
      const left = (wanted.get(lineNo) ?? 0) - (shipped.get(lineNo) ?? 0);
      if (left < quantity) continue;
      shipped.set(lineNo, (shipped.get(lineNo) ?? 0) + quantity);
      shipments.push({ id: `shipment-${n}`, lineNo, quantity });
      const line = { lineNo, itemId: 'A', quantity: String(quantity), warehouseId: 'W' };
      messages.push({ kind: 'ship', ...about, shipmentId: `shipment-${n}`, lines: [line] });
    } else if (said.says === 'takes back') {
      const [shipment] = shipments.splice(said.nth, 1);
      if (shipment === undefined) continue;
      shipped.set(shipment.lineNo, shipped.get(shipment.lineNo)! - shipment.quantity);
      messages.push({ kind: 'unship', ...about, shipmentId: shipment.id });
    } else {
      messages.push({ kind: 'set-demand', ...about, source: '/oms', lines: [] });
    }
  }
  return messages;
}

/** What is known and held of the order, after its messages came in this order; what is too early comes again after all others. */
function endOf(messages: readonly StockCommand[], batchSize: number) {
  const stock = new MemoryStock();
  stock.items.set('org/A', { safetyStock: null, reorderPoint: null });
  stock.warehouses.set('org', [{ warehouseId: 'W', priority: 1 }]);
  run(stock, [
    {
      command: {
        kind: 'receive-goods',
        orgId: 'org',
        receiptId: 'plenty',
        warehouseId: 'W',
        lines: [{ itemId: 'A', quantity: '1000', unitCost: '1' }],
        meta: { messageId: 'plenty', mayWait: false },
      },
    },
  ]);
  for (let waiting = [...messages]; waiting.length > 0;) {
    const early: StockCommand[] = [];
    for (let at = 0; at < waiting.length; at += batchSize) {
      early.push(
        ...run(
          stock,
          waiting.slice(at, at + batchSize).map((command) => ({ command })),
        ),
      );
    }
    // A shipment that finds no room while the one to be taken back waits for it: at the last attempt it is decided, and both cancel out.
    const isLast = early.length === waiting.length;
    waiting = isLast ? early.map((command) => ({ ...command, meta: { ...command.meta, mayWait: false } })) : early;
  }
  const row = stock.demands.get(subjectKey('org', 'order'))!;
  const balance = stock.balances.get('org/W/A')!;
  return {
    state: row.state,
    firm: row.firm,
    stock: stockLines({ ...row, reservations: [], backorders: [] }).sort((a, b) => a.lineNo - b.lineNo),
    onHand: formatQuantity(balance.onHand),
    reserved: formatQuantity(balance.reserved),
  };
}

/** Runs a batch; answers what came too early. */
function run(stock: MemoryStock, batch: readonly Pending[]): StockCommand[] {
  return stock.runBatch(batch).flatMap((outcome, index) => {
    if (outcome instanceof NeedsMore) throw outcome;
    return outcome.kind === 'too-early' ? [batch[index]!.command] : [];
  });
}

const RUNS = Number(process.env['SIMULATION_ORDERINGS'] ?? 2_000);

describe('messages in any order', () => {
  it.each([
    ['numbered by their source', true],
    ['ordered by time', false],
  ])('end the same, when they are %s', (_, numbered) => {
    fc.assert(
      fc.property(story, fc.infiniteStream(fc.nat()), fc.integer({ min: 1, max: 4 }), (said, random, batchSize) => {
        const messages = messagesOf(said, numbered);
        const expected = endOf(messages, 1);
        const twice = [...messages, ...messages.filter(() => random.next().value! % 3 === 0)];
        const shuffled = twice.map((message) => ({ message, at: random.next().value! })).sort((a, b) => a.at - b.at);
        const actual = endOf(
          shuffled.map(({ message }) => message),
          batchSize,
        );
        if (expected.state !== 'closed') expect(actual).toEqual(expected);
        // Of an order that is over it matters what was shipped, and that nothing is held.
        else
          expect({ state: actual.state, onHand: actual.onHand, reserved: actual.reserved }).toEqual({
            state: 'closed',
            onHand: expected.onHand,
            reserved: '0',
          });
      }),
      { numRuns: RUNS, ...(process.env['SIMULATION_SEED'] === undefined ? {} : { seed: Number(process.env['SIMULATION_SEED']) }) },
    );
  });

  it('holds a new total no lower than what was shipped, whichever comes first', () => {
    const messages = messagesOf(
      [
        { says: 'wants', lines: [{ lineNo: 1, quantity: 5 }], firm: true },
        { says: 'ships', lineNo: 1, quantity: 2 },
      ],
      true,
    );
    expect(endOf(messages, 1).stock[0]).toMatchObject({ requested: '5', reserved: '3', fulfilled: '2' });
    expect(endOf(messages.toReversed(), 1)).toEqual(endOf(messages, 1));
    expect(parseQuantity(endOf(messages, 1).onHand)).toBe(parseQuantity('998'));
  });
});
