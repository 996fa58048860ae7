import type { ApprovalNeeded, ApprovalPolicy, ApprovalRequest } from '#libs/contracts';

export const aPolicy: ApprovalPolicy = {
  kind: 'order_override',
  maxQuantity: '50',
  maxPercent: '20',
  maxValue: '1000',
  requiredRole: 'inventory_manager',
  escalateTo: ['finance_manager'],
  remindAfterHours: 24,
  escalateAfterHours: 48,
  expireAfterHours: 168,
};

export const anApproval: ApprovalRequest = {
  approvalRequestId: '019cb5b1-0000-7000-8000-000000000003',
  kind: 'order_override',
  subjectType: 'order',
  subjectId: 'order-1',
  subjectVersion: 1,
  status: 'escalated',
  requiredRole: 'inventory_manager',
  escalateTo: ['finance_manager'],
  approverRoles: ['inventory_manager', 'finance_manager', 'admin'],
  requestedBy: 'ann',
  reason: 'A regular customer; the truck comes tomorrow',
  warehouses: ['berlin'],
  lines: [{ lineNo: 1, itemId: 'coffee-1kg', warehouseId: 'berlin', lot: null, quantity: '3', requested: '10', available: '7' }],
  magnitudes: { quantity: '3', percent: '12.5', value: '29.97' },
  availabilitySnapshot: [{ itemId: 'coffee-1kg', warehouseId: 'berlin', onHand: '24', reserved: '17', available: '7' }],
  command: { sequence: 1 },
  createdAt: '2026-03-01T10:00:00.000Z',
  dueAt: '2026-03-08T10:00:00.000Z',
  remindedAt: '2026-03-02T10:00:00.000Z',
  escalatedAt: '2026-03-03T10:00:00.000Z',
  closedAt: null,
  closeReason: null,
  decisions: [],
};

export const aDecidedApproval: ApprovalRequest = {
  ...anApproval,
  status: 'approved',
  approverRoles: [],
  subjectVersion: null,
  warehouses: null,
  lines: [{ ...anApproval.lines[0]!, warehouseId: null, lot: 'L-2026-03' }],
  magnitudes: { quantity: '3', percent: null, value: null },
  command: null,
  remindedAt: null,
  escalatedAt: null,
  closedAt: '2026-03-01T11:00:00.000Z',
  decisions: [
    { by: 'bob', role: 'inventory_manager', decision: 'approved', reason: 'The truck is on its way', at: '2026-03-01T11:00:00.000Z' },
  ],
};

export const aCancelledApproval: ApprovalRequest = {
  ...anApproval,
  status: 'cancelled',
  approverRoles: [],
  closedAt: '2026-03-01T11:00:00.000Z',
  closeReason: 'What is to be approved has changed.',
};

export const aNeededApproval: ApprovalNeeded = {
  approvalRequestId: anApproval.approvalRequestId,
  status: 'pending',
  requiredRole: 'finance_manager',
};
