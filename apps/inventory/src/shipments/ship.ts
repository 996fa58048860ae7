import { type MovementAnswer, type RefusalReason, type ShortLine, StockDepleted, StockDepletionFailed } from '#libs/contracts';
import { formatQuantity, minQuantity, parseQuantity, type Quantity, sumQuantities, ZERO } from '#libs/domain';
import { fingerprint } from '../fingerprint.js';
import { free } from '../availability/available-to-promise.js';
import { answered, type Outcome, type Ship } from '../stock-machine/commands.js';
import { dequeue, fulfil, release } from '../stock-machine/holds.js';
import { mayComeTooEarly, noteMessage, wasOvertaken } from '../stock-machine/message-order.js';
import { newMovement, postMovement } from '../stock-machine/post-movement.js';
import { isAwaitedByEvent, noteRefusal, refusedAnswer, refusedBefore } from '../stock-machine/refusals.js';
import {
  type Balance,
  type Demand,
  type DemandLine,
  emptyLine,
  heldQuantity,
  openQuantity,
  type PostedShipment,
  type Refusal,
  type Reservation,
  type ShipmentLine,
  type StockState,
  stockLines,
  subjectKey,
} from '../stock-machine/stock-state.js';
import { requireOwnBalances } from '../reservations/set-demand.js';

/** Where a shipped quantity comes from: the order's own holds first, the rest from free stock. */
interface Taking {
  readonly lineNo: number;
  readonly itemId: string;
  readonly balance: Balance;
  readonly quantity: Quantity;
  readonly fromHolds: readonly { reservation: Reservation; quantity: Quantity }[];
}

/**
 * Posts what really left the warehouse, whether or not its order is known: takes the order's own hold first, then free stock, and never
 * another order's hold. Recognised for ever by `shipmentId` (docs/rules.md, "shipments").
 */
export function ship(state: StockState, command: Ship): Outcome<MovementAnswer> {
  const demand = state.demand(command.orgId, command.orderId);
  const print = fingerprint({ orderId: command.orderId, lines: command.lines, closeShortLines: command.closeShortLines });
  const known = state.shipments.get(subjectKey(command.orgId, command.shipmentId));
  if (known !== undefined) {
    if (known.fingerprint !== print) return refuse(state, demand, command, { reason: 'ALREADY_EXISTS', lines: [] });
    return repeat(state, demand, command, known);
  }
  const refusal = refusedBefore(demand, command.meta);
  if (refusal !== undefined) return repeatRefusal(state, demand, command, refusal);
  if (demand.state === 'closed' && !wasOvertaken(demand, command.meta)) {
    return refuse(state, demand, command, { reason: 'ORDER_CANCELLED', lines: [] });
  }
  const excess = exceedsRequested(demand, command);
  if (excess !== null) {
    if (mayComeTooEarly(demand, command.meta)) return { kind: 'too-early', waitingFor: `the amendment of order ${command.orderId}` };
    return refuse(state, demand, command, excess);
  }
  const takings = planTakings(state, demand, command);
  if ('reason' in takings) return refuse(state, demand, command, takings);
  requireOwnBalances(state, demand);

  // After this point it must succeed.
  noteMessage(demand, command.meta);
  const shipment = post(state, demand, command, takings, print);
  for (const lineNo of new Set(command.lines.map((line) => line.lineNo))) {
    settleLine(
      state,
      demand,
      demand.lines.find((line) => line.lineNo === lineNo)!,
      command.closeShortLines === true,
    );
  }
  return depleted(state, demand, command, shipment);
}

/** More than the order still wants; what an unknown order wants, or one whose totals have changed since, is what it ships. */
function exceedsRequested(demand: Demand, command: Ship): Refusal | null {
  if (demand.state === 'awaiting_order' || wasOvertaken(demand, command.meta)) return null;
  const shipped = new Map<number, Quantity>();
  for (const line of command.lines) shipped.set(line.lineNo, (shipped.get(line.lineNo) ?? ZERO) + parseQuantity(line.quantity));
  const lines: ShortLine[] = [];
  for (const [lineNo, quantity] of shipped) {
    const asked = command.lines.find((line) => line.lineNo === lineNo)!;
    const known = demand.lines.find((line) => line.lineNo === lineNo && line.itemId === asked.itemId);
    const open = known === undefined ? ZERO : openQuantity(known);
    if (quantity > open) {
      lines.push({
        lineNo,
        itemId: asked.itemId,
        warehouseId: asked.warehouseId ?? command.warehouseId ?? null,
        requested: formatQuantity(quantity),
        available: formatQuantity(open),
      });
    }
  }
  return lines.length > 0 ? { reason: 'EXCEEDS_REQUESTED', lines } : null;
}

