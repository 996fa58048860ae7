import { GivenStock, keeps, wants } from '../stock-machine/simulation/given-stock.js';

describe('a stock policy', () => {
  it('sets what it names, leaves what it does not, and answers all of it', () => {
    const given = new GivenStock({ 'W1/A': '10' });
    given.when(keeps('W1/A', { safetyQuantity: '2.50', reorderPoint: '4' }));
    expect(given.answer(keeps('W1/A', { safetyPercent: '30' }))).toEqual({
      warehouseId: 'W1',
      itemId: 'A',
      quantity: '2.5',
      percent: '30',
      reorderPoint: '4',
    });
  });

  it('counts before the item’s, and gives way to it again', () => {
    const given = new GivenStock({ 'W1/A': '10' }, { items: { A: { safetyStock: '4' } } });
    const available = () => {
      const answer: { shortLines: { available: string }[] } = given.answer(wants('probe', { 1: 'A 99' }));
      return answer.shortLines[0]!.available;
    };
    expect(available()).toBe('6');
    given.when(keeps('W1/A', { safetyQuantity: '1' }));
    expect(available()).toBe('9');
    given.when(keeps('W1/A', { safetyQuantity: null }));
    expect(available()).toBe('6');
  });

  it('takes the larger of quantity and percent', () => {
    const given = new GivenStock({ 'W1/A': '10' });
    given.when(keeps('W1/A', { safetyQuantity: '2', safetyPercent: '33.3333' }));
    expect(given.answer(wants('o1', { 1: 'A 7' }))).toMatchObject({ shortLines: [{ available: '6.6667' }] });
    given.when(keeps('W1/A', { safetyQuantity: '5' }));
    expect(given.answer(wants('o1', { 1: 'A 7' }))).toMatchObject({ shortLines: [{ available: '5' }] });
  });

  it('limits no hold that is there', () => {
    const given = new GivenStock({ 'W1/A': '10' });
    given.when(wants('o1', { 1: 'A 8' }));
    given.when(keeps('W1/A', { safetyQuantity: '9' }));
    expect(given.at('W1/A')).toBe('10 on hand, 8 reserved');
  });

  it.each([
    ['item', 'W1/X', 'ITEM_NOT_FOUND'],
    ['warehouse', 'W9/A', 'WAREHOUSE_NOT_FOUND'],
  ])('of an unknown %s is refused', (_, place, code) => {
    expect(new GivenStock({}).when(keeps(place, { reorderPoint: '1' }))).toMatchObject({
      kind: 'error',
      error: { kind: 'not_found', code },
    });
  });
});
