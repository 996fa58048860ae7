import { Injectable } from '@nestjs/common';
import type { Actor } from '#libs/auth';
import {
  type ApprovalKind,
  type ApprovedOrder,
  type ApprovedOrders,
  type ApproverRole,
  Cursor,
  GROUP_FIELDS,
  type GroupKey,
  type OverrideCounts,
  type OverridesReport,
  PAGE_LIMIT_DEFAULT,
  type RequestOf,
  type ResponseOf,
} from '#libs/contracts';
import { Database, readGrouped } from '#libs/persistence';
import { OVERRIDES } from '../requests/request.rules.js';
import { fitting } from '../requests/request.queries.js';

// Parameters: $1 organisation, $2 from, $3 to, $4 the reader's warehouses, $5 kinds, $6 what is left out. A request is closed when it is decided.
const DECIDED = `
  select d.decided_by as "userId", d.role, r.kind, r.value, d.decided_at
    from approval_decision d
    join approval_request r on r.org_id = d.org_id and r.approval_request_id = d.approval_request_id
   where d.org_id = $1 and d.decided_at >= $2::timestamptz and d.decided_at < $3::timestamptz and d.decision = 'approved'
     and r.closed_at >= $2::timestamptz and r.closed_at < $3::timestamptz and r.status = 'approved'
     and ($4::text[] is null or r.warehouses <@ $4) and r.kind = any($5::text[])
     and not (r.approval_request_id::text = any($6::text[]))`;

interface ApprovedRow {
  readonly approval_request_id: string;
  readonly subject_id: string;
  readonly kind: ApprovalKind;
  readonly decided_by: string;
  readonly role: ApproverRole;
  readonly reason: string;
  readonly closed_at: Date;
  readonly lines: readonly { readonly itemId: string; readonly warehouseId: string | null }[];
  readonly availability_snapshot: unknown;
  readonly content_bytes: number;
}

const cursor = new Cursor('time', 'uuid');

/** What people decided, counted; of requests whose warehouses are all the reader's. */
@Injectable()
export class ReportQueries {
  constructor(private readonly database: Database) {}

  async overrides(
    { orgId, warehouses }: Actor,
    { from, to, limit, groupBy, without = [] }: RequestOf<typeof OverridesReport>,
  ): Promise<ResponseOf<typeof OverridesReport>> {
    const grouping = {
      keys: GROUP_FIELDS[groupBy],
      from: DECIDED,
      counts: `count(*)::int as overrides, trim_scale(coalesce(sum(value), 0)) as value,
        count(*) filter (where value is null)::int as "valueUnknown", max(decided_at) as "lastAt"`,
      order: 'overrides desc, sum(value) desc nulls last',
    };
    const values = [orgId, from, to, warehouses, OVERRIDES, without];
    return await this.database.transaction([orgId], (tx) => readGrouped<GroupKey, OverrideCounts>(tx, grouping, values, limit), {
      readOnly: true,
    });
  }

  /** Newest first; a page may hold fewer than asked for, because it travels as one message. */
  async approvedOrders({ orgId, warehouses }: Actor, query: RequestOf<typeof ApprovedOrders>): Promise<ResponseOf<typeof ApprovedOrders>> {
    const [closedAt = null, id = null] = cursor.read(query.cursor);
    const rows = await this.database.transaction(
      [orgId],
      (tx) =>
        tx.rows<ApprovedRow>(
          `select r.approval_request_id, r.subject_id, r.kind, d.decided_by, d.role, d.reason, r.closed_at, r.lines, r.availability_snapshot,
                  r.content_bytes
             from approval_request r
             join approval_decision d on d.org_id = r.org_id and d.approval_request_id = r.approval_request_id
            where r.org_id = $1 and r.status = 'approved' and r.subject_type = 'order'
              and r.closed_at >= $2::timestamptz and r.closed_at < $3::timestamptz and ($4::text[] is null or r.warehouses <@ $4)
              and ($5::timestamptz is null or (r.closed_at, r.approval_request_id) < ($5::timestamptz, $6::uuid))
            order by r.closed_at desc, r.approval_request_id desc limit $7`,
          [orgId, query.from, query.to, warehouses, closedAt, id, (query.limit ?? PAGE_LIMIT_DEFAULT) + 1],
        ),
      { readOnly: true },
    );
    const count = fitting(rows.slice(0, query.limit ?? PAGE_LIMIT_DEFAULT));
    return cursor.page(rows, count, (row) => [row.closed_at.toISOString(), row.approval_request_id], toApprovedOrder);
  }
}

function toApprovedOrder(row: ApprovedRow): ApprovedOrder {
  const places = new Map(row.lines.map(({ itemId, warehouseId }) => [`${itemId}/${warehouseId ?? ''}`, { itemId, warehouseId }]));
  return {
    approvalRequestId: row.approval_request_id,
    orderId: row.subject_id,
    kind: row.kind,
    approvedBy: row.decided_by,
    role: row.role,
    reason: row.reason,
    approvedAt: row.closed_at.toISOString(),
    places: [...places.values()],
    availability: row.availability_snapshot,
  };
}
