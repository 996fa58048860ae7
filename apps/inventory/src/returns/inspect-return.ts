import { type InspectionVerdict, type MovementAnswer, QualityChanged, StockAdjusted } from '#libs/contracts';
import { formatQuantity, minQuantity, parseQuantity, type Quantity, ZERO } from '#libs/domain';
import { answered, type InspectReturn, type Outcome } from '../stock-machine/commands.js';
import { countOf, mayComeTooEarly, noteMessage } from '../stock-machine/message-order.js';
import { lotOrNull } from '../stock-machine/holds.js';
import { qualityOfIncoming } from '../stock-machine/lots.js';
import { changeOf, newMovement, postMovement, requireCosts, type StockChange } from '../stock-machine/post-movement.js';
import { lotKey, quantAt, requireLot, splitsPieces } from '../stock-machine/balance-quants.js';
import type { Quality, QuantKey } from '../stock-machine/quants.js';
import { refusedBefore } from '../stock-machine/refusals.js';
import { subjectKey } from '../stock-machine/balance.js';
import { type Demand, stockLines } from '../stock-machine/demand.js';
import type { ReceivedReturn, ReturnLine } from '../stock-machine/movement.js';
import { requireEach } from '../stock-machine/needs-more.js';
import type { StockState } from '../stock-machine/stock-state.js';
import { refuse, repeatRefusal, returnedLines } from './receive-return.js';

/** A part of a received line that gets its verdict. */
interface Judged {
  readonly line: ReturnLine;
  readonly quantity: Quantity;
  readonly verdict: InspectionVerdict;
}

/**
 * Says what returned goods are good for: they become available, damaged or quarantined, or are scrapped. An inspection has no id of its
 * own: it is recognised by message id, and for ever by the order's sequence.
 */
export function inspectReturn(state: StockState, command: InspectReturn): Outcome<MovementAnswer> {
  const demand = state.demand(command.orgId, command.orderId);
  const before = refusedBefore(demand, command.meta);
  if (before !== undefined) return repeatRefusal(state, demand, command, before);
  const received = state.returns.get(subjectKey(command.orgId, command.returnId));
  if (received === undefined || received.orderId !== command.orderId) {
    if (received === undefined && mayComeTooEarly(demand, command.meta))
      return { kind: 'too-early', waitingFor: `return ${command.returnId}` };
    return refuse(state, demand, command, 'RETURN_NOT_FOUND');
  }
  const sequence = countOf(demand, command.meta);
  const inspection = sequence === undefined ? command.meta.messageId : `#${sequence}`;
  if (received.inspections.includes(inspection)) return inspected(demand, received);
  if (command.lines.some(({ lot }) => lot !== undefined && !received.lines.some((line) => line.lot === lot))) {
    return refuse(state, demand, command, 'LOT_NOT_FOUND');
  }
  const judged = planVerdicts(received, command);
  if (judged === null) return refuse(state, demand, command, 'INVALID_STATE');
  for (const { line, quantity } of judged) {
    const balance = state.existingBalance(command.orgId, line.warehouseId, line.itemId);
    if (splitsPieces(balance, quantity)) return refuse(state, demand, command, 'INVALID_STATE');
  }
  requireEach(judged, ({ line }) => requireLot(state.existingBalance(command.orgId, line.warehouseId, line.itemId), line.lot));
  const waiting = new Map<string, Quantity>();
  for (const { line, quantity } of judged) {
    const balance = state.existingBalance(command.orgId, line.warehouseId, line.itemId);
    // Somebody may have moved it, or changed its quality, since it came.
    const key = lotKey(balance, line.lot);
    waiting.set(key, (waiting.get(key) ?? ZERO) + quantity);
    if (quantAt(state, balance, placeOf(line)).quantity < waiting.get(key)!) return refuse(state, demand, command, 'INVALID_STATE');
  }
  requireCosts(
    state,
    judged.filter((part) => part.verdict === 'scrap').map((part) => scrapChange(state, command, part)),
  );

  // After this point it must succeed.
  noteMessage(demand, command.meta);
  received.inspections.push(inspection);
  for (const { line, quantity } of judged) line.inspected += quantity;
  state.changedReturns.add(received);
  state.touchDemand(demand);
  const kept = judged.filter((part) => part.verdict !== 'scrap');
  const scrapped = judged.filter((part) => part.verdict === 'scrap');
  if (kept.length > 0) changeQuality(state, command, kept);
  if (scrapped.length > 0) scrap(state, command, scrapped);
  return inspected(demand, received);
}

