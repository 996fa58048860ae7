import { byEvent, cancels, GivenStock, receives, returns, ships, unships, wants } from '../stock-machine/simulation/given-stock.js';

describe('a shipment that did not happen after all', () => {
  it('comes back, and is held for its order again', () => {
    const given = new GivenStock({ 'W1/A': '10' });
    given.when(wants('o1', { 1: 'A 5' }));
    given.when(ships('s1', 'o1', { 1: 'A 5' }));
    given.when(wants('o2', { 1: 'A 9' }, { mode: 'partial' }));
    given.said();
    expect(given.answer(unships('s1', 'o1'))).toMatchObject({ status: 'done', lines: [{ lineNo: 1, warehouseId: 'W1', quantity: '5' }] });
    expect(given.at('W1/A')).toBe('10 on hand, 10 reserved, 4 backordered');
    expect(given.order('o1')!.lines).toEqual({ 1: 'A 5: 5 reserved' });
    expect(given.ledger('W1/A').at(-1)).toBe('shipment_cancel 5 available = 10');
    expect(given.said()).toMatchObject([
      { type: 'ShipmentReversed', subject: 'o1', data: { shipmentId: 's1', lines: [{ quantity: '5', lot: null }] } },
    ]);
  });

  it('comes back to where it was taken from', () => {
    const given = new GivenStock({ 'W1/A': '3', 'W2/A': '2' });
    given.when(ships('s1', 'o1', { 1: 'A 5' }));
    given.when(unships('s1', 'o1'));
    expect([given.at('W1/A'), given.at('W2/A')]).toEqual(['3 on hand', '2 on hand']);
    expect(given.order('o1')!.lines).toEqual({});
  });

  it('is not held again when its order is cancelled, and serves who waits', () => {
    const given = new GivenStock({ 'W1/A': '5' });
    given.when(wants('o1', { 1: 'A 5' }));
    given.when(ships('s1', 'o1', { 1: 'A 5' }));
    given.when(cancels('o1'));
    given.when(wants('o2', { 1: 'A 2' }, { mode: 'partial' }));
    given.when(unships('s1', 'o1'));
    expect(given.order('o1')).toEqual({ state: 'closed', firm: true, lines: { 1: 'A 5: 5 closed' } });
    expect(given.order('o2')!.lines).toEqual({ 1: 'A 2: 2 reserved' });
  });

  it('is not held again for a line that was dropped or lowered since', () => {
    const given = new GivenStock({ 'W1/A': '10' });
    given.when(wants('o1', { 1: 'A 5', 2: 'A 5' }));
    given.when(ships('s1', 'o1', { 1: 'A 5', 2: 'A 5' }));
    given.when(wants('o1', { 1: 'A 2' }));
    given.when(unships('s1', 'o1'));
    expect(given.order('o1')!.lines).toEqual({ 1: 'A 2: 2 reserved' });
  });

  it('is taken back once', () => {
    const given = new GivenStock({ 'W1/A': '10' });
    given.when(ships('s1', 'o1', { 1: 'A 5' }));
    given.when(unships('s1', 'o1'));
    given.said();
    expect(given.answer(unships('s1', 'o1'))).toMatchObject({ status: 'done', lines: [{ quantity: '5' }] });
    given.when(unships('s1', 'o1', byEvent('e2')));
    expect(given.saidTypes()).toEqual(['ShipmentReversed']);
    expect(given.at('W1/A')).toBe('10 on hand');
  });

  it('is refused as far as it was returned, counting all that a line took', () => {
    const given = new GivenStock({ 'W1/A': '3', 'W2/A': '3' });
    given.when(ships('s1', 'o1', { 1: 'A 6' }));
    given.when(returns('r1', 'o1', { 1: 'A 1' }));
    expect(given.answer(unships('s1', 'o1'))).toMatchObject({ status: 'refused', reason: 'INVALID_STATE' });
    expect(given.saidTypes()).toContain('ShipmentReversalFailed');
  });

  it('is refused when nobody knows it, or it is another order’s', () => {
    const given = new GivenStock({ 'W1/A': '10' });
    given.when(ships('s1', 'o1', { 1: 'A 5' }));
    expect(given.answer(unships('s9', 'o1'))).toMatchObject({ status: 'refused', reason: 'SHIPMENT_NOT_FOUND' });
    expect(given.answer(unships('s1', 'o2', byEvent('e1')))).toMatchObject({ status: 'refused', reason: 'SHIPMENT_NOT_FOUND' });
  });

  it('waits for a shipment that is still under way, also when later ones were heard', () => {
    const given = new GivenStock({ 'W1/A': '10' });
    given.when(wants('o1', { 1: 'A 5' }, { meta: byEvent('e1', { sequence: 1 }) }));
    given.when(ships('s3', 'o1', { 1: 'A 1' }, { meta: byEvent('e3', { sequence: 3 }) }));
    const back = unships('s2', 'o1', byEvent('e4', { sequence: 4 }));
    expect(given.when(back)).toEqual({ kind: 'too-early', waitingFor: 'shipment s2' });
    given.when(ships('s2', 'o1', { 1: 'A 2' }, { meta: byEvent('e2', { sequence: 2 }) }));
    expect(given.answer(back)).toMatchObject({ status: 'done' });
    expect(given.order('o1')!.lines).toEqual({ 1: 'A 5: 4 reserved, 1 fulfilled' });
  });

  it('is refused at once when no message is missing', () => {
    const given = new GivenStock({ 'W1/A': '10' });
    given.when(wants('o1', { 1: 'A 5' }, { meta: byEvent('e1', { sequence: 1 }) }));
    expect(given.answer(unships('s9', 'o1', byEvent('e2', { sequence: 2 })))).toMatchObject({ reason: 'SHIPMENT_NOT_FOUND' });
  });

  it('is refused when on hand would get out of range', () => {
    const given = new GivenStock({ 'W1/A': '5' });
    given.when(ships('s1', 'o1', { 1: 'A 5' }));
    given.when(receives('r1', 'W1', { A: '999999999999' }));
    expect(given.answer(unships('s1', 'o1'))).toMatchObject({ status: 'refused', reason: 'INVALID_STATE' });
  });
});
