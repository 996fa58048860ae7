import {
  StockPartiallyReserved,
  StockReleased,
  StockReservationFailed,
  StockReserved,
  type ResponseOf,
  type StockDemand,
} from '#libs/contracts';
import { formatQuantity, maxQuantity, minQuantity, parseQuantity, SCALE, ZERO } from '#libs/domain';
import { isInDoubt } from '../availability/available-to-promise.js';
import { answered, type CommandMeta, type Outcome, type SetDemand } from '../stock-machine/commands.js';
import { backorderedLines, dequeue, enqueue, heldLines, hold, linesOfHolds, release, reorder } from '../stock-machine/holds.js';
import { isDetailed, splitsPieces } from '../stock-machine/balance-quants.js';
import { isAwaitedByEvent } from '../stock-machine/refusals.js';
import { type Balance, balanceKey, lotNameKey } from '../stock-machine/balance.js';
import { type Demand, type DemandLine, emptyLine, heldQuantity, openQuantity, type Refusal, stockLines } from '../stock-machine/demand.js';
import type { StockState } from '../stock-machine/stock-state.js';
import { noteMessage } from '../stock-machine/message-order.js';
import type { WantedLine } from './offer.js';
import { type LinePlan, type Plan, planLines } from './plan-demand.js';
import { isPending, noteAttempts, OWN_ORDERS, wouldBlock } from './shortage.js';

export type DemandAnswer = ResponseOf<typeof StockDemand>;

/**
 * Sets what an order wants: holds it, firmly or softly, in whole or in part, and gives back what it no longer wants. Absolute, so that a
 * repeat changes nothing; ordered by the sequence of the order's source, so that a late message changes nothing either
 * (docs/rules.md, "set demand").
 */
export function setDemand(state: StockState, command: SetDemand): Outcome<DemandAnswer> {
  const demand = state.demand(command.orgId, command.orderId);
  const owned = demand.source === null || demand.source === command.source;
  if (!owned) return failed(state, demand, command, { reason: 'ORDER_OWNED_ELSEWHERE', lines: [] });
  if (isStale(demand, command)) return staleAnswer(state, demand, command);
  if (isRepeat(demand, command)) return repeatAnswer(state, demand, command);
  if (command.lines.length === 0) return cancel(state, demand, command);
  if (demand.state === 'closed') return refuseAfterEnd(state, demand, command);

  const wanted = wantedLines(demand, command);
  const unknown = unknownSubject(state, demand, command);
  if (unknown !== null) return refuseNewTotals(state, demand, command, wanted, unknown);
  const mode = command.mode ?? (isKnown(demand) ? demand.mode : state.settingsOf(command.orgId).reservationMode);
  requireOwnBalances(state, demand);
  const plan = planLines(state, demand, command, wanted, mode);
  if ('reason' in plan) return refuseNewTotals(state, demand, command, wanted, plan);

  // After this point it must succeed.
  noteShortages(state, demand, command, plan);
  accept(state, demand, command, mode);
  carryOut(state, demand, plan);
  return announce(state, demand, command);
}

/** A message older than the last one that set this demand. Without a number a cancellation is final, whenever it was said. */
function isStale(demand: Demand, { lines, meta }: SetDemand): boolean {
  if (meta.sequence !== undefined) return demand.incomingSequence !== null && meta.sequence < demand.incomingSequence;
  return lines.length > 0 && meta.time !== undefined && demand.incomingTime !== null && meta.time < demand.incomingTime;
}

/** What holds now. That a later message was refused is no news about this one, unless nothing was ever accepted. */
function staleAnswer(state: StockState, demand: Demand, command: SetDemand): Outcome<DemandAnswer> {
  noteMessage(demand, command.meta);
  state.touchDemand(demand);
  return answered(answerOf(demand.state === 'refused' ? demand : { ...demand, refusal: null }));
}

function isRepeat(demand: Demand, { meta }: SetDemand): boolean {
  return meta.sequence !== undefined && meta.sequence === demand.incomingSequence;
}

/** The same sequence again changes nothing and answers what holds now. */
function repeatAnswer(state: StockState, demand: Demand, command: SetDemand): Outcome<DemandAnswer> {
  if (!isAwaitedByEvent(command.meta)) return answered(answerOf(demand));
  if (demand.refusal !== null) return failed(state, demand, command, demand.refusal);
  if (demand.state === 'open') return announce(state, demand, command);
  state.emitAboutOrder(StockReleased, demand, command.meta, { orderId: demand.orderId, lines: [] });
  return answered(answerOf(demand));
}

/** Whether the order itself was accepted before; a shipment of it alone does not make it known. */
function isKnown(demand: Demand): boolean {
  return demand.state === 'open' || demand.state === 'expired';
}

