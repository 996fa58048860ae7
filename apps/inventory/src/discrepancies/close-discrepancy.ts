import type { DiscrepancyAnswer, DiscrepancySource } from '#libs/contracts';
import { HoldfastError, rejected } from '#libs/domain';
import { answered, type CloseDiscrepancy, type Outcome } from '../stock-machine/commands.js';
import { type Balance, subjectKey } from '../stock-machine/balance.js';
import type { StockState } from '../stock-machine/stock-state.js';
import { refuse } from '../stock-machine/warehouse-work.js';
import { type Discrepancy, discrepancyNotFound, discrepancyOver, discrepancyView, isOpen } from './discrepancy.js';
import { closeDiscrepancy } from './open-discrepancy.js';
import { planDifference, postDifference } from './post-difference.js';
import { planRederivation, rederive } from './rederive-counter.js';

/**
 * Resolves or dismisses a discrepancy; with `adjust` its difference is posted first, as what a count found: so that what moved meanwhile does
 * not matter, and whoever holds what is missing; of a finding of reconciliation nothing is posted, and the counter is set to what its records
 * say (docs/rules.md, "discrepancies"). What it kept back serves whoever waits.
 */
export function closeFound(state: StockState, command: CloseDiscrepancy): Outcome<DiscrepancyAnswer> {
  const { orgId, discrepancyId, status, adjust, note, meta } = command;
  const found = state.discrepancies.get(subjectKey(orgId, discrepancyId));
  if (found === undefined) return refuse(discrepancyNotFound(discrepancyId));
  if (found.status === status) return answered(discrepancyView(found));
  if (!isOpen(found)) return refuse(discrepancyOver(found));
  const balance = balanceOf(state, found);
  const end = { status, note, by: meta.actor ?? null };
  if (adjust && found.source === 'reconciliation_job') {
    const rederivation = planRederivation(state, balance, found);
    if (rederivation instanceof HoldfastError) return refuse(rederivation);

    // After this point it must succeed.
    const rederived = rederive(state, rederivation, meta);
    closeDiscrepancy(state, balance, found, { ...end, rederived }, meta);
    return answered(discrepancyView(found));
  }
  const plan = adjust ? planAdjustment(state, balance, found) : null;
  if (plan instanceof HoldfastError) return refuse(plan);

  // After this point it must succeed.
  if (plan !== null) postDifference(state, plan, found, note, meta);
  closeDiscrepancy(state, balance, found, end, meta);
  return answered(discrepancyView(found));
}

/** Null also when its row is gone, which is what reconciliation may have found. */
function balanceOf(state: StockState, { orgId, warehouseId, itemId }: Discrepancy): Balance | null {
  return warehouseId === null ? null : (state.balance(orgId, warehouseId, itemId) ?? null);
}

/** Sources by which somebody saw how much is there; what the others found cannot be posted, and what to do instead. */
const NOT_POSTED: Readonly<Partial<Record<DiscrepancySource, string>>> = {
  blocked_transaction: 'nothing was counted; count the item, request an override, or resolve without adjust',
  transfer_shortage: 'what did not arrive is in no warehouse any more; if it turns up, adjust it as found, and resolve without adjust',
  tolerance_exceeded: 'what came was taken in as it came; resolve without adjust',
};

function planAdjustment(state: StockState, balance: Balance | null, found: Discrepancy) {
  const instead = NOT_POSTED[found.source];
  if (instead !== undefined || balance === null) {
    return rejected(
      'STOCK_VALIDATION',
      `there is nothing to post for discrepancy ${found.discrepancyId}: ${instead ?? 'it is about no item in a warehouse'}`,
    );
  }
  return planDifference(state, balance, found);
}
