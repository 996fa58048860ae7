import type { CostCorrectionAnswer } from '#libs/contracts';
import {
  conflict,
  formatQuantity,
  HoldfastError,
  isMoney,
  type Money,
  notFound,
  parseMoney,
  parseQuantity,
  rejected,
  sumQuantities,
  valueOf,
  ZERO,
} from '#libs/domain';
import { fingerprint } from '../fingerprint.js';
import { answered, type CorrectCost, type Outcome } from '../stock-machine/commands.js';
import { newMovement, postRevaluation, type Revaluation } from '../stock-machine/post-movement.js';
import { type Balance, subjectKey } from '../stock-machine/balance.js';
import type { StockState } from '../stock-machine/stock-state.js';
import { refuse } from '../stock-machine/warehouse-work.js';
import { type CostDifference, costDifferences, spreadDifference } from './cost-correction.js';
import type { ReceiptCosts } from './receipt-costs.js';

/**
 * Corrects what the goods of a receipt cost: what is left of them is re-valued, wherever it is by now; what falls on what was issued is
 * answered (docs/rules.md, "costs"). The ledger is not rewritten: each difference is an entry of its own. Recognised for ever by
 * `commandId`.
 */
export function correctCost(state: StockState, command: CorrectCost): Outcome<CostCorrectionAnswer> {
  const { orgId, commandId, receiptId } = command;
  const print = fingerprint({ receiptId, reason: command.reason, lines: command.lines });
  const known = state.costCorrections.posted.get(subjectKey(orgId, commandId));
  if (known !== undefined) {
    if (known.fingerprint === print) return answered(known.answer);
    return refuse(conflict('ALREADY_EXISTS', `cost correction ${commandId} exists with other content`));
  }
  const receipt = state.costCorrections.receipts.get(subjectKey(orgId, receiptId));
  if (receipt === undefined || receipt.goods.length === 0) return refuse(notFound('NOT_FOUND', `receipt ${receiptId} does not exist`));
  const told = command.lines.map(({ itemId, lot, unitCost, landedCost }) => ({
    itemId,
    lot,
    unitCost: unitCost === undefined ? undefined : parseQuantity(unitCost),
    landedCost: landedCost === undefined ? undefined : parseMoney(landedCost),
  }));
  const differences = costDifferences(receiptId, receipt.goods, told);
  if (differences instanceof HoldfastError) return refuse(differences);
  const places = new Map(told.map(({ itemId }) => [itemId, placesOf(state, receipt, itemId)]));
  if (!staysInRange(state, places, differences))
    return refuse(rejected('STOCK_VALIDATION', 'with it the stock would be worth 10^18 or more'));

  // After this point it must succeed.
  return answered(post(state, command, receipt, differences, places, print));
}

/** Where something of an item of the receipt may be left: in the balance that received it, which comes first, and where it was moved to. */
function placesOf(state: StockState, receipt: ReceiptCosts, itemId: string): Balance[] {
  const { orgId, receiptId } = receipt;
  const warehouses = new Set([receipt.warehouseId, ...(receipt.warehousesLeft.get(itemId) ?? [])]);
  // What was moved by this very batch too.
  for (const [balance, book] of state.costs) {
    if (balance.orgId === orgId && balance.itemId === itemId && book.leftOf(receiptId, ZERO).length > 0)
      warehouses.add(balance.warehouseId);
  }
  return [...warehouses].map((warehouseId) => state.existingBalance(orgId, warehouseId, itemId));
}

function staysInRange(state: StockState, places: ReadonlyMap<string, readonly Balance[]>, differences: readonly CostDifference[]): boolean {
  const added = new Map<string, Money>();
  for (const { goods, delta } of differences) added.set(goods.itemId, (added.get(goods.itemId) ?? ZERO) + (delta > ZERO ? delta : ZERO));
  return [...added].every(([itemId, sum]) => places.get(itemId)!.every((balance) => isMoney(state.costOf(balance).value + sum)));
}

function post(
  state: StockState,
  command: CorrectCost,
  receipt: ReceiptCosts,
  differences: readonly CostDifference[],
  places: ReadonlyMap<string, readonly Balance[]>,
  print: string,
): CostCorrectionAnswer {
  const { orgId, commandId, receiptId, reason = null } = command;
  const revaluations: Revaluation[] = [];
  const lines = differences.map((difference) => {
    const found = revalue(state, receipt, difference, places.get(difference.goods.itemId)!);
    revaluations.push(...found.revaluations);
    const { itemId, lot } = difference.goods;
    return { itemId, lot: lot === '' ? null : lot, remaining: difference.delta - found.issued, issued: found.issued };
  });
  const movement = newMovement(
    { orgId, movementType: 'cost_correction', refType: 'receipt', refId: receiptId, reason, fingerprint: print },
    command.meta,
    state.now,
  );
  const answer: CostCorrectionAnswer = {
    receiptId,
    movementId: movement.movementId,
    remainingDelta: formatQuantity(sumQuantities(lines, (line) => line.remaining)),
    issuedDelta: formatQuantity(sumQuantities(lines, (line) => line.issued)),
    lines: lines.map(({ itemId, lot, remaining, issued }) => ({
      itemId,
      lot,
      remainingDelta: formatQuantity(remaining),
      issuedDelta: formatQuantity(issued),
    })),
  };
  postRevaluation(state, { ...movement, lines: answer.lines }, revaluations);
  const correction = { orgId, commandId, fingerprint: print, answer };
  state.costCorrections.posted.set(subjectKey(orgId, commandId), correction);
  state.costCorrections.added.add(correction);
  return answer;
}

/** Re-values what is left of the goods. The receipt's own balance always gets an entry, for it tells the price from now on. */
function revalue(state: StockState, receipt: ReceiptCosts, { goods, unitCost, delta }: CostDifference, places: readonly Balance[]) {
  const received = sumQuantities(
    receipt.goods.filter(({ itemId }) => itemId === goods.itemId),
    ({ quantity }) => quantity,
  );
  const left = places.flatMap((balance) =>
    state
      .costOf(balance)
      .leftOf(receipt.receiptId, received)
      .map((layer) => ({ balance, layer })),
  );
  const { ofLayers, issued } = spreadDifference(
    delta,
    received,
    left.map(({ layer }) => layer),
  );
  const added = new Map<Balance, Money>([[places[0]!, ZERO]]);
  left.forEach(({ balance, layer }, index) => {
    if (ofLayers[index] === ZERO) return;
    state.costOf(balance).revalue(layer.layerNo, ofLayers[index]!);
    added.set(balance, (added.get(balance) ?? ZERO) + ofLayers[index]!);
  });
  if (unitCost !== null) goods.price = valueOf(unitCost, goods.quantity);
  const revaluations = [...added].map(([balance, valueDelta], index) => ({
    balance,
    // Told of the lot where it was received; elsewhere the layers know none.
    lot: index === 0 ? goods.lot : '',
    unitCost: index === 0 ? unitCost : null,
    valueDelta,
  }));
  return { revaluations, issued };
}
