import { BackorderFilled, ReservationShorted } from '#libs/contracts';
import { formatQuantity, maxQuantity, minQuantity, type Quantity, sumQuantities, ZERO } from '#libs/domain';
import { availableToBackorders } from '../availability/available-to-promise.js';
import type { CommandMeta } from './commands.js';
import {
  allocate,
  changeReserved,
  type FreeStock,
  fitting,
  isDetailed,
  lotKey,
  placeable,
  quantAt,
  requireAllFree,
  requireLot,
} from './balance-quants.js';
import { NO_LOT, type PlacedPart, type QuantKey } from './quants.js';
import { type Balance, balanceKey, subjectKey } from './balance.js';
import {
  type Backorder,
  type Demand,
  type DemandLine,
  heldQuantity,
  type HoldTurn,
  newReservation,
  type OpenHold,
  type Reservation,
} from './demand.js';
import { NeedsMore } from './needs-more.js';
import type { StockState } from './stock-state.js';

// The elementary steps by which holds and backorders change. Each keeps `reserved = sum of open reservations` and `backordered = sum
// of open backorders` on balance and demand line at once, so that no decision can forget one of them.

/** What is held, or moved, for a line of an order at one place. */
export type HeldPart = Pick<Reservation, 'lineNo' | 'itemId' | 'warehouseId' | 'lot' | 'quantity'>;

/** The parts that are told as one: what is told of an order has one line per line of it, warehouse and lot, whatever the bins. */
export function partsByLot<P extends HeldPart>(parts: readonly P[]): [P, ...P[]][] {
  // As nearly all orders are held: one part of each line.
  if (parts.every(({ lineNo }, index) => index === 0 || lineNo > parts[index - 1]!.lineNo)) return parts.map((part) => [part]);
  const groups = Map.groupBy(parts, ({ lineNo, itemId, warehouseId, lot }) => `${lineNo}/${itemId}/${warehouseId}/${lot}`);
  return [...groups.values()] as [P, ...P[]][];
}

/** The line that tells such parts. */
export function lineOfParts(parts: readonly [HeldPart, ...HeldPart[]]) {
  const [{ lineNo, itemId, warehouseId, lot }] = parts;
  return { lineNo, itemId, warehouseId, lot: lotOrNull(lot), quantity: formatQuantity(sumQuantities(parts, (part) => part.quantity)) };
}

/** The lines of an event about goods of an order. */
export const linesOfParts = (parts: readonly HeldPart[]) => partsByLot(parts).map(lineOfParts);

/** A lot as it is told: null where there is none. */
export const lotOrNull = (lot: string): string | null => (lot === NO_LOT ? null : lot);

/**
 * Holds a quantity for a line; the caller has made sure that it is there.
 *
 * @param at where in the warehouse; absent = the first to expire, and what has no lot last.
 * @returns the parts, by lot and bin.
 */
export function hold(
  state: StockState,
  demand: Demand,
  line: DemandLine,
  balance: Balance,
  quantity: Quantity,
  at?: readonly PlacedPart[],
): readonly PlacedPart[] {
  if (quantity <= ZERO) return [];
  const parts = at ?? allocate(state, balance, quantity, line);
  balance.reserved += quantity;
  state.touchBalance(balance);
  line.reserved += quantity;
  state.touchDemand(demand);
  for (const part of parts) place(state, demand, line, balance, part);
  return parts;
}

/** Puts a held quantity into a place, beside what the line holds there. */
function place(state: StockState, demand: Demand, line: DemandLine, balance: Balance, { quant, quantity }: PlacedPart): void {
  changeReserved(state, balance, quant, quantity);
  const open = demand.reservations.find(
    (r) =>
      r.status === 'active' &&
      r.lineNo === line.lineNo &&
      r.warehouseId === balance.warehouseId &&
      r.lot === quant.lot &&
      r.location === quant.location,
  );
  if (open === undefined) {
    const reservation = newReservation(line.lineNo, balance, quant, quantity, state.now);
    demand.reservations.push(reservation);
    state.newReservations.set(reservation, demand);
  } else {
    open.quantity += quantity;
    state.touchReservation(demand, open);
  }
}

