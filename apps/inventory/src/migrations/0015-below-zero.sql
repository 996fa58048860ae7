-- While an organisation enforces nothing, goods may leave that the books do not know: what is missing is a layer of less than nothing, numbered
-- 0, and the only one of its balance.
alter table cost_layer
  drop constraint worthless_when_empty,
  add constraint worthless_when_empty check ((quantity <> 0 or value = 0) and (quantity >= 0 or (layer_no = 0 and value <= 0)));

-- What is below zero, to be looked at when an organisation begins to enforce; few are.
create index stock_balance_below_zero on stock_balance (org_id, warehouse_id, item_id) where may_be_negative;
