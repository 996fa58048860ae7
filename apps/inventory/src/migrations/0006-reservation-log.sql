-- Append-only. How holds and backorders changed, so that availability can be told as of any time: what was held then is what is held now,
-- without what came since. A hold is not logged when it is made, because its own row says when that was: a new order writes nothing here.
create table reservation_log (
  org_id         text not null,
  log_id         uuid not null,
  kind           text not null check (kind in ('reservation', 'backorder')),
  order_id       text not null,
  line_no        integer not null,
  -- Of a reservation.
  reservation_id uuid,
  warehouse_id   text not null,
  item_id        text not null,
  lot            text not null default '',
  quantity_delta numeric(18,4) not null,
  -- When the reservation was made; of a backorder null.
  reserved_at    timestamptz,
  reason         text,
  recorded_at    timestamptz not null,
  primary key (org_id, log_id)
);
create index reservation_log_by_place on reservation_log (org_id, warehouse_id, item_id, recorded_at);
create index reservation_log_by_order on reservation_log (org_id, order_id, recorded_at);

alter table reservation_log enable row level security;
alter table reservation_log force row level security;
create policy own_organisation on reservation_log using ((select nullif(current_setting('holdfast.orgs', true), '')::jsonb) ? org_id);
grant select, insert on reservation_log to ${role};
