import { type MovementAnswer, type RefusalReason, StockReturned, StockReturnFailed } from '#libs/contracts';
import { formatQuantity, parseQuantity, type Quantity, ZERO } from '#libs/domain';
import { fingerprint } from '../fingerprint.js';
import { answered, type Outcome, type ReceiveReturn } from '../stock-machine/commands.js';
import { countOf, mayComeTooEarly, noteMessage } from '../stock-machine/message-order.js';
import { newMovement, postMovement, staysInRange } from '../stock-machine/post-movement.js';
import { isAwaitedByEvent, noteRefusal, refusedAnswer, refusedBefore } from '../stock-machine/refusals.js';
import {
  type Balance,
  type Demand,
  emptyLine,
  type Quality,
  type ReceivedReturn,
  type Refusal,
  type ReturnLine,
  type StockState,
  stockLines,
  subjectKey,
} from '../stock-machine/stock-state.js';

/**
 * Takes goods back that a customer sent: on hand rises at once, blocked until they are inspected. Never more than was shipped of a known
 * order; goods of an unknown order are taken in all the same. Recognised for ever by `returnId` (docs/rules.md, "returns").
 */
export function receiveReturn(state: StockState, command: ReceiveReturn): Outcome<MovementAnswer> {
  const demand = state.demand(command.orgId, command.orderId);
  const print = fingerprint({ orderId: command.orderId, warehouseId: command.warehouseId, lines: command.lines });
  const known = state.returns.get(subjectKey(command.orgId, command.returnId));
  if (known !== undefined) {
    if (known.fingerprint !== print) return refuse(state, demand, command, 'ALREADY_EXISTS');
    return repeat(state, demand, command, known);
  }
  const before = refusedBefore(demand, command.meta);
  if (before !== undefined) return repeatRefusal(state, demand, command, before);
  const balances: Balance[] = [];
  for (const line of command.lines) {
    if (line.lot !== undefined) return refuse(state, demand, command, 'LOT_NOT_FOUND');
    if (state.unknownItems.has(`${command.orgId}/${line.itemId}`)) return refuse(state, demand, command, 'ITEM_NOT_FOUND');
    const balance = state.balance(command.orgId, command.warehouseId, line.itemId);
    if (balance === undefined) return refuse(state, demand, command, 'WAREHOUSE_NOT_FOUND');
    balances.push(balance);
  }
  const back = command.lines.map((line, index) => ({ balance: balances[index]!, delta: parseQuantity(line.quantity) }));
  if (mixesItems(demand, command) || !staysInRange(back)) return refuse(state, demand, command, 'INVALID_STATE');
  // A message that is far ahead may tell of an order or a shipment that is still under way.
  const isFarAhead = countOf(demand, command.meta) !== undefined && mayComeTooEarly(demand, command.meta);
  if (isUnknown(demand) ? isFarAhead : exceedsShipped(demand, command) && mayComeTooEarly(demand, command.meta)) {
    return { kind: 'too-early', waitingFor: `the shipment of order ${command.orderId}` };
  }
  if (!isUnknown(demand) && exceedsShipped(demand, command)) return refuse(state, demand, command, 'EXCEEDS_SHIPPED');

  // After this point it must succeed.
  noteMessage(demand, command.meta);
  const received = post(state, demand, command, balances, print);
  return returned(state, demand, command, received);
}

/** Nothing was ever heard of the order but returns. */
function isUnknown(demand: Demand): boolean {
  return demand.state === 'awaiting_order' && demand.lines.every((line) => line.fulfilled === ZERO);
}

/** A line is about one item: within the return, and as it was shipped or returned before. */
function mixesItems(demand: Demand, command: ReceiveReturn): boolean {
  const moved = demand.lines.filter((line) => line.fulfilled > ZERO || line.returned > ZERO);
  const items = new Map([...command.lines, ...moved].map((line) => [line.lineNo, line.itemId]));
  return command.lines.some((line) => items.get(line.lineNo) !== line.itemId);
}

function exceedsShipped(demand: Demand, command: ReceiveReturn): boolean {
  const back = new Map<number, Quantity>();
  for (const line of command.lines) back.set(line.lineNo, (back.get(line.lineNo) ?? ZERO) + parseQuantity(line.quantity));
  return [...back].some(([lineNo, quantity]) => {
    const itemId = command.lines.find((line) => line.lineNo === lineNo)!.itemId;
    const line = demand.lines.find((candidate) => candidate.lineNo === lineNo && candidate.itemId === itemId);
    return line === undefined || line.returned + quantity > line.fulfilled;
  });
}