/** Gives a part of a reservation, or all of it, back; what comes free may serve waiting backorders. */
export function release(
  state: StockState,
  demand: Demand,
  reservation: Reservation,
  quantity: Quantity,
  why: { readonly status: 'released' | 'expired'; readonly reason: string },
): void {
  if (quantity <= ZERO) return;
  const balance = state.existingBalance(demand.orgId, reservation.warehouseId, reservation.itemId);
  balance.reserved -= quantity;
  state.touchBalance(balance);
  changeReserved(state, balance, placeOf(reservation), -quantity);
  state.freed.add(balance);
  lineOf(demand, reservation.lineNo).reserved -= quantity;
  state.touchDemand(demand);
  reduceReservation(state, demand, reservation, quantity, why);
}

/** Takes held stock out of the warehouse for the order that holds it: on hand is reduced by the caller. */
export function fulfil(state: StockState, demand: Demand, reservation: Reservation, quantity: Quantity): void {
  if (quantity <= ZERO) return;
  const balance = state.existingBalance(demand.orgId, reservation.warehouseId, reservation.itemId);
  balance.reserved -= quantity;
  state.touchBalance(balance);
  changeReserved(state, balance, placeOf(reservation), -quantity);
  lineOf(demand, reservation.lineNo).reserved -= quantity;
  state.touchDemand(demand);
  reservation.fulfilled += quantity;
  if (reservation.fulfilled === reservation.quantity) {
    reservation.status = 'fulfilled';
    reservation.closedAt = state.now;
  }
  state.touchReservation(demand, reservation);
}

/** Where a reservation holds. */
export const placeOf = ({ lot, location }: Reservation): QuantKey => ({ lot, location, quality: 'available' });

function reduceReservation(
  state: StockState,
  demand: Demand,
  reservation: Reservation,
  quantity: Quantity,
  why: { readonly status: 'released' | 'expired'; readonly reason: string },
): void {
  if (quantity < heldQuantity(reservation)) {
    reservation.quantity -= quantity;
  } else {
    // What was shipped of it stays on record as fulfilled.
    if (reservation.fulfilled > ZERO) reservation.quantity = reservation.fulfilled;
    reservation.status = reservation.fulfilled > ZERO ? 'fulfilled' : why.status;
    reservation.closedAt = state.now;
    reservation.releaseReason = why.reason;
  }
  state.touchReservation(demand, reservation);
}

/** Lets a quantity of a line wait for stock on a balance. */
export function enqueue(state: StockState, demand: Demand, line: DemandLine, balance: Balance, quantity: Quantity): void {
  if (quantity <= ZERO) return;
  balance.backordered += quantity;
  state.touchBalance(balance);
  line.backordered += quantity;
  state.touchDemand(demand);
  const waiting = demand.backorders.find((b) => b.lineNo === line.lineNo && b.warehouseId === balance.warehouseId);
  if (waiting !== undefined) {
    waiting.quantity += quantity;
    state.changedBackorders.add(waiting);
    return;
  }
  const backorder: Backorder = {
    orgId: demand.orgId,
    orderId: demand.orderId,
    lineNo: line.lineNo,
    warehouseId: balance.warehouseId,
    itemId: balance.itemId,
    waitedBefore: ZERO,
    quantity,
    priority: demand.priority,
    acceptedAt: demand.acceptedAt,
  };
  demand.backorders.push(backorder);
  state.changedBackorders.add(backorder);
  addToQueue(state, backorder);
}

