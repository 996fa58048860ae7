import { parseQuantity } from '#libs/domain';
import { decidePack, decidePick, pickedAs, suggestedTotals } from './handling.rules.js';
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
    const lines = [{ lineNo: 1, quantity: '8' }];
    const decided = decidePick(anOrder(), lines);
    expect(decided).toMatchObject({ order: { status: 'confirmed' }, ask: { kind: 'pick', data: { orderId: 'o', lines } } });
    expect(decidePick(anOrder(), null).ask).toEqual({ kind: 'pick', data: { orderId: 'o' } });
    const picked = pickedAs(decided.order, [{ lineNo: 1, quantity: parseQuantity('8') }], now);
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
    expect(pickedAs(order, [{ lineNo: 1, quantity: 30_000n }], now)).toMatchObject({
      status: 'partially_shipped',
      lines: [{ picked: 30_000n }],
    });
    expect(() => decidePick(order, [{ lineNo: 1, quantity: '2.9' }])).toThrow(thrown('ORDER_VALIDATION'));
    expect(() => decidePick(order, [{ lineNo: 1, quantity: '9.1' }])).toThrow(thrown('ORDER_VALIDATION'));
    expect(() => decidePick(order, [{ lineNo: 2, quantity: '1' }])).toThrow(thrown('ORDER_VALIDATION'));
    expect(() => decidePick(order, [{ lineNo: 1, quantity: '5', lots: [{ lot: 'l', quantity: '4' }] }])).toThrow(
      thrown('ORDER_VALIDATION'),
    );
  });

  it('packs quantities, and takes no lots that nobody would keep', () => {
    const lines = [{ lineNo: 1, quantity: '5', lots: [{ lot: 'l', quantity: '5' }] }];
    expect(() => decidePack(anOrder(), lines, [], now)).toThrow(thrown('ORDER_VALIDATION'));
  });

  it.each(['created', 'packed', 'shipped', 'cancelled'] as const)('is too early or too late for an order that is %s', (status) => {
    expect(() => decidePick(anOrder({ status, lines: [aLine()] }), [])).toThrow(thrown('INVALID_STATE'));
  });
});
