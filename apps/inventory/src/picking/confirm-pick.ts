import { type PickAnswer, PickShortage, ReservationShorted, StockPicked, StockPickFailed } from '#libs/contracts';
import { formatQuantity, minQuantity, type Quantity, ZERO } from '#libs/domain';
import { openDiscrepancy } from '../discrepancies/open-discrepancy.js';
import { tellHolds, requireOwnBalances } from '../reservations/set-demand.js';
import { answered, type ConfirmPick, type Outcome } from '../stock-machine/commands.js';
import {
  backorderedLines,
  displace,
  enqueue,
  heldLines,
  type HeldPart,
  hold,
  linesOfParts,
  lotOrNull,
  placeOf,
  release,
} from '../stock-machine/holds.js';
import { isOutdated, mayComeTooEarly, noteMessage } from '../stock-machine/message-order.js';
import { FreeStock, isDetailed, quantAt, requireLot } from '../stock-machine/balance-quants.js';
import { quantKey } from '../stock-machine/quants.js';
import { isAwaitedByEvent, noteRefusal, refusedBefore } from '../stock-machine/refusals.js';
import type { Balance } from '../stock-machine/balance.js';
import type { Demand, DemandLine, MissingPart, Refusal } from '../stock-machine/demand.js';
import type { StockState } from '../stock-machine/stock-state.js';
import { stockLines } from '../stock-machine/demand.js';
import { requireEach } from '../stock-machine/needs-more.js';
import { type LinePick, planPicks } from './plan-picks.js';

/**
 * Moves the holds of an order to where its goods were really picked. What was not found is released at its place, held elsewhere in the same
 * warehouse if there is something free, else it waits; `PickShortage` says what was missing where (docs/rules.md, "picking").
 */
export function confirmPick(state: StockState, command: ConfirmPick): Outcome<PickAnswer> {
  const demand = state.demand(command.orgId, command.orderId);
  const refusal = refusedBefore(demand, command.meta);
  if (refusal !== undefined) {
    return isAwaitedByEvent(command.meta) ? refused(state, demand, command, refusal) : answered(refusedPick(demand, refusal));
  }
  if (isOutdated(demand, command.meta)) {
    return isAwaitedByEvent(command.meta) ? announce(state, demand, command) : answered(answerOf(demand, command));
  }
  const picks = demand.state === 'open' && demand.firm ? planPicks(state, demand, command) : notHeld(demand);
  if ('reason' in picks) {
    if (mayComeTooEarly(demand, command.meta)) return { kind: 'too-early', waitingFor: `what was said of order ${command.orderId} before` };
    noteRefusal(demand, command.meta, picks);
    return refused(state, demand, command, picks);
  }
  requireOwnBalances(state, demand);
  // What is missing is looked for in the lot that the line asks for, though it may have been held in another.
  const sought = picks.flatMap(({ line: { lot }, missing }) => (lot === null ? [] : missing.map(({ balance }) => ({ balance, lot }))));
  requireEach(sought, ({ balance, lot }) => {
    if (isDetailed(balance)) requireLot(balance, lot);
  });

  // After this point it must succeed.
  noteMessage(demand, command.meta);
  moveHolds(state, demand, picks, command);
  const waiting = picks.flatMap((pick) => settleMissing(state, demand, pick, picks));
  for (const { missing } of picks) for (const part of missing) openShortage(state, demand, part, command);
  for (const pick of picks) notePicked(pick);
  state.touchDemand(demand);
  if (waiting.length > 0) {
    const data = { orderId: demand.orderId, cause: 'pick_shortage', lines: linesOfParts(waiting) };
    state.emitAboutOrder(ReservationShorted, demand, command.meta, data);
  }
  for (const { missing, ...line } of picks.flatMap(shortagesOf)) {
    state.emit(PickShortage, command.orgId, command.orderId, command.meta, { orderId: command.orderId, ...line, missing });
  }
  return announce(state, demand, command);
}

function notHeld(demand: Demand): Refusal {
  return { reason: demand.state === 'closed' ? 'ORDER_CANCELLED' : 'INVALID_STATE', lines: [] };
}

/** Everything leaves its old place before anything comes to its new one: lines may exchange theirs. */
function moveHolds(state: StockState, demand: Demand, picks: readonly LinePick[], { meta }: ConfirmPick): void {
  const moves = picks.flatMap(({ line, moves: ofLine }) => ofLine.map((move) => ({ line, ...move })));
  for (const { reservation, quantity } of moves) {
    release(state, demand, reservation, quantity, { status: 'released', reason: 'picked elsewhere' });
  }
  for (const { line, balance, quant, quantity } of moves) hold(state, demand, line, balance, quantity, [{ quant, quantity }]);
  const displaced = new Set<Demand>();
  for (const { balance, quant } of moves) {
    for (const other of displace(state, balance, quant, 'picked for another order', meta, { except: demand })) displaced.add(other);
  }
  for (const other of displaced) tellHolds(state, other, meta);
}

/**
 * What was missing is held at another place of the same warehouse, not where anything was missing, else it waits.
 *
 * @returns what waits now.
 */