/** Ends the waiting of a part of a backorder, or of all of it. A backorder of quantity zero is deleted when the batch is written. */
export function dequeue(state: StockState, demand: Demand, backorder: Backorder, quantity: Quantity): void {
  if (quantity <= ZERO) return;
  const balance = state.existingBalance(demand.orgId, backorder.warehouseId, backorder.itemId);
  balance.backordered -= quantity;
  state.touchBalance(balance);
  lineOf(demand, backorder.lineNo).backordered -= quantity;
  state.touchDemand(demand);
  backorder.quantity -= quantity;
  state.changedBackorders.add(backorder);
  // New demand had been kept behind this one: what is free now may serve whoever waits next.
  state.freed.add(balance);
  if (backorder.quantity === ZERO) {
    demand.backorders.splice(demand.backorders.indexOf(backorder), 1);
    const queue = state.queues.get(balanceKey(backorder.orgId, backorder.warehouseId, backorder.itemId));
    const at = queue?.indexOf(backorder) ?? -1;
    if (at >= 0) queue!.splice(at, 1);
  }
}

/** Serves first who has the higher priority, then who was accepted earlier; of one order the lines in their order. As in `readQueues`. */
function serveBefore(a: Backorder, b: Backorder): number {
  return (
    b.priority - a.priority ||
    a.acceptedAt.getTime() - b.acceptedAt.getTime() ||
    (a.orderId < b.orderId ? -1 : a.orderId > b.orderId ? 1 : a.lineNo - b.lineNo)
  );
}

function addToQueue(state: StockState, backorder: Backorder): void {
  const key = balanceKey(backorder.orgId, backorder.warehouseId, backorder.itemId);
  const queue = state.queues.get(key);
  if (queue === undefined) return;
  const at = queue.findIndex((other) => serveBefore(backorder, other) < 0);
  if (at >= 0) queue.splice(at, 0, backorder);
  // Behind the end of a queue that was read in part stand others; this one will be read when its turn comes.
  else if (!state.longQueues.has(key)) queue.push(backorder);
}

/** After a change of priority a backorder takes its new place. */
export function reorder(state: StockState, backorder: Backorder, priority: number): void {
  const queue = state.queues.get(balanceKey(backorder.orgId, backorder.warehouseId, backorder.itemId));
  const at = queue?.indexOf(backorder) ?? -1;
  if (at >= 0) queue!.splice(at, 1);
  backorder.priority = priority;
  state.changedBackorders.add(backorder);
  state.revision++;
  addToQueue(state, backorder);
}

/**
 * Gives stock that came free to whoever waits for it, first in turn first, in parts if need be; says so with one `BackorderFilled` per
 * order. A balance that could serve more, but on which more wait than were read, is left in `unserved`.
 */
export function fillFreedBalances(state: StockState, meta: CommandMeta): void {
  const filled = new Map<Demand, HeldPart[]>();
  const freed = [...state.freed];
  state.freed.clear();
  for (const balance of freed) {
    if (balance.backordered === ZERO || availableToBackorders(balance) === ZERO) continue;
    const key = balanceKey(balance.orgId, balance.warehouseId, balance.itemId);
    const queue = state.queues.get(key);
    let hasServed = false;
    let isTold = true;
    for (let turn = 0; queue !== undefined && turn < queue.length && availableToBackorders(balance) > ZERO;) {
      const next = queue[turn]!;
      const demand = state.demands.get(subjectKey(next.orgId, next.orderId));
      if (demand === undefined) break;
      const line = lineOf(demand, next.lineNo);
      const { quantity, isAll } = fillableNow(state, balance, line, next.quantity);
      if (quantity > ZERO) {
        dequeue(state, demand, next, quantity);
        const parts = filled.get(demand) ?? [];
        const { lineNo } = line;
        const { itemId, warehouseId } = balance;
        for (const { quant, quantity: part } of hold(state, demand, line, balance, quantity)) {
          parts.push({ lineNo, itemId, warehouseId, lot: quant.lot, quantity: part });
        }
        filled.set(demand, parts);
        hasServed = true;
      }
      isTold = isAll;
      if (!isTold) break;
      // What is left of it cannot be served with what is there: it waits for another lot. Others may be.
      if (next.quantity > ZERO) turn++;
    }
    state.freed.delete(balance);
    // A queue that was read whole and served nobody will not do so the next time either.
    const mayGoOn = queue === undefined || hasServed || !isTold || state.longQueues.has(key);
    if (mayGoOn && balance.backordered > ZERO && availableToBackorders(balance) > ZERO) state.unserved.add(balance);
  }
  for (const [demand, parts] of filled) {
    state.emitAboutOrder(BackorderFilled, demand, meta, { orderId: demand.orderId, lines: linesOfParts(parts) });
  }
}

