import { cancels, GivenStock, moves, puts, receives, ships, wants } from '../stock-machine/simulation/given-stock.js';

const bins = ['W1/shelf', 'W1/rack'];
const lots = { items: { A: { tracking: 'lot' } }, bins } as const;

describe('a move from bin to bin', () => {
  it('changes where goods lie, and neither what is on hand nor its value', () => {
    const given = new GivenStock({ 'W1/A': '10' }, { bins });
    expect(given.answer(moves('W1/A', '4 default -> shelf'))).toEqual({
      movementId: expect.any(String),
      itemId: 'A',
      warehouseId: 'W1',
      lot: null,
      quantity: '4',
      from: 'default',
      to: 'shelf',
      quality: 'available',
    });
    expect(given.at('W1/A')).toBe('10 on hand');
    expect(given.quants('W1/A')).toEqual(['@shelf available: 4']);
    expect(given.ledger('W1/A').slice(-2)).toEqual(['bin_move -4 available = 6', 'bin_move 4 available = 10']);
    expect(given.stock.ledger.at(-1)).toMatchObject({ location: 'shelf', valueDelta: null, unitCost: null });
    given.when(moves('W1/A', '4 shelf -> default'));
    expect(given.quants('W1/A')).toEqual([]);
  });

  it('takes the holds on the goods along, and tells their orders', () => {
    const given = new GivenStock({ 'W1/A': '10' }, { bins });
    given.when(wants('o1', { 1: 'A 6' }));
    given.when(wants('o2', { 1: 'A 2' }));
    given.said();
    given.when(moves('W1/A', '7 default -> shelf'));
    // Two were free; of what is held the newest go first.
    expect(given.placedHolds('o2')).toEqual(['W1/A @shelf 2']);
    expect(given.placedHolds('o1')).toEqual(['W1/A 3', 'W1/A @shelf 3']);
    expect(given.said()).toMatchObject([
      { type: 'StockReserved', subject: 'o2', data: { stock: [{ reserved: '2' }] } },
      { type: 'StockReserved', subject: 'o1', data: { stock: [{ reserved: '6' }] } },
    ]);
    given.when(moves('W1/A', '7 shelf -> rack'));
    expect(given.placedHolds('o1')).toEqual(['W1/A 3', 'W1/A @rack 3']);
    expect(given.quants('W1/A')).toEqual(['@rack available: 7, 5 reserved']);
    given.when(cancels('o1'));
    expect(given.quants('W1/A')).toEqual(['@rack available: 7, 2 reserved']);
  });

  it('prefers the bin where the goods went to what is picked first', () => {
    const given = new GivenStock({ 'W1/A #x': '5 until 2026-03-01', 'W1/A #soon @rack': '5 until 2026-02-01' }, lots);
    given.when(wants('o1', { 1: 'A 5 #x' }));
    given.when(moves('W1/A #x', '5 default -> shelf'));
    expect(given.placedHolds('o1')).toEqual(['W1/A #x @shelf 5']);
  });

  it('moves what cannot be sold, and keeps the date of its receipt', () => {
    const given = new GivenStock({ 'W1/A #x': '5' }, lots);
    given.answer(receives('r1', 'W1', {}, { lines: [{ itemId: 'A', quantity: '2', unitCost: '1', lot: 'y', quality: 'damaged' }] }));
    given.pass(86_400);
    given.answer(moves('W1/A #y', '2 default -> rack damaged'));
    given.answer(moves('W1/A #x', '5 default -> rack'));
    expect(given.quants('W1/A')).toEqual(['#x @rack available: 5', '#y @rack damaged: 2']);
    const moved = given.stock.quantsAt('org/W1/A').find(({ lot, location }) => lot === 'x' && location === 'rack')!;
    expect(moved.receivedAt.toISOString()).toBe('2026-01-05T08:00:00.000Z');
  });

  it.each([
    ['more than is there', 'W1/A', '11 default -> shelf', 'INSUFFICIENT_STOCK'],
    ['of what is of another quality', 'W1/A', '1 default -> shelf damaged', 'INSUFFICIENT_STOCK'],
    ['to an unknown bin', 'W1/A', '1 default -> cellar', 'LOCATION_NOT_FOUND'],
    ['from an unknown bin', 'W1/A', '1 cellar -> default', 'LOCATION_NOT_FOUND'],
    ['to where it is', 'W1/A', '1 default -> default', 'STOCK_VALIDATION'],
    ['of a lot that the item does not have', 'W1/A #x', '1 default -> shelf', 'STOCK_VALIDATION'],
    ['of an unknown item', 'W1/X', '1 default -> shelf', 'ITEM_NOT_FOUND'],
    ['in an unknown warehouse', 'W9/A', '1 default -> default', 'WAREHOUSE_NOT_FOUND'],
  ])('%s is refused', (_, place, what, code) => {
    const given = new GivenStock({ 'W1/A': '10' }, { bins });
    expect(given.when(moves(place, what))).toMatchObject({ kind: 'error', error: { code } });
    expect(given.quants('W1/A')).toEqual([]);
  });

  it('said again is answered as before; with other content it is a conflict', () => {
    const given = new GivenStock({ 'W1/A': '10' }, { bins });
    const first = given.answer(moves('W1/A', '4 default -> shelf', 'c1'));
    expect(given.answer(moves('W1/A', '4 default -> shelf', 'c1'))).toEqual(first);
    expect(given.when(moves('W1/A', '5 default -> shelf', 'c1'))).toMatchObject({ error: { code: 'ALREADY_EXISTS' } });
    expect(given.quants('W1/A')).toEqual(['@shelf available: 4']);
  });

  it('of a piece with a serial number moves the piece', () => {
    const given = new GivenStock({ 'W1/A #s1': '1' }, { items: { A: { tracking: 'serial' } }, bins });
    given.answer(moves('W1/A #s1', '1 default -> shelf'));
    given.answer(moves('W1/A #s1', '1 shelf -> default'));
    expect(given.quants('W1/A')).toEqual(['#s1 available: 1']);
  });
});

