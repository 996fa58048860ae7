-- By severity alone, open discrepancies were looked for among those of all organisations: to a planner that knows nothing of the data yet
-- that index looked as good as the one by place. Now the latter has the severity, too: counting goes through what is open, and no further.
drop index discrepancy_open_severity;
drop index discrepancy_open;
create index discrepancy_open on discrepancy (org_id, warehouse_id, item_id) include (severity) where closed_at is null;
-- Again the newest, as 0022 says.
drop index discrepancy_finding;
create unique index discrepancy_finding on discrepancy (org_id, finding_key) where closed_at is null and finding_key is not null;
