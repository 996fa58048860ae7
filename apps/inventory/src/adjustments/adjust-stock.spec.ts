import { adjusts, byCall, cancels, GivenStock, receives, returns, ships, wants } from '../stock-machine/simulation/given-stock.js';

describe('an adjustment', () => {
  it('changes on hand, with its reason', () => {
    const given = new GivenStock({ 'W1/A': '10' });
    expect(given.answer(adjusts('W1/A', '-2.50 loss'))).toEqual({
      movementId: expect.any(String),
      itemId: 'A',
      warehouseId: 'W1',
      quantityDelta: '-2.5',
      reasonCode: 'loss',
      balanceAfter: '7.5',
    });
    expect(given.ledger('W1/A').at(-1)).toBe('adjustment -2.5 available = 7.5');
    expect(given.said()).toMatchObject([
      { type: 'StockAdjusted', data: { quantityDelta: '-2.5', reason: 'counted', reasonCode: 'loss', balanceAfter: '7.5', lot: null } },
    ]);
  });

  it('of more serves who waits', () => {
    const given = new GivenStock({});
    given.when(wants('o1', { 1: 'A 2' }, { mode: 'partial' }));
    given.when(adjusts('W1/A', '3 found'));
    expect(given.order('o1')!.lines).toEqual({ 1: 'A 2: 2 reserved' });
  });

  describe('that is a fact', () => {
    it('takes free stock first', () => {
      const given = new GivenStock({ 'W1/A': '10' });
      given.when(wants('o1', { 1: 'A 6' }));
      given.when(adjusts('W1/A', '-4 damage'));
      expect(given.at('W1/A')).toBe('6 on hand, 6 reserved');
      expect(given.saidTypes()).not.toContain('ReservationShorted');
    });

    it('turns the holds that it takes away into backorders, and says so', () => {
      const given = new GivenStock({ 'W1/A': '10' });
      given.when(wants('o1', { 1: 'A 6' }));
      given.said();
      given.when(adjusts('W1/A', '-7 loss'));
      expect(given.at('W1/A')).toBe('3 on hand, 3 reserved, 3 backordered');
      expect(given.order('o1')!.lines).toEqual({ 1: 'A 6: 3 reserved, 3 backordered' });
      expect(given.said()).toMatchObject([
        {
          type: 'ReservationShorted',
          subject: 'o1',
          data: {
            orderId: 'o1',
            cause: 'loss',
            lines: [{ lineNo: 1, itemId: 'A', warehouseId: 'W1', lot: null, quantity: '3' }],
            stock: [{ backordered: '3' }],
          },
        },
        { type: 'StockAdjusted' },
      ]);
      given.when(receives('r1', 'W1', { A: '2' }));
      expect(given.order('o1')!.lines).toEqual({ 1: 'A 6: 5 reserved, 1 backordered' });
    });

    it('takes soft holds before firm ones, then those of the lowest priority, then the newest', () => {
      const given = new GivenStock({ 'W1/A': '6' });
      const inTurn = [
        ['firm-high-old', { priority: 60 }],
        ['firm-old', {}],
        ['firm-new', {}],
        ['soft-high', { firm: false, priority: 60 }],
        ['soft-old', { firm: false }],
        ['soft-new', { firm: false }],
      ] as const;
      for (const [orderId, more] of inTurn) {
        given.when(wants(orderId, { 1: 'A 1' }, more));
        given.pass(1);
      }
      for (const [orderId] of inTurn.toReversed()) {
        given.said();
        given.when(adjusts('W1/A', '-1 damage'));
        expect(given.said()[0]).toMatchObject({ type: 'ReservationShorted', subject: orderId });
      }
    });

    it('takes them in the order in which they are when it is decided, also within one batch', () => {
      const given = new GivenStock({ 'W1/A': '3' });
      given.when(wants('firm', { 1: 'A 1' }));
      given.when(wants('soft', { 1: 'A 1' }, { firm: false }));
      given.pass(1);
      given.batch(wants('new', { 1: 'A 1' }, { firm: false }), wants('soft', { 1: 'A 1' }, { firm: true }), adjusts('W1/A', '-2 damage'));
      expect([given.holds('new'), given.holds('soft'), given.holds('firm')]).toEqual([[], [], ['W1/A 1']]);
    });

    it('asks for more holds than were read at first, where many are small', () => {
      const given = new GivenStock({ 'W1/A': '120' });
      for (let n = 0; n < 120; n++) given.when(wants(`o${n}`, { 1: 'A 1' }));
      given.said();
      given.when(adjusts('W1/A', '-110 loss'));
      expect(given.said().filter((event) => event.type === 'ReservationShorted')).toHaveLength(110);
      expect(given.at('W1/A')).toBe('10 on hand, 10 reserved, 110 backordered');
    });

    it('does not take a hold that it knows by chance before those that it has not read', () => {
      const given = new GivenStock({ 'W1/A': '61' });
      given.when(wants('important', { 1: 'A 1' }, { priority: 90 }));
      for (let n = 0; n < 60; n++) given.when(wants(`o${n}`, { 1: 'A 1' }));
      // The same batch is about the important order, so that its hold is at hand; 50 others were read.
      given.batch(wants('important', { 1: 'A 1' }, { priority: 91 }), adjusts('W1/A', '-51 loss'));
      expect(given.holds('important')).toEqual(['W1/A 1']);
      expect(given.at('W1/A')).toBe('10 on hand, 10 reserved, 51 backordered');
    });

    it('tells an order once of all the holds that it loses', () => {
      const given = new GivenStock({ 'W1/A': '4' });
      given.when(wants('o1', { 1: 'A 2', 2: 'A 2' }));
      given.said();
      given.when(adjusts('W1/A', '-3 damage'));
      expect(given.said().filter((event) => event.type === 'ReservationShorted')).toMatchObject([
        { data: { lines: [{ quantity: '2' }, { quantity: '1' }] } },
      ]);
    });

    it('cannot take more than there is, nor what is blocked', () => {
      const given = new GivenStock({ 'W1/A': '5' });
      given.when(ships('s1', 'o1', { 1: 'A 2' }));
      given.when(returns('r1', 'o1', { 1: 'A 2' }));
      expect(given.when(adjusts('W1/A', '-4 loss'))).toMatchObject({
        kind: 'error',
        error: { kind: 'conflict', code: 'INSUFFICIENT_STOCK', details: { lines: [{ requested: '4', available: '3' }] } },
      });
    });
  });

  it.each(['sample', 'internal_use', 'maintenance'])('for %s is a wish, which needs free stock', (reasonCode) => {
    const given = new GivenStock({ 'W1/A': '10' }, { items: { A: { safetyStock: '5' } } });
    given.when(wants('o1', { 1: 'A 3' }));
    expect(given.when(adjusts('W1/A', `-8 ${reasonCode}`))).toMatchObject({
      error: { code: 'INSUFFICIENT_STOCK', details: { lines: [{ available: '7' }] } },
    });
    expect(given.when(adjusts('W1/A', `-7 ${reasonCode}`)).kind).toBe('answer');
    expect(given.holds('o1')).toEqual(['W1/A 3']);
  });

  it('said again is answered as before; with other content it is a conflict', () => {
    const given = new GivenStock({ 'W1/A': '10' });
    const first = given.answer(adjusts('W1/A', '-1 loss', 'c1'));
    given.said();
    expect(given.answer({ ...adjusts('W1/A', '-1 loss', 'c1'), meta: byCall() })).toEqual(first);
    expect(given.when(adjusts('W1/A', '-2 loss', 'c1'))).toMatchObject({
      kind: 'error',
      error: { kind: 'conflict', code: 'ALREADY_EXISTS' },
    });
    expect(given.at('W1/A')).toBe('9 on hand');
    expect(given.said()).toEqual([]);
  });

  it('that takes stock away has no cost of its own: what leaves costs what its layers cost', () => {
    const given = new GivenStock({ 'W1/A': '10' });
    expect(given.when({ ...adjusts('W1/A', '-1 loss'), unitCost: '0' })).toMatchObject({
      kind: 'error',
      error: { kind: 'rejected', code: 'STOCK_VALIDATION' },
    });
    expect(given.at('W1/A')).toBe('10 on hand');
    expect(given.when({ ...adjusts('W1/A', '1 found'), unitCost: '0' }).kind).toBe('answer');
  });

  it.each(['1 damage', '1 loss', '-1 found'])('of %s contradicts itself', (change) => {
    expect(new GivenStock({ 'W1/A': '10' }).when(adjusts('W1/A', change))).toMatchObject({
      kind: 'error',
      error: { kind: 'rejected', code: 'STOCK_VALIDATION' },
    });
  });

  it.each([
    ['of nothing', 'W1/A', '0 found', 'STOCK_VALIDATION'],
    ['of an unknown item', 'W1/X', '1 found', 'ITEM_NOT_FOUND'],
    ['in an unknown warehouse', 'W9/A', '1 found', 'WAREHOUSE_NOT_FOUND'],
    ['beyond what can be counted', 'W1/A', '999999999999 found', 'STOCK_VALIDATION'],
  ])('%s is refused', (_, place, change, code) => {
    expect(new GivenStock({ 'W1/A': '10' }).when(adjusts(place, change))).toMatchObject({ kind: 'error', error: { code } });
  });

  it('leaves alone what was given back before', () => {
    const given = new GivenStock({ 'W1/A': '3' });
    given.when(wants('o1', { 1: 'A 3' }));
    given.batch(cancels('o1'), adjusts('W1/A', '-3 damage'));
    expect(given.at('W1/A')).toBe('nothing');
    expect(given.saidTypes()).not.toContain('ReservationShorted');
  });
});
