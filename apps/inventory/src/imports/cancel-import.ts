import type { Actor } from '#libs/auth';
import type { Import } from '#libs/contracts';
import { conflict } from '#libs/domain';
import type { Tx } from '#libs/persistence';
import { getImport, importNotFound } from './import.queries.js';
import * as sql from './import.sql.js';

/**
 * Stops an import; what is applied stays. One that is cancelled already answers its state.
 *
 * @throws {HoldfastError} `INVALID_STATE` when it has ended otherwise; `IMPORT_NOT_FOUND`.
 */
export async function cancelImport(tx: Tx, orgId: string, actor: Actor, importId: string): Promise<Import> {
  const [row] = await tx.run(sql.lockImport, [orgId, importId]);
  if (row === undefined) throw importNotFound(importId);
  // Refuses also who may not see it.
  const { status } = await getImport(tx, orgId, actor, importId);
  if (status === 'completed' || status === 'failed') throw conflict('INVALID_STATE', `Import ${importId} is ${status} already.`);
  if (status !== 'cancelled') await tx.run(sql.finishImport, [orgId, importId, 'cancelled']);
  return await getImport(tx, orgId, actor, importId);
}
