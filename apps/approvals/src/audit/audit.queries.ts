import { Injectable } from '@nestjs/common';
import type { Actor } from '#libs/auth';
import { type AuditEvent, type AuditLists, Cursor, PAGE_LIMIT_DEFAULT, type Page, type RequestOf } from '#libs/contracts';
import { Database } from '#libs/persistence';

interface AuditRow {
  readonly id: string;
  readonly type: string;
  readonly order_id: string | null;
  /** Null: nobody did it, its time had come. */
  readonly actor: string | null;
  readonly at: Date;
  readonly details: Readonly<Record<string, unknown>>;
}

const cursor = new Cursor('time', 'uuid');

const ABOUT = `'approvalRequestId', r.approval_request_id, 'kind', r.kind, 'subjectType', r.subject_type, 'subjectId', r.subject_id,
  'requestedBy', r.requested_by, 'lines', r.lines, 'magnitudes',
  json_build_object('quantity', trim_scale(r.quantity)::text, 'percent', trim_scale(r.percent)::text, 'value', trim_scale(r.value)::text),
  'availabilitySnapshot', r.availability_snapshot`;
const ORDER = `case when r.subject_type = 'order' then r.subject_id end`;
/** So that the index by subject finds them. */
const OF_ORDER = `($2::text is null or (r.subject_type = 'order' and r.subject_id = $2))`;

/**
 * What was asked for, how it ended (decided, expired, taken back), and who may decide what; all of it can only be added to. An end has no id
 * of its own.
 */
const RECORDS = [
  `select r.approval_request_id, 'approval_requested', ${ORDER}, r.requested_by, r.created_at,
          json_build_object(${ABOUT}, 'reason', r.reason, 'requiredRole', r.required_role), r.warehouses
     from approval_request r where r.org_id = $1 and ${OF_ORDER}`,
  `select md5('decision of ' || d.approval_request_id)::uuid, 'approval_' || d.decision, ${ORDER}, d.decided_by, d.decided_at,
          json_build_object(${ABOUT}, 'role', d.role, 'reason', d.reason), r.warehouses
     from approval_decision d join approval_request r on r.org_id = d.org_id and r.approval_request_id = d.approval_request_id
    where d.org_id = $1 and ${OF_ORDER}`,
  `select md5('end of ' || e.approval_request_id)::uuid, 'approval_' || e.status, ${ORDER}, e.ended_by, e.ended_at,
          json_build_object(${ABOUT}, 'requiredRole', r.required_role, 'reason', e.reason), r.warehouses
     from approval_end e join approval_request r on r.org_id = e.org_id and r.approval_request_id = e.approval_request_id
    where e.org_id = $1 and ${OF_ORDER}`,
  `select change_id, 'approval_policies_changed', null, actor, changed_at, json_build_object('from', from_list, 'to', to_list), '{}'::text[]
     from approval_policy_change where org_id = $1`,
];

/** The audit trail of approvals. */
@Injectable()
export class AuditQueries {
  constructor(private readonly database: Database) {}

  /** Newest first; requests only to who works in all of their warehouses. */
  async list({ orgId, warehouses }: Actor, query: RequestOf<typeof AuditLists.approvals>): Promise<Page<AuditEvent>> {
    const [at = null, id = null] = cursor.read(query.cursor);
    const limit = query.limit ?? PAGE_LIMIT_DEFAULT;
    const { orderId = null, type = null, by = null, from = null, to = null } = query;
    const pages = RECORDS.map(
      (record) => `(select * from (${record}) r (id, type, order_id, actor, at, details, warehouses)
        where ($2::text is null or order_id = $2) and ($3::text is null or type = $3) and ($4::text is null or actor = $4)
          and ($5::timestamptz is null or at >= $5) and ($6::timestamptz is null or at < $6)
          and ($7::timestamptz is null or (at, id) < ($7::timestamptz, $8::uuid)) and ($9::text[] is null or warehouses <@ $9)
        order by at desc, id desc limit $10)`,
    );
    const values = [orgId, orderId, type, by, from, to, at, id, warehouses, limit + 1];
    const rows = await this.database.transaction(
      [orgId],
      (tx) => tx.rows<AuditRow>(`select * from (${pages.join(' union all ')}) records order by at desc, id desc limit $10`, values),
      { readOnly: true },
    );
    return cursor.page(rows, limit, (row) => [row.at.toISOString(), row.id], toAuditEvent);
  }
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
