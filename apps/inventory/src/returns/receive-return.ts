import { type MovementAnswer, type RefusalReason, StockReturned, StockReturnFailed } from '#libs/contracts';
import {
  formatQuantity,
  minQuantity,
  type Money,
  mulDiv,
  parseQuantity,
  type Quantity,
  sumQuantities,
  unitCostOf,
  SCALE,
  ZERO,
} from '#libs/domain';
import type { CostPart } from '../costing/cost-layers.js';
import { fingerprint } from '../fingerprint.js';
import { answered, type Outcome, type ReceiveReturn } from '../stock-machine/commands.js';
import { countOf, mayComeTooEarly, noteMessage } from '../stock-machine/message-order.js';
import { lotOrNull } from '../stock-machine/holds.js';
import { enterLots, qualityOfIncoming } from '../stock-machine/lots.js';
import { changeOf, newMovement, postMovement, type StockChange, staysInRange } from '../stock-machine/post-movement.js';
import { isDetailed, requireLot, splitsPieces } from '../stock-machine/balance-quants.js';
import { DEFAULT_LOCATION, NO_LOT, type Quality, type QuantKey } from '../stock-machine/quants.js';
import { isAwaitedByEvent, noteRefusal, refusedAnswer, refusedBefore } from '../stock-machine/refusals.js';
import { type Balance, lotNameKey, subjectKey } from '../stock-machine/balance.js';
import { type Demand, emptyLine, type Refusal, stockLines } from '../stock-machine/demand.js';
import { cogsOf, type ReceivedReturn, type ReturnLine, type ShipmentLine } from '../stock-machine/movement.js';
import { requireEach } from '../stock-machine/needs-more.js';
import type { StockState } from '../stock-machine/stock-state.js';

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
    if (state.unknownItems.has(`${command.orgId}/${line.itemId}`)) return refuse(state, demand, command, 'ITEM_NOT_FOUND');
    const balance = state.balance(command.orgId, command.warehouseId, line.itemId);
    if (balance === undefined) return refuse(state, demand, command, 'WAREHOUSE_NOT_FOUND');
    balances.push(balance);
  }
  const back = command.lines.map((line, index) => ({ balance: balances[index]!, delta: parseQuantity(line.quantity) }));
  if (back.some(({ balance, delta }) => splitsPieces(balance, delta))) return refuse(state, demand, command, 'INVALID_STATE');
  if (mixesItems(demand, command) || !staysInRange(state, back)) return refuse(state, demand, command, 'INVALID_STATE');
  // A message that is far ahead may tell of an order or a shipment that is still under way.
  const isFarAhead = countOf(demand, command.meta) !== undefined && mayComeTooEarly(demand, command.meta);
  if (isUnknown(demand) ? isFarAhead : exceedsShipped(demand, command) && mayComeTooEarly(demand, command.meta)) {
    return { kind: 'too-early', waitingFor: `the shipment of order ${command.orderId}` };
  }
  if (!isUnknown(demand) && exceedsShipped(demand, command)) return refuse(state, demand, command, 'EXCEEDS_SHIPPED');
  const parts = planParts(state, demand, command, balances);
  if (typeof parts === 'string') return refuse(state, demand, command, parts);
  requireEach(parts, ({ balance, lot }) => isDetailed(balance) && requireLot(balance, lot));
  const changes = parts.map((part) => ({
    ...changeOf(part.balance, part, part.quantity),
    parts: part.cost,
    flagged: part.from?.lot !== part.lot,
  }));

  // After this point it must succeed.
  noteMessage(demand, command.meta);
  const received = post(state, demand, command, parts, changes, print);
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

/** A part of a returned line: of one lot, and of one line that was shipped. */
interface ReturnPart extends QuantKey {
  readonly lineNo: number;
  readonly balance: Balance;
  readonly quantity: Quantity;
  /** What it was shipped as; null when that is not known. */
  readonly from: ShipmentLine | null;
  /** What it costs: a share of what it left with; empty = the current cost. */
  readonly cost: readonly CostPart[];
}

/** Goods of a tracked item of which nobody knows the lot any more. */
const UNKNOWN_LOT = 'unknown';

/**
 * Matches what came back with what was shipped: with the lot that is named, then with the oldest that is not fully returned, also where more
 * of a lot comes back than was shipped of it. It comes back at the cost it left with. What was shipped before costs were kept, or for an order
 * that nobody knows, has none.
 */
