-- What an order waits for, or last waited for: somebody's approval of what inventory refused. It is always read and written whole. Since
-- when approvals is to be told something and has not answered is a column, because the sweep looks for it.
alter table customer_order add column approval jsonb;
alter table customer_order add column approval_untold_since timestamptz(3);
create index customer_order_approval_untold on customer_order (approval_untold_since) where approval_untold_since is not null;

-- As unanswered_orders, of what approvals has not answered.
create function untold_approvals(untold_before timestamptz, row_limit integer) returns table (org_id text, order_id text)
  language sql stable security definer set search_path = ${schema} as
$$ select org_id, order_id from customer_order where approval_untold_since < untold_before order by approval_untold_since limit row_limit $$;
alter function untold_approvals owner to ${messagingRole};
revoke execute on function untold_approvals from public;
grant execute on function untold_approvals to ${role};
