import type { Transfer as TransferView } from '#libs/contracts';
import {
  conflict,
  formatQuantity,
  HoldfastError,
  isMoney,
  minQuantity,
  notFound,
  parseQuantity,
  type Quantity,
  rejected,
  sumQuantities,
  ZERO,
} from '#libs/domain';
import { free } from '../availability/available-to-promise.js';
import { fingerprint } from '../fingerprint.js';
import { answered, type Outcome, type TransferStock } from '../stock-machine/commands.js';
import { carryOutFact, planFact } from '../stock-machine/facts.js';
import { planShorting } from '../stock-machine/holds.js';
import { changeOf, newMovement, outOfRange, postMovement, requireCosts, staysInRange } from '../stock-machine/post-movement.js';
import { FreeStock, inPieces, isDetailed, lotKey, requireAllFree } from '../stock-machine/balance-quants.js';
import { NO_LOT, PLAIN, type PlacedPart, type QuantKey, quantKey } from '../stock-machine/quants.js';
import type { Shortfall } from '../stock-machine/movement.js';
import { flagged, isLetPass, noteShortfalls, takeWhoeverHolds } from '../stock-machine/shortfalls.js';
import { type Balance, balanceKey, lotNameKey, subjectKey } from '../stock-machine/balance.js';
import { NeedsMore, requireEach } from '../stock-machine/needs-more.js';
import type { StockState } from '../stock-machine/stock-state.js';
import { balanceOrError, refuse } from '../stock-machine/warehouse-work.js';
import { transferView } from './transfer-view.js';
import type { Transfer, TransferLine } from './transfer.js';

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
  const { leaving, short } = planLeaving(state, command);
  const about = { refType: 'transfer', refId: transferId, orderId: null };
  if (leaving === null) {
    const noted = noteShortfalls(state, short, about, command, true);
    return refuse(insufficient(command, short, [...noted.values()]));
  }
  const outgoing = leaving.map(({ from, quant, quantity }) => changeOf(from, quant, -quantity));
  const taken = leaving.map(({ from, quant, quantity }) => ({ balance: from, place: quant, delta: -quantity }));
  // All of it together: what is asked for one by one takes a batch each.
  requireEach(
    [() => requireLotsOf(state, leaving), () => requireCosts(state, outgoing), () => planFact(state, taken)],
    (require: () => unknown) => require(),
  );
  const fact = planFact(state, taken);
  const isTooMuch =
    !staysInRange(
      state,
      leaving.map(({ to, quantity }) => ({ balance: to, delta: quantity })),
    ) || leaving.some(({ from, to }) => !isMoney(state.costOf(from).value + state.costOf(to).value));
  if (isTooMuch) return refuse(outOfRange());

  // After this point it must succeed.
  const reference = { orgId, refType: 'transfer', refId: transferId };
  const out = newMovement({ ...reference, movementType: 'transfer_out' }, command.meta, state.now);
  const noted = noteShortfalls(state, short, about, command, false);
  const posted = carryOutFact(state, fact, 'transferred', command.meta, () =>
    postMovement(state, out, flagged(outgoing, noted), command.meta),
  );
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
    const from = balanceOrError(state, { orgId, warehouseId: fromWarehouseId, itemId });
    if (from instanceof HoldfastError) return from;
    const to = balanceOrError(state, { orgId, warehouseId: toWarehouseId, itemId });
    if (to instanceof HoldfastError) return to;
    const { tracking } = from;
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

interface Short extends Shortfall {
  readonly lineNo: number;
  readonly requested: Quantity;
}

/**
 * What each line takes from where, all lines together; lines that name a lot choose first. Changes nothing.
 *
 * @returns null instead of what leaves when it is short, and may not be.
 * @throws NeedsMore when holds or places were not read.
 */
