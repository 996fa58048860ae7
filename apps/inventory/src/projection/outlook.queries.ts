import { type Day, dayOf, parseQuantity } from '#libs/domain';
import { statement, type Tx } from '#libs/persistence';
import { readPairs } from '../availability/availability.queries.js';
import { stockTerms } from '../availability/stock-terms.js';
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

const readClock = statement<{ now: Date }>('projection_clock', 'select now()');

/** The day that it is for an organisation, by the database's clock. */
export async function readToday(tx: Tx, orgId: string): Promise<Day> {
  const [settings, [clock]] = await Promise.all([readSettings(tx, orgId), tx.run(readClock, [])]);
  return dayOf(clock!.now, settings.timezone);
}

/**
 * What is known of the days to come of these places, in their order. Demand without a date counts as due now: the stock machine gives
 * what arrives to whoever waits, whatever day an order asks for.
 */
export async function readOutlooks(tx: Tx, orgId: string, places: readonly Place[]): Promise<PlaceOutlook[]> {
  if (places.length === 0) return [];
  const warehouseIds = places.map(({ warehouseId }) => warehouseId);
  const itemIds = places.map(({ itemId }) => itemId);
  const [pairs, arrivals] = await Promise.all([
    tx.run(readPairs, [places.map(() => orgId), warehouseIds, itemIds]),
    tx.run(readArrivals, [orgId, warehouseIds, itemIds]),
  ]);
  const arrivalsAt = Map.groupBy(arrivals, ({ place }) => place);
  const outlooks: PlaceOutlook[] = [];
  for (const row of pairs) {
    const arriving = (arrivalsAt.get(row.place) ?? []).map(({ expected_on, quantity }) => ({
      day: expected_on,
      quantity: parseQuantity(quantity),
    }));
    outlooks[row.place - 1] = {
      outlook: { ...stockTerms(row), arrivals: arriving, demands: [], expiries: [] },
      itemKnown: row.item_known,
      warehouseKnown: row.warehouse_known,
    };
  }
  return outlooks;
}
