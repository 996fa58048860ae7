-- The tables of notifications. Every key starts with the organisation, and row-level security is forced on every table, so that no
-- statement can see or change a row of an organisation that its transaction was not opened for.

-- Where an organisation wants to hear of events.
create table channel (
  org_id     text not null,
  channel_id uuid not null,
  kind       text not null check (kind in ('email', 'telegram', 'webhook')),
  name       text not null,
  -- An e-mail address, the id of a chat, a URL.
  target     text not null,
  -- Null: all, also those that later versions know.
  events     text[] check (events <> '{}'),
  roles      text[] check (roles <> '{}'),
  enabled    boolean not null,
  -- What a webhook is signed with, the token of a bot. Read to send, and for nothing else.
  secret     text,
  created_at timestamptz(3) not null,
  created_by text not null,
  updated_at timestamptz(3) not null,
  updated_by text not null,
  primary key (org_id, channel_id),
  check ((secret is null) = (kind = 'email'))
);

-- When a channel has work, and who is at it. One process at a time sends to a channel, so its messages leave in order, a slow receiver
-- keeps one slot busy, and one that is down rests between attempts with all that waits for it, instead of each message trying for itself.
-- A table of its own, because it changes with every message and the channel hardly ever.
create table channel_queue (
  org_id     text not null,
  channel_id uuid not null,
  -- When the first of its waiting deliveries is due; null: nothing waits.
  due_at     timestamptz(3),
  -- Not before this: it rests after a failure, or a process is sending to it and has it until then.
  not_before timestamptz(3) not null,
  -- Failures in a row.
  failures   integer not null,
  -- The process that sends to it, and not any more when somebody else took over what it had for too long.
  holder     uuid,
  primary key (org_id, channel_id),
  foreign key (org_id, channel_id) references channel on delete cascade
) with (fillfactor = 50);
-- Channels that fail are looked for apart from the others, so that however many there are they take no turn of those that work.
create index channel_queue_due on channel_queue (greatest(due_at, not_before)) where due_at is not null and failures = 0;
create index channel_queue_failing on channel_queue (greatest(due_at, not_before)) where due_at is not null and failures > 0;

-- An event that at least one channel is told of, as it is told.
create table notice (
  org_id      text not null,
  -- A hash of the event's source and id.
  notice_id   uuid not null,
  event_id    text not null,
  event_type  text not null,
  subject     text not null,
  occurred_at timestamptz(3) not null,
  title       text not null,
  lines       text[] not null,
  -- As text: what came with an event may hold what jsonb cannot, such as halves of surrogate pairs.
  data        json not null,
  created_at  timestamptz(3) not null,
  primary key (org_id, notice_id)
);
create index notice_created_at on notice (created_at);

-- One event on its way to one channel: there is never a second row for the two, whatever comes again and however many replicas run.
create table delivery (
  org_id          text not null,
  -- A UUIDv7, so that the order of the key is the order of time. Also what the receiver recognises a repeat by.
  delivery_id     uuid not null,
  notice_id       uuid not null,
  -- Kept when the channel is deleted, like its name.
  channel_id      uuid not null,
  channel_name    text not null,
  kind            text not null,
  status          text not null check (status in ('waiting', 'sent', 'failed')),
  -- Those begun: one that a crash cut short counts.
  attempts        integer not null,
  -- While an attempt is under way: when it is taken for lost.
  next_attempt_at timestamptz(3),
  last_error      text,
  created_at      timestamptz(3) not null,
  sent_at         timestamptz(3),
  primary key (org_id, delivery_id),
  unique (org_id, notice_id, channel_id),
  foreign key (org_id, notice_id) references notice on delete cascade,
  check ((next_attempt_at is null) = (status <> 'waiting'))
) with (fillfactor = 70);
-- In the order in which they are taken, so that the next of many is found without sorting them; and by age, to give up the oldest.
create index delivery_waiting on delivery (org_id, channel_id, next_attempt_at, delivery_id) where status = 'waiting';
create index delivery_waiting_since on delivery (org_id, channel_id, created_at) where status = 'waiting';
create index delivery_by_channel on delivery (org_id, channel_id, delivery_id);
create index delivery_by_status on delivery (org_id, status, delivery_id);

do $$
declare t text;
begin
  foreach t in array array['channel', 'channel_queue', 'notice', 'delivery'] loop
    execute format('alter table %I enable row level security', t);
    execute format('alter table %I force row level security', t);
    execute format('create policy own_organisation on %I using ((select nullif(current_setting(''holdfast.orgs'', true), '''')::jsonb) ? org_id)', t);
    execute format('grant select, insert on %I to ${role}', t);
  end loop;
end $$;
grant update, delete on channel to ${role};
grant update on channel_queue, delivery to ${role};

-- Channels of all organisations that have work, as keys only: whoever takes one up opens a transaction for its organisation. The functions
-- see through policies of the messaging role, so that they work whether or not the owner may bypass row-level security.
create function due_channels(working_limit integer, failing_limit integer) returns table (org_id text, channel_id uuid, failing boolean)
  language sql stable security definer set search_path = ${schema} as
$$ (select org_id, channel_id, false from channel_queue
     where due_at is not null and failures = 0 and greatest(due_at, not_before) <= now()
     order by greatest(due_at, not_before) limit working_limit)
   union all
   (select org_id, channel_id, true from channel_queue
     where due_at is not null and failures > 0 and greatest(due_at, not_before) <= now()
     order by greatest(due_at, not_before) limit failing_limit) $$;

-- For how long the channel that has been waiting longest for its turn has done so; null when none does.
create function longest_wait() returns interval
  language sql stable security definer set search_path = ${schema} as
$$ select now() - min(turn) from (
     (select greatest(due_at, not_before) as turn from channel_queue where due_at is not null and failures = 0 order by 1 limit 1)
     union all
     (select greatest(due_at, not_before) from channel_queue where due_at is not null and failures > 0 order by 1 limit 1)) first
    where turn <= now() $$;

-- Forgets notices, and with them their deliveries, of all organisations; answers how many.
create function forget_notices(created_before timestamptz, row_limit integer) returns bigint
  language sql security definer set search_path = ${schema} as
$$ with old as (select n.org_id, n.notice_id from notice n where n.created_at < created_before order by n.created_at limit row_limit),
        gone as (delete from notice n using old where (n.org_id, n.notice_id) = (old.org_id, old.notice_id) returning 1)
   select count(*) from gone $$;

grant select on channel_queue to ${messagingRole};
create policy due_work on channel_queue for select to ${messagingRole} using (true);
grant select, delete on notice to ${messagingRole};
create policy old_notices on notice for select to ${messagingRole} using (true);
create policy forget_old_notices on notice for delete to ${messagingRole} using (true);
do $$
declare f text;
begin
  foreach f in array array['due_channels(integer, integer)', 'longest_wait()', 'forget_notices(timestamptz, integer)'] loop
    execute format('alter function %s owner to ${messagingRole}', f);
    execute format('revoke execute on function %s from public', f);
    execute format('grant execute on function %s to ${role}', f);
  end loop;
end $$;
