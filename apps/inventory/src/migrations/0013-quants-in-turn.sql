-- no transaction
-- First expired, first out, as before, but without `reserved` in the condition: a hold changes nothing else of a quant, and a column of a
-- condition is a column of the index, so that each hold wrote new entries into every index of the table. What is held in full is passed over.
create index concurrently if not exists quant_in_turn on quant (org_id, warehouse_id, item_id, expires_at, received_at, lot, location)
  where quality = 'available' and quantity > 0;
drop index concurrently if exists quant_to_pick;
