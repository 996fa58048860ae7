import type { Availability } from '#libs/contracts';
import { statement, type Tx } from '#libs/persistence';
import { itemNotFound } from '../catalogue/item.queries.js';
import { warehouseNotFound } from '../catalogue/warehouse.queries.js';
import { isShown } from '../scope.js';
import { type AvailabilityQuestion, toAvailability } from './availability.queries.js';
import { type StockTermRow, stockTerms } from './stock-terms.js';

interface PastRow extends Omit<StockTermRow, 'in_transit'> {
  readonly place: number;
  readonly item_known: boolean;
  readonly warehouse_known: boolean;
  readonly warehouse_id: string | null;
}

/** What is held now of reservations made since then; of a lot, or of all. */
const madeSince = (lot: string) => `(
  select coalesce(sum(r.quantity - r.fulfilled_quantity), 0) from reservation r
   where r.org_id = b.org_id and r.warehouse_id = b.warehouse_id and r.item_id = b.item_id and r.status = 'active' and r.reserved_at > $4${lot})`;
/** How the holds that were there then have changed since. */
const changedSince = (kind: string, lot: string) => `(
  select coalesce(sum(g.quantity_delta), 0) from reservation_log g
   where g.org_id = b.org_id and g.warehouse_id = b.warehouse_id and g.item_id = b.item_id and g.recorded_at > $4 and g.kind = '${kind}'
     and (g.reserved_at is null or g.reserved_at <= $4)${lot})`;

/**
 * The counters of then: what was on hand by the ledger; held and waiting as now, without what came since by the reservation log. The rules
 * (safety stock, shelf life) are those of today.
 */
const readPast = statement<PastRow>(
  'availability_as_of',
  `select asked.place::integer as place, i.org_id is not null as item_known, b.warehouse_id,
          asked.warehouse_id is null or exists (
            select from warehouse w where w.org_id = $1 and w.warehouse_id = asked.warehouse_id) as warehouse_known,
          coalesce(then_.on_hand, 0) as on_hand, coalesce(then_.blocked, 0) as blocked,
          case when b.org_id is null then 0 else b.reserved - ${madeSince('')} - ${changedSince('reservation', '')} end as reserved,
          case when b.org_id is null then 0 else b.backordered - ${changedSince('backorder', '')} end as backordered,
          coalesce(b.safety_quantity, i.safety_stock, 0) as safety_quantity, coalesce(b.safety_percent, 0) as safety_percent,
          case when i.tracking = 'none' or b.org_id is null then 0 else (
            select coalesce(sum(greatest(old.quantity - (
                     coalesce((select sum(q.reserved) from quant q where q.org_id = b.org_id and q.warehouse_id = b.warehouse_id
                                  and q.item_id = b.item_id and q.lot = old.lot), 0)
                     - ${madeSince(' and r.lot = old.lot')} - ${changedSince('reservation', ' and g.lot = old.lot')}), 0)), 0)
              from (select e.lot, sum(e.quantity_delta) as quantity from ledger_entry e
                      join lot l on l.org_id = e.org_id and l.item_id = e.item_id and l.lot = e.lot
                     where e.org_id = b.org_id and e.warehouse_id = b.warehouse_id and e.item_id = b.item_id and e.recorded_at <= $4
                       and e.quality = 'available'
                       and l.expires_at <= $4 + make_interval(days => coalesce($5, i.min_remaining_shelf_life_days,
                             (select s.min_remaining_shelf_life_days from stock_settings s where s.org_id = $1), 0))
                     group by e.lot) old) end as expired_or_too_old
     from unnest($2::text[], $3::text[]) with ordinality as asked (warehouse_id, item_id, place)
     left join item i on i.org_id = $1 and i.item_id = asked.item_id
     left join stock_balance b on b.org_id = $1 and b.item_id = asked.item_id and (asked.warehouse_id is null or b.warehouse_id = asked.warehouse_id)
     left join lateral (
       select sum(e.quantity_delta) as on_hand, coalesce(sum(e.quantity_delta) filter (where e.quality <> 'available'), 0) as blocked
         from ledger_entry e
        where e.org_id = b.org_id and e.warehouse_id = b.warehouse_id and e.item_id = b.item_id and e.recorded_at <= $4) then_ on true
    order by asked.place, b.warehouse_id`,
);

/**
 * What could be promised at a time that was recorded: the one calculation, with the counters of then. Nothing is known of what was under way
 * between warehouses, which is told as 0.
 *
 * @throws {HoldfastError} `ITEM_NOT_FOUND`, `WAREHOUSE_NOT_FOUND`.
 */
export async function readPastAvailability(tx: Tx, question: AvailabilityQuestion, asOf: Date): Promise<Availability[]> {
  const { orgId, scope, items } = question;
  const asked = items.filter(({ warehouseId }) => warehouseId === undefined || isShown(scope, warehouseId));
  const rows = await tx.run(readPast, [
    orgId,
    asked.map(({ warehouseId }) => warehouseId ?? null),
    asked.map(({ itemId }) => itemId),
    asOf,
    question.minRemainingShelfLifeDays ?? null,
  ]);
  return rows.flatMap((row) => {
    const { itemId, warehouseId } = asked[row.place - 1]!;
    if (!row.item_known) throw itemNotFound([itemId]);
    if (!row.warehouse_known) throw warehouseNotFound(warehouseId!);
    const place = row.warehouse_id ?? warehouseId;
    return place === undefined || !isShown(scope, place) ? [] : [toAvailability(itemId, place, stockTerms({ ...row, in_transit: '0' }))];
  });
}
