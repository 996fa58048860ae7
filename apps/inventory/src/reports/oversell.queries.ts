import {
  GROUP_FIELDS,
  type GroupKey,
  type OversellCounts,
  type OversellReport,
  type RequestOf,
  type ResponseOf,
  type WouldBlockCounts,
  type WouldBlockReport,
} from '#libs/contracts';
import { readGrouped, statement, type Tx } from '#libs/persistence';
import type { Scope } from '../scope.js';
import { readSettings } from '../settings/settings.queries.js';

// Parameters: $1 organisation, $2 from, $3 to, $4 the reader's warehouses, $5 time zone.
const IN_PERIOD = `org_id = $1 and recorded_at >= $2::timestamptz and recorded_at < $3::timestamptz
  and ($4::text[] is null or warehouse_id = any($4))`;
const KEYS = `item_id as "itemId", warehouse_id as "warehouseId", to_char(recorded_at at time zone $5::text, 'YYYY-MM-DD') as day`;

/** Answered by an index alone, which a bitmap of it would not be: an attempt carries a snapshot many times as large as what is counted of it. */
const ATTEMPTS = `select ${KEYS}, source, outcome, greatest(requested - available, 0) as short, recorded_at
  from oversell_attempt where ${IN_PERIOD}`;

const byIndexAlone = statement('oversell_by_index_alone', `select set_config('enable_bitmapscan', 'off', true)`);

/** Of what orders wanted more than they could have. */
export async function reportOversell(
  tx: Tx,
  orgId: string,
  scope: Scope,
  { from, to, limit, groupBy }: RequestOf<typeof OversellReport>,
): Promise<ResponseOf<typeof OversellReport>> {
  void tx.run(byIndexAlone, []);
  const { timezone } = await readSettings(tx, orgId);
  const grouping = {
    keys: GROUP_FIELDS[groupBy],
    from: ATTEMPTS,
    counts: `count(*)::int as attempts, trim_scale(coalesce(sum(short), 0)) as "quantityShort",
      count(*) filter (where outcome = 'refused')::int as refused,
      count(*) filter (where outcome = 'pending_approval')::int as "pendingApproval",
      count(*) filter (where outcome = 'would_block')::int as "wouldBlock", max(recorded_at) as "lastAt"`,
    order: 'attempts desc, "quantityShort" desc',
  };
  return await readGrouped<GroupKey, OversellCounts>(tx, grouping, [orgId, from, to, scope, timezone], limit);
}

// A movement of an item may be several entries, of lots and places. Flagged without a discrepancy are returns of unknown cost.
const PASSED = `
  select "itemId", "warehouseId", day, 1 as attempt, short, 0 as movement, 0 as moved, recorded_at
    from (${ATTEMPTS} and outcome = 'would_block') attempts
   union all
  select ${KEYS}, 0, 0, 1, moved, recorded_at
    from (select item_id, warehouse_id, recorded_at, sum(abs(quantity_delta)) as moved from ledger_entry
           where ${IN_PERIOD} and flagged and discrepancy_id is not null
           group by item_id, warehouse_id, recorded_at, movement_id) movements`;

/** What passed that a stricter phase would have blocked: lines of orders, and movements. */
export async function reportWouldBlock(
  tx: Tx,
  orgId: string,
  scope: Scope,
  { from, to, limit, groupBy }: RequestOf<typeof WouldBlockReport>,
): Promise<ResponseOf<typeof WouldBlockReport>> {
  void tx.run(byIndexAlone, []);
  const { timezone } = await readSettings(tx, orgId);
  const grouping = {
    keys: GROUP_FIELDS[groupBy],
    from: PASSED,
    counts: `coalesce(sum(attempt), 0)::int as attempts, trim_scale(coalesce(sum(short), 0)) as "quantityShort",
      coalesce(sum(movement), 0)::int as movements, trim_scale(coalesce(sum(moved), 0)) as "quantityMoved", max(recorded_at) as "lastAt"`,
    order: 'count(*) desc, "quantityShort" desc, "quantityMoved" desc',
  };
  return await readGrouped<GroupKey, WouldBlockCounts>(tx, grouping, [orgId, from, to, scope, timezone], limit);
}
