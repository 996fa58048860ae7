import fc from 'fast-check';
import { sumQuantities } from '#libs/domain';
import { aLine, anOrder, someStock } from '../orders/order.fixture.js';
import type { OrderState } from '../orders/order-state.js';
import type { MovedLine } from '../stock/stock-report.js';
import { refundTotal } from './refund.rules.js';
import {
  decideAuthorise,
  decideCancelReturn,
  decideInspect,
  decideReceive,
  findReturn,
  inspect,
  receive,
  receivedAs,
  returnableQuantity,
} from './return.rules.js';
import { inspectedQuantity } from './return-state.js';

const now = new Date('2026-01-10T12:00:00Z');
const thrown = (code: string) => expect.objectContaining({ code });
const shipped = anOrder({ status: 'shipped', stock: [someStock({ fulfilled: 10 })] });

type Lines = Parameters<typeof decideAuthorise>[1]['lines'];
const line = (quantity: string, more: Partial<Lines[number]> = {}): Lines[number] => ({
  lineNo: 1,
  quantity,
  condition: 'unknown',
  reason: 'r',
  ...more,
});
const authorise = (order: OrderState, lines: Lines, returnId = 'r', mayPrice = false) =>
  decideAuthorise(order, { orderId: 'o', returnId, lines }, 'digest', { mayPrice, serialItems: new Set(['bike']) }, now).order;
const came = (quantity: bigint, quality: string | null = 'pending_inspection'): MovedLine => ({
  ...{ lineNo: 1, itemId: 'a', warehouseId: 'main', lot: null, cogs: null },
  quantity,
  quality,
});

describe('authorising a return', () => {
  it('is never for more than was shipped, all returns together', () => {
    const once = authorise(shipped, [line('6'), line('1')]);
    expect(() => authorise(once, [line('3.0001')], 'r2')).toThrow(thrown('ORDER_VALIDATION'));
    const twice = authorise(once, [line('3')], 'r2');
    // What was authorised and did not come can be authorised again.
    const received = receive(twice, 'r', [came(20_000n)]);
    expect(() => authorise(received, [line('5.0001')], 'r3')).toThrow(thrown('ORDER_VALIDATION'));
    expect(authorise(received, [line('5')], 'r3').returns).toHaveLength(3);
    expect(() => authorise(anOrder(), [line('1')])).toThrow(thrown('ORDER_VALIDATION'));
  });

  it('recognises the same body, and refuses another', () => {
    const once = authorise(shipped, [line('1')]);
    expect(authorise(once, [line('1')])).toBe(once);
    expect(() =>
      decideAuthorise(once, { orderId: 'o', returnId: 'r', lines: [line('2')] }, 'other', { mayPrice: false, serialItems: new Set() }, now),
    ).toThrow(thrown('ALREADY_EXISTS'));
  });

  it('is of whole pieces where they have serial numbers', () => {
    const bikes = { ...shipped, lines: [aLine({ itemId: 'bike' })] };
    expect(() => authorise(bikes, [line('0.5')])).toThrow(thrown('ORDER_VALIDATION'));
    expect(authorise(bikes, [line('1')]).returns).toHaveLength(1);
  });

  it('refunds what the line cost, or less; more only by who may', () => {
    const refund = (lines: Lines, mayPrice = false) => findReturn(authorise(shipped, lines, 'r', mayPrice), 'r').lines[0]!.refund;
    expect(refund([line('3')])).toBe('7.5');
    expect(refund([line('3', { refund: '5' })])).toBe('5');
    expect(() => refund([line('3', { refund: '7.51' })])).toThrow(thrown('FORBIDDEN'));
    expect(refund([line('3', { refund: '7.51' })], true)).toBe('7.51');
    expect(() => refund([line('3', { refund: '1.001' })])).toThrow(thrown('ORDER_VALIDATION'));
  });

  it('rounds half away from zero, to the decimals of the currency', () => {
    const refund = (unitPrice: string, quantity: string, currency: string) =>
      findReturn(authorise({ ...shipped, currency, lines: [aLine({ unitPrice })] }, [line(quantity)]), 'r').lines[0]!.refund;
    expect(refund('0.67', '1.5', 'EUR')).toBe('1.01');
    expect(refund('0.01', '0.5', 'EUR')).toBe('0.01');
    expect(refund('101', '1.5', 'JPY')).toBe('152');
    expect(refund('999999999999.9999', '10', 'EUR')).toBe('10000000000000');
    expect(refund('0', '1', 'EUR')).toBe('0');
  });
});

