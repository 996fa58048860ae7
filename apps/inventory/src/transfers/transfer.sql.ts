import { statement } from '#libs/persistence';

// Transfers, for the stock machine: set-based like its other statements.

export interface TransferRow {
  readonly org_id: string;
  readonly transfer_id: string;
  readonly from_warehouse_id: string;
  readonly to_warehouse_id: string;
  readonly mode: 'immediate' | 'in_transit';
  readonly status: 'in_transit' | 'completed';
  readonly fingerprint: string;
  readonly lines: unknown;
  readonly arrivals: readonly { readonly commandId: string; readonly fingerprint: string }[];
  readonly dispatched_at: Date;
  readonly dispatched_by: string | null;
  readonly completed_at: Date | null;
}

export const readTransfers = statement<TransferRow>(
  'stock_read_transfers',
  `select t.* from unnest($1::text[], $2::text[]) k (org_id, transfer_id) join transfer t on t.org_id = k.org_id and t.transfer_id = k.transfer_id`,
);

/** Not "on conflict": who sends other goods under the same id at the same time is decided anew when this fails. */
export const insertTransfers = statement<never>(
  'stock_insert_transfers',
  `insert into transfer (org_id, transfer_id, from_warehouse_id, to_warehouse_id, mode, status, lines, arrivals, fingerprint, dispatched_at,
                         dispatched_by, completed_at)
   select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::jsonb[], $8::jsonb[], $9::text[],
                        $10::timestamptz[], $11::text[], $12::timestamptz[])`,
);

export const updateTransfers = statement<never>(
  'stock_update_transfers',
  `update transfer t set status = k.status, lines = k.lines, arrivals = k.arrivals, completed_at = k.completed_at
     from unnest($1::text[], $2::text[], $3::text[], $4::jsonb[], $5::jsonb[], $6::timestamptz[])
          k (org_id, transfer_id, status, lines, arrivals, completed_at)
    where t.org_id = k.org_id and t.transfer_id = k.transfer_id`,
);

/** Relative, as the other counters of a balance; apart from them, because it is rare. */
export const updateInTransit = statement<never>(
  'stock_update_in_transit',
  `update stock_balance b set in_transit = b.in_transit + k.in_transit
     from unnest($1::text[], $2::text[], $3::text[], $4::numeric[]) k (org_id, warehouse_id, item_id, in_transit)
    where b.org_id = k.org_id and b.warehouse_id = k.warehouse_id and b.item_id = k.item_id`,
);

export const sendPieces = statement<never>(
  'stock_send_pieces',
  `update lot l set transfer_id = k.transfer_id
     from unnest($1::text[], $2::text[], $3::text[], $4::text[]) k (org_id, item_id, lot, transfer_id)
    where l.org_id = k.org_id and l.item_id = k.item_id and l.lot = k.lot`,
);
