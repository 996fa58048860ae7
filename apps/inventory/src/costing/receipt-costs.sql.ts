import type { CostCorrectionAnswer } from '#libs/contracts';
import { statement } from '#libs/persistence';
import type { BalancePlace, LayerRow } from '../stock-machine/stock.sql.js';

// The statements of the machine about the costs of receipts, in the manner of `stock.sql.ts`.

// The order keeps the planner on the index of the reference, or of the receipt: each is entered whole, and few rows come out.
const ENTRIES_OF_RECEIPT = `ledger_entry e where e.org_id = k.org_id and e.ref_id = k.receipt_id and e.ref_type = 'receipt'`;
const IN_ORDER_OF_RECEIPTS = 'order by e.org_id, e.ref_id';
const LAYERS_OF_RECEIPT = `cost_layer c where c.org_id = k.org_id and c.receipt_id = k.receipt_id and c.quantity > 0 order by c.org_id, c.receipt_id`;

/** Where goods of receipts were received, and where something is left of them. */
export const findPlacesOfReceipts = statement<BalancePlace>(
  'stock_find_places_of_receipts',
  `select p.org_id, p.warehouse_id, p.item_id
     from unnest($1::text[], $2::text[], $3::text[]) k (org_id, receipt_id, item_id)
    cross join lateral (
      (select e.org_id, e.warehouse_id, e.item_id from ${ENTRIES_OF_RECEIPT} and e.movement_type = 'receipt' ${IN_ORDER_OF_RECEIPTS})
      union all
      (select c.org_id, c.warehouse_id, c.item_id from ${LAYERS_OF_RECEIPT})) p
    where p.item_id = k.item_id`,
);

/** All that is left of receipts, wherever it is. */
export const readLayersOfReceipts = statement<LayerRow>(
  'stock_read_layers_of_receipts',
  `select l.*
     from unnest($1::text[], $2::text[]) k (org_id, receipt_id)
    cross join lateral (
      select c.org_id, c.warehouse_id, c.item_id, c.layer_no, c.received_at, c.receipt_id, c.quantity, c.value from ${LAYERS_OF_RECEIPT}) l`,
);

export interface ReceiptEntryRow {
  readonly org_id: string;
  readonly receipt_id: string;
  readonly warehouse_id: string;
  readonly item_id: string;
  readonly lot: string;
  readonly is_correction: boolean;
  readonly quantity_delta: string;
  readonly unit_cost: string | null;
  readonly value_delta: string | null;
  readonly movement_id: string;
  /** Of a correction: what it came to for each of the goods. */
  readonly corrected: CostCorrectionAnswer['lines'] | null;
}

/** What the ledger says of receipts: what came, and what it was said to cost since; the first said first. */
export const readReceiptEntries = statement<ReceiptEntryRow>(
  'stock_read_receipt_entries',
  `select e.org_id, k.receipt_id, e.warehouse_id, e.item_id, coalesce(e.lot, '') as lot, e.movement_type = 'cost_correction' as is_correction,
          e.quantity_delta, e.unit_cost, e.value_delta, e.movement_id,
          case when e.movement_type = 'cost_correction' then (
            select m.lines from movement m where m.org_id = e.org_id and m.movement_id = e.movement_id) end as corrected
     from unnest($1::text[], $2::text[]) k (org_id, receipt_id)
    cross join lateral (
      select * from ${ENTRIES_OF_RECEIPT} and e.movement_type in ('receipt', 'cost_correction') ${IN_ORDER_OF_RECEIPTS}) e
    order by e.entry_no`,
);

export interface CostCorrectionRow {
  readonly org_id: string;
  readonly command_id: string;
  readonly fingerprint: string;
  readonly answer: CostCorrectionAnswer;
}

export const readCostCorrections = statement<CostCorrectionRow>(
  'stock_read_cost_corrections',
  `select c.org_id, c.command_id, c.fingerprint, c.answer
     from unnest($1::text[], $2::text[]) k (org_id, command_id)
     join cost_correction c on c.org_id = k.org_id and c.command_id = k.command_id`,
);

export const insertCostCorrections = statement<never>(
  'stock_insert_cost_corrections',
  `insert into cost_correction (org_id, command_id, receipt_id, fingerprint, answer)
   select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::jsonb[])`,
);
