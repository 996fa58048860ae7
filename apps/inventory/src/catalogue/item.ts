import type { Item, ItemCreate, ItemUpdate, RequestOf } from '#libs/contracts';
import { type FieldError, fitsCurrency, rejected, shortestDecimal } from '#libs/domain';

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
 * What no item may be, by field. A substitute may name an item that does not exist yet, so that items that stand in for each other can
 * be created one after the other; only those that exist are offered.
 */
export function itemErrors(item: ItemFields): readonly FieldError[] {
  const errors: FieldError[] = [];
  if (item.unitPrice !== null && item.currency !== null && !fitsCurrency(item.unitPrice, item.currency)) {
    errors.push({ path: 'unitPrice', message: `The price ${item.unitPrice} has more decimals than ${item.currency} has.` });
  }
  if (item.substitutes.includes(item.itemId)) {
    errors.push({ path: 'substitutes', message: `Item ${item.itemId} cannot be a substitute for itself.` });
  }
  return errors;
}

/**
 * Refuses what no item may be, see {@link itemErrors}.
 *
 * @throws {HoldfastError} `STOCK_VALIDATION`.
 */
export function checkItem(item: ItemFields): void {
  const [first] = itemErrors(item);
  if (first !== undefined) throw rejected('STOCK_VALIDATION', first.message);
}

/** The fields in which an item is not what is wanted of it. */
export function differences(item: ItemFields, wanted: ItemFields): readonly (keyof ItemFields)[] {
  const fields = ['name', ...Object.keys(WHEN_UNSAID)] as (keyof ItemFields)[];
  return fields.filter((field) => JSON.stringify(item[field]) !== JSON.stringify(wanted[field]));
}
