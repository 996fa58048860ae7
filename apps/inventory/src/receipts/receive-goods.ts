import { type RefusalReason, StockReceiptFailed, StockReceived } from '#libs/contracts';
import {
  conflict,
  formatQuantity,
  type HoldfastError,
  isQuantity,
  notFound,
  parseQuantity,
  rejected,
  sumQuantities,
  ZERO,
} from '#libs/domain';
import { isTolerated } from '../discrepancies/discrepancy.js';
import { openDiscrepancy } from '../discrepancies/open-discrepancy.js';
import { arrivedExpectation, openQuantity } from '../expected-receipts/expected-receipt.js';
import { fingerprint } from '../fingerprint.js';
import { answered, type Outcome, type ReceiveGoods } from '../stock-machine/commands.js';
import { enterLots, qualityOfIncoming, refusalOfIncoming } from '../stock-machine/lots.js';
import { newMovement, outOfRange, postMovement, staysInRange } from '../stock-machine/post-movement.js';
import { type Balance, subjectKey } from '../stock-machine/balance.js';
import { movementKey } from '../stock-machine/movement.js';
import type { StockState } from '../stock-machine/stock-state.js';

export interface ReceiptAnswer {
  readonly receiptId: string;
  readonly movementId: string;
  readonly lines: readonly { itemId: string; lot?: string; quantity: string; balanceAfter: string; unitCost: string | null }[];
}

/**
 * Takes goods in: on hand rises, and waiting backorders are filled in the same transaction. Recognised for ever by `receiptId`. A call is
 * refused with an error, an event with `StockReceiptFailed`.
 */
export function receiveGoods(state: StockState, command: ReceiveGoods): Outcome<ReceiptAnswer> {
  const print = fingerprint({ warehouseId: command.warehouseId, reference: command.reference, lines: command.lines });
  const known = state.movements.get(movementKey(command.orgId, 'receipt', command.receiptId));
  if (known !== undefined) {
    if (known.fingerprint !== print) {
      return refuse(
        state,
        command,
        'ALREADY_EXISTS',
        '',
        conflict('ALREADY_EXISTS', `receipt ${command.receiptId} exists with other content`),
      );
    }
    return repeat(state, command, {
      receiptId: command.receiptId,
      movementId: known.movementId,
      lines: known.lines as ReceiptAnswer['lines'],
    });
  }
  const balances: Balance[] = [];
  for (const line of command.lines) {
    const refusal = refusalOf(state, command, line);
    if (refusal !== null) return refuse(state, command, refusal.reason, line.itemId, refusal.error);
    balances.push(state.balance(command.orgId, command.warehouseId, line.itemId)!);
  }
  const incoming = command.lines.map((line, index) => ({ ...line, balance: balances[index]! }));
  const misplaced = refusalOfIncoming(state, incoming);
  if (misplaced !== null) return refuse(state, command, misplaced.reason, misplaced.itemId, misplaced.error);
  const changes = incoming.map(({ balance, lot, location, quality = 'available', quantity, unitCost, producedAt, expiresAt }) => ({
    balance,
    lot,
    location,
    quality: qualityOfIncoming(state, balance, lot, quality),
    delta: parseQuantity(quantity),
    unitCost: parseQuantity(unitCost),
    producedAt,
    expiresAt,
  }));
  if (!staysInRange(state, changes)) {
    return refuse(state, command, 'INVALID_STATE', command.lines[0]!.itemId, outOfRange());
  }

  // After this point it must succeed.
  const sums = new Map<Balance, bigint>();
  const lines = changes.map(({ balance, lot, delta, unitCost }) => {
    const sum = (sums.get(balance) ?? ZERO) + delta;
    sums.set(balance, sum);
    return {
      itemId: balance.itemId,
      ...(lot === undefined ? {} : { lot }),
      quantity: formatQuantity(delta),
      balanceAfter: formatQuantity(balance.onHand + sum),
      unitCost: formatQuantity(unitCost),
    };
  });
  enterLots(state, incoming);
  noteArrivals(state, command);
  const movement = newMovement(
    {
      orgId: command.orgId,
      movementType: 'receipt',
      refType: 'receipt',
      refId: command.receiptId,
      importId: command.meta.importId,
      reason: command.reference ?? null,
      fingerprint: print,
      lines,
    },
    command.meta,
    state.now,
  );
  postMovement(state, movement, changes, command.meta);
  const answer = { receiptId: command.receiptId, movementId: movement.movementId, lines };
  announce(state, command, answer);
  return answered(answer);
}

