import type { DiscrepancyLockPolicy, EnforcementPhase, Tolerance } from '#libs/contracts';
import { statement } from '#libs/persistence';
import type { Costing } from '../costing/cost-layers.js';
import type { SourcingStrategy } from './decision-settings.js';
import type { Quality } from './quants.js';

// The statements of the machine: set-based, one per table and batch, prepared once per connection. Keys travel as parallel arrays and are
// joined by `unnest`. Every join is written in the order in which it is to be done: from the keys, by probing primary keys.

export interface BalancePlace {
  readonly org_id: string;
  readonly warehouse_id: string;
  readonly item_id: string;
}

/**
 * Where the orders of the batch hold or wait, so that those balances are locked with the others. A new order costs one probe. What is open
 * is told by `closed_at`: by `status` the planner may take the index of open holds instead of the key, and go through all of the
 * organisation for each order.
 */
export const findPlacesOfOrders = statement<BalancePlace & { order_id: string }>(
  'stock_find_places_of_orders',
  `select h.org_id, h.warehouse_id, h.item_id, d.order_id
     from unnest($1::text[], $2::text[]) k (org_id, order_id)
     join demand d on d.org_id = k.org_id and d.order_id = k.order_id
    cross join lateral (
      select r.org_id, r.warehouse_id, r.item_id from reservation r where r.org_id = d.org_id and r.order_id = d.order_id and r.closed_at is null
      union
      select b.org_id, b.warehouse_id, b.item_id from backorder b where b.org_id = d.org_id and b.order_id = d.order_id) h`,
);

/** The warehouses that know an item, for lines that name none. */
export const findPlacesOfItems = statement<BalancePlace>(
  'stock_find_places_of_items',
  `select b.org_id, b.warehouse_id, b.item_id
     from unnest($1::text[], $2::text[]) k (org_id, item_id)
     join stock_balance b on b.org_id = k.org_id and b.item_id = k.item_id`,
);

export const findWarehouses = statement<{ org_id: string; warehouse_id: string; priority: number }>(
  'stock_find_warehouses',
  `select w.org_id, w.warehouse_id, w.priority
     from unnest($1::text[]) k (org_id) join warehouse w on w.org_id = k.org_id
    order by w.org_id, w.priority, w.warehouse_id`,
);

export const findItems = statement<{ org_id: string; item_id: string }>(
  'stock_find_items',
  `select i.org_id, i.item_id from unnest($1::text[], $2::text[]) k (org_id, item_id) join item i on i.org_id = k.org_id and i.item_id = k.item_id`,
);

/**
 * A balance that does not exist yet is made as a zero row, so that it can be locked like any other. Only where item and warehouse exist:
 * what is still missing afterwards is an unknown item or warehouse. Looks first, because an insert that conflicts costs five times a look,
 * and a process that has just started knows no balance.
 */
export const makeMissingBalances = statement<never>(
  'stock_make_missing_balances',
  `insert into stock_balance (org_id, warehouse_id, item_id)
   select k.org_id, k.warehouse_id, k.item_id
     from (select * from unnest($1::text[], $2::text[], $3::text[]) k (org_id, warehouse_id, item_id)
            where not exists (select from stock_balance b
                               where b.org_id = k.org_id and b.warehouse_id = k.warehouse_id and b.item_id = k.item_id)
           offset 0) k
     join item i on i.org_id = k.org_id and i.item_id = k.item_id
     join warehouse w on w.org_id = k.org_id and w.warehouse_id = k.warehouse_id
    order by k.org_id, k.warehouse_id, k.item_id
       on conflict do nothing`,
);

