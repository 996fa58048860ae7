import { formatQuantity } from '#libs/domain';
import type { CarryOutApproval, KeptMovement, StockCommand } from '../stock-machine/commands.js';
import {
  adjusts,
  byEvent,
  dismisses,
  GivenStock,
  ORG,
  puts,
  receives,
  ships,
  transfers,
  wants,
} from '../stock-machine/simulation/given-stock.js';
import { type Discrepancy, differenceOf, discrepancyView, isOpen } from './discrepancy.js';
import { overrideOf } from './request-override.js';

const MANAGER = { messageId: 'approved', actor: 'carl', mayWait: false };

/** 10 on hand at 1 each, of which an order holds 6: 4 are free. */
function given(): GivenStock {
  const stock = new GivenStock({ 'W1/A': '10' });
  stock.when(wants('held', { 1: 'A 6 @W1' }));
  return stock;
}

const kept = ({ stock }: GivenStock): Discrepancy[] => [...stock.discrepancies.values()].filter((found) => found.command !== null);

/** What was decided about the override of the movement that was refused last. */
function decided(stock: GivenStock, status: CarryOutApproval['status'] = 'approved', approvalRequestId = 'r1'): CarryOutApproval {
  const found = kept(stock).at(-1)!;
  const { work } = overrideOf(found, kept(stock).filter(isOpen), 'the truck waits', 0, MANAGER);
  return {
    kind: 'carry-out-approval',
    orgId: ORG,
    approvalRequestId,
    approvalKind: 'movement_override',
    subjectType: 'discrepancy',
    subjectId: found.discrepancyId,
    status,
    decidedBy: 'carl',
    role: 'finance_manager',
    reason: 'seen it',
    snapshot: null,
    // As it comes back from where it was kept.
    work: { ...(JSON.parse(JSON.stringify(work)) as typeof work), reason: 'seen it', meta: MANAGER } as CarryOutApproval['work'],
    meta: MANAGER,
  };
}

const posted = ({ stock }: GivenStock, from: number) =>
  stock.ledger
    .slice(from)
    .map(
      ({ movement, itemId, quantityDelta, flagged }) =>
        `${movement.movementType} ${itemId} ${formatQuantity(quantityDelta)}${flagged ? '!' : ''}`,
    );

const MOVEMENTS: Readonly<Record<KeptMovement['kind'], readonly [StockCommand, readonly string[]]>> = {
  ship: [ships('s1', 'other', { 1: 'A 9 @W1' }, { meta: byEvent('e1', { sequence: 1 }) }), ['count A 5', 'sale_shipment A -9']],
  'transfer-stock': [transfers('t1', ['A 9']), ['count A 5', 'transfer_out A -9', 'transfer_in A 9']],
  'adjust-stock': [adjusts('W1/A', '-9 sample', 'a1'), ['count A 5', 'adjustment A -9']],
};

