import { answered, type FillBackorders, type Outcome } from '../stock-machine/commands.js';
import type { StockState } from '../stock-machine/stock-state.js';

/**
 * Goes on filling backorders where more wait than one batch serves. Marking the balance as freed is all: every batch ends by giving what
 * is free to whoever waits.
 */
export function fillBackorders(state: StockState, command: FillBackorders): Outcome<null> {
  const balance = state.balance(command.orgId, command.warehouseId, command.itemId);
  if (balance !== undefined) state.freed.add(balance);
  return answered(null);
}
