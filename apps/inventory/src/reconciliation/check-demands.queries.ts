import type { CheckedPage } from '#libs/contracts';
import { type Statement, statement, type Tx } from '#libs/persistence';
import { toPage } from './checked-page.js';
import type { MismatchRow } from './mismatch.js';

// Compares demands with their reservations, backorders and ledger entries, a range of orders at a time; the last range has no end. As for
// balances, a page is one snapshot, and the stock machine writes a demand with its reservations, backorders and ledger entries in one
// transaction (check-stock.queries.ts).

const within = (bounded: boolean) => `org_id = $1 and order_id > $2${bounded ? ' and order_id <= $3' : ''}`;

const LINE = `"lineNo" int, "itemId" text, requested numeric, reserved numeric, backordered numeric, fulfilled numeric, closed numeric,
  unheld numeric`;

/** Lines against what is held and waits for them; what is held for a line that is not there, or not open. */
const compareLines = (name: string, bounded: boolean): Statement<MismatchRow> =>
  statement(
    name,
    `with lines as (
       select d.order_id, d.state, l."lineNo" as line_no, l."itemId" as item_id, l.requested, coalesce(l.reserved, 0) as reserved,
              coalesce(l.backordered, 0) as backordered,
              coalesce(l.reserved, 0) + coalesce(l.backordered, 0) + coalesce(l.fulfilled, 0) + coalesce(l.closed, 0)
                + coalesce(l.unheld, 0) as parts
         from (select * from demand where ${within(bounded)}) d cross join lateral jsonb_to_recordset(d.lines) l (${LINE})),
     holds as (
       select order_id, line_no, min(item_id) as item_id, sum(quantity - fulfilled_quantity) as held,
              case when min(warehouse_id) = max(warehouse_id) then min(warehouse_id) end as warehouse_id
         from reservation where status = 'active' and ${within(bounded)} group by order_id, line_no),
     waits as (
       select order_id, line_no, min(item_id) as item_id, sum(quantity) as waiting,
              case when min(warehouse_id) = max(warehouse_id) then min(warehouse_id) end as warehouse_id
         from backorder where ${within(bounded)} group by order_id, line_no)
     select order_id, line_no, coalesce(l.item_id, h.item_id, w.item_id) as item_id,
            case when c.kind like '%backordered' then w.warehouse_id else h.warehouse_id end as warehouse_id,
            c.kind, c.expected::text, c.actual::text
       from lines l
       full join holds h using (order_id, line_no)
       full join waits w using (order_id, line_no)
      cross join lateral (select coalesce(l.state = 'open', false) as is_open) o
      cross join lateral (values
        -- Of an order that has not come yet only what was shipped is known.
        ('line_parts', case when l.state = 'awaiting_order' then l.parts else l.requested end, l.parts),
        ('line_reserved', case when o.is_open then coalesce(h.held, 0) else 0 end, coalesce(l.reserved, 0)),
        ('line_backordered', coalesce(w.waiting, 0), coalesce(l.backordered, 0)),
        ('orphan_reservation', 0, case when o.is_open then 0 else coalesce(h.held, 0) end)
      ) c (kind, expected, actual)
      where c.expected <> c.actual
      order by order_id, line_no`,
  );

/** What was shipped of each item of an order, by its demand and by the ledger. */
const compareShipped = (name: string, bounded: boolean): Statement<MismatchRow> =>
  statement(
    name,
    `with told as (
       select d.order_id, l."itemId" as item_id, sum(coalesce(l.fulfilled, 0)) as fulfilled
         from (select * from demand where ${within(bounded)}) d
        cross join lateral jsonb_to_recordset(d.lines) l ("itemId" text, fulfilled numeric) group by 1, 2),
     posted as (
       select order_id, item_id, -sum(quantity_delta) as fulfilled,
              case when min(warehouse_id) = max(warehouse_id) then min(warehouse_id) end as warehouse_id
         from ledger_entry
        where order_id is not null and movement_type in ('sale_shipment', 'shipment_cancel') and ${within(bounded)} group by 1, 2)
     select order_id, item_id, p.warehouse_id, 'shipped' as kind, coalesce(p.fulfilled, 0)::text as expected,
            coalesce(t.fulfilled, 0)::text as actual
       from told t full join posted p using (order_id, item_id)
      where coalesce(t.fulfilled, 0) <> coalesce(p.fulfilled, 0)
      order by order_id, item_id`,
  );