/** Finds the stock for every line, all lines together. Changes nothing. */
function planTakings(state: StockState, demand: Demand, command: Ship): Taking[] | Refusal {
  const takings: Taking[] = [];
  const usedHold = new Map<Reservation, Quantity>();
  const usedFree = new Map<Balance, Quantity>();
  const short: ShortLine[] = [];
  // A line is about one item, in the order as within the shipment.
  const items = new Map([...command.lines, ...demand.lines].map((line) => [line.lineNo, line.itemId]));
  for (const line of command.lines) {
    const requested = formatQuantity(parseQuantity(line.quantity));
    const refused = (reason: RefusalReason, available = ZERO, warehouseId: string | null = null): Refusal => ({
      reason,
      lines: [{ lineNo: line.lineNo, itemId: line.itemId, warehouseId, requested, available: formatQuantity(available) }],
    });
    if (line.lot !== undefined || (line.lots?.length ?? 0) > 0) return refused('LOT_NOT_FOUND');
    if (state.unknownItems.has(`${command.orgId}/${line.itemId}`)) return refused('ITEM_NOT_FOUND');
    if (items.get(line.lineNo) !== line.itemId) return refused('INVALID_STATE');

    const sources = sourcesOf(state, demand, command, line);
    if (sources.length === 0) return refused('WAREHOUSE_NOT_FOUND');
    let open = parseQuantity(line.quantity);
    const fromOwnLine: Taking[] = [];
    for (const balance of sources) {
      const holds = ownHolds(demand, line.lineNo, balance, usedHold);
      const held = sumQuantities(holds, (entry) => entry.quantity);
      const freeHere = free(balance) - (usedFree.get(balance) ?? ZERO);
      const quantity = minQuantity(open, held + freeHere);
      if (quantity <= ZERO) continue;
      const fromHolds: { reservation: Reservation; quantity: Quantity }[] = [];
      let rest = quantity;
      for (const entry of holds) {
        const part = minQuantity(rest, entry.quantity);
        if (part <= ZERO) break;
        fromHolds.push({ reservation: entry.reservation, quantity: part });
        rest -= part;
      }
      fromOwnLine.push({ lineNo: line.lineNo, itemId: line.itemId, balance, quantity, fromHolds });
      open -= quantity;
      for (const entry of fromHolds) usedHold.set(entry.reservation, (usedHold.get(entry.reservation) ?? ZERO) + entry.quantity);
      usedFree.set(balance, (usedFree.get(balance) ?? ZERO) + rest);
      if (open === ZERO) break;
    }
    if (open > ZERO) {
      const there = parseQuantity(line.quantity) - open;
      short.push(...refused('INSUFFICIENT_STOCK', there, sources[0]!.warehouseId).lines);
    }
    takings.push(...fromOwnLine);
  }
  return short.length > 0 ? { reason: 'INSUFFICIENT_STOCK', lines: short } : takings;
}

/**
 * The balances a line is taken from: the warehouse that the shipment names; else those that hold it, then the first by priority that
 * covers it.
 */
function sourcesOf(state: StockState, demand: Demand, command: Ship, line: Ship['lines'][number]): Balance[] {
  const named = line.warehouseId ?? command.warehouseId;
  if (named !== undefined) {
    const balance = state.balance(command.orgId, named, line.itemId);
    return balance === undefined ? [] : [balance];
  }
  const holding = demand.reservations
    .filter((reservation) => reservation.lineNo === line.lineNo && reservation.itemId === line.itemId && heldQuantity(reservation) > ZERO)
    .map((reservation) => state.existingBalance(command.orgId, reservation.warehouseId, line.itemId));
  const quantity = parseQuantity(line.quantity);
  const others: Balance[] = [];
  for (const { warehouseId } of state.warehousesOf(command.orgId)) {
    const balance = state.balances.get(`${command.orgId}/${warehouseId}/${line.itemId}`);
    if (balance !== undefined && !holding.includes(balance)) others.push(balance);
  }
  const covering = others.find((balance) => free(balance) >= quantity);
  return [...new Set([...holding, ...(covering === undefined ? others : [covering])])];
}

function ownHolds(demand: Demand, lineNo: number, balance: Balance, used: ReadonlyMap<Reservation, Quantity>) {
  return demand.reservations
    .filter((r) => r.lineNo === lineNo && r.warehouseId === balance.warehouseId && r.itemId === balance.itemId)
    .map((reservation) => ({ reservation, quantity: heldQuantity(reservation) - (used.get(reservation) ?? ZERO) }))
    .filter((entry) => entry.quantity > ZERO);
}

