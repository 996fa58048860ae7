import { byEvent, cancels, GivenStock, receives, returns, ships, unships, wants } from '../stock-machine/simulation/given-stock.js';

/** An order of which 5 of A were shipped. */
const shipped = (settings = {}) => {
  const given = new GivenStock({ 'W1/A': '10', 'W1/B': '1' }, { settings });
  given.when(wants('o1', { 1: 'A 5' }, { meta: byEvent('e1', { sequence: 1 }) }));
  given.when(ships('s1', 'o1', { 1: 'A 5' }, { meta: byEvent('e2', { sequence: 2 }) }));
  given.said();
  return given;
};

describe('a return', () => {
  it('raises on hand at once, blocked until it is inspected', () => {
    const given = shipped();
    const answer = given.answer(returns('r1', 'o1', { 1: 'A 2' }));
    const line = {
      lineNo: 1,
      itemId: 'A',
      warehouseId: 'W1',
      lot: null,
      quantity: '2',
      quality: 'pending_inspection',
      unitCost: '1',
      balanceAfter: '7',
    };
    expect(answer).toMatchObject({ status: 'done', lines: [line] });
    expect(given.at('W1/A')).toBe('7 on hand, 2 blocked');
    expect(given.blockedAt('W1/A')).toBe('2 pending_inspection');
    expect(given.order('o1')!.lines).toEqual({ 1: 'A 5: 5 fulfilled, 2 returned' });
    expect(given.ledger('W1/A').at(-1)).toBe('sales_return 2 pending_inspection = 7');
    expect(given.said()).toMatchObject([{ type: 'StockReturned', subject: 'o1', sequence: 3, data: { returnId: 'r1', lines: [line] } }]);
  });

  it.each([
    ['resellable', '2 reserved', ''],
    ['damaged', '2 blocked', '2 damaged'],
    ['unknown', '2 blocked', '2 pending_inspection'],
  ] as const)('reported as %s is believed where the organisation wants that', (condition, expected, blocked) => {
    const given = shipped({ returnQuarantine: false });
    given.when(wants('waits', { 1: 'A 7' }, { mode: 'partial' }));
    given.when(returns('r1', 'o1', {}, { lines: [{ lineNo: 1, itemId: 'A', quantity: '2', condition }] }));
    expect(given.at('W1/A')).toBe(
      expected === '2 reserved' ? '7 on hand, 7 reserved' : `7 on hand, ${expected}, 5 reserved, 2 backordered`,
    );
    expect(given.blockedAt('W1/A')).toBe(blocked);
  });

  it('is not believed otherwise', () => {
    const given = shipped();
    given.when(returns('r1', 'o1', {}, { lines: [{ lineNo: 1, itemId: 'A', quantity: '2', condition: 'resellable' }] }));
    expect(given.blockedAt('W1/A')).toBe('2 pending_inspection');
  });

  it('goes to the warehouse where it arrives', () => {
    const given = shipped();
    given.when(returns('r1', 'o1', { 1: 'A 2' }, { warehouseId: 'W2' }));
    expect([given.at('W1/A'), given.at('W2/A')]).toEqual(['5 on hand', '2 on hand, 2 blocked']);
  });

  it('is never more than was shipped of a known order, all its lines and earlier returns together', () => {
    const given = shipped();
    given.when(returns('r1', 'o1', { 1: 'A 2' }));
    expect(given.answer(returns('r2', 'o1', { 1: 'A 4' }))).toMatchObject({ status: 'refused', reason: 'EXCEEDS_SHIPPED' });
    const twice = [
      { lineNo: 1, itemId: 'A', quantity: '2' },
      { lineNo: 1, itemId: 'A', quantity: '2' },
    ];
    expect(given.answer(returns('r3', 'o1', {}, { lines: twice }))).toMatchObject({ reason: 'EXCEEDS_SHIPPED' });
    expect(given.answer(returns('r4', 'o1', { 1: 'A 3' }))).toMatchObject({ status: 'done' });
    expect(given.answer(returns('r5', 'o1', { 9: 'A 1' }))).toMatchObject({ reason: 'EXCEEDS_SHIPPED' });
  });

  it('of an unknown order is taken in all the same', () => {
    const given = new GivenStock({});
    expect(given.answer(returns('r1', 'nobody', { 1: 'A 2' }))).toMatchObject({ status: 'done' });
    expect(given.order('nobody')).toEqual({ state: 'awaiting_order', firm: false, lines: { 1: 'A 0: 2 returned' } });
    given.when(receives('g1', 'W1', { A: '9' }));
    given.when(wants('nobody', { 1: 'A 3' }));
    expect(given.order('nobody')!.lines).toEqual({ 1: 'A 3: 3 reserved, 2 returned' });
  });

  it('of a cancelled order is taken in as far as it was shipped', () => {
    const given = shipped();
    given.when(cancels('o1'));
    expect(given.answer(returns('r1', 'o1', { 1: 'A 5' }))).toMatchObject({ status: 'done' });
  });

  it('waits for the shipment that it is of', () => {
    const given = new GivenStock({ 'W1/A': '10' });
    given.when(wants('o1', { 1: 'A 5' }, { meta: byEvent('e1', { sequence: 1 }) }));
    const back = returns('r1', 'o1', { 1: 'A 1' }, { meta: byEvent('e3', { sequence: 3 }) });
    expect(given.when(back)).toEqual({ kind: 'too-early', waitingFor: 'the shipment of order o1' });
    given.when(ships('s1', 'o1', { 1: 'A 5' }, { meta: byEvent('e2', { sequence: 2 }) }));
    expect(given.answer(back)).toMatchObject({ status: 'done' });
  });

  it('waits for its order too when its sequence tells of one; in the end it is taken in', () => {
    const given = new GivenStock({ 'W1/A': '10' });
    const back = (mayWait: boolean) => returns('r1', 'o1', { 1: 'A 1' }, { meta: byEvent('e3', { sequence: 3, mayWait }) });
    expect(given.when(back(true)).kind).toBe('too-early');
    expect(given.answer(back(false))).toMatchObject({ status: 'done' });
  });

  it('said again is answered with what was taken in; with other content it is a conflict', () => {
    const given = shipped();
    given.when(returns('r1', 'o1', { 1: 'A 2' }));
    given.said();
    expect(given.answer(returns('r1', 'o1', { 1: 'A 2' }))).toMatchObject({ status: 'done', lines: [{ quantity: '2' }] });
    given.when(returns('r1', 'o1', { 1: 'A 2' }, { meta: byEvent('e9') }));
    expect(given.saidTypes()).toEqual(['StockReturned']);
    expect(given.answer(returns('r1', 'o1', { 1: 'A 1' }))).toMatchObject({ status: 'refused', reason: 'ALREADY_EXISTS' });
    expect(given.at('W1/A')).toBe('7 on hand, 2 blocked');
  });

  it.each([
    ['an unknown item', { 1: 'X 1' }, {}, 'ITEM_NOT_FOUND'],
    ['an unknown warehouse', { 1: 'A 1' }, { warehouseId: 'W9' }, 'WAREHOUSE_NOT_FOUND'],
    ['a lot', {}, { lines: [{ lineNo: 1, itemId: 'A', quantity: '1', lot: 'L' }] }, 'LOT_NOT_FOUND'],
    ['another item than the line’s', { 1: 'B 1' }, {}, 'INVALID_STATE'],
    ['more than on hand can count', { 1: 'A 999999999999' }, {}, 'INVALID_STATE'],
  ])('that makes no sense is refused: %s', (_, lines, more, reason) => {
    const given = shipped();
    expect(given.answer(returns('r1', 'o1', lines, more))).toMatchObject({ status: 'refused', reason });
    expect(given.said()).toMatchObject([{ type: 'StockReturnFailed', data: { returnId: 'r1', reason } }]);
    given.when(unships('s1', 'o1'));
    expect(given.at('W1/A')).toBe('10 on hand, 5 reserved');
  });

  it('under one line number is of one item, also when nobody knows the order', () => {
    const given = new GivenStock({});
    const mixed = [
      { lineNo: 1, itemId: 'A', quantity: '1' },
      { lineNo: 1, itemId: 'B', quantity: '1' },
    ];
    expect(given.answer(returns('r1', 'nobody', {}, { lines: mixed }))).toMatchObject({ reason: 'INVALID_STATE' });
    given.when(returns('r2', 'nobody', { 1: 'A 1' }));
    expect(given.answer(returns('r3', 'nobody', { 1: 'B 1' }))).toMatchObject({ reason: 'INVALID_STATE' });
  });
});
