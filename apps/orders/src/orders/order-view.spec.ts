import type { Day } from '#libs/domain';
import { aLine, anOrder, someStock } from './order.fixture.js';
import type { OrderState } from './order-state.js';
import { orderView } from './order-view.js';
import type { Calendar } from './organisation-calendar.js';

const NOW = new Date('2026-01-11T23:30:00Z');
const UTC: Calendar = { timezone: 'UTC', deliveryLeadDays: 0 };

const days = (
  order: Partial<OrderState>,
  { calendar = UTC, servedOn = null }: { readonly calendar?: Calendar | null; readonly servedOn?: Day | null } = {},
) => {
  const { estimatedShipDate, estimatedDeliveryDate } = orderView(anOrder(order), calendar, servedOn, NOW);
  return [estimatedShipDate, estimatedDeliveryDate];
};
const waiting = { stock: [someStock({ reserved: 4, backordered: 6 })] };

describe('the days of an order', () => {
  it('are today when all of it is held', () => {
    expect(days({})).toEqual(['2026-01-11', '2026-01-11']);
    expect(days({ stock: [someStock({ reserved: 6, fulfilled: 3, closed: 1 })] })).toEqual(['2026-01-11', '2026-01-11']);
  });

  it('are those of the organisation, with what its deliveries take', () => {
    expect(days({}, { calendar: { timezone: 'Europe/Berlin', deliveryLeadDays: 3 } })).toEqual(['2026-01-12', '2026-01-15']);
  });

  it('are those on which what it waits for is there', () => {
    expect(days(waiting, { servedOn: '2026-02-03' })).toEqual(['2026-02-03', '2026-02-03']);
    // Said yesterday, it would have been said wrong.
    expect(days(waiting, { servedOn: '2026-01-10' })).toEqual(['2026-01-11', '2026-01-11']);
    expect(days(waiting)).toEqual([null, null]);
  });

  it('are not known while something is neither held nor backordered', () => {
    expect(days({ stock: [someStock({ backordered: 6, unheld: 4 })] }, { servedOn: '2026-02-03' })).toEqual([null, null]);
    expect(days({ stock: [someStock({ unheld: 10 })] }, { servedOn: '2026-02-03' })).toEqual([null, null]);
    expect(days({ status: 'reserving', stock: [] }, { servedOn: '2026-02-03' })).toEqual([null, null]);
  });

  it('are not before the customer wants it', () => {
    expect(days({ requestedShipDate: '2026-01-20' })).toEqual(['2026-01-20', '2026-01-20']);
    expect(days({ requestedShipDate: '2026-01-05' })).toEqual(['2026-01-11', '2026-01-11']);
    expect(days({ ...waiting, requestedShipDate: '2026-01-20' }, { servedOn: '2026-01-15' })).toEqual(['2026-01-20', '2026-01-20']);
    expect(days({ ...waiting, requestedShipDate: '2026-01-20' }, { servedOn: '2026-01-25' })).toEqual(['2026-01-25', '2026-01-25']);
  });

  it('are those of all its lines', () => {
    const lines = [aLine(), aLine({ lineNo: 2 })];
    const stock = [someStock({ reserved: 10 }), someStock({ lineNo: 2, backordered: 10 })];
    expect(days({ lines, stock }, { servedOn: '2026-02-03' })).toEqual(['2026-02-03', '2026-02-03']);
  });

  it('are those on which it left and arrives, once it has left', () => {
    const shipment = (shippedAt: string, status: 'posted' | 'cancelled') => ({
      ...{ shipmentId: shippedAt, trackingNumber: null, cogsTotal: null, digest: '', lines: [] },
      status,
      shippedAt: new Date(shippedAt),
    });
    const shipments = [shipment('2026-01-08T10:00:00Z', 'posted'), shipment('2026-01-09T23:30:00Z', 'posted')];
    const shipped = { status: 'shipped' as const, stock: [someStock({ fulfilled: 10 })] };
    const berlin = { calendar: { timezone: 'Europe/Berlin', deliveryLeadDays: 2 } };
    expect(days({ ...shipped, shipments: [...shipments, shipment('2026-01-10T10:00:00Z', 'cancelled')] as never }, berlin)).toEqual([
      '2026-01-10',
      '2026-01-12',
    ]);
  });

  it('are none when it has ended otherwise, or nobody knows what day it is', () => {
    for (const status of ['cancelled', 'rejected', 'expired'] as const) {
      expect(days({ status, ...waiting }, { servedOn: '2026-02-03' })).toEqual([null, null]);
    }
    expect(days({}, { calendar: null })).toEqual([null, null]);
  });
});
