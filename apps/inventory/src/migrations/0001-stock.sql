-- The tables of inventory. Every primary key starts with the organisation, and row-level security is forced on every table, so that
-- no statement can see or change a row of an organisation that its transaction was not opened for.

create table warehouse (
  org_id       text not null,
  warehouse_id text not null,
  name         text not null,
  priority     integer not null default 100,
  created_at   timestamptz not null default now(),
  -- Of the body that created it: recognises a repeat, whatever was changed since.
  fingerprint  text,
  primary key (org_id, warehouse_id)
);

create table item (
  org_id                        text not null,
  item_id                       text not null,
  name                          text not null,
  unit                          text not null default 'piece',
  tracking                      text not null default 'none' check (tracking in ('none', 'lot', 'serial')),
  costing                       text not null default 'fifo' check (costing in ('fifo', 'lifo', 'average')),
  unit_price                    numeric(18,4) check (unit_price >= 0),
  currency                      text,
  reorder_point                 numeric(18,4) check (reorder_point >= 0),
  safety_stock                  numeric(18,4) check (safety_stock >= 0),
  min_remaining_shelf_life_days integer,
  substitutes                   text[] not null default '{}',
  created_at                    timestamptz not null default now(),
  fingerprint                   text,
  primary key (org_id, item_id)
);

-- One row per item and warehouse: the counters that every decision reads under lock. Derived from ledger and reservations in the same
-- transaction and proved equal by tests and reconciliation. Half of each page is left free, so that updates stay on their page and
-- touch no index.
create table stock_balance (
  org_id          text not null,
  warehouse_id    text not null,
  item_id         text not null,
  on_hand         numeric(18,4) not null default 0,
  blocked         numeric(18,4) not null default 0,
  reserved        numeric(18,4) not null default 0,
  backordered     numeric(18,4) not null default 0,
  safety_quantity numeric(18,4) check (safety_quantity >= 0),
  safety_percent  numeric(18,4) check (safety_percent >= 0),
  reorder_point   numeric(18,4) check (reorder_point >= 0),
  last_entry_no   bigint not null default 0,
  primary key (org_id, warehouse_id, item_id),
  foreign key (org_id, warehouse_id) references warehouse,
  foreign key (org_id, item_id) references item,
  constraint never_oversold check (reserved >= 0 and reserved <= on_hand - blocked),
  constraint nothing_negative check (on_hand >= 0 and blocked >= 0 and backordered >= 0)
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05);
-- With the warehouse, so that it finds a balance as directly as the key does, whichever the planner takes.
create index stock_balance_by_item on stock_balance (org_id, item_id, warehouse_id);

-- The part of on hand that is not `available`, by quality status; its sum per item and warehouse is stock_balance.blocked.
create table blocked_stock (
  org_id       text not null,
  warehouse_id text not null,
  item_id      text not null,
  quality      text not null check (quality in ('pending_inspection', 'quarantined', 'damaged', 'expired', 'recalled')),
  quantity     numeric(18,4) not null check (quantity >= 0),
  primary key (org_id, warehouse_id, item_id, quality),
  foreign key (org_id, warehouse_id, item_id) references stock_balance
);

-- What an order wants, one row per order. `lines` is the whole stock state of the order as the events tell it: a demand is always
-- read and written whole, and one row costs a third of a row per line.
create table demand (
  org_id              text not null,
  order_id            text not null,
  state               text not null default 'awaiting_order' check (state in ('awaiting_order', 'open', 'refused', 'expired', 'closed')),
  -- Whose order it is; null while only a shipment or a return of it is known.
  source              text,
  -- The last sequence and time of its source that set the demand.
  incoming_sequence   bigint,
  incoming_time       timestamptz,
  -- Up to which sequence every message about the order was heard, and which were heard beyond that: a gap is still under way.
  seen_sequence       bigint not null default 0,
  seen_ahead          bigint[],
  -- Our own count of everything said about the order.
  sequence            bigint not null default 0,
  firm                boolean not null default false,
  mode                text not null default 'all_or_nothing' check (mode in ('all_or_nothing', 'partial')),
  priority            smallint not null default 50 check (priority between 0 and 100),
  accepted_at         timestamptz not null default now(),
  expires_at          timestamptz,
  approval_request_id text,
  -- Why the last totals were refused, for whoever repeats them.
  refusal             jsonb,
  -- The shipments, returns and inspections that were refused, by the sequence of their message.
  refused_messages    jsonb,
  lines               jsonb not null default '[]',
  primary key (org_id, order_id)
) with (
  -- A demand is made as a row of 100 bytes to be locked, and filled in the same transaction with several times as many: with this much room
  -- its second version stays on the page and touches no index.
  fillfactor = 15
);
-- No column that every demand changes: `expires_at` is null unless a soft hold is open.
create index demand_to_expire on demand (expires_at) where expires_at is not null;

