import type { ImportError } from '#libs/contracts';
import type { Tx } from '#libs/persistence';
import { findItems } from '../catalogue/item.queries.js';
import { isOverBeforeItBegins } from '../stock-machine/lots.js';
import type { ImportRow } from './import.sql.js';
import { findLots, type LotDates, lotKey, type LotName } from './lot.sql.js';
import type { CheckedLine, ImportLine } from './read-line.js';

/** A line of lots as its columns are read. */
export interface LotValues extends LotName {
  readonly producedAt?: string;
  readonly expiresAt?: string;
}

/** Lots of items that are tracked by lot or serial. One that is known by the same dates is skipped, by other dates an error. */
export async function checkLots(tx: Tx, { org_id }: ImportRow, lines: readonly ImportLine[]): Promise<readonly CheckedLine[]> {
  const values = lines.map((line) => line.values as Partial<LotValues>);
  const names = values.flatMap(({ itemId, lot }) => (itemId !== undefined && lot !== undefined ? [{ itemId, lot }] : []));
  const [items, lots] = await Promise.all([
    findItems(
      tx,
      org_id,
      values.flatMap(({ itemId }) => itemId ?? []),
    ),
    findLots(tx, org_id, names),
  ]);
  return lines.map((line, index) => {
    const { itemId, lot } = values[index]!;
    const fail = (column: string, message: string) => line.errors.push({ line: line.line, column, message });
    if (itemId === undefined) return { fields: null, isThere: false };
    const item = items.get(itemId);
    if (item === undefined) fail('itemId', `Item ${itemId} does not exist; create it first.`);
    else if (item.tracking === 'none') fail('lot', `Item ${itemId} is not tracked by lot.`);
    const known = lot === undefined ? undefined : lots.get(lotKey({ itemId, lot }));
    if (line.errors.length === 0) {
      const said = values[index] as LotValues;
      const dates = { producedAt: dateOf(said.producedAt), expiresAt: dateOf(said.expiresAt) };
      line.errors.push(...(known === undefined ? orderErrors(line.line, said, dates) : dateErrors(line.line, said, known)));
    }
    return { fields: line.values, isThere: known !== undefined };
  });
}

/** What is to be told of a new lot that would expire before it was produced. */
export function orderErrors(line: number, { itemId, lot }: LotName, dates: LotDates): ImportError[] {
  if (!isOverBeforeItBegins(dates)) return [];
  const message = `Lot ${lot} of item ${itemId} would expire before it was produced, at ${dates.producedAt!.toISOString()}.`;
  return [{ line, column: 'expiresAt', message }];
}

export const dateOf = (text: string | undefined) => (text === undefined ? null : new Date(text));

/** What is to be told of a lot that is known by other dates than a line says. A date that is not said is no other date. */
export function dateErrors(line: number, values: LotValues, known: LotDates): ImportError[] {
  return (['producedAt', 'expiresAt'] as const).flatMap((column) => {
    const said = values[column];
    if (said === undefined || new Date(said).getTime() === known[column]?.getTime()) return [];
    const date = known[column]?.toISOString() ?? 'not set';
    return [{ line, column, message: `Lot ${values.lot} of item ${values.itemId} is known, and its ${column} is ${date}.` }];
  });
}
