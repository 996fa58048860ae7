-- no transaction
-- Comments and semicolons; in them are no statements.
drop index concurrently if exists entry_by_date;
create index concurrently entry_by_date on entry (org_id, noted_on);
