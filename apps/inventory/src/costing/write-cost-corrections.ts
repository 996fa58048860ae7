import type { Tx } from '#libs/persistence';
import { columnsOf } from '../stock-machine/columns-of.js';
import type { StockState } from '../stock-machine/stock-state.js';
import { insertCostCorrections } from './receipt-costs.sql.js';

/** Writes what was answered to corrections of costs, for whoever repeats them. */
export function writeCostCorrections(tx: Tx, state: StockState): void {
  const corrections = [...state.costCorrections.added];
  if (corrections.length === 0) return;
  void tx.run(
    insertCostCorrections,
    columnsOf(
      corrections,
      (correction) => correction.orgId,
      (correction) => correction.commandId,
      (correction) => correction.answer.receiptId,
      (correction) => correction.fingerprint,
      (correction) => JSON.stringify(correction.answer),
    ),
  );
}
