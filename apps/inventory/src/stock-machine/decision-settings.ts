import { DEFAULT_STOCK_SETTINGS, type DiscrepancyLockPolicy, type EnforcementPhase } from '#libs/contracts';
import { parseQuantity, type Quantity } from '#libs/domain';

/** What of an organisation's settings decisions go by. */
export interface DecisionSettings {
  readonly softReservationTtlSeconds: number;
  readonly reservationMode: 'all_or_nothing' | 'partial';
  readonly returnQuarantine: boolean;
  readonly defaultReorderPoint: Quantity | null;
  /** In which order warehouses serve a line that names none. */
  readonly sourcingStrategy: SourcingStrategy;
  readonly minRemainingShelfLifeDays: number;
  readonly enforcementPhase: EnforcementPhase;
  readonly allowInventoryOversell: boolean;
  readonly discrepancyLockPolicy: DiscrepancyLockPolicy;
  /** Up to which shortage, in percent of what is there, `soft` does not refuse. */
  readonly softBlockPercent: Quantity;
  readonly tolerance: { readonly quantity: Quantity; readonly percent: Quantity };
  /** Up to which difference, in percent, a discrepancy is low, medium, high. */
  readonly severityPercents: readonly [Quantity, Quantity, Quantity];
}

/** By the priority of the warehouses; what has most first; as few warehouses as possible. Each may split a line. */
export type SourcingStrategy = 'priority' | 'most_stock' | 'fewest_splits';

const { defaultReorderPoint, softBlockPercent, tolerance, severityPercents } = DEFAULT_STOCK_SETTINGS;
const [low, medium, high] = severityPercents;

/** What counts while an organisation has said nothing else. */
export const DEFAULT_SETTINGS: DecisionSettings = {
  ...DEFAULT_STOCK_SETTINGS,
  defaultReorderPoint: defaultReorderPoint === null ? null : parseQuantity(defaultReorderPoint),
  softBlockPercent: parseQuantity(softBlockPercent),
  tolerance: { quantity: parseQuantity(tolerance.quantity), percent: parseQuantity(tolerance.percent) },
  severityPercents: [parseQuantity(low), parseQuantity(medium), parseQuantity(high)],
};