function planParts(state: StockState, demand: Demand, command: ReceiveReturn, balances: readonly Balance[]): ReturnPart[] | RefusalReason {
  const shipped = state
    .shipmentsOf(demand.orgId, demand.orderId)
    .filter((shipment) => shipment.status === 'posted')
    .flatMap((shipment) => shipment.lines);
  for (const [index, { lot }] of command.lines.entries()) {
    const { tracking, orgId, itemId } = balances[index]!;
    if (lot !== undefined && (tracking === 'none' || !state.lots.has(lotNameKey(orgId, itemId, lot)))) return 'LOT_NOT_FOUND';
  }
  const back = new Map<ShipmentLine, { quantity: Quantity; value: Money }>();
  const open = command.lines.map((line) => parseQuantity(line.quantity));
  const parts: ReturnPart[][] = command.lines.map(() => []);
  const take = (index: number, lot: string, quantity: Quantity, from: ShipmentLine | null, cost: readonly CostPart[]) => {
    const { lineNo, condition } = command.lines[index]!;
    const balance = balances[index]!;
    const quality = qualityOfIncoming(state, balance, lot, qualityOf(state, command, condition));
    parts[index]!.push({ lineNo, balance, lot, location: DEFAULT_LOCATION, quality, quantity, from, cost });
    open[index]! -= quantity;
  };
  // Lots that are named come first: what is of no lot, or beyond what was shipped of one, takes what they leave.
  for (const isNamed of [true, false]) {
    for (const [index, { lineNo, itemId, lot }] of command.lines.entries()) {
      for (const from of shipped) {
        if (from.lineNo !== lineNo || from.itemId !== itemId || (isNamed && from.lot !== lot)) continue;
        const already = back.get(from) ?? { quantity: from.returned, value: from.returnedValue };
        const quantity = minQuantity(open[index]!, from.quantity - already.quantity);
        if (quantity <= ZERO) continue;
        const cost = shareOf(from, already, quantity);
        back.set(from, { quantity: already.quantity + quantity, value: already.value + sumQuantities(cost, ({ value }) => value) });
        take(index, lot ?? from.lot, quantity, from, cost);
      }
    }
  }
  for (const [index, { lot }] of command.lines.entries()) {
    if (open[index] === ZERO) continue;
    const { tracking } = balances[index]!;
    if (tracking === 'serial' && lot === undefined) return 'LOT_NOT_FOUND';
    take(index, lot ?? (tracking === 'none' ? NO_LOT : UNKNOWN_LOT), open[index]!, null, []);
  }
  return isOnePieceEach(state, parts.flat()) ? parts.flat() : 'INVALID_STATE';
}

/** Whether each piece with a serial number comes back as one, once, and is not in stock already. */
function isOnePieceEach(state: StockState, parts: readonly ReturnPart[]): boolean {
  const pieces = parts.filter(({ balance }) => balance.tracking === 'serial');
  const keys = new Set(pieces.map(({ balance, lot }) => lotNameKey(balance.orgId, balance.itemId, lot)));
  if (keys.size < pieces.length || pieces.some(({ quantity }) => quantity !== SCALE)) return false;
  return [...keys].every((key) => state.lots.get(key)?.isStocked !== true);
}

/** The cost of a part of what was shipped: the last part takes what is left. */
function shareOf(from: ShipmentLine, already: { quantity: Quantity; value: Money }, quantity: Quantity): CostPart[] {
  const [first] = from.cost;
  if (first === undefined) return [];
  const value = mulDiv(cogsOf(from) - already.value, quantity, from.quantity - already.quantity);
  // Of several layers it is told no more which part came from which: it takes the place of the oldest.
  return [{ receivedAt: first.receivedAt, receiptId: from.cost.length === 1 ? first.receiptId : null, quantity, value }];
}

function post(
  state: StockState,
  demand: Demand,
  command: ReceiveReturn,
  parts: readonly ReturnPart[],
  changes: readonly StockChange[],
  print: string,
): ReceivedReturn {
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
  enterLots(
    state,
    parts.flatMap(({ balance, lot, quantity }) => (lot === NO_LOT ? [] : [{ balance, lot, quantity: formatQuantity(quantity) }])),
  );
  const posted = postMovement(state, movement, changes, command.meta);
  const lines = parts.map((part, index): ReturnLine => {
    const { lineNo, balance, lot, location, quality, quantity, from } = part;
    const value = posted[index]!.valueDelta ?? ZERO;
    let ordered = demand.lines.find((candidate) => candidate.lineNo === lineNo);
    if (ordered === undefined) {
      ordered = emptyLine(lineNo, balance.itemId, null);
      demand.lines.push(ordered);
    }
    ordered.returned += quantity;
    if (from !== null) {
      from.returned += quantity;
      from.returnedValue += value;
    }
    return {
      lineNo,
      itemId: balance.itemId,
      warehouseId: command.warehouseId,
      lot,
      location,
      quality,
      quantity,
      value,
      balanceAfter: balance.onHand,
      inspected: ZERO,
    };
  });
  const sources = new Set(parts.map((part) => part.from));
  for (const shipment of state.shipmentsOf(demand.orgId, demand.orderId)) {
    if (shipment.lines.some((line) => sources.has(line))) state.changedShipments.add(shipment);
  }
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

/** What was taken in, as it is told. */
export function returnedLines(received: ReceivedReturn) {
  return received.lines.map((line) => ({
    lineNo: line.lineNo,
    itemId: line.itemId,
    warehouseId: line.warehouseId,
    lot: lotOrNull(line.lot),
    quantity: formatQuantity(line.quantity),
    quality: line.quality,
    unitCost: formatQuantity(unitCostOf(line.value, line.quantity)),
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