function refusalOf(
  state: StockState,
  command: ReceiveGoods,
  line: ReceiveGoods['lines'][number],
): { reason: RefusalReason; error: HoldfastError } | null {
  if (state.unknownItems.has(`${command.orgId}/${line.itemId}`)) {
    return { reason: 'ITEM_NOT_FOUND', error: notFound('ITEM_NOT_FOUND', `item ${line.itemId} does not exist; create it first`) };
  }
  if (state.balance(command.orgId, command.warehouseId, line.itemId) === undefined) {
    const error = notFound('WAREHOUSE_NOT_FOUND', `warehouse ${command.warehouseId} does not exist; create it first`);
    return { reason: 'WAREHOUSE_NOT_FOUND', error };
  }
  const error = refusalOfExpected(state, command, line);
  return error === null ? null : { reason: 'INVALID_STATE', error };
}

/** A receipt may name what was announced of its item in its warehouse, whatever has become of that since. */
function refusalOfExpected(
  state: StockState,
  { orgId, warehouseId, lines }: ReceiveGoods,
  { expectedReceiptId, itemId }: ReceiveGoods['lines'][number],
): HoldfastError | null {
  if (expectedReceiptId === undefined) return null;
  const expected = state.expectedReceipts.get(subjectKey(orgId, expectedReceiptId));
  if (expected === undefined) return notFound('NOT_FOUND', `expected receipt ${expectedReceiptId} does not exist`);
  if (expected.itemId !== itemId || expected.warehouseId !== warehouseId) {
    return rejected('STOCK_VALIDATION', `expected receipt ${expectedReceiptId} is not of item ${itemId} in warehouse ${warehouseId}`);
  }
  const coming = sumQuantities(lines, (line) => (line.expectedReceiptId === expectedReceiptId ? parseQuantity(line.quantity) : ZERO));
  if (!isQuantity(expected.received + coming)) {
    return rejected('STOCK_VALIDATION', `with it 10^12 or more of expected receipt ${expectedReceiptId} would have come`);
  }
  return null;
}

/** Counts what came of what was announced; of more than that, beyond what is tolerated, somebody has to find out why. */
function noteArrivals(state: StockState, { orgId, warehouseId, receiptId, lines, meta }: ReceiveGoods): void {
  const announced = Map.groupBy(lines, (line) => line.expectedReceiptId);
  for (const [expectedReceiptId, ofIt] of announced) {
    if (expectedReceiptId === undefined) continue;
    const expected = state.expectedReceipts.get(subjectKey(orgId, expectedReceiptId))!;
    const came = sumQuantities(ofIt, (line) => parseQuantity(line.quantity));
    state.changeExpectedReceipt(orgId, arrivedExpectation(expected, came), meta.actor ?? null);
    const { itemId } = expected;
    const seen = { snapshotQuantity: came, ledgerQuantity: openQuantity(expected) };
    if (came <= seen.ledgerQuantity || isTolerated(seen, state.settingsOf(orgId).tolerance)) continue;
    const balance = state.existingBalance(orgId, warehouseId, itemId);
    const about = { orgId, itemId, refType: 'receipt', refId: receiptId, note: `More came than was announced as ${expectedReceiptId}.` };
    openDiscrepancy(state, balance, { ...about, ...seen, source: 'tolerance_exceeded' }, meta);
  }
}

function repeat(state: StockState, command: ReceiveGoods, answer: ReceiptAnswer): Outcome<ReceiptAnswer> {
  if (command.meta.event !== undefined) announce(state, command, answer);
  return answered(answer);
}

function announce(state: StockState, command: ReceiveGoods, answer: ReceiptAnswer): void {
  state.emit(StockReceived, command.orgId, command.receiptId, command.meta, {
    receiptId: answer.receiptId,
    movementId: answer.movementId,
    warehouseId: command.warehouseId,
    lines: answer.lines.map((line) => ({ ...line, lot: line.lot ?? null })),
  });
}

function refuse(state: StockState, command: ReceiveGoods, reason: RefusalReason, itemId: string, error: HoldfastError): Outcome<never> {
  if (command.meta.event !== undefined) {
    const lines = itemId === '' ? [] : [{ itemId, message: error.message }];
    state.emit(StockReceiptFailed, command.orgId, command.receiptId, command.meta, { receiptId: command.receiptId, reason, lines });
  }
  return { kind: 'error', error: error.toWire() };
}