function post(state: StockState, demand: Demand, command: Ship, takings: readonly Taking[], print: string): PostedShipment {
  const lines: ShipmentLine[] = takings.map((taking) => ({
    lineNo: taking.lineNo,
    itemId: taking.itemId,
    warehouseId: taking.balance.warehouseId,
    quantity: taking.quantity,
  }));
  for (const taking of takings) {
    for (const { reservation, quantity } of taking.fromHolds) fulfil(state, demand, reservation, quantity);
    let line = demand.lines.find((candidate) => candidate.lineNo === taking.lineNo);
    if (line === undefined) {
      line = emptyLine(taking.lineNo, taking.itemId, null);
      demand.lines.push(line);
    }
    line.fulfilled += taking.quantity;
  }
  state.touchDemand(demand);
  const movement = newMovement(
    {
      orgId: command.orgId,
      movementType: 'sale_shipment',
      refType: 'shipment',
      refId: command.shipmentId,
      orderId: command.orderId,
      fingerprint: print,
      lines: command.lines,
      ...(command.shippedAt === undefined ? {} : { occurredAt: new Date(command.shippedAt) }),
    },
    command.meta,
    state.now,
  );
  postMovement(
    state,
    movement,
    takings.map((taking) => ({ balance: taking.balance, quality: 'available' as const, delta: -taking.quantity })),
    command.meta,
  );
  const shipment: PostedShipment = {
    orgId: command.orgId,
    shipmentId: command.shipmentId,
    orderId: command.orderId,
    movementId: movement.movementId,
    fingerprint: print,
    status: 'posted',
    lines,
  };
  state.shipments.set(subjectKey(command.orgId, command.shipmentId), shipment);
  state.changedShipments.add(shipment);
  return shipment;
}

/**
 * Makes a line's parts add up again after `fulfilled` rose: what was shipped from free stock no longer needs the hold or the place in the
 * queue that the line still has, and a short line is closed when the shipment says so.
 */
function settleLine(state: StockState, demand: Demand, line: DemandLine, closeShort: boolean): void {
  const unasked = line.fulfilled - line.requested;
  if (unasked > ZERO) {
    line.requested += unasked;
    line.unasked += unasked;
  }
  // What was closed short and yet shipped, by an overtaken shipment, is not closed.
  line.closed = minQuantity(line.closed, line.requested - line.fulfilled);
  if (demand.state === 'closed') {
    line.closed = line.requested - line.fulfilled;
    return;
  }
  let surplus = line.reserved + line.backordered + line.unheld - (closeShort ? ZERO : openQuantity(line));
  const fromUnheld = minQuantity(surplus, line.unheld);
  line.unheld -= fromUnheld;
  surplus -= fromUnheld;
  for (const backorder of demand.backorders.filter((candidate) => candidate.lineNo === line.lineNo)) {
    const quantity = minQuantity(surplus, backorder.quantity);
    dequeue(state, demand, backorder, quantity);
    surplus -= quantity;
  }
  for (const reservation of demand.reservations.filter((candidate) => candidate.lineNo === line.lineNo)) {
    const quantity = minQuantity(surplus, heldQuantity(reservation));
    release(state, demand, reservation, quantity, { status: 'released', reason: closeShort ? 'closed short' : 'shipped from elsewhere' });
    surplus -= quantity;
  }
  if (closeShort) line.closed = line.requested - line.fulfilled;
}

function depleted(state: StockState, demand: Demand, command: Ship, shipment: PostedShipment): Outcome<MovementAnswer> {
  const lines = shippedLines(shipment);
  state.emitAboutOrder(StockDepleted, demand, command.meta, {
    shipmentId: command.shipmentId,
    orderId: command.orderId,
    lines,
    cogsTotal: null,
  });
  return answered({ status: 'done', sequence: demand.sequence, stock: stockLines(demand), lines, cogsTotal: null });
}

/** The same shipment again: a call is answered; an event of an outsider is answered by its event. */
function repeat(state: StockState, demand: Demand, command: Ship, shipment: PostedShipment): Outcome<MovementAnswer> {
  if (isAwaitedByEvent(command.meta)) return depleted(state, demand, command, shipment);
  return answered({ status: 'done', sequence: demand.sequence, stock: stockLines(demand), lines: shippedLines(shipment), cogsTotal: null });
}

function shippedLines(shipment: PostedShipment) {
  return shipment.lines.map((line) => ({ ...line, lot: null, quantity: formatQuantity(line.quantity), cogs: null }));
}

function refuse(state: StockState, demand: Demand, command: Ship, refusal: Refusal): Outcome<MovementAnswer> {
  noteRefusal(demand, command.meta, refusal);
  return refused(state, demand, command, refusal);
}

/** The same refused message again is not decided anew. */
function repeatRefusal(state: StockState, demand: Demand, command: Ship, refusal: Refusal): Outcome<MovementAnswer> {
  return isAwaitedByEvent(command.meta) ? refused(state, demand, command, refusal) : answered(refusedAnswer(demand, refusal));
}

function refused(state: StockState, demand: Demand, command: Ship, refusal: Refusal): Outcome<MovementAnswer> {
  state.emitAboutOrder(StockDepletionFailed, demand, command.meta, {
    shipmentId: command.shipmentId,
    orderId: command.orderId,
    reason: refusal.reason,
    lines: [...refusal.lines],
    discrepancyIds: [],
  });
  return answered(refusedAnswer(demand, refusal));
}
