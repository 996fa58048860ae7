import fc from 'fast-check';
import { anOrder, aLine, someStock } from '../orders/order.fixture.js';
import type { LineStock, OrderState } from '../orders/order-state.js';
import { applyStockReport } from './apply-stock-report.js';
import type { Ask, Outstanding } from './outstanding.js';
import type { Answer, Refusal, StockReport } from './stock-report.js';

const now = new Date('2026-01-11T00:00:00Z');
const refusal: Refusal = { reason: 'INSUFFICIENT_STOCK', lines: [], discrepancyIds: [], alternatives: [] };
const demand = {
  orderId: 'o',
  priority: 50,
  reservationMode: 'all_or_nothing' as const,
  lines: [{ lineNo: 1, itemId: 'a', quantity: '10' }],
};

function waiting(ask: Ask, order: Partial<OrderState> = {}): OrderState {
  const outstanding: Outstanding = { ...ask, sequence: 3, since: 2, digest: 'd', actor: 'ann', askedAt: now.toISOString() };
  return anOrder({ outstanding, sequence: 3, ...order });
}

function answer(to: Answer['to'], more: Partial<Answer> = {}): Answer {
  return { to, subjectId: null, refusal: null, moved: [], cogsTotal: null, ...more };
}

function report(sequence: number, stock: LineStock, more: Partial<StockReport> = {}): StockReport {
  return { sequence, stock: [stock], ...more };
}

const reserved = (sequence: number, firm: boolean) =>
  report(sequence, someStock({ reserved: 10 }), { firm, expiresAt: null, holds: [], answer: answer(['place', 'amend', 'confirm']) });
const apply = (order: OrderState, ...reports: StockReport[]) =>
  reports.reduce((current, each) => applyStockReport(current, each, now).order, order);

