import type { StockDatabase } from './stock-database.js';

const MOVED = `movement_type in ('sale_shipment', 'shipment_cancel')`;
const LINES = `inventory.demand d cross join lateral (
  select (l->>'lineNo')::int as line_no, l->>'itemId' as item_id, coalesce((l->>'requested')::numeric, 0) as requested,
         coalesce((l->>'reserved')::numeric, 0) as reserved, coalesce((l->>'backordered')::numeric, 0) as backordered,
         coalesce((l->>'fulfilled')::numeric, 0) as fulfilled, coalesce((l->>'returned')::numeric, 0) as returned,
         coalesce((l->>'closed')::numeric, 0) as closed, coalesce((l->>'unheld')::numeric, 0) as unheld
    from jsonb_array_elements(d.lines) l) line`;

/** Every quant, the plain ones as what their balances have beyond the stored ones. */
const QUANTS = `(
  select org_id, warehouse_id, item_id, lot, location, quality, quantity, reserved from inventory.quant
  union all
  select b.org_id, b.warehouse_id, b.item_id, '', 'default', 'available', b.on_hand - coalesce(sum(q.quantity), 0), b.reserved - coalesce(sum(q.reserved), 0)
    from inventory.stock_balance b left join inventory.quant q using (org_id, warehouse_id, item_id) group by b.org_id, b.warehouse_id, b.item_id)`;

/** The lines of transfers. */
const TRANSFERRED = `(
  select t.org_id, t.transfer_id, t.to_warehouse_id, t.status, l->>'itemId' as item_id, coalesce(l->>'lot', '') as lot,
         (l->>'quantity')::numeric as quantity, coalesce((l->>'received')::numeric, 0) as received, coalesce((l->>'missing')::numeric, 0) as missing,
         (select coalesce(sum((c->>'quantity')::numeric), 0) from jsonb_array_elements(coalesce(l->'cost', '[]')) c) as costed,
         (select coalesce(sum((c->>'value')::numeric), 0) from jsonb_array_elements(coalesce(l->'cost', '[]')) c) as cost
    from inventory.transfer t cross join lateral jsonb_array_elements(t.lines) l) t`;