describe('receiving a return', () => {
  const authorised = authorise(shipped, [line('2', { condition: 'resellable' }), line('1', { condition: 'damaged' })]);

  it('takes in all that was authorised unless it is said what came', () => {
    const { ask } = decideReceive(authorised, { returnId: 'r', warehouseId: 'w' });
    expect(ask).toMatchObject({
      kind: 'receive',
      data: {
        warehouseId: 'w',
        lines: [
          { quantity: '2', condition: 'resellable' },
          { quantity: '1', condition: 'damaged' },
        ],
      },
    });
    expect(() => decideReceive(authorised, { returnId: 'r', warehouseId: 'w', lines: [line('3.1')] })).toThrow(thrown('ORDER_VALIDATION'));
    expect(() => decideReceive(authorised, { returnId: 'r', warehouseId: 'w', lines: [{ lineNo: 2, quantity: '1' }] })).toThrow(
      thrown('ORDER_VALIDATION'),
    );
    expect(() => decideReceive(authorised, { returnId: 'r' })).toThrow(thrown('ORDER_VALIDATION'));
    expect(() => decideReceive(authorised, { returnId: 'x' })).toThrow(thrown('RETURN_NOT_FOUND'));
  });

  it('happens once', () => {
    const received = receive(authorised, 'r', [came(20_000n), came(5_000n)]);
    expect(findReturn(received, 'r')).toMatchObject({
      status: 'received',
      warehouseId: 'main',
      lines: [{ received: 20_000n }, { received: 5_000n }],
    });
    expect(receive(received, 'r', [came(5_000n)])).toBe(received);
    expect(decideReceive(received, { returnId: 'r', lines: [line('2.5')] })).toEqual({ order: received });
    expect(() => decideReceive(received, { returnId: 'r', lines: [line('1')] })).toThrow(thrown('INVALID_STATE'));
  });

  it('is the same only when all of it is: where it came in, which lots, in what condition', () => {
    const said = { returnId: 'r', warehouseId: 'main', lines: [line('2', { lot: 'x' }), { lineNo: 1, quantity: '1' }] };
    const { ask } = decideReceive(authorised, said);
    if (ask?.kind !== 'receive') throw new Error('It was not asked for.');
    const received = receivedAs(receive(authorised, 'r', [came(30_000n)]), ask.data);
    expect(decideReceive(received, { ...said, lines: said.lines.toReversed() })).toEqual({ order: received });
    const others = [
      { ...said, warehouseId: 'w' },
      { ...said, lines: [line('2', { lot: 'z' }), { lineNo: 1, quantity: '1' }] },
      { ...said, lines: [line('2', { lot: 'x', condition: 'damaged' }), { lineNo: 1, quantity: '1' }] },
      { returnId: 'r' },
    ];
    for (const other of others) expect(() => decideReceive(received, other)).toThrow(thrown('INVALID_STATE'));
  });

  it('needs no inspection of what came in as something else', () => {
    const partly = findReturn(receive(authorised, 'r', [came(20_000n, 'available'), came(10_000n)]), 'r');
    expect(partly).toMatchObject({
      status: 'partially_inspected',
      lines: [{ verdicts: [{ verdict: 'available', quantity: 20_000n }] }, { verdicts: [] }],
    });
    expect(findReturn(receive(authorised, 'r', [came(30_000n, 'available')]), 'r').status).toBe('completed');
  });
});