export interface BalanceRow {
  readonly org_id: string;
  readonly warehouse_id: string;
  readonly item_id: string;
  readonly on_hand: string;
  readonly reserved: string;
  readonly safety_quantity: string | null;
  readonly safety_percent: string | null;
  readonly reorder_point: string | null;
  readonly item_safety_stock: string | null;
  readonly item_reorder_point: string | null;
  readonly last_entry_no: number;
  readonly min_remaining_shelf_life_days: number | null;
  readonly attempts_discrepancy_id: string | null;
  readonly last_unit_cost: string | null;
  // Null where it is as with most: all good, in one place, neither waited for nor in doubt, not tracked, FIFO. What is not there costs
  // nothing to read.
  readonly blocked: string | null;
  readonly backordered: string | null;
  readonly tracking: 'lot' | 'serial' | null;
  readonly costing: Exclude<Costing, 'fifo'> | null;
  readonly has_quants: true | null;
  readonly doubts: number | null;
  readonly doubtful: string | null;
  readonly may_be_negative: true | null;
}

const balanceColumns = `b.org_id, b.warehouse_id, b.item_id, b.on_hand, b.reserved, nullif(b.blocked, 0) as blocked,
          nullif(b.backordered, 0) as backordered, b.safety_quantity, b.safety_percent, b.reorder_point, b.last_entry_no,
          i.safety_stock as item_safety_stock, i.reorder_point as item_reorder_point, i.min_remaining_shelf_life_days,
          b.attempts_discrepancy_id, b.last_unit_cost, nullif(i.tracking, 'none') as tracking, nullif(i.costing, 'fifo') as costing,
          nullif(b.has_quants, false) as has_quants, nullif(b.doubts, 0) as doubts, nullif(b.doubtful, 0) as doubtful,
          nullif(b.may_be_negative, false) as may_be_negative`;

/**
 * Locks the balances in the order of their keys, whatever batch asks: two batches that lock the same rows in the same order cannot
 * deadlock. The row's own columns are those under the lock; the sums of other tables must be read in later statements, because this one's
 * snapshot is older than the lock.
 */
export const lockBalances = statement<BalanceRow>(
  'stock_lock_balances',
  `select ${balanceColumns}
     from unnest($1::text[], $2::text[], $3::text[]) k (org_id, warehouse_id, item_id)
     join stock_balance b on b.org_id = k.org_id and b.warehouse_id = k.warehouse_id and b.item_id = k.item_id
     join item i on i.org_id = b.org_id and i.item_id = b.item_id
    order by b.org_id, b.warehouse_id, b.item_id
      for no key update of b`,
);

/** The same for a dry run: no locks, and what does not exist yet is zero. */
export const readBalances = statement<BalanceRow>(
  'stock_read_balances',
  `select k.org_id, k.warehouse_id, k.item_id, coalesce(b.on_hand, 0) as on_hand, nullif(b.blocked, 0) as blocked,
          coalesce(b.reserved, 0) as reserved, nullif(b.backordered, 0) as backordered, b.safety_quantity, b.safety_percent,
          b.reorder_point, coalesce(b.last_entry_no, 0) as last_entry_no, i.safety_stock as item_safety_stock,
          i.reorder_point as item_reorder_point, i.min_remaining_shelf_life_days, b.attempts_discrepancy_id, b.last_unit_cost,
          nullif(i.tracking, 'none') as tracking, nullif(i.costing, 'fifo') as costing, nullif(b.has_quants, false) as has_quants,
          nullif(b.doubts, 0) as doubts, nullif(b.doubtful, 0) as doubtful, nullif(b.may_be_negative, false) as may_be_negative
     from unnest($1::text[], $2::text[], $3::text[]) k (org_id, warehouse_id, item_id)
     join item i on i.org_id = k.org_id and i.item_id = k.item_id
     join warehouse w on w.org_id = k.org_id and w.warehouse_id = k.warehouse_id
     left join stock_balance b on b.org_id = k.org_id and b.warehouse_id = k.warehouse_id and b.item_id = k.item_id`,
);

export interface BackorderRow {
  readonly org_id: string;
  readonly order_id: string;
  readonly line_no: number;
  readonly warehouse_id: string;
  readonly item_id: string;
  readonly quantity: string;
  readonly priority: number;
  readonly accepted_at: Date;
}

const backorderColumns = 'b.org_id, b.order_id, b.line_no, b.warehouse_id, b.item_id, b.quantity, b.priority, b.accepted_at';

