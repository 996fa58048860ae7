import type { StockRow } from '#libs/contracts';
import { formatQuantity, parseQuantity, sumQuantities } from '#libs/domain';

/** The stock of an item over warehouses. */
export interface ItemStock {
  readonly itemId: string;
  readonly onHand: string;
  readonly reserved: string;
  readonly available: string;
  readonly safetyStock: string;
  readonly reorderPoint: string | null;
  readonly threshold: string;
  /** It is low in at least one of the warehouses. */
  readonly isLowStock: boolean;
  readonly warehouses: readonly StockRow[];
}

/** Adds up the warehouses of an item. */
export function sumStock(itemId: string, warehouses: readonly StockRow[]): ItemStock {
  const sum = (of: (row: StockRow) => string | null) => formatQuantity(sumQuantities(warehouses, (row) => parseQuantity(of(row) ?? '0')));
  return {
    itemId,
    onHand: sum((row) => row.onHand),
    reserved: sum((row) => row.reserved),
    available: sum((row) => row.available),
    safetyStock: sum((row) => row.safetyStock),
    reorderPoint: warehouses.some((row) => row.reorderPoint !== null) ? sum((row) => row.reorderPoint) : null,
    threshold: sum((row) => row.threshold),
    isLowStock: warehouses.some((row) => row.isLowStock),
    warehouses,
  };
}
