import { type AuditEvent, type AuditLists, Cursor, PAGE_LIMIT_DEFAULT, type Page, type RequestOf } from '#libs/contracts';
import type { Tx } from '#libs/persistence';
import type { Scope } from '../scope.js';

interface AuditRow {
  readonly id: string;
  readonly type: string;
  readonly order_id: string | null;
  readonly actor: string | null;
  readonly at: Date;
  readonly details: Readonly<Record<string, unknown>>;
}

const cursor = new Cursor('time', 'uuid');

/**
 * What was done with discrepancies; orders that wanted more than they could have; what was approved and could not be done any more; settings
 * that were changed. All are append-only.
 */
const RECORDS = [
  `select change_id, type, order_id, actor, changed_at, details, warehouse_id from discrepancy_change`,
  `select attempt_id, 'oversell_attempt', order_id, actor, recorded_at,
          jsonb_build_object('lineNo', line_no, 'itemId', item_id, 'warehouseId', warehouse_id, 'source', source,
                             'requested', trim_scale(requested)::text, 'available', trim_scale(available)::text, 'outcome', outcome,
                             'reason', reason, 'phase', phase, 'snapshot', snapshot, 'discrepancyId', discrepancy_id),
          warehouse_id
     from oversell_attempt`,
  `select md5('effect of ' || approval_request_id)::uuid, 'approval_without_effect', null, decided_by, recorded_at,
          jsonb_build_object('approvalRequestId', approval_request_id, 'kind', kind, 'subjectType', subject_type, 'subjectId', subject_id,
                             'role', role, 'reason', reason, 'outcome', outcome, 'code', detail ->> 'code', 'why', detail ->> 'message'),
          snapshot -> 0 ->> 'warehouseId'
     from (select * from approval_effect where status = 'approved' and outcome in ('refused', 'outdated')) without_effect`,
  `select change_id, 'setting_changed', null, actor, changed_at, jsonb_build_object('setting', setting, 'from', from_value, 'to', to_value), null
     from setting_change`,
];
const COLUMNS = 'r (id, type, order_id, actor, at, details, warehouse_id)';

/** The audit trail of inventory, newest first; what is about a warehouse only to who works there. */
export async function listAudit(
  tx: Tx,
  orgId: string,
  scope: Scope,
  query: RequestOf<typeof AuditLists.inventory>,
): Promise<Page<AuditEvent>> {
  const [at = null, id = null] = cursor.read(query.cursor);
  const limit = query.limit ?? PAGE_LIMIT_DEFAULT;
  const { orderId = null, type = null, by = null, from = null, to = null } = query;
  const pages = RECORDS.map(
    (record) => `(select * from (${record} where org_id = $1) ${COLUMNS}
      where ($2::text is null or order_id = $2) and ($3::text is null or type = $3) and ($4::text is null or actor = $4)
        and ($5::timestamptz is null or at >= $5) and ($6::timestamptz is null or at < $6)
        and ($7::timestamptz is null or (at, id) < ($7::timestamptz, $8::uuid))
        and ($9::text[] is null or warehouse_id is null or warehouse_id = any($9))
      order by at desc, id desc limit $10)`,
  );
  const rows = await tx.rows<AuditRow>(`select * from (${pages.join(' union all ')}) records order by at desc, id desc limit $10`, [
    ...[orgId, orderId, type, by, from, to, at, id, scope, limit + 1],
  ]);
  return cursor.page(rows, limit, (row) => [row.at.toISOString(), row.id], toAuditEvent);
}

function toAuditEvent(row: AuditRow): AuditEvent {
  return {
    auditEventId: row.id,
    type: row.type,
    orderId: row.order_id,
    actor: row.actor,
    occurredAt: row.at.toISOString(),
    details: row.details,
  };
}
