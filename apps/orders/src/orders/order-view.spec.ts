import type { Override } from '#libs/contracts';
import type { Day } from '#libs/domain';
import { type OrderApproval, shownRequestId } from '../approvals/order-approval.js';
import { aLine, anOrder, someStock } from './order.fixture.js';
import type { OrderState } from './order-state.js';
import { orderView } from './order-view.js';
import type { Calendar } from './organisation-settings.js';

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

describe('an order that waits for an approval', () => {
  const warnings = (kind: Override['kind'], approval: Partial<OrderApproval> = {}) => {
    const line = { lineNo: 1, itemId: 'a', warehouseId: 'main', quantity: '3', requested: '4', available: '1' };
    const override = { kind, magnitudes: { quantity: '3', percent: '75', value: null }, lines: [line], availabilitySnapshot: [] };
    const awaited: OrderApproval = {
      ...{ reason: 'INSUFFICIENT_STOCK', override, discrepancyIds: [], restore: null, isOpen: true, version: 2, untold: null },
      ...{ since: NOW.toISOString(), requestedBy: 'ann', approvalRequestId: 'r1', approverRoles: ['inventory_manager'], outcome: null },
      ...approval,
    };
    return orderView(anOrder({ status: 'pending_approval', approval: awaited }), UTC, null, NOW).warnings;
  };
  const alternative = 'Or change the order to what can be promised, or cancel it.';

  it('says whether it needs an override or an acknowledgement, and what to do', () => {
    const decide = 'inventory_manager approves or rejects request r1';
    expect(warnings('order_override')).toEqual([
      `Line 1, item a in main: 3 are more than can be promised and need an approved override: ${decide}. ${alternative}`,
    ]);
    expect(warnings('discrepancy_acknowledgement')).toEqual([
      `Line 1, item a in main: 3 are put in doubt by open discrepancies and need an acknowledgement: ${decide}. ${alternative}`,
    ]);
  });

  it('says so before anybody could be asked', () => {
    expect(warnings('order_override', { approvalRequestId: null, approverRoles: [] })).toEqual([
      expect.stringContaining('somebody who may decide is about to be asked'),
    ]);
  });
});

describe('the request for approval that an order names', () => {
  const named = (approval: Partial<OrderApproval>) =>
    shownRequestId({ approval: { approvalRequestId: 'r1', ...approval } as OrderApproval });
  const outcome = { status: 'approved', by: 'bob', reason: 'yes' } as const;

  it.each([
    ['it waits for', { isOpen: true, outcome: null }, 'r1'],
    ['was decided', { isOpen: false, outcome }, 'r1'],
    ['was taken back', { isOpen: false, outcome: null }, null],
  ])('is the one that %s', (_, approval, id) => {
    expect(named(approval)).toBe(id);
  });
});
