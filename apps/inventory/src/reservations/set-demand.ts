import {
  StockPartiallyReserved,
  StockReleased,
  StockReservationFailed,
  StockReserved,
  type ResponseOf,
  type StockDemand,
} from '#libs/contracts';
import { formatQuantity, isQuantity, maxQuantity, minQuantity, parseQuantity, type Quantity, sumQuantities, ZERO } from '#libs/domain';
import { safetyStock, sellable } from '../availability/available-to-promise.js';
import { answered, type Outcome, type SetDemand } from '../stock-machine/commands.js';
import { changedHold, dequeue, enqueue, heldLines, hold, release, reorder } from '../stock-machine/holds.js';
import { isAwaitedByEvent } from '../stock-machine/refusals.js';
import {
  type Balance,
  balanceKey,
  type Demand,
  type DemandLine,
  emptyLine,
  heldQuantity,
  openQuantity,
  type Refusal,
  type StockState,
  stockLines,
} from '../stock-machine/stock-state.js';
import { noteMessage } from '../stock-machine/message-order.js';

export type DemandAnswer = ResponseOf<typeof StockDemand>;

/** What a line of the command asks for, after it was matched with what is known of it. */
interface WantedLine {
  readonly lineNo: number;
  readonly itemId: string;
  readonly warehouseId: string | null;
  /** What is asked for; what was shipped of it, if that is more. */
  readonly requested: Quantity;
  readonly unasked: Quantity;
}

/** What will be done for one line if the command is accepted. */
interface LinePlan {
  readonly wanted: WantedLine;
  /** What of the existing holds stays, by warehouse. */
  readonly keep: ReadonlyMap<string, Quantity>;
  readonly take: { balance: Balance; quantity: Quantity } | null;
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
    .map((reservation) => changedHold(reservation.lineNo, reservation.itemId, reservation.warehouseId, heldQuantity(reservation)));
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
      requested,
      unasked: requested - asked,
    });
  }
  for (const line of demand.lines) {
    if (wanted.has(line.lineNo) || !hasMoved(line)) continue;
    const { lineNo, itemId, warehouseId, fulfilled } = line;
    wanted.set(lineNo, { lineNo, itemId, warehouseId, requested: fulfilled, unasked: fulfilled });
  }
  return [...wanted.values()].sort((a, b) => a.lineNo - b.lineNo);
}

/**
 * A lot, item or warehouse that does not exist; a line that is said twice; or one of which another item was shipped. Only of what the
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
    // Lots are not kept yet, so none exists.
    if (line.lot !== undefined) return refused('LOT_NOT_FOUND');
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
  }
  return null;
}

/**
 * What a balance offers to this order while its plan is made: its own holds and its own place in the queue do not stand in its way. What
 * the order gives back there it may take again, for another line say, whatever has become of safety stock and queue since it was held.
 */
class Offer {
  private readonly offered = new Map<Balance, Quantity>();
  private readonly waits = new Map<Balance, Quantity>();

  constructor(
    private readonly demand: Demand,
    private readonly kept: (balance: Balance) => Quantity,
  ) {}

  of(balance: Balance): Quantity {
    let offered = this.offered.get(balance);
    if (offered === undefined) {
      const own = sumQuantities(this.demand.reservations, (r) => (this.isAt(r, balance) ? heldQuantity(r) : ZERO));
      const ownWaiting = sumQuantities(this.demand.backorders, (b) => (this.isAt(b, balance) ? b.quantity : ZERO));
      const givenBack = own - this.kept(balance);
      const promised = sellable(balance) - (balance.reserved - givenBack) - safetyStock(balance) - (balance.backordered - ownWaiting);
      offered = maxQuantity(promised, givenBack);
      this.offered.set(balance, offered);
    }
    return offered;
  }

  take(balance: Balance, quantity: Quantity): void {
    this.offered.set(balance, this.of(balance) - quantity);
  }

  /** Lets more wait there; false when it would be too much to stay in range (see `staysInRange`). */
  wait(balance: Balance, quantity: Quantity): boolean {
    const ownWaiting = sumQuantities(this.demand.backorders, (b) => (this.isAt(b, balance) ? b.quantity : ZERO));
    const waits = (this.waits.get(balance) ?? balance.backordered - ownWaiting) + quantity;
    this.waits.set(balance, waits);
    return isQuantity(balance.onHand + waits);
  }

  private isAt(at: { warehouseId: string; itemId: string }, balance: Balance): boolean {
    return at.warehouseId === balance.warehouseId && at.itemId === balance.itemId;
  }
}

