import type { Finding, ReconciliationRun, RunSummary } from '#libs/contracts';
import { formatQuantity, notFound, parseFixedPoint } from '#libs/domain';
import type { FindingRow, RunRow } from './run.sql.js';

/** A run as callers see it. */
export function runSummary(run: RunRow): RunSummary {
  return {
    runId: run.runId,
    status: run.status,
    trigger: run.trigger,
    requestedBy: run.requestedBy,
    // More may have come since it was counted.
    progress: { done: run.done, total: Math.max(run.done, run.total) },
    balances: run.balances,
    outOfSyncItems: run.outOfSync,
    unsettledOrders: run.unsettled,
    findingsTotal: run.findingsTotal,
    startedAt: run.startedAt.toISOString(),
    finishedAt: run.finishedAt?.toISOString() ?? null,
    failure: run.failure,
  };
}

export function runView(run: RunRow, findings: readonly FindingRow[], nextCursor: string | null): ReconciliationRun {
  return { ...runSummary(run), findings: findings.map(findingView), nextCursor };
}

export function findingView(finding: FindingRow): Finding {
  const { expected, actual, discrepancyId, ...rest } = finding;
  const difference = formatQuantity(parseFixedPoint(actual) - parseFixedPoint(expected));
  return { ...rest, expected, actual, difference, discrepancyId };
}

export function runNotFound(runId: string): Error {
  return notFound('RUN_NOT_FOUND', `There is no reconciliation run ${runId}.`);
}