/** Cancels: gives everything back, closes the rest, and leaves a row even for an unknown order, so that a late confirmation holds nothing. */
function cancel(state: StockState, demand: Demand, command: SetDemand): Outcome<DemandAnswer> {
  if (demand.state === 'closed') {
    if (command.meta.event !== undefined) state.emitAboutOrder(StockReleased, demand, command.meta, { orderId: demand.orderId, lines: [] });
    return answered(answerOf(demand));
  }
  const lines = linesOfHolds(demand);
  requireOwnBalances(state, demand);
  noteSetter(demand, command);
  demand.refusal = null;
  releaseEverything(state, demand, { status: 'released', reason: command.reason ?? 'cancelled' });
  for (const line of demand.lines) {
    line.closed = line.requested - line.fulfilled;
    line.unheld = ZERO;
  }
  demand.state = 'closed';
  demand.expiresAt = null;
  state.emitAboutOrder(StockReleased, demand, command.meta, { orderId: demand.orderId, lines });
  return answered(answerOf(demand));
}

/** Makes sure that every balance on which the order holds or waits is at hand, before the first change. */
export function requireOwnBalances(state: StockState, demand: Demand): void {
  for (const at of [...demand.reservations, ...demand.backorders]) state.existingBalance(demand.orgId, at.warehouseId, at.itemId);
}

/** Gives back all that an order holds and ends its waiting. Used when it is cancelled and when its hold expires. */
export function releaseEverything(state: StockState, demand: Demand, why: { status: 'released' | 'expired'; reason: string }): void {
  for (const reservation of demand.reservations) release(state, demand, reservation, heldQuantity(reservation), why);
  for (const backorder of [...demand.backorders]) dequeue(state, demand, backorder, backorder.quantity);
}

/** The new whole set: the lines of the command, and of those it drops the part that was shipped. */
function wantedLines(demand: Demand, command: SetDemand): WantedLine[] {
  const wanted = new Map<number, WantedLine>();
  for (const line of command.lines) {
    const known = demand.lines.find((candidate) => candidate.lineNo === line.lineNo);
    const asked = parseQuantity(line.quantity);
    const requested = maxQuantity(asked, known?.fulfilled ?? ZERO);
    wanted.set(line.lineNo, {
      lineNo: line.lineNo,
      itemId: line.itemId,
      warehouseId: line.warehouseId ?? command.warehouseId ?? null,
      lot: line.lot ?? null,
      minRemainingShelfLifeDays: line.minRemainingShelfLifeDays ?? command.minRemainingShelfLifeDays ?? null,
      requested,
      unasked: requested - asked,
    });
  }
  for (const line of demand.lines) {
    if (wanted.has(line.lineNo) || !hasMoved(line)) continue;
    const { lineNo, itemId, warehouseId, lot, minRemainingShelfLifeDays, fulfilled } = line;
    wanted.set(lineNo, { lineNo, itemId, warehouseId, lot, minRemainingShelfLifeDays, requested: fulfilled, unasked: fulfilled });
  }
  return [...wanted.values()].sort((a, b) => a.lineNo - b.lineNo);
}

/**
 * A lot, item or warehouse that does not exist; a line that is said twice, or of which another item was shipped; a part of a piece. Only of what the
 * command names: the lines that it drops were accepted before.
 */
function unknownSubject(state: StockState, demand: Demand, command: SetDemand): Refusal | null {
  const said = new Set<number>();
  for (const line of command.lines) {
    const { lineNo, itemId } = line;
    const warehouseId = line.warehouseId ?? command.warehouseId ?? null;
    const known = demand.lines.find((candidate) => candidate.lineNo === lineNo);
    const isOtherItem = known !== undefined && known.itemId !== itemId && hasMoved(known);
    if (said.has(lineNo) || isOtherItem) return refusedLineOf(command, line, 'INVALID_STATE');
    said.add(lineNo);
    if (state.unknownItems.size > 0 && state.unknownItems.has(`${command.orgId}/${itemId}`))
      return refusedLineOf(command, line, 'ITEM_NOT_FOUND');
    const isNowhere =
      warehouseId === null
        ? state.warehousesOf(command.orgId).length === 0
        : state.balance(command.orgId, warehouseId, itemId) === undefined;
    if (isNowhere) return refusedLineOf(command, line, 'WAREHOUSE_NOT_FOUND');
    const quantity = parseQuantity(line.quantity);
    const isWhole = quantity % SCALE === ZERO;
    if (!isWhole && splitsPieces(balanceOf(state, command, warehouseId, itemId), quantity))
      return refusedLineOf(command, line, 'INVALID_STATE');
    if (line.lot !== undefined && !state.lots.has(lotNameKey(command.orgId, itemId, line.lot)))
      return refusedLineOf(command, line, 'LOT_NOT_FOUND');
  }
  return null;
}

