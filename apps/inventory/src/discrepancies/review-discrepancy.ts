import type { DiscrepancyAnswer } from '#libs/contracts';
import { answered, type Outcome, type ReviewDiscrepancy } from '../stock-machine/commands.js';
import { subjectKey } from '../stock-machine/balance.js';
import type { StockState } from '../stock-machine/stock-state.js';
import { refuse } from '../stock-machine/warehouse-work.js';
import { discrepancyNotFound, discrepancyOver, discrepancyView, isOpen } from './discrepancy.js';
import { changeDiscrepancy } from './open-discrepancy.js';

/** Says that somebody looks at a discrepancy, and who if it is said; as often as that changes. */
export function reviewDiscrepancy(state: StockState, command: ReviewDiscrepancy): Outcome<DiscrepancyAnswer> {
  const found = state.discrepancies.get(subjectKey(command.orgId, command.discrepancyId));
  if (found === undefined) return refuse(discrepancyNotFound(command.discrepancyId));
  if (!isOpen(found)) return refuse(discrepancyOver(found));
  const assignedTo = command.assignedTo ?? found.assignedTo;
  if (found.status !== 'under_review' || found.assignedTo !== assignedTo) {
    found.status = 'under_review';
    found.assignedTo = assignedTo;
    changeDiscrepancy(state, found, 'discrepancy_reviewed', command.meta);
  }
  return answered(discrepancyView(found));
}