/** How much of a backorder can be held now, and whether that is all that there is for it; otherwise more must be read to tell. */
function fillableNow(state: StockState, balance: Balance, line: DemandLine, wanted: Quantity): { quantity: Quantity; isAll: boolean } {
  const { quantity, isAll } = fitting(state, balance, availableToBackorders(balance), line);
  return { quantity: minQuantity(wanted, quantity), isAll: isAll || quantity >= wanted };
}

/**
 * Makes sure that what serves those who wait is at hand, before the first change.
 *
 * @throws NeedsMore when it was not read.
 */
export function requireFillable(state: StockState, balance: Balance): void {
  if (!isDetailed(balance) || availableToBackorders(balance) === ZERO) return;
  const key = balanceKey(balance.orgId, balance.warehouseId, balance.itemId);
  const queue = state.queues.get(key) ?? [];
  for (const { orgId, orderId, lineNo, quantity } of queue) {
    const line = lineOf(state.demand(orgId, orderId), lineNo);
    const here = fillableNow(state, balance, line, quantity);
    if (!here.isAll) {
      if (line.lot !== null) requireLot(balance, line.lot);
      requireAllFree(balance);
    }
    // Somebody is served; who comes after him is looked at after that.
    if (here.quantity > ZERO) return;
  }
  // All of these wait for other lots than what is there; who is behind them may be served.
  if (state.longQueues.has(key)) throw new NeedsMore({ balances: [key], waitingPerBalanceMax: queue.length * 10 });
}

/**
 * Which holds a fact takes away until what is held fits what is sellable again: soft before firm, lowest priority, newest first; a hold
 * of the order itself. Asks for more holds when those read are not enough.
 *
 * @param ended what of holds ends at the same time, by itself.
 */
export function planShorting(
  state: StockState,
  balance: Balance,
  sellableAfter: Quantity,
  ended: ReadonlyMap<Reservation, Quantity> = NOTHING_ENDS,
): { hold: OpenHold; quantity: Quantity }[] {
  const ends = sumQuantities(ended, ([held, quantity]) => (isHeldAt(held, balance) ? quantity : ZERO));
  let excess = balance.reserved - ends - maxQuantity(sellableAfter, ZERO);
  if (excess <= ZERO) return [];
  const key = balanceKey(balance.orgId, balance.warehouseId, balance.itemId);
  const open = openHolds(state, balance);
  const isAll = sumQuantities(open, (candidate) => heldQuantity(candidate.reservation)) === balance.reserved;
  // Behind the last one that was read there may be others that come before what this batch knows by chance.
  const last = isAll ? null : state.lastHoldRead.get(key);
  const plan: { hold: OpenHold; quantity: Quantity }[] = [];
  for (const candidate of last === undefined ? [] : open) {
    if (last && takeBefore(last, turnOf(candidate)) < 0) break;
    const quantity = minQuantity(excess, heldQuantity(candidate.reservation) - (ended.get(candidate.reservation) ?? ZERO));
    if (quantity > ZERO) plan.push({ hold: candidate, quantity });
    excess -= quantity;
    if (excess === ZERO) return plan;
  }
  throw new NeedsMore({ balances: [key], holdsPerBalanceMax: Math.max(50, open.length * 10) });
}

const NOTHING_ENDS: ReadonlyMap<Reservation, Quantity> = new Map();
const isHeldAt = ({ warehouseId, itemId }: Reservation, balance: Balance) =>
  warehouseId === balance.warehouseId && itemId === balance.itemId;

/** The open holds on a balance that are in the working set, as they are now, in the order in which a fact takes them. */
function openHolds(state: StockState, balance: Balance): OpenHold[] {
  const open: OpenHold[] = [];
  for (const demand of state.demands.values()) {
    if (demand.orgId !== balance.orgId) continue;
    for (const reservation of demand.reservations) {
      const isHere = reservation.warehouseId === balance.warehouseId && reservation.itemId === balance.itemId;
      if (isHere && heldQuantity(reservation) > ZERO) open.push({ demand, reservation });
    }
  }
  return open.sort((a, b) => takeBefore(turnOf(a), turnOf(b)));
}

