-- Lots, bins, quality and cost.

-- A place inside a warehouse. Every warehouse has the bin `default`, which is not stored.
create table location (
  org_id       text not null,
  warehouse_id text not null,
  location     text not null,
  created_at   timestamptz not null default now(),
  primary key (org_id, warehouse_id, location),
  foreign key (org_id, warehouse_id) references warehouse
);

-- A batch of an item, or one piece of it with a serial number.
create table lot (
  org_id         text not null,
  item_id        text not null,
  lot            text not null,
  produced_at    timestamptz,
  expires_at     timestamptz,
  created_at     timestamptz not null,
  recalled_at    timestamptz,
  recall_reason  text,
  primary key (org_id, item_id, lot),
  foreign key (org_id, item_id) references item
);
create index lot_to_expire on lot (expires_at) where expires_at is not null;

-- The quantity of an item in a warehouse of one lot, in one bin, of one quality. What has no lot, lies in the default bin and is available
-- (the plain quant) is not stored: it is what the balance has beyond its stored quants. So an item that is not tracked and lies in one bin
-- costs no row and no statement here.
create table quant (
  org_id       text not null,
  warehouse_id text not null,
  item_id      text not null,
  -- '' = no lot.
  lot          text not null default '',
  location     text not null default 'default',
  quality      text not null check (quality in ('available', 'pending_inspection', 'quarantined', 'damaged', 'expired', 'recalled')),
  quantity     numeric(18,4) not null default 0,
  reserved     numeric(18,4) not null default 0,
  -- Of the lot, repeated here so that the first to expire is found by an index.
  expires_at   timestamptz,
  -- When the oldest of it came.
  received_at  timestamptz not null,
  -- The lot is one piece with a serial number.
  is_serial    boolean not null default false,
  primary key (org_id, warehouse_id, item_id, lot, location, quality),
  foreign key (org_id, warehouse_id, item_id) references stock_balance,
  constraint one_piece_at_most check (not is_serial or quantity <= 1),
  constraint plain_is_derived check (lot <> '' or location <> 'default' or quality <> 'available'),
  constraint quant_never_oversold check (quantity >= 0 and reserved >= 0 and reserved <= quantity and (reserved = 0 or quality = 'available'))
) with (fillfactor = 70);
-- First expired, first out; then first in, first out.
create index quant_to_pick on quant (org_id, warehouse_id, item_id, expires_at, received_at, lot, location)
  where quality = 'available' and quantity > reserved;
-- A piece is in one place at most, in whichever warehouse.
create unique index quant_of_piece on quant (org_id, item_id, lot) where is_serial and quantity > 0;
create index quant_by_lot on quant (org_id, item_id, lot);
create index quant_to_expire on quant (expires_at) where quality = 'available' and quantity > 0 and expires_at is not null;

insert into quant (org_id, warehouse_id, item_id, quality, quantity, received_at)
select org_id, warehouse_id, item_id, quality, quantity, now() from blocked_stock;
drop table blocked_stock;

alter table stock_balance
  -- Whether available stock of it lies in stored quants, so that these must be read to say where a hold is.
  add column has_quants boolean not null default false,
  -- Of what is on hand: the sum of its cost layers.
  add column value numeric(22,4) not null default 0,
  -- What one piece cost when there was last something on hand; null before the first receipt.
  add column last_unit_cost numeric(18,4),
  add column last_layer_no bigint not null default 0,
  -- On its way here from other warehouses.
  add column in_transit numeric(18,4) not null default 0 check (in_transit >= 0);

alter table reservation
  add column lot text not null default '',
  add column location text not null default 'default';
create index reservation_open_of_lot on reservation (org_id, warehouse_id, item_id, lot) where status = 'active' and lot <> '';