/** Who waits on a balance, first to be served first; no lock of their own, because whoever writes a backorder holds its balance. */
export const readQueues = statement<BackorderRow>(
  'stock_read_queues',
  `select ${backorderColumns}
     from unnest($1::text[], $2::text[], $3::text[]) k (org_id, warehouse_id, item_id)
    cross join lateral (
      select * from backorder q
       where q.org_id = k.org_id and q.warehouse_id = k.warehouse_id and q.item_id = k.item_id
       order by q.org_id, q.warehouse_id, q.item_id, q.priority desc, q.accepted_at, q.order_id, q.line_no
       limit $4) b`,
);

/** The holds on a balance in the order in which a fact takes them: soft before firm, lowest priority, newest first. */
export const readHolds = statement<{ org_id: string; order_id: string; warehouse_id: string; item_id: string; reservation_id: string }>(
  'stock_read_holds',
  `select h.org_id, h.order_id, h.warehouse_id, h.item_id, h.reservation_id
     from unnest($1::text[], $2::text[], $3::text[], $4::int[]) k (org_id, warehouse_id, item_id, row_limit)
    cross join lateral (
      select r.org_id, r.order_id, r.warehouse_id, r.item_id, r.reservation_id
        from reservation r
       cross join lateral (select d.firm, d.priority from demand d where d.org_id = r.org_id and d.order_id = r.order_id limit 1) d
       where r.org_id = k.org_id and r.warehouse_id = k.warehouse_id and r.item_id = k.item_id and r.status = 'active'
       order by d.firm, d.priority, r.reserved_at desc, r.reservation_id desc
       limit k.row_limit) h`,
);

/** Every hold on some lots of balances; like {@link readHolds}, which orders lose them is decided by their turn. */
export const readHoldsOfLots = statement<{ org_id: string; order_id: string }>(
  'stock_read_holds_of_lots',
  `select h.org_id, h.order_id
     from unnest($1::text[], $2::text[], $3::text[], $4::text[]) k (org_id, warehouse_id, item_id, lot)
    cross join lateral (
      select r.org_id, r.order_id from reservation r
       where r.org_id = k.org_id and r.warehouse_id = k.warehouse_id and r.item_id = k.item_id and r.lot = k.lot and r.status = 'active'
      offset 0) h`,
);

export interface QuantRow {
  readonly org_id: string;
  readonly warehouse_id: string;
  readonly item_id: string;
  readonly lot: string;
  readonly location: string;
  readonly quality: Quality;
  readonly quantity: string;
  readonly reserved: string;
  readonly expires_at: Date | null;
  readonly received_at: Date;
}

const quantColumns =
  'q.org_id, q.warehouse_id, q.item_id, q.lot, q.location, q.quality, q.quantity, q.reserved, q.expires_at, q.received_at';

/** The first in turn of what is free, by the index that is in that order; its condition is said, so that it is taken. */
export const readFreeQuants = statement<QuantRow>(
  'stock_read_free_quants',
  `select q.*
     from unnest($1::text[], $2::text[], $3::text[], $4::int[]) k (org_id, warehouse_id, item_id, row_limit)
    cross join lateral (
      select ${quantColumns} from quant q
       where q.org_id = k.org_id and q.warehouse_id = k.warehouse_id and q.item_id = k.item_id
         and q.quality = 'available' and q.quantity > 0 and q.quantity > q.reserved
       order by q.org_id, q.warehouse_id, q.item_id, q.expires_at, q.received_at, q.lot, q.location
       limit k.row_limit) q`,
);

/** All of some lots of balances: every bin, every quality. */
export const readLotQuants = statement<QuantRow>(
  'stock_read_lot_quants',
  `select ${quantColumns}
     from unnest($1::text[], $2::text[], $3::text[], $4::text[]) k (org_id, warehouse_id, item_id, lot)
     join quant q on q.org_id = k.org_id and q.warehouse_id = k.warehouse_id and q.item_id = k.item_id and q.lot = k.lot`,
);

