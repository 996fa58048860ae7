import type { DiscrepancyAnswer } from '#libs/contracts';
import { answered, type AwaitApproval, type Outcome } from '../stock-machine/commands.js';
import { subjectKey } from '../stock-machine/balance.js';
import type { StockState } from '../stock-machine/stock-state.js';
import { refuse } from '../stock-machine/warehouse-work.js';
import { discrepancyNotFound, discrepancyView, isOpen } from './discrepancy.js';
import { changeDiscrepancy } from './open-discrepancy.js';

/** Notes which request for approval is awaited, or that it was taken back; nothing of a discrepancy that is over meanwhile. */
export function awaitApproval(state: StockState, { takenBack, ...command }: AwaitApproval): Outcome<DiscrepancyAnswer> {
  const found = state.discrepancies.get(subjectKey(command.orgId, command.discrepancyId));
  if (found === undefined) return refuse(discrepancyNotFound(command.discrepancyId));
  const isAwaited = found.approvalRequestId === command.approvalRequestId;
  if (isOpen(found) && takenBack === undefined && !isAwaited) {
    found.approvalRequestId = command.approvalRequestId;
    changeDiscrepancy(state, found, 'discrepancy_approval_requested', command.meta);
  }
  if (isOpen(found) && takenBack !== undefined && isAwaited) {
    found.approvalRequestId = null;
    found.resolutionNote = takenBack;
    changeDiscrepancy(state, found, 'discrepancy_approval_ended', command.meta);
  }
  return answered(discrepancyView(found));
}