-- Quantity and value received together, consumed first in first out, last in first out, or, numbered 0, as a moving average.
create table cost_layer (
  org_id       text not null,
  warehouse_id text not null,
  item_id      text not null,
  layer_no     bigint not null,
  received_at  timestamptz not null,
  -- The receipt it came by, also after transfers: a later correction of its cost finds what is left of it.
  receipt_id   text,
  quantity     numeric(18,4) not null,
  value        numeric(22,4) not null,
  primary key (org_id, warehouse_id, item_id, layer_no),
  foreign key (org_id, warehouse_id, item_id) references stock_balance,
  constraint worthless_when_empty check (quantity >= 0 and (quantity > 0 or value = 0))
) with (fillfactor = 70);
create index cost_layer_open on cost_layer (org_id, warehouse_id, item_id, received_at, layer_no) where quantity > 0;
create index cost_layer_by_receipt on cost_layer (org_id, receipt_id) where receipt_id is not null and quantity > 0;

-- What was received before costs were kept is worth what its receipts said, as one layer.
insert into cost_layer (org_id, warehouse_id, item_id, layer_no, received_at, quantity, value)
select b.org_id, b.warehouse_id, b.item_id, 0, now(), b.on_hand, round(b.on_hand * coalesce(c.unit_cost, 0), 4)
  from stock_balance b
  left join lateral (
    select sum(e.unit_cost * e.quantity_delta) / sum(e.quantity_delta) as unit_cost from ledger_entry e
     where e.org_id = b.org_id and e.warehouse_id = b.warehouse_id and e.item_id = b.item_id and e.quantity_delta > 0 and e.unit_cost is not null) c on true
 where b.on_hand > 0;
update stock_balance b set value = l.value, last_unit_cost = round(l.value / l.quantity, 4)
  from cost_layer l where (l.org_id, l.warehouse_id, l.item_id) = (b.org_id, b.warehouse_id, b.item_id);

-- Without the order's id at the end, which made it as cheap a way to the backorders of an order as the key, in the eyes of a planner that
-- knows nothing of the data yet. Within equal times the queue is sorted.
drop index backorder_queue;
create index backorder_queue on backorder (org_id, warehouse_id, item_id, priority desc, accepted_at);

-- A return finds what was shipped, and at which cost.
create index shipment_by_order on shipment (org_id, order_id);

alter table stock_settings
  add column sourcing_strategy text not null default 'priority' check (sourcing_strategy in ('priority', 'most_stock', 'fewest_splits')),
  add column min_remaining_shelf_life_days integer not null default 0 check (min_remaining_shelf_life_days >= 0);

do $$
declare t text;
begin
  foreach t in array array['location', 'lot', 'quant', 'cost_layer'] loop
    execute format('alter table %I enable row level security', t);
    execute format('alter table %I force row level security', t);
    execute format('create policy own_organisation on %I using ((select nullif(current_setting(''holdfast.orgs'', true), '''')::jsonb) ? org_id)', t);
    execute format('grant select, insert, update on %I to ${role}', t);
  end loop;
end $$;

-- In any order, so that those which cannot be served after all, because what lies there is of another lot or has expired, do not keep the
-- others waiting.
create or replace function fillable_balances(row_limit integer) returns table (org_id text, warehouse_id text, item_id text)
  language sql stable security definer set search_path = ${schema} as
$$ select b.org_id, b.warehouse_id, b.item_id from stock_balance b join item i using (org_id, item_id)
   where b.backordered > 0 and b.on_hand - b.blocked - b.reserved
         > greatest(coalesce(b.safety_quantity, i.safety_stock, 0), round((b.on_hand - b.blocked) * coalesce(b.safety_percent, 0) / 100, 4))
   order by random()
   limit row_limit $$;

-- The lots that have expired while some of them still counts as available.
create function expired_lots(row_limit integer) returns table (org_id text, warehouse_id text, item_id text, lot text)
  language sql stable security definer set search_path = ${schema} as
$$ select distinct q.org_id, q.warehouse_id, q.item_id, q.lot from (
     select org_id, warehouse_id, item_id, lot from quant
      where quality = 'available' and quantity > 0 and expires_at is not null and expires_at <= now() order by expires_at limit row_limit) q $$;
grant select on quant to ${messagingRole};
create policy due_work on quant for select to ${messagingRole} using (true);
alter function expired_lots owner to ${messagingRole};
revoke execute on function expired_lots from public;
grant execute on function expired_lots to ${role};