/** Matches the verdicts with what still waits for one; null when they are about more than that. */
function planVerdicts(received: ReceivedReturn, command: InspectReturn): Judged[] | null {
  const judged: Judged[] = [];
  const taken = new Map<ReturnLine, Quantity>();
  for (const verdict of command.lines) {
    let open = parseQuantity(verdict.quantity);
    for (const line of received.lines) {
      if (line.lineNo !== verdict.lineNo || line.quality !== 'pending_inspection') continue;
      if (verdict.lot !== undefined && verdict.lot !== line.lot) continue;
      const waiting = line.quantity - line.inspected - (taken.get(line) ?? ZERO);
      const quantity = minQuantity(open, waiting);
      if (quantity <= ZERO) continue;
      judged.push({ line, quantity, verdict: verdict.verdict });
      taken.set(line, (taken.get(line) ?? ZERO) + quantity);
      open -= quantity;
    }
    if (open > ZERO) return null;
  }
  return judged;
}

function changeQuality(state: StockState, command: InspectReturn, parts: readonly Judged[]): void {
  const becomes = ({ line, verdict }: Judged): Quality => {
    const balance = state.existingBalance(command.orgId, line.warehouseId, line.itemId);
    return qualityOfIncoming(state, balance, line.lot, verdict as Exclude<InspectionVerdict, 'scrap'>);
  };
  const changes: StockChange[] = parts.flatMap((part) => {
    const { line, quantity } = part;
    const balance = state.existingBalance(command.orgId, line.warehouseId, line.itemId);
    return [changeOf(balance, placeOf(line), -quantity), changeOf(balance, { ...placeOf(line), quality: becomes(part) }, quantity)];
  });
  postMovement(state, inspectionMovement(state, command, 'quality_change'), changes, command.meta);
  for (const part of parts) {
    const { line, quantity } = part;
    state.emit(QualityChanged, command.orgId, line.itemId, command.meta, {
      itemId: line.itemId,
      warehouseId: line.warehouseId,
      lot: lotOrNull(line.lot),
      quantity: formatQuantity(quantity),
      from: 'pending_inspection',
      to: becomes(part),
      returnId: command.returnId,
    });
  }
}

/** Where returned goods wait for their verdict. */
const placeOf = ({ lot, location }: ReturnLine): QuantKey => ({ lot, location, quality: 'pending_inspection' });

const scrapChange = (state: StockState, command: InspectReturn, { line, quantity }: Judged) =>
  changeOf(state.existingBalance(command.orgId, line.warehouseId, line.itemId), placeOf(line), -quantity);

function scrap(state: StockState, command: InspectReturn, parts: readonly Judged[]): void {
  const movement = inspectionMovement(state, command, 'scrap');
  const changes = parts.map((part) => scrapChange(state, command, part));
  postMovement(state, movement, changes, command.meta);
  parts.forEach(({ line, quantity }, index) => {
    state.emit(StockAdjusted, command.orgId, line.itemId, command.meta, {
      movementId: movement.movementId,
      itemId: line.itemId,
      warehouseId: line.warehouseId,
      lot: lotOrNull(line.lot),
      quantityDelta: formatQuantity(-quantity),
      reason: 'scrapped after inspection',
      balanceAfter: formatQuantity(changes[index]!.balance.onHand),
    });
  });
}

function inspectionMovement(state: StockState, command: InspectReturn, movementType: 'quality_change' | 'scrap') {
  return newMovement(
    { orgId: command.orgId, movementType, refType: 'return', refId: command.returnId, orderId: command.orderId, lines: command.lines },
    command.meta,
    state.now,
  );
}

function inspected(demand: Demand, received: ReceivedReturn): Outcome<MovementAnswer> {
  return answered({ status: 'done', sequence: demand.sequence, stock: stockLines(demand), lines: returnedLines(received) });
}
