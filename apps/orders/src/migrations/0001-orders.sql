-- The tables of orders. Every key starts with the organisation, and row-level security is forced on every table, so that no statement
-- can see or change a row of an organisation that its transaction was not opened for.

-- `order` is a reserved word. Times have milliseconds, because that is what the application can read back unchanged.
create table customer_order (
  org_id              text not null,
  order_id            text not null,
  -- `refused` is not a status that anybody sees: only the attempt is known, and the id is free.
  status              text not null check (status in ('reserving', 'created', 'pending_approval', 'backordered', 'confirmed', 'picking',
                        'packed', 'partially_shipped', 'shipped', 'cancelled', 'rejected', 'expired', 'refused')),
  status_since        timestamptz(3) not null,
  version             integer not null,
  -- What we told inventory about the order is counted here; what inventory tells is counted by inventory.
  sequence            bigint not null,
  stock_sequence      bigint not null,
  firm                boolean not null,
  -- What was said to inventory and is not answered yet, and since when.
  outstanding         jsonb,
  outstanding_since   timestamptz(3),
  digest              text not null,
  customer_id         text not null,
  customer_contact    jsonb,
  reservation_mode    text not null check (reservation_mode in ('all_or_nothing', 'partial')),
  priority            smallint not null check (priority between 0 and 100),
  requested_ship_date date,
  shipping_address    jsonb,
  currency            text not null,
  note                text,
  created_at          timestamptz(3) not null,
  updated_at          timestamptz(3) not null,
  confirmed_at        timestamptz(3),
  expires_at          timestamptz(3),
  cancelled_at        timestamptz(3),
  cancel_reason       text,
  last_line_no        integer not null,
  -- What inventory last reported, as it reported it: the stock state of each line, and where it is held. It is always read and written
  -- whole, and one row costs a fraction of a row per line.
  stock               jsonb not null,
  holds               jsonb not null,
  primary key (org_id, order_id),
  check ((outstanding is null) = (outstanding_since is null))
) with (fillfactor = 70);
create index customer_order_by_time on customer_order (org_id, created_at, order_id);
create index customer_order_by_customer on customer_order (org_id, customer_id, created_at, order_id);
create index customer_order_outstanding on customer_order (outstanding_since) where outstanding_since is not null;

-- What the customer ordered, and what of it was picked and packed.
create table order_line (
  org_id       text not null,
  order_id     text not null,
  line_no      integer not null,
  item_id      text not null,
  warehouse_id text,
  lot          text,
  quantity     numeric(18,4) not null check (quantity > 0),
  unit_price   numeric(18,4) check (unit_price >= 0),
  picked       numeric(18,4) check (picked >= 0),
  packed       numeric(18,4) check (packed >= 0),
  primary key (org_id, order_id, line_no),
  foreign key (org_id, order_id) references customer_order
);

create table shipment (
  org_id          text not null,
  shipment_id     text not null,
  order_id        text not null,
  status          text not null check (status in ('pending', 'posted', 'refused', 'cancelled')),
  digest          text not null,
  tracking_number text,
  shipped_at      timestamptz(3) not null,
  cogs_total      numeric,
  primary key (org_id, shipment_id),
  foreign key (org_id, order_id) references customer_order
);
create index shipment_by_order on shipment (org_id, order_id);

create table shipment_line (
  org_id       text not null,
  shipment_id  text not null,
  position     integer not null,
  line_no      integer not null,
  item_id      text not null,
  quantity     numeric(18,4) not null check (quantity > 0),
  warehouse_id text,
  lot          text,
  cogs         numeric,
  primary key (org_id, shipment_id, position),
  foreign key (org_id, shipment_id) references shipment
);

create table customer_return (
  org_id       text not null,
  return_id    text not null,
  order_id     text not null,
  status       text not null check (status in ('authorised', 'received', 'partially_inspected', 'completed', 'cancelled')),
  digest       text not null,
  warehouse_id text,
  created_at   timestamptz(3) not null,
  primary key (org_id, return_id),
  foreign key (org_id, order_id) references customer_order
);
create index customer_return_by_order on customer_return (org_id, order_id);
create index customer_return_by_time on customer_return (org_id, created_at, return_id);

create table return_line (
  org_id    text not null,
  return_id text not null,
  position  integer not null,
  line_no   integer not null,
  item_id   text not null,
  lot       text,
  quantity  numeric(18,4) not null check (quantity > 0),
  received  numeric(18,4) not null check (received between 0 and quantity),
  condition text not null check (condition in ('resellable', 'damaged', 'unknown')),
  reason    text not null,
  refund    numeric check (refund >= 0),
  -- What inspections said: [{verdict, quantity, note}].
  verdicts  jsonb not null,
  primary key (org_id, return_id, position),
  foreign key (org_id, return_id) references customer_return
);

-- Append-only: the service may not update or delete.
create table audit_event (
  org_id         text not null,
  audit_event_id uuid not null,
  type           text not null,
  order_id       text,
  actor          text,
  occurred_at    timestamptz(3) not null,
  details        jsonb not null,
  primary key (org_id, audit_event_id)
);
create index audit_event_by_order on audit_event (org_id, order_id, audit_event_id);

do $$
declare t text;
begin
  foreach t in array array['customer_order', 'order_line', 'shipment', 'shipment_line', 'customer_return', 'return_line', 'audit_event'] loop
    execute format('alter table %I enable row level security', t);
    execute format('alter table %I force row level security', t);
    execute format('create policy own_organisation on %I using ((select nullif(current_setting(''holdfast.orgs'', true), '''')::jsonb) ? org_id)', t);
    execute format('grant select, insert, update on %I to ${role}', t);
  end loop;
end $$;
revoke update on audit_event from ${role};
-- Their lines are written as a set; a refused order has none.
grant delete on order_line, shipment_line, return_line to ${role};

-- Orders of all organisations whose answer has been outstanding for too long, as keys only: whoever takes one up opens a transaction for
-- its organisation. It sees through a policy of the messaging role, so that it works whether or not the owner may bypass row-level security.
create function unanswered_orders(asked_before timestamptz, row_limit integer) returns table (org_id text, order_id text)
  language sql stable security definer set search_path = ${schema} as
$$ select org_id, order_id from customer_order where outstanding_since < asked_before order by outstanding_since limit row_limit $$;
grant select on customer_order to ${messagingRole};
create policy due_work on customer_order for select to ${messagingRole} using (true);
alter function unanswered_orders owner to ${messagingRole};
revoke execute on function unanswered_orders from public;
grant execute on function unanswered_orders to ${role};