describe('an override', () => {
  it.each(Object.entries(MOVEMENTS))(
    'of %s counts what is missing and runs it again, once, and nobody loses a hold',
    (_, [command, entries]) => {
      const stock = given();
      stock.when(command);
      stock.said();
      const before = stock.stock.ledger.length;
      const decision = decided(stock);
      expect(stock.answer(decision)).toEqual({ outcome: 'done' });
      expect([posted(stock, before), stock.at('W1/A')]).toEqual([entries, '6 on hand, 6 reserved']);
      const [found] = kept(stock) as [Discrepancy];
      expect(discrepancyView(found)).toMatchObject({ status: 'resolved', resolvedBy: 'carl', resolutionNote: 'seen it' });
      const [count] = stock.stock.ledger.slice(before);
      expect(count).toMatchObject({
        discrepancyId: found.discrepancyId,
        valueDelta: 50_000n,
        movement: { actor: 'carl', refId: found.discrepancyId },
      });
      expect(stock.saidTypes()).not.toContain('ReservationShorted');
      expect(stock.answer(decision)).toEqual({ outcome: 'done' });
      expect(posted(stock, before)).toEqual(entries);
    },
  );

  it('of a shipment is answered as any other, though it was refused before', () => {
    const stock = given();
    expect(stock.answer(MOVEMENTS.ship[0])).toMatchObject({ status: 'refused' });
    expect(stock.saidTypes()).toContain('StockDepletionFailed');
    stock.when(decided(stock));
    expect(stock.saidTypes()).toEqual(expect.arrayContaining(['StockAdjusted', 'StockDepleted', 'DiscrepancyResolved']));
  });

  it('counts only what is missing by then', () => {
    const stock = given();
    stock.when(adjusts('W1/A', '-9 sample', 'a1'));
    stock.when(receives('r2', 'W1', { A: '3' }));
    const before = stock.stock.ledger.length;
    stock.when(decided(stock));
    expect(posted(stock, before)).toEqual(['count A 2', 'adjustment A -9']);
  });

  it('of several items counts each, for its own discrepancy', () => {
    const stock = new GivenStock({ 'W1/A': '1', 'W1/B': '1' });
    stock.when(ships('s1', 'o', { 1: 'A 2 @W1', 2: 'B 3 @W1' }));
    expect(kept(stock).map(differenceOf).map(formatQuantity)).toEqual(['1', '2']);
    const before = stock.stock.ledger.length;
    stock.when(decided(stock));
    expect(posted(stock, before)).toEqual(['count A 1', 'count B 2', 'sale_shipment A -2', 'sale_shipment B -3']);
    expect(kept(stock).map(({ status }) => status)).toEqual(['resolved', 'resolved']);
  });

  it('of a lot counts that lot', () => {
    const stock = new GivenStock({ 'W1/L #x': '5' }, { items: { L: { tracking: 'lot' } }, bins: ['W1/B1'] });
    stock.when(puts('r', 'W1', 'L 2 #x @B1'));
    stock.when(transfers('t1', ['L 9 #x']));
    stock.when(decided(stock));
    expect([stock.at('W1/L'), stock.at('W2/L')]).toEqual(['nothing', '9 on hand']);
    // Of which lot is not said, so it cannot be counted.
    stock.when(ships('s1', 'o', { 1: 'L 1 @W1' }));
    expect(stock.answer(decided(stock, 'approved', 'r2'))).toEqual({ outcome: 'refused' });
  });

  it('of lots counts also what others hold of them, who keep it', () => {
    const stock = new GivenStock({ 'W1/L #x': '2', 'W1/L #y': '1' }, { items: { L: { tracking: 'lot' } } });
    stock.when(wants('held', { 1: 'L 2 @W1 #x' }));
    stock.when(ships('s1', 'other', { 1: 'L 3 @W1 lots=x:1,y:2' }));
    expect(kept(stock).map(differenceOf).map(formatQuantity)).toEqual(['2']);
    const before = stock.stock.ledger.length;
    stock.when(decided(stock));
    expect(posted(stock, before)).toEqual(['count L 1', 'count L 1', 'sale_shipment L -2', 'sale_shipment L -1']);
    expect([stock.placedHolds('held'), stock.quants('W1/L')]).toEqual([['W1/L #x 2'], ['#x available: 2, 2 reserved']]);
  });

  it.each([
    ['more is missing than was approved', (stock: GivenStock) => stock.when(wants('more', { 1: 'A 1 @W1' }))],
    ['it was dismissed', (stock: GivenStock) => stock.when(dismisses(discrepancyView(kept(stock)[0]!)))],
  ])('posts nothing when %s, and that is on record', (_, meanwhile) => {
    const stock = given();
    stock.when(adjusts('W1/A', '-9 sample', 'a1'));
    const decision = decided(stock);
    meanwhile(stock);
    stock.said();
    const before = stock.stock.ledger.length;
    expect(stock.answer(decision)).toEqual({ outcome: 'refused' });
    expect([posted(stock, before), stock.said()]).toEqual([[], []]);
    const [found] = kept(stock) as [Discrepancy];
    if (isOpen(found)) expect(found.resolutionNote).toContain('Approved by carl, but not possible');
    expect(kept(stock)).toHaveLength(1);
  });

  it('of a shipment whose order was cancelled meanwhile posts and says nothing', () => {
    const stock = given();
    stock.when(wants('other', { 1: 'A 9 @W1' }, { mode: 'partial' }));
    stock.when(ships('s1', 'other', { 1: 'A 9 @W1' }));
    const decision = decided(stock);
    stock.when(wants('other', {}));
    stock.said();
    expect(stock.answer(decision)).toEqual({ outcome: 'refused' });
    expect([stock.at('W1/A'), stock.said()]).toEqual(['10 on hand, 6 reserved', []]);
  });

  it.each(['rejected', 'expired'] as const)('that was %s posts nothing, and may be asked for anew', (status) => {
    const stock = given();
    stock.when(adjusts('W1/A', '-9 sample', 'a1'));
    kept(stock)[0]!.approvalRequestId = 'r1';
    expect(stock.answer(decided(stock, status))).toEqual({ outcome: 'noted' });
    expect(stock.at('W1/A')).toBe('10 on hand, 6 reserved');
    expect(discrepancyView(kept(stock)[0]!)).toMatchObject({ status: 'new', approvalRequestId: null, resolutionNote: expect.any(String) });
    expect(stock.answer(decided(stock, 'approved', 'r2'))).toEqual({ outcome: 'done' });
  });

  it.each([
    ['a shipment', ships('s1', 'other', { 1: 'A 12 @W1' })],
    ['a shipment of what holds', ships('s1', 'held', { 1: 'A 12 @W1' })],
    ['a transfer', transfers('t1', ['A 12'])],
    ['an adjustment', adjusts('W1/A', '-12 sample', 'a1')],
    ['an adjustment in a bin', adjusts('W1/A @B1', '-12 sample', 'a1')],
  ] as const)('of %s takes nothing from whoever holds, wherever the goods lie', (_, command) => {
    const isOwn = command.kind === 'ship' && command.orderId === 'held';
    for (const inDefault of [1, 3, 5]) {
      for (const inBin of [0, 4]) {
        for (const held of [0, 1, inDefault, inDefault + inBin]) {
          const stock = new GivenStock({ 'W1/A': String(inDefault) }, { bins: ['W1/B1'] });
          if (inBin > 0) stock.when(puts('r', 'W1', `A ${inBin} @B1`));
          if (held > 0) stock.when(wants('held', { 1: `A ${isOwn ? 12 : held} @W1` }, { mode: 'partial' }));
          stock.when(command);
          stock.said();
          expect(stock.answer(decided(stock))).toEqual({ outcome: 'done' });
          expect(stock.saidTypes()).not.toContain('ReservationShorted');
          const left = stock.holds('held').reduce((sum, hold) => sum + Number(hold.split(' ')[1]), 0);
          expect(left).toBe(isOwn ? 0 : held);
        }
      }
    }
  });
});
