import { parseQuantity } from '#libs/domain';
import { statement } from '#libs/persistence';
import type { Discrepancy } from './discrepancy.js';

// What the machine reads and writes of discrepancies. Who does holds the balance, if there is one.

/** A row of the table. */
export interface DiscrepancyRow {
  readonly org_id: string;
  readonly discrepancy_id: string;
  readonly item_id: string;
  readonly warehouse_id: string | null;
  readonly location: string | null;
  readonly lot: string | null;
  readonly snapshot_quantity: string;
  readonly ledger_quantity: string;
  readonly status: Discrepancy['status'];
  readonly severity: Discrepancy['severity'];
  readonly source: Discrepancy['source'];
  readonly owner_role: string;
  readonly assigned_to: string | null;
  readonly note: string | null;
  readonly occurrences: number;
  readonly finding_key: string | null;
  readonly detected_at: Date;
  readonly detected_by: string | null;
  readonly seen_at: Date | null;
  readonly closed_at: Date | null;
  readonly closed_by: string | null;
  readonly resolution_note: string | null;
  readonly ref_type: string | null;
  readonly ref_id: string | null;
  readonly order_id: string | null;
  readonly approval_request_id: string | null;
  readonly command: unknown;
}

export function toDiscrepancy(row: DiscrepancyRow): Discrepancy {
  return {
    orgId: row.org_id,
    discrepancyId: row.discrepancy_id,
    itemId: row.item_id,
    warehouseId: row.warehouse_id,
    location: row.location,
    lot: row.lot,
    snapshotQuantity: parseQuantity(row.snapshot_quantity),
    ledgerQuantity: parseQuantity(row.ledger_quantity),
    status: row.status,
    severity: row.severity,
    source: row.source,
    ownerRole: row.owner_role,
    assignedTo: row.assigned_to,
    note: row.note,
    occurrences: row.occurrences,
    findingKey: row.finding_key,
    detectedAt: row.detected_at,
    detectedBy: row.detected_by,
    seenAt: row.seen_at,
    closedAt: row.closed_at,
    closedBy: row.closed_by,
    resolutionNote: row.resolution_note,
    refType: row.ref_type,
    refId: row.ref_id,
    orderId: row.order_id,
    approvalRequestId: row.approval_request_id,
    command: row.command,
  };
}

/** What keeps stock of balances back: read only where there is something. */
export const readDoubts = statement<{ org_id: string; warehouse_id: string; item_id: string; discrepancy_id: string }>(
  'discrepancy_read_doubts',
  `select d.org_id, d.warehouse_id, d.item_id, d.discrepancy_id
     from unnest($1::text[], $2::text[], $3::text[]) k (org_id, warehouse_id, item_id)
    cross join lateral (
      select * from discrepancy o
       where o.org_id = k.org_id and o.warehouse_id = k.warehouse_id and o.item_id = k.item_id
         and o.closed_at is null and o.severity in ('high', 'critical') and o.source <> 'blocked_transaction'
      offset 0) d
    order by d.detected_at, d.discrepancy_id`,
);

const discrepanciesBy = (name: string, lock: '' | 'for no key update') =>
  statement<DiscrepancyRow>(
    name,
    `select d.* from unnest($1::text[], $2::uuid[]) k (org_id, discrepancy_id)
      cross join lateral (
        select * from discrepancy o where o.org_id = k.org_id and o.discrepancy_id = k.discrepancy_id limit 1 ${lock}) d`,
  );

/** Those that commands are about; for a dry run. */
export const readDiscrepancies = discrepanciesBy('discrepancy_read', '');
/** The same, locked in the order in which they are named. */
export const lockDiscrepancies = discrepanciesBy('discrepancy_lock', 'for no key update');

/** What is open of balances by which somebody saw how much is there, oldest first. */
export const readSeen = statement<DiscrepancyRow>(
  'discrepancy_read_seen',
  `select d.*
     from unnest($1::text[], $2::text[], $3::text[]) k (org_id, warehouse_id, item_id)
    cross join lateral (
      select * from discrepancy o
       where o.org_id = k.org_id and o.warehouse_id = k.warehouse_id and o.item_id = k.item_id and o.closed_at is null
         and o.source in ('count', 'pick_shortage', 'manual_report')
       order by o.detected_at, o.discrepancy_id
       limit 500) d`,
);

