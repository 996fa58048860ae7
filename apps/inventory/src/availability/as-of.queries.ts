import type { Availability } from '#libs/contracts';
import { statement, type Tx } from '#libs/persistence';
import { itemNotFound } from '../catalogue/item.queries.js';
import { warehouseNotFound } from '../catalogue/warehouse.queries.js';
import { isShown } from '../scope.js';
import { type AvailabilityQuestion, type DoubtRow, toAvailability } from './availability.queries.js';
import { IS_DARK, LOCK_POLICY, type StockTermRow, stockTerms } from './stock-terms.js';

interface PastRow extends StockTermRow, DoubtRow {
  readonly place: number;
  readonly item_known: boolean;
  readonly warehouse_known: boolean;
  readonly warehouse_id: string | null;
}

// Said by every read of something that only grows: the order is that of its index, so that no other one is taken, whatever the planner knows.
const inIndexOrder = (columns: string) => `order by ${columns} limit 1000000000`;

const LEDGER_SINCE = `
  select e.lot, e.quality, e.quantity_delta, e.movement_type, e.ref_id from ledger_entry e
   where e.org_id = b.org_id and e.warehouse_id = b.warehouse_id and e.item_id = b.item_id and e.recorded_at > $4
   ${inIndexOrder('e.org_id, e.item_id, e.recorded_at')}`;
/** How the holds that were there then, and the queue, have changed since. */
const LOGGED_SINCE = `
  select g.kind, g.lot, g.quantity_delta from reservation_log g
   where g.org_id = b.org_id and g.warehouse_id = b.warehouse_id and g.item_id = b.item_id and g.recorded_at > $4
     and (g.reserved_at is null or g.reserved_at <= $4)
   ${inIndexOrder('g.org_id, g.warehouse_id, g.item_id, g.recorded_at')}`;
/** What is held now of reservations made since then. */
const MADE_SINCE = `
  select r.lot, r.quantity - r.fulfilled_quantity as quantity from reservation r
   where r.org_id = b.org_id and r.warehouse_id = b.warehouse_id and r.item_id = b.item_id and r.status = 'active' and r.reserved_at > $4`;

/** What was sent to warehouses since then, and did not arrive at once. */
const SENT_SINCE = `
  select t.to_warehouse_id as warehouse_id, l."itemId" as item_id, sum(l.quantity) as quantity
    from (select * from transfer t
           where t.org_id = $1 and t.dispatched_at > $4 and t.mode = 'in_transit' ${inIndexOrder('t.org_id, t.dispatched_at, t.transfer_id')}) t
   cross join lateral jsonb_to_recordset(t.lines) l ("itemId" text, quantity numeric)
   group by 1, 2`;

/**
 * The counters of then: as now, without what came since by the ledger and the reservation log. So what happened yesterday is told by the
 * entries of a day, and not by those of all years. The rules (safety stock, shelf life, lock policy) are those of today.
 */