/** What the stock of balances is worth; of rows that are locked. */
export const readCosts = statement<{
  org_id: string;
  warehouse_id: string;
  item_id: string;
  value: string;
  last_unit_cost: string | null;
  last_layer_no: number;
}>(
  'stock_read_costs',
  `select b.org_id, b.warehouse_id, b.item_id, b.value, b.last_unit_cost, b.last_layer_no
     from unnest($1::text[], $2::text[], $3::text[]) k (org_id, warehouse_id, item_id)
     join stock_balance b on b.org_id = k.org_id and b.warehouse_id = k.warehouse_id and b.item_id = k.item_id`,
);

export interface LayerRow {
  readonly org_id: string;
  readonly warehouse_id: string;
  readonly item_id: string;
  readonly layer_no: number;
  readonly received_at: Date;
  readonly receipt_id: string | null;
  readonly quantity: string;
  readonly value: string;
}

const readLayers = (name: string, order: 'asc' | 'desc') =>
  statement<LayerRow>(
    name,
    `select l.*
       from unnest($1::text[], $2::text[], $3::text[]) k (org_id, warehouse_id, item_id)
      cross join lateral (
        select c.org_id, c.warehouse_id, c.item_id, c.layer_no, c.received_at, c.receipt_id, c.quantity, c.value from cost_layer c
         where c.org_id = k.org_id and c.warehouse_id = k.warehouse_id and c.item_id = k.item_id and c.quantity > 0
         order by c.org_id ${order}, c.warehouse_id ${order}, c.item_id ${order}, c.received_at ${order}, c.layer_no ${order}
         limit $4) l`,
  );
/** The open layers in the order in which they are consumed: first in first out, and last in first out. */
export const readOldestLayers = readLayers('stock_read_oldest_layers', 'asc');
export const readNewestLayers = readLayers('stock_read_newest_layers', 'desc');

export interface DemandRow {
  readonly org_id: string;
  readonly order_id: string;
  readonly state: 'awaiting_order' | 'open' | 'refused' | 'expired' | 'closed';
  readonly source: string | null;
  readonly incoming_sequence: number | null;
  readonly incoming_time: Date | null;
  readonly seen_sequence: number;
  readonly seen_ahead: number[] | null;
  readonly sequence: number;
  readonly firm: boolean;
  readonly mode: 'all_or_nothing' | 'partial';
  readonly priority: number;
  readonly accepted_at: Date;
  readonly expires_at: Date | null;
  readonly approval_request_id: string | null;
  readonly refusal: unknown;
  readonly refused_messages: unknown;
  readonly lines: unknown;
  readonly is_new: boolean;
}

const demandColumns = `d.org_id, d.order_id, d.state, d.source, d.incoming_sequence, d.incoming_time, d.seen_sequence, d.seen_ahead, d.sequence, d.firm, d.mode,
          d.priority, d.accepted_at, d.expires_at, d.approval_request_id, d.refusal, d.refused_messages, d.lines`;

/**
 * Makes the demand rows that do not exist and locks those that do, in one sorted statement, so that two messages about the same unknown
 * order meet here. A row version that nothing changed in is the price of a lock that also covers what is not there yet.
 */
export const lockDemands = statement<DemandRow>(
  'stock_lock_demands',
  `insert into demand as d (org_id, order_id)
   select k.org_id, k.order_id from unnest($1::text[], $2::text[]) k (org_id, order_id) order by k.org_id, k.order_id
       on conflict (org_id, order_id) do update set org_id = excluded.org_id
   returning ${demandColumns}, (d.xmax = 0) as is_new`,
);

/** The same for a dry run, which finds nothing where nothing is. */
export const readDemands = statement<DemandRow>(
  'stock_read_demands',
  `select ${demandColumns}, false as is_new
     from unnest($1::text[], $2::text[]) k (org_id, order_id) join demand d on d.org_id = k.org_id and d.order_id = k.order_id`,
);

