import { GivenStock, puts, wants } from '../stock-machine/simulation/given-stock.js';

const onHand = { 'W1/A': '3', 'W2/A': '5', 'W3/A': '6' };
const holds = (sourcingStrategy: 'priority' | 'most_stock' | 'fewest_splits', quantity: string) => {
  const stock = new GivenStock(onHand, { warehouses: ['W1', 'W2', 'W3'], settings: { sourcingStrategy } });
  stock.when(wants('o', { 1: `A ${quantity}` }));
  return stock.placedHolds('o');
};

describe('a line without warehouse', () => {
  it.each([
    ['priority', '2', ['W1/A 2']],
    ['priority', '5', ['W2/A 5']],
    ['priority', '9', ['W1/A 3', 'W2/A 5', 'W3/A 1']],
    ['most_stock', '2', ['W3/A 2']],
    ['most_stock', '9', ['W2/A 3', 'W3/A 6']],
    ['fewest_splits', '2', ['W1/A 2']],
    ['fewest_splits', '9', ['W2/A 3', 'W3/A 6']],
    ['fewest_splits', '14', ['W1/A 3', 'W2/A 5', 'W3/A 6']],
  ] as const)('by %s takes %s from %j', (strategy, quantity, expected) => {
    expect(holds(strategy, quantity)).toEqual(expected);
  });

  it('that names its lot is served by the warehouse that has it', () => {
    const stock = new GivenStock({}, { items: { A: { tracking: 'lot' } } });
    stock.when(puts('r1', 'W1', 'A 5 #L1'));
    stock.when(puts('r2', 'W2', 'A 5 #L2'));
    stock.when(wants('o', { 1: 'A 5 #L2' }));
    expect(stock.placedHolds('o')).toEqual(['W2/A #L2 5']);
  });

  it('is not served from what has expired in the first warehouse', () => {
    const stock = new GivenStock({}, { items: { A: { tracking: 'lot' } } });
    stock.when(puts('r1', 'W1', 'A 5 #L1 expires=1'));
    stock.when(puts('r2', 'W2', 'A 5 #L2 expires=90'));
    stock.pass(86_400);
    stock.when(wants('o', { 1: 'A 3' }));
    expect(stock.placedHolds('o')).toEqual(['W2/A #L2 3']);
  });
});
