-- What people decided in a period, counted from indexes alone: a request carries lines and snapshots many times as large.
create index approval_decision_by_time on approval_decision (org_id, decided_at) include (approval_request_id, decided_by, role, decision);
create index approval_request_approved on approval_request (org_id, closed_at) include (approval_request_id, kind, value, warehouses)
  where status = 'approved';