const readPast = statement<PastRow>(
  'availability_as_of',
  `with sent as materialized (${SENT_SINCE})
   select asked.place::integer as place, i.org_id is not null as item_known, b.warehouse_id,
          asked.warehouse_id is null or exists (
            select from warehouse w where w.org_id = $1 and w.warehouse_id = asked.warehouse_id) as warehouse_known,
          coalesce(b.on_hand - moved.on_hand, 0) as on_hand, coalesce(b.blocked - moved.blocked, 0) as blocked,
          coalesce(b.reserved - made.reserved - logged.reserved, 0) as reserved,
          coalesce(b.backordered - logged.backordered, 0) as backordered,
          coalesce(b.in_transit + moved.arrived + missed.quantity
                     - (select coalesce(sum(s.quantity), 0) from sent s where s.warehouse_id = b.warehouse_id and s.item_id = b.item_id), 0)
            as in_transit,
          coalesce(b.safety_quantity, i.safety_stock, 0) as safety_quantity, coalesce(b.safety_percent, 0) as safety_percent,
          coalesce(doubted.doubts, 0) as doubts, coalesce(doubted.doubtful, 0) as doubtful, ${LOCK_POLICY} as lock_policy,
          ${IS_DARK} as is_dark,
          case when i.tracking = 'none' or b.org_id is null then 0 else (
            select coalesce(sum(greatest(free.quantity, 0)), 0)
              from (select known.lot, sum(known.quantity) as quantity
                      from (select q.lot, q.quantity - q.reserved as quantity from quant q
                             where q.org_id = b.org_id and q.warehouse_id = b.warehouse_id and q.item_id = b.item_id and q.quality = 'available'
                            union all select e.lot, -e.quantity_delta from (${LEDGER_SINCE}) e where e.quality = 'available'
                            union all select r.lot, r.quantity from (${MADE_SINCE}) r
                            union all select g.lot, g.quantity_delta from (${LOGGED_SINCE}) g where g.kind = 'reservation') known
                     group by known.lot) free
             cross join lateral (
               select from lot l where l.org_id = b.org_id and l.item_id = b.item_id and l.lot = free.lot
                  and l.expires_at <= least($4, now()) + make_interval(days => coalesce($5, i.min_remaining_shelf_life_days,
                        (select s.min_remaining_shelf_life_days from stock_settings s where s.org_id = $1), 0))
               offset 0) too_old) end as expired_or_too_old
     from unnest($2::text[], $3::text[]) with ordinality as asked (warehouse_id, item_id, place)
     left join item i on i.org_id = $1 and i.item_id = asked.item_id
     left join stock_balance b on b.org_id = $1 and b.item_id = asked.item_id and (asked.warehouse_id is null or b.warehouse_id = asked.warehouse_id)
     left join lateral (
       select coalesce(sum(e.quantity_delta), 0) as on_hand,
              coalesce(sum(e.quantity_delta) filter (where e.quality <> 'available'), 0) as blocked,
              coalesce(sum(e.quantity_delta) filter (where e.movement_type = 'transfer_in' and (
                select t.mode from transfer t where t.org_id = $1 and t.transfer_id = e.ref_id) = 'in_transit'), 0) as arrived
         from (${LEDGER_SINCE}) e) moved on true
     left join lateral (
       -- What of a transfer will not come any more is told by a discrepancy alone, made with it.
       select coalesce(sum(d.ledger_quantity - d.snapshot_quantity), 0) as quantity from discrepancy d
        where d.org_id = b.org_id and d.warehouse_id = b.warehouse_id and d.item_id = b.item_id and d.detected_at > $4
          and d.source = 'transfer_shortage') missed on true
     left join lateral (
       select coalesce(sum(g.quantity_delta) filter (where g.kind = 'reservation'), 0) as reserved,
              coalesce(sum(g.quantity_delta) filter (where g.kind = 'backorder'), 0) as backordered from (${LOGGED_SINCE}) g) logged on true
     left join lateral (select coalesce(sum(r.quantity), 0) as reserved from (${MADE_SINCE}) r) made on true
     left join lateral (
       select count(*)::integer as doubts, sum(abs(d.snapshot_quantity - d.ledger_quantity)) as doubtful
         from discrepancy d
        where d.org_id = b.org_id and d.warehouse_id = b.warehouse_id and d.item_id = b.item_id
          and d.detected_at <= $4 and (d.closed_at is null or d.closed_at > $4)
          and d.severity in ('high', 'critical') and d.source <> 'blocked_transaction') doubted on true
    order by asked.place, b.warehouse_id`,
);

// Planned for each question anew, with every month of the ledger, it took six times as long as to be answered.
const planOnce = statement('availability_plan_once', `select set_config('plan_cache_mode', 'force_generic_plan', true)`);

/**
 * What could be promised at a time that was recorded: the one calculation, with the counters of then; at a time to come, what can be now.
 *
 * @throws {HoldfastError} `ITEM_NOT_FOUND`, `WAREHOUSE_NOT_FOUND`.
 */
export async function readPastAvailability(tx: Tx, question: AvailabilityQuestion, asOf: Date): Promise<Availability[]> {
  const { orgId, scope, isAdmin = false, items } = question;
  const asked = items.filter(({ warehouseId }) => warehouseId === undefined || isShown(scope, warehouseId));
  void tx.run(planOnce, []);
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
    if (place === undefined || !isShown(scope, place)) return [];
    return [toAvailability(itemId, place, stockTerms(row), { isDark: row.is_dark, isAdmin })];
  });
}
