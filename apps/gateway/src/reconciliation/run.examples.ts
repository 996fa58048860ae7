import type { Finding, ReconciliationRun, RunSummary } from '#libs/contracts';

const aFinding: Finding = {
  findingId: '019cb5b1-0000-7000-8000-00000000000a',
  kind: 'reserved',
  itemId: 'coffee-1kg',
  warehouseId: 'berlin',
  lot: null,
  location: null,
  orderId: null,
  expected: '3',
  actual: '5',
  difference: '2',
  discrepancyId: '019cb5b1-0000-7000-8000-00000000000b',
  note: 'The reserved quantity of the balance: 5; its open reservations add up to: 3.',
};

export const aFinishedRun: RunSummary = {
  runId: '019cb5b1-0000-7000-8000-000000000009',
  status: 'completed',
  trigger: 'schedule',
  requestedBy: null,
  progress: { done: 42_000, total: 42_000 },
  balances: 40_000,
  outOfSyncItems: 1,
  unsettledOrders: 0,
  findingsTotal: 1,
  startedAt: '2026-03-01T02:00:00.000Z',
  finishedAt: '2026-03-01T02:00:09.000Z',
  failure: null,
};

export const aRunWithFindings: ReconciliationRun = { ...aFinishedRun, findings: [aFinding], nextCursor: null };

export const aStartedRun: ReconciliationRun = {
  ...aFinishedRun,
  status: 'running',
  trigger: 'manual',
  requestedBy: 'ann',
  progress: { done: 0, total: 0 },
  balances: 0,
  outOfSyncItems: 0,
  findingsTotal: 0,
  finishedAt: null,
  findings: [],
  nextCursor: null,
};
