import type { Transfer as TransferView } from '#libs/contracts';
import {
  conflict,
  formatQuantity,
  type HoldfastError,
  isMoney,
  notFound,
  parseQuantity,
  type Quantity,
  rejected,
  ZERO,
} from '#libs/domain';
import { free } from '../availability/available-to-promise.js';
import { fingerprint } from '../fingerprint.js';
import { answered, type Outcome, type TransferStock } from '../stock-machine/commands.js';
import { changeOf, newMovement, postMovement, requireCosts, staysInRange } from '../stock-machine/post-movement.js';
import { FreeStock, isDetailed, lotKey, NO_LOT, PLAIN, type PlacedPart, requireAllFree } from '../stock-machine/quants.js';
import {
  type Balance,
  balanceKey,
  lotNameKey,
  NeedsMore,
  type StockState,
  subjectKey,
  type Transfer,
  type TransferLine,
} from '../stock-machine/stock-state.js';
import { transferView } from './transfer-view.js';

/** A part of a line, and the lot and bin that it leaves. */
interface Leaving extends PlacedPart {
  readonly from: Balance;
  readonly to: Balance;
}

/**
 * Takes free stock out of one warehouse, what expires first before the rest, and puts it into the other at once, or lets it travel. Its
 * costs go with it, with when and by which receipt it came. Recognised for ever by `transferId` (docs/rules.md, "transfers").
 */
export function transferStock(state: StockState, command: TransferStock): Outcome<TransferView> {
  const { orgId, transferId, fromWarehouseId, toWarehouseId, mode } = command;
  const print = fingerprint({ fromWarehouseId, toWarehouseId, mode, lines: command.lines });
  const known = state.transfers.get(subjectKey(orgId, transferId));
  if (known !== undefined) {
    if (known.fingerprint === print) return answered(transferView(known));
    return refuse(conflict('ALREADY_EXISTS', `transfer ${transferId} exists with other content`));
  }
  if (fromWarehouseId === toWarehouseId) return refuse(rejected('STOCK_VALIDATION', 'a transfer goes from one warehouse to another'));
  const misplaced = refusalOfLines(state, command);
  if (misplaced !== null) return refuse(misplaced);
  const leaving = planLeaving(state, command);
  if (!Array.isArray(leaving)) return refuse(leaving);
  requireLotsOf(state, leaving);
  const outgoing = leaving.map(({ from, quant, quantity }) => changeOf(from, quant, -quantity));
  requireCosts(state, outgoing);
  const isTooMuch =
    !staysInRange(
      state,
      leaving.map(({ to, quantity }) => ({ balance: to, delta: quantity })),
    ) || leaving.some(({ from, to }) => !isMoney(state.costOf(from).value + state.costOf(to).value));
  if (isTooMuch) return refuse(outOfRange());

  // After this point it must succeed.
  const reference = { orgId, refType: 'transfer', refId: transferId };
  const out = newMovement({ ...reference, movementType: 'transfer_out' }, command.meta, state.now);
  const posted = postMovement(state, out, outgoing, command.meta);
  const lines = new Map<string, TransferLine & { readonly to: Balance }>();
  leaving.forEach(({ to, quant: { lot }, quantity }, index) => {
    const key = `${to.itemId}/${lot}`;
    const line = lines.get(key) ?? { to, itemId: to.itemId, lot, quantity: ZERO, received: ZERO, missing: ZERO, cost: [] };
    line.quantity += quantity;
    line.cost = [...line.cost, ...posted[index]!.parts];
    lines.set(key, line);
  });
  const isImmediate = mode === 'immediate';
  if (isImmediate) {
    const into = newMovement({ ...reference, movementType: 'transfer_in' }, command.meta, state.now);
    const incoming = [...lines.values()].map(({ to, lot, quantity, cost }) => ({
      ...changeOf(to, { ...PLAIN, lot }, quantity),
      parts: cost,
    }));
    postMovement(state, into, incoming, command.meta);
  } else {
    for (const { to, lot, quantity } of lines.values()) {
      state.changeInTransit(to, quantity);
      if (to.tracking === 'serial') state.sendPiece(orgId, to.itemId, lot, transferId);
    }
  }
  const transfer: Transfer = {
    orgId,
    transferId,
    fromWarehouseId,
    toWarehouseId,
    mode,
    status: isImmediate ? 'completed' : 'in_transit',
    fingerprint: print,
    lines: [...lines.values()].map(({ to: _, ...line }) => (isImmediate ? { ...line, received: line.quantity, cost: [] } : line)),
    arrivals: [],
    dispatchedAt: state.now,
    dispatchedBy: command.meta.actor ?? null,
    completedAt: isImmediate ? state.now : null,
  };
  state.transfers.set(subjectKey(orgId, transferId), transfer);
  state.newTransfers.add(transfer);
  return answered(transferView(transfer));
}

