import {
  adjusts,
  changesQuality,
  GivenStock,
  inspects,
  recalls,
  receivesAt,
  returns,
  ships,
  unships,
  wants,
} from '../stock-machine/simulation/given-stock.js';

const options = { items: { A: { tracking: 'lot' } }, bins: ['W2/bin'] } as const;

describe('a recall', () => {
  it('takes a lot out of what may be sold, in every warehouse and bin', () => {
    const given = new GivenStock({ 'W1/A #x': '5', 'W1/A #y': '5', 'W2/A #x': '3', 'W2/A #x @bin': '2' }, options);
    given.answer(changesQuality('W2/A #x', '1 available -> damaged'));
    given.answer(changesQuality('W2/A #x', '1 available -> quarantined'));
    given.said();
    const answer = given.answer(recalls('A #x'));
    expect(answer).toMatchObject({ itemId: 'A', lot: 'x', reason: 'glass in it', recalledAt: '2026-01-05T08:00:00.000Z' });
    expect(answer['recalled']).toHaveLength(4);
    expect(answer['recalled']).toEqual(
      expect.arrayContaining([
        { warehouseId: 'W1', location: 'default', from: 'available', quantity: '5' },
        { warehouseId: 'W2', location: 'default', from: 'available', quantity: '1' },
        { warehouseId: 'W2', location: 'bin', from: 'available', quantity: '2' },
        { warehouseId: 'W2', location: 'default', from: 'quarantined', quantity: '1' },
      ]),
    );
    expect(given.quants('W1/A')).toEqual(['#x recalled: 5', '#y available: 5']);
    expect(given.quants('W2/A')).toEqual(['#x @bin recalled: 2', '#x damaged: 1', '#x recalled: 2']);
    expect(given.saidTypes()).toEqual(['QualityChanged', 'QualityChanged', 'QualityChanged', 'QualityChanged']);
  });

  it('gives other lots to who holds it; what fits nowhere waits', () => {
    const given = new GivenStock({ 'W1/A #x': '5 until 2026-02-01', 'W1/A #y': '3', 'W2/A #x': '5' }, options);
    given.when(wants('o1', { 1: 'A 4 @W1' }));
    given.when(wants('o2', { 1: 'A 2 @W2' }));
    given.when(wants('o3', { 1: 'A 1 @W1 #x' }));
    given.said();
    given.answer(recalls('A #x'));
    expect([given.placedHolds('o1'), given.placedHolds('o2'), given.placedHolds('o3')]).toEqual([['W1/A #y 3'], [], []]);
    expect(given.order('o1')!.lines).toEqual({ 1: 'A 4: 3 reserved, 1 backordered' });
    const shorted = given.said().filter(({ type }) => type === 'ReservationShorted');
    expect(shorted.map(({ subject }) => subject).sort()).toEqual(['o1', 'o2', 'o3']);
  });

  it('marks the lot: whatever comes in of it is recalled', () => {
    const given = new GivenStock({ 'W1/A #x': '9', 'W1/A #y': '1' }, options);
    given.when(wants('o1', { 1: 'A 4 #x' }));
    given.answer(ships('s1', 'o1', { 1: 'A 3' }));
    given.answer(returns('r1', 'o1', { 1: 'A 1' }));
    given.answer(recalls('A #x'));
    given.answer(receivesAt('later', 'W2/A #x', '2'));
    given.answer(adjusts('W1/A #x', '1 found'));
    given.answer(inspects('r1', 'o1', { 1: '1 available' }));
    expect(given.quants('W2/A')).toEqual(['#x recalled: 2']);
    expect(given.quants('W1/A')).toEqual(['#x recalled: 8', '#y available: 1']);
    expect(given.when(changesQuality('W1/A #x', '1 recalled -> available'))).toMatchObject({ error: { code: 'STOCK_VALIDATION' } });
    given.answer(changesQuality('W1/A #x', '1 recalled -> damaged'));
  });

  it('takes what came in the same batch to where nothing of it was', () => {
    const given = new GivenStock({ 'W1/A #x': '5', 'W1/A #y': '4' }, options);
    given.batch(receivesAt('r1', 'W2/A #x', '2'), receivesAt('r2', 'W2/A #new', '1'), recalls('A #x'), recalls('A #new'));
    expect(given.quants('W1/A')).toEqual(['#x recalled: 5', '#y available: 4']);
    expect(given.quants('W2/A')).toEqual(['#new recalled: 1', '#x recalled: 2']);
  });

  it('is not undone by a shipment that did not happen: its order waits', () => {
    const given = new GivenStock({ 'W1/A #x': '5' }, options);
    given.when(wants('o1', { 1: 'A 3' }));
    given.answer(ships('s1', 'o1', { 1: 'A 3' }));
    given.answer(recalls('A #x'));
    given.answer(unships('s1', 'o1'));
    expect(given.quants('W1/A')).toEqual(['#x recalled: 5']);
    expect(given.order('o1')!.lines).toEqual({ 1: 'A 3: 3 backordered' });
    given.answer(receivesAt('r2', 'W1/A #y', '3'));
    expect(given.placedHolds('o1')).toEqual(['W1/A #y 3']);
  });

  it('said again takes what is left; when and why stays', () => {
    const given = new GivenStock({ 'W1/A #x': '5' }, options);
    const first = given.answer(recalls('A #x', 'c1'));
    expect(given.answer(recalls('A #x', 'c1'))).toEqual(first);
    given.pass(60);
    expect(given.answer(recalls('A #x', 'c2'))).toMatchObject({ movementId: null, recalledAt: first['recalledAt'], recalled: [] });
    expect(given.when(recalls('A #unknown'))).toMatchObject({ error: { code: 'LOT_NOT_FOUND' } });
  });
});
