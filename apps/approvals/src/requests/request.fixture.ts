import type { RequestState } from './request-state.js';

/** When requests of tests are made, unless they say otherwise. */
export const MADE_AT = new Date('2026-03-01T10:00:00.000Z');

/** So many hours after {@link MADE_AT}. */
export const hoursLater = (hours: number) => new Date(MADE_AT.getTime() + hours * 3_600_000);

/** An open request of ann's for an inventory manager, about three of item `a` in the warehouses `w1` and `w2`. */
export function aRequest(said: Partial<RequestState> = {}): RequestState {
  return {
    orgId: 'acme',
    approvalRequestId: '019cb5b1-0000-7000-8000-000000000003',
    kind: 'order_override',
    subjectType: 'order',
    subjectId: 'o-1',
    subjectVersion: null,
    fingerprint: 'what',
    requestedBy: 'ann',
    reason: 'A regular customer',
    lines: [{ lineNo: 1, itemId: 'a', warehouseId: 'w1', quantity: '3', requested: '10', available: '7' }],
    magnitudes: { quantity: '3', percent: '15', value: '60' },
    availabilitySnapshot: { available: '7' },
    warehouses: ['w1', 'w2'],
    command: { sequence: 1 },
    requiredRole: 'inventory_manager',
    escalateTo: ['finance_manager'],
    createdAt: MADE_AT,
    remindAt: hoursLater(24),
    escalateAt: hoursLater(48),
    expireAt: hoursLater(168),
    status: 'pending',
    remindedAt: null,
    escalatedAt: null,
    closedAt: null,
    closeReason: null,
    decision: null,
    ...said,
  };
}