-- What is held. Whether a hold is firm and when it expires is said by its demand, so that confirming an order rewrites one row.
create table reservation (
  org_id             text not null,
  order_id           text not null,
  reservation_id     uuid not null,
  line_no            integer not null,
  warehouse_id       text not null,
  item_id            text not null,
  quantity           numeric(18,4) not null check (quantity > 0),
  fulfilled_quantity numeric(18,4) not null default 0 check (fulfilled_quantity between 0 and quantity),
  status             text not null default 'active' check (status in ('active', 'fulfilled', 'released', 'expired')),
  reserved_at        timestamptz not null,
  closed_at          timestamptz,
  release_reason     text,
  primary key (org_id, order_id, reservation_id)
);
-- For facts that take held stock away, and for the explanation of an availability.
create index reservation_open on reservation (org_id, warehouse_id, item_id) where status = 'active';

create table backorder (
  org_id       text not null,
  order_id     text not null,
  line_no      integer not null,
  warehouse_id text not null,
  item_id      text not null,
  quantity     numeric(18,4) not null check (quantity > 0),
  priority     smallint not null,
  accepted_at  timestamptz not null,
  primary key (org_id, order_id, line_no, warehouse_id)
);
create index backorder_queue on backorder (org_id, warehouse_id, item_id, priority desc, accepted_at, order_id, line_no);

-- The head of every physical change. Business keys are unique here and not on the ledger, which is partitioned.
create table movement (
  org_id        text not null,
  movement_id   uuid not null,
  movement_type text not null,
  ref_type      text not null,
  ref_id        text,
  order_id      text,
  reason        text,
  actor         text,
  -- Recognises a repeat with another body.
  fingerprint   text,
  lines         jsonb not null,
  occurred_at   timestamptz not null,
  recorded_at   timestamptz not null,
  primary key (org_id, movement_id)
);
create unique index movement_business_key on movement (org_id, movement_type, ref_id)
  where movement_type in ('receipt', 'sale_shipment', 'shipment_cancel', 'sales_return', 'adjustment') and ref_id is not null;

-- Append-only; the service may not update or delete. `entry_no` has no gaps per item and warehouse.
create table ledger_entry (
  org_id         text not null,
  warehouse_id   text not null,
  item_id        text not null,
  entry_no       bigint not null,
  movement_id    uuid not null,
  lot            text,
  location       text not null default 'default',
  quality        text not null,
  quantity_delta numeric(18,4) not null,
  balance_after  numeric(18,4) not null,
  movement_type  text not null,
  ref_type       text not null,
  ref_id         text,
  order_id       text,
  unit_cost      numeric(18,4),
  value_delta    numeric(22,4),
  produced_at    timestamptz,
  expires_at     timestamptz,
  flagged        boolean not null default false,
  discrepancy_id uuid,
  actor          text,
  note           text,
  occurred_at    timestamptz not null,
  recorded_at    timestamptz not null,
  primary key (org_id, warehouse_id, item_id, entry_no, recorded_at)
) partition by range (recorded_at);
create table ledger_entry_default partition of ledger_entry default;
create index ledger_entry_by_order on ledger_entry (org_id, order_id) where order_id is not null;
create index ledger_entry_by_reference on ledger_entry (org_id, ref_id) where ref_id is not null;
create index ledger_entry_by_time on ledger_entry (org_id, recorded_at);
create index ledger_entry_by_item on ledger_entry (org_id, item_id, recorded_at);

create table shipment (
  org_id      text not null,
  shipment_id text not null,
  order_id    text not null,
  movement_id uuid not null,
  status      text not null check (status in ('posted', 'cancelled')),
  fingerprint text not null,
  lines       jsonb not null,
  primary key (org_id, shipment_id)
);

