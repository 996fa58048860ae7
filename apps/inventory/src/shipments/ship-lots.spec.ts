import { cancels, GivenStock, puts, returns, ships, unships, wants } from '../stock-machine/simulation/given-stock.js';

const DAY = 86_400;
const items = { A: { tracking: 'lot' } } as const;
const given = (...goods: readonly string[]) => {
  const stock = new GivenStock({}, { items, bins: ['W1/B1', 'W1/B2'] });
  stock.when(puts('opening', 'W1', ...goods));
  stock.said();
  return stock;
};

describe('a shipment of lots', () => {
  it('that says none takes what the order holds, then what expires first', () => {
    const stock = given('A 2 #L1 expires=10', 'A 5 #L2 expires=20', 'A 5 #L3 expires=5');
    stock.when(wants('o', { 1: 'A 2 #L2' }));
    stock.when(ships('s1', 'o', { 1: 'A 1' }));
    expect(stock.placedHolds('o')).toEqual(['W1/A #L2 1']);
    stock.when(ships('s2', 'unknown', { 1: 'A 6 @W1' }));
    expect(stock.quants('W1/A')).toEqual(['#L1 available: 1', '#L2 available: 4, 1 reserved']);
  });

  it('takes the lots and bins that it says, and gives up what the order held elsewhere', () => {
    const stock = given('A 2 #L1 expires=10', 'A 2 #L2 @B1 expires=20', 'A 2 #L2 @B2 expires=20');
    stock.when(wants('o', { 1: 'A 3' }));
    expect(stock.answer(ships('s', 'o', { 1: 'A 3 lots=L2:2/B2,L2:1/B1' }))).toMatchObject({ status: 'done' });
    expect(stock.quants('W1/A')).toEqual(['#L1 available: 2', '#L2 @B1 available: 1']);
    expect(stock.at('W1/A')).toBe('3 on hand');
  });

  it('asks for all lots at once, however many lines say or want another one', () => {
    const names = Array.from({ length: 12 }, (_, n) => `L${n}`);
    const stock = new GivenStock({}, { items, limits: { quantsPerBalance: 2 } });
    stock.when(puts('opening', 'W2', ...names.map((lot) => `A 1 #${lot}`)));
    stock.when(wants('o', Object.fromEntries(names.map((lot, n) => [n + 1, `A 1 @W1 #${lot}`])), { mode: 'partial' }));
    const { batches } = stock;
    expect(stock.answer(ships('s', 'o', Object.fromEntries(names.map((_, n) => [n + 1, 'A 1']))))).toMatchObject({ status: 'done' });
    expect(stock.batches - batches).toBeLessThanOrEqual(3);
  });

  it('moves the hold of another order where it may lie elsewhere, and tells it', () => {
    const stock = given('A 2 #L1 expires=10', 'A 2 #L2 expires=20');
    stock.when(wants('other', { 1: 'A 2' }));
    stock.said();
    expect(stock.answer(ships('s', 'o', { 1: 'A 2 @W1 #L1' }))).toMatchObject({ status: 'done' });
    expect(stock.placedHolds('other')).toEqual(['W1/A #L2 2']);
    expect(stock.said().map(({ type, subject }) => `${type} ${subject}`)).toContain('StockReserved other');
  });

  it.each([
    ['asks for that lot', { 1: 'A 2 #L1' }],
    ['needs a longer life than what is free has', { 1: 'A 2 life=15' }],
  ])('is refused where another order that holds there %s', (_, lines) => {
    const stock = given('A 2 #L1 expires=20', 'A 2 #L2 expires=10', 'A 1 #L1 quality=damaged');
    stock.when(wants('other', lines));
    expect(stock.answer(ships('s', 'o', { 1: 'A 2 @W1 #L1' }))).toMatchObject({ status: 'refused', reason: 'INSUFFICIENT_STOCK' });
    expect(stock.placedHolds('other')).toEqual(['W1/A #L1 2']);
  });

  it('does not send the holds of two orders to one free place', () => {
    const stock = given('A 2 #L1 expires=10', 'A 2 #L2 expires=20', 'A 2 #L3 expires=30', 'A 2 #L4 expires=40');
    stock.when(wants('p', { 1: 'A 2 #L1' }));
    stock.when(wants('q', { 1: 'A 2 #L2' }));
    stock.when(wants('r', { 1: 'A 2 #L3' }));
    for (const order of ['p', 'q', 'r']) stock.when(wants(order, { 1: 'A 2' }));
    expect(stock.answer(ships('s', 'o', { 1: 'A 4 @W1 lots=L1:2,L2:2' }))).toMatchObject({ status: 'refused' });
    expect(stock.answer(ships('t', 'o', { 1: 'A 2 @W1 lots=L1:2' }))).toMatchObject({ status: 'done' });
    expect(stock.placedHolds('p')).toEqual(['W1/A #L4 2']);
  });

  it('takes nothing that has expired', () => {
    const stock = given('A 5 #L1 expires=10', 'A 1 #L2 expires=40');
    stock.when(wants('o', { 1: 'A 2' }, { firm: true }));
    stock.pass(10 * DAY);
    expect(stock.answer(ships('s1', 'o', { 1: 'A 2' }))).toMatchObject({ status: 'refused', reason: 'INSUFFICIENT_STOCK' });
    expect(stock.answer(ships('s2', 'o', { 1: 'A 1 #L1' }))).toMatchObject({ status: 'refused' });
    expect(stock.answer(ships('s3', 'o', { 1: 'A 1' }))).toMatchObject({ status: 'done', lines: [{ lot: 'L2' }] });
  });

  it('of a line that names its lot takes that lot, in whichever warehouse', () => {
    const stock = given('A 5 #L1 expires=10');
    stock.when(puts('second', 'W2', 'A 3 #L2 expires=20', 'A 3 #L1 expires=10'));
    stock.when(wants('o', { 1: 'A 3 #L2' }));
    stock.when(cancels('nobody'));
    expect(stock.answer(ships('s', 'o', { 1: 'A 3' }))).toMatchObject({ lines: [{ lot: 'L2', warehouseId: 'W2', quantity: '3' }] });
  });

  it('is taken from the next warehouse where what the first has is expired', () => {
    const stock = given('A 5 #L1 expires=10');
    stock.when(puts('second', 'W2', 'A 5 #L2 expires=90'));
    stock.pass(11 * DAY);
    expect(stock.answer(ships('s', 'o', { 1: 'A 2' }))).toMatchObject({ status: 'done', lines: [{ lot: 'L2', warehouseId: 'W2' }] });
  });

  it('is refused for a lot that nobody knows, and for lots that are not as many as the line', () => {
    const stock = given('A 5 #L1');
    expect(stock.answer(ships('s1', 'o', { 1: 'A 2 @W1 #L9' }))).toMatchObject({ status: 'refused', reason: 'LOT_NOT_FOUND' });
    expect(stock.answer(ships('s2', 'o', { 1: 'A 2 @W1 lots=L1:1' }))).toMatchObject({ status: 'refused', reason: 'INVALID_STATE' });
  });

  it('that is cancelled brings back lot, bin, cost and hold', () => {
    const stock = given('A 2 #L1 expires=10 costs=3', 'A 2 #L2 @B1 expires=20 costs=5');
    stock.when(wants('o', { 1: 'A 3' }));
    const before = [stock.placedHolds('o'), stock.quants('W1/A'), stock.layers('W1/A')];
    stock.when(ships('s', 'o', { 1: 'A 3' }));
    expect(stock.layers('W1/A')).toEqual(['1 for 5']);
    stock.when(unships('s', 'o'));
    expect([stock.placedHolds('o'), stock.quants('W1/A')]).toEqual(before.slice(0, 2));
    expect(stock.layers('W1/A').sort()).toEqual(['1 for 5', '1 for 5', '2 for 6']);
    // What came back takes its old place: first in is first out again.
    expect(stock.answer(ships('t', 'o', { 1: 'A 3' }))).toMatchObject({ cogsTotal: '11' });
  });
});

