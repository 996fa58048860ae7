import {
  apportion,
  type HoldfastError,
  maxQuantity,
  type Money,
  mulDiv,
  type Quantity,
  rejected,
  sumQuantities,
  valueOf,
  ZERO,
} from '#libs/domain';
import type { CostLayer } from './cost-layers.js';

/** What a receipt brought of one lot of an item, and what that costs by now. */
export interface ReceivedGoods {
  readonly itemId: string;
  /** `''` = none. */
  readonly lot: string;
  readonly quantity: Quantity;
  /** By the price last told, without landed costs. */
  price: Money;
  /** What was put on top of that so far, for all of it. */
  landed: Money;
}

/** What is said of the goods of a receipt afterwards; without lot, of all lots of the item. */
export interface ToldCost {
  readonly itemId: string;
  readonly lot?: string | undefined;
  /** What one did cost. */
  readonly unitCost?: Quantity | undefined;
  /** An amount for all of them together, added to what they cost: freight, duty. Below zero it takes back an earlier one. */
  readonly landedCost?: Money | undefined;
}

/** By how much goods cost more, or less, than thought. */
export interface CostDifference {
  readonly goods: ReceivedGoods;
  /** The new price of one; null = as before. */
  readonly unitCost: Quantity | null;
  /** What is put on top of the price. */
  readonly landed: Money;
  readonly delta: Money;
}

/**
 * What was told, as a difference for each lot of the receipt. A landed cost of several lots is split by quantity (docs/rules.md, "costs").
 *
 * @returns an error when the receipt has no such goods, or something is told of them twice, or nothing.
 */
export function costDifferences(
  receiptId: string,
  received: readonly ReceivedGoods[],
  told: readonly ToldCost[],
): CostDifference[] | HoldfastError {
  const differences = new Map<ReceivedGoods, CostDifference>();
  for (const [index, { itemId, lot, unitCost, landedCost }] of told.entries()) {
    const refuse = (message: string) => rejected('STOCK_VALIDATION', `lines.${index}: ${message}`, { path: `lines.${index}` });
    const which = lot === undefined ? itemId : `${itemId} of lot ${lot}`;
    if (unitCost === undefined && landedCost === undefined) return refuse(`give a unitCost, a landedCost, or both for ${which}`);
    const goods = received.filter((each) => each.itemId === itemId && (lot === undefined || each.lot === lot));
    if (goods.length === 0) return refuse(`receipt ${receiptId} brought no ${which}`);
    const landed = apportion(
      landedCost ?? ZERO,
      goods.map((each) => each.quantity),
    );
    for (const [at, each] of goods.entries()) {
      if (differences.has(each)) return refuse(`there is a line for ${which} already; say all of it in one`);
      const priceDelta = unitCost === undefined ? ZERO : valueOf(unitCost, each.quantity) - each.price;
      differences.set(each, { goods: each, unitCost: unitCost ?? null, landed: landed[at]!, delta: priceDelta + landed[at]! });
    }
  }
  return [...differences.values()];
}

/**
 * Spreads a difference over what is left of the received quantity, layer by layer, and what was issued. A layer is never worth less than
 * nothing: what it cannot bear counts as issued.
 *
 * @param received how much the receipt brought of the item, all lots together: layers know no lots.
 */
export function spreadDifference(
  delta: Money,
  received: Quantity,
  left: readonly Pick<CostLayer, 'quantity' | 'value'>[],
): { readonly ofLayers: readonly Money[]; readonly issued: Money } {
  const issued = received - sumQuantities(left, (layer) => layer.quantity);
  const shares = apportion(delta, [...left.map((layer) => layer.quantity), issued > ZERO ? issued : ZERO]);
  const ofLayers = left.map((layer, index) => (layer.value + shares[index]! < ZERO ? -layer.value : shares[index]!));
  return { ofLayers, issued: delta - sumQuantities(ofLayers, (share) => share) };
}

/**
 * Gives all that is left of goods one cost, because what one of them cost was said: each layer comes to its share of the cost of them all,
 * whatever it was worth. What is then missing of the difference was issued.
 *
 * @param cost of all that the receipt brought of the item, landed costs included.
 * @param received how much that is.
 */
export function levelCosts(
  delta: Money,
  cost: Money,
  received: Quantity,
  left: readonly Pick<CostLayer, 'quantity' | 'value'>[],
): { readonly ofLayers: readonly Money[]; readonly issued: Money } {
  const quantity = sumQuantities(left, (layer) => layer.quantity);
  const all = maxQuantity(received, quantity);
  const shares = apportion(mulDiv(cost, all, received), [...left.map((layer) => layer.quantity), all - quantity]);
  const ofLayers = left.map((layer, index) => (shares[index]! < ZERO ? ZERO : shares[index]!) - layer.value);
  return { ofLayers, issued: delta - sumQuantities(ofLayers, (share) => share) };
}
