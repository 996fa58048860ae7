import { LowStockDetected, makeEvent, StockReplenished } from '#libs/contracts';
import { formatQuantity, parseQuantity, shortestDecimal } from '#libs/domain';
import type { Outbox } from '#libs/messaging';
import type { Tx } from '#libs/persistence';
import { readSettings } from '../settings/settings.queries.js';
import { lowStockThreshold } from './available-to-promise.js';

/** On whose behalf, and as part of which trace. */
interface ChangedBy {
  readonly actor: string;
  readonly traceparent?: string | undefined;
}

/**
 * Tells in which warehouses an item is low, or is not any more, because its reorder point was changed. What stock crosses by moving is told
 * by the stock machine; a movement at the same moment may be told by both, or by neither, the list of what is low is always right.
 *
 * @param reorderPoints of the item, before and after; null = as the organisation says.
 */
export async function tellLowStock(
  tx: Tx,
  outbox: Outbox,
  orgId: string,
  itemId: string,
  reorderPoints: readonly [before: string | null, after: string | null],
  by: ChangedBy,
): Promise<void> {
  const { defaultReorderPoint } = await readSettings(tx, orgId);
  const quantity = (text: string | null) => (text === null ? null : parseQuantity(text));
  const [before, after] = reorderPoints.map((point) =>
    formatQuantity(lowStockThreshold(null, quantity(point), quantity(defaultReorderPoint))),
  );
  const rows = await tx.rows<{ warehouse_id: string; on_hand: string; is_low: boolean; now: Date }>(
    `select warehouse_id, on_hand, on_hand <= $4 as is_low, clock_timestamp() as now from stock_balance
      where org_id = $1 and item_id = $2 and reorder_point is null and last_entry_no > 0 and (on_hand <= $3) <> (on_hand <= $4)
      order by warehouse_id`,
    [orgId, itemId, before, after],
  );
  if (rows.length === 0) return;
  await outbox.append(
    tx,
    rows.map((row) =>
      makeEvent(
        row.is_low ? LowStockDetected : StockReplenished,
        { source: '/inventory', subject: itemId, orgid: orgId, time: row.now.toISOString(), ...by },
        { itemId, warehouseId: row.warehouse_id, onHand: shortestDecimal(row.on_hand), threshold: after! },
      ),
    ),
  );
}
