import {
  byCall,
  byEvent,
  cancels,
  expires,
  GivenStock,
  keeps,
  receives,
  ships,
  unships,
  wants,
} from '../stock-machine/simulation/given-stock.js';

const at = (second: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, second));

describe('a shipment', () => {
  it('takes what the order holds, and posts it', () => {
    const given = new GivenStock({ 'W1/A': '10' });
    given.when(wants('o1', { 1: 'A 5' }));
    given.said();
    const answer = given.answer(ships('s1', 'o1', { 1: 'A 3' }));
    expect(answer).toMatchObject({
      status: 'done',
      sequence: 2,
      lines: [{ lineNo: 1, itemId: 'A', warehouseId: 'W1', lot: null, quantity: '3', cogs: '3' }],
    });
    expect(given.at('W1/A')).toBe('7 on hand, 2 reserved');
    expect(given.order('o1')!.lines).toEqual({ 1: 'A 5: 2 reserved, 3 fulfilled' });
    expect(given.ledger('W1/A').at(-1)).toBe('sale_shipment -3 available = 7');
    expect(given.said()).toMatchObject([
      {
        type: 'StockDepleted',
        subject: 'o1',
        sequence: 2,
        data: { shipmentId: 's1', orderId: 'o1', lines: [{ quantity: '3' }], cogsTotal: '3' },
      },
    ]);
  });

  it('takes its own hold first, then what is free, and never another order’s hold', () => {
    const given = new GivenStock({ 'W1/A': '10' });
    given.when(wants('other', { 1: 'A 6' }));
    given.when(wants('o1', { 1: 'A 3' }));
    given.when(ships('s0', 'o2', { 1: 'A 1' }));
    expect(given.at('W1/A')).toBe('9 on hand, 9 reserved');
    expect(given.answer(ships('s1', 'o2', { 1: 'A 1' }))).toMatchObject({ status: 'refused', reason: 'INSUFFICIENT_STOCK' });
    expect(given.answer(ships('s2', 'o1', { 1: 'A 3' }))).toMatchObject({ status: 'done' });
    expect(given.holds('other')).toEqual(['W1/A 6']);
  });

  it('is not limited by the safety stock', () => {
    const given = new GivenStock({ 'W1/A': '10' }, { items: { A: { safetyStock: '10' } } });
    expect(given.answer(ships('s1', 'o1', { 1: 'A 10' }))).toMatchObject({ status: 'done' });
  });

  it('is refused as a whole when a line is short, and says what is there', () => {
    const given = new GivenStock({ 'W1/A': '10', 'W1/B': '1' });
    const answer = given.answer(ships('s1', 'o1', { 1: 'A 2', 2: 'B 1.50' }));
    const short = [{ lineNo: 2, itemId: 'B', warehouseId: 'W1', requested: '1.5', available: '1' }];
    expect(answer).toMatchObject({ status: 'refused', reason: 'INSUFFICIENT_STOCK', shortLines: short, lines: [] });
    expect(given.at('W1/A')).toBe('10 on hand');
    expect(given.said()).toMatchObject([
      {
        type: 'DiscrepancyOpened',
        data: { itemId: 'B', severity: 'medium', source: 'blocked_transaction', refType: 'shipment', refId: 's1' },
      },
      { type: 'StockDepletionFailed', data: { shipmentId: 's1', reason: 'INSUFFICIENT_STOCK', lines: short } },
    ]);
  });

  it('counts lines of one item together', () => {
    const given = new GivenStock({ 'W1/A': '10' });
    expect(given.answer(ships('s1', 'o1', { 1: 'A 6', 2: 'A 6' }))).toMatchObject({ shortLines: [{ lineNo: 2, available: '4' }] });
  });

  it('before its order raises what is requested to what was shipped, until the order comes', () => {
    const given = new GivenStock({ 'W1/A': '10' });
    given.when(ships('s1', 'o1', { 1: 'A 4' }));
    expect(given.order('o1')).toEqual({ state: 'awaiting_order', firm: false, lines: { 1: 'A 4: 4 fulfilled' } });
    given.when(wants('o1', { 1: 'A 9' }));
    expect(given.order('o1')).toEqual({ state: 'open', firm: true, lines: { 1: 'A 9: 5 reserved, 4 fulfilled' } });
  });

  it('gives back the hold and the place in the queue that it does not need any more', () => {
    const given = new GivenStock({ 'W1/A': '3', 'W2/A': '9' });
    given.when(wants('o1', { 1: 'A 5 @W1' }, { mode: 'partial' }));
    given.when(ships('s1', 'o1', { 1: 'A 4 @W2' }));
    expect(given.order('o1')!.lines).toEqual({ 1: 'A 5: 1 reserved, 4 fulfilled' });
    expect([given.at('W1/A'), given.at('W2/A')]).toEqual(['3 on hand, 1 reserved', '5 on hand']);
  });

  it('closes what its lines still want when it says so, and no other line', () => {
    const given = new GivenStock({ 'W1/A': '10' });
    given.when(wants('o1', { 1: 'A 5', 2: 'A 2' }));
    given.when(ships('s1', 'o1', { 1: 'A 3' }, { closeShortLines: true }));
    expect(given.order('o1')!.lines).toEqual({ 1: 'A 5: 3 fulfilled, 2 closed', 2: 'A 2: 2 reserved' });
    expect(given.answer(ships('s2', 'o1', { 1: 'A 1' }))).toMatchObject({ status: 'refused', reason: 'EXCEEDS_REQUESTED' });
  });

  it('of an order whose hold ran out, or was refused, takes free stock', () => {
    const given = new GivenStock({ 'W1/A': '5' });
    given.when(wants('o1', { 1: 'A 4' }, { firm: false, ttlSeconds: 10 }));
    given.pass(11);
    given.when(expires('o1'));
    given.when(ships('s1', 'o1', { 1: 'A 1' }));
    expect(given.order('o1')!.lines).toEqual({ 1: 'A 4: 1 fulfilled, 3 unheld' });
    given.when(wants('o2', { 1: 'A 9' }));
    given.when(ships('s2', 'o2', { 1: 'A 4' }));
    expect(given.order('o2')).toEqual({ state: 'refused', firm: false, lines: { 1: 'A 9: 4 fulfilled, 5 unheld' } });
  });

  describe('without warehouse', () => {
    it('takes from where the order holds', () => {
      const given = new GivenStock({ 'W1/A': '3', 'W2/A': '9' });
      given.when(wants('o1', { 1: 'A 5' }));
      given.when(ships('s1', 'o1', { 1: 'A 5' }));
      expect([given.at('W1/A'), given.at('W2/A')]).toEqual(['3 on hand', '4 on hand']);
    });

    it('takes from the first that covers it, else from several', () => {
      const given = new GivenStock({ 'W1/A': '3', 'W2/A': '9' });
      given.when(ships('s1', 'o1', { 1: 'A 5' }));
      expect([given.at('W1/A'), given.at('W2/A')]).toEqual(['3 on hand', '4 on hand']);
      expect(given.answer(ships('s2', 'o2', { 1: 'A 5' }))).toMatchObject({
        lines: [
          { lineNo: 1, warehouseId: 'W1', quantity: '3' },
          { lineNo: 1, warehouseId: 'W2', quantity: '2' },
        ],
      });
    });
  });

  describe('said again', () => {
    it('is answered with what was posted, and posts nothing', () => {
      const given = new GivenStock({ 'W1/A': '10' });
      given.when(ships('s1', 'o1', { 1: 'A 3' }));
      given.said();
      expect(given.answer(ships('s1', 'o1', { 1: 'A 3' }))).toMatchObject({ status: 'done', lines: [{ quantity: '3' }] });
      expect(given.said()).toEqual([]);
      given.when(ships('s1', 'o1', { 1: 'A 3' }, { meta: byEvent('e9') }));
      expect(given.said()).toMatchObject([{ type: 'StockDepleted', causationid: 'e9', data: { lines: [{ quantity: '3' }] } }]);
      expect(given.at('W1/A')).toBe('7 on hand');
    });

    it('with other content is a conflict', () => {
      const given = new GivenStock({ 'W1/A': '10' });
      given.when(ships('s1', 'o1', { 1: 'A 3' }));
      expect(given.answer(ships('s1', 'o1', { 1: 'A 4' }))).toMatchObject({ status: 'refused', reason: 'ALREADY_EXISTS' });
      expect(given.answer(ships('s1', 'o2', { 1: 'A 3' }))).toMatchObject({ status: 'refused', reason: 'ALREADY_EXISTS' });
    });

    it('and refused again and again does not make the order grow', () => {
      const given = new GivenStock({ 'W1/A': '10' });
      given.when(ships('s1', 'o1', { 1: 'A 3' }));
      for (let n = 0; n < 100; n++) given.when(ships('s1', 'o1', { 1: 'A 4' }, { meta: byEvent(`e${n}`, { sequence: 5 }) }));
      expect(given.stock.demands.get('org/o1')!.refusedMessages).toHaveLength(1);
      for (let n = 0; n < 100; n++) given.when(ships('s1', 'o1', { 1: 'A 4' }, { meta: byEvent(`f${n}`, { sequence: 10 + n }) }));
      expect(given.stock.demands.get('org/o1')!.refusedMessages).toHaveLength(50);
    });

    it('under the sequence under which it was refused stays refused, though stock has come', () => {
      const given = new GivenStock({ 'W1/A': '1' });
      const numbered = { meta: byCall({ sequence: 2 }) };
      given.when(ships('s1', 'o1', { 1: 'A 3' }, numbered));
      given.when(receives('r1', 'W1', { A: '9' }));
      expect(given.answer(ships('s1', 'o1', { 1: 'A 3' }, { meta: byEvent('e2', { sequence: 2 }) }))).toMatchObject({ status: 'refused' });
      expect(given.answer(ships('s1', 'o1', { 1: 'A 3' }, { meta: byEvent('e3', { sequence: 3 }) }))).toMatchObject({ status: 'done' });
    });
  });

  describe('of more than the order wants', () => {
    it('is refused, when nothing is under way that would explain it', () => {
      const given = new GivenStock({ 'W1/A': '10' });
      given.when(wants('o1', { 1: 'A 2' }, { meta: byEvent('e1', { sequence: 1 }) }));
      const lines = [{ lineNo: 1, itemId: 'A', warehouseId: null, requested: '3', available: '2' }];
      expect(given.answer(ships('s1', 'o1', { 1: 'A 3' }, { meta: byEvent('e2', { sequence: 2 }) }))).toMatchObject({
        reason: 'EXCEEDS_REQUESTED',
        shortLines: lines,
      });
      expect(given.answer(ships('s2', 'o1', { 2: 'A 1' }))).toMatchObject({
        reason: 'EXCEEDS_REQUESTED',
        shortLines: [{ lineNo: 2, available: '0' }],
      });
    });

    it('waits, when a message before it was not heard yet, and then fits', () => {
      const given = new GivenStock({ 'W1/A': '10' });
      given.when(wants('o1', { 1: 'A 2' }, { meta: byEvent('e1', { sequence: 1 }) }));
      const shipment = ships('s1', 'o1', { 1: 'A 3' }, { meta: byEvent('e3', { sequence: 3 }) });
      expect(given.when(shipment)).toEqual({ kind: 'too-early', waitingFor: 'the amendment of order o1' });
      given.when(wants('o1', { 1: 'A 5' }, { meta: byEvent('e2', { sequence: 2 }) }));
      expect(given.answer(shipment)).toMatchObject({ status: 'done' });
    });

    it('waits without a sequence too, because nothing tells; but not when it is the last attempt, or a call', () => {
      const given = new GivenStock({ 'W1/A': '10' });
      given.when(wants('o1', { 1: 'A 2' }));
      const tooMuch = { 1: 'A 3' };
      expect(given.when(ships('s1', 'o1', tooMuch, { meta: byEvent('e1') })).kind).toBe('too-early');
      expect(given.answer(ships('s1', 'o1', tooMuch, { meta: byEvent('e1', { mayWait: false }) }))).toMatchObject({
        reason: 'EXCEEDS_REQUESTED',
      });
      expect(given.answer(ships('s2', 'o1', tooMuch, { meta: byCall() }))).toMatchObject({ reason: 'EXCEEDS_REQUESTED' });
    });

    it('takes back what was closed short, when it was said before the last totals', () => {
      const given = new GivenStock({ 'W1/A': '10' });
      given.when(wants('o1', { 1: 'A 4' }, { meta: byEvent('e3', { time: at(3) }) }));
      given.when(ships('s4', 'o1', { 1: 'A 1' }, { closeShortLines: true, meta: byEvent('e4', { time: at(4) }) }));
      given.when(ships('s2', 'o1', { 1: 'A 2' }, { meta: byEvent('e2', { time: at(2) }) }));
      expect(given.order('o1')!.lines).toEqual({ 1: 'A 4: 3 fulfilled, 1 closed' });
      given.when(ships('s1', 'o1', { 1: 'A 3' }, { meta: byEvent('e1', { time: at(1) }) }));
      expect(given.order('o1')!.lines).toEqual({ 1: 'A 6: 6 fulfilled' });
    });

    it('is posted, when it was said before the totals that it exceeds', () => {
      const given = new GivenStock({ 'W1/A': '10' });
      given.when(wants('o1', { 2: 'A 1' }, { meta: byEvent('e3', { sequence: 3 }) }));
      given.when(ships('s1', 'o1', { 1: 'A 2' }, { meta: byEvent('e2', { sequence: 2 }) }));
      expect(given.order('o1')!.lines).toEqual({ 1: 'A 2: 2 fulfilled', 2: 'A 1: 1 reserved' });
    });
  });

  describe('of a cancelled order', () => {
    it('is refused', () => {
      const given = new GivenStock({ 'W1/A': '10' });
      given.when(wants('o1', { 1: 'A 2' }));
      given.when(cancels('o1'));
      expect(given.answer(ships('s1', 'o1', { 1: 'A 2' }))).toMatchObject({ status: 'refused', reason: 'ORDER_CANCELLED' });
    });

    it.each([
      ['by sequence', { sequence: 3 }, { sequence: 2 }],
      ['by time', { time: at(3) }, { time: at(2) }],
    ])('is posted when it happened before, %s', (_, later, earlier) => {
      const given = new GivenStock({ 'W1/A': '10' });
      given.when(wants('o1', { 1: 'A 2' }));
      given.when(cancels('o1', { meta: byEvent('e3', later) }));
      expect(given.answer(ships('s1', 'o1', { 1: 'A 5' }, { meta: byEvent('e2', earlier) }))).toMatchObject({ status: 'done' });
      expect(given.order('o1')).toEqual({ state: 'closed', firm: true, lines: { 1: 'A 5: 5 fulfilled' } });
      given.when(unships('s1', 'o1'));
      expect(given.order('o1')).toEqual({ state: 'closed', firm: true, lines: { 1: 'A 2: 2 closed' } });
    });
  });

  describe('that makes no sense', () => {
    it.each([
      ['an unknown item', { 1: 'X 1' }, 'ITEM_NOT_FOUND'],
      ['an unknown warehouse', { 1: 'A 1 @W9' }, 'WAREHOUSE_NOT_FOUND'],
    ])('is refused: %s', (_, lines, reason) => {
      expect(new GivenStock({ 'W1/A': '1' }).answer(ships('s1', 'o1', lines))).toMatchObject({ status: 'refused', reason });
    });

    it('is refused: a lot, two items under one line, another item than the line’s', () => {
      const given = new GivenStock({ 'W1/A': '5', 'W1/B': '5' });
      const line = { lineNo: 1, itemId: 'A', quantity: '1' };
      expect(given.answer(ships('s1', 'o1', {}, { lines: [{ ...line, lot: 'L' }] }))).toMatchObject({ reason: 'LOT_NOT_FOUND' });
      expect(given.answer(ships('s2', 'o1', {}, { lines: [{ ...line, lots: [{ lot: 'L', quantity: '1' }] }] }))).toMatchObject({
        reason: 'LOT_NOT_FOUND',
      });
      expect(given.answer(ships('s3', 'o1', {}, { lines: [line, { ...line, itemId: 'B' }] }))).toMatchObject({ reason: 'INVALID_STATE' });
      given.when(ships('s4', 'o1', { 1: 'A 1' }));
      expect(given.answer(ships('s5', 'o1', { 1: 'B 1' }))).toMatchObject({ reason: 'INVALID_STATE' });
    });
  });

  it('tells when stock falls to its threshold', () => {
    const given = new GivenStock({ 'W1/A': '10' });
    given.when(keeps('W1/A', { reorderPoint: '4' }));
    given.when(ships('s1', 'o1', { 1: 'A 5' }));
    expect(given.saidTypes()).not.toContain('LowStockDetected');
    given.when(ships('s2', 'o1', { 1: 'A 1' }));
    expect(given.said()).toContainEqual(
      expect.objectContaining({
        type: 'LowStockDetected',
        subject: 'A',
        data: { itemId: 'A', warehouseId: 'W1', onHand: '4', threshold: '4' },
      }),
    );
  });
});
