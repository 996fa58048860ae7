import { formatQuantity } from '#libs/domain';
import { aLine, anOrder, someStock } from '../orders/order.fixture.js';
import type { OrderState } from '../orders/order-state.js';
import type { CustomerReturn } from '../returns/return-state.js';
import type { Shipment } from './shipment-state.js';
import { decideShip, decideUnship, reverse } from './shipment.rules.js';

const now = new Date('2026-01-10T12:00:00Z');
const ship = (order: OrderState, lines: Parameters<typeof decideShip>[1]['lines'], shipmentId = 's') =>
  decideShip(order, { orderId: 'o', shipmentId, lines }, 'digest', now);
const thrown = (code: string) => expect.objectContaining({ code });

function aShipment(shipment: Partial<Shipment> = {}): Shipment {
  const line = { lineNo: 1, itemId: 'a', quantity: 60_000n, warehouseId: 'main', lot: null, cogs: null };
  return {
    shipmentId: 's',
    status: 'posted',
    digest: 'digest',
    trackingNumber: null,
    shippedAt: now,
    lines: [line],
    cogsTotal: null,
    ...shipment,
  };
}

describe('shipping', () => {
  const order = anOrder({ lines: [aLine({ warehouseId: 'w', lot: 'l' }), aLine({ lineNo: 2 })] });

  it('says what leaves, from where the line says unless the shipment does', () => {
    const { ask, order: after } = ship(order, [
      { lineNo: 1, quantity: '2' },
      {
        lineNo: 1,
        quantity: '3',
        warehouseId: 'v',
        lots: [
          { lot: 'x', quantity: '1' },
          { lot: 'y', quantity: '2' },
        ],
      },
    ]);
    expect(ask).toMatchObject({
      kind: 'ship',
      data: {
        shipmentId: 's',
        shippedAt: now.toISOString(),
        lines: [
          { lineNo: 1, itemId: 'a', quantity: '2', warehouseId: 'w', lot: 'l' },
          { lineNo: 1, quantity: '1', warehouseId: 'v', lot: 'x' },
          { lineNo: 1, quantity: '2', warehouseId: 'v', lot: 'y' },
        ],
      },
    });
    expect(after.shipments).toMatchObject([{ shipmentId: 's', status: 'pending' }]);
  });

  it('has as many lines as can be told, lots counted one by one', () => {
    const lots = (count: number) => Array.from({ length: count }, (_, index) => ({ lot: `x${index}`, quantity: '0.01' }));
    const both = (count: number) => [1, 2].map((lineNo) => ({ lineNo, quantity: formatQuantity(BigInt(count) * 100n), lots: lots(count) }));
    expect(ship(order, both(500)).ask?.data).toMatchObject({ lines: { length: 1_000 } });
    expect(() => ship(order, both(501))).toThrow(thrown('ORDER_VALIDATION'));
  });

  it('is never more than was ordered and neither shipped nor closed', () => {
    const open = anOrder({ status: 'partially_shipped', stock: [someStock({ fulfilled: 3, closed: 2, reserved: 1, backordered: 4 })] });
    expect(ship(open, [{ lineNo: 1, quantity: '5' }]).ask).toMatchObject({ kind: 'ship' });
    expect(() => ship(open, [{ lineNo: 1, quantity: '5.0001' }])).toThrow(thrown('ORDER_VALIDATION'));
    expect(() =>
      ship(open, [
        { lineNo: 1, quantity: '3' },
        { lineNo: 1, quantity: '3' },
      ]),
    ).toThrow(thrown('ORDER_VALIDATION'));
    expect(() => ship(open, [{ lineNo: 7, quantity: '1' }])).toThrow(thrown('ORDER_VALIDATION'));
    expect(() => ship(open, [{ lineNo: 1, quantity: '2', lots: [{ lot: 'x', quantity: '1' }] }])).toThrow(thrown('ORDER_VALIDATION'));
  });

  it.each(['created', 'backordered', 'expired', 'cancelled', 'shipped'] as const)('is refused while the order is %s', (status) => {
    expect(() => ship(anOrder({ status, firm: false }), [{ lineNo: 1, quantity: '1' }])).toThrow(thrown('INVALID_STATE'));
  });

  it('knows a shipment by its id, except one that was refused', () => {
    const shipped = anOrder({ status: 'shipped', shipments: [aShipment()] });
    expect(ship(shipped, [])).toEqual({ order: shipped });
    expect(() => decideShip(shipped, { orderId: 'o', shipmentId: 's', lines: [] }, 'other', now)).toThrow(thrown('ALREADY_EXISTS'));
    const refused = anOrder({ shipments: [aShipment({ status: 'refused' })] });
    expect(ship(refused, [{ lineNo: 1, quantity: '1' }]).order.shipments).toMatchObject([{ shipmentId: 's', status: 'pending' }]);
  });
});

describe('taking a shipment back', () => {
  const shipped = anOrder({ status: 'partially_shipped', stock: [someStock({ fulfilled: 6, reserved: 4 })], shipments: [aShipment()] });

  it('asks for it once', () => {
    expect(decideUnship(shipped, { shipmentId: 's', reason: 'no' }).ask).toEqual({
      kind: 'unship',
      data: { shipmentId: 's', orderId: 'o', reason: 'no' },
    });
    const back = anOrder({ shipments: [aShipment({ status: 'cancelled' })] });
    expect(decideUnship(back, { shipmentId: 's', reason: 'no' })).toEqual({ order: back });
    expect(() => decideUnship(shipped, { shipmentId: 'x', reason: 'no' })).toThrow(thrown('SHIPMENT_NOT_FOUND'));
    const pending = anOrder({ shipments: [aShipment({ status: 'pending' })] });
    expect(() => decideUnship(pending, { shipmentId: 's', reason: 'no' })).toThrow(thrown('INVALID_STATE'));
  });

  it('is refused once its goods are coming back another way', () => {
    const line = {
      lineNo: 1,
      itemId: 'a',
      lot: null,
      quantity: 10_000n,
      received: 0n,
      condition: 'unknown',
      reason: '',
      refund: null,
      verdicts: [],
    } as const;
    const ret: CustomerReturn = {
      returnId: 'r',
      status: 'authorised',
      digest: '',
      receivedDigest: null,
      warehouseId: null,
      createdAt: now,
      lines: [line],
    };
    expect(() => decideUnship({ ...shipped, returns: [ret] }, { shipmentId: 's', reason: 'no' })).toThrow(thrown('INVALID_STATE'));
    const cancelled = { ...shipped, returns: [{ ...ret, status: 'cancelled' as const }] };
    expect(decideUnship(cancelled, { shipmentId: 's', reason: 'no' }).ask).toMatchObject({ kind: 'unship' });
  });

  it('puts its goods back on the shelf, neither picked nor packed', () => {
    const order = { ...shipped, lines: [aLine({ picked: 80_000n, packed: 60_000n })], stock: [someStock({ reserved: 10 })] };
    expect(reverse(order, 's')).toMatchObject({ lines: [{ picked: 20_000n, packed: 0n }], shipments: [{ status: 'cancelled' }] });
    expect(reverse(reverse(order, 's'), 's')).toEqual(reverse(order, 's'));
  });
});
