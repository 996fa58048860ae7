-- A table as every service has them: organisation first, row-level security in its one form, and no right to change what is recorded.
create table entry (
  org_id text not null,
  entry_no bigint not null,
  quantity numeric(16, 4) not null,
  noted_on date,
  details jsonb,
  recorded_at timestamptz not null default now(),
  primary key (org_id, entry_no)
);
alter table entry enable row level security;
alter table entry force row level security;
create policy by_organisation on entry using ((select nullif(current_setting('holdfast.orgs', true), '')::jsonb) ? org_id);
grant select, insert on entry to ${role};

create table counter (
  org_id text not null,
  name text not null,
  value int8 not null default 0,
  primary key (org_id, name)
);
alter table counter enable row level security;
alter table counter force row level security;
create policy by_organisation on counter using ((select nullif(current_setting('holdfast.orgs', true), '')::jsonb) ? org_id);
grant select, insert, update on counter to ${role};
