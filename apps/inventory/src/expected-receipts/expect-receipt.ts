import type { ExpectedReceipt, ExpectedReceiptCreate, RequestOf } from '#libs/contracts';
import { conflict, formatQuantity, parseQuantity, ZERO } from '#libs/domain';
import type { Tx } from '#libs/persistence';
import { itemNotFound } from '../catalogue/item.queries.js';
import { warehouseNotFound } from '../catalogue/warehouse.queries.js';
import { fingerprint } from '../fingerprint.js';
import { EXPECTED_RECEIPT_COLUMNS, type ExpectedReceiptRow, expectedReceiptView, toExpectedReceipt } from './expected-receipt.queries.js';

/**
 * Announces goods. A repeat with an equal body answers what is known of them now, whatever was changed since.
 *
 * @throws {HoldfastError} `ALREADY_EXISTS` when they were announced with another body; `ITEM_NOT_FOUND`, `WAREHOUSE_NOT_FOUND`.
 */
export async function expectReceipt(
  tx: Tx,
  orgId: string,
  { dryRun = false, expectedReceiptId, ...request }: RequestOf<typeof ExpectedReceiptCreate> & { readonly expectedReceiptId: string },
  actor: string,
): Promise<ExpectedReceipt> {
  const { warehouseId, itemId, expectedOn, reference = null } = request;
  const quantity = parseQuantity(request.quantity);
  const body = fingerprint({ ...request, quantity: formatQuantity(quantity) });
  await checkPlace(tx, orgId, warehouseId, itemId);
  if (!dryRun) {
    await tx.execute(
      `insert into expected_receipt (org_id, expected_receipt_id, warehouse_id, item_id, quantity, expected_on, reference, created_at, updated_at, updated_by, fingerprint)
       values ($1, $2, $3, $4, $5, $6, $7, clock_timestamp(), clock_timestamp(), $8, $9) on conflict do nothing`,
      [orgId, expectedReceiptId, warehouseId, itemId, formatQuantity(quantity), expectedOn, reference, actor, body],
    );
  }
  const [row] = await tx.rows<ExpectedReceiptRow>(
    `select ${EXPECTED_RECEIPT_COLUMNS} from expected_receipt where org_id = $1 and expected_receipt_id = $2`,
    [orgId, expectedReceiptId],
  );
  if (row !== undefined && row.fingerprint !== body) {
    throw conflict('ALREADY_EXISTS', `Expected receipt ${expectedReceiptId} exists and was announced otherwise. Change it with an update.`);
  }
  if (!dryRun) return toExpectedReceipt(row!);
  if (row !== undefined) return { ...toExpectedReceipt(row), dryRun };
  const now = new Date();
  const expectation = { expectedReceiptId, warehouseId, itemId, quantity, received: ZERO, expectedOn, reference, status: 'open' as const };
  return { ...expectedReceiptView(expectation, { createdAt: now, updatedAt: now, updatedBy: actor }), dryRun };
}

async function checkPlace(tx: Tx, orgId: string, warehouseId: string, itemId: string): Promise<void> {
  const [known] = await tx.rows<{ item: boolean; warehouse: boolean }>(
    `select exists (select from item where org_id = $1 and item_id = $2) as item,
            exists (select from warehouse where org_id = $1 and warehouse_id = $3) as warehouse`,
    [orgId, itemId, warehouseId],
  );
  if (!known!.item) throw itemNotFound([itemId]);
  if (!known!.warehouse) throw warehouseNotFound(warehouseId);
}