function settleMissing(state: StockState, demand: Demand, { line, missing }: LinePick, picks: readonly LinePick[]): HeldPart[] {
  const waiting: HeldPart[] = [];
  for (const { reservation, balance, quantity } of missing) {
    const empty = new Set(picks.flatMap((pick) => pick.missing.filter((part) => part.balance === balance).map(placeKeyOf)));
    release(state, demand, reservation, quantity, { status: 'released', reason: 'not found when picked' });
    const rest = holdElsewhere(state, demand, line, balance, quantity, empty);
    if (rest > ZERO) {
      enqueue(state, demand, line, balance, rest);
      waiting.push({ ...reservation, quantity: rest });
    }
    // The books have it there still; it is not given to the next in turn as long as nobody has looked.
    state.freed.delete(balance);
  }
  return waiting;
}

const placeKeyOf = ({ reservation }: LinePick['missing'][number]) => quantKey(placeOf(reservation));

/** @returns what fits nowhere. */
function holdElsewhere(
  state: StockState,
  demand: Demand,
  line: DemandLine,
  balance: Balance,
  quantity: Quantity,
  empty: ReadonlySet<string>,
): Quantity {
  let rest = quantity;
  // Where everything lies in one place, there is no other.
  if (!isDetailed(balance)) return rest;
  for (const { quant, free } of new FreeStock(state, balance).serving(line)) {
    if (rest === ZERO || empty.has(quantKey(quant))) continue;
    const part = minQuantity(rest, free);
    hold(state, demand, line, balance, part, [{ quant, quantity: part }]);
    rest -= part;
  }
  return rest;
}

/** Makes what was not found a discrepancy of the place: as long as it is open it is not given out again, if it is severe. */
function openShortage(state: StockState, { orgId, orderId }: Demand, part: LinePick['missing'][number], { meta }: ConfirmPick): void {
  const { balance, reservation, quantity } = part;
  const { itemId, lot, location } = reservation;
  const ledgerQuantity = quantAt(state, balance, placeOf(reservation)).quantity;
  const seen = { ledgerQuantity, snapshotQuantity: ledgerQuantity - quantity, source: 'pick_shortage' as const, orderId };
  const place = { orgId, itemId, lot: lotOrNull(lot), location };
  openDiscrepancy(
    state,
    balance,
    { ...place, ...seen, refType: 'order', refId: orderId, note: 'Not found when it was to be picked.' },
    meta,
  );
}

function notePicked({ line, total, missing }: LinePick): void {
  line.picked = { quantity: total, of: line.fulfilled + line.reserved, missing: missing.map(missingPart) };
}

const missingPart = ({ reservation: { warehouseId, lot, location }, quantity }: LinePick['missing'][number]): MissingPart => {
  return { warehouseId, lot, location, quantity };
};

const shortagesOf = ({ line, missing }: LinePick) => missing.map((part) => shortage(line, missingPart(part)));

function shortage({ lineNo, itemId }: DemandLine, { warehouseId, lot, location, quantity }: MissingPart) {
  return { lineNo, itemId, warehouseId, lot: lotOrNull(lot), location, missing: formatQuantity(quantity) };
}

/** What the order holds now, and what was said last of the lines that the command names. */
function answerOf(demand: Demand, { lines }: ConfirmPick): PickAnswer {
  const named = demand.lines.filter((line) => lines === undefined || lines.some((said) => said.lineNo === line.lineNo));
  return {
    status: 'done',
    sequence: demand.sequence,
    picked: named.map((line) => ({ lineNo: line.lineNo, quantity: formatQuantity(line.picked?.quantity ?? line.fulfilled) })),
    lines: heldLines(demand),
    backordered: backorderedLines(demand),
    shortages: named.flatMap((line) => (line.picked?.missing ?? []).map((part) => shortage(line, part))),
    stock: stockLines(demand),
  };
}

function announce(state: StockState, demand: Demand, command: ConfirmPick): Outcome<PickAnswer> {
  const { status: _, sequence: __, stock, ...told } = answerOf(demand, command);
  state.emitAboutOrder(StockPicked, demand, command.meta, { orderId: demand.orderId, ...told }, stock);
  return answered(answerOf(demand, command));
}

function refused(state: StockState, demand: Demand, command: ConfirmPick, refusal: Refusal): Outcome<PickAnswer> {
  const { reason, lines, detail } = refusal;
  const data = { orderId: demand.orderId, reason, lines: [...lines], ...(detail === undefined ? {} : { detail }) };
  state.emitAboutOrder(StockPickFailed, demand, command.meta, data);
  return answered(refusedPick(demand, refusal));
}

function refusedPick(demand: Demand, { reason, lines, detail }: Refusal): PickAnswer {
  const nothing = { picked: [], lines: heldLines(demand), backordered: backorderedLines(demand), shortages: [] };
  const said = { reason, shortLines: lines, ...(detail === undefined ? {} : { detail }) };
  return { status: 'refused', sequence: demand.sequence, ...nothing, stock: stockLines(demand), ...said };
}
