import { statement, type Tx } from '#libs/persistence';
import { findItems } from '../catalogue/item.queries.js';
import { isShown } from '../scope.js';
import type { CheckedLine } from './import-kinds.js';
import type { ImportRow } from './import.sql.js';
import type { ImportLine } from './read-line.js';

/** A line of stock as its columns are read. */
export interface StockValues {
  readonly warehouseId: string;
  readonly itemId: string;
  readonly quantity: string;
  readonly unitCost: string;
  readonly lot?: string;
  readonly producedAt?: string;
  readonly expiresAt?: string;
  readonly location?: string;
  readonly quality?: 'available' | 'pending_inspection' | 'quarantined' | 'damaged';
}

const findWarehouses = statement<{ warehouse_id: string }>(
  'import_find_warehouses',
  `select w.warehouse_id from unnest($2::text[]) k (id) join warehouse w on w.org_id = $1 and w.warehouse_id = k.id`,
);
const findStocked = statement<{ warehouse_id: string; item_id: string }>(
  'import_find_stocked',
  `select b.warehouse_id, b.item_id from unnest($2::text[], $3::text[]) k (warehouse_id, item_id)
     join stock_balance b on b.org_id = $1 and b.warehouse_id = k.warehouse_id and b.item_id = k.item_id
    where b.last_entry_no > 0`,
);

/**
 * Opening stock: of items and warehouses that exist, where the sender works, and where the item was never stocked before. A file that is
 * sent twice would otherwise double the stock.
 */
export async function checkStock(tx: Tx, job: ImportRow, lines: readonly ImportLine[]): Promise<readonly CheckedLine[]> {
  const values = lines.map((line) => line.values as Partial<StockValues>);
  const named = values.flatMap(({ warehouseId, itemId }) => (warehouseId && itemId ? [{ warehouseId, itemId }] : []));
  const [items, warehouseRows, stockedRows] = await Promise.all([
    findItems(
      tx,
      job.org_id,
      values.flatMap(({ itemId }) => itemId ?? []),
    ),
    tx.run(findWarehouses, [job.org_id, [...new Set(values.flatMap(({ warehouseId }) => warehouseId ?? []))]]),
    tx.run(findStocked, [job.org_id, named.map(({ warehouseId }) => warehouseId), named.map(({ itemId }) => itemId)]),
  ]);
  const warehouses = new Set(warehouseRows.map((row) => row.warehouse_id));
  const stocked = new Set(stockedRows.map((row) => `${row.warehouse_id}/${row.item_id}`));
  return lines.map((line, index) => {
    const { warehouseId, itemId, lot, location } = values[index]!;
    const fail = (column: string, message: string) => line.errors.push({ line: line.line, column, message });
    if (warehouseId !== undefined) {
      if (!isShown(job.warehouses, warehouseId)) fail('warehouseId', `You may not change stock in warehouse ${warehouseId}.`);
      else if (!warehouses.has(warehouseId)) fail('warehouseId', `Warehouse ${warehouseId} does not exist; create it first.`);
      else if (location !== undefined && location !== 'default') {
        fail('location', `Location ${location} does not exist in ${warehouseId}.`);
      }
    }
    if (itemId !== undefined) {
      if (!items.has(itemId)) fail('itemId', `Item ${itemId} does not exist; create it first.`);
      else if (lot !== undefined) fail('lot', `Item ${itemId} is not tracked by lot; leave the lot out.`);
      else if (isShown(job.warehouses, warehouseId ?? '') && stocked.has(`${warehouseId}/${itemId}`)) {
        const message = `Item ${itemId} has been stocked in ${warehouseId} before; what comes later is received or counted, not imported.`;
        fail('itemId', message);
      }
    }
    return { fields: line.values, isThere: false };
  });
}