create table customer_return (
  org_id      text not null,
  return_id   text not null,
  order_id    text not null,
  movement_id uuid not null,
  fingerprint text not null,
  lines       jsonb not null,
  -- The inspections that were applied, by sequence or message id: an inspection has no id of its own.
  inspections jsonb not null default '[]',
  primary key (org_id, return_id)
);

create table stock_settings (
  org_id                       text primary key,
  soft_reservation_ttl_seconds integer not null default 1800,
  default_reorder_point        numeric(18,4),
  reservation_mode             text not null default 'all_or_nothing',
  return_quarantine            boolean not null default true,
  currency                     text not null default 'EUR'
);

create table setting_change (
  org_id     text not null,
  change_id  uuid not null,
  setting    text not null,
  from_value jsonb,
  to_value   jsonb,
  actor      text,
  changed_at timestamptz not null,
  primary key (org_id, change_id)
);

do $$
declare t text;
begin
  foreach t in array array['warehouse', 'item', 'stock_balance', 'blocked_stock', 'demand', 'reservation', 'backorder', 'movement',
                           'ledger_entry', 'ledger_entry_default', 'shipment', 'customer_return', 'stock_settings', 'setting_change'] loop
    execute format('alter table %I enable row level security', t);
    execute format('alter table %I force row level security', t);
    -- One form everywhere: the others that were tried were 3 to 8 times slower on batches that mix organisations.
    execute format('create policy own_organisation on %I using ((select nullif(current_setting(''holdfast.orgs'', true), '''')::jsonb) ? org_id)', t);
    execute format('grant select, insert, update on %I to ${role}', t);
  end loop;
end $$;
revoke update on movement, ledger_entry, ledger_entry_default, setting_change from ${role};
revoke insert on ledger_entry_default from ${role};
grant delete on backorder to ${role};

-- Due work of all organisations, as keys only: whoever takes it up opens a transaction for those organisations.
create function due_holds(row_limit integer) returns table (org_id text, order_id text)
  language sql stable security definer set search_path = ${schema} as
$$ select org_id, order_id from demand where state = 'open' and expires_at is not null and expires_at <= now() order by expires_at limit row_limit $$;

create function fillable_balances(row_limit integer) returns table (org_id text, warehouse_id text, item_id text)
  language sql stable security definer set search_path = ${schema} as
$$ select b.org_id, b.warehouse_id, b.item_id from stock_balance b join item i using (org_id, item_id)
   where b.backordered > 0 and b.on_hand - b.blocked - b.reserved
         -- Rounded as the machine rounds: a balance that it would never serve must not take one of the places for ever.
         > greatest(coalesce(b.safety_quantity, i.safety_stock, 0), round((b.on_hand - b.blocked) * coalesce(b.safety_percent, 0) / 100, 4))
   limit row_limit $$;
create index stock_balance_waiting on stock_balance (org_id) where backordered > 0;

-- Monthly partitions are made ahead of time; what finds none goes into the default one.
create function ensure_ledger_partition(month date) returns void
  language plpgsql security definer set search_path = ${schema} as
$$
declare name text := 'ledger_entry_' || to_char(month, 'YYYY_MM');
begin
  if to_regclass(name) is null then
    execute format('create table %I partition of ledger_entry for values from (%L) to (%L)', name,
                   date_trunc('month', month::timestamptz), date_trunc('month', month::timestamptz) + interval '1 month');
    execute format('alter table %I enable row level security', name);
    execute format('alter table %I force row level security', name);
    execute format('create policy own_organisation on %I using ((select nullif(current_setting(''holdfast.orgs'', true), '''')::jsonb) ? org_id)', name);
  end if;
end
$$;

-- The functions that look across organisations belong to the messaging role and see through a policy of its own, so that this works
-- whether or not the owner of the tables may bypass row-level security.
grant select on demand, stock_balance, item to ${messagingRole};
create policy due_work on demand for select to ${messagingRole} using (true);
create policy due_work on stock_balance for select to ${messagingRole} using (true);
create policy due_work on item for select to ${messagingRole} using (true);
alter function due_holds owner to ${messagingRole};
alter function fillable_balances owner to ${messagingRole};

revoke execute on function due_holds, fillable_balances, ensure_ledger_partition from public;
grant execute on function due_holds, fillable_balances, ensure_ledger_partition to ${role};
