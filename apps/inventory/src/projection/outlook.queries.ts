import { type Day, dayOf, parseQuantity } from '#libs/domain';
import { statement, type Tx } from '#libs/persistence';
import { STOCK_TERM_COLUMNS, type StockTermRow, stockTerms } from '../availability/stock-terms.js';
import { readSettings } from '../settings/settings.queries.js';
import type { Outlook } from './project.js';

/** An item in a warehouse. */
export interface Place {
  readonly itemId: string;
  readonly warehouseId: string;
}

/** What is known of a place, and whether there is such an item and such a warehouse. */
export interface PlaceOutlook {
  readonly outlook: Outlook;
  readonly itemKnown: boolean;
  readonly warehouseKnown: boolean;
}

interface PlaceRow extends StockTermRow {
  readonly place: number;
  readonly item_known: boolean;
  readonly warehouse_known: boolean;
}

/** How places are now; one without a balance has terms of zero. */
export const readPlaces = statement<PlaceRow>(
  'projection_places',
  `select asked.place::integer as place, i.org_id is not null as item_known,
          coalesce((select true from warehouse where org_id = $1 and warehouse_id = asked.warehouse_id limit 1), false) as warehouse_known,${STOCK_TERM_COLUMNS}
     from unnest($2::text[], $3::text[]) with ordinality as asked (warehouse_id, item_id, place)
     left join lateral (select * from item where org_id = $1 and item_id = asked.item_id limit 1) i on true
     left join lateral (
       select * from stock_balance where org_id = $1 and warehouse_id = asked.warehouse_id and item_id = asked.item_id limit 1) b on true`,
);

/**
 * What of open expected receipts is to come, by day: however many there are, no more rows than days. Added up place by place, because joined
 * with a table that was never analysed the planner would go through all that is open.
 */
export const readArrivals = statement<{ place: number; expected_on: Day; quantity: string }>(
  'projection_arrivals',
  // No sum of quantities may be more than a quantity can be.
  `select asked.place::integer as place, e.expected_on::text as expected_on, e.quantity
     from unnest($2::text[], $3::text[]) with ordinality as asked (warehouse_id, item_id, place)
    cross join lateral (
      select expected_on, least(sum(quantity - received_quantity), 999999999999) as quantity from expected_receipt
       where org_id = $1 and item_id = asked.item_id and warehouse_id = asked.warehouse_id and status = 'open'
       group by expected_on) e`,
);

/**
 * What nobody holds of lots that expire, by the time from which they live too short to be promised: as long before they expire as item or
 * organisation ask for. In the order of the index that is to be taken, because that of all that expires fits as well.
 */
export const readExpiries = statement<{ place: number; falls_out_at: Date; quantity: string }>(
  'projection_expiries',
  `select asked.place::integer as place, q.quantity,
          q.expires_at - make_interval(days => coalesce(i.min_remaining_shelf_life_days,
            (select min_remaining_shelf_life_days from stock_settings where org_id = $1), 0)) as falls_out_at
     from unnest($2::text[], $3::text[]) with ordinality as asked (warehouse_id, item_id, place)
    cross join lateral (
      select expires_at, sum(quantity) as quantity
        from (select expires_at, quantity - reserved as quantity from quant
               where org_id = $1 and warehouse_id = asked.warehouse_id and item_id = asked.item_id
                 and quality = 'available' and quantity > 0 and quantity > reserved and expires_at is not null
               order by org_id, warehouse_id, item_id, expires_at, received_at, lot, location
               limit 1000000000) free
       group by expires_at) q
    cross join lateral (select min_remaining_shelf_life_days from item where org_id = $1 and item_id = asked.item_id limit 1) i`,
);

const readClock = statement<{ now: Date }>('projection_clock', 'select now()');

/** What is known of the days to come of some places, and what day it is today. */
export interface Outlooks {
  /** By the organisation's time zone and the database's clock. */
  readonly today: Day;
  /** In the order of the places that were asked for. */
  readonly places: readonly PlaceOutlook[];
}

/**
 * What is known of the days to come of these places. Demand has no date and counts as due now: the stock machine gives what arrives to
 * whoever waits, whatever day an order asks for.
 */
export async function readOutlooks(tx: Tx, orgId: string, places: readonly Place[]): Promise<Outlooks> {
  const warehouseIds = places.map(({ warehouseId }) => warehouseId);
  const itemIds = places.map(({ itemId }) => itemId);
  const [settings, [clock], rows, arrivals, expiries] = await Promise.all([
    readSettings(tx, orgId),
    tx.run(readClock, []),
    tx.run(readPlaces, [orgId, warehouseIds, itemIds]),
    tx.run(readArrivals, [orgId, warehouseIds, itemIds]),
    tx.run(readExpiries, [orgId, warehouseIds, itemIds]),
  ]);
  const arrivalsAt = Map.groupBy(arrivals, ({ place }) => place);
  const expiriesAt = Map.groupBy(expiries, ({ place }) => place);
  const outlooks: PlaceOutlook[] = [];
  for (const row of rows) {
    const arriving = (arrivalsAt.get(row.place) ?? []).map(({ expected_on, quantity }) => ({
      day: expected_on,
      quantity: parseQuantity(quantity),
    }));
    const expiring = (expiriesAt.get(row.place) ?? []).map(({ falls_out_at, quantity }) => ({
      day: dayOf(falls_out_at, settings.timezone),
      quantity: parseQuantity(quantity),
    }));
    outlooks[row.place - 1] = {
      outlook: { ...stockTerms(row), arrivals: arriving, demands: [], expiries: expiring },
      itemKnown: row.item_known,
      warehouseKnown: row.warehouse_known,
    };
  }
  return { today: dayOf(clock!.now, settings.timezone), places: outlooks };
}
