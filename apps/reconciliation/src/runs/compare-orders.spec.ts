import type { DemandBook, LineBook, OrderBook } from '#libs/contracts';
import { compareOrder, unknownOrder } from './compare-orders.js';

const line: LineBook = {
  ...{ lineNo: 1, itemId: 'mug', requested: '5', reserved: '3', backordered: '1', fulfilled: '1' },
  ...{ returned: '0', closed: '0', unheld: '0' },
};
const shipment = { shipmentId: 's', itemId: 'mug', quantity: '1' };
const order: OrderBook = {
  ...{ orderId: 'o', isRefused: false, isAnswered: true, stockSequence: 4, firm: true, stock: [line], shipments: [shipment] },
  lines: [{ lineNo: 1, itemId: 'mug', quantity: '5' }],
};
const demand: DemandBook = { orderId: 'o', sequence: 4, firm: true, lines: [{ ...line, asked: '5' }], shipments: [shipment] };
const kinds = (compared: ReturnType<typeof compareOrder>) =>
  compared === 'unsettled' ? compared : compared.map(({ kind, subject, expected, actual }) => [kind, subject, `${expected} -> ${actual}`]);

describe('an order', () => {
  it('that both know alike has no mismatch', () => expect(compareOrder(order, demand)).toEqual([]));

  it.each([
    ['something is not answered yet', { isAnswered: false }, {}],
    ['inventory has said more than was applied', { stockSequence: 3 }, {}],
    ['a later report was applied while it was read', {}, { sequence: 5 }],
  ])('is looked at again while %s, whatever differs', (_, ours, theirs) => {
    expect(compareOrder({ ...order, ...ours, firm: false }, { ...demand, ...theirs })).toBe('unsettled');
  });

  it('is looked at again while inventory has not heard of it', () => {
    expect(compareOrder({ ...order, isAnswered: false, stockSequence: 0 }, undefined)).toBe('unsettled');
  });

  it('of which only the attempt is known is not compared', () => {
    expect(compareOrder({ ...order, isRefused: true, stock: [] }, demand)).toEqual([]);
  });

  it.each(['requested', 'reserved', 'backordered', 'fulfilled', 'returned', 'closed', 'unheld'] as const)(
    'is told when %s differs, by inventory',
    (field) => {
      const told = kinds(compareOrder({ ...order, stock: [{ ...line, [field]: '9' }] }, demand));
      expect(told).toEqual([['order_line', `1/${field}`, `${line[field]} -> 9`]]);
    },
  );

  it('is told when lines are missing on one side, or another quantity was ordered', () => {
    expect(kinds(compareOrder({ ...order, lines: [{ lineNo: 1, itemId: 'mug', quantity: '6' }] }, demand))).toEqual([
      ['order_line', '1/ordered', '5 -> 6'],
    ]);
    expect(kinds(compareOrder({ ...order, stock: [], lines: [] }, demand))).toHaveLength(5);
    expect(kinds(compareOrder(order, { ...demand, lines: [] }))).toHaveLength(5);
  });

  it('is told when what is held is firm for one of them only, and not when nothing is held', () => {
    expect(kinds(compareOrder({ ...order, firm: false }, demand))).toEqual([['order_firm', '', '3 -> 0']]);
    const gone = { ...line, reserved: '0', closed: '3' };
    expect(compareOrder({ ...order, firm: false, stock: [gone] }, { ...demand, lines: [{ ...gone, asked: '5' }] })).toEqual([]);
  });

  it('is told when a shipment is posted for one of them only, but not when somebody else has shipped it', () => {
    expect(kinds(compareOrder(order, { ...demand, shipments: [] }))).toEqual([['order_shipment', 's', '0 -> 1']]);
    const others = [shipment, { ...shipment, shipmentId: 'theirs' }];
    expect(compareOrder(order, { ...demand, shipments: others })).toEqual([]);
    // In parts, from several lots.
    const halves = [
      { ...shipment, quantity: '0.4' },
      { ...shipment, quantity: '0.6' },
    ];
    expect(compareOrder(order, { ...demand, shipments: halves })).toEqual([]);
  });

  it('is told when it has applied more than inventory has said', () => {
    expect(kinds(compareOrder(order, { ...demand, sequence: 3 }))).toEqual([['order_missing_stock', '', '3 -> 4']]);
    expect(kinds(compareOrder({ ...order, isAnswered: false }, undefined))).toEqual([['order_missing_stock', '', '0 -> 4']]);
  });

  it('that only inventory knows is told by what is held or awaited for it', () => {
    expect(kinds(unknownOrder(demand))).toEqual([['order_unknown', '1', '0 -> 4']]);
    expect(unknownOrder({ ...demand, lines: [{ ...line, asked: '5', reserved: '0', backordered: '0' }] })).toEqual([]);
  });
});