/** Those of them in one lot and bin. */
export function holdsAt(state: StockState, balance: Balance, { lot, location }: QuantKey): OpenHold[] {
  return openHolds(state, balance).filter(({ reservation }) => reservation.lot === lot && reservation.location === location);
}

export function turnOf({ demand, reservation }: OpenHold): HoldTurn {
  const { reservedAt, reservationId } = reservation;
  return { firm: demand.firm, priority: demand.priority, reservedAt, reservationId };
}

/** Facts take soft holds before firm ones, then those of the lowest priority, then the newest. As in `readHolds`. */
export function takeBefore(a: HoldTurn, b: HoldTurn): number {
  return (
    Number(a.firm) - Number(b.firm) ||
    a.priority - b.priority ||
    b.reservedAt.getTime() - a.reservedAt.getTime() ||
    (a.reservationId > b.reservationId ? -1 : a.reservationId < b.reservationId ? 1 : 0)
  );
}

/** Carries out {@link planShorting}: what was held waits as a backorder, and `ReservationShorted` says so to each order. */
export function short(
  state: StockState,
  balance: Balance,
  plan: readonly { hold: OpenHold; quantity: Quantity }[],
  cause: string,
  meta: CommandMeta,
) {
  const shorted = new Map<Demand, HeldPart[]>();
  for (const { hold: taken, quantity } of plan) {
    const { demand, reservation } = taken;
    const line = lineOf(demand, reservation.lineNo);
    release(state, demand, reservation, quantity, { status: 'released', reason: cause });
    enqueue(state, demand, line, balance, quantity);
    const parts = shorted.get(demand) ?? [];
    parts.push({ ...reservation, quantity });
    shorted.set(demand, parts);
  }
  for (const [demand, parts] of shorted) {
    state.emitAboutOrder(ReservationShorted, demand, meta, { orderId: demand.orderId, cause, lines: linesOfParts(parts) });
  }
}

/**
 * Makes sure that taking a quantity out of a quant can be made good to whoever holds there: their holds and every other free place are at
 * hand. To be asked before the first change.
 *
 * @param given what of the holds there ends at the same time.
 * @throws NeedsMore when they were not read.
 */
export function requireMovable(state: StockState, balance: Balance, key: QuantKey, taken: Quantity, given: Quantity = ZERO): void {
  if (isDetailed(balance) && requireHoldsAt(state, balance, key, taken, given)) requireAllFree(balance);
}

/**
 * Makes sure that the holds in a quant are at hand, if they do not fit any more when a quantity is taken out of it.
 *
 * @returns whether they do not.
 * @throws NeedsMore when they were not read.
 */
export function requireHoldsAt(state: StockState, balance: Balance, key: QuantKey, taken: Quantity, given: Quantity = ZERO): boolean {
  if (key.quality !== 'available') return false;
  const quant = quantAt(state, balance, key);
  if (quant.reserved - given <= quant.quantity - taken) return false;
  const lot = lotKey(balance, key.lot);
  if (!state.lotHoldsRead.has(lot)) throw new NeedsMore({ balances: [lot.slice(0, lot.lastIndexOf('/'))], lots: [lot], lotHolds: [lot] });
  return true;
}

/**
 * Moves, in thought, the holds on a quant that do not fit any more, as {@link displace} will; false when one finds no place that serves it
 * as well.
 *
 * @param free what is free when everything else has happened; less than nothing in this quant.
 * @param heldAfter what of a hold is left then to be moved.
 */
