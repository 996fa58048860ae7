import { changesQuality, expiresLot, GivenStock, receivesAt, wants } from '../stock-machine/simulation/given-stock.js';

const items = { A: { tracking: 'lot' } } as const;

describe('a change of quality', () => {
  it('blocks goods, and makes them available again for who waits', () => {
    const given = new GivenStock({ 'W1/A': '10' });
    expect(given.answer(changesQuality('W1/A', '4 available -> quarantined'))).toMatchObject({
      quantity: '4',
      location: 'default',
      lot: null,
    });
    expect(given.at('W1/A')).toBe('10 on hand, 4 blocked');
    expect(given.said()).toMatchObject([
      { type: 'QualityChanged', data: { itemId: 'A', warehouseId: 'W1', lot: null, quantity: '4', from: 'available', to: 'quarantined' } },
    ]);
    given.when(wants('o1', { 1: 'A 8' }, { mode: 'partial' }));
    expect(given.order('o1')!.lines).toEqual({ 1: 'A 8: 6 reserved, 2 backordered' });
    given.answer(changesQuality('W1/A', '3 quarantined -> available'));
    expect(given.order('o1')!.lines).toEqual({ 1: 'A 8: 8 reserved' });
    expect(given.blockedAt('W1/A')).toBe('1 quarantined');
    expect(given.stock.ledger.slice(-2)).toMatchObject([{ valueDelta: null }, { valueDelta: null }]);
  });

  it('takes held stock as a fact: soft holds first', () => {
    const given = new GivenStock({ 'W1/A': '10' });
    given.when(wants('firm', { 1: 'A 6' }));
    given.when(wants('soft', { 1: 'A 3' }, { firm: false }));
    given.said();
    given.answer(changesQuality('W1/A', '6 available -> damaged'));
    expect([given.holds('firm'), given.holds('soft')]).toEqual([['W1/A 4'], []]);
    expect(given.said()).toMatchObject([
      { type: 'ReservationShorted', subject: 'soft', data: { cause: 'damaged', lines: [{ quantity: '3' }] } },
      { type: 'ReservationShorted', subject: 'firm', data: { cause: 'damaged', lines: [{ quantity: '2' }] } },
      { type: 'QualityChanged' },
    ]);
  });

  it('of one lot moves its holds to another, and tells their orders', () => {
    const given = new GivenStock({ 'W1/A #x': '5 until 2026-02-01', 'W1/A #y': '5 until 2026-03-01' }, { items });
    given.when(wants('o1', { 1: 'A 4' }));
    given.said();
    given.answer(changesQuality('W1/A #x', '5 available -> quarantined'));
    expect(given.placedHolds('o1')).toEqual(['W1/A #y 4']);
    expect(given.said()).toMatchObject([
      { type: 'QualityChanged' },
      { type: 'StockReserved', subject: 'o1', data: { lines: [{ lot: 'y' }] } },
    ]);
  });

  it('of the lot that an order asked for makes it wait, and serves it again', () => {
    const given = new GivenStock({ 'W1/A #x': '5', 'W1/A #y': '5' }, { items });
    given.when(wants('o1', { 1: 'A 4 #x' }));
    given.answer(changesQuality('W1/A #x', '3 available -> quarantined'));
    expect(given.order('o1')!.lines).toEqual({ 1: 'A 4: 2 reserved, 2 backordered' });
    given.answer(changesQuality('W1/A #x', '1 quarantined -> available'));
    expect(given.placedHolds('o1')).toEqual(['W1/A #x 3']);
  });

  it.each([
    ['of more than is so', '11 available -> damaged', 'INSUFFICIENT_STOCK'],
    ['to what it is', '1 available -> available', 'STOCK_VALIDATION'],
    ['of what is not so', '1 damaged -> available', 'INSUFFICIENT_STOCK'],
  ])('%s is refused', (_, what, code) => {
    expect(new GivenStock({ 'W1/A': '10' }).when(changesQuality('W1/A', what))).toMatchObject({ kind: 'error', error: { code } });
  });

  it('said again is answered as before', () => {
    const given = new GivenStock({ 'W1/A': '10' });
    const first = given.answer(changesQuality('W1/A', '4 available -> damaged', 'c1'));
    expect(given.answer(changesQuality('W1/A', '4 available -> damaged', 'c1'))).toEqual(first);
    expect(given.blockedAt('W1/A')).toBe('4 damaged');
  });
});

describe('a lot that has expired', () => {
  const given = () =>
    new GivenStock(
      { 'W1/A #old': '5 until 2026-01-06', 'W1/A #old @bin': '1', 'W1/A #new': '3 until 2026-03-01' },
      { items, bins: ['W1/bin'] },
    );

  it('becomes expired as a fact: its holds go to other lots, and what fits nowhere waits', () => {
    const stock = given();
    stock.when(wants('firm', { 1: 'A 2' }));
    stock.when(wants('soft', { 1: 'A 4' }, { firm: false, ttlSeconds: 1_000_000 }));
    stock.pass(86_400);
    stock.said();
    expect(stock.answer(expiresLot('W1/A #old'))).toEqual({ expired: '6' });
    expect(stock.quants('W1/A')).toEqual(['#new available: 3, 3 reserved', '#old @bin expired: 1', '#old expired: 5']);
    expect([stock.placedHolds('firm'), stock.placedHolds('soft')]).toEqual([['W1/A #new 2'], ['W1/A #new 1']]);
    expect(stock.order('soft')!.lines).toEqual({ 1: 'A 4: 1 reserved, 3 backordered' });
    expect(stock.said().filter(({ type }) => type !== 'StockReserved' && type !== 'StockPartiallyReserved')).toMatchObject([
      { type: 'ReservationShorted', subject: 'soft', data: { cause: 'expired' } },
      { type: 'QualityChanged', data: { lot: 'old', quantity: '6', from: 'available', to: 'expired' } },
    ]);
  });

  it('expires once, and not before its time', () => {
    const stock = given();
    stock.pass(86_399 - 8 * 3_600);
    expect(stock.answer(expiresLot('W1/A #old'))).toEqual({ expired: '0' });
    stock.pass(8 * 3_600);
    expect(stock.answer(expiresLot('W1/A #old'))).toEqual({ expired: '6' });
    expect(stock.answer(expiresLot('W1/A #old'))).toEqual({ expired: '0' });
    expect(stock.answer(expiresLot('W1/A #new'))).toEqual({ expired: '0' });
    expect(stock.answer(expiresLot('W1/A #unknown'))).toEqual({ expired: '0' });
  });

  it('cannot become available again, nor serve who waits', () => {
    const stock = given();
    stock.pass(86_400);
    stock.answer(expiresLot('W1/A #old'));
    expect(stock.when(changesQuality('W1/A #old', '1 expired -> available'))).toMatchObject({ error: { code: 'STOCK_VALIDATION' } });
    stock.when(wants('o1', { 1: 'A 9' }, { mode: 'partial' }));
    stock.answer(receivesAt('r1', 'W1/A #old', '4'));
    expect(stock.order('o1')!.lines).toEqual({ 1: 'A 9: 3 reserved, 6 backordered' });
  });
});
