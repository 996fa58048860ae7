import { type MovementAnswer, type ShortLine, StockDepleted, StockDepletionFailed } from '#libs/contracts';
import { formatQuantity, minQuantity, parseQuantity, type Quantity, sumQuantities, ZERO } from '#libs/domain';
import { fingerprint } from '../fingerprint.js';
import { answered, type Outcome, type Ship } from '../stock-machine/commands.js';
import { dequeue, displace, fulfil, lineOfParts, partsByLot, release } from '../stock-machine/holds.js';
import { mayComeTooEarly, noteMessage, wasOvertaken } from '../stock-machine/message-order.js';
import { changeOf, newMovement, postMovement, requireCosts, type StockChange } from '../stock-machine/post-movement.js';
import type { PlacedPart } from '../stock-machine/quants.js';
import { isAwaitedByEvent, noteRefusal, refusedAnswer, refusedBefore } from '../stock-machine/refusals.js';
import { flagged, loseHolds, noteShortfalls, planLosses } from '../stock-machine/shortfalls.js';
import { type Balance, subjectKey } from '../stock-machine/balance.js';
import { type Demand, type DemandLine, emptyLine, heldQuantity, openQuantity, type Refusal, stockLines } from '../stock-machine/demand.js';
import { cogsOf, type PostedShipment, type ShipmentLine } from '../stock-machine/movement.js';
import type { StockState } from '../stock-machine/stock-state.js';
import { requireOwnBalances, tellHolds } from '../reservations/set-demand.js';
import { planTakings, type Taking } from './plan-takings.js';

/**
 * Posts what really left the warehouse, whether or not its order is known: takes the order's own hold first, then free stock; beyond that
 * the phase decides. Recognised for ever by `shipmentId` (docs/rules.md, "shipments").
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
  const plan = planTakings(state, demand, command);
  if ('reason' in plan) return refuse(state, demand, command, plan);
  const about = { refType: 'shipment', refId: command.shipmentId, orderId: command.orderId };
  if ('lines' in plan) {
    const noted = noteShortfalls(state, plan.shortfalls, about, command, true);
    return refuse(state, demand, command, { reason: 'INSUFFICIENT_STOCK', lines: plan.lines, discrepancyIds: [...noted.values()] });
  }
  const { takings } = plan;
  requireOwnBalances(state, demand);
  requireCosts(state, changesOf(takings));
  const lost = planLosses(state, changesOf(takings), plan.ended);

  // After this point it must succeed.
  noteMessage(demand, command.meta);
  const noted = noteShortfalls(state, plan.shortfalls, about, command, false);
  loseHolds(state, lost, 'shipped for another order', command.meta);
  const shipment = post(state, demand, command, takings, noted, print);
  for (const lineNo of new Set(command.lines.map((line) => line.lineNo))) {
    settleLine(
      state,
      demand,
      demand.lines.find((line) => line.lineNo === lineNo)!,
      command.closeShortLines === true,
    );
  }
  const outcome = depleted(state, demand, command, shipment);
  // What is held of another lot than was shipped is not told by what was shipped.
  if (demand.state === 'open' && takings.some(isSwapped)) tellHolds(state, demand, command.meta);
  return outcome;
}

/** Whether something else was taken than what was held. */
function isSwapped({ fromHolds, picks }: Taking): boolean {
  const isHeld = ({ quant, quantity }: PlacedPart) =>
    fromHolds.some(
      (held) => held.reservation.lot === quant.lot && held.reservation.location === quant.location && held.quantity === quantity,
    );
  return fromHolds.length > 0 && !picks.every(isHeld);
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

const changesOf = (takings: readonly Taking[]): StockChange[] =>
  takings.flatMap(({ balance, picks }) => picks.map(({ quant, quantity }) => changeOf(balance, quant, -quantity)));

function post(
  state: StockState,
  demand: Demand,
  command: Ship,
  takings: readonly Taking[],
  noted: ReadonlyMap<Balance, string>,
  print: string,
): PostedShipment {
  for (const taking of takings) {
    for (const { reservation, quantity } of taking.fromHolds) fulfil(state, demand, reservation, quantity);
    let line = demand.lines.find((candidate) => candidate.lineNo === taking.lineNo);
    if (line === undefined) {
      line = emptyLine(taking.lineNo, taking.itemId, null);
      demand.lines.push(line);
    }
    line.fulfilled += sumQuantities(taking.picks, (pick) => pick.quantity);
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
  const posted = postMovement(state, movement, flagged(changesOf(takings), noted), command.meta);
  for (const { balance, picks } of takings) {
    for (const { quant } of picks) {
      for (const moved of displace(state, balance, quant, 'shipped for another order', command.meta)) tellHolds(state, moved, command.meta);
    }
  }
  const lines = takings
    .flatMap(({ lineNo, itemId, balance, picks }) => picks.map((pick) => ({ lineNo, itemId, warehouseId: balance.warehouseId, ...pick })))
    .map(({ quant: { lot, location }, ...line }, index): ShipmentLine => {
      return { ...line, lot, location, cost: posted[index]!.parts, returned: ZERO, returnedValue: ZERO };
    });
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
  const told = shippedLines(shipment);
  state.emitAboutOrder(StockDepleted, demand, command.meta, { shipmentId: command.shipmentId, orderId: command.orderId, ...told });
  return answered({ status: 'done', sequence: demand.sequence, stock: stockLines(demand), ...told });
}

/** The same shipment again: a call is answered; an event of an outsider is answered by its event. */
function repeat(state: StockState, demand: Demand, command: Ship, shipment: PostedShipment): Outcome<MovementAnswer> {
  if (isAwaitedByEvent(command.meta)) return depleted(state, demand, command, shipment);
  return answered({ status: 'done', sequence: demand.sequence, stock: stockLines(demand), ...shippedLines(shipment) });
}

/** The lines of a shipment with their cost of goods sold. */
function shippedLines(shipment: PostedShipment) {
  const lines = partsByLot(shipment.lines).map((parts) => ({
    ...lineOfParts(parts),
    cogs: formatQuantity(sumQuantities(parts, cogsOf)),
  }));
  return { lines, cogsTotal: formatQuantity(sumQuantities(shipment.lines, cogsOf)) };
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
  // What was approved and cannot be done any more was answered when it was refused first.
  if (state.override !== null) return answered(refusedAnswer(demand, refusal));
  state.emitAboutOrder(StockDepletionFailed, demand, command.meta, {
    shipmentId: command.shipmentId,
    orderId: command.orderId,
    reason: refusal.reason,
    lines: [...refusal.lines],
    discrepancyIds: [...(refusal.discrepancyIds ?? [])],
  });
  return answered(refusedAnswer(demand, refusal));
}