export function movesAll(
  state: StockState,
  balance: Balance,
  quant: QuantKey,
  free: FreeStock,
  heldAfter: (hold: OpenHold) => Quantity,
): boolean {
  for (const held of holdsAt(state, balance, quant)) {
    const excess = -free.freeAt(quant);
    if (excess <= ZERO) return true;
    const moved = minQuantity(excess, heldAfter(held));
    const line = lineOf(held.demand, held.reservation.lineNo);
    if (free.fit(line) < moved) return false;
    for (const part of free.place(moved, line)) free.take(part.quant, part.quantity);
    free.give(quant, moved);
  }
  return free.freeAt(quant) >= ZERO;
}

/**
 * Moves the holds that do not fit into a quant any more, because a fact or a shipment took from it, to other lots and bins; what fits
 * nowhere waits, and its order is told.
 *
 * @param more `to`: where its goods went; they are held there as far as there is room. `except`: whose holds there stay.
 * @returns the orders of which something was moved, to be told what they hold now.
 */
export function displace(
  state: StockState,
  balance: Balance,
  key: QuantKey,
  cause: string,
  meta: CommandMeta,
  { to, except }: { readonly to?: QuantKey; readonly except?: Demand } = {},
): ReadonlySet<Demand> {
  const moved = new Set<Demand>();
  if (!isDetailed(balance) || key.quality !== 'available') return moved;
  const homeless: { hold: OpenHold; quantity: Quantity }[] = [];
  const quant = quantAt(state, balance, key);
  let excess = quant.reserved - quant.quantity;
  for (const held of holdsAt(state, balance, key)) {
    if (excess <= ZERO) break;
    const { demand, reservation } = held;
    if (demand === except) continue;
    const line = lineOf(demand, reservation.lineNo);
    const quantity = minQuantity(excess, heldQuantity(reservation));
    const relocate = (parts: readonly PlacedPart[]): Quantity => {
      const relocated = sumQuantities(parts, (part) => part.quantity);
      if (relocated === ZERO) return ZERO;
      changeReserved(state, balance, key, -relocated);
      reduceReservation(state, demand, reservation, relocated, { status: 'released', reason: cause });
      for (const part of parts) place(state, demand, line, balance, part);
      state.touchDemand(demand);
      moved.add(demand);
      return relocated;
    };
    let open = quantity;
    if (to !== undefined) open -= relocate([{ quant: to, quantity: minQuantity(open, freeAt(state, balance, to)) }]);
    const elsewhere = minQuantity(open, placeable(state, balance, line));
    if (elsewhere > ZERO) open -= relocate(allocate(state, balance, elsewhere, line));
    if (open > ZERO) homeless.push({ hold: held, quantity: open });
    excess -= quantity;
  }
  short(state, balance, homeless, cause, meta);
  return moved;
}

function freeAt(state: StockState, balance: Balance, key: QuantKey): Quantity {
  const { quantity, reserved } = quantAt(state, balance, key);
  return maxQuantity(quantity - reserved, ZERO);
}

/** What an order waits for, by line. */
export function backorderedLines(demand: Demand) {
  return demand.lines
    .filter((line) => line.backordered > ZERO)
    .map((line) => ({ lineNo: line.lineNo, itemId: line.itemId, quantity: formatQuantity(line.backordered) }));
}

export function lineOf(demand: Demand, lineNo: number): DemandLine {
  const line = demand.lines.find((candidate) => candidate.lineNo === lineNo);
  if (line === undefined) throw new Error(`demand ${demand.orderId} has no line ${lineNo}, though a hold refers to it`);
  return line;
}

/** The open holds of an order, one by one. */
function heldParts(demand: Demand) {
  return demand.reservations
    .filter((reservation) => reservation.status === 'active')
    .map((held) => {
      const { lineNo, itemId, warehouseId, lot, reservationId } = held;
      return { lineNo, itemId, warehouseId, lot, reservationId, quantity: heldQuantity(held) };
    });
}

/** The open holds of an order, as events about their end list them. */
export const linesOfHolds = (demand: Demand) => linesOfParts(heldParts(demand));

/** The open holds of an order, as its answers list them: of what lies in several bins with the id of one of its reservations. */
export function heldLines(demand: Demand) {
  return partsByLot(heldParts(demand)).map((parts) => ({ ...lineOfParts(parts), reservationId: parts[0].reservationId }));
}
