import { statement, type Tx } from '#libs/persistence';
import { columnsOf } from '../stock-machine/columns-of.js';
import { columns, union } from '../stock-machine/find-places.js';
import { subjectKey } from '../stock-machine/balance.js';
import type { StockState } from '../stock-machine/stock-state.js';
import type { Needs } from '../stock-machine/touches.js';
import type { ApprovalEffect } from './approval-effect.js';

export const readEffects = statement<{ org_id: string; approval_request_id: string; outcome: ApprovalEffect['outcome'] }>(
  'approval_read_effects',
  `select a.org_id, a.approval_request_id, a.outcome from unnest($1::text[], $2::text[]) k (org_id, approval_request_id)
     join approval_effect a on a.org_id = k.org_id and a.approval_request_id = k.approval_request_id`,
);

/** Not "on conflict": a decision that two heard at once is decided anew when this fails, and found then. */
const insertEffects = statement<never>(
  'approval_insert_effects',
  `insert into approval_effect (org_id, approval_request_id, kind, subject_type, subject_id, status, decided_by, role, reason, outcome, detail,
                                snapshot, recorded_at)
   select k.*, $13 from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[],
                               $10::text[], $11::jsonb[], $12::jsonb[]) k`,
);

/** What the decisions that commands are about have led to before. */
export async function loadEffects(tx: Tx, state: StockState, needs: readonly Needs[]): Promise<void> {
  const keys = [...union(needs, (need) => need.approvals)];
  if (keys.length === 0) return;
  const rows = await tx.run(readEffects, columns(keys, 2));
  for (const row of rows) state.approvalEffects.set(subjectKey(row.org_id, row.approval_request_id), row.outcome);
}

/** How many requests about a subject have come to an end. */
export const countEffects = statement<{ effects: number }>(
  'approval_count_effects',
  `select count(*)::int as effects from approval_effect where org_id = $1 and subject_type = $2 and subject_id = $3`,
);

/** Overrides of movements in the reader's warehouses that were approved, the newest first, and could not be done any more. */
export const readWithoutEffect = statement<{ approval_request_id: string }>(
  'approval_read_without_effect',
  `select approval_request_id from approval_effect
    where org_id = $1 and recorded_at >= $2::timestamptz and status = 'approved' and kind = 'movement_override'
      and outcome in ('refused', 'outdated') and ($4::text[] is null or snapshot -> 0 ->> 'warehouseId' = any($4))
    order by recorded_at desc limit $3`,
);

export function writeEffects(tx: Tx, state: StockState): void {
  if (state.newApprovalEffects.length === 0) return;
  void tx.run(insertEffects, [
    ...columnsOf(
      state.newApprovalEffects,
      (e) => e.orgId,
      (e) => e.approvalRequestId,
      (e) => e.kind,
      (e) => e.subjectType,
      (e) => e.subjectId,
      (e) => e.status,
      (e) => e.decidedBy,
      (e) => e.role,
      (e) => e.reason,
      (e) => e.outcome,
      (e) => JSON.stringify(e.detail ?? null),
      (e) => JSON.stringify(e.snapshot ?? null),
    ),
    state.now,
  ]);
}
