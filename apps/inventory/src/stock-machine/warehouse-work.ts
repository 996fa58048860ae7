import { conflict, formatQuantity, type HoldfastError, notFound, type Quantity } from '#libs/domain';
import { answered, type Outcome } from './commands.js';
import type { Balance } from './balance.js';
import { movementKey } from './movement.js';
import type { StockState } from './stock-state.js';

// What commands about goods in one place have in common: moves, quality changes, scraps, adjustments, counts.

interface Place {
  readonly orgId: string;
  readonly warehouseId: string;
  readonly itemId: string;
}

/** The answer to a command that was carried out before under the same id; undefined when it was not. */
export function answerToRepeat<A>(
  state: StockState,
  orgId: string,
  movementType: string,
  commandId: string,
  print: string,
): Outcome<A> | undefined {
  const known = state.movements.get(movementKey(orgId, movementType, commandId));
  if (known === undefined) return undefined;
  if (known.fingerprint === print) return answered(known.lines as A);
  return refuse(conflict('ALREADY_EXISTS', `${movementType} ${commandId} exists with other content`));
}

/** The balance that a command is about, or that its item or warehouse does not exist. */
export function balanceOrError(state: StockState, { orgId, warehouseId, itemId }: Place): Balance | HoldfastError {
  if (state.unknownItems.has(`${orgId}/${itemId}`)) return notFound('ITEM_NOT_FOUND', `item ${itemId} does not exist; create it first`);
  return (
    state.balance(orgId, warehouseId, itemId) ?? notFound('WAREHOUSE_NOT_FOUND', `warehouse ${warehouseId} does not exist; create it first`)
  );
}

/** @param what there is of it, as in "only 3 are free". */
export function insufficientStock(
  { warehouseId, itemId }: Place,
  wanted: Quantity,
  there: Quantity,
  what: string,
  discrepancyIds: readonly string[] = [],
): HoldfastError {
  const requested = formatQuantity(wanted);
  const available = formatQuantity(there);
  return conflict('INSUFFICIENT_STOCK', `cannot take ${requested} of ${itemId} in ${warehouseId}: only ${available} ${what}`, {
    lines: [{ lineNo: 1, itemId, warehouseId, requested, available }],
    discrepancyIds,
    alternatives: [],
  });
}

export function refuse(error: HoldfastError): Outcome<never> {
  return { kind: 'error', error: error.toWire() };
}
