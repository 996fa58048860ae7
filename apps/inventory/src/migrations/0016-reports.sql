-- What reports and the audit trail read, in the order in which they read it: by time. Times have milliseconds, because that is what the
-- application can read back unchanged, and what a cursor of the trail carries.
alter table oversell_attempt alter column recorded_at type timestamptz(3);
alter table setting_change alter column changed_at type timestamptz(3);

-- Nothing but what is counted: an attempt carries a snapshot many times as large.
drop index oversell_attempt_by_time;
create index oversell_attempt_by_time on oversell_attempt (org_id, recorded_at)
  include (item_id, warehouse_id, source, outcome, requested, available);
create index oversell_attempt_by_order on oversell_attempt (org_id, order_id);
-- Those that were still open in a period are those that are open, and those closed since its beginning.
create index discrepancy_closed on discrepancy (org_id, closed_at) where closed_at is not null;
-- Movements that a stricter phase would have blocked; of all movements, few.
create index ledger_entry_let_pass on ledger_entry (org_id, recorded_at) where flagged and discrepancy_id is not null;
create index setting_change_by_time on setting_change (org_id, changed_at);

-- What people and the machine did with discrepancies: the discrepancy itself is as it is now. Append-only: the service may not update or delete.
create table discrepancy_change (
  org_id         text not null,
  change_id      uuid not null,
  discrepancy_id uuid not null,
  warehouse_id   text,
  order_id       text,
  type           text not null check (type in ('discrepancy_opened', 'discrepancy_changed', 'discrepancy_reviewed', 'discrepancy_resolved',
                                               'discrepancy_dismissed')),
  actor          text,
  changed_at     timestamptz(3) not null,
  -- The discrepancy as it was then.
  details        jsonb not null,
  primary key (org_id, change_id)
);
create index discrepancy_change_by_time on discrepancy_change (org_id, changed_at);
create index discrepancy_change_by_order on discrepancy_change (org_id, order_id) where order_id is not null;
alter table discrepancy_change enable row level security;
alter table discrepancy_change force row level security;
create policy own_organisation on discrepancy_change using ((select nullif(current_setting('holdfast.orgs', true), '')::jsonb) ? org_id);
grant select, insert on discrepancy_change to ${role};
