import {
  type DiscrepancyCounts,
  type DiscrepanciesReport,
  type DoubtAt,
  type DoubtsAt,
  GROUP_FIELDS,
  type GroupKey,
  type RequestOf,
  type ResponseOf,
} from '#libs/contracts';
import { shortestDecimal } from '#libs/domain';
import { readGrouped, type Tx } from '#libs/persistence';
import type { Scope } from '../scope.js';

// Parameters: $1 organisation, $2 from, $3 to, $4 the reader's warehouses. Those closed before the period, by far the most, are not read.
const FOUND = `select item_id as "itemId", warehouse_id as "warehouseId", status, severity, source, detected_at,
    abs(snapshot_quantity - ledger_quantity) as difference, closed_at is null or closed_at >= $3::timestamptz as is_open,
    case when least($3::timestamptz, now()) - detected_at < interval '1 day' then 'under_1_day'
         when least($3::timestamptz, now()) - detected_at < interval '7 days' then '1_to_7_days'
         when least($3::timestamptz, now()) - detected_at < interval '30 days' then '7_to_30_days'
         else 'over_30_days' end as age
  from discrepancy
 where org_id = $1 and detected_at < $3::timestamptz and ($4::text[] is null or warehouse_id = any($4))`;
const OPEN_IN_PERIOD = `${FOUND} and closed_at is null union all ${FOUND} and closed_at >= $2::timestamptz`;

/** The discrepancies that were open at some time of the period. */
export async function reportDiscrepancies(
  tx: Tx,
  orgId: string,
  scope: Scope,
  { from, to, limit, groupBy }: RequestOf<typeof DiscrepanciesReport>,
): Promise<ResponseOf<typeof DiscrepanciesReport>> {
  const grouping = {
    keys: GROUP_FIELDS[groupBy],
    from: groupBy === 'age' ? `select * from (${OPEN_IN_PERIOD}) found where is_open` : OPEN_IN_PERIOD,
    counts: `count(*)::int as discrepancies, count(*) filter (where is_open)::int as open,
      trim_scale(coalesce(sum(difference), 0)) as difference,
      min(detected_at) filter (where is_open) as "oldestOpenAt", max(detected_at) as "lastDetectedAt"`,
    order: 'discrepancies desc, difference desc',
  };
  return await readGrouped<GroupKey, DiscrepancyCounts>(tx, grouping, [orgId, from, to, scope], limit);
}

interface DoubtRow {
  readonly position: number;
  readonly discrepancy_id: string;
  readonly item_id: string;
  readonly warehouse_id: string | null;
  readonly severity: DoubtAt['severity'];
  readonly source: DoubtAt['source'];
  readonly difference: string;
  readonly detected_at: Date;
}

/** Which discrepancies put stock of these places in doubt at these times; what does so is said by `raisesDoubt`. */
export async function readDoubtsAt(
  tx: Tx,
  orgId: string,
  scope: Scope,
  { asked }: RequestOf<typeof DoubtsAt>,
): Promise<ResponseOf<typeof DoubtsAt>> {
  const keys = asked.flatMap(({ at, places }, position) => places.map((place) => ({ ...place, at, position })));
  const rows = await tx.rows<DoubtRow>(
    `select distinct on (k.position, d.detected_at, d.discrepancy_id) k.position, d.*
       from unnest($2::int[], $3::timestamptz[], $4::text[], $5::text[]) k (position, at, item_id, warehouse_id)
      cross join lateral (
        select discrepancy_id, item_id, warehouse_id, severity, source, snapshot_quantity - ledger_quantity as difference, detected_at
          from discrepancy
         where org_id = $1 and item_id = k.item_id and detected_at <= k.at and (closed_at is null or closed_at > k.at)
           and (k.warehouse_id is null or warehouse_id = k.warehouse_id) and ($6::text[] is null or warehouse_id = any($6))
           and severity in ('high', 'critical') and source <> 'blocked_transaction'
        offset 0) d
      order by k.position, d.detected_at, d.discrepancy_id`,
    [orgId, keys.map((k) => k.position), keys.map((k) => k.at), keys.map((k) => k.itemId), keys.map((k) => k.warehouseId), scope],
  );
  const found = Map.groupBy(rows, (row) => row.position);
  return { doubts: asked.map((_, position) => (found.get(position) ?? []).map(toDoubt)) };
}

function toDoubt(row: DoubtRow): DoubtAt {
  return {
    discrepancyId: row.discrepancy_id,
    itemId: row.item_id,
    warehouseId: row.warehouse_id,
    severity: row.severity,
    source: row.source,
    difference: shortestDecimal(row.difference),
    detectedAt: row.detected_at.toISOString(),
  };
}