/**
 * What came back of each item of an order: by its demand, its shipments, its returns, and by the ledger. Entries that are flagged may be
 * about goods of which nobody knows the shipment.
 */
const compareReturned = (name: string, bounded: boolean): Statement<MismatchRow> =>
  statement(
    name,
    `with told as (
       select d.order_id, l."itemId" as item_id, sum(coalesce(l.returned, 0)) as returned
         from (select * from demand where ${within(bounded)}) d
        cross join lateral jsonb_to_recordset(d.lines) l ("itemId" text, returned numeric) group by 1, 2),
     shipped as (
       select s.order_id, l."itemId" as item_id, sum(coalesce(l.returned, 0)) as returned
         from (select * from shipment where ${within(bounded)}) s
        cross join lateral jsonb_to_recordset(s.lines) l ("itemId" text, returned numeric) group by 1, 2),
     entries as (
       select order_id, item_id, ref_id as return_id, sum(quantity_delta) as returned,
              coalesce(sum(quantity_delta) filter (where flagged), 0) as flagged, min(warehouse_id) as first_id, max(warehouse_id) as last_id
         from ledger_entry where order_id is not null and movement_type = 'sales_return' and ${within(bounded)} group by 1, 2, 3),
     posted as (
       select e.order_id, e.item_id, sum(e.returned) as returned, sum(e.flagged) as flagged, sum(coalesce(r.quantity, 0)) as recorded,
              case when min(e.first_id) = max(e.last_id) then min(e.first_id) end as warehouse_id
         from entries e
        cross join lateral (
          select sum(l.quantity) as quantity
            from customer_return c cross join lateral jsonb_to_recordset(c.lines) l ("itemId" text, quantity numeric)
           where c.org_id = $1 and c.return_id = e.return_id and l."itemId" = e.item_id) r
        group by 1, 2)
     select order_id, item_id, p.warehouse_id, c.kind, c.expected::text, c.actual::text
       from told t full join shipped s using (order_id, item_id) full join posted p using (order_id, item_id)
      cross join lateral (
        select coalesce(p.returned, 0) as returned, coalesce(p.flagged, 0) as flagged, coalesce(s.returned, 0) as of_shipments) e
      cross join lateral (values
        ('returned', e.returned, coalesce(t.returned, 0)),
        ('returned_shipment', greatest(least(e.of_shipments, e.returned), e.returned - e.flagged), e.of_shipments),
        ('return_record', e.returned, coalesce(p.recorded, 0))
      ) c (kind, expected, actual)
      where c.expected <> c.actual
      order by order_id, item_id, kind`,
  );

const comparing = (name: string, bounded: boolean) => [
  compareLines(`${name}_lines`, bounded),
  compareShipped(`${name}_shipped`, bounded),
  compareReturned(`${name}_returned`, bounded),
];
const compare = { bounded: comparing('reconcile', true), toTheEnd: comparing('reconcile_last', false) };

const endOfPage = statement<{ order_id: string }>(
  'reconcile_end_of_demands',
  `select order_id from demand where org_id = $1 and order_id > $2 order by order_id offset $3 limit 1`,
);
const countRest = statement<{ count: number }>(
  'reconcile_count_demands',
  'select count(*) as count from demand where org_id = $1 and order_id > $2',
);
const walkAlongKeys = statement(
  'reconcile_walk_along_orders',
  `select set_config('enable_bitmapscan', 'off', true), set_config('jit', 'off', true)`,
);

/**
 * Checks the demands after an order, in a read-only transaction.
 *
 * @param after an order's id, or empty: from the beginning.
 */
export async function checkDemands(tx: Tx, orgId: string, after: string, limit: number): Promise<CheckedPage> {
  void tx.run(walkAlongKeys, []);
  const [end] = await tx.run(endOfPage, [orgId, after, limit - 1]);
  const found: MismatchRow[] = [];
  if (end !== undefined) {
    for (const part of compare.bounded) found.push(...(await tx.run(part, [orgId, after, end.order_id])));
    return toPage(found, limit, end.order_id);
  }
  for (const part of compare.toTheEnd) found.push(...(await tx.run(part, [orgId, after])));
  const [rest] = await tx.run(countRest, [orgId, after]);
  return toPage(found, rest!.count, null);
}
