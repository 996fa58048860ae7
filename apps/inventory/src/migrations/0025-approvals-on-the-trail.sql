-- That somebody was asked about a discrepancy, and that nothing came of it, is on the trail as what it is. `discrepancy_changed` is what was
-- written before, while nobody had looked. Not valid: what is there was checked by the narrower one.
alter table discrepancy_change
  drop constraint discrepancy_change_type_check,
  add constraint discrepancy_change_type_check
    check (type in ('discrepancy_opened', 'discrepancy_changed', 'discrepancy_reviewed', 'discrepancy_approval_requested',
                    'discrepancy_approval_ended', 'discrepancy_resolved', 'discrepancy_dismissed')) not valid;
