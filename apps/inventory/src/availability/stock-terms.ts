import { DEFAULT_STOCK_SETTINGS, type DiscrepancyLockPolicy } from '#libs/contracts';
import { parseQuantity, type Quantity } from '#libs/domain';
import type { AvailabilityTerms } from './available-to-promise.js';

/** What the organisation keeps back of a balance `b` that is in doubt; null = it says nothing. */
export const LOCK_POLICY = `
  (select s.discrepancy_lock_policy from stock_settings s where s.org_id = b.org_id)`;

/** Whether the organisation of a balance `b` lets everything pass, and warns nobody but its administrators (docs/rules.md, "phases"). */
export const IS_DARK = `
  coalesce((select s.enforcement_phase = 'dark' from stock_settings s where s.org_id = b.org_id), false)`;

/**
 * The terms of the calculation as columns of a balance `b`, which may be missing, and its item `i`. What has expired, or will before it may, is
 * looked for only where lots are kept, in the order of the index that is to be taken, because that of all that expires fits as well.
 *
 * @param days SQL: how many days a lot must live, for a caller that says so; null = as item and organisation say.
 */
export const stockTermColumns = (days = 'null::integer') => `
  coalesce(b.on_hand, 0) as on_hand,
  coalesce(b.blocked, 0) as blocked,
  coalesce(b.reserved, 0) as reserved,
  coalesce(b.backordered, 0) as backordered,
  coalesce(b.in_transit, 0) as in_transit,
  coalesce(b.doubts, 0) as doubts,
  coalesce(b.doubtful, 0) as doubtful,
  case when coalesce(b.doubts, 0) > 0 then ${LOCK_POLICY} end as lock_policy,
  coalesce(b.safety_quantity, i.safety_stock, 0) as safety_quantity,
  coalesce(b.safety_percent, 0) as safety_percent,
  case when i.tracking = 'none' or b.org_id is null then 0
       else (select coalesce(sum(q.free), 0) from (
              select q.quantity - q.reserved as free from quant q
               where q.org_id = b.org_id and q.warehouse_id = b.warehouse_id and q.item_id = b.item_id
                 and q.quality = 'available' and q.quantity > 0 and q.quantity > q.reserved
                 and q.expires_at <= now() + make_interval(days => coalesce(${days}, i.min_remaining_shelf_life_days,
                       (select s.min_remaining_shelf_life_days from stock_settings s where s.org_id = b.org_id), 0))
               order by q.org_id, q.warehouse_id, q.item_id, q.expires_at, q.received_at, q.lot, q.location
               limit 1000000000) q)
  end as expired_or_too_old`;

/** For callers who say nothing of shelf life. */
export const STOCK_TERM_COLUMNS = stockTermColumns();

/** What {@link stockTermColumns} answers. */
export interface StockTermRow {
  readonly on_hand: string;
  readonly blocked: string;
  readonly reserved: string;
  readonly backordered: string;
  readonly in_transit: string;
  readonly doubts: number;
  readonly doubtful: string;
  /** Null = the default. */
  readonly lock_policy: DiscrepancyLockPolicy | null;
  readonly safety_quantity: string;
  readonly safety_percent: string;
  readonly expired_or_too_old: string;
}

export function stockTerms(row: StockTermRow): AvailabilityTerms & { readonly inTransit: Quantity } {
  return {
    onHand: parseQuantity(row.on_hand),
    blocked: parseQuantity(row.blocked),
    reserved: parseQuantity(row.reserved),
    backordered: parseQuantity(row.backordered),
    inTransit: parseQuantity(row.in_transit),
    doubts: row.doubts,
    doubtful: parseQuantity(row.doubtful),
    lockPolicy: row.lock_policy ?? DEFAULT_STOCK_SETTINGS.discrepancyLockPolicy,
    safetyQuantity: parseQuantity(row.safety_quantity),
    safetyPercent: parseQuantity(row.safety_percent),
    expiredOrTooOld: parseQuantity(row.expired_or_too_old),
  };
}
