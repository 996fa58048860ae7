import { type HoldfastError, minQuantity, type Quantity, ZERO } from '#libs/domain';
import { qualityOfIncoming } from '../stock-machine/lots.js';
import { changeOf, type StockChange } from '../stock-machine/post-movement.js';
import { quantsOfLot } from '../stock-machine/balance-quants.js';
import { DEFAULT_LOCATION, type Quality } from '../stock-machine/quants.js';
import type { Balance } from '../stock-machine/balance.js';
import type { StockState } from '../stock-machine/stock-state.js';
import { insufficientStock } from '../stock-machine/warehouse-work.js';

/** In which order what is missing is taken off: what could be sold first, so that nothing is promised that may not be there. */
export const TAKEN_FIRST: readonly Quality[] = ['available', 'pending_inspection', 'quarantined', 'damaged', 'expired', 'recalled'];

/** How much more or less there is of an item, or of one lot of it, in a bin, or wherever it lies in the warehouse. */
export interface PlacedDifference {
  readonly balance: Balance;
  /** `''` = none. */
  readonly lot: string;
  /** Null = in whichever bin; the default one first. */
  readonly location: string | null;
  readonly delta: Quantity;
}

/**
 * What a difference changes: more is available, unless it is of a recalled lot; less is taken off what can be sold first
 * (docs/rules.md, "counts").
 *
 * @returns an error when more is missing than is there.
 */
export function changesOfDifference(state: StockState, { balance, lot, location, delta }: PlacedDifference): StockChange[] | HoldfastError {
  if (delta === ZERO) return [];
  if (delta > ZERO) {
    const quality = qualityOfIncoming(state, balance, lot, 'available');
    return [changeOf(balance, { lot, location: location ?? DEFAULT_LOCATION, quality }, delta)];
  }
  const turn = (quality: Quality, bin: string) => 2 * TAKEN_FIRST.indexOf(quality) + (bin === DEFAULT_LOCATION ? 0 : 1);
  const there = quantsOfLot(state, balance, lot)
    .filter((quant) => location === null || quant.location === location)
    .sort((a, b) => turn(a.quality, a.location) - turn(b.quality, b.location) || (a.location < b.location ? -1 : 1));
  const changes: StockChange[] = [];
  let missing = -delta;
  for (const quant of there) {
    const part = minQuantity(missing, quant.quantity);
    if (part > ZERO) changes.push(changeOf(balance, quant, -part));
    if (part > ZERO) missing -= part;
  }
  if (missing === ZERO) return changes;
  const where = location ?? balance.warehouseId;
  return insufficientStock(balance, -delta, -delta - missing, `are still in ${where}: what was counted cannot be right`);
}