/** What must never be, each as a query of its violations. */
const NEVER: Readonly<Record<string, string>> = {
  'I1: more is reserved than there is': `select * from inventory.stock_balance where reserved < 0 or reserved > greatest(on_hand - blocked, 0) or backordered < 0
       or (on_hand < blocked) <> may_be_negative`,
  'I2: on hand is not the sum of the ledger, or the entries have a gap': `
    select b.* from inventory.stock_balance b
      left join (select org_id, warehouse_id, item_id, sum(quantity_delta) as on_hand, count(*) as entries, count(distinct entry_no) as numbers,
                        max(entry_no) as last_no from inventory.ledger_entry group by 1, 2, 3) l using (org_id, warehouse_id, item_id)
     where b.on_hand <> coalesce(l.on_hand, 0) or b.last_entry_no <> coalesce(l.entries, 0)
        or l.numbers <> l.entries or l.last_no <> l.entries`,
  'I2: an entry does not carry on the balance of the one before': `
    select * from (select l.*, sum(quantity_delta) over (partition by org_id, warehouse_id, item_id order by entry_no) as running
                     from inventory.ledger_entry l) l where balance_after <> running`,
  'I2: blocked is not the sum of the blocked qualities': `
    select b.* from inventory.stock_balance b
      left join (select org_id, warehouse_id, item_id, sum(quantity) as blocked from inventory.quant where quality <> 'available' group by 1, 2, 3) s
           using (org_id, warehouse_id, item_id)
     where b.blocked <> coalesce(s.blocked, 0)`,
  'I2: a quant is not the sum of its ledger entries': `
    select * from (select org_id, warehouse_id, item_id, coalesce(lot, '') as lot, location, quality, sum(quantity_delta) as posted
                     from inventory.ledger_entry group by 1, 2, 3, 4, 5, 6) l
      full join ${QUANTS} q using (org_id, warehouse_id, item_id, lot, location, quality)
     where coalesce(l.posted, 0) <> coalesce(q.quantity, 0)`,
  'I1, I3: a quant holds something else than its reservations': `
    select * from (select org_id, warehouse_id, item_id, lot, location, 'available' as quality, sum(quantity - fulfilled_quantity) as held
                     from inventory.reservation where status = 'active' group by 1, 2, 3, 4, 5) r
      full join ${QUANTS} q using (org_id, warehouse_id, item_id, lot, location, quality)
     where coalesce(r.held, 0) <> coalesce(q.reserved, 0) or q.reserved > greatest(q.quantity, 0)`,
  'I2, I8: quantity or value is not the sum of the layers, or of the ledger': `
    select b.org_id, b.warehouse_id, b.item_id, b.on_hand, b.value, c.quantity, c.value as layers, l.value as posted from inventory.stock_balance b
      left join (select org_id, warehouse_id, item_id, sum(quantity) as quantity, sum(value) as value from inventory.cost_layer group by 1, 2, 3) c
           using (org_id, warehouse_id, item_id)
      left join (select org_id, warehouse_id, item_id, sum(value_delta) as value from inventory.ledger_entry group by 1, 2, 3) l
           using (org_id, warehouse_id, item_id)
     where b.on_hand <> coalesce(c.quantity, 0) or b.value <> coalesce(c.value, 0) or b.value <> coalesce(l.value, 0)
        or (b.on_hand = 0 and b.value <> 0)`,
  'I2: what is on its way is not what transfers have under way': `
    select * from (select org_id, to_warehouse_id as warehouse_id, item_id, sum(quantity - received - missing) as coming from ${TRANSFERRED}
                    group by 1, 2, 3) t
      full join inventory.stock_balance b using (org_id, warehouse_id, item_id)
     where coalesce(t.coming, 0) <> coalesce(b.in_transit, 0)`,
  'I2, I8: a transfer says something else than the ledger and what was told to be missing': `
    select * from (select org_id, transfer_id as ref_id, item_id, lot, sum(quantity) as quantity, sum(received) as received, sum(missing) as missing,
                          sum(cost) as cost, sum(costed) as costed from ${TRANSFERRED}
                    group by 1, 2, 3, 4) t
      full join (select org_id, ref_id, item_id, coalesce(lot, '') as lot, -coalesce(sum(quantity_delta) filter (where quantity_delta < 0), 0) as gone,
                        coalesce(sum(quantity_delta) filter (where quantity_delta > 0), 0) as come, -sum(value_delta) as value
                   from inventory.ledger_entry where ref_type = 'transfer' and movement_type <> 'cost_correction' group by 1, 2, 3, 4) l using (org_id, ref_id, item_id, lot)
      left join (select e->>'orgid' as org_id, e->>'subject' as ref_id, e->'data'->>'itemId' as item_id, coalesce(e->'data'->>'lot', '') as lot,
                        sum((e->'data'->>'missing')::numeric) as missing, sum((e->'data'->>'value')::numeric) as value
                   from (select convert_from(event, 'UTF8')::jsonb as e from inventory.outbox) o where e->>'type' = 'TransferShortage'
                  group by 1, 2, 3, 4) s using (org_id, ref_id, item_id, lot)
     where (t.quantity, t.received, t.missing, t.costed, t.cost) is distinct from
           (l.gone, l.come, coalesce(s.missing, 0), t.quantity - t.received - t.missing, l.value - coalesce(s.value, 0))`,
  'a transfer is completed though something of it is under way, or the other way round': `
    select org_id, transfer_id, status from ${TRANSFERRED} group by 1, 2, 3
    having (status = 'completed') <> (sum(quantity) = sum(received + missing))`,
  'a piece is in several places, or one of them is under way': `
    select org_id, item_id, lot, count(*) from (
      select org_id, item_id, lot from inventory.quant where is_serial and quantity > 0
      union all select t.org_id, t.item_id, t.lot from ${TRANSFERRED} join inventory.item i using (org_id, item_id)
       where i.tracking = 'serial' and quantity > received + missing) p group by 1, 2, 3 having count(*) > 1`,
  'something of a recalled lot is available': `
    select q.* from inventory.quant q join inventory.lot l using (org_id, item_id, lot)
     where q.quality = 'available' and q.quantity > 0 and l.recalled_at is not null`,
  'an expected receipt is open though all has come, or the other way round': `
    select * from inventory.expected_receipt where status <> 'cancelled' and (status = 'open') <> (received_quantity < quantity)`,
  'I3: reserved is not the sum of the open reservations': `
    select * from (select org_id, warehouse_id, item_id, sum(quantity - fulfilled_quantity) as held from inventory.reservation
                    where status = 'active' group by 1, 2, 3) r
      full join inventory.stock_balance b using (org_id, warehouse_id, item_id)
     where coalesce(r.held, 0) <> coalesce(b.reserved, 0)`,
  'I3: backordered is not the sum of the open backorders': `
    select * from (select org_id, warehouse_id, item_id, sum(quantity) as waiting from inventory.backorder group by 1, 2, 3) o
      full join inventory.stock_balance b using (org_id, warehouse_id, item_id)
     where coalesce(o.waiting, 0) <> coalesce(b.backordered, 0)`,
  'I3, I5: the parts of a line do not add up': `
    select d.org_id, d.order_id, d.state, line.* from ${LINES}
     where requested <> reserved + backordered + fulfilled + closed + unheld or fulfilled > requested
        or least(requested, reserved, backordered, fulfilled, returned, closed, unheld) < 0`,
  'I3: a line says something else than its reservations': `
    select d.org_id, d.order_id, line.* from ${LINES}
     where reserved <> coalesce((select sum(quantity - fulfilled_quantity) from inventory.reservation r where r.status = 'active'
        and (r.org_id, r.order_id, r.line_no, r.item_id) = (d.org_id, d.order_id, line.line_no, line.item_id)), 0)`,
  'I3: a line says something else than its backorders': `
    select d.org_id, d.order_id, line.* from ${LINES}
     where backordered <> coalesce((select sum(quantity) from inventory.backorder o
        where (o.org_id, o.order_id, o.line_no, o.item_id) = (d.org_id, d.order_id, line.line_no, line.item_id)), 0)`,
  'a hold or a backorder belongs to no line of an open demand': `
    select h.* from (select org_id, order_id, line_no, item_id from inventory.reservation where status = 'active'
                     union all select org_id, order_id, line_no, item_id from inventory.backorder) h
     where not exists (select from ${LINES} where d.state = 'open'
        and (h.org_id, h.order_id, h.line_no, h.item_id) = (d.org_id, d.order_id, line.line_no, line.item_id))`,
  'a reservation is neither open nor closed': `select * from inventory.reservation where (status = 'active') <> (closed_at is null)`,
  'I5: an order shipped something else than the ledger says': `
    select * from (select d.org_id, d.order_id, line.item_id, sum(fulfilled) as told from ${LINES} group by 1, 2, 3) t
      full join (select org_id, order_id, item_id, -sum(quantity_delta) as posted from inventory.ledger_entry where ${MOVED} group by 1, 2, 3) l
           using (org_id, order_id, item_id)
     where coalesce(t.told, 0) <> coalesce(l.posted, 0)`,
  'I5: an order shipped something else than its shipments': `
    select * from (select d.org_id, d.order_id, line.line_no, sum(fulfilled) as told from ${LINES} group by 1, 2, 3) t
      full join (select s.org_id, s.order_id, (l->>'lineNo')::int as line_no, sum((l->>'quantity')::numeric) as posted
                   from inventory.shipment s cross join lateral jsonb_array_elements(s.lines) l where s.status = 'posted' group by 1, 2, 3) p
           using (org_id, order_id, line_no)
     where coalesce(t.told, 0) <> coalesce(p.posted, 0)`,
  'I5: a line was returned otherwise than its returns say': `
    select * from (select d.org_id, d.order_id, line.line_no, sum(returned) as told from ${LINES} group by 1, 2, 3) t
      full join (select r.org_id, r.order_id, (l->>'lineNo')::int as line_no, sum((l->>'quantity')::numeric) as posted
                   from inventory.customer_return r cross join lateral jsonb_array_elements(r.lines) l group by 1, 2, 3) p
           using (org_id, order_id, line_no)
     where coalesce(t.told, 0) <> coalesce(p.posted, 0)`,
  'what a balance counts of what is in doubt is not what is open on it': `
    select b.* from inventory.stock_balance b
      left join (select org_id, warehouse_id, item_id, count(*) as doubts, sum(abs(snapshot_quantity - ledger_quantity)) as doubtful
                   from inventory.discrepancy
                  where status in ('new', 'under_review') and severity in ('high', 'critical') and source <> 'blocked_transaction'
                  group by 1, 2, 3) d using (org_id, warehouse_id, item_id)
     where b.doubts <> coalesce(d.doubts, 0) or b.doubtful <> coalesce(d.doubtful, 0)`,
  'refused orders join a discrepancy that is over': `
    select b.* from inventory.stock_balance b join inventory.discrepancy d on d.org_id = b.org_id and d.discrepancy_id = b.attempts_discrepancy_id
     where d.status not in ('new', 'under_review')`,
  'a discrepancy is over and open': `select * from inventory.discrepancy where (closed_at is null) <> (status in ('new', 'under_review'))`,
  'something else was posted for a discrepancy than it says, or it is not resolved': `
    select d.*, posted from inventory.discrepancy d
      join (select org_id, ref_id, sum(quantity_delta) as posted from inventory.ledger_entry
             where ref_type = 'discrepancy' and movement_type = 'count' group by 1, 2) l on l.org_id = d.org_id and l.ref_id = d.discrepancy_id::text
     where status <> 'resolved' or posted > greatest(snapshot_quantity - ledger_quantity, 0) and source = 'blocked_transaction'
        or posted <> snapshot_quantity - ledger_quantity and source <> 'blocked_transaction'`,
  'I6: a business key was posted more than once': `
    select org_id, movement_type, ref_id, count(*) from inventory.movement
     where movement_type in ('receipt', 'sale_shipment', 'shipment_cancel', 'sales_return', 'adjustment')
     group by 1, 2, 3 having count(*) > 1`,
  'a movement other than a count has no entries, or an entry no movement': `
    select * from (select distinct org_id, movement_id from inventory.ledger_entry) l full join inventory.movement m using (org_id, movement_id)
     where m.movement_id is null or (l.movement_id is null and m.movement_type <> 'count')`,
  'the outgoing sequence of an order has a gap or says a number twice': `
    select * from (select e->>'orgid' as org_id, e->>'subject' as order_id, count(*) as told, count(distinct e->>'sequence') as numbers,
                          max((e->>'sequence')::bigint) as last
                     from (select convert_from(event, 'UTF8')::jsonb as e from inventory.outbox) o where e->'data' ? 'stock' group by 1, 2) o
      full join (select org_id, order_id, sequence from inventory.demand where sequence > 0) d using (org_id, order_id)
     where (o.told, o.numbers, o.last) is distinct from (d.sequence, d.sequence, d.sequence)`,
  'what was told last of an order is not how it is': `
    select d.org_id, d.order_id, line.*, told.stock from ${LINES}
      join lateral (select e->'data'->'stock' as stock
                      from (select convert_from(event, 'UTF8')::jsonb as e from inventory.outbox) o
                     where e->>'orgid' = d.org_id and e->>'subject' = d.order_id and (e->>'sequence')::bigint = d.sequence) told on true
     where not exists (select from jsonb_to_recordset(told.stock) as t ("lineNo" int, requested numeric, reserved numeric, backordered numeric,
                                                                      fulfilled numeric, returned numeric, closed numeric, unheld numeric)
        where (t."lineNo", t.requested, t.reserved, t.backordered, t.fulfilled, t.returned, t.closed, t.unheld)
            = (line_no, line.requested, line.reserved, line.backordered, line.fulfilled, line.returned, line.closed, line.unheld))`,
};

/** What of {@link NEVER} is there, in words; empty when all is well. The outbox must hold all that was ever said. */
export async function stockViolations(stock: StockDatabase): Promise<string[]> {
  const violations: string[] = [];
  for (const [what, query] of Object.entries(NEVER)) {
    const rows = await stock.rows<object>(`${query} limit 5`).catch((error: unknown) => {
      throw new Error(`${what}: ${String(error)}`);
    });
    for (const row of rows) violations.push(`${what}: ${JSON.stringify(row)}`);
  }
  return violations;
}

/** How often transactions of this database met in a deadlock. */
export async function deadlocks(stock: StockDatabase): Promise<number> {
  const [row] = await stock.rows<{ deadlocks: string }>('select deadlocks from pg_stat_database where datname = current_database()');
  return Number(row!.deadlocks);
}
