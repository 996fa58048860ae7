-- The audit trail is read by time, together with those of other services, and often for one type.
create index audit_event_by_time on audit_event (org_id, occurred_at);
create index audit_event_by_type on audit_event (org_id, type, occurred_at);
