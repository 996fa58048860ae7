import { formatQuantity, sumQuantities } from '#libs/domain';
import type { Discrepancy } from '../discrepancies/discrepancy.js';
import type { DecisionSettings } from './decision-settings.js';
import type { Outcome, StockCommand } from './commands.js';
import { adjusts, byEvent, GivenStock, moves, puts, receives, scraps, ships, transfers, unships, wants } from './simulation/given-stock.js';

type Phase = DecisionSettings['enforcementPhase'];

/** 10 on hand, of which an order holds 6: 4 are free. */
function given(enforcementPhase: Phase, softBlockPercent = 200_000n) {
  const stock = new GivenStock({ 'W1/A': '10' }, { settings: { enforcementPhase, softBlockPercent } });
  stock.when(wants('held', { 1: 'A 6 @W1' }));
  stock.said();
  return stock;
}

const COMMANDS: Readonly<Record<string, (quantity: string) => StockCommand>> = {
  ship: (quantity) => ships('s1', 'other', { 1: `A ${quantity} @W1` }),
  'transfer-stock': (quantity) => transfers('t1', [`A ${quantity}`]),
  'adjust-stock': (quantity) => adjusts('W1/A', `-${quantity} sample`, 'a1'),
};

const isDone = (outcome: Outcome) =>
  outcome.kind === 'answer' && !['refused', 'failed'].includes((outcome.answer as { status?: string }).status ?? '');

function discrepancies({ stock }: GivenStock): string[] {
  return [...stock.discrepancies.values()].map((found) => {
    const { severity, source, refType, refId, snapshotQuantity, ledgerQuantity, command } = found;
    const kept = command === null ? '' : ', kept';
    return `${severity} ${source} of ${refType} ${refId}: ${formatQuantity(snapshotQuantity - ledgerQuantity)}${kept}`;
  });
}

const REFERS = { ship: 'shipment s1', 'transfer-stock': 'transfer t1', 'adjust-stock': 'adjustment a1' } as const;

describe.each(['ship', 'transfer-stock', 'adjust-stock'] as const)('%s that is short', (kind) => {
  it.each([
    // What is free is nobody's concern.
    ['hard', '4', true, '6 on hand, 6 reserved'],
    ['hard', '4.0001', false, '10 on hand, 6 reserved'],
    ['hard', '11', false, '10 on hand, 6 reserved'],
    // 20% of 10 on hand.
    ['soft', '6', true, '4 on hand, 4 reserved, 2 backordered'],
    ['soft', '6.0001', false, '10 on hand, 6 reserved'],
    ['soft', '12', false, '10 on hand, 6 reserved'],
    ['dark', '9', true, '1 on hand, 1 reserved, 5 backordered'],
    ['dark', '13', true, '-3 on hand, 6 backordered'],
  ] as const)('%s: %s of 4 free', (phase, quantity, isPosted, after) => {
    const stock = given(phase);
    const outcome = stock.when(COMMANDS[kind]!(quantity));
    expect([isDone(outcome), stock.at('W1/A')]).toEqual([isPosted, after]);
    const short = Number(quantity) - 4;
    const entry = stock.stock.ledger.at(-1)!;
    const out = stock.stock.ledger.find(({ warehouseId, quantityDelta }) => warehouseId === 'W1' && quantityDelta < 0n);
    if (short === 0) {
      expect([discrepancies(stock), out?.flagged]).toEqual([[], false]);
    } else if (isPosted) {
      expect(discrepancies(stock)).toEqual([`medium blocked_transaction of ${REFERS[kind]}: ${short}`]);
      expect(out).toMatchObject({ flagged: true, discrepancyId: [...stock.stock.discrepancies.values()][0]!.discrepancyId });
      expect(stock.saidTypes()).toContain('ReservationShorted');
    } else {
      expect(discrepancies(stock)).toEqual([`medium blocked_transaction of ${REFERS[kind]}: ${Number(short.toFixed(4))}, kept`]);
      expect(entry.movement.movementType).toBe('receipt');
      const told = outcome.kind === 'error' ? outcome.error.details : (outcome as { answer: unknown }).answer;
      const [{ discrepancyId }] = [...stock.stock.discrepancies.values()] as [Discrepancy];
      expect(told).toMatchObject({ discrepancyIds: [discrepancyId] });
      // What was asked for is kept as it came, to be carried out once somebody approves it.
      expect([...stock.stock.discrepancies.values()][0]!.command).toMatchObject({ kind });
    }
  });
});