/** The clock of all decisions of a batch, read under its locks: the database's, which all replicas share. */
export const readClock = statement<{ now: Date }>('stock_read_clock', 'select clock_timestamp() as now');

export interface ReservationRow {
  readonly org_id: string;
  readonly order_id: string;
  readonly reservation_id: string;
  readonly line_no: number;
  readonly warehouse_id: string;
  readonly item_id: string;
  readonly lot: string;
  readonly location: string;
  readonly quantity: string;
  readonly fulfilled_quantity: string;
  readonly reserved_at: Date;
}

/** What known orders hold, oldest first; by `closed_at`, see {@link findPlacesOfOrders}. */
export const readReservations = statement<ReservationRow>(
  'stock_read_reservations',
  `select r.org_id, r.order_id, r.reservation_id, r.line_no, r.warehouse_id, r.item_id, r.lot, r.location, r.quantity,
          r.fulfilled_quantity, r.reserved_at
     from unnest($1::text[], $2::text[]) k (org_id, order_id)
     join reservation r on r.org_id = k.org_id and r.order_id = k.order_id
    where r.closed_at is null
    order by r.reservation_id`,
);

export const readBackorders = statement<BackorderRow>(
  'stock_read_backorders',
  `select ${backorderColumns} from unnest($1::text[], $2::text[]) k (org_id, order_id)
     join backorder b on b.org_id = k.org_id and b.order_id = k.order_id`,
);

export const readSettings = statement<{
  org_id: string;
  soft_reservation_ttl_seconds: number;
  reservation_mode: 'all_or_nothing' | 'partial';
  return_quarantine: boolean;
  default_reorder_point: string | null;
  sourcing_strategy: SourcingStrategy;
  min_remaining_shelf_life_days: number;
  enforcement_phase: EnforcementPhase;
  allow_inventory_oversell: boolean;
  discrepancy_lock_policy: DiscrepancyLockPolicy;
  soft_block_percent: string;
  tolerance: Tolerance;
  severity_percents: string[];
}>(
  'stock_read_settings',
  `select s.org_id, s.soft_reservation_ttl_seconds, s.reservation_mode, s.return_quarantine, s.default_reorder_point, s.sourcing_strategy,
          s.min_remaining_shelf_life_days, s.enforcement_phase, s.allow_inventory_oversell, s.discrepancy_lock_policy, s.soft_block_percent,
          s.tolerance, s.severity_percents
     from unnest($1::text[]) k (org_id) join stock_settings s on s.org_id = k.org_id`,
);

interface ShipmentRow {
  readonly org_id: string;
  readonly shipment_id: string;
  readonly order_id: string;
  readonly movement_id: string;
  readonly status: 'posted' | 'cancelled';
  readonly fingerprint: string;
  readonly lines: unknown;
}

export const readShipments = statement<ShipmentRow>(
  'stock_read_shipments',
  `select s.* from unnest($1::text[], $2::text[]) k (org_id, shipment_id) join shipment s on s.org_id = k.org_id and s.shipment_id = k.shipment_id`,
);

/** What was shipped for orders; under the lock of their demands. */
export const readShipmentsOfOrders = statement<ShipmentRow>(
  'stock_read_shipments_of_orders',
  `select s.* from unnest($1::text[], $2::text[]) k (org_id, order_id) join shipment s on s.org_id = k.org_id and s.order_id = k.order_id
    order by s.movement_id`,
);

export const readReturns = statement<{
  org_id: string;
  return_id: string;
  order_id: string;
  movement_id: string;
  fingerprint: string;
  lines: unknown;
  inspections: string[];
}>(
  'stock_read_returns',
  `select r.* from unnest($1::text[], $2::text[]) k (org_id, return_id) join customer_return r on r.org_id = k.org_id and r.return_id = k.return_id`,
);

