import type { Item, ItemCreate, ItemUpdate, RequestOf } from '#libs/contracts';
import { fitsCurrency, rejected, shortestDecimal } from '#libs/domain';

/** What of an item its makers say. */
export type ItemFields = Omit<Item, 'createdAt' | 'dryRun'>;

const WHEN_UNSAID: Omit<ItemFields, 'itemId' | 'name'> = {
  unit: 'piece',
  tracking: 'none',
  costing: 'fifo',
  unitPrice: null,
  currency: null,
  reorderPoint: null,
  safetyStock: null,
  minRemainingShelfLifeDays: null,
  substitutes: [],
};
const CHANGEABLE = ['name', ...Object.keys(WHEN_UNSAID).filter((field) => field !== 'tracking')];
const DECIMALS: readonly string[] = ['unitPrice', 'reorderPoint', 'safetyStock'] satisfies (keyof ItemFields)[];

/** An item as asked for, with what was left out filled in, so that two ways to say the same are equal. */
export function newItem(request: RequestOf<typeof ItemCreate>): ItemFields {
  const { itemId, name, tracking = WHEN_UNSAID.tracking } = request;
  return { ...WHEN_UNSAID, ...said(request), itemId, name, tracking };
}

/** The item after a change; what is not named stays as it is, what is null is cleared. */
export function changedItem(current: ItemFields, request: RequestOf<typeof ItemUpdate>): ItemFields {
  return { ...current, ...said(request) };
}

/** The fields of an item that a request names; requests may carry others, which are ignored. */
function said(request: RequestOf<typeof ItemUpdate>): Partial<ItemFields> {
  const fields = Object.entries(request).filter(([field]) => CHANGEABLE.includes(field));
  return Object.fromEntries(
    fields.map(([field, value]) => [field, DECIMALS.includes(field) && typeof value === 'string' ? shortestDecimal(value) : value]),
  );
}

/** A price without currency is in the organisation's. */
export function priced(item: ItemFields, organisationCurrency: string): ItemFields {
  return item.unitPrice === null ? item : { ...item, currency: item.currency ?? organisationCurrency };
}

/**
 * Refuses what no item may be. A substitute may name an item that does not exist yet, so that items that stand in for each other can
 * be created one after the other; only those that exist are offered.
 *
 * @throws {HoldfastError} `STOCK_VALIDATION`.
 */
export function checkItem(item: ItemFields): void {
  if (item.tracking !== 'none') {
    throw rejected(
      'STOCK_VALIDATION',
      `Items tracked by ${item.tracking} are not supported yet. Leave out "tracking" or set it to "none".`,
    );
  }
  if (item.unitPrice !== null && item.currency !== null && !fitsCurrency(item.unitPrice, item.currency)) {
    throw rejected('STOCK_VALIDATION', `The price ${item.unitPrice} has more decimals than ${item.currency} has.`);
  }
  if (item.substitutes.includes(item.itemId)) throw rejected('STOCK_VALIDATION', `Item ${item.itemId} cannot be a substitute for itself.`);
}
