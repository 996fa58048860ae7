import { formatQuantity, HoldfastError, parseQuantity, type Quantity, ZERO } from '#libs/domain';
import { answered, type Outcome, type SetStockPolicy } from '../stock-machine/commands.js';
import { isLow, tellCrossing } from '../stock-machine/post-movement.js';
import type { StockState } from '../stock-machine/stock-state.js';
import { balanceOrError, refuse } from '../stock-machine/warehouse-work.js';

export interface StockPolicyAnswer {
  readonly warehouseId: string;
  readonly itemId: string;
  readonly quantity: string | null;
  readonly percent: string | null;
  readonly reorderPoint: string | null;
}

/**
 * Sets safety stock and reorder point of an item in a warehouse. Goes through the machine because they decide what may be promised: a
 * lower safety stock serves waiting backorders at once. Tells when the reorder point crosses what is on hand.
 */
export function setStockPolicy(state: StockState, command: SetStockPolicy): Outcome<StockPolicyAnswer> {
  const balance = balanceOrError(state, command);
  if (balance instanceof HoldfastError) return refuse(balance);
  const wasLow = isLow(state, balance);
  if (command.safetyQuantity !== undefined) balance.ownSafetyQuantity = read(command.safetyQuantity);
  if (command.safetyPercent !== undefined) balance.ownSafetyPercent = read(command.safetyPercent);
  if (command.reorderPoint !== undefined) balance.ownReorderPoint = read(command.reorderPoint);
  balance.safetyQuantity = balance.ownSafetyQuantity ?? balance.itemSafetyStock ?? ZERO;
  balance.safetyPercent = balance.ownSafetyPercent ?? ZERO;
  state.touchBalance(balance);
  state.freed.add(balance);
  tellCrossing(state, balance, wasLow, command.meta);
  return answered({
    warehouseId: command.warehouseId,
    itemId: command.itemId,
    quantity: write(balance.ownSafetyQuantity),
    percent: write(balance.ownSafetyPercent),
    reorderPoint: write(balance.ownReorderPoint),
  });
}

const read = (text: string | null): Quantity | null => (text === null ? null : parseQuantity(text));
const write = (quantity: Quantity | null): string | null => (quantity === null ? null : formatQuantity(quantity));
