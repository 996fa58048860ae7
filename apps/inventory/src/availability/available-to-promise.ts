import type { DiscrepancyLockPolicy } from '#libs/contracts';
import { maxQuantity, percentOf, type Quantity, ZERO } from '#libs/domain';

/** The counters and rules of one item in one warehouse from which its availability follows. */
export interface StockTerms {
  readonly onHand: Quantity;
  /** The part of on hand whose quality is not `available`. */
  readonly blocked: Quantity;
  readonly reserved: Quantity;
  readonly backordered: Quantity;
  /** Never newly promised: absolute, or percent of sellable; the larger counts. */
  readonly safetyQuantity: Quantity;
  readonly safetyPercent: Quantity;
  /** How many open discrepancies say so much against the books that stock is kept back, and by how much they differ in all. */
  readonly doubts: number;
  readonly doubtful: Quantity;
  /** What the organisation keeps back then. */
  readonly lockPolicy: DiscrepancyLockPolicy;
}

/** All terms of the calculation, for one who asks. */
export interface AvailabilityTerms extends StockTerms {
  /** What nobody holds of lots that have expired, or live shorter than they must. The machine knows it by line: see `fitting`. */
  readonly expiredOrTooOld: Quantity;
}

/** What could be sold if nothing were promised: on hand without what is blocked, never below zero. */
export function sellable(terms: Pick<StockTerms, 'onHand' | 'blocked'>): Quantity {
  return maxQuantity(terms.onHand - terms.blocked, ZERO);
}

/** What no hold has taken: the most a shipment or a fact can take without touching a hold. */
export function free(terms: Pick<StockTerms, 'onHand' | 'blocked' | 'reserved'>): Quantity {
  return maxQuantity(sellable(terms) - terms.reserved, ZERO);
}

/** The part of sellable that is kept back from new promises. It never limits an existing hold or a shipment. */
export function safetyStock(terms: StockTerms): Quantity {
  return maxQuantity(terms.safetyQuantity, percentOf(sellable(terms), terms.safetyPercent));
}

/**
 * What open discrepancies keep from new promises (docs/rules.md, "discrepancies"): everything that nobody holds, what they differ by, or
 * nothing. Like the safety stock it limits no existing hold.
 */
export function discrepancyHold(terms: StockTerms): Quantity {
  if (terms.doubts === 0 || terms.lockPolicy === 'monitor') return ZERO;
  return terms.lockPolicy === 'hard' ? maxQuantity(free(terms), terms.doubtful) : terms.doubtful;
}

/**
 * Whether there is anything to be told of what is in doubt. A severe discrepancy that differs by nothing, as somebody may report one, puts
 * nothing in doubt, but where all is kept back while one is open.
 */
export function isInDoubt({ doubts, doubtful, lockPolicy }: Pick<StockTerms, 'doubts' | 'doubtful' | 'lockPolicy'>): boolean {
  return doubts > 0 && (doubtful !== ZERO || lockPolicy === 'hard');
}

/**
 * What waiting backorders may take: free stock above the safety stock that nothing says anything against. New demand gets less, because it must not jump the queue;
 * see {@link availableToPromise}.
 */
export function availableToBackorders(terms: StockTerms): Quantity {
  return maxQuantity(sellable(terms) - terms.reserved - safetyStock(terms) - discrepancyHold(terms), ZERO);
}

/**
 * How many can still be promised to new demand: on hand - blocked - reserved - expired or too old - safety stock - discrepancy hold -
 * backordered, never below zero.
 * The one calculation behind holds, availability answers, screens and reports (docs/rules.md, "available to promise").
 */
export function availableToPromise(terms: AvailabilityTerms): Quantity {
  const kept = safetyStock(terms) + discrepancyHold(terms);
  return maxQuantity(sellable(terms) - terms.reserved - terms.expiredOrTooOld - kept - terms.backordered, ZERO);
}

/** The on-hand quantity at which stock counts as low: the first that is set of (item, warehouse), item, organisation; else zero. */
export function lowStockThreshold(balance: Quantity | null, item: Quantity | null, organisation: Quantity | null): Quantity {
  return balance ?? item ?? organisation ?? ZERO;
}
