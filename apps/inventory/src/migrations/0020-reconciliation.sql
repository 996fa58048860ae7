-- Reconciliation adds up the ledger by balance. Entries lie in the order of time, so each of a balance's is on another page: going to the
-- table for each cost five times the sum itself, with all of it in memory. With what is added up in the key, the index alone is read.
-- Dropping and making the key locks the ledger for the minute or so that it takes per ten million entries.
alter table ledger_entry drop constraint ledger_entry_pkey;
alter table ledger_entry add primary key (org_id, warehouse_id, item_id, entry_no, recorded_at)
  include (quantity_delta, value_delta, lot, location, quality);

-- What is under way to a warehouse is few rows among all transfers that ever were.
create index transfer_under_way on transfer (org_id, to_warehouse_id) where status = 'in_transit';
