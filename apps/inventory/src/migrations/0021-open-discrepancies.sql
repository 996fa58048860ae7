-- How many discrepancies of all organisations are open: numbers only, for whoever watches over the service.
create index discrepancy_open_severity on discrepancy (severity) where closed_at is null;
create function open_discrepancies() returns table (severity text, count bigint)
  language sql stable security definer set search_path = ${schema} as
$$ select severity, count(*) from discrepancy where closed_at is null group by severity $$;
revoke execute on function open_discrepancies() from public;
grant execute on function open_discrepancies() to ${role};
