-- What became of what somebody decided about: each request for approval has its effect once, for ever.
create table approval_effect (
  org_id              text not null,
  approval_request_id text not null,
  kind                text not null,
  subject_type        text not null,
  subject_id          text not null,
  -- How the request ended.
  status              text not null check (status in ('approved', 'rejected', 'expired')),
  decided_by          text,
  role                text,
  reason              text,
  -- Refused: it was approved, and could not be done any more.
  outcome             text not null check (outcome in ('done', 'refused', 'outdated', 'noted')),
  detail              jsonb,
  -- Every term of availability when it was asked for.
  snapshot            jsonb,
  recorded_at         timestamptz not null,
  primary key (org_id, approval_request_id)
);
create index approval_effect_by_time on approval_effect (org_id, recorded_at);
alter table approval_effect enable row level security;
alter table approval_effect force row level security;
create policy own_organisation on approval_effect using ((select nullif(current_setting('holdfast.orgs', true), '')::jsonb) ? org_id);
grant select, insert on approval_effect to ${role};

-- What a discrepancy posts, it posts once.
create unique index movement_discrepancy_key on movement (org_id, ref_id) where movement_type = 'count' and ref_type = 'discrepancy';

-- A balance of which discrepancies keep back what is free must not take a place in the sweep for ever.
create or replace function fillable_balances(row_limit integer) returns table (org_id text, warehouse_id text, item_id text)
  language sql stable security definer set search_path = ${schema} as
$$ select b.org_id, b.warehouse_id, b.item_id from stock_balance b join item i using (org_id, item_id)
     left join stock_settings s using (org_id)
   where b.backordered > 0
     and not (b.doubts > 0 and coalesce(s.discrepancy_lock_policy, 'soft') = 'hard')
     and b.on_hand - b.blocked - b.reserved
         -- Rounded as the machine rounds: a balance that it would never serve must not take one of the places for ever.
         > greatest(coalesce(b.safety_quantity, i.safety_stock, 0), round((b.on_hand - b.blocked) * coalesce(b.safety_percent, 0) / 100, 4))
           + case when b.doubts > 0 and coalesce(s.discrepancy_lock_policy, 'soft') = 'soft' then b.doubtful else 0 end
   limit row_limit $$;
grant select on stock_settings to ${messagingRole};
create policy due_work on stock_settings for select to ${messagingRole} using (true);
