-- Mismatches between what the books say and what was counted, refused or computed (docs/rules.md, "discrepancies").
create table discrepancy (
  org_id              text not null,
  discrepancy_id      uuid not null,
  item_id             text not null,
  -- Null: it is about an order as a whole.
  warehouse_id        text,
  location            text,
  lot                 text,
  snapshot_quantity   numeric(18,4) not null,
  ledger_quantity     numeric(18,4) not null,
  status              text not null default 'new' check (status in ('new', 'under_review', 'resolved', 'dismissed')),
  severity            text not null check (severity in ('low', 'medium', 'high', 'critical')),
  source              text not null check (source in ('reconciliation_job', 'blocked_transaction', 'manual_report', 'count',
                                                      'pick_shortage', 'transfer_shortage', 'tolerance_exceeded')),
  owner_role          text not null,
  assigned_to         text,
  note                text,
  -- How many refusals it stands for.
  occurrences         integer not null default 1,
  -- Kind and subject of a finding of reconciliation, by which it is recognised in the next night.
  finding_key         text,
  detected_at         timestamptz not null,
  detected_by         text,
  closed_at           timestamptz,
  closed_by           text,
  resolution_note     text,
  ref_type            text,
  ref_id              text,
  order_id            text,
  approval_request_id text,
  -- The movement that was refused, as it came: to be carried out once somebody approves it.
  command             jsonb,
  primary key (org_id, discrepancy_id),
  check ((closed_at is null) = (status in ('new', 'under_review')))
);
-- What holds stock back, for decisions and answers; few are open.
create index discrepancy_open on discrepancy (org_id, warehouse_id, item_id) where closed_at is null;
-- A finding opens once.
create unique index discrepancy_finding on discrepancy (org_id, finding_key) where closed_at is null and finding_key is not null;
create index discrepancy_newest on discrepancy (org_id, detected_at desc, discrepancy_id desc);
create index discrepancy_of_item on discrepancy (org_id, item_id, detected_at);
alter table discrepancy enable row level security;
alter table discrepancy force row level security;
create policy own_organisation on discrepancy using ((select nullif(current_setting('holdfast.orgs', true), '')::jsonb) ? org_id);
grant select, insert, update on discrepancy to ${role};

-- Each time that an order wanted more than it could have: refused, laid before an approver, or let pass while nothing is enforced yet.
create table oversell_attempt (
  org_id         text not null,
  attempt_id     uuid not null,
  order_id       text not null,
  line_no        integer not null,
  item_id        text not null,
  warehouse_id   text not null,
  source         text,
  actor          text,
  requested      numeric(18,4) not null,
  available      numeric(18,4) not null,
  outcome        text not null check (outcome in ('refused', 'pending_approval', 'would_block')),
  reason         text not null,
  phase          text not null check (phase in ('dark', 'soft', 'hard')),
  -- Every term of availability at that moment.
  snapshot       jsonb not null,
  discrepancy_id uuid not null,
  recorded_at    timestamptz not null,
  primary key (org_id, attempt_id)
);
create index oversell_attempt_by_time on oversell_attempt (org_id, recorded_at, item_id);
alter table oversell_attempt enable row level security;
alter table oversell_attempt force row level security;
create policy own_organisation on oversell_attempt using ((select nullif(current_setting('holdfast.orgs', true), '')::jsonb) ? org_id);
grant select, insert on oversell_attempt to ${role};

alter table stock_balance
  -- How many open discrepancies of high severity there are, and by how much they differ in all: what availability needs to know of them.
  add column doubts integer not null default 0,
  add column doubtful numeric(18,4) not null default 0,
  -- The open discrepancy that refused orders join.
  add column attempts_discrepancy_id uuid,
  -- Whether on hand may be below zero: while nothing is enforced, and somebody looks at it.
  add column may_be_negative boolean not null default false,
  drop constraint never_oversold,
  drop constraint nothing_negative,
  add constraint never_oversold check (reserved >= 0 and reserved <= greatest(on_hand - blocked, 0)),
  add constraint nothing_negative check ((on_hand >= blocked or may_be_negative) and blocked >= 0 and backordered >= 0);

alter table stock_settings
  add column enforcement_phase text not null default 'hard' check (enforcement_phase in ('dark', 'soft', 'hard')),
  add column allow_inventory_oversell boolean not null default false,
  add column discrepancy_lock_policy text not null default 'soft' check (discrepancy_lock_policy in ('hard', 'soft', 'monitor')),
  add column soft_block_percent numeric(18,4) not null default 20,
  add column tolerance jsonb not null default '{"quantity": "0", "percent": "0"}',
  add column severity_percents jsonb not null default '["2", "5", "20"]',
  add column reconciliation_cron text not null default '0 2 * * *';
