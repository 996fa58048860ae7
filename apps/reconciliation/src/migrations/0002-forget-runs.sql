-- Runs of all organisations that began before a time are forgotten with what they found, oldest first, so many at once; answers how many.
-- What was found lives on as discrepancies, in inventory. The newest run of an organisation stays, however old it is: it is what is known.
create function forget_runs(started_before timestamptz, row_limit integer) returns bigint
  language sql security definer set search_path = ${schema} as
$$ with old as (
     select r.org_id, r.run_id from run r
      where r.started_at < started_before and r.status <> 'running'
        and exists (select from run newer where newer.org_id = r.org_id and newer.run_id > r.run_id)
      order by r.started_at limit row_limit),
   unsettled as (delete from unsettled_order u using old where (u.org_id, u.run_id) = (old.org_id, old.run_id)),
   found as (delete from finding f using old where (f.org_id, f.run_id) = (old.org_id, old.run_id)),
   gone as (delete from run r using old where (r.org_id, r.run_id) = (old.org_id, old.run_id) returning 1)
   select count(*) from gone $$;
create index run_by_age on run (started_at);

do $$
declare t text;
begin
  foreach t in array array['run', 'finding', 'unsettled_order'] loop
    execute format('grant select, delete on %I to ${messagingRole}', t);
    execute format('create policy forget_old_runs on %I for delete to ${messagingRole} using (true)', t);
  end loop;
  -- Who deletes must see what it deletes; of runs it does already.
  foreach t in array array['finding', 'unsettled_order'] loop
    execute format('create policy old_runs on %I for select to ${messagingRole} using (true)', t);
  end loop;
end $$;
alter function forget_runs(timestamptz, integer) owner to ${messagingRole};
revoke execute on function forget_runs(timestamptz, integer) from public;
grant execute on function forget_runs(timestamptz, integer) to ${role};
