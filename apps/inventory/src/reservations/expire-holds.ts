import { ReservationExpired } from '#libs/contracts';
import { answered, type ExpireHolds, type Outcome } from '../stock-machine/commands.js';
import { linesOfHolds } from '../stock-machine/holds.js';
import { openQuantity } from '../stock-machine/demand.js';
import type { StockState } from '../stock-machine/stock-state.js';
import { releaseEverything, requireOwnBalances } from './set-demand.js';

/**
 * Ends a soft hold whose time has run out. Safe with several sweepers, and when the order was confirmed meanwhile: what is due is decided
 * under the lock, by the database's clock.
 */
export function expireHolds(state: StockState, command: ExpireHolds): Outcome<{ expired: boolean }> {
  const demand = state.demand(command.orgId, command.orderId);
  const isDue = demand.state === 'open' && !demand.firm && demand.expiresAt !== null && demand.expiresAt <= state.now;
  if (!isDue) return answered({ expired: false });
  requireOwnBalances(state, demand);

  const lines = linesOfHolds(demand);
  releaseEverything(state, demand, { status: 'expired', reason: 'expired' });
  for (const line of demand.lines) line.unheld = openQuantity(line);
  demand.state = 'expired';
  demand.expiresAt = null;
  state.emitAboutOrder(ReservationExpired, demand, command.meta, { orderId: demand.orderId, lines });
  return answered({ expired: true });
}
