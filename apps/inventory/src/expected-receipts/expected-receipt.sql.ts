import { statement } from '#libs/persistence';
import type { ExpectationRow } from './expected-receipt.queries.js';

// What the stock machine reads and writes when goods come that were announced; see stock-machine/stock.sql.ts.

const expectedReceipts = `
   select e.org_id, e.expected_receipt_id, e.warehouse_id, e.item_id, e.quantity, e.received_quantity, e.expected_on::text as expected_on, e.reference,
          e.status
     from unnest($1::text[], $2::text[]) k (org_id, expected_receipt_id)
     join expected_receipt e on e.org_id = k.org_id and e.expected_receipt_id = k.expected_receipt_id
    order by e.org_id, e.expected_receipt_id`;

/** Expected receipts have a writer beside the machine, who announces and cancels them: so they have a lock of their own. */
export const lockExpectedReceipts = statement<ExpectationRow & { readonly org_id: string }>(
  'stock_lock_expected_receipts',
  `${expectedReceipts} for no key update of e`,
);

/** The same for a dry run. */
export const readExpectedReceipts = statement<ExpectationRow & { readonly org_id: string }>(
  'stock_read_expected_receipts',
  expectedReceipts,
);

/** Absolute, because the rows are locked. */
export const updateExpectedReceipts = statement<never>(
  'stock_update_expected_receipts',
  `update expected_receipt e
      set received_quantity = k.received_quantity, status = k.status, updated_at = $6::timestamptz, updated_by = k.updated_by
     from unnest($1::text[], $2::text[], $3::numeric[], $4::text[], $5::text[])
          k (org_id, expected_receipt_id, received_quantity, status, updated_by)
    where e.org_id = k.org_id and e.expected_receipt_id = k.expected_receipt_id`,
);
