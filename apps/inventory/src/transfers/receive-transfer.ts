import { type Transfer as TransferView, TransferShortage } from '#libs/contracts';
import {
  conflict,
  formatQuantity,
  type HoldfastError,
  isMoney,
  minQuantity,
  mulDiv,
  notFound,
  parseQuantity,
  type Quantity,
  rejected,
  sumQuantities,
  ZERO,
} from '#libs/domain';
import type { CostPart } from '../costing/cost-layers.js';
import { openDiscrepancy } from '../discrepancies/open-discrepancy.js';
import { fingerprint } from '../fingerprint.js';
import { answered, type Outcome, type ReceiveTransfer } from '../stock-machine/commands.js';
import { lotOrNull } from '../stock-machine/holds.js';
import { qualityOfIncoming } from '../stock-machine/lots.js';
import { changeOf, newMovement, outOfRange, postMovement, staysInRange, type StockChange } from '../stock-machine/post-movement.js';
import { lotKey, splitsPieces } from '../stock-machine/balance-quants.js';
import { NO_LOT, PLAIN } from '../stock-machine/quants.js';
import { type Balance, balanceKey, lotNameKey, subjectKey } from '../stock-machine/balance.js';
import { NeedsMore } from '../stock-machine/needs-more.js';
import type { StockState } from '../stock-machine/stock-state.js';
import { refuse } from '../stock-machine/warehouse-work.js';
import { transferView, underWay } from './transfer-view.js';
import type { Transfer, TransferLine } from './transfer.js';

/** What became of a line on arrival. */
interface Arrival {
  readonly line: TransferLine;
  readonly to: Balance;
  readonly arrived: Quantity;
  readonly missing: Quantity;
  readonly cost: readonly CostPart[];
  /** What is still to come costs. */
  readonly costLeft: readonly CostPart[];
}

/**
 * Puts what arrived into its warehouse, at the cost that it left with; whoever waits there is served. Never more than is under way. A part may
 * come later, or be closed as missing: its cost is that of the transfer (docs/rules.md, "transfers").
 */
export function receiveTransfer(state: StockState, command: ReceiveTransfer): Outcome<TransferView> {
  const transfer = state.transfers.get(subjectKey(command.orgId, command.transferId));
  if (transfer === undefined) return refuse(notFound('TRANSFER_NOT_FOUND', `there is no transfer ${command.transferId}`));
  const print = fingerprint({ lines: command.lines, closeShortLines: command.closeShortLines });
  const before = transfer.arrivals.find(({ commandId }) => commandId === command.commandId);
  if (before !== undefined) {
    if (before.fingerprint === print) return answered(transferView(transfer));
    return refuse(conflict('ALREADY_EXISTS', `what arrived was told under ${command.commandId} already, with other content`));
  }
  const arrivals = planArrivals(state, transfer, command);
  if (!Array.isArray(arrivals)) return refuse(arrivals);
  if (arrivals.length === 0) return answered(transferView(transfer));
  requireLotsOf(state, arrivals);
  const changes = arrivals
    .filter(({ arrived }) => arrived > ZERO)
    .map(({ line: { lot }, to, arrived, cost }): StockChange => {
      // What was recalled while it was under way arrives so.
      const quality = qualityOfIncoming(state, to, lot, 'available');
      return { ...changeOf(to, { ...PLAIN, lot, quality }, arrived), parts: cost };
    });
  const isWorthTooMuch = changes.some(({ balance, parts = [] }) => !isMoney(state.costOf(balance).value + valueOfParts(parts)));
  if (isWorthTooMuch || !staysInRange(state, changes)) return refuse(outOfRange());

  // After this point it must succeed.
  const reference = { orgId: command.orgId, refType: 'transfer', refId: transfer.transferId };
  const into = newMovement({ ...reference, movementType: 'transfer_in' }, command.meta, state.now);
  for (const { line, to, arrived, missing, costLeft } of arrivals) {
    state.changeInTransit(to, -(arrived + missing));
    line.received += arrived;
    line.missing += missing;
    line.cost = missing > ZERO ? [] : costLeft;
    if (to.tracking === 'serial') state.sendPiece(command.orgId, line.itemId, line.lot, null);
  }
  if (changes.length > 0) postMovement(state, into, changes, command.meta);
  tellShortages(state, transfer, arrivals, command);
  transfer.arrivals.push({ commandId: command.commandId, fingerprint: print });
  if (transfer.lines.every((line) => underWay(line) === ZERO)) {
    transfer.status = 'completed';
    transfer.completedAt = state.now;
  }
  state.changedTransfers.add(transfer);
  return answered(transferView(transfer));
}