export const readMovements = statement<{
  org_id: string;
  movement_id: string;
  movement_type: string;
  ref_type: string;
  ref_id: string;
  order_id: string | null;
  reason: string | null;
  actor: string | null;
  fingerprint: string | null;
  lines: unknown;
  occurred_at: Date;
}>(
  'stock_read_movements',
  `select m.* from unnest($1::text[], $2::text[], $3::text[]) k (org_id, movement_type, ref_id)
    cross join lateral (
      select * from movement m
       where m.org_id = k.org_id and m.movement_type = k.movement_type and m.ref_id = k.ref_id
         and m.movement_type in ('receipt', 'sale_shipment', 'shipment_cancel', 'sales_return', 'adjustment')
      union all
      select * from movement m
       where m.org_id = k.org_id and m.movement_type = k.movement_type and m.ref_id = k.ref_id
         and m.movement_type in ('bin_move', 'quality_change', 'scrap', 'count') and m.ref_type in ('adjustment', 'count')
       limit 1) m`,
);

/** Relative, never absolute: a counter that was changed behind our back would be added to, not overwritten. */
export const updateBalances = statement<never>(
  'stock_update_balances',
  `update stock_balance b
      set on_hand = b.on_hand + k.on_hand, blocked = b.blocked + k.blocked, reserved = b.reserved + k.reserved,
          backordered = b.backordered + k.backordered, last_entry_no = b.last_entry_no + k.entries, value = b.value + k.value,
          last_unit_cost = coalesce(k.last_unit_cost, b.last_unit_cost), last_layer_no = b.last_layer_no + k.layers
     from unnest($1::text[], $2::text[], $3::text[], $4::numeric[], $5::numeric[], $6::numeric[], $7::numeric[], $8::bigint[], $9::numeric[],
                 $10::numeric[], $11::bigint[])
          k (org_id, warehouse_id, item_id, on_hand, blocked, reserved, backordered, entries, value, last_unit_cost, layers)
    where b.org_id = k.org_id and b.warehouse_id = k.warehouse_id and b.item_id = k.item_id`,
);

/** The common case of {@link updateBalances}: holds that came and went. */
export const updateReserved = statement<never>(
  'stock_update_reserved',
  `update stock_balance b set reserved = b.reserved + k.reserved
     from unnest($1::text[], $2::text[], $3::text[], $4::numeric[]) k (org_id, warehouse_id, item_id, reserved)
    where b.org_id = k.org_id and b.warehouse_id = k.warehouse_id and b.item_id = k.item_id`,
);

export const updatePolicies = statement<never>(
  'stock_update_policies',
  `update stock_balance b set safety_quantity = k.safety_quantity, safety_percent = k.safety_percent, reorder_point = k.reorder_point
     from unnest($1::text[], $2::text[], $3::text[], $4::numeric[], $5::numeric[], $6::numeric[])
          k (org_id, warehouse_id, item_id, safety_quantity, safety_percent, reorder_point)
    where b.org_id = k.org_id and b.warehouse_id = k.warehouse_id and b.item_id = k.item_id`,
);

export const markDetailed = statement<never>(
  'stock_mark_detailed',
  `update stock_balance b set has_quants = true
     from unnest($1::text[], $2::text[], $3::text[]) k (org_id, warehouse_id, item_id)
    where b.org_id = k.org_id and b.warehouse_id = k.warehouse_id and b.item_id = k.item_id`,
);

/**
 * Update first, insert what was not there: an `insert ... on conflict` checks the row that it proposes, and a difference may be negative.
 * The balances are locked, so nobody inserts in between. What becomes less comes first, so that a piece leaves one place before it is in
 * another.
 */
