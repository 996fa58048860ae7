-- What the gateway keeps: answers to repeated requests, who is a member with which rights, and the hashes of API keys.

create table idempotency_record (
  org_id text not null,
  caller text not null,
  method text not null,
  path text not null,
  key text not null,
  -- SHA-256 of the body.
  request_hash bytea not null,
  -- The id of whatever the request makes, kept from first use, so that a repeat after a crash makes nothing twice.
  made_id uuid not null,
  -- Who is at it, until when. A gateway that dies loses the record to the first repeat after that.
  owner uuid,
  locked_until timestamptz,
  -- The answer, once there is one.
  status smallint,
  content_type text,
  body text,
  created_at timestamptz not null default now(),
  primary key (org_id, caller, method, path, key)
);
create index idempotency_record_age on idempotency_record (org_id, created_at);

create table member (
  org_id text not null,
  user_id text not null,
  roles text[] not null,
  -- Null: all; empty: none.
  warehouses text[],
  disabled boolean not null,
  updated_at timestamptz not null default now(),
  updated_by text not null,
  primary key (org_id, user_id)
);

create table api_key (
  org_id text not null,
  api_key_id uuid not null,
  name text not null,
  roles text[] not null,
  warehouses text[],
  -- SHA-256 of the secret, which is random and long.
  secret_hash bytea not null,
  created_at timestamptz not null default now(),
  created_by text not null,
  primary key (org_id, api_key_id)
);

do $$
declare
  name text;
begin
  foreach name in array array['idempotency_record', 'member', 'api_key'] loop
    execute format('alter table %I enable row level security', name);
    execute format('alter table %I force row level security', name);
    execute format(
      'create policy organisation on %I using ((select nullif(current_setting(''holdfast.orgs'', true), '''')::jsonb) ? org_id)', name);
  end loop;
end $$;

grant select, insert, update, delete on idempotency_record, api_key to ${role};
grant select, insert, update on member to ${role};
