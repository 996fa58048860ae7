import { statement } from '#libs/persistence';
import type { BalancePlace } from './stock.sql.js';

// The machine's statements about lots, bins and whole warehouses; in the same form as those of `stock.sql.ts`.

/** Where there is something of a lot, in whichever warehouse. */
export const findPlacesOfLots = statement<BalancePlace & { lot: string }>(
  'stock_find_places_of_lots',
  `select distinct q.org_id, q.warehouse_id, q.item_id, q.lot
     from unnest($1::text[], $2::text[], $3::text[]) k (org_id, item_id, lot)
     join quant q on q.org_id = k.org_id and q.item_id = k.item_id and q.lot = k.lot
    where q.quantity > 0`,
);

export interface PlaceRow extends BalancePlace {
  readonly lot: string;
  readonly location: string;
}

/**
 * Where something lies in whole warehouses, or less than nothing; what is not tracked may lie in the default bin, which is not stored: it has
 * what the others have not.
 */
export const findPlacesOfWarehouses = statement<PlaceRow>(
  'stock_find_places_of_warehouses',
  `select k.org_id, k.warehouse_id, p.item_id, p.lot, p.location
     from unnest($1::text[], $2::text[]) k (org_id, warehouse_id)
    cross join lateral (
      select b.item_id, '' as lot, 'default' as location
        from stock_balance b join item i on i.org_id = b.org_id and i.item_id = b.item_id
       where b.org_id = k.org_id and b.warehouse_id = k.warehouse_id and i.tracking = 'none'
         and b.on_hand <> case when b.has_quants then (
               select coalesce(sum(q.quantity), 0) from quant q
                where q.org_id = b.org_id and q.warehouse_id = b.warehouse_id and q.item_id = b.item_id) else 0 end
      union
      select q.item_id, q.lot, q.location from quant q
       where q.org_id = k.org_id and q.warehouse_id = k.warehouse_id and q.quantity > 0
       limit $3) p`,
);

/**
 * What was posted in each bin since a time, by when it happened, as far as that can be trusted: nothing happened after it was recorded. So
 * the time of recording, which is indexed, bounds what is read; the order is that of the index, so that no other one is taken.
 */
export const readPostedSince = statement<PlaceRow & { quantity: string }>(
  'stock_read_posted_since',
  `select k.org_id, k.warehouse_id, k.item_id, e.lot, e.location, sum(e.quantity_delta) as quantity
     from unnest($1::text[], $2::text[], $3::text[]) k (org_id, warehouse_id, item_id)
    cross join lateral (
      select coalesce(l.lot, '') as lot, l.location, l.quantity_delta from ledger_entry l
       where l.org_id = k.org_id and l.item_id = k.item_id and l.warehouse_id = k.warehouse_id and l.recorded_at > $4::timestamptz
         and l.occurred_at > $4::timestamptz
       order by l.org_id, l.item_id, l.recorded_at
       limit 1000000000) e
    group by 1, 2, 3, 4, 5`,
);

export interface LotRow {
  readonly org_id: string;
  readonly item_id: string;
  readonly lot: string;
  readonly produced_at: Date | null;
  readonly expires_at: Date | null;
  readonly recalled_at: Date | null;
  readonly recall_reason: string | null;
  readonly is_stocked: boolean;
}

const lotsBy = (name: string, lock: '' | 'for share of l' | 'for update of l') =>
  statement<LotRow>(
    name,
    `select l.org_id, l.item_id, l.lot, l.produced_at, l.expires_at, l.recalled_at, l.recall_reason,
            i.tracking = 'serial' and (l.transfer_id is not null or exists (
              select from quant q where q.org_id = l.org_id and q.item_id = l.item_id and q.lot = l.lot and q.quantity > 0)) as is_stocked
       from unnest($1::text[], $2::text[], $3::text[]) k (org_id, item_id, lot)
       join lot l on l.org_id = k.org_id and l.item_id = k.item_id and l.lot = k.lot
       join item i on i.org_id = l.org_id and i.item_id = l.item_id
      order by l.org_id, l.item_id, l.lot ${lock}`,
  );

/** What is known of lots; of a serial number also whether the piece is somewhere, be it under way. */
export const readLots = lotsBy('stock_read_lots', '');
/** The same, so that they are not recalled before what comes in of them is committed, and seen by the recall. */
export const shareLots = lotsBy('stock_share_lots', 'for share of l');
/** The same, so that nothing comes in of them, in any warehouse, before their recall is committed. */
export const lockLots = lotsBy('stock_lock_lots', 'for update of l');

/** A lot is recalled once: when and why stays as it was said first. */
export const recallLots = statement<never>(
  'stock_recall_lots',
  `update lot l set recalled_at = k.recalled_at, recall_reason = k.reason
     from unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[], $5::text[]) k (org_id, item_id, lot, recalled_at, reason)
    where l.org_id = k.org_id and l.item_id = k.item_id and l.lot = k.lot`,
);

export const readLocations = statement<{ org_id: string; warehouse_id: string; location: string }>(
  'stock_read_locations',
  `select l.org_id, l.warehouse_id, l.location
     from unnest($1::text[], $2::text[], $3::text[]) k (org_id, warehouse_id, location)
     join location l on l.org_id = k.org_id and l.warehouse_id = k.warehouse_id and l.location = k.location`,
);

/** Not "on conflict": who makes the same lot at the same time may say other dates, and is decided anew when this fails. */
export const insertLots = statement<never>(
  'stock_insert_lots',
  `insert into lot (org_id, item_id, lot, produced_at, expires_at, created_at)
   select *, $6::timestamptz from unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[], $5::timestamptz[])`,
);
