-- An index of the organisation first is as cheap a way to one row as the key, in the eyes of a planner that knows nothing of the data yet: it
-- would go through all that was ever announced. A partial one is only taken by what says the same; every row fits it.
drop index expected_receipt_by_time;
create index expected_receipt_by_time on expected_receipt (org_id, created_at, expected_receipt_id) where created_at > '-infinity';
