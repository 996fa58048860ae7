import { byCall, byEvent, GivenStock, inspects, ORG, returns, ships, wants } from '../stock-machine/simulation/given-stock.js';

/** 5 of A were shipped, and 4 of them returned. */
const returned = () => {
  const given = new GivenStock({ 'W1/A': '10' });
  given.when(ships('s1', 'o1', { 1: 'A 5' }));
  given.when(returns('r1', 'o1', { 1: 'A 4' }));
  given.said();
  return given;
};

describe('goods that are no more where they waited for their verdict', () => {
  it.each([
    ['moved', { kind: 'move-stock', from: 'default', to: 'B1', quality: 'pending_inspection' }],
    ['judged otherwise', { kind: 'change-quality', from: 'pending_inspection', to: 'damaged', reason: 'looked at' }],
  ] as const)('because they were %s, cannot be inspected there', (_, how) => {
    const given = new GivenStock({ 'W1/A': '5' }, { bins: ['W1/B1'] });
    given.when(ships('s', 'o', { 1: 'A 3' }));
    given.when(returns('r', 'o', { 1: 'A 3' }));
    const work = { orgId: ORG, commandId: 'work', warehouseId: 'W1', itemId: 'A', quantity: '2', meta: byCall() };
    expect(given.when({ ...work, ...how })).toMatchObject({ kind: 'answer' });
    expect(given.answer(inspects('r', 'o', { 1: '2 available' }))).toMatchObject({ status: 'refused', reason: 'INVALID_STATE' });
    expect(given.answer(inspects('r', 'o', { 1: '1 available' }))).toMatchObject({ status: 'done' });
  });
});

describe('an inspection', () => {
  it.each([
    ['available', '9 on hand, 2 blocked', '2 pending_inspection', 'quality_change 2 available = 9'],
    ['damaged', '9 on hand, 4 blocked', '2 pending_inspection, 2 damaged', 'quality_change 2 damaged = 9'],
    ['quarantined', '9 on hand, 4 blocked', '2 pending_inspection, 2 quarantined', 'quality_change 2 quarantined = 9'],
  ])('makes returned goods %s', (verdict, balance, blocked, entry) => {
    const given = returned();
    expect(given.answer(inspects('r1', 'o1', { 1: `2 ${verdict}` }))).toMatchObject({ status: 'done' });
    expect(given.at('W1/A')).toBe(balance);
    expect(given.blockedAt('W1/A')).toBe(blocked);
    expect(given.ledger('W1/A').slice(-2)).toEqual(['quality_change -2 pending_inspection = 7', entry]);
    expect(given.said()).toMatchObject([
      {
        type: 'QualityChanged',
        data: { itemId: 'A', warehouseId: 'W1', quantity: '2', from: 'pending_inspection', to: verdict, returnId: 'r1' },
      },
    ]);
  });

  it('scraps what is good for nothing', () => {
    const given = returned();
    given.when(inspects('r1', 'o1', { 1: '3 scrap' }));
    expect(given.at('W1/A')).toBe('6 on hand, 1 blocked');
    expect(given.ledger('W1/A').at(-1)).toBe('scrap -3 pending_inspection = 6');
    expect(given.said()).toMatchObject([
      { type: 'StockAdjusted', data: { quantityDelta: '-3', balanceAfter: '6', reason: 'scrapped after inspection' } },
    ]);
  });

  it('may judge the parts of a line differently, at once or one after the other', () => {
    const given = returned();
    const lines = [
      { lineNo: 1, quantity: '1', verdict: 'available' as const },
      { lineNo: 1, quantity: '1', verdict: 'scrap' as const },
    ];
    given.when({ ...inspects('r1', 'o1', {}), lines } as ReturnType<typeof inspects>);
    given.when(inspects('r1', 'o1', { 1: '2 damaged' }));
    expect(given.at('W1/A')).toBe('8 on hand, 2 blocked');
    expect(given.answer(inspects('r1', 'o1', { 1: '0.0001 available' }))).toMatchObject({ status: 'refused', reason: 'INVALID_STATE' });
  });

  it('is recognised by message id, and for ever by sequence', () => {
    const given = returned();
    const verdict = { 1: '1 available' };
    given.when(inspects('r1', 'o1', verdict, byCall({ sequence: 3 })));
    given.when(inspects('r1', 'o1', verdict, byEvent('e3', { sequence: 3 })));
    expect(given.at('W1/A')).toBe('9 on hand, 3 blocked');
    const call = byCall();
    given.when(inspects('r1', 'o1', verdict, call));
    given.when(inspects('r1', 'o1', verdict, call));
    expect(given.at('W1/A')).toBe('9 on hand, 2 blocked');
  });

  it('of a warehouse that counts by itself is not taken for one of the order’s source', () => {
    const given = returned();
    given.when(wants('o1', { 1: 'A 5' }));
    given.when(inspects('r1', 'o1', { 1: '1 available' }, byEvent('e3', { sequence: 3 })));
    given.when(inspects('r1', 'o1', { 1: '1 available' }, byEvent('w3', { sequence: 3 }, '/warehouse')));
    expect(given.blockedAt('W1/A')).toBe('2 pending_inspection');
  });

  it('waits for a return that is still under way, and is refused when there is none', () => {
    const given = returned();
    expect(given.when(inspects('r9', 'o1', { 1: '1 scrap' }, byEvent('e1'))).kind).toBe('too-early');
    expect(given.answer(inspects('r9', 'o1', { 1: '1 scrap' }))).toMatchObject({ status: 'refused', reason: 'RETURN_NOT_FOUND' });
    expect(given.answer(inspects('r1', 'o2', { 1: '1 scrap' }))).toMatchObject({ reason: 'RETURN_NOT_FOUND' });
    expect(given.saidTypes()).toEqual(['StockReturnFailed', 'StockReturnFailed']);
  });
});
