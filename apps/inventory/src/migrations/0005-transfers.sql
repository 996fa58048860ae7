-- Goods that go from one of our warehouses to another.
create table transfer (
  org_id            text not null,
  transfer_id       text not null,
  from_warehouse_id text not null,
  to_warehouse_id   text not null,
  mode              text not null check (mode in ('immediate', 'in_transit')),
  status            text not null check (status in ('in_transit', 'completed')),
  -- What left, by item and lot, with what of it arrived, what was missing, and what the part that is still under way costs.
  lines             jsonb not null,
  -- What was told of its arrival, by the id of the command: recognises a repeat.
  arrivals          jsonb not null,
  -- Of the body that created it.
  fingerprint       text not null,
  dispatched_at     timestamptz not null,
  dispatched_by     text,
  completed_at      timestamptz,
  primary key (org_id, transfer_id),
  foreign key (org_id, from_warehouse_id) references warehouse,
  foreign key (org_id, to_warehouse_id) references warehouse,
  constraint between_two check (from_warehouse_id <> to_warehouse_id),
  constraint completed_once check ((status = 'completed') = (completed_at is not null))
);
create index transfer_by_time on transfer (org_id, dispatched_at, transfer_id);

alter table transfer enable row level security;
alter table transfer force row level security;
create policy own_organisation on transfer using ((select nullif(current_setting('holdfast.orgs', true), '')::jsonb) ? org_id);
grant select, insert, update on transfer to ${role};

-- Of a serial number: the transfer by which the piece is under way. It is in no warehouse then, and must not come in anywhere else.
alter table lot add column transfer_id text;
