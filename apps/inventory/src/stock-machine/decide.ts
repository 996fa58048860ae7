import { carryOutApproval } from '../approvals/carry-out-approval.js';
import { adjustStock } from '../adjustments/adjust-stock.js';
import { confirmPick } from '../picking/confirm-pick.js';
import { moveStock } from '../bins/move-stock.js';
import { countStock } from '../counts/count-stock.js';
import { changeQuality } from '../quality/change-quality.js';
import { expireLot } from '../quality/expire-lot.js';
import { recallLot } from '../quality/recall-lot.js';
import { correctCost } from '../costing/correct-cost.js';
import { noteBelowZero } from '../discrepancies/note-below-zero.js';
import { recordFindings } from '../discrepancies/record-findings.js';
import { closeFound } from '../discrepancies/close-discrepancy.js';
import { reportDiscrepancy } from '../discrepancies/report-discrepancy.js';
import { awaitApproval } from '../discrepancies/await-approval.js';
import { reviewDiscrepancy } from '../discrepancies/review-discrepancy.js';
import { receiveGoods } from '../receipts/receive-goods.js';
import { expireHolds } from '../reservations/expire-holds.js';
import { fillBackorders } from '../reservations/fill-backorders.js';
import { setDemand } from '../reservations/set-demand.js';
import { inspectReturn } from '../returns/inspect-return.js';
import { receiveReturn } from '../returns/receive-return.js';
import { ship } from '../shipments/ship.js';
import { unship } from '../shipments/unship.js';
import { scrapStock } from '../scraps/scrap-stock.js';
import { setStockPolicy } from '../stock-policies/set-stock-policy.js';
import { receiveTransfer } from '../transfers/receive-transfer.js';
import { transferStock } from '../transfers/transfer-stock.js';
import type { FoundCommand, Outcome, StockCommand } from './commands.js';
import { fillFreedBalances } from './holds.js';
import { NeedsMore } from './needs-more.js';
import type { StockState } from './stock-state.js';

/**
 * Decides one command on the working set, as the only thing that ever changes stock. Pure: what it reads is in `state`, what it does is
 * recorded there, and ends with giving whatever came free to whoever waits.
 *
 * @throws NeedsMore, with nothing changed, when the command needs rows that were not locked or read.
 */
export function decide(state: StockState, command: StockCommand): Outcome {
  const revision = state.revision;
  try {
    const outcome = apply(state, command);
    fillFreedBalances(state, command.meta);
    return outcome;
  } catch (error) {
    if (error instanceof NeedsMore && state.revision !== revision) {
      throw new Error(`${command.kind} asked for more after it had begun to change stock`, { cause: error });
    }
    throw error;
  }
}

function apply(state: StockState, command: StockCommand): Outcome {
  switch (command.kind) {
    case 'set-demand':
      return setDemand(state, command);
    case 'expire-holds':
      return expireHolds(state, command);
    case 'fill-backorders':
      return fillBackorders(state, command);
    case 'confirm-pick':
      return confirmPick(state, command);
    case 'ship':
      return ship(state, command);
    case 'unship':
      return unship(state, command);
    case 'receive-return':
      return receiveReturn(state, command);
    case 'inspect-return':
      return inspectReturn(state, command);
    case 'receive-goods':
      return receiveGoods(state, command);
    case 'adjust-stock':
      return adjustStock(state, command);
    case 'move-stock':
      return moveStock(state, command);
    case 'change-quality':
      return changeQuality(state, command);
    case 'scrap-stock':
      return scrapStock(state, command);
    case 'recall-lot':
      return recallLot(state, command);
    case 'expire-lot':
      return expireLot(state, command);
    case 'count-stock':
      return countStock(state, command);
    case 'transfer-stock':
      return transferStock(state, command);
    case 'receive-transfer':
      return receiveTransfer(state, command);
    case 'correct-cost':
      return correctCost(state, command);
    case 'set-stock-policy':
      return setStockPolicy(state, command);
    default:
      return applyToFound(state, command);
  }
}

function applyToFound(state: StockState, command: FoundCommand): Outcome {
  switch (command.kind) {
    case 'note-below-zero':
      return noteBelowZero(state, command);
    case 'record-findings':
      return recordFindings(state, command);
    case 'report-discrepancy':
      return reportDiscrepancy(state, command);
    case 'review-discrepancy':
      return reviewDiscrepancy(state, command);
    case 'close-discrepancy':
      return closeFound(state, command);
    case 'await-approval':
      return awaitApproval(state, command);
    case 'carry-out-approval':
      return carryOutApproval(state, command);
  }
}
