import { minQuantity } from '#libs/domain';
import { availableToBackorders } from '../availability/available-to-promise.js';
import { answered, type FillBackorders, type Outcome } from '../stock-machine/commands.js';
import { lineOf } from '../stock-machine/holds.js';
import { isDetailed, requireFitting, requirePlaceable } from '../stock-machine/quants.js';
import { balanceKey, type StockState } from '../stock-machine/stock-state.js';

/**
 * Goes on filling backorders where more wait than one batch serves. Marking the balance as freed is all: every batch ends by giving what
 * is free to whoever waits.
 */
export function fillBackorders(state: StockState, command: FillBackorders): Outcome<null> {
  const { orgId, warehouseId, itemId } = command;
  const balance = state.balance(orgId, warehouseId, itemId);
  if (balance === undefined) return answered(null);
  // While it can still ask for more: what serves the first in turn has to be read.
  const [first] = state.queues.get(balanceKey(orgId, warehouseId, itemId)) ?? [];
  if (first !== undefined && isDetailed(balance)) {
    const line = lineOf(state.demand(orgId, first.orderId), first.lineNo);
    const fit = requireFitting(state, balance, availableToBackorders(balance), line);
    requirePlaceable(state, balance, minQuantity(fit, first.quantity), line);
  }
  state.freed.add(balance);
  return answered(null);
}
