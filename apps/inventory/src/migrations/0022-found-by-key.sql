-- As it was, but again in any order, which was lost when discrepancies came to count: those that cannot be served after all, because what
-- lies there is of another lot or has expired, would keep the others waiting for ever.
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
   order by random()
   limit row_limit $$;

-- Every index of these begins with the organisation, so that to a planner that knows nothing of the data yet each of them looks as good as the
-- key, and it took the newest: one discrepancy or effect was looked for among all of its organisation. Now the key is the newest.
alter table approval_effect drop constraint approval_effect_pkey, add primary key (org_id, approval_request_id);
alter table discrepancy drop constraint discrepancy_pkey, add primary key (org_id, discrepancy_id);

-- How many requests about a subject have come to an end: not by going through all that the organisation ever asked. The organisation is not
-- the first column, so that a planner that knows nothing of the data yet does not take this for as good a way to one request as the key.
create index approval_effect_by_subject on approval_effect (subject_id, subject_type, org_id);
-- And an open finding was looked for among all that is open, of whatever organisation.
drop index discrepancy_finding;
create unique index discrepancy_finding on discrepancy (org_id, finding_key) where closed_at is null and finding_key is not null;
