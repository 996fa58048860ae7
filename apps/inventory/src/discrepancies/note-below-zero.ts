import { answered, type NoteBelowZero, type Outcome } from '../stock-machine/commands.js';
import type { StockState } from '../stock-machine/stock-state.js';
import { belowZeroKey, isOpen } from './discrepancy.js';
import { openDiscrepancy } from './open-discrepancy.js';

/**
 * Makes what is below zero a discrepancy, once the organisation enforces what its books say: it stays as it is, and somebody must find out
 * what was there (docs/rules.md, "phases"). Resolved by an adjustment, it is posted up to what must be there at least.
 */
export function noteBelowZero(state: StockState, command: NoteBelowZero): Outcome<{ discrepancyId: string | null }> {
  const { orgId, warehouseId, itemId, meta } = command;
  const balance = state.balance(orgId, warehouseId, itemId);
  const findingKey = belowZeroKey(command);
  if (balance === undefined || !balance.mayBeNegative || state.settingsOf(orgId).enforcementPhase !== 'hard') {
    return answered({ discrepancyId: null });
  }
  const known = [...state.discrepancies.values()].find((one) => one.orgId === orgId && one.findingKey === findingKey && isOpen(one));
  if (known !== undefined) return answered({ discrepancyId: known.discrepancyId });
  const noticed = {
    orgId,
    itemId,
    snapshotQuantity: balance.blocked,
    ledgerQuantity: balance.onHand,
    source: 'blocked_transaction' as const,
    severity: 'medium' as const,
    note: 'More had left than the books knew of when it began to be enforced.',
    findingKey,
  };
  return answered({ discrepancyId: openDiscrepancy(state, balance, noticed, meta).discrepancyId });
}