/** The open ones of findings, by their keys. */
export const readFindings = statement<DiscrepancyRow>(
  'discrepancy_read_findings',
  `select d.* from unnest($1::text[], $2::text[]) k (org_id, finding_key)
    cross join lateral (
      select * from discrepancy o
       where o.org_id = k.org_id and o.finding_key = k.finding_key and o.closed_at is null and o.finding_key is not null
       limit 1) d`,
);

/** Where on hand is below what is there at least; by pages. */
export const balancesBelowZero = statement<{ warehouse_id: string; item_id: string }>(
  'discrepancy_balances_below_zero',
  `select warehouse_id, item_id from stock_balance
    where org_id = $1 and may_be_negative and (warehouse_id, item_id) > ($2, $3)
    order by warehouse_id, item_id limit $4`,
);

export const insertDiscrepancies = statement<never>(
  'discrepancy_insert',
  `insert into discrepancy (org_id, discrepancy_id, item_id, warehouse_id, location, lot, snapshot_quantity, ledger_quantity, status, severity,
                            source, owner_role, assigned_to, note, finding_key, detected_at, detected_by, closed_at, closed_by,
                            resolution_note, ref_type, ref_id, order_id, approval_request_id, command, seen_at)
   select * from unnest($1::text[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::numeric[], $8::numeric[], $9::text[],
                        $10::text[], $11::text[], $12::text[], $13::text[], $14::text[], $15::text[], $16::timestamptz[], $17::text[],
                        $18::timestamptz[], $19::text[], $20::text[], $21::text[], $22::text[], $23::text[], $24::text[], $25::jsonb[], $26::timestamptz[])`,
);

export const updateDiscrepancies = statement<never>(
  'discrepancy_update',
  `update discrepancy d
      set status = k.status, owner_role = k.owner_role, assigned_to = k.assigned_to, closed_at = k.closed_at, closed_by = k.closed_by,
          resolution_note = k.resolution_note, approval_request_id = k.approval_request_id
     from unnest($1::text[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::timestamptz[], $7::text[], $8::text[], $9::text[])
          k (org_id, discrepancy_id, status, owner_role, assigned_to, closed_at, closed_by, resolution_note, approval_request_id)
    where d.org_id = k.org_id and d.discrepancy_id = k.discrepancy_id`,
);

/** Who did what with discrepancies, for good. */
export const insertChanges = statement<never>(
  'discrepancy_insert_changes',
  `insert into discrepancy_change (org_id, change_id, discrepancy_id, warehouse_id, order_id, type, actor, details, changed_at)
   select k.*, $9 from unnest($1::text[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[], $8::jsonb[]) k`,
);

/** More refusals that an open discrepancy stands for. */
export const joinAttempts = statement<never>(
  'discrepancy_join_attempts',
  `update discrepancy d set occurrences = d.occurrences + k.attempts
     from unnest($1::text[], $2::uuid[], $3::int[]) k (org_id, discrepancy_id, attempts)
    where d.org_id = k.org_id and d.discrepancy_id = k.discrepancy_id`,
);

export const insertAttempts = statement<never>(
  'discrepancy_insert_attempts',
  `insert into oversell_attempt (org_id, attempt_id, order_id, line_no, item_id, warehouse_id, source, actor, requested, available, outcome,
                                 reason, phase, snapshot, discrepancy_id, recorded_at)
   select k.*, $16 from unnest($1::text[], $2::uuid[], $3::text[], $4::int[], $5::text[], $6::text[], $7::text[], $8::text[], $9::numeric[],
                               $10::numeric[], $11::text[], $12::text[], $13::text[], $14::jsonb[], $15::uuid[]) k`,
);

/** What availability needs to know of the discrepancies of balances. */
export const updateDoubts = statement<never>(
  'discrepancy_update_doubts',
  `update stock_balance b
      set doubts = b.doubts + k.doubts, doubtful = b.doubtful + k.doubtful, attempts_discrepancy_id = k.attempts_discrepancy_id,
          may_be_negative = k.may_be_negative
     from unnest($1::text[], $2::text[], $3::text[], $4::int[], $5::numeric[], $6::uuid[], $7::boolean[])
          k (org_id, warehouse_id, item_id, doubts, doubtful, attempts_discrepancy_id, may_be_negative)
    where b.org_id = k.org_id and b.warehouse_id = k.warehouse_id and b.item_id = k.item_id`,
);