/** What arrived of each line, all lines of the command together. Changes nothing. */
function planArrivals(
  state: StockState,
  transfer: Transfer,
  { lines, closeShortLines = false }: ReceiveTransfer,
): Arrival[] | HoldfastError {
  const arrived = new Map<TransferLine, Quantity>();
  const told = lines ?? transfer.lines.map((line) => ({ itemId: line.itemId, lot: line.lot, quantity: formatQuantity(underWay(line)) }));
  for (const { itemId, lot, quantity } of told) {
    const ofItem = transfer.lines.filter((line) => line.itemId === itemId && (lot === undefined || line.lot === lot));
    const left = (line: TransferLine) => underWay(line) - (arrived.get(line) ?? ZERO);
    const most = sumQuantities(ofItem, left);
    const asked = parseQuantity(quantity);
    const what = lot === undefined || lot === NO_LOT ? itemId : `lot ${lot} of ${itemId}`;
    if (ofItem.length === 0) return rejected('STOCK_VALIDATION', `transfer ${transfer.transferId} has no ${what}`);
    if (asked > most) {
      const message = `${quantity} of ${what} cannot arrive: ${formatQuantity(most)} are under way. Receive what is beyond as goods of its own`;
      return rejected('STOCK_VALIDATION', message);
    }
    if (splitsPieces(state.existingBalance(transfer.orgId, transfer.toWarehouseId, itemId), asked)) {
      return rejected('STOCK_VALIDATION', `item ${itemId} is tracked by serial number, so only whole pieces arrive, and not ${quantity}`);
    }
    if (asked < most && ofItem.filter((line) => left(line) > ZERO).length > 1) {
      return rejected('STOCK_VALIDATION', `several lots of ${itemId} are under way; say of which lot ${quantity} arrived`);
    }
    let rest = asked;
    for (const line of ofItem) {
      const part = minQuantity(rest, left(line));
      arrived.set(line, (arrived.get(line) ?? ZERO) + part);
      rest -= part;
    }
  }
  return [...arrived]
    .map(([line, quantity]) => {
      const to = state.existingBalance(transfer.orgId, transfer.toWarehouseId, line.itemId);
      const missing = closeShortLines ? underWay(line) - quantity : ZERO;
      const [cost, costLeft] = splitCost(line.cost, quantity);
      return { line, to, arrived: quantity, missing, cost, costLeft };
    })
    .filter((arrival) => arrival.arrived + arrival.missing > ZERO);
}

/** The first of the parts that make up a quantity, and the rest: a part is split by `value * q / quantity`, the rest keeps what is left. */
function splitCost(cost: readonly CostPart[], quantity: Quantity): [taken: CostPart[], left: CostPart[]] {
  const taken: CostPart[] = [];
  const left: CostPart[] = [];
  let rest = quantity;
  for (const part of cost) {
    const share = minQuantity(rest, part.quantity);
    const value = share === part.quantity ? part.value : mulDiv(part.value, share, part.quantity);
    if (share > ZERO) taken.push({ ...part, quantity: share, value });
    if (share < part.quantity) left.push({ ...part, quantity: part.quantity - share, value: part.value - value });
    rest -= share;
  }
  return [taken, left];
}

const valueOfParts = (parts: readonly CostPart[]) => sumQuantities(parts, (part) => part.value);

function requireLotsOf(state: StockState, arrivals: readonly Arrival[]): void {
  const unread = arrivals.filter(({ line, to }) => {
    return line.lot !== NO_LOT && !(state.lots.has(lotNameKey(to.orgId, to.itemId, line.lot)) && to.quants.hasLot(line.lot));
  });
  if (unread.length === 0) return;
  const balances = unread.map(({ to }) => balanceKey(to.orgId, to.warehouseId, to.itemId));
  throw new NeedsMore({ balances, lots: unread.map(({ line, to }) => lotKey(to, line.lot)) });
}

/** What did not arrive is told, and somebody has to find out where it is. */
function tellShortages(state: StockState, transfer: Transfer, arrivals: readonly Arrival[], { meta }: ReceiveTransfer): void {
  const { orgId, transferId, fromWarehouseId, toWarehouseId } = transfer;
  for (const { line, to, arrived, missing, costLeft } of arrivals) {
    if (missing === ZERO) continue;
    const seen = { ledgerQuantity: arrived + missing, snapshotQuantity: arrived, source: 'transfer_shortage' as const };
    const about = { orgId, itemId: line.itemId, lot: lotOrNull(line.lot), refType: 'transfer', refId: transferId };
    openDiscrepancy(state, to, { ...about, ...seen, note: `Did not arrive from ${fromWarehouseId}.` }, meta);
    state.emit(TransferShortage, orgId, transferId, meta, {
      transferId,
      fromWarehouseId,
      toWarehouseId,
      itemId: line.itemId,
      lot: lotOrNull(line.lot),
      missing: formatQuantity(missing),
      value: formatQuantity(valueOfParts(costLeft)),
    });
  }
}