describe('many lots at once', () => {
  const lots = Array.from({ length: 12 }, (_, n) => `L${n}`);

  it('leave, come back and are cancelled in as few batches as one', () => {
    const stock = given(...lots.map((lot) => `A 1 #${lot}`), 'A 50 #spare');
    for (const lot of lots) stock.when(wants(`of-${lot}`, { 1: 'A 1' }));
    const all = `A 12 @W1 lots=${lots.map((lot) => `${lot}:1`).join(',')}`;
    let batches = 0;
    const runBatch = stock.stock.runBatch.bind(stock.stock);
    stock.stock.runBatch = (...args) => (batches++, runBatch(...args));
    const took = (command: Parameters<typeof stock.when>[0]) => {
      batches = 0;
      expect(stock.answer(command)).toMatchObject({ status: 'done' });
      return batches;
    };
    expect(took(ships('s', 'o', { 1: all }))).toBeLessThanOrEqual(3);
    expect(took(returns('r', 'o', { 1: 'A 6' }))).toBeLessThanOrEqual(3);
    stock.when(ships('t', 'p', { 1: 'A 12 @W1 lots=spare:12' }));
    expect(took(unships('t', 'p'))).toBeLessThanOrEqual(3);
  });
});

describe('the cost of what is shipped', () => {
  it.each([
    ['fifo', '16', ['1 for 5', '3 for 21']],
    ['lifo', '26', ['2 for 6', '2 for 10']],
    ['average', '21', ['4 for 21']],
  ] as const)('of several layers and lots is %s, whichever lot leaves', (costing, cogs, left) => {
    const stock = new GivenStock({}, { items: { A: { tracking: 'lot', costing } } });
    for (const [n, text] of ['A 2 #L1 costs=3', 'A 3 #L2 costs=5', 'A 3 #L3 costs=7'].entries()) {
      stock.pass(1);
      stock.when(puts(`r${n}`, 'W1', text));
    }
    expect(stock.answer(ships('s', 'o', { 1: 'A 4 @W1 lots=L3:3,L1:1' }))).toMatchObject({ cogsTotal: cogs });
    expect(stock.layers('W1/A')).toEqual(left);
  });

  it('comes back with what is returned, in parts that sum to the whole', () => {
    const stock = new GivenStock({}, { items: { A: { tracking: 'lot', costing: 'fifo' } } });
    stock.when(puts('r', 'W1', 'A 3 #L1 costs=0.3333', 'A 4 #L2 costs=2'));
    expect(stock.answer(ships('s', 'o', { 1: 'A 5 @W1 lots=L1:2,L2:3' }))).toMatchObject({ cogsTotal: '4.9999' });
    const worth = () => stock.stock.costs.get('org/W1/A')!.balance.value;
    const before = worth();
    for (const [n, lot] of ['L2', 'L1', 'L2', 'L2', 'L1'].entries()) stock.when(returns(`b${n}`, 'o', { 1: `A 1 #${lot}` }));
    expect(worth() - before).toBe(49_999n);
    expect(stock.answer(returns('more', 'o', { 1: 'A 1' }))).toMatchObject({ status: 'refused', reason: 'EXCEEDS_SHIPPED' });
  });
});
