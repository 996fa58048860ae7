import { type AdjustmentReason, StockAdjusted } from '#libs/contracts';
import { conflict, formatQuantity, type HoldfastError, notFound, parseQuantity, rejected, ZERO } from '#libs/domain';
import { fingerprint } from '../fingerprint.js';
import { free, sellable } from '../availability/available-to-promise.js';
import { type AdjustStock, answered, type Outcome } from '../stock-machine/commands.js';
import { planShorting, short } from '../stock-machine/holds.js';
import { newMovement, postMovement, staysInRange } from '../stock-machine/post-movement.js';
import { type Balance, movementKey, type StockState } from '../stock-machine/stock-state.js';

export interface AdjustmentAnswer {
  readonly movementId: string;
  readonly itemId: string;
  readonly warehouseId: string;
  readonly quantityDelta: string;
  readonly balanceAfter: string;
}

/** Facts: they are never refused because stock is held. The other reasons are wishes, which need free stock. */
const FACTS: ReadonlySet<AdjustmentReason> = new Set(['damage', 'loss', 'correction', 'found']);

/**
 * Corrects the stock of an item by a difference. A fact that takes held stock away turns those holds into backorders in the same
 * transaction (docs/rules.md, "facts come first").
 */
export function adjustStock(state: StockState, command: AdjustStock): Outcome<AdjustmentAnswer> {
  const print = fingerprint({ ...command, meta: undefined, kind: undefined, commandId: undefined });
  const known = state.movements.get(movementKey(command.orgId, 'adjustment', command.commandId));
  if (known !== undefined) {
    if (known.fingerprint === print) return answered(known.lines as AdjustmentAnswer);
    return refuse(conflict('ALREADY_EXISTS', `adjustment ${command.commandId} exists with other content`));
  }
  if (state.unknownItems.has(`${command.orgId}/${command.itemId}`)) {
    return refuse(notFound('ITEM_NOT_FOUND', `item ${command.itemId} does not exist; create it first`));
  }
  const balance = state.balance(command.orgId, command.warehouseId, command.itemId);
  if (balance === undefined)
    return refuse(notFound('WAREHOUSE_NOT_FOUND', `warehouse ${command.warehouseId} does not exist; create it first`));
  const delta = parseQuantity(command.quantityDelta);
  if (delta === ZERO) return refuse(rejected('STOCK_VALIDATION', 'quantityDelta is 0: an adjustment changes stock'));
  if (!staysInRange([{ balance, delta }])) {
    return refuse(rejected('STOCK_VALIDATION', `with it 10^12 or more of ${command.itemId} would be on hand`));
  }
  const isFact = FACTS.has(command.reasonCode);
  const most = isFact ? sellable(balance) : free(balance);
  if (-delta > most) return refuse(insufficient(command, most, isFact));
  const shorting = delta < ZERO ? planShorting(state, balance, sellable(balance) + delta) : [];

  // After this point it must succeed.
  short(state, balance, shorting, command.reasonCode, command.meta);
  return answered(post(state, command, balance, print));
}

function insufficient(command: AdjustStock, most: bigint, isFact: boolean): HoldfastError {
  const quantity = formatQuantity(-parseQuantity(command.quantityDelta));
  const available = formatQuantity(most);
  const what = isFact ? `only ${available} are on hand and available` : `only ${available} are free; the rest is held for orders`;
  return conflict('INSUFFICIENT_STOCK', `cannot take ${quantity} of ${command.itemId} in ${command.warehouseId}: ${what}`, {
    lines: [{ lineNo: 1, itemId: command.itemId, warehouseId: command.warehouseId, requested: quantity, available }],
    discrepancyIds: [],
    alternatives: [],
  });
}

function post(state: StockState, command: AdjustStock, balance: Balance, print: string): AdjustmentAnswer {
  const delta = parseQuantity(command.quantityDelta);
  const movement = newMovement(
    {
      orgId: command.orgId,
      movementType: 'adjustment',
      refType: 'adjustment',
      refId: command.commandId,
      reason: command.reason,
      fingerprint: print,
    },
    command.meta,
    state.now,
  );
  const answer = {
    movementId: movement.movementId,
    itemId: command.itemId,
    warehouseId: command.warehouseId,
    quantityDelta: formatQuantity(delta),
    balanceAfter: formatQuantity(balance.onHand + delta),
  };
  const recorded = { ...movement, lines: answer };
  const unitCost = command.unitCost === undefined ? null : parseQuantity(command.unitCost);
  postMovement(state, recorded, [{ balance, quality: 'available', delta, unitCost }], command.meta);
  state.movements.set(movementKey(command.orgId, 'adjustment', command.commandId), recorded);
  state.emit(StockAdjusted, command.orgId, command.itemId, command.meta, { ...answer, lot: null, reason: command.reason });
  return answer;
}

function refuse(error: HoldfastError): Outcome<never> {
  return { kind: 'error', error: error.toWire() };
}
