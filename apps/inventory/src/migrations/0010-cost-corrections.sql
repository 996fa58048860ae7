-- What was answered to a correction of a receipt's costs, for whoever repeats it. What it changed is told by the ledger.
create table cost_correction (
  org_id      text not null,
  command_id  text not null,
  receipt_id  text not null,
  fingerprint text not null,
  answer      jsonb not null,
  primary key (org_id, command_id)
);
alter table cost_correction enable row level security;
alter table cost_correction force row level security;
create policy own_organisation on cost_correction using ((select nullif(current_setting('holdfast.orgs', true), '')::jsonb) ? org_id);
grant select, insert on cost_correction to ${role};