export const changeQuants = statement<never>(
  'stock_change_quants',
  `with change as (
     select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::numeric[], $8::numeric[], $9::timestamptz[],
                          $10::timestamptz[], $11::boolean[], $12::boolean[])
                   c (org_id, warehouse_id, item_id, lot, location, quality, quantity, reserved, expires_at, received_at, is_serial, is_known)
   ), known as (
     update quant q
        set quantity = q.quantity + c.quantity, reserved = q.reserved + c.reserved,
            received_at = case when c.is_known then c.received_at
                               when c.quantity <= 0 then q.received_at
                               when q.quantity = 0 then c.received_at
                               else least(q.received_at, c.received_at) end
       from change c
      where q.org_id = c.org_id and q.warehouse_id = c.warehouse_id and q.item_id = c.item_id and q.lot = c.lot and q.location = c.location
        and q.quality = c.quality
     returning 1
   )
   insert into quant (org_id, warehouse_id, item_id, lot, location, quality, quantity, reserved, expires_at, received_at, is_serial)
   select c.org_id, c.warehouse_id, c.item_id, c.lot, c.location, c.quality, c.quantity, c.reserved, c.expires_at, c.received_at, c.is_serial
     from change c
    -- The count is asked for so that the updates come first. What is there is looked up by the key: compared with the rows that were
    -- updated, 600 changes were 360,000 comparisons, half of the time of it all.
    where (select count(*) from known) >= 0 and not exists (
            select from quant q
             where q.org_id = c.org_id and q.warehouse_id = c.warehouse_id and q.item_id = c.item_id and q.lot = c.lot and q.location = c.location
               and q.quality = c.quality)`,
);

/** Layers that are new, or filled again: the one of an average. */
export const insertLayers = statement<never>(
  'stock_insert_layers',
  `insert into cost_layer as l (org_id, warehouse_id, item_id, layer_no, received_at, receipt_id, quantity, value)
   select * from unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::timestamptz[], $6::text[], $7::numeric[], $8::numeric[])
       on conflict (org_id, warehouse_id, item_id, layer_no)
       do update set quantity = l.quantity + excluded.quantity, value = l.value + excluded.value, received_at = excluded.received_at`,
);

/** Relative, as the balances are. */
export const updateLayers = statement<never>(
  'stock_update_layers',
  `update cost_layer l set quantity = l.quantity + k.quantity, value = l.value + k.value
     from unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::numeric[], $6::numeric[])
          k (org_id, warehouse_id, item_id, layer_no, quantity, value)
    where l.org_id = k.org_id and l.warehouse_id = k.warehouse_id and l.item_id = k.item_id and l.layer_no = k.layer_no`,
);

/** Absolute, because the rows are locked and were read whole. */
export const updateDemands = statement<never>(
  'stock_update_demands',
  `update demand d
      set state = k.state, source = k.source, incoming_sequence = k.incoming_sequence, incoming_time = k.incoming_time,
          seen_sequence = k.seen_sequence, seen_ahead = k.seen_ahead::bigint[], sequence = k.sequence, firm = k.firm, mode = k.mode, priority = k.priority,
          accepted_at = k.accepted_at, expires_at = k.expires_at, approval_request_id = k.approval_request_id, refusal = k.refusal, refused_messages = k.refused_messages,
          lines = k.lines::jsonb
     from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::timestamptz[], $7::bigint[], $8::text[], $9::bigint[],
                 $10::boolean[], $11::text[], $12::smallint[], $13::timestamptz[], $14::timestamptz[], $15::text[], $16::jsonb[], $17::jsonb[],
                 string_to_array($18, chr(31)))
          k (org_id, order_id, state, source, incoming_sequence, incoming_time, seen_sequence, seen_ahead, sequence, firm, mode, priority, accepted_at,
             expires_at, approval_request_id, refusal, refused_messages, lines)
    where d.org_id = k.org_id and d.order_id = k.order_id`,
);

/** All made at the batch's time, and active; what also ended in this batch is updated by the next statement. */
export const insertReservations = statement<never>(
  'stock_insert_reservations',
  `insert into reservation (org_id, order_id, reservation_id, line_no, warehouse_id, item_id, lot, location, quantity, reserved_at)
   select *, $10::timestamptz
     from unnest($1::text[], $2::text[], $3::uuid[], $4::int[], $5::text[], $6::text[], $7::text[], $8::text[], $9::numeric[])`,
);

