import type { Availability } from '#libs/contracts';
import { formatQuantity, type Quantity } from '#libs/domain';
import { statement, type Tx } from '#libs/persistence';
import { itemNotFound } from '../catalogue/item.queries.js';
import { warehouseNotFound } from '../catalogue/warehouse.queries.js';
import { isShown, type Scope } from '../scope.js';
import { type AvailabilityTerms, availableToPromise, discrepancyHold, isInDoubt, safetyStock } from './available-to-promise.js';
import { IS_DARK, stockTermColumns, type StockTermRow, stockTerms } from './stock-terms.js';

/** What one caller asks: items, each in one warehouse or in all that know it. */
export interface AvailabilityQuestion {
  readonly orgId: string;
  readonly scope: Scope;
  /** Who is warned also while nothing is enforced; absent = an administrator does not ask. */
  readonly isAdmin?: boolean | undefined;
  readonly items: readonly { readonly itemId: string; readonly warehouseId?: string | undefined }[];
  /** How long lots must live; absent = as item and organisation say. */
  readonly minRemainingShelfLifeDays?: number | undefined;
}

/** The answer to a question, or why there is none. */
export type AvailabilityAnswer = { readonly items: readonly Availability[] } | { readonly error: Error };

/** What somebody is told beside the terms. */
export interface DoubtRow {
  /** Of a balance that is in doubt: nothing is enforced. */
  readonly is_dark: boolean;
}

export const DOUBT_COLUMNS = `
  coalesce(b.doubts, 0) > 0 and ${IS_DARK} as is_dark`;

interface PairRow extends StockTermRow, DoubtRow {
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
          end as warehouse_known,${DOUBT_COLUMNS},${stockTermColumns('asked.days')}
   from unnest($1::text[], $2::text[], $3::text[], $4::integer[]) with ordinality as asked (org_id, warehouse_id, item_id, days, place)
   left join item i on i.org_id = asked.org_id and i.item_id = asked.item_id
   left join stock_balance b on b.org_id = asked.org_id and b.warehouse_id = asked.warehouse_id and b.item_id = asked.item_id`,
);

interface ItemRow extends StockTermRow, DoubtRow {
  readonly place: number;
  readonly item_known: boolean;
  /** Null when no warehouse knows the item. */
  readonly warehouse_id: string | null;
}

/** Each item in every warehouse that has a balance of it. */
export const readItems = statement<ItemRow>(
  'availability_items',
  `select asked.place::integer as place, i.org_id is not null as item_known, b.warehouse_id,${DOUBT_COLUMNS},${stockTermColumns('asked.days')}
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
  return questions.map((question, index) => answer(asked[index]!, question, rows));
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

function answer(asked: readonly PlacedItem[], { scope, isAdmin = false }: AvailabilityQuestion, rows: Rows): AvailabilityAnswer {
  const result: Availability[] = [];
  const add = (itemId: string, warehouseId: string, row: PairRow | ItemRow) =>
    result.push(toAvailability(itemId, warehouseId, stockTerms(row), { isDark: row.is_dark, isAdmin }));
  for (const { itemId, warehouseId, place } of asked) {
    if (warehouseId === undefined) {
      for (const row of rows.items.get(place)!) {
        if (!row.item_known) return { error: itemNotFound([itemId]) };
        if (row.warehouse_id !== null && isShown(scope, row.warehouse_id)) add(itemId, row.warehouse_id, row);
      }
    } else {
      const row = rows.pairs[place]!;
      if (!row.item_known) return { error: itemNotFound([itemId]) };
      if (!row.warehouse_known) return { error: warehouseNotFound(warehouseId) };
      add(itemId, warehouseId, row);
    }
  }
  return { items: result };
}

function warningOf({ doubts, doubtful }: AvailabilityTerms): string {
  const which = doubts === 1 ? 'An open discrepancy puts' : `${doubts} open discrepancies put`;
  return `${which} ${formatQuantity(doubtful)} of it in doubt.`;
}

/** Whether anything is enforced, and who asks. */
interface Audience {
  readonly isDark: boolean;
  readonly isAdmin: boolean;
}

/**
 * The answer for one item in one warehouse. While nothing is enforced nobody has to acknowledge anything, and only administrators are warned
 * (docs/rules.md, "phases").
 */
export function toAvailability(
  itemId: string,
  warehouseId: string,
  terms: AvailabilityTerms & { readonly inTransit: Quantity },
  { isDark, isAdmin }: Audience,
): Availability {
  return {
    itemId,
    warehouseId,
    onHand: formatQuantity(terms.onHand),
    reserved: formatQuantity(terms.reserved),
    blocked: formatQuantity(terms.blocked),
    expiredOrTooOld: formatQuantity(terms.expiredOrTooOld),
    safetyStock: formatQuantity(safetyStock(terms)),
    discrepancyHold: formatQuantity(discrepancyHold(terms)),
    backordered: formatQuantity(terms.backordered),
    inTransit: formatQuantity(terms.inTransit),
    available: formatQuantity(availableToPromise(terms)),
    requiresAcknowledgement: !isDark && terms.lockPolicy === 'soft' && isInDoubt(terms),
    warnings: isInDoubt(terms) && (!isDark || isAdmin) ? [warningOf(terms)] : [],
  };
}
