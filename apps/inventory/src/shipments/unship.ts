import { type MovementAnswer, type RefusalReason, ShipmentReversalFailed, ShipmentReversed } from '#libs/contracts';
import { maxQuantity, minQuantity, type Quantity, ZERO } from '#libs/domain';
import { free } from '../availability/available-to-promise.js';
import { answered, type Outcome, type Unship } from '../stock-machine/commands.js';
import { enqueue, hold, linesOfParts } from '../stock-machine/holds.js';
import { qualityOfIncoming } from '../stock-machine/lots.js';
import { mayComeTooEarly, noteMessage } from '../stock-machine/message-order.js';
import { changeOf, newMovement, postMovement, type StockChange, staysInRange } from '../stock-machine/post-movement.js';
import { isDetailed, quantAt, requireLot } from '../stock-machine/balance-quants.js';
import { livesUntil, NO_LOT, type QuantKey } from '../stock-machine/quants.js';
import { isAwaitedByEvent, noteRefusal, refusedAnswer, refusedBefore } from '../stock-machine/refusals.js';
import { type Balance, lotNameKey, subjectKey } from '../stock-machine/balance.js';
import { type Demand, type DemandLine, type Refusal, stockLines } from '../stock-machine/demand.js';
import type { PostedShipment, ShipmentLine } from '../stock-machine/movement.js';
import { requireEach } from '../stock-machine/needs-more.js';
import type { StockState } from '../stock-machine/stock-state.js';

/**
 * Takes a shipment back that did not happen after all: on hand rises again, and an open order holds again what came back. Refused when
 * a part of it was already returned by the customer.
 */
export function unship(state: StockState, command: Unship): Outcome<MovementAnswer> {
  const demand = state.demand(command.orgId, command.orderId);
  const before = refusedBefore(demand, command.meta);
  if (before !== undefined)
    return isAwaitedByEvent(command.meta) ? refused(state, demand, command, before) : answered(refusedAnswer(demand, before));
  const shipment = state.shipments.get(subjectKey(command.orgId, command.shipmentId));
  if (shipment === undefined || shipment.orderId !== command.orderId) {
    if (shipment === undefined && mayComeTooEarly(demand, command.meta)) {
      return { kind: 'too-early', waitingFor: `shipment ${command.shipmentId}` };
    }
    return refuse(state, demand, command, 'SHIPMENT_NOT_FOUND');
  }
  if (shipment.status === 'cancelled') return repeat(state, demand, command, shipment);
  if (isReturned(demand, shipment)) return refuse(state, demand, command, 'INVALID_STATE');
  const changes = shipment.lines.map(({ warehouseId, itemId, lot, location, quantity, cost }) => {
    const balance = state.existingBalance(command.orgId, warehouseId, itemId);
    const quality = qualityOfIncoming(state, balance, lot, 'available');
    // Into the layers that it came from.
    return { ...changeOf(balance, { lot, location, quality }, quantity), parts: cost };
  });
  requireEach(changes, ({ balance, lot = NO_LOT }) => isDetailed(balance) && requireLot(balance, lot));
  // A piece that was received again meanwhile is in stock: it was shipped after all.
  if (changes.some(({ balance, lot = NO_LOT }) => state.lots.get(lotNameKey(balance.orgId, balance.itemId, lot))?.isStocked === true)) {
    return refuse(state, demand, command, 'INVALID_STATE');
  }
  if (!staysInRange(state, changes)) return refuse(state, demand, command, 'INVALID_STATE');

  // After this point it must succeed.
  noteMessage(demand, command.meta);
  shipment.status = 'cancelled';
  state.changedShipments.add(shipment);
  const movement = newMovement(
    {
      orgId: command.orgId,
      movementType: 'shipment_cancel',
      refType: 'shipment',
      refId: command.shipmentId,
      orderId: command.orderId,
      reason: command.reason ?? null,
    },
    command.meta,
    state.now,
  );
  postMovement(state, movement, changes, command.meta);
  shipment.lines.forEach((shipped, index) => {
    const line = demand.lines.find((candidate) => candidate.lineNo === shipped.lineNo)!;
    takeBack(state, demand, line, changes[index]!, shipped);
  });
  demand.lines = demand.lines.filter((line) => line.requested > ZERO || line.returned > ZERO);
  state.touchDemand(demand);
  return reversed(state, demand, command, shipment);
}

