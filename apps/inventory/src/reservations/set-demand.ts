import {
  StockPartiallyReserved,
  StockReleased,
  StockReservationFailed,
  StockReserved,
  type ResponseOf,
  type StockDemand,
} from '#libs/contracts';
import { formatQuantity, maxQuantity, minQuantity, parseQuantity, type Quantity, SCALE, sumQuantities, ZERO } from '#libs/domain';
import { answered, type CommandMeta, type Outcome, type SetDemand } from '../stock-machine/commands.js';
import { backorderedLines, changedHold, dequeue, enqueue, heldLines, hold, placeOf, release, reorder } from '../stock-machine/holds.js';
import { cutoffOf, isDetailed, livesUntil, quantAt, splitsPieces } from '../stock-machine/quants.js';
import { isAwaitedByEvent } from '../stock-machine/refusals.js';
import {
  type Balance,
  balanceKey,
  type Demand,
  type DemandLine,
  emptyLine,
  heldQuantity,
  lotNameKey,
  openQuantity,
  type Refusal,
  type Reservation,
  type SourcingStrategy,
  type StockState,
  stockLines,
} from '../stock-machine/stock-state.js';
import { noteMessage } from '../stock-machine/message-order.js';
import { Offer, type Take, type WantedLine } from './offer.js';

export type DemandAnswer = ResponseOf<typeof StockDemand>;

/** What will be done for one line if the command is accepted. */
interface LinePlan {
  readonly wanted: WantedLine;
  /** What of the existing holds stays. */
  readonly keep: ReadonlyMap<Reservation, Quantity>;
  /** With the lots and bins, where it matters. */
  readonly take: readonly Take[];
  readonly wait: { balance: Balance; quantity: Quantity } | null;
  readonly closed: Quantity;
}

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
  const plan = planLines(state, demand, wanted, mode);
  if ('reason' in plan) return refuseNewTotals(state, demand, command, wanted, plan);

  // After this point it must succeed.
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
  const lines = demand.reservations
    .filter((reservation) => reservation.status === 'active')
    .map((reservation) => changedHold(reservation, heldQuantity(reservation)));
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
    const refused = (reason: Refusal['reason']): Refusal => {
      const requested = formatQuantity(parseQuantity(line.quantity));
      return { reason, lines: [{ lineNo, itemId, warehouseId, requested, available: '0' }] };
    };
    const known = demand.lines.find((candidate) => candidate.lineNo === lineNo);
    const isOtherItem = known !== undefined && known.itemId !== itemId && hasMoved(known);
    if (said.has(lineNo) || isOtherItem) return refused('INVALID_STATE');
    said.add(lineNo);
    if (state.unknownItems.size > 0 && state.unknownItems.has(`${command.orgId}/${itemId}`)) return refused('ITEM_NOT_FOUND');
    const isNowhere =
      warehouseId === null
        ? state.warehousesOf(command.orgId).length === 0
        : state.balance(command.orgId, warehouseId, itemId) === undefined;
    if (isNowhere) return refused('WAREHOUSE_NOT_FOUND');
    const quantity = parseQuantity(line.quantity);
    const isWhole = quantity % SCALE === ZERO;
    if (!isWhole && splitsPieces(balanceOf(state, command, warehouseId, itemId), quantity)) return refused('INVALID_STATE');
    if (line.lot !== undefined && !state.lots.has(lotNameKey(command.orgId, itemId, line.lot))) return refused('LOT_NOT_FOUND');
  }
  return null;
}

/** The balance in the warehouse that a line names, else in the first that knows its item. */
function balanceOf(state: StockState, { orgId }: SetDemand, warehouseId: string | null, itemId: string): Balance | undefined {
  const places = warehouseId === null ? state.warehousesOf(orgId).map((warehouse) => warehouse.warehouseId) : [warehouseId];
  return places.map((place) => state.balances.get(balanceKey(orgId, place, itemId))).find((balance) => balance !== undefined);
}

/**
 * Plans every line, all together: several lines with the same item are counted together. Lines that take only certain lots choose first,
 * because the others can do with what is left. Changes nothing.
 */
