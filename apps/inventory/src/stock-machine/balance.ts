import type { DiscrepancyLockPolicy } from '#libs/contracts';
import type { Money, Quantity } from '#libs/domain';
import type { StockTerms } from '../availability/available-to-promise.js';
import type { Costing } from '../costing/cost-layers.js';
import type { QuantKey, Quants } from './quants.js';

// Ids contain no slash, so joining them with one is unambiguous.
export const balanceKey = (orgId: string, warehouseId: string, itemId: string) => `${orgId}/${warehouseId}/${itemId}`;
export const subjectKey = (orgId: string, id: string) => `${orgId}/${id}`;
export const lotNameKey = (orgId: string, itemId: string, lot: string) => `${orgId}/${itemId}/${lot}`;
/** A bin, and what of an item or lot lies in it, whatever its quality. */
export const placeKey = (balance: string, { lot, location }: Pick<QuantKey, 'lot' | 'location'>) => `${balance}/${lot}/${location}`;

/** How pieces of an item are told apart: not at all, by batch, or one by one. */
export type Tracking = 'none' | 'lot' | 'serial';

/** One item in one warehouse, locked. Decisions change the counters; what changed is written as a difference. */
export interface Balance extends StockTerms {
  readonly orgId: string;
  readonly warehouseId: string;
  readonly itemId: string;
  onHand: Quantity;
  blocked: Quantity;
  reserved: Quantity;
  backordered: Quantity;
  lastEntryNo: number;
  /** The effective rules: of the balance, else of the item. */
  safetyQuantity: Quantity;
  safetyPercent: Quantity;
  /** What the balance itself says; null = as the item says. */
  ownSafetyQuantity: Quantity | null;
  ownSafetyPercent: Quantity | null;
  ownReorderPoint: Quantity | null;
  readonly itemSafetyStock: Quantity | null;
  readonly itemReorderPoint: Quantity | null;
  doubts: number;
  doubtful: Quantity;
  /** Set with the settings, which are read beside the balances. */
  lockPolicy: DiscrepancyLockPolicy;
  /** The open discrepancies of high severity. */
  doubtedBy: readonly string[];
  /** The open discrepancy that refused orders join. */
  attemptsDiscrepancyId: string | null;
  /** Whether on hand may be below zero; sellable counts as 0 then. */
  mayBeNegative: boolean;
  readonly tracking: Tracking;
  readonly costing: Costing;
  /** What one of those that came in last cost, as it was when the balance was locked; null = nothing ever came in. */
  readonly lastUnitCost: Money | null;
  /** What the item asks of its lots; null = as the organisation says. */
  readonly minRemainingShelfLifeDays: number | null;
  /** Whether available stock of it lies outside of the default bin or in lots. */
  hasQuants: boolean;
  /** The same, as it was when the balance was locked. */
  readonly hadQuants: boolean;
  /** Where in the warehouse it lies, as far as that was read. */
  readonly quants: Quants;
}

/** A batch of an item, or one piece of it with a serial number. */
export interface Lot {
  readonly orgId: string;
  readonly itemId: string;
  readonly lot: string;
  readonly producedAt: Date | null;
  readonly expiresAt: Date | null;
  recalledAt: Date | null;
  recallReason: string | null;
  /** Of a serial number: whether the piece is in some warehouse. */
  isStocked: boolean;
}

/** A warehouse as sourcing sees it, in the order in which a line without warehouse tries them. */
export interface WarehouseRef {
  readonly warehouseId: string;
  readonly priority: number;
}
