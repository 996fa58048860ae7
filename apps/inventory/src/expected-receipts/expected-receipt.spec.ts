import { formatQuantity, parseQuantity } from '#libs/domain';
import { cancelledExpectation, changedExpectation, type Expectation, openQuantity } from './expected-receipt.js';

const expecting = (quantity: string, received = '0', more: Partial<Expectation> = {}): Expectation => ({
  ...{ expectedReceiptId: 'e', warehouseId: 'W', itemId: 'A', expectedOn: '2026-03-15', reference: 'PO 7', status: 'open' },
  quantity: parseQuantity(quantity),
  received: parseQuantity(received),
  ...more,
});
const change = (current: Expectation, request: object) => changedExpectation(current, { expectedReceiptId: 'e', ...request });

describe('goods that are to come', () => {
  it('are counted on as far as they have not come', () => {
    const open = (expectation: Expectation) => formatQuantity(openQuantity(expectation));
    expect(open(expecting('10', '4'))).toBe('6');
    expect(open(expecting('10', '12', { status: 'received' }))).toBe('0');
    expect(open(expecting('10', '4', { status: 'cancelled' }))).toBe('0');
  });

  it('may come in another quantity, on another day', () => {
    expect(change(expecting('10', '4'), { quantity: '8', expectedOn: '2026-04-01', reference: null })).toEqual(
      expecting('8', '4', { expectedOn: '2026-04-01', reference: null }),
    );
  });

  it('have all come when no more is announced than has', () => {
    expect(change(expecting('10', '4'), { quantity: '4.00' }).status).toBe('received');
    expect(() => change(expecting('10', '4'), { quantity: '3.9999' })).toThrow(
      expect.objectContaining({ code: 'STOCK_VALIDATION', details: { receivedQuantity: '4' } }),
    );
  });

  it('are left alone by a change that changes nothing, whatever became of them', () => {
    for (const status of ['open', 'received', 'cancelled'] as const) {
      const current = expecting('10', '4', { status });
      expect(change(current, { quantity: '10.0', expectedOn: '2026-03-15' })).toBe(current);
    }
  });

  it.each(['received', 'cancelled'] as const)('cannot be changed when they are %s', (status) => {
    expect(() => change(expecting('10', '4', { status }), { quantity: '11' })).toThrow(expect.objectContaining({ code: 'INVALID_STATE' }));
  });

  it('are cancelled once, and not when all of them have come', () => {
    const cancelled = cancelledExpectation(expecting('10', '4'));
    expect(cancelled).toEqual(expecting('10', '4', { status: 'cancelled' }));
    expect(cancelledExpectation(cancelled)).toBe(cancelled);
    expect(() => cancelledExpectation(expecting('10', '10', { status: 'received' }))).toThrow(
      expect.objectContaining({ code: 'INVALID_STATE' }),
    );
  });
});
