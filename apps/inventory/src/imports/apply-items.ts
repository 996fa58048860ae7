import type { ImportError } from '#libs/contracts';
import type { Tx } from '#libs/persistence';
import { createItems, type NewItemRow } from '../catalogue/create-items.js';
import { findItems } from '../catalogue/item.queries.js';
import type { Applied, AppliedLine } from './applied.js';
import { differenceErrors } from './check-items.js';

/** Creates items. One that has come into being since the file was checked is skipped when it is equal, and told when it is not. */
export async function applyItems(tx: Tx, orgId: string, lines: readonly AppliedLine[]): Promise<Applied> {
  const wanted = lines.filter((line) => !line.is_there).map(({ line, fields }) => ({ line, item: fields as NewItemRow }));
  const created = await createItems(
    tx,
    orgId,
    wanted.map(({ item }) => item),
  );
  const late = wanted.filter(({ item }) => !created.has(item.itemId));
  const errors: ImportError[] = [];
  let different = 0;
  if (late.length > 0) {
    const items = await findItems(
      tx,
      orgId,
      late.map(({ item }) => item.itemId),
    );
    for (const { line, item } of late) {
      const found = differenceErrors(line, items.get(item.itemId)!, item);
      if (found.length > 0) different++;
      errors.push(...found);
    }
  }
  return { done: lines.length - different, skipped: lines.length - created.size - different, errors };
}
