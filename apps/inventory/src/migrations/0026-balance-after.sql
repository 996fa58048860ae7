-- Reconciliation checks what was on hand after each entry as well, and reads that from the key alone, as it does what it adds up (0020).
-- Dropping and making the key locks the ledger for the minute or so that it takes per ten million entries.
alter table ledger_entry drop constraint ledger_entry_pkey;
alter table ledger_entry add primary key (org_id, warehouse_id, item_id, entry_no, recorded_at)
  include (quantity_delta, value_delta, lot, location, quality, balance_after);
