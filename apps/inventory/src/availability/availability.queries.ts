import type { Availability } from '#libs/contracts';
import { formatQuantity, type Quantity } from '#libs/domain';
import { statement, type Tx } from '#libs/persistence';
import { itemNotFound } from '../catalogue/item.queries.js';
import { warehouseNotFound } from '../catalogue/warehouse.queries.js';
import { isShown, type Scope } from '../scope.js';
import { type AvailabilityTerms, availableToPromise, safetyStock } from './available-to-promise.js';
import { stockTermColumns, type StockTermRow, stockTerms } from './stock-terms.js';

/** What one caller asks: items, each in one warehouse or in all that know it. */
export interface AvailabilityQuestion {
  readonly orgId: string;
  readonly scope: Scope;
  readonly items: readonly { readonly itemId: string; readonly warehouseId?: string | undefined }[];
  /** How long lots must live; absent = as item and organisation say. */
  readonly minRemainingShelfLifeDays?: number | undefined;
}

/** The answer to a question, or why there is none. */
export type AvailabilityAnswer = { readonly items: readonly Availability[] } | { readonly error: Error };

interface PairRow extends StockTermRow {
  /** The place of the pair among those asked. */
  readonly place: number;
  readonly item_known: boolean;
  readonly warehouse_known: boolean;
}

/** All pairs of all callers of all organisations; a pair without a balance has terms of zero. */
export const readPairs = statement<PairRow>(
  'availability_pairs',
  `select asked.place::integer as place, i.org_id is not null as item_known,
          case when b.org_id is not null then true
               else coalesce((select true from warehouse w where w.org_id = asked.org_id and w.warehouse_id = asked.warehouse_id), false)
          end as warehouse_known,${stockTermColumns('asked.days')}
   from unnest($1::text[], $2::text[], $3::text[], $4::integer[]) with ordinality as asked (org_id, warehouse_id, item_id, days, place)
   left join item i on i.org_id = asked.org_id and i.item_id = asked.item_id
   left join stock_balance b on b.org_id = asked.org_id and b.warehouse_id = asked.warehouse_id and b.item_id = asked.item_id`,
);

interface ItemRow extends StockTermRow {
  readonly place: number;
  readonly item_known: boolean;
  /** Null when no warehouse knows the item. */
  readonly warehouse_id: string | null;
}

/** Each item in every warehouse that has a balance of it. */
export const readItems = statement<ItemRow>(
  'availability_items',
  `select asked.place::integer as place, i.org_id is not null as item_known, b.warehouse_id,${stockTermColumns('asked.days')}
   from unnest($1::text[], $2::text[], $3::integer[]) with ordinality as asked (org_id, item_id, days, place)
   left join item i on i.org_id = asked.org_id and i.item_id = asked.item_id
   left join stock_balance b on b.org_id = asked.org_id and b.item_id = asked.item_id
   order by asked.place, b.warehouse_id`,
);

/**
 * Answers many questions with one look at the database, in one snapshot: two statements at most, whoever asks for whatever.
 *
 * A question about an item or a warehouse that does not exist is answered by `ITEM_NOT_FOUND` or `WAREHOUSE_NOT_FOUND`; the others are
 * not touched by it. What lies in warehouses outside of the asker's scope is left out.
 */
export async function readAvailability(tx: Tx, questions: readonly AvailabilityQuestion[]): Promise<AvailabilityAnswer[]> {
  const pairs = new Keys();
  const items = new Keys();
  const asked = questions.map((question) => placed(question, pairs, items));
  const [pairRows, itemRows] = await Promise.all([
    pairs.count === 0 ? [] : tx.run(readPairs, [pairs.orgIds, pairs.warehouseIds, pairs.itemIds, pairs.days]),
    items.count === 0 ? [] : tx.run(readItems, [items.orgIds, items.itemIds, items.days]),
  ]);
  const rows: Rows = { pairs: [], items: Map.groupBy(itemRows, (row) => row.place) };
  for (const row of pairRows) rows.pairs[row.place] = row;
  return questions.map(({ scope }, index) => answer(asked[index]!, scope, rows));
}

/** The parameters of a statement: what all callers ask, column by column. */
class Keys {
  readonly orgIds: string[] = [];
  readonly warehouseIds: string[] = [];
  readonly itemIds: string[] = [];
  readonly days: (number | null)[] = [];

  get count(): number {
    return this.orgIds.length;
  }

  /** Answers the place, counted from 1 as the statement counts. */
  add(orgId: string, warehouseId: string, itemId: string, days: number | null): number {
    this.days.push(days);
    this.warehouseIds.push(warehouseId);
    this.itemIds.push(itemId);
    return this.orgIds.push(orgId);
  }
}

interface Rows {
  /** By place. */
  readonly pairs: PairRow[];
  readonly items: ReadonlyMap<number, readonly ItemRow[]>;
}

interface PlacedItem {
  readonly itemId: string;
  readonly warehouseId: string | undefined;
  readonly place: number;
}

function placed({ orgId, scope, items: asked, ...question }: AvailabilityQuestion, pairs: Keys, items: Keys): PlacedItem[] {
  const days = question.minRemainingShelfLifeDays ?? null;
  const result: PlacedItem[] = [];
  for (const { itemId, warehouseId } of asked) {
    if (warehouseId === undefined) result.push({ itemId, warehouseId, place: items.add(orgId, '', itemId, days) });
    else if (isShown(scope, warehouseId)) result.push({ itemId, warehouseId, place: pairs.add(orgId, warehouseId, itemId, days) });
  }
  return result;
}

function answer(asked: readonly PlacedItem[], scope: Scope, rows: Rows): AvailabilityAnswer {
  const result: Availability[] = [];
  for (const { itemId, warehouseId, place } of asked) {
    if (warehouseId === undefined) {
      for (const row of rows.items.get(place)!) {
        if (!row.item_known) return { error: itemNotFound([itemId]) };
        if (row.warehouse_id !== null && isShown(scope, row.warehouse_id))
          result.push(toAvailability(itemId, row.warehouse_id, stockTerms(row)));
      }
    } else {
      const row = rows.pairs[place]!;
      if (!row.item_known) return { error: itemNotFound([itemId]) };
      if (!row.warehouse_known) return { error: warehouseNotFound(warehouseId) };
      result.push(toAvailability(itemId, warehouseId, stockTerms(row)));
    }
  }
  return { items: result };
}

/** The answer for one item in one warehouse. */
export function toAvailability(
  itemId: string,
  warehouseId: string,
  terms: AvailabilityTerms & { readonly inTransit: Quantity },
): Availability {
  return {
    itemId,
    warehouseId,
    onHand: formatQuantity(terms.onHand),
    reserved: formatQuantity(terms.reserved),
    blocked: formatQuantity(terms.blocked),
    expiredOrTooOld: formatQuantity(terms.expiredOrTooOld),
    safetyStock: formatQuantity(safetyStock(terms)),
    discrepancyHold: '0',
    backordered: formatQuantity(terms.backordered),
    inTransit: formatQuantity(terms.inTransit),
    available: formatQuantity(availableToPromise(terms)),
    requiresAcknowledgement: false,
    warnings: [],
  };
}
