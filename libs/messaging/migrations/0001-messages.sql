-- Every service has these tables in its own schema. They belong to the messaging role, which alone sees the messages of all
-- organisations; the service itself may only add to them.

-- Events that are committed and not yet with everybody that they must reach. A row lives for milliseconds.
create table ${schema}.outbox (
  -- The event's id, a UUIDv7, so that the order of the key is the order of time.
  id uuid primary key,
  created_at timestamptz not null default now(),
  -- The bytes that are published: one CloudEvents JSON object in UTF-8; convert_from(event, 'UTF8') shows it.
  event bytea not null
) with (
  -- Thousands of rows come and go per second while the table stays nearly empty: a share of its size says nothing about its garbage,
  -- and vacuum must not be slowed down on it. Giving pages back to the file system takes an exclusive lock for nothing.
  autovacuum_vacuum_scale_factor = 0,
  autovacuum_vacuum_threshold = 20000,
  autovacuum_vacuum_insert_threshold = -1,
  autovacuum_vacuum_cost_delay = 0,
  autovacuum_analyze_scale_factor = 0,
  autovacuum_analyze_threshold = 1000000,
  vacuum_truncate = off
);
-- Compressing what is deleted at once costs more than it saves.
alter table ${schema}.outbox alter column event set storage external;
-- Without the right to read, no statement of the service can show one organisation the events of another.
grant insert on ${schema}.outbox to ${role};
grant select, delete on ${schema}.outbox to ${messagingRole};

-- Which events have been handled: a hash of organisation, source and id, kept for 14 days.
create table ${schema}.inbox (
  key uuid primary key,
  received_at timestamptz not null default now()
) with (
  autovacuum_vacuum_cost_delay = 0,
  autovacuum_analyze_scale_factor = 0.2
);
-- Rows lie in the order in which they came, so a few bytes per 32 pages find the old ones; a B-tree would cost every insert.
create index inbox_received_at on ${schema}.inbox using brin (received_at) with (pages_per_range = 32, autosummarize = on);
-- Deleting serves to take an admission back within its own transaction.
grant select, insert, delete on ${schema}.inbox to ${role};
grant select, delete on ${schema}.inbox to ${messagingRole};

-- Messages that were put aside, with the reason, until somebody replays or discards them.
create table ${schema}.parked_message (
  id uuid primary key,
  -- A hash of routing key and bytes: a message that comes again is parked once.
  message_key uuid not null unique,
  -- From the routing key; empty when it names none.
  org_id text not null,
  routing_key text not null,
  type text,
  reason text not null,
  detail text not null,
  attempts int not null,
  -- As it came, byte by byte.
  body bytea not null,
  headers json not null,
  parked_at timestamptz not null default now()
);
create index parked_message_org on ${schema}.parked_message (org_id, parked_at, id);
alter table ${schema}.parked_message enable row level security;
alter table ${schema}.parked_message force row level security;
-- The messaging role parks what it cannot even read, for whatever organisation; every statement about one names it.
create policy messaging on ${schema}.parked_message to ${messagingRole} using (true) with check (true);
grant select, insert, update, delete on ${schema}.parked_message to ${messagingRole};

-- Which process sweeps this service's outbox: one row.
create table ${schema}.relay_lease (
  singleton boolean primary key default true check (singleton),
  holder uuid not null,
  expires_at timestamptz not null
) with (fillfactor = 10);
grant select, insert, update, delete on ${schema}.relay_lease to ${messagingRole};
