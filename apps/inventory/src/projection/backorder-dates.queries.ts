import type { BackorderDates, ResponseOf } from '#libs/contracts';
import { type Day, laterDay, parseQuantity } from '#libs/domain';
import { statement, type Tx } from '#libs/persistence';
import { type Place, readOutlooks } from './outlook.queries.js';
import { servedDay } from './project.js';

/** So many are looked at of those who are served before a backorder; with more than these it counts as the last of all who wait. */
const SERVED_BEFORE_MAX = 1_000;

interface WaitingRow {
  readonly order_id: string;
  readonly line_no: number;
  readonly warehouse_id: string;
  readonly item_id: string;
  readonly quantity: string;
}

export const readWaiting = statement<WaitingRow>(
  'projection_waiting',
  `select b.*
     from unnest($2::text[]) k (order_id)
    cross join lateral (
      select order_id, line_no, warehouse_id, item_id, quantity from backorder where org_id = $1 and order_id = k.order_id offset 0) b`,
);

/**
 * What is served before each of these backorders, in the order of the queue. In two parts, each of which is a range of its index: of who
 * has a higher priority, and of who has the same one and was accepted earlier. Laterals and
 * "is true" keep the planner from going through the queue of the warehouse, or through all who wait, where it can take the key.
 */
export const readServedBefore = statement<{ place: number; quantity: string; count: number }>(
  'projection_served_before',
  `select k.place::integer as place, ahead.quantity, ahead.count::integer as count
     from unnest($2::text[], $3::int[], $4::text[]) with ordinality k (order_id, line_no, warehouse_id, place)
    cross join lateral (
      select * from backorder where org_id = $1 and order_id = k.order_id and line_no = k.line_no and (warehouse_id = k.warehouse_id) is true
       limit 1) mine
    cross join lateral (
      select least(coalesce(sum(q.quantity), 0), 999999999999) as quantity, count(*) as count
        from ((select h.quantity from backorder h
                where h.org_id = $1 and h.warehouse_id = mine.warehouse_id and h.item_id = mine.item_id and h.priority > mine.priority
                limit $5)
              union all
              (select s.quantity from backorder s
                where s.org_id = $1 and s.warehouse_id = mine.warehouse_id and s.item_id = mine.item_id and s.priority = mine.priority
                  and (s.accepted_at, s.order_id, s.line_no) < (mine.accepted_at, mine.order_id, mine.line_no)
                limit $5)) q) ahead`,
);

/**
 * The day on which each of these orders is expected to have all that it waits for: when what arrives has served whoever is served before
 * it, and itself. Null when what is expected is not enough for one of its lines. Orders that do not wait are left out.
 */
export async function readBackorderDates(tx: Tx, orgId: string, orderIds: readonly string[]): Promise<ResponseOf<typeof BackorderDates>> {
  const waiting = await tx.run(readWaiting, [orgId, orderIds]);
  const days = await daysOf(tx, orgId, waiting);
  const orders = [...Map.groupBy(waiting, ({ order_id }) => order_id)].map(([orderId, lines]) => ({
    orderId,
    date: lines.map((line) => days.get(line) ?? null).reduce((a, b) => (a === null || b === null ? null : laterDay(a, b))),
  }));
  return { orders };
}

/** The day on which each backorder is served; without those for which nobody knows. */
async function daysOf(tx: Tx, orgId: string, waiting: readonly WaitingRow[]): Promise<ReadonlyMap<WaitingRow, Day>> {
  const keyOf = ({ warehouse_id, item_id }: WaitingRow) => `${warehouse_id}/${item_id}`;
  const places = new Map<string, Place>(waiting.map((row) => [keyOf(row), { itemId: row.item_id, warehouseId: row.warehouse_id }]));
  const { today, places: outlooks } = await readOutlooks(tx, orgId, [...places.values()]);
  const outlookOf = new Map([...places.keys()].map((key, index) => [key, outlooks[index]!.outlook]));
  // Where nothing is expected nobody will be served, and the queue need not be read: it may be long.
  const hopeful = waiting.filter((row) => outlookOf.get(keyOf(row))!.arrivals.length > 0);
  if (hopeful.length === 0) return new Map();
  const keys = [hopeful.map((row) => row.order_id), hopeful.map((row) => row.line_no), hopeful.map((row) => row.warehouse_id)];
  const ahead = await tx.run(readServedBefore, [orgId, ...keys, SERVED_BEFORE_MAX]);
  const days = new Map<WaitingRow, Day>();
  for (const { place, quantity, count } of ahead) {
    const row = hopeful[place - 1]!;
    const outlook = outlookOf.get(keyOf(row))!;
    const dueBefore = parseQuantity(quantity) + parseQuantity(row.quantity);
    const day = servedDay({ ...outlook, backordered: count < SERVED_BEFORE_MAX ? dueBefore : outlook.backordered }, today);
    if (day !== null) days.set(row, day);
  }
  return days;
}
