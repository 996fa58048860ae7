-- The tables of reconciliation. Every key starts with the organisation, and row-level security is forced on every table, so that no
-- statement can see or change a row of an organisation that its transaction was not opened for.

-- When the books of an organisation are checked next, and what the last completed check came to.
create table schedule (
  org_id           text primary key,
  cron             text not null,
  timezone         text not null,
  -- When these were set, by the event that said so; null: they were asked for.
  settings_at      timestamptz(3),
  -- Null: the pattern names no time that will come.
  next_due_at      timestamptz(3),
  last_balances    bigint not null default 0,
  last_out_of_sync bigint not null default 0
) with (fillfactor = 70);
create index schedule_due on schedule (next_due_at) where next_due_at is not null;

create table run (
  org_id           text not null,
  -- A UUIDv7, so that the order of the key is the order of time.
  run_id           uuid not null,
  status           text not null default 'running' check (status in ('running', 'completed', 'failed')),
  trigger          text not null check (trigger in ('manual', 'schedule')),
  requested_by     text,
  started_at       timestamptz(3) not null,
  finished_at      timestamptz(3),
  failure          text,
  -- How far it is: the part, and the key after which its next page begins.
  part             text not null default 'count' check (part in ('count', 'stock', 'demands', 'orders', 'again')),
  after_key        text not null default '',
  total            bigint not null default 0,
  done             bigint not null default 0,
  balances         bigint not null default 0,
  out_of_sync      bigint not null default 0,
  unsettled        bigint not null default 0,
  findings_total   bigint not null default 0,
  -- The process that works on it, and until when nobody else does.
  holder           uuid,
  lease_until      timestamptz(3) not null,
  -- How often it was taken up since a page was last done.
  attempts         integer not null default 0,
  primary key (org_id, run_id),
  check ((finished_at is null) = (status = 'running'))
) with (fillfactor = 50);
-- One at a time, across replicas.
create unique index run_one_at_a_time on run (org_id) where status = 'running';
create index run_due on run (lease_until) where status = 'running';

-- What a run found. A finding has one row in a run, however often it is seen.
create table finding (
  org_id         text not null,
  run_id         uuid not null,
  finding_id     uuid not null,
  -- The same in every run: the same disagreement is the same discrepancy.
  finding_key    text not null,
  kind           text not null,
  item_id        text not null,
  warehouse_id   text,
  lot            text,
  location       text,
  order_id       text,
  expected       numeric not null,
  actual         numeric not null,
  note           text not null,
  discrepancy_id uuid not null,
  primary key (org_id, run_id, finding_id),
  unique (org_id, run_id, finding_key),
  foreign key (org_id, run_id) references run
);

-- Orders that were changing when a run compared them, until they hold still.
create table unsettled_order (
  org_id   text not null,
  run_id   uuid not null,
  order_id text not null,
  looks    integer not null,
  look_at  timestamptz(3) not null,
  primary key (org_id, run_id, order_id),
  foreign key (org_id, run_id) references run
);

do $$
declare t text;
begin
  foreach t in array array['schedule', 'run', 'finding', 'unsettled_order'] loop
    execute format('alter table %I enable row level security', t);
    execute format('alter table %I force row level security', t);
    execute format('create policy own_organisation on %I using ((select nullif(current_setting(''holdfast.orgs'', true), '''')::jsonb) ? org_id)', t);
    execute format('grant select, insert on %I to ${role}', t);
  end loop;
end $$;
grant update on schedule, run, unsettled_order to ${role};
grant delete on unsettled_order to ${role};

-- What is due among all organisations, as keys only: whoever takes one up opens a transaction for its organisation. The functions see
-- through policies of the messaging role, so that they work whether or not the owner may bypass row-level security.
create function due_schedules(due_by timestamptz, row_limit integer) returns table (org_id text)
  language sql stable security definer set search_path = ${schema} as
$$ select org_id from schedule where next_due_at <= due_by order by next_due_at limit row_limit $$;

create function due_runs(due_by timestamptz, row_limit integer) returns table (org_id text, run_id uuid)
  language sql stable security definer set search_path = ${schema} as
$$ select org_id, run_id from run where status = 'running' and lease_until <= due_by order by lease_until limit row_limit $$;

-- Of the last completed check of each organisation, summed up: how many balances were checked, and at how many something disagrees.
create function last_checked() returns table (balances numeric, out_of_sync numeric)
  language sql stable security definer set search_path = ${schema} as
$$ select coalesce(sum(last_balances), 0), coalesce(sum(last_out_of_sync), 0) from schedule $$;

grant select on schedule, run to ${messagingRole};
create policy due_work on schedule for select to ${messagingRole} using (true);
create policy due_work on run for select to ${messagingRole} using (true);
do $$
declare f text;
begin
  foreach f in array array['due_schedules(timestamptz, integer)', 'due_runs(timestamptz, integer)', 'last_checked()'] loop
    execute format('alter function %s owner to ${messagingRole}', f);
    execute format('revoke execute on function %s from public', f);
    execute format('grant execute on function %s to ${role}', f);
  end loop;
end $$;
