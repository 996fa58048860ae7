import { GivenStock, wants } from '../stock-machine/simulation/given-stock.js';

const items = { A: { tracking: 'lot' } } as const;

describe('of a tracked item', () => {
  it('what expires first is held first, from as many lots as it takes', () => {
    const given = new GivenStock(
      { 'W1/A #never': '5', 'W1/A #march': '5 until 2026-03-01', 'W1/A #feb': '2 until 2026-02-01', 'W1/A #feb @bin': '2' },
      { items, bins: ['W1/bin'] },
    );
    given.when(wants('o1', { 1: 'A 10' }));
    expect(given.placedHolds('o1')).toEqual(['W1/A #feb 2', 'W1/A #feb @bin 2', 'W1/A #march 5', 'W1/A #never 1']);
    expect(given.quants('W1/A')).toEqual([
      '#feb @bin available: 2, 2 reserved',
      '#feb available: 2, 2 reserved',
      '#march available: 5, 5 reserved',
      '#never available: 5, 1 reserved',
    ]);
  });

  it('what has expired is not promised, swept or not', () => {
    const given = new GivenStock({ 'W1/A #old': '5 until 2026-01-06', 'W1/A #new': '5 until 2026-03-01' }, { items });
    given.pass(86_400);
    expect(given.when(wants('o1', { 1: 'A 6' }))).toMatchObject({ answer: { status: 'failed', shortLines: [{ available: '5' }] } });
    expect(given.when(wants('o2', { 1: 'A 1 #old' }))).toMatchObject({ answer: { status: 'failed' } });
    given.when(wants('o3', { 1: 'A 5' }));
    expect(given.placedHolds('o3')).toEqual(['W1/A #new 5']);
  });
});
