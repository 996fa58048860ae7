import type { DiscrepancyAnswer } from '#libs/contracts';
import { answered, type AwaitApproval, type Outcome } from '../stock-machine/commands.js';
import { subjectKey } from '../stock-machine/balance.js';
import type { StockState } from '../stock-machine/stock-state.js';
import { refuse } from '../stock-machine/warehouse-work.js';
import { discrepancyNotFound, discrepancyView, isOpen } from './discrepancy.js';
import { changeDiscrepancy } from './open-discrepancy.js';

/** Notes which request for approval is awaited, if it is not over meanwhile. */
export function awaitApproval(state: StockState, command: AwaitApproval): Outcome<DiscrepancyAnswer> {
  const found = state.discrepancies.get(subjectKey(command.orgId, command.discrepancyId));
  if (found === undefined) return refuse(discrepancyNotFound(command.discrepancyId));
  if (isOpen(found) && found.approvalRequestId !== command.approvalRequestId) {
    found.approvalRequestId = command.approvalRequestId;
    changeDiscrepancy(state, found, 'discrepancy_approval_requested', command.meta);
  }
  return answered(discrepancyView(found));
}
