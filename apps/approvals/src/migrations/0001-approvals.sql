-- The tables of approvals. Every key starts with the organisation, and row-level security is forced on every table, so that no statement
-- can see or change a row of an organisation that its transaction was not opened for. Times have milliseconds, because that is what the
-- application can read back unchanged. What is never searched is `json`: it keeps what came as it came.

-- Who may approve what; without a row the defaults count. The list is always read and written whole.
create table approval_policy_set (
  org_id   text primary key,
  policies json not null
);

-- Who changed the policies when. Append-only: the service may not update or delete.
create table approval_policy_change (
  org_id     text not null,
  change_id  uuid not null,
  from_list  json not null,
  to_list    json not null,
  actor      text not null,
  changed_at timestamptz(3) not null,
  primary key (org_id, change_id)
);

-- One row for each thing that an approval was ever asked for. Whoever asks or takes back locks it first, also before there is a request:
-- so two who ask at once make one request, and what was taken back stays so when the request comes late.
create table approval_subject (
  org_id            text not null,
  subject_type      text not null,
  subject_id        text not null,
  last_request_id   uuid,
  -- Up to this version of the subject everything was taken back.
  cancelled_version bigint,
  primary key (org_id, subject_type, subject_id)
);

create table approval_request (
  org_id                text not null,
  approval_request_id   uuid not null,
  kind                  text not null check (kind in ('order_override', 'discrepancy_acknowledgement', 'movement_override', 'adjustment',
                          'discrepancy_resolution')),
  subject_type          text not null,
  subject_id            text not null,
  subject_version       bigint,
  -- Tells whether two requests are about the same.
  fingerprint           text not null,
  requested_by          text not null,
  reason                text not null,
  -- Null: whichever.
  warehouses            text[],
  lines                 json not null,
  quantity              numeric(18,4) check (quantity >= 0),
  percent               numeric(18,4) check (percent >= 0),
  value                 numeric(18,4) check (value >= 0),
  availability_snapshot json,
  command               json,
  content_bytes         integer not null,
  required_role         text not null,
  escalate_to           text[] not null,
  created_at            timestamptz(3) not null,
  remind_at             timestamptz(3) not null,
  escalate_at           timestamptz(3),
  expire_at             timestamptz(3) not null,
  status                text not null check (status in ('pending', 'escalated', 'approved', 'rejected', 'expired', 'cancelled')),
  reminded_at           timestamptz(3),
  escalated_at          timestamptz(3),
  closed_at             timestamptz(3),
  close_reason          text,
  -- The next of the three times above that has something to do; null when it is over.
  next_due_at           timestamptz(3),
  primary key (org_id, approval_request_id),
  check ((closed_at is null) = (status in ('pending', 'escalated'))),
  check ((next_due_at is null) = (closed_at is not null))
) with (fillfactor = 80);
create index approval_request_by_time on approval_request (org_id, created_at, approval_request_id);
create index approval_request_open on approval_request (org_id, created_at, approval_request_id) where closed_at is null;
create index approval_request_by_subject on approval_request (org_id, subject_type, subject_id, created_at);
create index approval_request_due on approval_request (next_due_at) where next_due_at is not null;

-- What people decided: one decision per request, by the key. Append-only: the service may not update or delete.
create table approval_decision (
  org_id              text not null,
  approval_request_id uuid not null,
  decided_by          text not null,
  role                text not null,
  decision            text not null check (decision in ('approved', 'rejected')),
  reason              text not null,
  decided_at          timestamptz(3) not null,
  primary key (org_id, approval_request_id),
  foreign key (org_id, approval_request_id) references approval_request
);

do $$
declare t text;
begin
  foreach t in array array['approval_policy_set', 'approval_policy_change', 'approval_subject', 'approval_request', 'approval_decision'] loop
    execute format('alter table %I enable row level security', t);
    execute format('alter table %I force row level security', t);
    execute format('create policy own_organisation on %I using ((select nullif(current_setting(''holdfast.orgs'', true), '''')::jsonb) ? org_id)', t);
    execute format('grant select, insert on %I to ${role}', t);
  end loop;
end $$;
grant update (policies) on approval_policy_set to ${role};
grant update (last_request_id, cancelled_version) on approval_subject to ${role};
-- What was asked, and under which terms, stays as it was: nobody may approve one thing and have approved another.
grant update (subject_version, status, reminded_at, escalated_at, closed_at, close_reason, next_due_at) on approval_request to ${role};

-- What is due among all organisations, as keys only: whoever takes one up opens a transaction for its organisation. It sees through a policy
-- of the messaging role, so that it works whether or not the owner may bypass row-level security.
create function due_requests(due_by timestamptz, row_limit integer) returns table (org_id text, approval_request_id uuid)
  language sql stable security definer set search_path = ${schema} as
$$ select org_id, approval_request_id from approval_request where next_due_at <= due_by order by next_due_at limit row_limit $$;
grant select on approval_request to ${messagingRole};
create policy due_work on approval_request for select to ${messagingRole} using (true);
alter function due_requests owner to ${messagingRole};
revoke execute on function due_requests from public;
grant execute on function due_requests to ${role};
