import type { Item, ItemCreate, RequestOf } from '#libs/contracts';
import type { Tx } from '#libs/persistence';
import { newItemRow, type NewItemRow } from '../catalogue/create-items.js';
import { findItems } from '../catalogue/item.queries.js';
import { differences, itemErrors, type ItemFields, newItem, priced } from '../catalogue/item.js';
import { readSettings } from '../settings/settings.queries.js';
import type { ImportRow } from './import.sql.js';
import type { CheckedLine, ImportLine } from './read-line.js';

/** Items: as `POST /items` checks them. One that exists exactly so is skipped, one that exists otherwise is an error. */
export async function checkItems(tx: Tx, { org_id }: ImportRow, lines: readonly ImportLine[]): Promise<readonly CheckedLine[]> {
  const ids = lines.flatMap(({ values }) => (values['itemId'] === undefined ? [] : [values['itemId'] as string]));
  const existing = await findItems(tx, org_id, ids);
  const { currency } = await readSettings(tx, org_id);
  return lines.map((line) => {
    const values = line.values as Partial<RequestOf<typeof ItemCreate>>;
    const { itemId, name } = values;
    if (itemId === undefined || name === undefined) return { fields: null, isThere: false };
    const wanted = newItem({ ...values, itemId, name });
    const fields = newItemRow(wanted, priced(wanted, currency));
    for (const { path, message } of itemErrors(fields)) line.errors.push({ line: line.line, column: path, message });
    const item = existing.get(itemId);
    if (item !== undefined && line.errors.length === 0) line.errors.push(...differenceErrors(line.line, item, fields));
    return { fields, isThere: item !== undefined };
  });
}

/** What is to be told of an item that exists otherwise than a line says. */
export function differenceErrors(line: number, item: Item, wanted: NewItemRow) {
  return differences(item, wanted).map((field) => ({
    line,
    column: field,
    message: `Item ${item.itemId} exists, and its ${field} is ${told(item, field)}, not ${told(wanted, field)}. Change it with PATCH /items/${item.itemId}, or leave the line out.`,
  }));
}

function told(item: ItemFields, field: keyof ItemFields): string {
  const value = item[field];
  if (value === null || (Array.isArray(value) && value.length === 0)) return 'not set';
  return JSON.stringify(Array.isArray(value) ? value.join(';') : value);
}