describe('cancelling a return', () => {
  const authorised = authorise(shipped, [line('10')]);

  it('frees what was authorised, once', () => {
    const { order, audit } = decideCancelReturn(authorised, { returnId: 'r', reason: 'kept' });
    expect(audit).toEqual({ type: 'return_cancelled', details: { returnId: 'r', reason: 'kept' } });
    expect([findReturn(order, 'r').status, returnableQuantity(order, 1)]).toEqual(['cancelled', 100_000n]);
    expect(decideCancelReturn(order, { returnId: 'r' })).toEqual({ order });
    expect(() => decideReceive(order, { returnId: 'r', warehouseId: 'main' })).toThrow(thrown('INVALID_STATE'));
  });

  it('is refused once something of it came in, and what comes in all the same is there', () => {
    const received = receive(authorised, 'r', [came(10_000n)]);
    expect(() => decideCancelReturn(received, { returnId: 'r' })).toThrow(thrown('INVALID_STATE'));
    const { order } = decideCancelReturn(authorised, { returnId: 'r' });
    expect(findReturn(receive(order, 'r', [came(10_000n)]), 'r').status).toBe('received');
  });
});

describe('inspecting a return', () => {
  const received = receive(authorise(shipped, [line('2'), line('1')]), 'r', [came(30_000n)]);
  const verdict = (quantity: string) => ({ lineNo: 1, quantity, verdict: 'available' as const });

  it('is never of more than came in and was not inspected', () => {
    expect(() => decideInspect(received, { returnId: 'r', lines: [verdict('3.1')] })).toThrow(thrown('ORDER_VALIDATION'));
    const first = inspect(received, { returnId: 'r', orderId: 'o', lines: [verdict('2.5')] });
    expect(findReturn(first, 'r')).toMatchObject({
      status: 'partially_inspected',
      lines: [{ verdicts: [{ quantity: 20_000n }] }, { verdicts: [{ quantity: 5_000n }] }],
    });
    expect(() => decideInspect(first, { returnId: 'r', lines: [verdict('0.6')] })).toThrow(thrown('ORDER_VALIDATION'));
    const done = inspect(first, { returnId: 'r', orderId: 'o', lines: [verdict('0.5')] });
    expect(findReturn(done, 'r').status).toBe('completed');
    expect(() => decideInspect(done, { returnId: 'r', lines: [verdict('0.1')] })).toThrow(thrown('INVALID_STATE'));
    expect(() => decideInspect(authorise(shipped, [line('1')]), { returnId: 'r', lines: [verdict('1')] })).toThrow(thrown('INVALID_STATE'));
  });

  it('owes the whole refund in the end, however it was inspected, and never more on the way', () => {
    const parts = fc.array(fc.bigInt({ min: 1n, max: 30_000n }), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(parts, fc.integer({ min: 0, max: 99_999 }), (quantities, cents) => {
        const total = sumQuantities(quantities, (quantity) => quantity);
        const text = (quantity: bigint) => (Number(quantity) / 10_000).toFixed(4);
        const order = { ...anOrder({ lines: [aLine({ quantity: total, unitPrice: (cents / 100).toFixed(2) })] }) };
        const sold = { ...order, stock: [{ ...order.stock[0]!, reserved: 0n, fulfilled: total }] };
        let current = receive(authorise(sold, [line(text(total))]), 'r', [came(total)]);
        const refund = Number(findReturn(current, 'r').lines[0]!.refund);
        let before = 0;
        for (const quantity of quantities) {
          current = inspect(current, { returnId: 'r', orderId: 'o', lines: [verdict(text(quantity))] });
          const due = Number(refundTotal(findReturn(current, 'r'), 'EUR'));
          expect(due).toBeGreaterThanOrEqual(before);
          expect(due).toBeLessThanOrEqual(refund);
          before = due;
        }
        expect(before).toBe(refund);
        expect(inspectedQuantity(findReturn(current, 'r').lines[0]!)).toBe(total);
      }),
    );
  });

  it('owes nothing for what has no price', () => {
    const free = { ...shipped, lines: [aLine({ unitPrice: null })] };
    const ret = receive(authorise(free, [line('1')]), 'r', [came(10_000n, 'available')]);
    expect(refundTotal(findReturn(ret, 'r'), 'EUR')).toBeNull();
  });
});
