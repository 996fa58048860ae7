import type { DemandAnswer } from './set-demand.js';
import {
  byCall,
  byEvent,
  cancels,
  expires,
  GivenStock,
  keeps,
  receives,
  returns,
  ships,
  unships,
  wants,
} from '../stock-machine/simulation/given-stock.js';

const at = (second: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, second));
const soft = { firm: false };
const partial = { mode: 'partial' } as const;

describe('set demand', () => {
  it('holds what an order wants, and tells everything about it', () => {
    const given = new GivenStock({ 'W1/A': '10' });
    const answer = given.answer<DemandAnswer>(wants('o1', { 1: 'A 3 @W1' }));
    expect(given.at('W1/A')).toBe('10 on hand, 3 reserved');
    expect(answer).toMatchObject({ status: 'reserved', sequence: 1, firm: true, expiresAt: null, backordered: [] });
    const [event] = given.said();
    expect(event).toMatchObject({
      type: 'StockReserved',
      subject: 'o1',
      sequence: 1,
      data: {
        orderId: 'o1',
        firm: true,
        expiresAt: null,
        lines: [{ lineNo: 1, itemId: 'A', warehouseId: 'W1', lot: null, quantity: '3', reservationId: expect.any(String) }],
        stock: [
          {
            lineNo: 1,
            itemId: 'A',
            requested: '3',
            reserved: '3',
            backordered: '0',
            fulfilled: '0',
            returned: '0',
            closed: '0',
            unheld: '0',
          },
        ],
      },
    });
  });

  describe('with too little stock', () => {
    it('refuses the whole order, says which lines are short, and leaves the demand with its sequence', () => {
      const given = new GivenStock({ 'W1/A': '10', 'W1/B': '2' });
      const answer = given.answer<DemandAnswer>(wants('o1', { 1: 'A 3', 2: 'B 5' }, { meta: byCall({ sequence: 4 }) }));
      const short = [{ lineNo: 2, itemId: 'B', warehouseId: 'W1', requested: '5', available: '2' }];
      expect(answer).toMatchObject({ status: 'failed', reason: 'INSUFFICIENT_STOCK', shortLines: short, lines: [] });
      expect(given.said()).toMatchObject([
        { type: 'DiscrepancyOpened', data: { itemId: 'B', warehouseId: 'W1', severity: 'low', source: 'blocked_transaction' } },
        { type: 'StockReservationFailed', data: { reason: 'INSUFFICIENT_STOCK', lines: short, discrepancyIds: [expect.any(String)] } },
      ]);
      expect(given.at('W1/A')).toBe('10 on hand');
      expect(given.order('o1')).toEqual({ state: 'refused', firm: false, lines: { 1: 'A 3: 3 unheld', 2: 'B 5: 5 unheld' } });
    });

    it('counts several lines of one item together', () => {
      const given = new GivenStock({ 'W1/A': '10' });
      expect(given.answer(wants('o1', { 1: 'A 6', 2: 'A 6' }))).toMatchObject({
        status: 'failed',
        shortLines: [{ lineNo: 2, available: '4' }],
      });
      expect(given.answer(wants('o2', { 1: 'A 6', 2: 'A 4' }))).toMatchObject({ status: 'reserved' });
    });

    it('holds what is there and lets the rest wait, when that is wanted', () => {
      const given = new GivenStock({ 'W1/A': '10' });
      const answer = given.answer<DemandAnswer>(wants('o1', { 1: 'A 12' }, partial));
      expect(answer).toMatchObject({ status: 'partial', backordered: [{ lineNo: 1, itemId: 'A', quantity: '2' }] });
      expect(given.at('W1/A')).toBe('10 on hand, 10 reserved, 2 backordered');
      expect(given.saidTypes()).toEqual(['StockPartiallyReserved']);
    });

    it('does as the organisation says when the order says nothing', () => {
      const given = new GivenStock({ 'W1/A': '1' }, { settings: { reservationMode: 'partial' } });
      expect(given.answer(wants('o1', { 1: 'A 2' }))).toMatchObject({ status: 'partial' });
    });

    it('keeps the safety stock back from new demand, but never from a hold that is there', () => {
      const given = new GivenStock({ 'W1/A': '10' }, { items: { A: { safetyStock: '4' } } });
      expect(given.answer(wants('o1', { 1: 'A 7' }))).toMatchObject({ status: 'failed', shortLines: [{ available: '6' }] });
      expect(given.answer(wants('o2', { 1: 'A 6' }))).toMatchObject({ status: 'reserved' });
      given.when(keeps('W1/A', { safetyQuantity: '9' }));
      expect(given.answer(wants('o2', { 1: 'A 6' }))).toMatchObject({ status: 'reserved' });
      expect(given.answer(ships('s1', 'o2', { 1: 'A 6' }))).toMatchObject({ status: 'done' });
    });

    it('lets nobody pass those who wait', () => {
      const given = new GivenStock({ 'W1/A': '3' });
      given.when(wants('waits', { 1: 'A 5' }, partial));
      given.when(keeps('W1/A', { safetyQuantity: '4' }));
      given.when(receives('r1', 'W1', { A: '1' }));
      given.when(keeps('W1/A', { safetyQuantity: null }));
      expect(given.holds('waits')).toEqual(['W1/A 4']);
      expect(given.answer(wants('late', { 1: 'A 1' }))).toMatchObject({ status: 'failed', shortLines: [{ available: '0' }] });
    });
  });

  describe('by sequence', () => {
    const numbered = (sequence: number) => ({ meta: byEvent(`event-${sequence}-${Math.random()}`, { sequence }) });

    it('ignores a lower one, and answers what holds', () => {
      const given = new GivenStock({ 'W1/A': '10' });
      given.when(wants('o1', { 1: 'A 3' }, numbered(2)));
      given.said();
      expect(given.answer(wants('o1', { 1: 'A 9' }, numbered(1)))).toMatchObject({ status: 'reserved', sequence: 1 });
      expect(given.at('W1/A')).toBe('10 on hand, 3 reserved');
      expect(given.said()).toEqual([]);
    });

    it('changes nothing by the same one, and answers an outsider who repeats it', () => {
      const given = new GivenStock({ 'W1/A': '10' });
      given.when(wants('o1', { 1: 'A 3' }, numbered(1)));
      given.said();
      expect(given.answer(wants('o1', { 1: 'A 9' }, numbered(1)))).toMatchObject({ status: 'reserved', sequence: 2 });
      expect(given.at('W1/A')).toBe('10 on hand, 3 reserved');
      expect(given.said()).toMatchObject([{ type: 'StockReserved', sequence: 2, data: { stock: [{ requested: '3' }] } }]);
    });

    it('answers the refusal again to who repeats it, though stock has come since', () => {
      const given = new GivenStock({ 'W1/A': '1' });
      given.when(wants('o1', { 1: 'A 3' }, numbered(1)));
      given.when(receives('r1', 'W1', { A: '10' }));
      given.said();
      expect(given.answer(wants('o1', { 1: 'A 3' }, numbered(1)))).toMatchObject({ status: 'failed', reason: 'INSUFFICIENT_STOCK' });
      expect(given.saidTypes()).toEqual(['StockReservationFailed']);
      expect(given.answer(wants('o1', { 1: 'A 3' }, numbered(2)))).toMatchObject({ status: 'reserved' });
    });

    it('says nothing twice to our own orders, who say everything by event and by call', () => {
      const given = new GivenStock({ 'W1/A': '10' });
      const source = '/orders';
      given.when(wants('o1', { 1: 'A 3' }, { source, meta: byCall({ sequence: 1 }) }));
      given.said();
      expect(given.answer(wants('o1', { 1: 'A 3' }, { source, meta: byEvent('e1', { sequence: 1 }, source) }))).toMatchObject({
        status: 'reserved',
      });
      expect(given.said()).toEqual([]);
    });

    it('takes a call without one for the newest', () => {
      const given = new GivenStock({ 'W1/A': '10' });
      given.when(wants('o1', { 1: 'A 3' }, numbered(7)));
      given.when(wants('o1', { 1: 'A 4' }));
      expect(given.at('W1/A')).toBe('10 on hand, 4 reserved');
      given.when(wants('o1', { 1: 'A 5' }, numbered(7)));
      expect(given.at('W1/A')).toBe('10 on hand, 4 reserved');
    });

    it('does not tell an outdated message of the refusal of a later one', () => {
      const given = new GivenStock({ 'W1/A': '10' });
      given.when(wants('o1', { 1: 'A 3' }, numbered(1)));
      given.when(wants('o1', { 1: 'A 30' }, numbered(3)));
      expect(given.answer(wants('o1', { 1: 'A 4' }, numbered(2)))).toMatchObject({ status: 'reserved', stock: [{ reserved: '3' }] });
    });

    it('recognises an event by its id, whatever it says', () => {
      const given = new GivenStock({ 'W1/A': '10' });
      given.when(wants('o1', { 1: 'A 3' }, { meta: byEvent('e1') }));
      expect(given.when(wants('o1', { 1: 'A 5' }, { meta: byEvent('e1') }))).toEqual({ kind: 'duplicate' });
      const [first, second] = given.batch(
        wants('o2', { 1: 'A 1' }, { meta: byEvent('e2') }),
        wants('o2', { 1: 'A 1' }, { meta: byEvent('e2') }),
      );
      expect([first!.kind, second!.kind]).toEqual(['answer', 'duplicate']);
    });
  });

  describe('by time, without sequence', () => {
    it('ignores what was said before the last totals', () => {
      const given = new GivenStock({ 'W1/A': '10' });
      given.when(wants('o1', { 1: 'A 3' }, { meta: byEvent('e2', { time: at(2) }) }));
      given.when(wants('o1', { 1: 'A 9' }, { meta: byEvent('e1', { time: at(1) }) }));
      expect(given.at('W1/A')).toBe('10 on hand, 3 reserved');
      given.when(wants('o1', { 1: 'A 5' }, { meta: byEvent('e3', { time: at(2) }) }));
      expect(given.at('W1/A')).toBe('10 on hand, 5 reserved');
    });

    it('takes a cancellation as final, whenever it was said', () => {
      const given = new GivenStock({ 'W1/A': '10' });
      given.when(wants('o1', { 1: 'A 3' }, { meta: byEvent('e2', { time: at(2) }) }));
      expect(given.answer(cancels('o1', { meta: byEvent('e1', { time: at(1) }) }))).toMatchObject({ status: 'released' });
      expect(given.answer(wants('o1', { 1: 'A 3' }, { meta: byEvent('e3', { time: at(3) }) }))).toMatchObject({
        status: 'failed',
        reason: 'ORDER_CANCELLED',
      });
      expect(given.at('W1/A')).toBe('10 on hand');
    });
  });

  describe('amended', () => {
    it('is not blocked by its own hold', () => {
      const given = new GivenStock({ 'W1/A': '10' });
      given.when(wants('o1', { 1: 'A 8' }));
      expect(given.answer(wants('o1', { 1: 'A 10' }))).toMatchObject({ status: 'reserved' });
      expect(given.answer(wants('o1', { 1: 'A 4', 2: 'A 6' }))).toMatchObject({ status: 'reserved' });
      expect(given.answer(wants('o1', { 7: 'A 10' }))).toMatchObject({ status: 'reserved' });
      expect(given.holds('o1')).toEqual(['W1/A 10']);
    });

    it('may take again what it gives back, though safety stock and queue leave nothing for new demand', () => {
      const given = new GivenStock({ 'W1/A': '10' });
      given.when(wants('o1', { 1: 'A 8' }));
      given.when(keeps('W1/A', { safetyQuantity: '6' }));
      given.when(wants('o2', { 1: 'A 5' }, partial));
      expect(given.answer(wants('o1', { 1: 'A 3', 2: 'A 5' }))).toMatchObject({ status: 'reserved' });
      expect(given.answer(wants('o1', { 1: 'A 3', 2: 'A 6' }))).toMatchObject({
        status: 'failed',
        shortLines: [{ lineNo: 2, available: '0' }],
      });
    });

    it('keeps the old hold when it is refused', () => {
      const given = new GivenStock({ 'W1/A': '10' });
      given.when(wants('o1', { 1: 'A 3' }));
      expect(given.answer(wants('o1', { 1: 'A 30' }))).toMatchObject({
        status: 'failed',
        lines: [{ quantity: '3' }],
        stock: [{ requested: '3', reserved: '3' }],
      });
      expect(given.order('o1')).toEqual({ state: 'open', firm: true, lines: { 1: 'A 3: 3 reserved' } });
    });

    it('gives back what it does not want any more, to whoever waits', () => {
      const given = new GivenStock({ 'W1/A': '10' });
      given.when(wants('o1', { 1: 'A 10' }));
      given.when(wants('o2', { 1: 'A 4' }, partial));
      given.said();
      given.when(wants('o1', { 1: 'A 7' }));
      expect(given.said().map((event) => [event.type, event.subject])).toEqual([
        ['StockReserved', 'o1'],
        ['BackorderFilled', 'o2'],
      ]);
      expect(given.at('W1/A')).toBe('10 on hand, 10 reserved, 1 backordered');
    });

    it('keeps its place in the queue, and does not need to be able to hold what waited before', () => {
      const given = new GivenStock({ 'W1/A': '2' });
      given.when(wants('o1', { 1: 'A 5' }, partial));
      given.pass(10);
      given.when(wants('o2', { 1: 'A 1' }, partial));
      expect(given.answer(wants('o1', { 1: 'A 4' }, { mode: 'all_or_nothing' }))).toMatchObject({ status: 'partial' });
      expect(given.answer(wants('o1', { 1: 'A 6' }, { mode: 'all_or_nothing' }))).toMatchObject({ status: 'failed' });
      given.when(receives('r1', 'W1', { A: '2' }));
      expect(given.order('o1')!.lines).toEqual({ 1: 'A 4: 4 reserved' });
      expect(given.order('o2')!.lines).toEqual({ 1: 'A 1: 1 backordered' });
    });

    it('moves to another warehouse, or stands', () => {
      const given = new GivenStock({ 'W1/A': '10', 'W2/A': '4' });
      given.when(wants('o1', { 1: 'A 4 @W1' }));
      given.when(wants('o1', { 1: 'A 4 @W2' }));
      expect([given.at('W1/A'), given.at('W2/A')]).toEqual(['10 on hand', '4 on hand, 4 reserved']);
      expect(given.answer(wants('o1', { 1: 'A 5 @W2' }))).toMatchObject({ status: 'failed' });
      expect(given.holds('o1')).toEqual(['W2/A 4']);
    });

    it('takes its new place in the queue when its priority changes', () => {
      const given = new GivenStock({ 'W1/A': '0.5' });
      given.when(wants('o1', { 1: 'A 2' }, partial));
      given.pass(10);
      given.when(wants('o2', { 1: 'A 2' }, partial));
      given.when(wants('o2', { 1: 'A 2' }, { ...partial, priority: 80 }));
      given.when(receives('r1', 'W1', { A: '2' }));
      expect(given.holds('o1')).toEqual(['W1/A 0.5']);
      expect(given.holds('o2')).toEqual(['W1/A 2']);
    });

    it('stays firm once it is, and as it is when nothing is said', () => {
      const given = new GivenStock({ 'W1/A': '10' });
      given.when(wants('o1', { 1: 'A 1' }, soft));
      given.when(wants('o1', { 1: 'A 2' }));
      expect(given.order('o1')).toMatchObject({ firm: false });
      given.when(wants('o1', { 1: 'A 2' }, { firm: true }));
      given.when(wants('o1', { 1: 'A 2' }, soft));
      expect(given.order('o1')).toMatchObject({ firm: true });
    });

    it('asks for nothing on behalf of the shipped lines that it drops', () => {
      const given = new GivenStock({ 'W1/A': '10', 'W2/B': '5' });
      given.when(wants('o1', { 1: 'A 2', 2: 'A 2 @W1' }));
      given.when(ships('s1', 'o1', { 1: 'A 2', 2: 'A 2' }));
      expect(given.answer(wants('o1', { 3: 'B 1 @W2' }))).toMatchObject({ status: 'reserved' });
      expect(given.order('o1')!.lines).toEqual({ 1: 'A 2: 2 fulfilled', 2: 'A 2: 2 fulfilled', 3: 'B 1: 1 reserved' });
    });
  });

  describe('an order that ends', () => {
    it('gives everything back and can never hold again', () => {
      const given = new GivenStock({ 'W1/A': '3' });
      given.when(wants('o1', { 1: 'A 5' }, partial));
      expect(given.answer(cancels('o1', { reason: 'changed my mind' }))).toMatchObject({ status: 'released', lines: [] });
      expect(given.order('o1')).toEqual({ state: 'closed', firm: true, lines: { 1: 'A 5: 5 closed' } });
      expect(given.at('W1/A')).toBe('3 on hand');
      expect(given.said().at(-1)).toMatchObject({ type: 'StockReleased', data: { lines: [{ lineNo: 1, quantity: '3' }] } });
      expect(given.answer(wants('o1', { 1: 'A 1' }))).toMatchObject({ status: 'failed', reason: 'ORDER_CANCELLED' });
      expect(given.answer(cancels('o1'))).toMatchObject({ status: 'released' });
    });

    it('leaves a row when it is cancelled before anybody heard of it, so that a late confirmation holds nothing', () => {
      const given = new GivenStock({ 'W1/A': '3' });
      given.when(cancels('o1', { meta: byEvent('e2', { sequence: 2 }) }));
      expect(given.answer(wants('o1', { 1: 'A 1' }, { meta: byEvent('e1', { sequence: 1 }) }))).toMatchObject({ status: 'released' });
      expect(given.answer(wants('o1', { 1: 'A 1' }, { meta: byEvent('e3', { sequence: 3 }) }))).toMatchObject({
        reason: 'ORDER_CANCELLED',
      });
      expect(given.at('W1/A')).toBe('3 on hand');
    });

    it('closes what is left after a shipment', () => {
      const given = new GivenStock({ 'W1/A': '5' });
      given.when(wants('o1', { 1: 'A 5' }));
      given.when(ships('s1', 'o1', { 1: 'A 2' }));
      given.when(cancels('o1'));
      expect(given.order('o1')).toEqual({ state: 'closed', firm: true, lines: { 1: 'A 5: 2 fulfilled, 3 closed' } });
    });

    it('is held again when it is confirmed after its soft hold ran out, if there is stock', () => {
      const given = new GivenStock({ 'W1/A': '5' });
      given.when(wants('o1', { 1: 'A 5' }, { ...soft, ttlSeconds: 60 }));
      given.pass(61);
      given.when(expires('o1'));
      expect(given.answer(wants('o1', { 1: 'A 5' }, { firm: true }))).toMatchObject({ status: 'reserved', firm: true });
      given.when(wants('o2', { 1: 'A 1' }, soft));
      expect(given.answer(wants('o2', { 1: 'A 1' }, { firm: true }))).toMatchObject({ status: 'failed' });
    });

    it('is simply confirmed when its time is up and no sweeper has looked yet', () => {
      const given = new GivenStock({ 'W1/A': '5' });
      given.when(wants('o1', { 1: 'A 5' }, { ...soft, ttlSeconds: 60 }));
      given.pass(61);
      expect(given.answer(wants('o1', { 1: 'A 5' }, { firm: true }))).toMatchObject({ status: 'reserved', expiresAt: null });
      expect(given.answer(expires('o1'))).toEqual({ expired: false });
    });
  });

  describe('soft holds', () => {
    it('run out after the time that is said, else after the organisation’s', () => {
      const given = new GivenStock({ 'W1/A': '5' }, { settings: { softReservationTtlSeconds: 300 } });
      const inSeconds = (seconds: number) => new Date(given.stock.now.getTime() + seconds * 1000).toISOString();
      expect(given.answer(wants('o1', { 1: 'A 1' }, { ...soft, ttlSeconds: 60 }))).toMatchObject({ firm: false, expiresAt: inSeconds(60) });
      expect(given.answer(wants('o2', { 1: 'A 1' }, soft))).toMatchObject({ expiresAt: inSeconds(300) });
    });

    it('do not run out while an approval is open', () => {
      const given = new GivenStock({ 'W1/A': '5' });
      const waiting = { ...soft, source: '/orders', approvalRequestId: 'a1' };
      expect(given.answer(wants('o1', { 1: 'A 1' }, { ...waiting, pendingApproval: true }))).toMatchObject({ expiresAt: null });
      expect(given.answer(wants('o1', { 1: 'A 1' }, waiting))).toMatchObject({ expiresAt: expect.any(String) });
    });
  });

  describe('whose order it is', () => {
    it('belongs to the source that said it first', () => {
      const given = new GivenStock({ 'W1/A': '5' });
      given.when(wants('o1', { 1: 'A 1' }));
      expect(given.answer(wants('o1', { 1: 'A 5' }, { source: '/intruder' }))).toMatchObject({
        status: 'failed',
        reason: 'ORDER_OWNED_ELSEWHERE',
      });
      expect(given.answer(cancels('o1', { source: '/intruder' }))).toMatchObject({ reason: 'ORDER_OWNED_ELSEWHERE' });
      expect(given.order('o1')).toEqual({ state: 'open', firm: true, lines: { 1: 'A 1: 1 reserved' } });
    });

    it('does not let a stranger’s sequence outdate the owner’s', () => {
      const given = new GivenStock({ 'W1/A': '5' });
      given.when(wants('o1', { 1: 'A 1' }, { meta: byEvent('e1', { sequence: 1 }) }));
      given.when(wants('o1', { 1: 'A 5' }, { source: '/intruder', meta: byEvent('x', { sequence: 99 }, '/intruder') }));
      expect(given.answer(wants('o1', { 1: 'A 2' }, { meta: byEvent('e2', { sequence: 2 }) }))).toMatchObject({ status: 'reserved' });
    });

    it('is nobody’s while only a shipment of it is known', () => {
      const given = new GivenStock({ 'W1/A': '5' });
      given.when(ships('s1', 'o1', { 1: 'A 1' }));
      expect(given.answer(wants('o1', { 1: 'A 3' }, { source: '/oms-2' }))).toMatchObject({
        status: 'reserved',
        stock: [{ reserved: '2', fulfilled: '1' }],
      });
    });
  });

  describe('without warehouse', () => {
    it('takes the first by priority that covers a line', () => {
      const given = new GivenStock({ 'W1/A': '3', 'W2/A': '9' });
      given.when(wants('o1', { 1: 'A 3', 2: 'A 5' }));
      expect(given.holds('o1')).toEqual(['W1/A 3', 'W2/A 5']);
    });

    it('stays where it is held, when that covers it', () => {
      const given = new GivenStock({ 'W1/A': '3', 'W2/A': '9' });
      given.when(wants('o1', { 1: 'A 5' }));
      given.when(wants('o1', { 1: 'A 6' }));
      expect(given.holds('o1')).toEqual(['W2/A 6']);
    });

    it('takes what each has, in the order of their priority, when none covers it, and waits in the first', () => {
      const given = new GivenStock({ 'W1/A': '3', 'W2/A': '9' });
      given.when(wants('o1', { 1: 'A 20' }, partial));
      expect([given.at('W1/A'), given.at('W2/A')]).toEqual(['3 on hand, 3 reserved, 8 backordered', '9 on hand, 9 reserved']);
    });

    it('waits in the first one when the item was never stored', () => {
      const given = new GivenStock({});
      given.when(wants('o1', { 1: 'A 2' }, partial));
      expect(given.at('W1/A')).toBe('2 backordered');
    });

    it('takes the warehouse of the whole order, where a line names none', () => {
      const given = new GivenStock({ 'W1/A': '3', 'W2/A': '9' });
      given.when(wants('o1', { 1: 'A 1', 2: 'A 1 @W1' }, { warehouseId: 'W2' }));
      expect([given.at('W1/A'), given.at('W2/A')]).toEqual(['3 on hand, 1 reserved', '9 on hand, 1 reserved']);
    });
  });

  describe('that makes no sense', () => {
    it.each([
      ['an unknown item', { 1: 'X 1' }, 'ITEM_NOT_FOUND'],
      ['an unknown item in a named warehouse', { 1: 'X 1 @W1' }, 'ITEM_NOT_FOUND'],
      ['an unknown warehouse', { 1: 'A 1 @W9' }, 'WAREHOUSE_NOT_FOUND'],
    ])('is refused: %s', (_, lines, reason) => {
      const given = new GivenStock({ 'W1/A': '3' });
      expect(given.answer(wants('o1', lines))).toMatchObject({ status: 'failed', reason });
      expect(given.saidTypes()).toEqual(['StockReservationFailed']);
    });

    it('is refused where there is no warehouse at all', () => {
      const given = new GivenStock({}, { warehouses: [] });
      expect(given.answer(wants('o1', { 1: 'A 1' }))).toMatchObject({ reason: 'WAREHOUSE_NOT_FOUND' });
    });

    it('is refused when it names a lot, a line twice, or another item for a line of which something was shipped', () => {
      const given = new GivenStock({ 'W1/A': '3', 'W1/B': '3' });
      const line = { lineNo: 1, itemId: 'A', quantity: '1' };
      expect(given.answer(wants('o1', {}, { lines: [{ ...line, lot: 'L1' }] }))).toMatchObject({ reason: 'LOT_NOT_FOUND' });
      expect(given.answer(wants('o1', {}, { lines: [line, line] }))).toMatchObject({ reason: 'INVALID_STATE' });
      given.when(wants('o2', { 1: 'A 2' }));
      given.when(ships('s1', 'o2', { 1: 'A 1' }));
      expect(given.answer(wants('o2', { 1: 'B 2' }))).toMatchObject({ reason: 'INVALID_STATE' });
      expect(given.order('o2')!.lines).toEqual({ 1: 'A 2: 1 reserved, 1 fulfilled' });
    });

    it('keeps what was shipped of a line when the order that comes later names another item for it', () => {
      const given = new GivenStock({ 'W1/A': '3', 'W1/B': '3' });
      given.when(ships('s1', 'o1', { 1: 'A 2' }));
      expect(given.answer(wants('o1', { 1: 'B 5' }))).toMatchObject({ reason: 'INVALID_STATE' });
      expect(given.order('o1')).toEqual({ state: 'refused', firm: false, lines: { 1: 'A 2: 2 fulfilled' } });
    });

    it('never closes more of a refused line than is open', () => {
      const given = new GivenStock({ 'W1/A': '4' });
      given.when(wants('o1', { 1: 'A 10' }));
      given.when(ships('s1', 'o1', { 1: 'A 4' }, { closeShortLines: true }));
      expect(given.order('o1')!.lines).toEqual({ 1: 'A 10: 4 fulfilled, 6 closed' });
      given.when(wants('o1', { 1: 'A 5', 2: 'A 9' }));
      expect(given.order('o1')!.lines).toEqual({ 1: 'A 5: 4 fulfilled, 1 closed', 2: 'A 9: 9 unheld' });
    });

    it('is refused before what waits is more than can be told', () => {
      const given = new GivenStock({});
      given.when(wants('o1', { 1: 'A 999999999999' }, partial));
      expect(given.answer(wants('o2', { 1: 'A 999999999999' }, partial))).toMatchObject({ status: 'failed', reason: 'INSUFFICIENT_STOCK' });
      expect(given.answer(wants('o2', { 1: 'A 0.9999' }, partial))).toMatchObject({ status: 'partial' });
    });
  });

  describe('of an order of which something was shipped', () => {
    it('holds only the rest', () => {
      const given = new GivenStock({ 'W1/A': '10' });
      given.when(ships('s1', 'o1', { 1: 'A 2', 2: 'A 1' }));
      given.when(wants('o1', { 1: 'A 5' }));
      expect(given.order('o1')!.lines).toEqual({ 1: 'A 5: 3 reserved, 2 fulfilled', 2: 'A 1: 1 fulfilled' });
    });

    it('never wants less than that, until the shipment is taken back', () => {
      const given = new GivenStock({ 'W1/A': '10' });
      given.when(wants('o1', { 1: 'A 5' }));
      given.when(ships('s1', 'o1', { 1: 'A 4' }));
      given.when(wants('o1', { 1: 'A 1' }));
      expect(given.order('o1')!.lines).toEqual({ 1: 'A 4: 4 fulfilled' });
      given.when(unships('s1', 'o1'));
      expect(given.order('o1')!.lines).toEqual({ 1: 'A 1: 1 reserved' });
    });

    it('remembers what was returned of a line that it drops', () => {
      const given = new GivenStock({ 'W1/A': '10' });
      given.when(wants('o1', { 1: 'A 5' }));
      given.when(ships('s1', 'o1', { 1: 'A 4' }));
      given.when(returns('r1', 'o1', { 1: 'A 1' }));
      given.when(wants('o1', { 2: 'A 1' }));
      expect(given.order('o1')!.lines).toEqual({ 1: 'A 4: 4 fulfilled, 1 returned', 2: 'A 1: 1 reserved' });
    });
  });
});
