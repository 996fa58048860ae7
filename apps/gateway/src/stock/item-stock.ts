import type { StockRow } from '#libs/contracts';
import { formatQuantity, parseQuantity, sumQuantities } from '#libs/domain';

/** The stock of an item over warehouses: quantities, reorder points and thresholds are sums. */
export interface ItemStock {
  readonly itemId: string;
  readonly onHand: string;
  readonly reserved: string;
  readonly available: string;
  readonly safetyStock: string;
  readonly reorderPoint: string | null;
  readonly threshold: string;
  /** It is low in at least one of the warehouses, each measured by its own threshold, however much there is in all. */
  readonly isLowStock: boolean;
  /** In which. */
  readonly lowStockWarehouses: readonly string[];
  readonly warehouses: readonly StockRow[];
}

/** Adds up the warehouses of an item. */
export function sumStock(itemId: string, warehouses: readonly StockRow[]): ItemStock {
  const sum = (of: (row: StockRow) => string | null) => formatQuantity(sumQuantities(warehouses, (row) => parseQuantity(of(row) ?? '0')));
  const lowStockWarehouses = warehouses.filter(({ isLowStock }) => isLowStock).map(({ warehouseId }) => warehouseId);
  return {
    itemId,
    onHand: sum((row) => row.onHand),
    reserved: sum((row) => row.reserved),
    available: sum((row) => row.available),
    safetyStock: sum((row) => row.safetyStock),
    reorderPoint: warehouses.some((row) => row.reorderPoint !== null) ? sum((row) => row.reorderPoint) : null,
    threshold: sum((row) => row.threshold),
    isLowStock: lowStockWarehouses.length > 0,
    lowStockWarehouses,
    warehouses,
  };
}
