-- How requests ended that nobody decided: they expired, or were taken back. Append-only, unlike the columns of the request that say the same.
create table approval_end (
  org_id              text not null,
  approval_request_id uuid not null,
  status              text not null check (status in ('expired', 'cancelled')),
  -- Null: it was nobody's doing.
  ended_by            text,
  reason              text,
  ended_at            timestamptz(3) not null,
  primary key (org_id, approval_request_id),
  foreign key (org_id, approval_request_id) references approval_request
);
create index approval_end_by_time on approval_end (org_id, ended_at);

-- What had ended by now, as far as it is known; who took something back is not. Row-level security would hide it from its owner.
alter table approval_request no force row level security;
insert into approval_end (org_id, approval_request_id, status, ended_by, reason, ended_at)
select org_id, approval_request_id, status, null, close_reason, closed_at from approval_request where status in ('expired', 'cancelled');
alter table approval_request force row level security;

alter table approval_end enable row level security;
alter table approval_end force row level security;
create policy own_organisation on approval_end using ((select nullif(current_setting('holdfast.orgs', true), '')::jsonb) ? org_id);
grant select, insert on approval_end to ${role};
