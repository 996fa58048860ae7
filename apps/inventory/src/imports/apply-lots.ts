import type { Tx } from '#libs/persistence';
import type { Applied, AppliedLine } from './applied.js';
import { dateErrors, type LotValues } from './check-lots.js';
import { findLots, insertLots, lotKey } from './lot.sql.js';

/** Stores lots. One that has come since the file was checked is skipped when its dates are the same, and told when they are not. */
export async function applyLots(tx: Tx, orgId: string, lines: readonly AppliedLine[]): Promise<Applied> {
  const wanted = lines.filter((line) => !line.is_there).map(({ line, fields }) => ({ line, lot: fields as LotValues }));
  const stored = await insertLots(
    tx,
    orgId,
    wanted.map(({ lot }) => lot),
  );
  const late = wanted.filter(({ lot }) => !stored.has(lotKey(lot)));
  const known = await findLots(
    tx,
    orgId,
    late.map(({ lot }) => lot),
  );
  const wrong = late.map(({ line, lot }) => dateErrors(line, lot, known.get(lotKey(lot))!)).filter((errors) => errors.length > 0);
  return { done: lines.length - wrong.length, skipped: lines.length - stored.size - wrong.length, errors: wrong.flat() };
}
