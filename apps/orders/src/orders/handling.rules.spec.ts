import { decidePack, decidePick, suggestedTotals } from './handling.rules.js';
import { aLine, anOrder, someStock } from './order.fixture.js';

const now = new Date('2026-01-10T12:00:00Z');
const thrown = (code: string) => expect.objectContaining({ code });
const suggestion = {
  lineNo: 1,
  itemId: 'a',
  name: 'a',
  warehouseId: 'main',
  lot: null,
  location: 'default',
  quantity: '4',
  expiresAt: null,
};

describe('picking and packing', () => {
  it('counts totals: what was shipped, and what is suggested', () => {
    const order = anOrder({ status: 'partially_shipped', stock: [someStock({ fulfilled: 3, reserved: 7 })] });
    expect(suggestedTotals(order, [suggestion, { ...suggestion, quantity: '3' }])).toEqual([{ lineNo: 1, quantity: '10' }]);
  });

  it('follows what was really done', () => {
    const picked = decidePick(anOrder(), [{ lineNo: 1, quantity: '8' }], now).order;
    expect(picked).toMatchObject({ status: 'picking', statusSince: now, lines: [{ picked: 80_000n }] });
    expect(() => decidePack(picked, [{ lineNo: 1, quantity: '9' }], [], now)).toThrow(thrown('ORDER_VALIDATION'));
    expect(decidePack(picked, null, [suggestion], now).order).toMatchObject({ status: 'packed', lines: [{ packed: 80_000n }] });
    expect(decidePack(anOrder(), null, [suggestion], now).order).toMatchObject({
      status: 'packed',
      lines: [{ picked: null, packed: 40_000n }],
    });
  });

  it('stays between what was shipped and what was ordered', () => {
    const order = anOrder({ status: 'partially_shipped', stock: [someStock({ fulfilled: 3, closed: 1, reserved: 6 })] });
    expect(decidePick(order, [{ lineNo: 1, quantity: '3' }], now).order).toMatchObject({
      status: 'partially_shipped',
      lines: [{ picked: 30_000n }],
    });
    expect(() => decidePick(order, [{ lineNo: 1, quantity: '2.9' }], now)).toThrow(thrown('ORDER_VALIDATION'));
    expect(() => decidePick(order, [{ lineNo: 1, quantity: '9.1' }], now)).toThrow(thrown('ORDER_VALIDATION'));
    expect(() => decidePick(order, [{ lineNo: 2, quantity: '1' }], now)).toThrow(thrown('ORDER_VALIDATION'));
    expect(() => decidePick(order, [{ lineNo: 1, quantity: '5', lots: [{ lot: 'l', quantity: '4' }] }], now)).toThrow(
      thrown('ORDER_VALIDATION'),
    );
  });

  it.each(['created', 'packed', 'shipped', 'cancelled'] as const)('is too early or too late for an order that is %s', (status) => {
    expect(() => decidePick(anOrder({ status, lines: [aLine()] }), [], now)).toThrow(thrown('INVALID_STATE'));
  });
});
