import { formatQuantity } from '#libs/domain';
import { GivenStock, inspects, puts, returns, ships, wants } from '../stock-machine/simulation/given-stock.js';
import type { Costing } from '../costing/cost-layers.js';

/** What came in last: its value, and whether somebody should look at it. */
function lastEntry(given: GivenStock) {
  const { movement, valueDelta, flagged, lot } = given.stock.ledger.at(-1)!;
  return { type: movement.movementType, value: formatQuantity(valueDelta!), flagged, lot };
}

/** Three at 1 and three at 2, a minute apart. */
function costed(costing: Costing, tracking: 'none' | 'lot' = 'none'): GivenStock {
  const given = new GivenStock({}, { items: { A: { costing, tracking } } });
  given.answer(puts('r1', 'W1', `A 3 costs=1${tracking === 'lot' ? ' #L1' : ''}`));
  given.pass(60);
  given.answer(puts('r2', 'W1', `A 3 costs=2${tracking === 'lot' ? ' #L2' : ''}`));
  given.pass(60);
  return given;
}

describe('what comes back costs what it left with', () => {
  it.each<[Costing, string, string[]]>([
    ['fifo', '2', ['1 for 1', '2 for 2', '3 for 6', '3 for 15']],
    ['lifo', '4', ['3 for 3', '1 for 2', '2 for 4', '3 for 15']],
    ['average', '3', ['9 for 24']],
  ])('%s, whatever has come in since', (costing, value, layers) => {
    const given = costed(costing);
    given.answer(ships('s1', 'o', { 1: 'A 2 @W1' }));
    given.answer(puts('r3', 'W1', 'A 3 costs=5'));
    given.answer(returns('back', 'o', { 1: 'A 2' }));
    expect(lastEntry(given)).toEqual({ type: 'sales_return', value, flagged: false, lot: '' });
    expect(given.layers('W1/A')).toEqual(layers);
  });

  it.each<[Costing, string[]]>([
    ['fifo', ['2', '1', '4']],
    ['lifo', ['4', '2', '2']],
    ['average', ['3', '1.5', '3']],
  ])('%s, of the oldest shipment that is not fully returned', (costing, values) => {
    const given = costed(costing);
    for (const [shipmentId, quantity] of [
      ['s1', '2'],
      ['s2', '1'],
      ['s3', '2'],
    ] as const) {
      given.answer(ships(shipmentId, 'o', { 1: `A ${quantity} @W1` }));
    }
    const back = ['2', '1', '2'].map((quantity, n) => {
      given.answer(returns(`back-${n}`, 'o', { 1: `A ${quantity}` }));
      return lastEntry(given).value;
    });
    expect(back).toEqual(values);
  });

  it('in parts it adds up to what the shipment cost, to the last fraction', () => {
    const given = new GivenStock({});
    given.answer(puts('r1', 'W1', 'A 3 costs=0.3333'));
    given.answer(puts('r2', 'W1', 'A 4 costs=0.0001'));
    given.answer(ships('s1', 'o', { 1: 'A 7 @W1' }));
    const back = ['2', '2', '3'].map((quantity, n) => {
      given.answer(returns(`back-${n}`, 'o', { 1: `A ${quantity}` }));
      return lastEntry(given).value;
    });
    // 1.0003 in all.
    expect(back).toEqual(['0.2858', '0.2858', '0.4287']);
  });

  it.each<Costing>(['fifo', 'lifo', 'average'])('%s, of the shipment of the lot that is named', (costing) => {
    const given = costed(costing, 'lot');
    given.answer(ships('s1', 'o', { 1: 'A 1 @W1 #L2' }));
    const first = lastEntry(given).value;
    given.answer(puts('r3', 'W1', 'A 9 costs=7 #L3'));
    given.answer(ships('s2', 'o', { 1: 'A 3 @W1 #L1' }));
    const second = lastEntry(given).value;
    given.answer(returns('b1', 'o', { 1: 'A 3 #L1' }));
    expect(lastEntry(given)).toMatchObject({ value: second.slice(1), lot: 'L1', flagged: false });
    given.answer(returns('b2', 'o', { 1: 'A 1' }));
    expect(lastEntry(given)).toMatchObject({ value: first.slice(1), lot: 'L2', flagged: false });
  });

  it('of the oldest that is not fully returned, where more of a lot comes back than was shipped of it', () => {
    const given = new GivenStock({}, { items: { A: { tracking: 'lot' } } });
    given.answer(puts('r1', 'W1', 'A 5 #a costs=1'));
    given.pass(60);
    given.answer(puts('r2', 'W1', 'A 3 #b costs=3', 'A 7 #c costs=2'));
    given.answer(ships('s1', 'o', { 1: 'A 5 @W1 #a' }));
    given.answer(ships('s2', 'o', { 1: 'A 3 @W1 #b' }));
    given.answer(returns('six', 'o', { 1: 'A 6 #a' }));
    const entries = given.stock.ledger.slice(-2).map(({ lot, quantityDelta, valueDelta, flagged }) => {
      return `${formatQuantity(quantityDelta)} of ${lot} worth ${formatQuantity(valueDelta!)}${flagged ? ', flagged' : ''}`;
    });
    expect(entries).toEqual(['5 of a worth 5', '1 of a worth 3, flagged']);
    // What is left of the other lot costs what it did.
    given.answer(returns('rest', 'o', { 1: 'A 2 #b' }));
    expect(lastEntry(given)).toEqual({ type: 'sales_return', value: '6', flagged: false, lot: 'b' });
  });

  it('in one return the lots that are named are matched first', () => {
    const given = costed('fifo', 'lot');
    given.answer(ships('s1', 'o', { 1: 'A 3 @W1 #L1' }));
    given.answer(ships('s2', 'o', { 1: 'A 3 @W1 #L2' }));
    const lines = [
      { lineNo: 1, itemId: 'A', quantity: '4' },
      { lineNo: 1, itemId: 'A', quantity: '2', lot: 'L1' },
    ];
    const { answer } = given.when({ ...returns('back', 'o', { 1: 'A 1' }), lines }) as { answer: { lines: object[] } };
    expect(answer.lines).toMatchObject([
      { lot: 'L1', quantity: '1', unitCost: '1' },
      { lot: 'L2', quantity: '3', unitCost: '2' },
      { lot: 'L1', quantity: '2', unitCost: '1' },
    ]);
  });

  it.each<[Costing, string]>([
    ['fifo', '4'],
    ['lifo', '2.6667'],
    ['average', '3.3333'],
  ])('%s, at the current cost and flagged when nobody knows the order', (costing, value) => {
    const given = costed(costing);
    given.answer(ships('s1', 'other', { 1: 'A 3 @W1' }));
    given.answer(ships('s2', 'another', { 1: 'A 1 @W1' }));
    given.answer(puts('r3', 'W1', 'A 1 costs=2'));
    given.answer(returns('back', 'unknown', { 1: 'A 2' }));
    expect(lastEntry(given)).toEqual({ type: 'sales_return', value, flagged: true, lot: '' });
  });
});

