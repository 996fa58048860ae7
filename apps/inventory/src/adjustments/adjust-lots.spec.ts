import { adjusts, GivenStock, puts, wants } from '../stock-machine/simulation/given-stock.js';

const items = { A: { tracking: 'lot' } } as const;
const given = (...goods: readonly string[]) => {
  const stock = new GivenStock({}, { items, bins: ['W1/B1'] });
  stock.when(puts('opening', 'W1', ...goods));
  stock.said();
  return stock;
};

describe('a fact about a lot', () => {
  it('moves the holds that were there, and nobody loses anything while there is room elsewhere', () => {
    const stock = given('A 3 #L1 expires=10', 'A 5 #L2 expires=20');
    stock.when(wants('o', { 1: 'A 3' }));
    stock.said();
    stock.when(adjusts('W1/A #L1', '-2 damage'));
    expect(stock.placedHolds('o')).toEqual(['W1/A #L1 1', 'W1/A #L2 2']);
    expect(stock.saidTypes()).not.toContain('ReservationShorted');
  });

  it('takes first from who is soft, wherever he holds, then moves who was there', () => {
    const stock = given('A 3 #L1 expires=10', 'A 3 #L2 expires=20');
    stock.when(wants('firm', { 1: 'A 3 #L1' }, { firm: true }));
    stock.when(wants('firm', { 1: 'A 3' }, { firm: true }));
    stock.when(wants('soft', { 1: 'A 3' }, { firm: false }));
    stock.when(adjusts('W1/A #L1', '-2 damage'));
    expect(stock.placedHolds('firm')).toEqual(['W1/A #L1 1', 'W1/A #L2 2']);
    expect(stock.order('soft')!.lines).toEqual({ 1: 'A 3: 1 reserved, 2 backordered' });
    expect(stock.said().filter(({ type }) => type === 'ReservationShorted')).toMatchObject([{ subject: 'soft' }]);
  });

  it.each([
    ['wants that lot', 'A 3 #L1'],
    ['needs a longer life than the others have', 'A 3 life=15'],
  ])('lets who %s wait, though others have room', (_, line) => {
    const stock = given('A 3 #L1 expires=20', 'A 5 #L2 expires=10');
    stock.when(wants('o', { 1: line }));
    stock.when(adjusts('W1/A #L1', '-2 loss'));
    expect(stock.order('o')!.lines).toEqual({ 1: 'A 3: 1 reserved, 2 backordered' });
    expect(stock.placedHolds('o')).toEqual(['W1/A #L1 1']);
    expect(stock.at('W1/A')).toBe('6 on hand, 1 reserved, 2 backordered');
  });

  it('finds the same lot in another bin first for who wants it', () => {
    const stock = given('A 3 #L1 expires=20', 'A 3 #L1 @B1 expires=20');
    stock.when(wants('o', { 1: 'A 3 #L1' }));
    stock.when(adjusts('W1/A #L1', '-3 damage'));
    expect(stock.placedHolds('o')).toEqual(['W1/A #L1 @B1 3']);
  });

  it('takes no more than lies in that lot and bin; a wish no more than is free there', () => {
    const stock = given('A 3 #L1', 'A 3 #L1 @B1');
    stock.when(wants('o', { 1: 'A 2' }));
    expect(stock.placedHolds('o')).toEqual(['W1/A #L1 @B1 2']);
    expect(stock.when(adjusts('W1/A #L1', '-4 damage'))).toMatchObject({ kind: 'error', error: { code: 'INSUFFICIENT_STOCK' } });
    expect(stock.when(adjusts('W1/A #L1 @B1', '-2 sample'))).toMatchObject({ kind: 'error', error: { code: 'INSUFFICIENT_STOCK' } });
    expect(stock.when(adjusts('W1/A #L1', '-3 sample'))).toMatchObject({ kind: 'answer' });
  });
});
