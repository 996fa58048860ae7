import { adjusts, GivenStock, keeps, receives } from './simulation/given-stock.js';

const lowStock = (given: GivenStock) =>
  given
    .said()
    .filter(({ type }) => type === 'LowStockDetected' || type === 'StockReplenished')
    .map(({ type, data }) => `${type} ${(data as { onHand: string }).onHand} of ${(data as { threshold: string }).threshold}`);

describe('low stock', () => {
  it('is told when on hand falls to the threshold, and when it rises above it again, once each', () => {
    const given = new GivenStock({ 'W1/A': '10' });
    given.when(keeps('W1/A', { reorderPoint: '4' }));
    given.when(adjusts('W1/A', '-5 loss'));
    expect(lowStock(given)).toEqual([]);
    given.when(adjusts('W1/A', '-1 loss'));
    expect(lowStock(given)).toEqual(['LowStockDetected 4 of 4']);
    given.when(adjusts('W1/A', '-1 loss'));
    given.when(adjusts('W1/A', '1 found'));
    expect(lowStock(given)).toEqual([]);
    given.when(receives('r1', 'W1', { A: '0.0001' }));
    expect(lowStock(given)).toEqual(['StockReplenished 4.0001 of 4']);
  });

  it('is told of the first receipt that leaves an item low, because nothing was low before', () => {
    const given = new GivenStock({}, { items: { A: { reorderPoint: '5' } } });
    given.when(receives('r1', 'W1', { A: '3' }));
    expect(lowStock(given)).toEqual(['LowStockDetected 3 of 5']);
    given.when(receives('r2', 'W2', { A: '6' }));
    expect(lowStock(given)).toEqual([]);
  });

  it('takes its threshold from the balance, else the item, else the organisation, else zero', () => {
    const given = new GivenStock(
      { 'W1/A': '10', 'W1/B': '10', 'W2/A': '10' },
      { items: { A: { reorderPoint: '5' } }, settings: { defaultReorderPoint: 20_000n } },
    );
    given.when(keeps('W2/A', { reorderPoint: '7' }));
    given.when(adjusts('W2/A', '-3 loss'));
    given.when(adjusts('W1/A', '-5 loss'));
    given.when(adjusts('W1/B', '-8 loss'));
    expect(lowStock(given)).toEqual(['LowStockDetected 7 of 7', 'LowStockDetected 5 of 5', 'LowStockDetected 2 of 2']);
    const plain = new GivenStock({ 'W1/A': '10' });
    plain.when(adjusts('W1/A', '-10 loss'));
    expect(lowStock(plain)).toEqual(['LowStockDetected 0 of 0']);
  });

  it('is told when the reorder point crosses what is on hand', () => {
    const given = new GivenStock({ 'W1/A': '5' }, { items: { A: { reorderPoint: '3' } } });
    given.when(keeps('W1/A', { reorderPoint: '5' }));
    expect(lowStock(given)).toEqual(['LowStockDetected 5 of 5']);
    given.when(keeps('W1/A', { reorderPoint: '6' }));
    given.when(keeps('W1/A', { safetyQuantity: '2' }));
    expect(lowStock(given)).toEqual([]);
    given.when(keeps('W1/A', { reorderPoint: null }));
    expect(lowStock(given)).toEqual(['StockReplenished 5 of 3']);
    given.when(keeps('W2/A', { reorderPoint: '9' }));
    expect(lowStock(given)).toEqual([]);
  });

  it('looks at a movement as a whole', () => {
    const given = new GivenStock({ 'W1/A': '2' }, { items: { A: { reorderPoint: '5' } } });
    const line = { itemId: 'A', quantity: '2', unitCost: '1' };
    given.when(receives('r1', 'W1', {}, { lines: [line, { ...line, unitCost: '2' }, { ...line, quality: 'damaged' }] }));
    expect(lowStock(given)).toEqual(['StockReplenished 8 of 5']);
  });
});
