import { BackorderFilled, type EventOf, ReservationShorted } from '#libs/contracts';
import { formatQuantity, minQuantity, type Quantity, sumQuantities, ZERO } from '#libs/domain';
import { availableToBackorders } from '../availability/available-to-promise.js';
import type { CommandMeta } from './commands.js';
import {
  type Backorder,
  type Balance,
  balanceKey,
  type Demand,
  type DemandLine,
  heldQuantity,
  type HoldTurn,
  NeedsMore,
  newReservation,
  type OpenHold,
  type Reservation,
  type StockState,
  subjectKey,
} from './stock-state.js';

// The elementary steps by which holds and backorders change. Each keeps `reserved = sum of open reservations` and `backordered = sum
// of open backorders` on balance and demand line at once, so that no decision can forget one of them.

/** A line of an event about a hold that changed. */
export type ChangedHold = EventOf<typeof BackorderFilled>['data']['lines'][number];

export const changedHold = (lineNo: number, itemId: string, warehouseId: string, quantity: Quantity): ChangedHold => ({
  lineNo,
  itemId,
  warehouseId,
  lot: null,
  quantity: formatQuantity(quantity),
});

/** Holds a quantity for a line; the caller has made sure that it is there. */
export function hold(state: StockState, demand: Demand, line: DemandLine, balance: Balance, quantity: Quantity): void {
  if (quantity <= ZERO) return;
  balance.reserved += quantity;
  state.touchBalance(balance);
  line.reserved += quantity;
  state.touchDemand(demand);
  const open = demand.reservations.find((r) => r.status === 'active' && r.lineNo === line.lineNo && r.warehouseId === balance.warehouseId);
  if (open === undefined) {
    const reservation = newReservation(line.lineNo, balance.warehouseId, balance.itemId, quantity, state.now);
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
  lineOf(demand, reservation.lineNo).reserved -= quantity;
  state.touchDemand(demand);
  reservation.fulfilled += quantity;
  if (reservation.fulfilled === reservation.quantity) {
    reservation.status = 'fulfilled';
    reservation.closedAt = state.now;
  }
  state.touchReservation(demand, reservation);
}

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
export function serveBefore(a: Backorder, b: Backorder): number {
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
  const filled = new Map<Demand, ChangedHold[]>();
  const freed = [...state.freed];
  state.freed.clear();
  for (const balance of freed) {
    if (balance.backordered === ZERO || availableToBackorders(balance) === ZERO) continue;
    const key = balanceKey(balance.orgId, balance.warehouseId, balance.itemId);
    const queue = state.queues.get(key);
    let hasServed = false;
    while (queue !== undefined && queue.length > 0 && availableToBackorders(balance) > ZERO) {
      const next = queue[0]!;
      const demand = state.demands.get(subjectKey(next.orgId, next.orderId));
      if (demand === undefined) break;
      const quantity = minQuantity(next.quantity, availableToBackorders(balance));
      const line = lineOf(demand, next.lineNo);
      dequeue(state, demand, next, quantity);
      hold(state, demand, line, balance, quantity);
      const lines = filled.get(demand) ?? [];
      lines.push(changedHold(line.lineNo, line.itemId, balance.warehouseId, quantity));
      filled.set(demand, lines);
      hasServed = true;
    }
    state.freed.delete(balance);
    // A queue that was read whole and served nobody will not do so the next time either.
    const mayGoOn = queue === undefined || hasServed || state.longQueues.has(key);
    if (mayGoOn && balance.backordered > ZERO && availableToBackorders(balance) > ZERO) state.unserved.add(balance);
  }
  for (const [demand, lines] of filled) state.emitAboutOrder(BackorderFilled, demand, meta, { orderId: demand.orderId, lines });
}

/**
 * Which holds a fact takes away until what is held fits what is sellable again: soft before firm, lowest priority, newest first; a hold
 * of the order itself. Asks for more holds when those read are not enough.
 */
export function planShorting(state: StockState, balance: Balance, sellableAfter: Quantity): { hold: OpenHold; quantity: Quantity }[] {
  let excess = balance.reserved - sellableAfter;
  if (excess <= ZERO) return [];
  const key = balanceKey(balance.orgId, balance.warehouseId, balance.itemId);
  const open = openHolds(state, balance);
  const isAll = sumQuantities(open, (candidate) => heldQuantity(candidate.reservation)) === balance.reserved;
  // Behind the last one that was read there may be others that come before what this batch knows by chance.
  const last = isAll ? null : state.lastHoldRead.get(key);
  const plan: { hold: OpenHold; quantity: Quantity }[] = [];
  for (const candidate of last === undefined ? [] : open) {
    if (last && takeBefore(last, turnOf(candidate)) < 0) break;
    const quantity = minQuantity(excess, heldQuantity(candidate.reservation));
    plan.push({ hold: candidate, quantity });
    excess -= quantity;
    if (excess === ZERO) return plan;
  }
  throw new NeedsMore({ balances: [key], holdsPerBalanceMax: Math.max(50, open.length * 10) });
}

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
  const shorted = new Map<Demand, ChangedHold[]>();
  for (const { hold: taken, quantity } of plan) {
    const { demand, reservation } = taken;
    const line = lineOf(demand, reservation.lineNo);
    release(state, demand, reservation, quantity, { status: 'released', reason: cause });
    enqueue(state, demand, line, balance, quantity);
    const lines = shorted.get(demand) ?? [];
    lines.push(changedHold(line.lineNo, line.itemId, balance.warehouseId, quantity));
    shorted.set(demand, lines);
  }
  for (const [demand, lines] of shorted) {
    state.emitAboutOrder(ReservationShorted, demand, meta, { orderId: demand.orderId, cause, lines });
  }
}

export function lineOf(demand: Demand, lineNo: number): DemandLine {
  const line = demand.lines.find((candidate) => candidate.lineNo === lineNo);
  if (line === undefined) throw new Error(`demand ${demand.orderId} has no line ${lineNo}, though a hold refers to it`);
  return line;
}

/** The open holds of an order, as its answers list them. */
export function heldLines(demand: Demand) {
  return demand.reservations
    .filter((reservation) => reservation.status === 'active')
    .map((reservation) => ({
      lineNo: reservation.lineNo,
      itemId: reservation.itemId,
      warehouseId: reservation.warehouseId,
      lot: null,
      quantity: formatQuantity(heldQuantity(reservation)),
      reservationId: reservation.reservationId,
    }));
}
