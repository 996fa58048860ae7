import type { TestDatabase } from '#libs/testing';

/** What must never be, each as a query of its violations over inventory's tables, and over both services' where both know an order. */
const NEVER: Readonly<Record<string, string>> = {
  'on hand is not the sum of the ledger': `
    select b.* from inventory.stock_balance b
     where b.on_hand <> coalesce((select sum(l.quantity_delta) from inventory.ledger_entry l
                                   where (l.org_id, l.warehouse_id, l.item_id) = (b.org_id, b.warehouse_id, b.item_id)), 0)`,
  'reserved is not the sum of the open reservations': `
    select b.* from inventory.stock_balance b
     where b.reserved <> coalesce((select sum(r.quantity - r.fulfilled_quantity) from inventory.reservation r where r.status = 'active'
                                     and (r.org_id, r.warehouse_id, r.item_id) = (b.org_id, b.warehouse_id, b.item_id)), 0)`,
  'backordered is not the sum of the open backorders': `
    select b.* from inventory.stock_balance b
     where b.backordered <> coalesce((select sum(o.quantity) from inventory.backorder o
                                       where (o.org_id, o.warehouse_id, o.item_id) = (b.org_id, b.warehouse_id, b.item_id)), 0)`,
  'blocked is not the sum of the blocked stock': `
    select b.* from inventory.stock_balance b
     where b.blocked <> coalesce((select sum(s.quantity) from inventory.quant s
                                   where s.quality <> 'available' and (s.org_id, s.warehouse_id, s.item_id) = (b.org_id, b.warehouse_id, b.item_id)), 0)`,
  'more is reserved than there is': `select * from inventory.stock_balance where reserved < 0 or reserved > greatest(on_hand - blocked, 0)`,
  'ledger entries have gaps': `
    select org_id, warehouse_id, item_id from inventory.ledger_entry group by org_id, warehouse_id, item_id
    having count(*) <> max(entry_no) or count(*) <> count(distinct entry_no)`,
  'the parts of a line do not add up': `
    select d.org_id, d.order_id, line from inventory.demand d, jsonb_array_elements(d.lines) line
     where d.state <> 'awaiting_order' and coalesce((line->>'requested')::numeric, 0) <>
           (select coalesce(sum(coalesce((line->>part)::numeric, 0)), 0)
              from unnest(array['reserved', 'backordered', 'fulfilled', 'closed', 'unheld']) part)`,
  'a line says something else than its reservations': `
    select d.org_id, d.order_id, line from inventory.demand d, jsonb_array_elements(d.lines) line
     where coalesce((line->>'reserved')::numeric, 0) <>
           (select coalesce(sum(r.quantity - r.fulfilled_quantity), 0) from inventory.reservation r where r.status = 'active'
               and (r.org_id, r.order_id, r.line_no) = (d.org_id, d.order_id, (line->>'lineNo')::int))`,
  'an order shipped something else than its ledger says': `
    with told as (
      select d.org_id, d.order_id, line->>'itemId' as item_id, sum(coalesce((line->>'fulfilled')::numeric, 0)) as fulfilled
        from inventory.demand d, jsonb_array_elements(d.lines) line group by 1, 2, 3),
    posted as (
      select org_id, order_id, item_id, -sum(quantity_delta) as fulfilled from inventory.ledger_entry
       where movement_type in ('sale_shipment', 'shipment_cancel') group by 1, 2, 3)
    select * from told full join posted using (org_id, order_id, item_id)
     where coalesce(told.fulfilled, 0) <> coalesce(posted.fulfilled, 0)`,
  'a business key was posted more than once': `
    select org_id, movement_type, ref_id from inventory.movement
     where movement_type in ('receipt', 'sale_shipment', 'shipment_cancel', 'sales_return', 'adjustment')
     group by 1, 2, 3 having count(*) > 1`,
};

/** What of {@link NEVER} is there, in words; empty when the counters equal the rows. */
export async function stockViolations(database: TestDatabase): Promise<string[]> {
  const violations: string[] = [];
  for (const [what, query] of Object.entries(NEVER)) {
    for (const row of await database.rows<object>(`${query} limit 5`)) violations.push(`${what}: ${JSON.stringify(row)}`);
  }
  return violations;
}

/** Where orders tells something else than inventory about an order of its own, or waits for something, in words. */
export async function disagreements(database: TestDatabase): Promise<string[]> {
  const rows = await database.rows<object>(
    `select o.org_id, o.order_id, o.status, o.outstanding->>'kind' as outstanding, o.stock_sequence, d.sequence
       from orders.customer_order o left join inventory.demand d using (org_id, order_id)
      where o.outstanding is not null or (o.status <> 'refused' and (o.stock_sequence is distinct from d.sequence or o.firm <> d.firm))`,
  );
  const shipments = await database.rows<object>(
    `select org_id, shipment_id, o.status as orders, i.status as inventory
       from orders.shipment o left join inventory.shipment i using (org_id, shipment_id)
      where o.status <> coalesce(i.status, 'refused')`,
  );
  return [...rows, ...shipments].map((row) => `orders and inventory disagree: ${JSON.stringify(row)}`);
}

/** What services have put aside. */
export async function parkedMessages(
  database: TestDatabase,
  service: 'inventory' | 'orders' | 'approvals' | 'notifications' | 'reconciliation',
): Promise<{ routing_key: string; reason: string }[]> {
  return await database.rows(`select routing_key, reason, detail from ${service}.parked_message order by parked_at`);
}
