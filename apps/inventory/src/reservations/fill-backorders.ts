import { answered, type FillBackorders, type Outcome } from '../stock-machine/commands.js';
import { requireFillable } from '../stock-machine/holds.js';
import type { StockState } from '../stock-machine/stock-state.js';

/**
 * Goes on filling backorders where more wait than one batch serves. Marking the balance as freed is all: every batch ends by giving what
 * is free to whoever waits.
 */
export function fillBackorders(state: StockState, command: FillBackorders): Outcome<null> {
  const { orgId, warehouseId, itemId } = command;
  const balance = state.balance(orgId, warehouseId, itemId);
  if (balance === undefined) return answered(null);
  // While it can still ask for more.
  requireFillable(state, balance);
  state.freed.add(balance);
  return answered(null);
}
