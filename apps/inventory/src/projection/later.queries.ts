import { maxQuantity, type Quantity } from '#libs/domain';
import { statement, type Tx } from '#libs/persistence';
import { availableToPromise } from '../availability/available-to-promise.js';
import { isShown, type Scope } from '../scope.js';
import { readOutlooks } from './outlook.queries.js';
import { earliestDay, type Outlook, type ProjectedDay } from './project.js';

/** A line that cannot be had now. */
export interface WantedLine {
  readonly lineNo: number;
  readonly itemId: string;
  /** Where it was asked for. */
  readonly warehouseId: string | null;
  /** The whole line. */
  readonly quantity: Quantity;
  /** What of it the order lacks there. */
  readonly missing: Quantity;
  /** What of that it could have had. */
  readonly available: Quantity;
}

/** A day on which a line can be promised, and where. */
export interface LaterDay extends ProjectedDay {
  readonly lineNo: number;
  readonly itemId: string;
  readonly warehouseId: string;
}

/**
 * Where something of these items is expected, by the priority of the warehouses. Where nothing is, this costs one probe per item. Laterals with
 * `distinct` and `limit`, because the planner would turn joins with tables that were never analysed around, and go through all of them.
 */
export const findExpecting = statement<{ item_id: string; warehouse_id: string }>(
  'projection_find_expecting',
  `select k.item_id, e.warehouse_id
     from unnest($2::text[]) k (item_id)
    cross join lateral (select distinct warehouse_id from expected_receipt where org_id = $1 and item_id = k.item_id and status = 'open') e
    cross join lateral (select priority from warehouse where org_id = $1 and warehouse_id = e.warehouse_id limit 1) w
    order by w.priority, e.warehouse_id`,
);

/**
 * From which day on each line can be promised: in the warehouse that it was asked for in, and in another one if it is sooner there; not
 * where it could be had now. Each line by itself; a snapshot that holds nothing.
 *
 * @param scope the warehouses in which the asker works.
 */
export async function findLaterDays(tx: Tx, orgId: string, lines: readonly WantedLine[], scope: Scope): Promise<LaterDay[]> {
  const found = await tx.run(findExpecting, [orgId, [...new Set(lines.map(({ itemId }) => itemId))]]);
  const places = found
    .map((row) => ({ itemId: row.item_id, warehouseId: row.warehouse_id }))
    .filter((at) => isShown(scope, at.warehouseId));
  if (places.length === 0) return [];
  const { today, places: outlooks } = await readOutlooks(tx, orgId, places);
  return lines.flatMap((line) => {
    let there: LaterDay | null = null;
    let elsewhere: LaterDay | null = null;
    for (const [index, { itemId, warehouseId }] of places.entries()) {
      if (itemId !== line.itemId) continue;
      const { outlook } = outlooks[index]!;
      const isThere = warehouseId === line.warehouseId;
      if (!isThere && availableToPromise(outlook) >= line.quantity) continue;
      const earliest = earliestDay(outlook, today, isThere ? neededThere(line, outlook) : line.quantity);
      if (earliest === null) continue;
      const later = { lineNo: line.lineNo, itemId, warehouseId, ...earliest };
      if (isThere) there = later;
      else if (elsewhere === null || later.day < elsewhere.day) elsewhere = later;
    }
    if (there === null || elsewhere === null) return there ?? elsewhere ?? [];
    return elsewhere.day < there.day ? [there, elsewhere] : there;
  });
}

/** With what other lines of the order take there: what can be promised beyond what this line could have had. */
function neededThere({ missing, available }: WantedLine, outlook: Outlook): Quantity {
  return maxQuantity(missing, availableToPromise(outlook) + missing - available);
}