function planLines(
  state: StockState,
  demand: Demand,
  wanted: readonly WantedLine[],
  mode: 'all_or_nothing' | 'partial',
): LinePlan[] | Refusal {
  requireOwnBalances(state, demand);
  const kept = new Map<Reservation, Quantity>();
  const keeps = new Map(wanted.map((line) => [line, keptHolds(state, demand, line)]));
  for (const keep of keeps.values()) for (const [held, quantity] of keep) kept.set(held, quantity);
  const offer = new Offer(state, demand, kept);
  const strategy = state.settingsOf(demand.orgId).sourcingStrategy;
  const plans = new Map<WantedLine, LinePlan>();
  const short: Refusal['lines'][number][] = [];
  for (const line of inTurnOfChoice(wanted)) {
    const keep = keeps.get(line)!;
    const known = demand.lines.find((candidate) => candidate.lineNo === line.lineNo && candidate.itemId === line.itemId);
    const closed = minQuantity(known?.closed ?? ZERO, line.requested - (known?.fulfilled ?? ZERO));
    const extra = line.requested - (known?.fulfilled ?? ZERO) - closed - sumQuantities(keep.values(), (quantity) => quantity);
    if (extra === ZERO) {
      plans.set(line, { wanted: line, keep, take: [], wait: null, closed });
      continue;
    }
    const candidates = candidateBalances(state, demand, line, keep);
    const take = chooseSources(candidates, (balance) => offer.of(balance, line), extra, strategy);
    const there = sumQuantities(take, (part) => part.quantity);
    let wait: LinePlan['wait'] = null;
    if (there < extra) {
      // What already waits was accepted before; only what is new must be there at once.
      const accepted = mode === 'partial' || extra - there <= (demand.state === 'open' ? (known?.backordered ?? ZERO) : ZERO);
      const place = waitingPlace(state, demand, line) ?? take[0]?.balance ?? candidates[0]!;
      if (!accepted || !offer.wait(place, extra - there)) {
        short.push({
          lineNo: line.lineNo,
          itemId: line.itemId,
          warehouseId: line.warehouseId ?? place.warehouseId,
          requested: formatQuantity(line.requested),
          available: formatQuantity(there),
        });
        continue;
      }
      wait = { balance: place, quantity: extra - there };
    }
    const placed = take.map(({ balance, quantity }) => offer.take(balance, line, quantity));
    plans.set(line, { wanted: line, keep, take: placed, wait, closed });
  }
  if (short.length > 0) return { reason: 'INSUFFICIENT_STOCK', lines: short.sort((a, b) => a.lineNo - b.lineNo) };
  return wanted.map((line) => plans.get(line)!);
}

/** First the lines that name a lot, then those whose lots must live longest. */
function inTurnOfChoice(lines: readonly WantedLine[]): readonly WantedLine[] {
  if (lines.every((line) => line.lot === null && line.minRemainingShelfLifeDays === null)) return lines;
  const needs = (line: WantedLine) => (line.lot === null ? (line.minRemainingShelfLifeDays ?? 0) : Infinity);
  return lines.toSorted((a, b) => (needs(a) === needs(b) ? a.lineNo - b.lineNo : needs(b) - needs(a)));
}

/**
 * From which balances a quantity is taken: from the first that covers it alone, unless what has most goes first; else from several, each as
 * far as it offers.
 */
function chooseSources(
  candidates: readonly Balance[],
  offerOf: (balance: Balance) => Quantity,
  quantity: Quantity,
  strategy: SourcingStrategy,
): { balance: Balance; quantity: Quantity }[] {
  const covering = strategy === 'most_stock' ? undefined : candidates.find((balance) => offerOf(balance) >= quantity);
  if (covering !== undefined) return [{ balance: covering, quantity }];
  const inTurn =
    strategy === 'priority' || candidates.length === 1
      ? candidates
      : candidates.toSorted((a, b) => (offerOf(a) > offerOf(b) ? -1 : offerOf(a) < offerOf(b) ? 1 : 0));
  const taken: { balance: Balance; quantity: Quantity }[] = [];
  let open = quantity;
  for (const balance of inTurn) {
    const part = minQuantity(open, offerOf(balance));
    if (part <= ZERO) continue;
    taken.push({ balance, quantity: part });
    open -= part;
    if (open === ZERO) break;
  }
  return taken;
}

const NOTHING_KEPT: ReadonlyMap<Reservation, Quantity> = new Map();

/**
 * What of the line's holds stays: as much as is still wanted, in the warehouse and of the lot that is wanted, the oldest first. What has
 * expired does not, nor what lives too short for a line that asks for more than it did.
 */
function keptHolds(state: StockState, demand: Demand, line: WantedLine): ReadonlyMap<Reservation, Quantity> {
  const known = demand.lines.find((candidate) => candidate.lineNo === line.lineNo && candidate.itemId === line.itemId);
  if (known === undefined) return NOTHING_KEPT;
  const keep = new Map<Reservation, Quantity>();
  const closed = minQuantity(known.closed, line.requested - known.fulfilled);
  let open = line.requested - known.fulfilled - closed;
  for (const reservation of demand.reservations) {
    if (reservation.lineNo !== line.lineNo || reservation.itemId !== line.itemId) continue;
    if (line.warehouseId !== null && reservation.warehouseId !== line.warehouseId) continue;
    if (line.lot !== null && reservation.lot !== line.lot) continue;
    if (!staysFit(state, demand, line, known, reservation)) continue;
    const quantity = minQuantity(open, heldQuantity(reservation));
    if (quantity <= ZERO) continue;
    keep.set(reservation, quantity);
    open -= quantity;
  }
  return keep;
}

