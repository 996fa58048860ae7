import type { Tx } from '#libs/persistence';
import { findItems } from '../catalogue/item.queries.js';
import type { CheckedLine } from './import-kinds.js';
import type { ImportRow } from './import.sql.js';
import type { ImportLine } from './read-line.js';

/** Lots of items that are tracked by lot or serial. */
export async function checkLots(tx: Tx, { org_id }: ImportRow, lines: readonly ImportLine[]): Promise<readonly CheckedLine[]> {
  const items = await findItems(
    tx,
    org_id,
    lines.flatMap(({ values }) => (values['itemId'] === undefined ? [] : [values['itemId'] as string])),
  );
  return lines.map((line) => {
    const itemId = line.values['itemId'] as string | undefined;
    const fail = (column: string, message: string) => line.errors.push({ line: line.line, column, message });
    if (itemId !== undefined && !items.has(itemId)) fail('itemId', `Item ${itemId} does not exist; create it first.`);
    else if (itemId !== undefined) fail('lot', `Item ${itemId} is not tracked by lot.`);
    return { fields: line.values, isThere: false };
  });
}