/** Returned goods wait for inspection, unless the organisation trusts the condition that was reported. */
function qualityOf(state: StockState, command: ReceiveReturn, condition: ReceiveReturn['lines'][number]['condition']): Quality {
  if (state.settingsOf(command.orgId).returnQuarantine) return 'pending_inspection';
  if (condition === 'resellable') return 'available';
  return condition === 'damaged' ? 'damaged' : 'pending_inspection';
}

function post(state: StockState, demand: Demand, command: ReceiveReturn, balances: readonly Balance[], print: string): ReceivedReturn {
  const movement = newMovement(
    {
      orgId: command.orgId,
      movementType: 'sales_return',
      refType: 'return',
      refId: command.returnId,
      orderId: command.orderId,
      fingerprint: print,
      lines: command.lines,
    },
    command.meta,
    state.now,
  );
  const qualities = command.lines.map((line) => qualityOf(state, command, line.condition));
  postMovement(
    state,
    movement,
    command.lines.map((line, index) => ({ balance: balances[index]!, quality: qualities[index]!, delta: parseQuantity(line.quantity) })),
    command.meta,
  );
  const lines = command.lines.map((line, index): ReturnLine => {
    let ordered = demand.lines.find((candidate) => candidate.lineNo === line.lineNo);
    if (ordered === undefined) {
      ordered = emptyLine(line.lineNo, line.itemId, null);
      demand.lines.push(ordered);
    }
    ordered.returned += parseQuantity(line.quantity);
    return {
      lineNo: line.lineNo,
      itemId: line.itemId,
      warehouseId: command.warehouseId,
      quantity: parseQuantity(line.quantity),
      quality: qualities[index]!,
      balanceAfter: balances[index]!.onHand,
      inspected: ZERO,
    };
  });
  state.touchDemand(demand);
  const received: ReceivedReturn = {
    orgId: command.orgId,
    returnId: command.returnId,
    orderId: command.orderId,
    movementId: movement.movementId,
    fingerprint: print,
    lines,
    inspections: [],
  };
  state.returns.set(subjectKey(command.orgId, command.returnId), received);
  state.changedReturns.add(received);
  return received;
}

function returned(state: StockState, demand: Demand, command: ReceiveReturn, received: ReceivedReturn): Outcome<MovementAnswer> {
  const lines = returnedLines(received);
  state.emitAboutOrder(StockReturned, demand, command.meta, { returnId: command.returnId, orderId: command.orderId, lines });
  return answered({ status: 'done', sequence: demand.sequence, stock: stockLines(demand), lines });
}

function repeat(state: StockState, demand: Demand, command: ReceiveReturn, received: ReceivedReturn): Outcome<MovementAnswer> {
  if (isAwaitedByEvent(command.meta)) return returned(state, demand, command, received);
  return answered({ status: 'done', sequence: demand.sequence, stock: stockLines(demand), lines: returnedLines(received) });
}

/** Returns are valued when costing exists; until then `unitCost` is null. */
export function returnedLines(received: ReceivedReturn) {
  return received.lines.map((line) => ({
    lineNo: line.lineNo,
    itemId: line.itemId,
    warehouseId: line.warehouseId,
    lot: null,
    quantity: formatQuantity(line.quantity),
    quality: line.quality,
    unitCost: null,
    balanceAfter: formatQuantity(line.balanceAfter),
  }));
}

type AboutReturn = Pick<ReceiveReturn, 'returnId' | 'orderId' | 'meta'>;

/** Refuses a return or its inspection. */
export function refuse(state: StockState, demand: Demand, command: AboutReturn, reason: RefusalReason): Outcome<MovementAnswer> {
  const refusal = { reason, lines: [] };
  noteRefusal(demand, command.meta, refusal);
  return refused(state, demand, command, refusal);
}

/** The same refused message again is not decided anew. */
export function repeatRefusal(state: StockState, demand: Demand, command: AboutReturn, refusal: Refusal): Outcome<MovementAnswer> {
  return isAwaitedByEvent(command.meta) ? refused(state, demand, command, refusal) : answered(refusedAnswer(demand, refusal));
}

function refused(state: StockState, demand: Demand, command: AboutReturn, refusal: Refusal): Outcome<MovementAnswer> {
  const { returnId, orderId } = command;
  state.emitAboutOrder(StockReturnFailed, demand, command.meta, { returnId, orderId, reason: refusal.reason, lines: [] });
  return answered(refusedAnswer(demand, refusal));
}