function refusedLineOf(command: SetDemand, line: SetDemand['lines'][number], reason: Refusal['reason']): Refusal {
  const { lineNo, itemId, quantity } = line;
  const warehouseId = line.warehouseId ?? command.warehouseId ?? null;
  return { reason, lines: [{ lineNo, itemId, warehouseId, requested: formatQuantity(parseQuantity(quantity)), available: '0' }] };
}

/** The balance in the warehouse that a line names, else in the first that knows its item. */
function balanceOf(state: StockState, { orgId }: SetDemand, warehouseId: string | null, itemId: string): Balance | undefined {
  const places = warehouseId === null ? state.warehousesOf(orgId).map((warehouse) => warehouse.warehouseId) : [warehouseId];
  return places.map((place) => state.balances.get(balanceKey(orgId, place, itemId))).find((balance) => balance !== undefined);
}

/** Records that an order gets by, though it is short. One that was just refused until somebody approves it is on record already. */
function noteShortages(state: StockState, demand: Demand, command: SetDemand, { shortages, cause }: Plan): void {
  if (shortages.length === 0) return;
  if (!isPending(command)) {
    if (wouldBlock(state, command)) noteAttempts(state, command, shortages, 'would_block', cause);
  } else if (demand.refusal?.override === undefined) noteAttempts(state, command, shortages, 'pending_approval', cause);
}

function noteSetter(demand: Demand, command: SetDemand): void {
  demand.source ??= command.source;
  noteMessage(demand, command.meta);
  if (command.meta.sequence !== undefined) demand.incomingSequence = command.meta.sequence;
  if (command.meta.time !== undefined) demand.incomingTime = command.meta.time;
}

function accept(state: StockState, demand: Demand, command: SetDemand, mode: 'all_or_nothing' | 'partial'): void {
  const isFirst = demand.state !== 'open';
  noteSetter(demand, command);
  demand.refusal = null;
  demand.mode = mode;
  // A firm hold never becomes soft again: nothing un-confirms an order.
  demand.firm = (demand.state === 'open' && demand.firm) || (command.firm ?? (isKnown(demand) ? demand.firm : true));
  const ttlSeconds = command.ttlSeconds ?? state.settingsOf(command.orgId).softReservationTtlSeconds;
  if (demand.firm || isPending(command)) demand.expiresAt = null;
  else demand.expiresAt = new Date(state.now.getTime() + ttlSeconds * 1000);
  if (command.source === OWN_ORDERS) demand.approvalRequestId = command.approvalRequestId ?? demand.approvalRequestId;
  if (isFirst) demand.acceptedAt = state.now;
  const priority = command.priority ?? demand.priority;
  if (priority !== demand.priority) {
    demand.priority = priority;
    for (const backorder of demand.backorders) reorder(state, backorder, priority);
  }
  demand.state = 'open';
  state.touchDemand(demand);
}

/** Gives back first, then holds, so that what one line gives back another of the same item can take. */
function carryOut(state: StockState, demand: Demand, plan: Plan): void {
  if (demand.reservations.length > 0 || demand.backorders.length > 0) giveBack(state, demand, plan);
  demand.lines = plan.lines.map((line) => matchedLine(demand, line));
  for (const [index, { take, wait }] of plan.lines.entries()) {
    const line = demand.lines[index]!;
    for (const { balance, quantity, parts } of take) {
      hold(state, demand, line, balance, quantity, parts);
      if (isInDoubt(balance) && balance.lockPolicy === 'monitor') state.heldInDoubt.push({ orderId: demand.orderId, balance, quantity });
    }
    if (wait === null) continue;
    enqueue(state, demand, line, wait.balance, wait.quantity - line.backordered);
    // Those before it in the queue may wait for another lot than what is there.
    if (isDetailed(wait.balance)) state.freed.add(wait.balance);
  }
}

/** Gives back what the plan no longer wants of an order's holds and waiting. */
function giveBack(state: StockState, demand: Demand, { lines, kept }: Plan): void {
  const why = { status: 'released', reason: 'amended' } as const;
  for (const reservation of demand.reservations) {
    release(state, demand, reservation, heldQuantity(reservation) - (kept.get(reservation) ?? ZERO), why);
  }
  const waits = new Map(lines.map(({ wanted, wait }) => [wanted.lineNo, wait]));
  for (const backorder of [...demand.backorders]) {
    const wait = waits.get(backorder.lineNo);
    const stays =
      wait?.balance.warehouseId === backorder.warehouseId && wait.balance.itemId === backorder.itemId
        ? minQuantity(wait.quantity, backorder.quantity)
        : ZERO;
    dequeue(state, demand, backorder, backorder.quantity - stays);
  }
}

