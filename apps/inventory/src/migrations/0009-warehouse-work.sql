-- Moves, quality changes, scraps and counts are recognised by the id of their command. Inspections of returns, which change qualities and
-- scrap as well, are not: several of them are about one return.
create unique index movement_command_key on movement (org_id, movement_type, ref_id)
  where movement_type in ('bin_move', 'quality_change', 'scrap', 'count') and ref_type in ('adjustment', 'count') and ref_id is not null;
