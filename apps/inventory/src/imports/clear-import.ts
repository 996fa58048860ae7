import type { Database } from '#libs/persistence';
import type { Claim } from './import.sql.js';
import * as sql from './import.sql.js';

const LINES_AT_ONCE = 5_000;

/**
 * Removes what was staged for an import that is over.
 *
 * @param isOver asked between chunks; answers whether this turn is over.
 */
export async function clearImport(database: Database, claim: Claim, isOver: () => boolean): Promise<void> {
  const { orgId, importId } = claim;
  do {
    const isClear = await database.transaction([orgId], async (tx) => {
      await sql.hold(tx, claim);
      const gone = await tx.run(sql.deleteLines, [orgId, importId, LINES_AT_ONCE]);
      if (gone.length === LINES_AT_ONCE) return false;
      void tx.run(sql.emptyParts, [orgId, importId]);
      void tx.run(sql.noteCleared, [orgId, importId]);
      return true;
    });
    if (isClear) return;
  } while (!isOver());
}