function matchedLine(demand: Demand, { wanted, closed, unheld }: LinePlan): DemandLine {
  const known = demand.lines.find((line) => line.lineNo === wanted.lineNo && line.itemId === wanted.itemId);
  const line = known ?? emptyLine(wanted.lineNo, wanted.itemId, wanted.warehouseId);
  line.warehouseId = wanted.warehouseId;
  line.lot = wanted.lot;
  line.minRemainingShelfLifeDays = wanted.minRemainingShelfLifeDays;
  line.requested = wanted.requested;
  line.unasked = wanted.unasked;
  line.closed = closed;
  line.unheld = unheld;
  return line;
}

/** Says what the order holds now, by event and in the answer. */
function announce(state: StockState, demand: Demand, command: SetDemand): Outcome<DemandAnswer> {
  const answer = tellHolds(state, demand, command.meta);
  return answered({ ...answer, sequence: demand.sequence });
}

/** Says what an order holds and what it waits for; also when its holds were moved to other lots without its doing. */
export function tellHolds(state: StockState, demand: Demand, meta: CommandMeta): DemandAnswer {
  const answer = answerOf(demand);
  const { orderId, firm, expiresAt, lines, backordered } = answer;
  const held = { orderId, firm, expiresAt, lines };
  if (answer.status === 'partial') state.emitAboutOrder(StockPartiallyReserved, demand, meta, { ...held, backordered }, answer.stock);
  else state.emitAboutOrder(StockReserved, demand, meta, held, answer.stock);
  return answer;
}

/** Refuses totals that cannot be held. A known order keeps what it holds; of a new one only the refused wish stays on record. */
function refuseNewTotals(
  state: StockState,
  demand: Demand,
  command: SetDemand,
  wanted: readonly WantedLine[],
  refusal: Refusal,
): Outcome<DemandAnswer> {
  noteSetter(demand, command);
  demand.refusal = refusal;
  if (!isKnown(demand)) {
    demand.state = 'refused';
    demand.lines = wanted.map((line) => refusedLine(demand, line));
  }
  return failed(state, demand, command, refusal);
}

/** The wish on record; what was shipped or returned of the line stays, also when the wish now names another item. */
function refusedLine(demand: Demand, wanted: WantedLine): DemandLine {
  const known = demand.lines.find((candidate) => candidate.lineNo === wanted.lineNo);
  const isSame = known?.itemId === wanted.itemId;
  const line = known !== undefined && (isSame || hasMoved(known)) ? known : emptyLine(wanted.lineNo, wanted.itemId, wanted.warehouseId);
  if (line.itemId === wanted.itemId) {
    line.requested = wanted.requested;
    line.unasked = wanted.unasked;
  }
  line.closed = minQuantity(line.closed, line.requested - line.fulfilled);
  line.unheld = openQuantity(line);
  return line;
}

const hasMoved = (line: DemandLine) => line.fulfilled > ZERO || line.returned > ZERO;

function refuseAfterEnd(state: StockState, demand: Demand, command: SetDemand): Outcome<DemandAnswer> {
  noteMessage(demand, command.meta);
  return failed(state, demand, command, { reason: 'ORDER_CANCELLED', lines: [] });
}

/** Says that the demand was refused. What is known of the order stays as it is. */
function failed(state: StockState, demand: Demand, command: SetDemand, refusal: Refusal): Outcome<DemandAnswer> {
  state.emitAboutOrder(StockReservationFailed, demand, command.meta, {
    orderId: demand.orderId,
    reason: refusal.reason,
    lines: [...refusal.lines],
    discrepancyIds: [...(refusal.discrepancyIds ?? [])],
    ...(refusal.override === undefined ? {} : { override: refusal.override }),
  });
  return answered({ ...answerOf(demand), ...refusedAnswer(refusal) });
}

/** The current state of an order, as calls answer it. */
export function answerOf(demand: Demand): DemandAnswer {
  const backordered = backorderedLines(demand);
  return {
    status: statusOf(demand, backordered.length > 0),
    orderId: demand.orderId,
    sequence: demand.sequence,
    firm: demand.firm,
    expiresAt: demand.expiresAt?.toISOString() ?? null,
    lines: heldLines(demand),
    backordered,
    stock: stockLines(demand),
    ...(demand.refusal === null ? {} : refusedAnswer(demand.refusal)),
  };
}

function refusedAnswer({ reason, lines, discrepancyIds = [], override }: Refusal) {
  const approvable = override === undefined ? {} : { override };
  return { status: 'failed' as const, reason, shortLines: [...lines], discrepancyIds: [...discrepancyIds], ...approvable };
}

function statusOf(demand: Demand, waits: boolean): DemandAnswer['status'] {
  if (demand.state === 'closed' || demand.state === 'expired') return 'released';
  return waits || demand.lines.some((line) => line.unheld > ZERO) ? 'partial' : 'reserved';
}