function staysFit(state: StockState, demand: Demand, line: WantedLine, known: DemandLine, held: Reservation): boolean {
  const balance = state.existingBalance(demand.orgId, held.warehouseId, held.itemId);
  if (!isDetailed(balance)) return true;
  const quant = quantAt(state, balance, placeOf(held));
  const asked = cutoffOf(state, balance, line);
  return livesUntil(quant, asked > cutoffOf(state, balance, known) ? asked : state.now);
}

/** Where a line may be held: where it asks for; else where it is held already, then by the priority of the warehouses. */
function candidateBalances(state: StockState, demand: Demand, line: WantedLine, keep: ReadonlyMap<Reservation, Quantity>): Balance[] {
  if (line.warehouseId !== null) return [state.balance(demand.orgId, line.warehouseId, line.itemId)!];
  const first = [...keep.keys()].map((held) => held.warehouseId);
  const rest = state.warehousesOf(demand.orgId).map((warehouse) => warehouse.warehouseId);
  const candidates: Balance[] = [];
  for (const warehouseId of new Set([...first, ...rest])) {
    const key = balanceKey(demand.orgId, warehouseId, line.itemId);
    const balance = state.balances.get(key);
    if (balance !== undefined) candidates.push(balance);
  }
  // Nothing was ever stored anywhere: the line is short, or waits, in the first warehouse.
  if (candidates.length === 0) candidates.push(state.balance(demand.orgId, rest[0]!, line.itemId)!);
  return candidates;
}

/** A line that already waits keeps its place. */
function waitingPlace(state: StockState, demand: Demand, line: WantedLine): Balance | undefined {
  const waiting = demand.backorders.find(
    (b) => b.lineNo === line.lineNo && b.itemId === line.itemId && (line.warehouseId ?? b.warehouseId) === b.warehouseId,
  );
  return waiting === undefined ? undefined : state.existingBalance(demand.orgId, waiting.warehouseId, waiting.itemId);
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
  if (demand.firm || command.pendingApproval === true) demand.expiresAt = null;
  else demand.expiresAt = new Date(state.now.getTime() + ttlSeconds * 1000);
  demand.approvalRequestId = command.approvalRequestId ?? demand.approvalRequestId;
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
function carryOut(state: StockState, demand: Demand, plans: readonly LinePlan[]): void {
  if (demand.reservations.length > 0 || demand.backorders.length > 0) giveBack(state, demand, plans);
  demand.lines = plans.map((plan) => matchedLine(demand, plan));
  for (const [index, { take, wait }] of plans.entries()) {
    const line = demand.lines[index]!;
    for (const { balance, quantity, parts } of take) hold(state, demand, line, balance, quantity, parts);
    if (wait === null) continue;
    enqueue(state, demand, line, wait.balance, wait.quantity - line.backordered);
    // Those before it in the queue may wait for another lot than what is there.
    if (isDetailed(wait.balance)) state.freed.add(wait.balance);
  }
}

/** Gives back what the plan no longer wants of an order's holds and waiting. */
function giveBack(state: StockState, demand: Demand, plans: readonly LinePlan[]): void {
  const why = { status: 'released', reason: 'amended' } as const;
  const keeps = new Map(plans.map((plan) => [plan.wanted.lineNo, plan.keep]));
  for (const reservation of demand.reservations) {
    const stays = keeps.get(reservation.lineNo)?.get(reservation) ?? ZERO;
    release(state, demand, reservation, heldQuantity(reservation) - stays, why);
  }
  const waits = new Map(plans.map((plan) => [plan.wanted.lineNo, plan.wait]));
  for (const backorder of [...demand.backorders]) {
    const wait = waits.get(backorder.lineNo);
    const stays =
      wait?.balance.warehouseId === backorder.warehouseId && wait.balance.itemId === backorder.itemId
        ? minQuantity(wait.quantity, backorder.quantity)
        : ZERO;
    dequeue(state, demand, backorder, backorder.quantity - stays);
  }
}

function matchedLine(demand: Demand, { wanted, closed }: LinePlan): DemandLine {
  const known = demand.lines.find((line) => line.lineNo === wanted.lineNo && line.itemId === wanted.itemId);
  const line = known ?? emptyLine(wanted.lineNo, wanted.itemId, wanted.warehouseId);
  line.warehouseId = wanted.warehouseId;
  line.lot = wanted.lot;
  line.minRemainingShelfLifeDays = wanted.minRemainingShelfLifeDays;
  line.requested = wanted.requested;
  line.unasked = wanted.unasked;
  line.closed = closed;
  line.unheld = ZERO;
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
  if (backordered.length > 0) state.emitAboutOrder(StockPartiallyReserved, demand, meta, { ...held, backordered }, answer.stock);
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
    discrepancyIds: [],
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

function refusedAnswer(refusal: Refusal) {
  return { status: 'failed' as const, reason: refusal.reason, shortLines: [...refusal.lines], discrepancyIds: [] };
}

function statusOf(demand: Demand, waits: boolean): DemandAnswer['status'] {
  if (demand.state === 'closed' || demand.state === 'expired') return 'released';
  return waits ? 'partial' : 'reserved';
}