function refusalOfLines(state: StockState, { orgId, fromWarehouseId, toWarehouseId, lines }: TransferStock): HoldfastError | null {
  for (const { itemId, quantity, lot } of lines) {
    if (state.unknownItems.has(`${orgId}/${itemId}`)) {
      return notFound('ITEM_NOT_FOUND', `item ${itemId} does not exist; create it first`);
    }
    for (const warehouseId of [fromWarehouseId, toWarehouseId]) {
      if (state.balance(orgId, warehouseId, itemId) !== undefined) continue;
      return notFound('WAREHOUSE_NOT_FOUND', `warehouse ${warehouseId} does not exist; create it first`);
    }
    const { tracking } = state.balance(orgId, fromWarehouseId, itemId)!;
    if (tracking === 'none' && lot !== undefined) {
      return rejected('STOCK_VALIDATION', `item ${itemId} is not tracked by lot; leave the lot out`);
    }
    if (lot !== undefined && !state.lots.has(lotNameKey(orgId, itemId, lot))) {
      return notFound('LOT_NOT_FOUND', `there is no lot ${lot} of item ${itemId}`);
    }
    if (tracking === 'serial' && parseQuantity(quantity) % parseQuantity('1') !== ZERO) {
      return rejected('STOCK_VALIDATION', `item ${itemId} is tracked by serial number, so only whole pieces can be moved`);
    }
  }
  return null;
}

/** What each line takes from where, all lines together; lines that name a lot choose first. Changes nothing. */
function planLeaving(state: StockState, { orgId, fromWarehouseId, toWarehouseId, lines }: TransferStock): Leaving[] | HoldfastError {
  const leaving: Leaving[] = [];
  const detailed = new Map<Balance, FreeStock>();
  const plain = new Map<Balance, Quantity>();
  const numbered = lines.map((line, index) => ({ ...line, lineNo: index + 1 }));
  const short: { lineNo: number; itemId: string; warehouseId: string; requested: string; available: string }[] = [];
  for (const line of numbered.sort((a, b) => Number(a.lot === undefined) - Number(b.lot === undefined))) {
    const from = state.balance(orgId, fromWarehouseId, line.itemId)!;
    const to = state.balance(orgId, toWarehouseId, line.itemId)!;
    const quantity = parseQuantity(line.quantity);
    let available: Quantity;
    let parts: readonly PlacedPart[] = [{ quant: PLAIN, quantity }];
    if (isDetailed(from)) {
      const stock = detailed.get(from) ?? new FreeStock(state, from);
      detailed.set(from, stock);
      const wish = { lot: line.lot ?? null, minRemainingShelfLifeDays: 0 };
      available = stock.fit(wish);
      if (available < quantity && line.lot === undefined) requireAllFree(from);
      if (available >= quantity) parts = stock.place(quantity, wish);
      if (available >= quantity) for (const part of parts) stock.take(part.quant, part.quantity);
    } else {
      available = plain.get(from) ?? free(from);
      plain.set(from, available - quantity);
    }
    if (available >= quantity) leaving.push(...parts.map((part) => ({ ...part, from, to })));
    else {
      const requested = formatQuantity(quantity);
      short.push({
        lineNo: line.lineNo,
        itemId: line.itemId,
        warehouseId: fromWarehouseId,
        requested,
        available: formatQuantity(available),
      });
    }
  }
  if (short.length === 0) return leaving;
  const said = short.map(({ itemId, requested, available }) => `${requested} of ${itemId}, of which ${available} are free`).join('; ');
  return conflict('INSUFFICIENT_STOCK', `cannot take from ${fromWarehouseId}: ${said}. What orders hold stays where it is.`, {
    lines: short.sort((a, b) => a.lineNo - b.lineNo),
    discrepancyIds: [],
    alternatives: [],
  });
}

/** What comes into a warehouse is put beside what is there of its lot, with the dates of the lot. @throws NeedsMore when they were not read. */
function requireLotsOf(state: StockState, leaving: readonly Leaving[]): void {
  const lots: string[] = [];
  for (const { from, to, quant } of leaving) {
    if (quant.lot === NO_LOT) continue;
    const isRead = state.lots.has(lotNameKey(to.orgId, to.itemId, quant.lot)) && to.quants.hasLot(quant.lot);
    if (!isRead) lots.push(lotKey(from, quant.lot), lotKey(to, quant.lot));
  }
  if (lots.length > 0) throw new NeedsMore({ balances: leaving.flatMap(({ from, to }) => [keyOf(from), keyOf(to)]), lots });
}

const keyOf = ({ orgId, warehouseId, itemId }: Balance) => balanceKey(orgId, warehouseId, itemId);

export function outOfRange(): HoldfastError {
  return rejected('STOCK_VALIDATION', 'with it 10^12 or more of an item would be on hand, or it would be worth 10^18 or more');
}

export function refuse(error: HoldfastError): Outcome<never> {
  return { kind: 'error', error: error.toWire() };
}
