import { conflict, parseQuantity } from '#libs/domain';
import { adjustStock } from '../adjustments/adjust-stock.js';
import { ship } from '../shipments/ship.js';
import type { KeptMovement, Outcome, RunOverride } from '../stock-machine/commands.js';
import { subjectKey } from '../stock-machine/balance.js';
import type { StockState } from '../stock-machine/stock-state.js';
import { refuse } from '../stock-machine/warehouse-work.js';
import { transferStock } from '../transfers/transfer-stock.js';
import { type Discrepancy, discrepancyNotFound, discrepancyOver, isOpen } from './discrepancy.js';
import { closeDiscrepancy } from './open-discrepancy.js';
import type { MovementOverride } from '../stock-machine/movement.js';

/**
 * Runs a movement that was refused once more, because somebody approved it: what is missing by then is counted as found, if it is no more than
 * was approved, and its discrepancies are resolved. Nothing is changed when it cannot be posted (docs/rules.md, "overrides of movements").
 *
 * @returns what the movement answers, or why it cannot be posted.
 */
export function runOverride(state: StockState, work: RunOverride): Outcome {
  const { orgId, shortfalls, command, reason, meta } = work;
  const open: Discrepancy[] = [];
  const approved = new Map<ReturnType<StockState['existingBalance']>, { quantity: bigint; discrepancyId: string }>();
  for (const { discrepancyId, warehouseId, itemId, quantity } of shortfalls) {
    const found = state.discrepancies.get(subjectKey(orgId, discrepancyId));
    if (found === undefined) return refuse(discrepancyNotFound(discrepancyId));
    if (!isOpen(found)) return refuse(discrepancyOver(found));
    open.push(found);
    approved.set(state.existingBalance(orgId, warehouseId, itemId), { quantity: parseQuantity(quantity), discrepancyId });
  }
  const outcome = rerun(state, work, { approved, granted: [], reason, meta });
  if (outcome.kind !== 'answer') return outcome;
  const { status, reason: why } = outcome.answer as { readonly status?: string; readonly reason?: string };
  if (status === 'refused') {
    return refuse(conflict('INVALID_STATE', `${command.kind} is refused again: ${why}; send it again, and ask for what is missing then`));
  }
  for (const found of open) {
    const balance = state.existingBalance(orgId, found.warehouseId!, found.itemId);
    closeDiscrepancy(state, balance, found, { status: 'resolved', note: reason, by: meta.actor ?? null }, meta);
  }
  return outcome;
}

/** As whoever made the movement, and as a message of its own: the one that was refused before stays refused. */
function rerun(state: StockState, { orgId, command, meta }: RunOverride, override: MovementOverride): Outcome {
  const { messageId, actor } = command.meta;
  const again = { ...command, orgId, meta: { ...meta, messageId, actor, sequence: undefined, time: undefined, mayWait: false } };
  state.override = override;
  try {
    return decideAgain(state, again);
  } finally {
    state.override = null;
  }
}

function decideAgain(state: StockState, command: KeptMovement): Outcome {
  if (command.kind === 'ship') return ship(state, command);
  return command.kind === 'transfer-stock' ? transferStock(state, command) : adjustStock(state, command);
}