describe('what comes back without saying of which lot it is', () => {
  it('is of the lot unknown when nobody knows the order, and can be sold after its inspection', () => {
    const given = costed('fifo', 'lot');
    given.answer(returns('back', 'unknown', { 1: 'A 2' }));
    expect(lastEntry(given)).toMatchObject({ lot: 'unknown', flagged: true });
    expect(given.quants('W1/A')).toEqual(['#L1 available: 3', '#L2 available: 3', '#unknown pending_inspection: 2']);
    given.answer(inspects('back', 'unknown', { 1: '2 available' }));
    expect(given.at('W1/A')).toBe('8 on hand');
    expect(given.when(wants('o', { 1: 'A 2 @W1 #unknown' }))).toMatchObject({ answer: { status: 'reserved' } });
    // Once more goods of that kind come back, they lie beside the others.
    given.answer(returns('again', 'unknown-too', { 1: 'A 1' }));
    expect(given.quants('W1/A')).toContain('#unknown pending_inspection: 1');
  });

  it('is refused of pieces with a serial number, and of a lot that does not exist', () => {
    const given = new GivenStock({ 'W1/A #s1': '1' }, { items: { A: { tracking: 'serial' } } });
    expect(given.when(returns('back', 'unknown', { 1: 'A 1' }))).toMatchObject({ answer: { status: 'refused', reason: 'LOT_NOT_FOUND' } });
    expect(given.when(returns('other', 'unknown', { 1: 'A 1 #s9' }))).toMatchObject({ answer: { reason: 'LOT_NOT_FOUND' } });
    expect(given.quants('W1/A')).toEqual(['#s1 available: 1']);
  });

  it('takes back one piece of a serial number, however many are said, and not twice', () => {
    const given = new GivenStock({ 'W1/A #s1': '1', 'W1/A #s2': '1' }, { items: { A: { tracking: 'serial' } } });
    given.when(wants('o', { 1: 'A 2 @W1' }));
    given.answer(ships('s', 'o', { 1: 'A 2' }));
    expect(given.when(returns('eight', 'unknown', { 1: 'A 8 #s1' }))).toMatchObject({ answer: { reason: 'INVALID_STATE' } });
    expect(given.when(returns('twice', 'unknown', { 1: 'A 1 #s1', 2: 'A 1 #s1' }))).toMatchObject({ answer: { reason: 'INVALID_STATE' } });
    expect(given.when(returns('both', 'o', { 1: 'A 2' }))).toMatchObject({ answer: { status: 'done' } });
    expect(given.quants('W1/A').sort()).toEqual(['#s1 pending_inspection: 1', '#s2 pending_inspection: 1']);
  });
});
