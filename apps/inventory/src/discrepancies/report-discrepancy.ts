import type { DiscrepancyAnswer } from '#libs/contracts';
import { conflict, HoldfastError, parseQuantity, type Quantity, rejected, sumQuantities } from '#libs/domain';
import { answered, type Outcome, type ReportDiscrepancy } from '../stock-machine/commands.js';
import { quantsOfLot, splitsPieces } from '../stock-machine/balance-quants.js';
import { NO_LOT } from '../stock-machine/quants.js';
import { type Balance, subjectKey } from '../stock-machine/balance.js';
import type { StockState } from '../stock-machine/stock-state.js';
import { balanceOrError, refuse } from '../stock-machine/warehouse-work.js';
import { type Discrepancy, discrepancyView } from './discrepancy.js';
import { openDiscrepancy } from './open-discrepancy.js';

/**
 * Opens a discrepancy for what somebody saw: of an item in a warehouse, of one lot of it, or of what lies in one bin; all qualities, because
 * that is what can be seen (docs/rules.md, "discrepancies"). Nothing is posted.
 */
export function reportDiscrepancy(state: StockState, command: ReportDiscrepancy): Outcome<DiscrepancyAnswer> {
  const { orgId, discrepancyId, itemId, lot = null, location = null, severity, note, meta } = command;
  const known = state.discrepancies.get(subjectKey(orgId, discrepancyId));
  if (known !== undefined) {
    if (isSame(known, command)) return answered(discrepancyView(known));
    return refuse(conflict('ALREADY_EXISTS', `discrepancy ${discrepancyId} exists with other content`));
  }
  const balance = balanceOrError(state, command);
  if (balance instanceof HoldfastError) return refuse(balance);
  const snapshotQuantity = parseQuantity(command.snapshotQuantity);
  const refusal = refusalOf(state, balance, command);
  if (refusal !== null) return refuse(refusal);
  const ledgerQuantity = ledgerAt(state, balance, command);
  const noticed = { orgId, itemId, lot, location, snapshotQuantity, ledgerQuantity, note, source: 'manual_report' as const };
  const opened = openDiscrepancy(state, balance, { ...noticed, ...(severity === undefined ? {} : { severity }), discrepancyId }, meta);
  return answered(discrepancyView(opened));
}

function isSame(known: Discrepancy, { warehouseId, itemId, lot, location, ...said }: ReportDiscrepancy): boolean {
  const place =
    known.warehouseId === warehouseId && known.itemId === itemId && known.lot === (lot ?? null) && known.location === (location ?? null);
  const isAsSevere = said.severity === undefined || said.severity === known.severity;
  return place && isAsSevere && known.snapshotQuantity === parseQuantity(said.snapshotQuantity) && known.note === said.note;
}

function refusalOf(state: StockState, balance: Balance, { lot, location, snapshotQuantity }: ReportDiscrepancy): HoldfastError | null {
  const { orgId, itemId, warehouseId, tracking } = balance;
  if (location !== undefined && !state.hasLocation(orgId, warehouseId, location)) {
    return new HoldfastError('not_found', 'LOCATION_NOT_FOUND', `location ${location} does not exist in ${warehouseId}; create it first`);
  }
  if (lot !== undefined && tracking === 'none') {
    return rejected('STOCK_VALIDATION', `item ${itemId} is not tracked by lot; leave the lot out`);
  }
  if (lot !== undefined && !state.lots.has(`${orgId}/${itemId}/${lot}`)) {
    return new HoldfastError('not_found', 'LOT_NOT_FOUND', `item ${itemId} has no lot ${lot}; receive it, or adjust it as found`);
  }
  if (location !== undefined && lot === undefined && tracking !== 'none') {
    return rejected('STOCK_VALIDATION', `item ${itemId} is tracked by lot; say of which lot it is that lies in ${location}`);
  }
  if (splitsPieces(balance, parseQuantity(snapshotQuantity))) {
    return rejected('STOCK_VALIDATION', `item ${itemId} is counted in pieces, so snapshotQuantity is a whole number`);
  }
  return null;
}

/** What the books say of it. */
function ledgerAt(state: StockState, balance: Balance, { lot, location }: ReportDiscrepancy): Quantity {
  if (lot === undefined && location === undefined) return balance.onHand;
  const there = quantsOfLot(state, balance, lot ?? NO_LOT).filter((quant) => location === undefined || quant.location === location);
  return sumQuantities(there, (quant) => quant.quantity);
}
