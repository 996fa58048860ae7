import {
  GROUP_FIELDS,
  type GroupKey,
  type InventoryValue,
  type InventoryValueReport,
  type RequestOf,
  type ResponseOf,
} from '#libs/contracts';
import { readGrouped, type Tx } from '#libs/persistence';
import type { Scope } from '../scope.js';
import { readSettings } from '../settings/settings.queries.js';

// Parameters: $1 organisation, $2 the reader's warehouses, $3 from, $4 to; both may be null.
const MINE = `org_id = $1 and ($2::text[] is null or warehouse_id = any($2))`;
const KEYS = `item_id as "itemId", warehouse_id as "warehouseId"`;

const NOW = `select ${KEYS}, on_hand as quantity, value, 0 as came, 0 as came_value from stock_balance where ${MINE}`;
// What came after the period counts the other way: so the stock of last month is read from this month's entries, not from those of all years.
const SINCE = `
  select ${KEYS}, case when recorded_at >= $4 then -quantity_delta else 0 end, case when recorded_at >= $4 then -value_delta else 0 end,
         case when recorded_at >= $4 or recorded_at < $3 then 0 else quantity_delta end,
         case when recorded_at >= $4 or recorded_at < $3 then 0 else value_delta end
    from ledger_entry
   where ${MINE} and recorded_at >= least($3::timestamptz, $4::timestamptz)`;

/** What the stock was worth at the end of a period, by default now; and what came and went in it, when its beginning is named. */
export async function reportInventoryValue(
  tx: Tx,
  orgId: string,
  scope: Scope,
  { from, to, limit, groupBy }: RequestOf<typeof InventoryValueReport>,
): Promise<ResponseOf<typeof InventoryValueReport>> {
  const { currency } = await readSettings(tx, orgId);
  const changes = `, trim_scale(coalesce(sum(came), 0)) as "quantityChange", trim_scale(coalesce(sum(came_value), 0)) as "valueChange"`;
  const grouping = {
    keys: GROUP_FIELDS[groupBy],
    from: `${NOW} union all ${SINCE}`,
    counts: `trim_scale(coalesce(sum(quantity), 0)) as quantity, trim_scale(coalesce(sum(value), 0)) as value${from === undefined ? '' : changes}`,
    having: 'sum(quantity) <> 0 or sum(value) <> 0 or sum(came) <> 0 or sum(came_value) <> 0',
    order: 'sum(value) desc, sum(quantity) desc',
  };
  const report = await readGrouped<GroupKey, InventoryValue>(tx, grouping, [orgId, scope, from ?? null, to ?? null], limit);
  return { ...report, summary: { ...report.summary, currency } };
}