function planLeaving(
  state: StockState,
  { orgId, fromWarehouseId, toWarehouseId, lines }: TransferStock,
): { leaving: Leaving[] | null; short: Short[] } {
  const leaving: Leaving[] = [];
  const short: Short[] = [];
  const detailed = new Map<Balance, FreeStock>();
  const left = new Map<Balance, Quantity>();
  const toOf = (itemId: string) => state.balance(orgId, toWarehouseId, itemId)!;
  const numbered = lines.map((line, index) => ({ ...line, lineNo: index + 1 }));
  for (const line of numbered.sort((a, b) => Number(a.lot === undefined) - Number(b.lot === undefined))) {
    const from = state.balance(orgId, fromWarehouseId, line.itemId)!;
    const requested = parseQuantity(line.quantity);
    const most = left.get(from) ?? free(from);
    let quantity = minQuantity(requested, most);
    let parts: readonly PlacedPart[] = [{ quant: PLAIN, quantity }];
    if (isDetailed(from)) {
      const stock = detailed.get(from) ?? new FreeStock(state, from);
      detailed.set(from, stock);
      const wish = { lot: line.lot ?? null, minRemainingShelfLifeDays: 0 };
      if (stock.fit(wish) < quantity && line.lot === undefined) requireAllFree(from);
      quantity = inPieces(from, minQuantity(quantity, stock.fit(wish)));
      parts = stock.place(quantity, wish);
      for (const part of parts) stock.take(part.quant, part.quantity);
    }
    left.set(from, most - quantity);
    for (const part of parts) if (part.quantity > ZERO) leaving.push({ ...part, from, to: toOf(line.itemId) });
    if (quantity < requested)
      short.push({ balance: from, quantity: requested - quantity, lineNo: line.lineNo, lot: line.lot ?? null, location: null, requested });
  }
  if (short.length === 0) return { leaving, short };
  const more = isLetPass(state, short) ? leaveAnyway(state, short, leaving) : null;
  if (more === null) return { leaving: null, short };
  return { leaving: [...leaving, ...more.map((part) => ({ ...part, to: toOf(part.from.itemId) }))], short };
}

/** Takes what is missing from what orders hold, then below zero; null when neither can be. */
function leaveAnyway(state: StockState, short: readonly Short[], leaving: readonly Leaving[]): Omit<Leaving, 'to'>[] | null {
  const more: Omit<Leaving, 'to'>[] = [];
  const leavesOf = (from: Balance, quant: QuantKey) =>
    sumQuantities([...leaving, ...more], (part) => (part.from === from && quantKey(part.quant) === quantKey(quant) ? part.quantity : ZERO));
  // Whoever holds there must be known, before it is told where it lies.
  requireEach(new Set(short.map(({ balance }) => balance)), (balance) => {
    const wanted = sumQuantities(short, (one) => (one.balance === balance ? one.quantity : ZERO));
    const leaves = sumQuantities(leaving, (part) => (part.from === balance ? part.quantity : ZERO));
    planShorting(state, balance, balance.onHand - balance.blocked - wanted - leaves);
  });
  for (const { balance, lot, location, quantity } of short) {
    const parts = takeWhoeverHolds(state, balance, { lot, location }, quantity, (quant) => leavesOf(balance, quant));
    if (parts === null) return null;
    more.push(...parts.map((part) => ({ ...part, from: balance })));
  }
  return more;
}

function insufficient({ fromWarehouseId }: TransferStock, short: readonly Short[], discrepancyIds: readonly string[]): HoldfastError {
  const lines = short.map(({ lineNo, balance, requested, quantity }) => ({
    lineNo,
    itemId: balance.itemId,
    warehouseId: fromWarehouseId,
    requested: formatQuantity(requested),
    available: formatQuantity(requested - quantity),
  }));
  const said = lines.map(({ itemId, requested, available }) => `${requested} of ${itemId}, of which ${available} are free`).join('; ');
  return conflict('INSUFFICIENT_STOCK', `cannot take from ${fromWarehouseId}: ${said}. What orders hold stays where it is.`, {
    lines: lines.sort((a, b) => a.lineNo - b.lineNo),
    discrepancyIds,
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
