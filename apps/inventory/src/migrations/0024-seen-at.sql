-- Of a count, when it was made: that may be long before it was told. A count ends what had been seen of a place by then, and nothing that was
-- seen later. Null: when it was detected.
alter table discrepancy add column seen_at timestamptz;
