import type { PickSuggestion } from '#libs/contracts';
import { notFound, shortestDecimal } from '#libs/domain';
import type { Tx } from '#libs/persistence';
import type { Scope } from '../scope.js';
import { DEFAULT_LOCATION } from '../stock-machine/stock-state.js';

interface PickRow {
  readonly line_no: number;
  readonly item_id: string;
  readonly name: string;
  readonly warehouse_id: string;
  readonly quantity: string;
}

/**
 * What to pick for an order: what it holds and has not been shipped, by line and warehouse. Where lots are not tracked there is none to
 * name, and so no date of expiry.
 *
 * @throws {HoldfastError} `ORDER_NOT_FOUND` when nothing was ever said about the order.
 */
export async function suggestPicks(tx: Tx, orgId: string, scope: Scope, orderId: string): Promise<readonly PickSuggestion[]> {
  const [known, rows] = await Promise.all([
    tx.rows('select from demand where org_id = $1 and order_id = $2', [orgId, orderId]),
    tx.rows<PickRow>(
      `select r.line_no, r.item_id, i.name, r.warehouse_id, sum(r.quantity - r.fulfilled_quantity) as quantity
       from reservation r
       join item i on i.org_id = r.org_id and i.item_id = r.item_id
       where r.org_id = $1 and r.order_id = $2 and r.status = 'active' and ($3::text[] is null or r.warehouse_id = any($3))
       group by r.line_no, r.item_id, i.name, r.warehouse_id
       order by r.line_no, r.warehouse_id`,
      [orgId, orderId, scope],
    ),
  ]);
  if (known.length === 0) throw notFound('ORDER_NOT_FOUND', `Nothing is known of order ${orderId}.`);
  return rows.map((row) => ({
    lineNo: row.line_no,
    itemId: row.item_id,
    name: row.name,
    warehouseId: row.warehouse_id,
    lot: null,
    location: DEFAULT_LOCATION,
    quantity: shortestDecimal(row.quantity),
    expiresAt: null,
  }));
}
