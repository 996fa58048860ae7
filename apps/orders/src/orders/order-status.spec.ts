import fc from 'fast-check';
import { anOrder, someStock } from './order.fixture.js';
import type { StoredStatus } from './order-state.js';
import { checkAction, LIFE_CYCLE, type OrderAction, statusFromStock } from './order-status.js';

describe('the status of an order', () => {
  it.each<[string, Parameters<typeof someStock>[0], boolean, StoredStatus, StoredStatus]>([
    ['held softly', { reserved: 10 }, false, 'reserving', 'created'],
    ['held firmly', { reserved: 10 }, true, 'created', 'confirmed'],
    ['held in part', { reserved: 1, backordered: 9 }, false, 'created', 'created'],
    ['only waiting', { backordered: 10 }, true, 'confirmed', 'backordered'],
    ['held again after waiting', { reserved: 4, backordered: 6 }, true, 'backordered', 'confirmed'],
    ['neither held nor waiting', { unheld: 10 }, false, 'created', 'expired'],
    ['picked, and a fact took some of it', { reserved: 7, backordered: 3 }, true, 'picking', 'picking'],
    ['packed', { reserved: 10 }, true, 'packed', 'packed'],
    ['shipped in part', { reserved: 4, fulfilled: 6 }, true, 'packed', 'partially_shipped'],
    ['shipped in part, the rest waiting', { backordered: 4, fulfilled: 6 }, true, 'confirmed', 'partially_shipped'],
    ['shipped', { fulfilled: 10 }, true, 'partially_shipped', 'shipped'],
    ['shipped, the rest closed', { fulfilled: 6, closed: 4 }, true, 'partially_shipped', 'shipped'],
    ['taken back', { reserved: 10 }, true, 'shipped', 'confirmed'],
    ['closed', { closed: 10 }, false, 'created', 'cancelled'],
  ])('%s', (_, stock, firm, before, after) => {
    expect(statusFromStock(anOrder({ status: before, firm, stock: [someStock(stock)] }))).toBe(after);
  });

  it('allows each action where the life cycle says so, and nowhere else', () => {
    const statuses: StoredStatus[] = ['reserving', 'created', 'pending_approval', 'backordered', 'confirmed', 'picking', 'packed'];
    statuses.push('partially_shipped', 'shipped', 'cancelled', 'rejected', 'expired');
    fc.assert(
      fc.property(fc.constantFrom(...statuses), fc.constantFrom(...(Object.keys(LIFE_CYCLE) as OrderAction[])), (status, action) => {
        const order = anOrder({ status, firm: false });
        const expected = status === 'refused' ? undefined : LIFE_CYCLE[action][status];
        if (expected === undefined) expect(() => checkAction(order, action)).toThrow(expect.objectContaining({ code: 'INVALID_STATE' }));
        else expect(checkAction(order, action)).toBe(expected);
      }),
    );
  });

  it('has nothing more to do for who was cancelled after a shipment, or confirmed while waiting', () => {
    expect(checkAction(anOrder({ status: 'shipped', cancelledAt: new Date() }), 'cancel')).toBe('done');
    expect(() => checkAction(anOrder({ status: 'shipped' }), 'cancel')).toThrow(expect.objectContaining({ code: 'INVALID_STATE' }));
    expect(checkAction(anOrder({ status: 'backordered', firm: true }), 'confirm')).toBe('done');
  });

  it('lets a confirmed order leave that only waits: whether it may is for inventory to say', () => {
    expect(checkAction(anOrder({ status: 'backordered', firm: true }), 'ship')).toBe('do');
    expect(() => checkAction(anOrder({ status: 'backordered', firm: true }), 'pick')).toThrow(
      expect.objectContaining({ code: 'INVALID_STATE' }),
    );
  });

  it('shows nobody a refused order', () => {
    expect(() => checkAction(anOrder({ status: 'refused' }), 'confirm')).toThrow(expect.objectContaining({ code: 'ORDER_NOT_FOUND' }));
  });
});
