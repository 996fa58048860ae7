import { statement, type Tx } from '#libs/persistence';
import { fingerprint } from '../fingerprint.js';
import type { ItemFields } from './item.js';

const insert = statement<{ item_id: string }>(
  'items_insert',
  // By id, so that two who create the same items never wait for each other crosswise.
  `insert into item (org_id, item_id, name, unit, tracking, costing, unit_price, currency, reorder_point, safety_stock,
                     min_remaining_shelf_life_days, substitutes, fingerprint)
   select $1, i."itemId", i.name, i.unit, i.tracking, i.costing, i."unitPrice", i.currency, i."reorderPoint", i."safetyStock",
          i."minRemainingShelfLifeDays", i.substitutes, i.fingerprint
     from jsonb_to_recordset($2::jsonb) as i ("itemId" text, name text, unit text, tracking text, costing text, "unitPrice" numeric,
          currency text, "reorderPoint" numeric, "safetyStock" numeric, "minRemainingShelfLifeDays" integer, substitutes text[], fingerprint text)
    order by i."itemId"
       on conflict do nothing
   returning item_id`,
);

/** An item as it is to be stored, with the fingerprint of the body that creates it: before its price was given a currency. */
export interface NewItemRow extends ItemFields {
  readonly fingerprint: string;
}

/** An item as `POST /items` would store it, whose repeat it must recognise. */
export function newItemRow(wanted: ItemFields, priced: ItemFields): NewItemRow {
  return { ...priced, fingerprint: fingerprint(wanted) };
}

/** Creates many items in one statement, unless there is one of the same id. Answers the ids of those that were created. */
export async function createItems(tx: Tx, orgId: string, items: readonly NewItemRow[]): Promise<ReadonlySet<string>> {
  const rows = await tx.run(insert, [orgId, JSON.stringify(items)]);
  return new Set(rows.map((row) => row.item_id));
}