/** Plans every line, all together: several lines with the same item are counted together. Changes nothing. */
function planLines(
  state: StockState,
  demand: Demand,
  wanted: readonly WantedLine[],
  mode: 'all_or_nothing' | 'partial',
): LinePlan[] | Refusal {
  const keptAt = new Map<string, Quantity>();
  const keeps = wanted.map((line) => {
    const keep = keptHolds(demand, line);
    for (const [warehouseId, quantity] of keep) {
      const key = balanceKey(demand.orgId, warehouseId, line.itemId);
      keptAt.set(key, (keptAt.get(key) ?? ZERO) + quantity);
    }
    return keep;
  });
  requireOwnBalances(state, demand);

  const keptOn = ({ orgId, warehouseId, itemId }: Balance) =>
    keptAt.size === 0 ? ZERO : (keptAt.get(balanceKey(orgId, warehouseId, itemId)) ?? ZERO);
  const offer = new Offer(demand, keptOn);
  const plans: LinePlan[] = [];
  const short: Refusal['lines'][number][] = [];
  wanted.forEach((line, index) => {
    const keep = keeps[index]!;
    const known = demand.lines.find((candidate) => candidate.lineNo === line.lineNo && candidate.itemId === line.itemId);
    const closed = minQuantity(known?.closed ?? ZERO, line.requested - (known?.fulfilled ?? ZERO));
    const extra = line.requested - (known?.fulfilled ?? ZERO) - closed - sumQuantities(keep.values(), (quantity) => quantity);
    if (extra === ZERO) {
      plans.push({ wanted: line, keep, take: null, wait: null, closed });
      return;
    }
    const candidates = candidateBalances(state, demand, line, keep);
    const covering = candidates.find((balance) => offer.of(balance) >= extra);
    if (covering !== undefined) {
      offer.take(covering, extra);
      plans.push({ wanted: line, keep, take: { balance: covering, quantity: extra }, wait: null, closed });
      return;
    }
    const best = candidates.reduce((most, balance) => (offer.of(balance) > offer.of(most) ? balance : most), candidates[0]!);
    const there = offer.of(best);
    // What already waits was accepted before; only what is new must be there at once.
    const accepted = mode === 'partial' || extra - there <= (demand.state === 'open' ? (known?.backordered ?? ZERO) : ZERO);
    const place = waitingPlace(state, demand, line) ?? best;
    if (!accepted || !offer.wait(place, extra - there)) {
      short.push({
        lineNo: line.lineNo,
        itemId: line.itemId,
        warehouseId: line.warehouseId ?? best.warehouseId,
        requested: formatQuantity(line.requested),
        available: formatQuantity(there),
      });
      return;
    }
    offer.take(best, there);
    plans.push({
      wanted: line,
      keep,
      take: there > ZERO ? { balance: best, quantity: there } : null,
      wait: { balance: place, quantity: extra - there },
      closed,
    });
  });
  return short.length > 0 ? { reason: 'INSUFFICIENT_STOCK', lines: short } : plans;
}

const NOTHING_KEPT: ReadonlyMap<string, Quantity> = new Map();

/** What of the line's holds stays: as much as is still wanted, in the warehouse that is wanted, the oldest first. */
function keptHolds(demand: Demand, line: WantedLine): ReadonlyMap<string, Quantity> {
  const known = demand.lines.find((candidate) => candidate.lineNo === line.lineNo && candidate.itemId === line.itemId);
  if (known === undefined) return NOTHING_KEPT;
  const keep = new Map<string, Quantity>();
  const closed = minQuantity(known.closed, line.requested - known.fulfilled);
  let open = line.requested - known.fulfilled - closed;
  for (const reservation of demand.reservations) {
    if (reservation.lineNo !== line.lineNo || reservation.itemId !== line.itemId) continue;
    if (line.warehouseId !== null && reservation.warehouseId !== line.warehouseId) continue;
    const quantity = minQuantity(open, heldQuantity(reservation));
    if (quantity <= ZERO) continue;
    keep.set(reservation.warehouseId, (keep.get(reservation.warehouseId) ?? ZERO) + quantity);
    open -= quantity;
  }
  return keep;
}

/** Where a line may be held: where it asks for; else where it is held already, then by the priority of the warehouses. */
function candidateBalances(state: StockState, demand: Demand, line: WantedLine, keep: ReadonlyMap<string, Quantity>): Balance[] {
  if (line.warehouseId !== null) return [state.balance(demand.orgId, line.warehouseId, line.itemId)!];
  const first = [...keep.keys()];
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
  plans.forEach(({ take, wait }, index) => {
    const line = demand.lines[index]!;
    if (take !== null) hold(state, demand, line, take.balance, take.quantity);
    if (wait !== null) enqueue(state, demand, line, wait.balance, wait.quantity - line.backordered);
  });
}

/** Gives back what the plan no longer wants of an order's holds and waiting. */
function giveBack(state: StockState, demand: Demand, plans: readonly LinePlan[]): void {
  const why = { status: 'released', reason: 'amended' } as const;
  const keeps = new Map(plans.map((plan) => [plan.wanted.lineNo, new Map(plan.keep)]));
  // The oldest hold of a line is the one that stays.
  for (const reservation of demand.reservations) {
    const kept = keeps.get(reservation.lineNo);
    const stays = minQuantity(kept?.get(reservation.warehouseId) ?? ZERO, heldQuantity(reservation));
    kept?.set(reservation.warehouseId, (kept.get(reservation.warehouseId) ?? ZERO) - stays);
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
  line.requested = wanted.requested;
  line.unasked = wanted.unasked;
  line.closed = closed;
  line.unheld = ZERO;
  return line;
}

/** Says what the order holds now, by event and in the answer. */
function announce(state: StockState, demand: Demand, command: SetDemand): Outcome<DemandAnswer> {
  const answer = answerOf(demand);
  const { orderId, firm, expiresAt, lines, backordered } = answer;
  const held = { orderId, firm, expiresAt, lines };
  if (backordered.length > 0) state.emitAboutOrder(StockPartiallyReserved, demand, command.meta, { ...held, backordered }, answer.stock);
  else state.emitAboutOrder(StockReserved, demand, command.meta, held, answer.stock);
  return answered({ ...answer, sequence: demand.sequence });
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

function backorderedLines(demand: Demand) {
  return demand.lines
    .filter((line) => line.backordered > ZERO)
    .map((line) => ({ lineNo: line.lineNo, itemId: line.itemId, quantity: formatQuantity(line.backordered) }));
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
