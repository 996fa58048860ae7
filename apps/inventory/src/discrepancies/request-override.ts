import { conflict, formatQuantity } from '#libs/domain';
import type { Exception } from '../approvals/ask-approval.js';
import type { CommandMeta, KeptMovement, RunOverride } from '../stock-machine/commands.js';
import { balanceKey } from '../stock-machine/balance.js';
import { differenceOf, type Discrepancy, discrepancyOver, isOpen } from './discrepancy.js';
import type { RefusedMovement } from './discrepancy.queries.js';

/**
 * Counts what is asked about a discrepancy of a refused movement. Once a request is over, the same may be asked anew; once another discrepancy of
 * the movement is over, what was asked before is taken back, and only that.
 */
export const overrideVersion = (ended: number, { over }: Pick<RefusedMovement, 'over'>): number => ended + over;

/**
 * What somebody has to approve, so that a movement that was refused is run again: what was missing when it was refused, of all its items
 * together.
 *
 * @param siblings what else is open about the same movement.
 * @param version of what is asked: see {@link overrideVersion}.
 * @throws {HoldfastError} 409 `INVALID_STATE` when it is over, or no movement is kept with it.
 */
export function overrideOf(
  found: Discrepancy,
  siblings: readonly Discrepancy[],
  reason: string,
  version: number,
  meta: CommandMeta,
): Exception {
  const { orgId, discrepancyId, source, command } = found;
  if (!isOpen(found)) throw discrepancyOver(found);
  if (source !== 'blocked_transaction' || command === null) {
    throw conflict(
      'INVALID_STATE',
      `no movement was refused with discrepancy ${discrepancyId}, so there is none to run; count the item, or resolve or dismiss it`,
    );
  }
  const kept = command as KeptMovement;
  const placeOf = ({ warehouseId, itemId }: Discrepancy) => balanceKey(orgId, warehouseId!, itemId);
  const ofMessage = siblings.filter((one) => (one.command as KeptMovement).meta.messageId === kept.meta.messageId);
  const all = [...new Map([...ofMessage, found].map((one) => [placeOf(one), one])).values()].sort((a, b) =>
    placeOf(a) < placeOf(b) ? -1 : 1,
  );
  const work: RunOverride = {
    kind: 'run-override',
    orgId,
    shortfalls: all.map((one) => {
      const { warehouseId, itemId } = one;
      return { discrepancyId: one.discrepancyId, warehouseId: warehouseId!, itemId, quantity: formatQuantity(differenceOf(one)) };
    }),
    command: kept,
    // Said by who approves it; why it is asked for is told beside it, and is no part of what is approved.
    reason: '',
    meta,
  };
  return {
    kind: 'movement_override',
    subjectType: 'discrepancy',
    subjectId: discrepancyId,
    subjectVersion: version,
    reason,
    parts: all.map((one) => {
      const { warehouseId, itemId, lot, location } = one;
      return { warehouseId: warehouseId!, itemId, lot, location, delta: differenceOf(one), of: null, unitCost: null };
    }),
    work,
  };
}