describe('a lot that is short', () => {
  it('gives way to what is let pass: who holds of it holds of another, though nobody had asked who that is', () => {
    const stock = new GivenStock(
      { 'W1/A #soon': '7 until 2026-02-01', 'W1/A #late': '20 until 2026-03-01' },
      { items: { A: { tracking: 'lot' } }, settings: { enforcementPhase: 'dark' }, limits: { holdsPerBalance: 1 } },
    );
    stock.when(wants('held', { 1: 'A 5 @W1' }));
    stock.when(wants('newer', { 1: 'A 1 @W1 #late' }));
    // 2 that are free, and 2 of those that are held.
    stock.answer(transfers('t1', ['A 4 #soon']));
    expect(stock.quants('W1/A')).toEqual(['#late available: 20, 3 reserved', '#soon available: 3, 3 reserved']);
  });
});

describe('below zero', () => {
  it('costs what was paid last; what comes next closes it, and the difference is posted', () => {
    const stock = given('dark');
    stock.when(ships('s1', 'other', { 1: 'A 13 @W1' }));
    const cost = stock.stock.shipments.get('org/s1')!.lines.flatMap((line) => line.cost);
    expect(sumQuantities(cost, ({ value }) => value)).toBe(130_000n);
    stock.when(receives('r2', 'W1', {}, { lines: [{ itemId: 'A', quantity: '8', unitCost: '2' }] }));
    expect(stock.at('W1/A')).toBe('5 on hand, 5 reserved, 1 backordered');
    expect(stock.layers('W1/A')).toEqual(['5 for 10']);
    expect(stock.stock.ledger.slice(-2).map(({ movement, valueDelta }) => [movement.movementType, movement.refId, valueDelta])).toEqual([
      ['receipt', 'r2', 160_000n],
      ['cost_correction', 'r2', -30_000n],
    ]);
    expect(stock.stock.balances.get('org/W1/A')!.mayBeNegative).toBe(false);
  });

  it('stays when the organisation begins to enforce, and does not become deeper', () => {
    const stock = given('dark');
    stock.when(ships('s1', 'other', { 1: 'A 13 @W1' }));
    stock.set({ enforcementPhase: 'hard' });
    expect(stock.answer(ships('s2', 'other2', { 1: 'A 1 @W1' }))).toMatchObject({ status: 'refused', reason: 'INSUFFICIENT_STOCK' });
    expect(stock.at('W1/A')).toBe('-3 on hand, 6 backordered');
    stock.when(receives('r2', 'W1', { A: '1' }));
    expect(stock.at('W1/A')).toBe('-2 on hand, 6 backordered');
    expect(stock.stock.balances.get('org/W1/A')!.mayBeNegative).toBe(true);
  });

  it('is a discrepancy once it is enforced, once as long as that is open', () => {
    const stock = given('dark');
    stock.when(ships('s1', 'other', { 1: 'A 13 @W1' }));
    const looks = {
      kind: 'note-below-zero',
      orgId: 'org',
      warehouseId: 'W1',
      itemId: 'A',
      meta: { messageId: 'm', mayWait: false },
    } as const;
    expect(stock.answer(looks)).toEqual({ discrepancyId: null });
    stock.set({ enforcementPhase: 'hard' });
    const { discrepancyId } = stock.answer(looks);
    expect(stock.stock.discrepancies.get(`org/${String(discrepancyId)}`)).toMatchObject({ severity: 'medium', ledgerQuantity: -30_000n });
    expect(stock.answer(looks)).toEqual({ discrepancyId });
    stock.when(receives('r2', 'W1', { A: '3' }));
    expect(stock.answer(looks)).toEqual({ discrepancyId: null });
  });

  it('promises nothing, and what is taken back only makes good what is missing', () => {
    const stock = given('dark');
    stock.when(ships('s1', 'other', { 1: 'A 13 @W1' }));
    expect(stock.answer(wants('o', { 1: 'A 1 @W1' }, { firm: false }))).toMatchObject({ status: 'partial' });
    stock.when(unships('s1', 'other'));
    expect(stock.at('W1/A')).toBe('10 on hand, 10 reserved, 6 backordered'.replace('10 reserved, 6 backordered', '7 reserved'));
  });

  it('is where nobody looked: other bins are emptied first, and what lies there later is still there', () => {
    const stock = new GivenStock({ 'W1/A': '3' }, { bins: ['W1/bin'], settings: { enforcementPhase: 'dark' } });
    stock.when(puts('r1', 'W1', 'A 5 @bin'));
    stock.when(ships('s1', 'o', { 1: 'A 10 @W1' }));
    expect([stock.at('W1/A'), stock.quants('W1/A')]).toEqual(['-2 on hand', []]);
    stock.when(puts('r2', 'W1', 'A 6 @bin'));
    expect([stock.at('W1/A'), stock.quants('W1/A')]).toEqual(['4 on hand', ['@bin available: 6']]);
    // No more is promised or sent away than the books have in all; what happens to the goods happens.
    stock.set({ enforcementPhase: 'hard' });
    expect(isDone(stock.when(transfers('t1', ['A 5'])))).toBe(false);
    expect(stock.answer(wants('o2', { 1: 'A 5 @W1' }))).toMatchObject({ status: 'failed', shortLines: [{ available: '4' }] });
    expect(isDone(stock.when(moves('W1/A', '6 bin default')))).toBe(true);
    expect(stock.at('W1/A')).toBe('4 on hand');
  });

  it('what is taken back is held where there is room, not where it only makes good what is missing', () => {
    const stock = new GivenStock({ 'W1/A': '3' }, { bins: ['W1/bin'], settings: { enforcementPhase: 'dark' } });
    stock.when(wants('o', { 1: 'A 5 @W1' }));
    stock.when(ships('s1', 'o', { 1: 'A 5 @W1' }));
    stock.when(puts('r1', 'W1', 'A 4 @bin'));
    stock.when(ships('s2', 'other', { 1: 'A 4 @W1' }));
    stock.when(puts('r2', 'W1', 'A 4 @bin'));
    stock.when(unships('s1', 'o'));
    expect([stock.at('W1/A'), stock.placedHolds('o')]).toEqual(['7 on hand, 5 reserved', ['W1/A 3', 'W1/A @bin 2']]);
  });

  it('is never of lots or pieces: of these there cannot be less than none', () => {
    const items = { S: { tracking: 'serial' }, L: { tracking: 'lot' } } as const;
    const stock = new GivenStock({ 'W1/S #s1': '1', 'W1/L #l1': '5' }, { items, settings: { enforcementPhase: 'dark' } });
    stock.when(wants('held', { 1: 'S 1 @W1', 2: 'L 5 @W1' }));
    expect(stock.answer(ships('s1', 'o', { 1: 'S 2 @W1' }))).toMatchObject({ status: 'refused' });
    expect(stock.answer(ships('s2', 'o', { 1: 'L 6 @W1' }))).toMatchObject({ status: 'refused' });
    expect(stock.answer(ships('s3', 'o', { 1: 'S 1 @W1', 2: 'L 4 @W1' }))).toMatchObject({ status: 'done' });
    expect([stock.at('W1/S'), stock.at('W1/L')]).toEqual(['1 backordered', '1 on hand, 1 reserved, 4 backordered']);
    expect(isDone(stock.when(transfers('t1', ['L 2'])))).toBe(false);
    expect(isDone(stock.when(transfers('t2', ['L 1 #l1'])))).toBe(true);
  });
});