describe('the turn of a bin', () => {
  const day = 86_400;
  const given = () => {
    const stock = new GivenStock({}, { bins: [...bins, 'W1/floor'] });
    for (const bin of ['shelf', 'rack', 'floor']) {
      stock.when(puts(bin, 'W1', `A 5 @${bin}`));
      stock.pass(day);
    }
    return stock;
  };

  it('is that of what lies there: one that was emptied and filled again comes last', () => {
    const stock = given();
    stock.when(ships('s', 'gone', { 1: 'A 5 @W1' }));
    stock.when(puts('again', 'W1', 'A 5 @shelf'));
    stock.when(wants('o', { 1: 'A 12' }));
    expect(stock.placedHolds('o')).toEqual(['W1/A @floor 5', 'W1/A @rack 5', 'W1/A @shelf 2']);
  });

  it('also when both happen in one batch', () => {
    const stock = given();
    stock.batch(ships('s', 'gone', { 1: 'A 5 @W1' }), puts('again', 'W1', 'A 5 @shelf'));
    stock.when(wants('o', { 1: 'A 12' }));
    expect(stock.placedHolds('o')).toEqual(['W1/A @floor 5', 'W1/A @rack 5', 'W1/A @shelf 2']);
  });

  it('is that of the oldest that lies there: what is moved in is no younger than it was, what comes makes nothing younger', () => {
    const stock = given();
    stock.when(moves('W1/A', '5 shelf -> floor'));
    stock.when(puts('more', 'W1', 'A 1 @rack'));
    stock.when(wants('o', { 1: 'A 11' }));
    expect(stock.placedHolds('o')).toEqual(['W1/A @floor 10', 'W1/A @rack 1']);
  });
});
