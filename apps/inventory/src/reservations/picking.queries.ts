import type { PickSuggestion } from '#libs/contracts';
import { notFound, shortestDecimal } from '#libs/domain';
import type { Tx } from '#libs/persistence';
import type { Scope } from '../scope.js';
import { lotOrNull } from '../stock-machine/holds.js';

interface PickRow {
  readonly line_no: number;
  readonly item_id: string;
  readonly name: string;
  readonly warehouse_id: string;
  readonly lot: string;
  readonly location: string;
  readonly quantity: string;
  readonly expires_at: Date | null;
}

/**
 * What to pick for an order: what it holds and has not been shipped, by line and warehouse, there by lot and bin, what expires first at
 * the top. A hold on a lot that has expired, or is too old for the line, is left out (docs/rules.md, "picking").
 *
 * @throws {HoldfastError} `ORDER_NOT_FOUND` when nothing was ever said about the order.
 */
export async function suggestPicks(tx: Tx, orgId: string, scope: Scope, orderId: string): Promise<readonly PickSuggestion[]> {
  const [known, rows] = await Promise.all([
    tx.rows('select from demand where org_id = $1 and order_id = $2', [orgId, orderId]),
    tx.rows<PickRow>(
      `select r.line_no, r.item_id, i.name, r.warehouse_id, r.lot, r.location, sum(r.quantity - r.fulfilled_quantity) as quantity,
              l.expires_at
       from reservation r
       join demand d on d.org_id = r.org_id and d.order_id = r.order_id
       join item i on i.org_id = r.org_id and i.item_id = r.item_id
       left join lot l on l.org_id = r.org_id and l.item_id = r.item_id and l.lot = r.lot
       left join stock_settings s on s.org_id = r.org_id
       left join quant q on q.org_id = r.org_id and q.warehouse_id = r.warehouse_id and q.item_id = r.item_id and q.lot = r.lot
             and q.location = r.location and q.quality = 'available'
       where r.org_id = $1 and r.order_id = $2 and r.status = 'active' and ($3::text[] is null or r.warehouse_id = any($3))
         and (l.expires_at is null or l.expires_at > now() + interval '24 hours' * coalesce(
               (select (wanted->>'minRemainingShelfLifeDays')::int from jsonb_array_elements(d.lines) wanted
                 where (wanted->>'lineNo')::int = r.line_no),
               i.min_remaining_shelf_life_days, s.min_remaining_shelf_life_days, 0))
       group by r.line_no, r.item_id, i.name, r.warehouse_id, r.lot, r.location, l.expires_at, q.received_at
       order by r.line_no, r.warehouse_id, l.expires_at nulls last, q.received_at nulls first, r.lot, r.location`,
      [orgId, orderId, scope],
    ),
  ]);
  if (known.length === 0) throw notFound('ORDER_NOT_FOUND', `Nothing is known of order ${orderId}.`);
  return rows.map((row) => ({
    lineNo: row.line_no,
    itemId: row.item_id,
    name: row.name,
    warehouseId: row.warehouse_id,
    lot: lotOrNull(row.lot),
    location: row.location,
    quantity: shortestDecimal(row.quantity),
    expiresAt: row.expires_at?.toISOString() ?? null,
  }));
}