it('the same refused message again is the same discrepancy', () => {
  const stock = given('hard');
  const meta = () => byEvent(`e-${Math.random()}`, { sequence: 1 });
  const first = stock.answer<{ discrepancyIds: string[] }>(ships('s1', 'other', { 1: 'A 9 @W1' }, { meta: meta() }));
  const again = stock.answer<{ discrepancyIds: string[] }>(ships('s1', 'other', { 1: 'A 9 @W1' }, { meta: meta() }));
  expect(again.discrepancyIds).toEqual(first.discrepancyIds);
  expect(discrepancies(stock)).toHaveLength(1);
  const told = stock.said().filter(({ type }) => type === 'StockDepletionFailed');
  expect(told.map(({ data }) => (data as { discrepancyIds: string[] }).discrepancyIds)).toEqual([
    first.discrepancyIds,
    first.discrepancyIds,
  ]);
});

it('a shipment takes its own hold first, and only what is beyond it is short', () => {
  const stock = given('dark');
  expect(stock.answer(ships('s1', 'held', { 1: 'A 6 @W1' }))).toMatchObject({ status: 'done' });
  expect([stock.at('W1/A'), discrepancies(stock)]).toEqual(['4 on hand', []]);
  expect(isDone(stock.when(scraps('W1/A', '4 available')))).toBe(true);
});