/**
 * What the order asks for is held again, as far as it may hold anything, or waits; what it never asked for, or
 * not any more, is forgotten.
 */
function takeBack(
  state: StockState,
  demand: Demand,
  line: DemandLine,
  { balance, quality }: StockChange,
  { lot, location, quantity }: ShipmentLine,
): void {
  const unasked = minQuantity(quantity, line.unasked);
  line.fulfilled -= quantity;
  line.requested -= unasked;
  line.unasked -= unasked;
  const asked = quantity - unasked;
  const quant = { lot, location, quality };
  if (demand.state === 'open') {
    // What has expired or was recalled while it was away cannot be held again: the order waits for other stock.
    // Nor what only makes good that something is missing, in all or where it comes back to.
    const held = quality === 'available' && isAlive(state, balance, quant) ? minQuantity(asked, roomAt(state, balance, quant)) : ZERO;
    hold(state, demand, line, balance, held, [{ quant, quantity: held }]);
    enqueue(state, demand, line, balance, asked - held);
  } else if (demand.state === 'closed') line.closed += asked;
  else line.unheld += asked;
}

function roomAt(state: StockState, balance: Balance, key: QuantKey): Quantity {
  const { quantity, reserved } = quantAt(state, balance, key);
  return maxQuantity(minQuantity(free(balance), quantity - reserved), ZERO);
}

const isAlive = (state: StockState, balance: Balance, quant: QuantKey) =>
  !isDetailed(balance) || livesUntil(quantAt(state, balance, quant), state.now);

/** Whether more of a line was returned than would be left of it; all that the shipment took for the line counts together. */
function isReturned(demand: Demand, shipment: PostedShipment): boolean {
  const back = new Map<number, Quantity>();
  for (const { lineNo, quantity } of shipment.lines) back.set(lineNo, (back.get(lineNo) ?? ZERO) + quantity);
  // Part of what it cost came back with a return: it was shipped.
  if (shipment.lines.some((line) => line.returned > ZERO)) return true;
  return [...back].some(([lineNo, quantity]) => {
    const line = demand.lines.find((candidate) => candidate.lineNo === lineNo);
    return line === undefined || line.returned > line.fulfilled - quantity;
  });
}

function repeat(state: StockState, demand: Demand, command: Unship, shipment: PostedShipment): Outcome<MovementAnswer> {
  if (isAwaitedByEvent(command.meta)) return reversed(state, demand, command, shipment);
  return answered({ status: 'done', sequence: demand.sequence, stock: stockLines(demand), lines: linesOfParts(shipment.lines) });
}

function reversed(state: StockState, demand: Demand, command: Unship, shipment: PostedShipment): Outcome<MovementAnswer> {
  const lines = linesOfParts(shipment.lines);
  state.emitAboutOrder(ShipmentReversed, demand, command.meta, { shipmentId: command.shipmentId, orderId: command.orderId, lines });
  return answered({ status: 'done', sequence: demand.sequence, stock: stockLines(demand), lines });
}

function refuse(state: StockState, demand: Demand, command: Unship, reason: RefusalReason): Outcome<MovementAnswer> {
  const refusal = { reason, lines: [] };
  noteRefusal(demand, command.meta, refusal);
  return refused(state, demand, command, refusal);
}

function refused(state: StockState, demand: Demand, command: Unship, refusal: Refusal): Outcome<MovementAnswer> {
  const { shipmentId, orderId } = command;
  state.emitAboutOrder(ShipmentReversalFailed, demand, command.meta, { shipmentId, orderId, reason: refusal.reason, lines: [] });
  return answered(refusedAnswer(demand, refusal));
}
