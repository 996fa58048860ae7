import type { CostCorrectionAnswer } from '#libs/contracts';
import {
  apportion,
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
import { type CostDifference, costDifferences, levelCosts, spreadDifference } from './cost-correction.js';
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
  for (const { goods, unitCost, landed, delta } of differences) {
    // A layer may rise by more than the difference, where others fall.
    const rise = [delta, unitCost === null ? ZERO : valueOf(unitCost, goods.quantity) + goods.landed + landed];
    for (const part of rise) if (part > ZERO) added.set(goods.itemId, (added.get(goods.itemId) ?? ZERO) + part);
  }
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
  const issuedOf = new Map<CostDifference, Money>();
  for (const together of groupsOf(state, receipt, differences)) {
    const found = revalue(state, receipt, together, places.get(together[0].goods.itemId)!);
    revaluations.push(...found.revaluations);
    together.forEach((difference, index) => issuedOf.set(difference, found.issued[index]!));
  }
  const lines = differences.map((difference) => {
    const { itemId, lot } = difference.goods;
    const issued = issuedOf.get(difference)!;
    return { itemId, lot: lot === '' ? null : lot, remaining: difference.delta - issued, issued };
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

type Together = readonly [CostDifference, ...CostDifference[]];

/** The differences that are carried out together: all lots of an item whose layers come to one cost; each other one by itself. */
function groupsOf(state: StockState, receipt: ReceiptCosts, differences: readonly CostDifference[]): Together[] {
  return [...Map.groupBy(differences, ({ goods }) => goods.itemId).values()].flatMap((ofItem): Together[] => {
    const together = ofItem as unknown as Together;
    return isLevelled(state, receipt, together) ? [together] : ofItem.map((difference) => [difference] as const);
  });
}

/** Whether one cost is said of all that the receipt brought of an item, and its layers are known: an average keeps none apart. */
function isLevelled(state: StockState, receipt: ReceiptCosts, told: Together): boolean {
  const [{ goods, unitCost }] = told;
  const costing = state.existingBalance(receipt.orgId, receipt.warehouseId, goods.itemId).costing;
  const count = receipt.goods.filter(({ itemId }) => itemId === goods.itemId).length;
  return unitCost !== null && told.length === count && told.every((each) => each.unitCost === unitCost) && costing !== 'average';
}

/** Re-values what is left of goods. The receipt's own balance always gets an entry for each, for it tells the price from now on. */
function revalue(state: StockState, receipt: ReceiptCosts, told: Together, places: readonly Balance[]) {
  const [{ goods: first, unitCost }] = told;
  const all = receipt.goods.filter(({ itemId }) => itemId === first.itemId);
  const received = sumQuantities(all, ({ quantity }) => quantity);
  const left = places.flatMap((balance) =>
    state
      .costOf(balance)
      .leftOf(receipt.receiptId, received)
      .map((layer) => ({ balance, layer })),
  );
  const layers = left.map(({ layer }) => layer);
  const quantities = told.map(({ goods }) => goods.quantity);
  const delta = sumQuantities(told, (each) => each.delta);
  const isLevel = isLevelled(state, receipt, told);
  for (const { goods, landed } of told) {
    if (unitCost !== null) goods.price = valueOf(unitCost, goods.quantity);
    goods.landed += landed;
  }
  const cost = sumQuantities(all, (goods) => goods.price + goods.landed);
  const { ofLayers, issued } = isLevel ? levelCosts(delta, cost, received, layers) : spreadDifference(delta, received, layers);
  const added = new Map<Balance, Money>([[places[0]!, ZERO]]);
  left.forEach(({ balance, layer }, index) => {
    if (ofLayers[index] === ZERO) return;
    state.costOf(balance).revalue(layer.layerNo, ofLayers[index]!);
    added.set(balance, (added.get(balance) ?? ZERO) + ofLayers[index]!);
  });
  const issuedOf = apportion(issued, quantities);
  const [[here], ...others] = [...added] as [[Balance, Money], ...[Balance, Money][]];
  const elsewhere = apportion(
    sumQuantities(others, ([, value]) => value),
    quantities,
  );
  const revaluations: Revaluation[] = told.map(({ goods, delta: ofGoods }, index) => {
    // Told of the lot where it was received; elsewhere the layers know none.
    return { balance: here, lot: goods.lot, unitCost, valueDelta: ofGoods - issuedOf[index]! - elsewhere[index]! };
  });
  for (const [balance, valueDelta] of others) revaluations.push({ balance, lot: '', unitCost: null, valueDelta });
  return { revaluations, issued: issuedOf };
}
