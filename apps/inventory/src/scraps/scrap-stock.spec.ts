import { changesQuality, GivenStock, scraps, wants } from '../stock-machine/simulation/given-stock.js';

describe('a scrap', () => {
  it('takes goods off the stock with their value, whoever holds them', () => {
    const given = new GivenStock({ 'W1/A': '10' });
    given.when(wants('o1', { 1: 'A 8' }));
    given.said();
    expect(given.answer(scraps('W1/A', '4'))).toMatchObject({
      quantityDelta: '-4',
      balanceAfter: '6',
      quality: 'available',
      location: 'default',
    });
    expect(given.at('W1/A')).toBe('6 on hand, 6 reserved, 2 backordered');
    expect(given.stock.ledger.at(-1)).toMatchObject({ valueDelta: -40_000n, movement: { movementType: 'scrap', reason: 'broken' } });
    expect(given.said()).toMatchObject([
      { type: 'ReservationShorted', data: { cause: 'scrap' } },
      { type: 'StockAdjusted', data: { quantityDelta: '-4', reason: 'broken' } },
    ]);
  });

  it('takes goods of any quality, and then nobody’s holds', () => {
    const given = new GivenStock({ 'W1/A': '10' });
    given.answer(changesQuality('W1/A', '2 available -> damaged'));
    given.when(wants('o1', { 1: 'A 8' }));
    given.answer(scraps('W1/A', '2 damaged'));
    expect(given.at('W1/A')).toBe('8 on hand, 8 reserved');
    expect(given.when(scraps('W1/A', '1 damaged'))).toMatchObject({ error: { code: 'INSUFFICIENT_STOCK' } });
    expect(given.when(scraps('W1/A', '9'))).toMatchObject({
      error: { code: 'INSUFFICIENT_STOCK', details: { lines: [{ available: '8' }] } },
    });
  });

  it('said again is answered as before', () => {
    const given = new GivenStock({ 'W1/A': '10' });
    const first = given.answer(scraps('W1/A', '4', 'c1'));
    expect(given.answer(scraps('W1/A', '4', 'c1'))).toEqual(first);
    expect(given.when(scraps('W1/A', '5', 'c1'))).toMatchObject({ error: { code: 'ALREADY_EXISTS' } });
    expect(given.at('W1/A')).toBe('6 on hand');
  });
});