export const updateReservations = statement<never>(
  'stock_update_reservations',
  `update reservation r
      set quantity = k.quantity, fulfilled_quantity = k.fulfilled_quantity, status = k.status, closed_at = k.closed_at,
          release_reason = k.release_reason
     from unnest($1::text[], $2::text[], $3::uuid[], $4::numeric[], $5::numeric[], $6::text[], $7::timestamptz[], $8::text[])
          k (org_id, order_id, reservation_id, quantity, fulfilled_quantity, status, closed_at, release_reason)
    where r.org_id = k.org_id and r.order_id = k.order_id and r.reservation_id = k.reservation_id`,
);

export const insertReservationLog = statement<never>(
  'stock_insert_reservation_log',
  `insert into reservation_log (org_id, log_id, kind, order_id, line_no, reservation_id, warehouse_id, item_id, lot, quantity_delta, reserved_at,
                                reason, recorded_at)
   select *, $13::timestamptz from unnest($1::text[], $2::uuid[], $3::text[], $4::text[], $5::int[], $6::uuid[], $7::text[], $8::text[], $9::text[],
                                          $10::numeric[], $11::timestamptz[], $12::text[])`,
);

export const upsertBackorders = statement<never>(
  'stock_upsert_backorders',
  `insert into backorder as b (org_id, order_id, line_no, warehouse_id, item_id, quantity, priority, accepted_at)
   select * from unnest($1::text[], $2::text[], $3::int[], $4::text[], $5::text[], $6::numeric[], $7::smallint[], $8::timestamptz[])
       on conflict (org_id, order_id, line_no, warehouse_id) do update set quantity = excluded.quantity, priority = excluded.priority,
          item_id = excluded.item_id, accepted_at = excluded.accepted_at`,
);

/** "Is true" keeps the planner from going through the queue of the warehouse for each row instead of taking the key. */
export const deleteBackorders = statement<never>(
  'stock_delete_backorders',
  `delete from backorder b using unnest($1::text[], $2::text[], $3::int[], $4::text[]) k (org_id, order_id, line_no, warehouse_id)
    where b.org_id = k.org_id and b.order_id = k.order_id and b.line_no = k.line_no and (b.warehouse_id = k.warehouse_id) is true`,
);

export const insertMovements = statement<never>(
  'stock_insert_movements',
  `insert into movement (org_id, movement_id, movement_type, ref_type, ref_id, order_id, reason, actor, fingerprint, lines, occurred_at, recorded_at)
   select *, $12::timestamptz from unnest($1::text[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
                                          $9::text[], $10::jsonb[], $11::timestamptz[])`,
);

export const insertLedger = statement<never>(
  'stock_insert_ledger',
  `insert into ledger_entry (org_id, warehouse_id, item_id, entry_no, movement_id, lot, location, quality, quantity_delta, balance_after,
                             movement_type, ref_type, ref_id, order_id, unit_cost, value_delta, flagged, discrepancy_id, produced_at, expires_at, actor,
                             note, occurred_at, recorded_at)
   select *, $24::timestamptz from unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::uuid[], $6::text[], $7::text[], $8::text[],
            $9::numeric[], $10::numeric[], $11::text[], $12::text[], $13::text[], $14::text[], $15::numeric[], $16::numeric[],
            $17::boolean[], $18::uuid[], $19::timestamptz[], $20::timestamptz[], $21::text[], $22::text[], $23::timestamptz[])`,
);

export const upsertShipments = statement<never>(
  'stock_upsert_shipments',
  `insert into shipment (org_id, shipment_id, order_id, movement_id, status, fingerprint, lines)
   select * from unnest($1::text[], $2::text[], $3::text[], $4::uuid[], $5::text[], $6::text[], $7::jsonb[])
       on conflict (org_id, shipment_id) do update set status = excluded.status, lines = excluded.lines`,
);

export const upsertReturns = statement<never>(
  'stock_upsert_returns',
  `insert into customer_return (org_id, return_id, order_id, movement_id, fingerprint, lines, inspections)
   select * from unnest($1::text[], $2::text[], $3::text[], $4::uuid[], $5::text[], $6::jsonb[], $7::jsonb[])
       on conflict (org_id, return_id) do update set lines = excluded.lines, inspections = excluded.inspections`,
);