describe('what inventory says', () => {
  it('makes an order, and settles what was outstanding', () => {
    const order = waiting({ kind: 'place', data: demand }, { status: 'reserving', firm: false, stock: [], stockSequence: 0 });
    const applied = applyStockReport(order, reserved(3, false), now);
    expect(applied.order).toMatchObject({ status: 'created', outstanding: null, stockSequence: 3 });
    expect(applied.settled).toEqual({ outstanding: order.outstanding, refusal: null });
  });

  it('leaves of a refused order only the count', () => {
    const order = waiting({ kind: 'place', data: demand }, { status: 'reserving', stock: [] });
    const failed = report(3, someStock({ unheld: 10 }), { answer: answer(['place'], { refusal }) });
    const refused = apply(order, failed);
    expect(refused).toMatchObject({ status: 'refused', outstanding: null, lines: [], stock: [], sequence: 3, stockSequence: 3 });
    expect(apply(refused, reserved(4, false))).toBe(refused);
  });

  it('gives an amended order its new lines when they are agreed to, and its old ones when not', () => {
    const data = {
      ...demand,
      lines: [
        { lineNo: 1, itemId: 'a', quantity: '4', warehouseId: 'w' },
        { lineNo: 2, itemId: 'b', quantity: '1' },
      ],
    };
    const order = waiting({ kind: 'amend', data, unitPrices: { 1: '2.5', 2: null } });
    const held: StockReport = {
      ...reserved(3, true),
      stock: [someStock({ reserved: 4 }), someStock({ lineNo: 2, reserved: 1 }, 'b')],
      holds: [{ lineNo: 1, warehouseId: 'w', lot: null, quantity: 40_000n }],
    };
    expect(apply(order, held)).toMatchObject({
      outstanding: null,
      lastLineNo: 2,
      lines: [
        { quantity: 40_000n, warehouseId: 'w', unitPrice: '2.5' },
        { lineNo: 2, itemId: 'b', unitPrice: null },
      ],
    });
    const failed = report(3, someStock({ reserved: 10 }), { answer: answer(['amend'], { refusal }) });
    expect(apply(order, failed)).toEqual({ ...order, outstanding: null, stock: [someStock({ reserved: 10 })], stockSequence: 3 });
  });

  it('does not take for an answer what was said before we asked, or about something else', () => {
    const order = waiting({ kind: 'amend', data: { ...demand, lines: [{ lineNo: 1, itemId: 'a', quantity: '4' }] }, unitPrices: {} });
    const late = report(2, someStock({ reserved: 10 }), { answer: answer(['amend'], { refusal }) });
    const filled = report(3, someStock({ reserved: 10 }));
    const otherTotals = reserved(4, true);
    const aboutShipment = report(5, someStock({ reserved: 10 }), { answer: answer(['ship'], { subjectId: 's', refusal }) });
    expect(apply(order, late, filled, otherTotals, aboutShipment).outstanding).toBe(order.outstanding);
  });

  it('posts a shipment however late it is heard of, even when it was believed to be refused', () => {
    const line = { lineNo: 1, itemId: 'a', quantity: 100_000n, warehouseId: null, lot: null, cogs: null };
    const shipment = {
      shipmentId: 's',
      status: 'pending',
      digest: '',
      trackingNumber: null,
      shippedAt: now,
      lines: [line],
      cogsTotal: null,
    } as const;
    const order = waiting({ kind: 'ship', data: { shipmentId: 's', orderId: 'o', lines: [] } }, { shipments: [shipment] });
    const depleted = report(3, someStock({ fulfilled: 10 }), {
      answer: answer(['ship'], { subjectId: 's', moved: [{ ...line, warehouseId: 'main', quality: null }] }),
    });
    const failed = report(3, someStock({ reserved: 10 }), { answer: answer(['ship'], { subjectId: 's', refusal }) });
    const posted = { status: 'shipped', outstanding: null, shipments: [{ status: 'posted', lines: [{ warehouseId: 'main' }] }] };
    expect(apply(order, depleted)).toMatchObject(posted);
    expect(apply(order, failed).shipments[0]!.status).toBe('refused');
    expect(apply(order, failed, { ...depleted, sequence: 4 })).toMatchObject(posted);
    // What came later is known already, the shipment is not.
    expect(apply(order, report(9, someStock({ fulfilled: 10 })), depleted)).toMatchObject({ ...posted, stockSequence: 9 });
    expect(apply(order, depleted, failed)).toMatchObject(posted);
  });

  it('is picked as inventory says, when it was this that was said', () => {
    const order = waiting({ kind: 'pick', data: { orderId: 'o', lines: [{ lineNo: 1, quantity: '8' }] } });
    const shortages = [{ lineNo: 1, itemId: 'a', warehouseId: 'main', lot: null, location: 'default', missing: '2' }];
    const picked = (quantity: bigint, sequence = 3) =>
      report(sequence, someStock({ reserved: 8, backordered: 2 }), {
        answer: answer(['pick'], { pick: { totals: [{ lineNo: 1, quantity }], shortages } }),
      });
    expect(apply(order, picked(70_000n))).toMatchObject({ status: 'confirmed', outstanding: { kind: 'pick' }, lines: [{ picked: null }] });
    const applied = applyStockReport(order, picked(80_000n), now);
    expect(applied.order).toMatchObject({ status: 'picking', outstanding: null, lines: [{ picked: 80_000n }] });
    expect(applied.settled).toEqual({ outstanding: order.outstanding, refusal: null, shortages });
    const failed = report(3, someStock({ reserved: 10 }), { answer: answer(['pick'], { refusal }) });
    expect(apply(order, failed)).toMatchObject({ status: 'confirmed', outstanding: null, lines: [{ picked: null }] });
  });

  it('shows no places rather than places that do not add up', () => {
    const order = anOrder({ lines: [aLine(), aLine({ lineNo: 2 })] });
    const held = [someStock({ reserved: 10 }), someStock({ lineNo: 2, reserved: 3, backordered: 7 })];
    const shorted: StockReport = {
      sequence: 3,
      stock: held,
      holdChange: { sign: -1n, lines: [{ lineNo: 2, warehouseId: 'main', lot: null, quantity: 70_000n }] },
    };
    expect(apply(order, shorted).holds).toMatchObject([{ lineNo: 1 }, { lineNo: 2, quantity: 30_000n }]);
    expect(apply(order, { sequence: 3, stock: held }).holds).toMatchObject([{ lineNo: 1 }]);
  });

  it('has one outcome, in whatever order and however often it is heard', () => {
    const confirm = waiting({ kind: 'confirm', data: demand }, { status: 'created', firm: false, confirmedAt: null });
    const parts = fc.record({
      reserved: fc.integer({ min: 0, max: 6 }),
      backordered: fc.integer({ min: 0, max: 6 }),
      fulfilled: fc.integer({ min: 0, max: 6 }),
    });
    const histories = fc.array(parts, { minLength: 1, maxLength: 6 }).chain((states) => {
      const reports = [reserved(3, true), ...states.map((state, index) => report(index + 4, someStock(state)))];
      const heard = fc.shuffledSubarray([...reports, ...reports], { minLength: reports.length });
      return fc.record({
        reports: fc.constant(reports),
        heard: heard.map((some) => [...some, ...reports.filter((each) => !some.includes(each))]),
      });
    });
    fc.assert(
      fc.property(histories, ({ reports, heard }) => {
        const { holds: _, ...outcome } = apply(confirm, ...heard);
        const { holds: _h, ...expected } = apply(confirm, ...reports);
        expect(outcome).toEqual(expected);
        expect(outcome).toMatchObject({ outstanding: null, firm: true, confirmedAt: now });
      }),
      { numRuns: 500 },
    );
  });
});
