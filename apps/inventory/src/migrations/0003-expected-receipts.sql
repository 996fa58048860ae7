-- Goods that are to come, and what promises about days need to know.

-- What was announced, and what of it has come: what is open counts in the projection of stock, and never in what is on hand.
create table expected_receipt (
  org_id              text not null,
  expected_receipt_id text not null,
  warehouse_id        text not null,
  item_id             text not null,
  quantity            numeric(18,4) not null check (quantity > 0),
  -- Suppliers send more than they announced, too.
  received_quantity   numeric(18,4) not null default 0 check (received_quantity >= 0),
  expected_on         date not null,
  reference           text,
  status              text not null default 'open' check (status in ('open', 'received', 'cancelled')),
  created_at          timestamptz not null,
  updated_at          timestamptz not null,
  updated_by          text,
  -- Of the body that created it: recognises a repeat, whatever was changed since.
  fingerprint         text not null,
  primary key (org_id, expected_receipt_id),
  foreign key (org_id, warehouse_id) references warehouse,
  foreign key (org_id, item_id) references item,
  constraint open_while_something_is_to_come check (status <> 'open' or received_quantity < quantity)
);
-- For projections: few are open, however many there were.
create index expected_receipt_open on expected_receipt (org_id, item_id, warehouse_id) where status = 'open';
create index expected_receipt_by_time on expected_receipt (org_id, created_at, expected_receipt_id);

alter table expected_receipt enable row level security;
alter table expected_receipt force row level security;
create policy own_organisation on expected_receipt using ((select nullif(current_setting('holdfast.orgs', true), '')::jsonb) ? org_id);
grant select, insert, update on expected_receipt to ${role};

alter table stock_settings add column delivery_lead_days integer not null default 0 check (delivery_lead_days between 0 and 365);
alter table stock_settings add column timezone text not null default 'UTC';
