import { type Actor, authoriseWarehouses } from '#libs/auth';
import type { ExpectedReceipt } from '#libs/contracts';
import { formatQuantity } from '#libs/domain';
import type { Tx } from '#libs/persistence';
import type { Expectation } from './expected-receipt.js';
import {
  EXPECTED_RECEIPT_COLUMNS,
  expectedReceiptNotFound,
  type ExpectedReceiptRow,
  expectedReceiptView,
  toExpectation,
  toExpectedReceipt,
} from './expected-receipt.queries.js';

/**
 * Changes an expectation under the lock of its row, which a receipt that names it takes too, after its balances; nothing is locked after
 * it here, so the two cannot wait for each other. What changes nothing leaves no trace.
 *
 * @param decide the expectation as it is to be.
 * @throws {HoldfastError} 404 `NOT_FOUND`; `WAREHOUSE_FORBIDDEN`; what `decide` throws.
 */
export async function changeExpectedReceipt(
  tx: Tx,
  actor: Actor,
  { expectedReceiptId, dryRun = false }: { readonly expectedReceiptId: string; readonly dryRun?: boolean },
  decide: (current: Expectation) => Expectation,
): Promise<ExpectedReceipt> {
  const [row] = await tx.rows<ExpectedReceiptRow>(
    `select ${EXPECTED_RECEIPT_COLUMNS} from expected_receipt where org_id = $1 and expected_receipt_id = $2 ${dryRun ? '' : 'for no key update'}`,
    [actor.orgId, expectedReceiptId],
  );
  if (row === undefined) throw expectedReceiptNotFound(expectedReceiptId);
  authoriseWarehouses(actor, [row.warehouse_id]);
  const current = toExpectation(row);
  const wanted = decide(current);
  const answer = dryRun ? { dryRun } : {};
  if (wanted === current) return { ...toExpectedReceipt(row), ...answer };
  const updatedAt = dryRun ? new Date() : await update(tx, actor, wanted);
  return { ...expectedReceiptView(wanted, { createdAt: row.created_at, updatedAt, updatedBy: actor.userId }), ...answer };
}

async function update(tx: Tx, actor: Actor, wanted: Expectation): Promise<Date> {
  const { expectedReceiptId, quantity, expectedOn, reference, status } = wanted;
  const [changed] = await tx.rows<{ updated_at: Date }>(
    `update expected_receipt set quantity = $3, expected_on = $4, reference = $5, status = $6, updated_at = clock_timestamp(), updated_by = $7
     where org_id = $1 and expected_receipt_id = $2 returning updated_at`,
    [actor.orgId, expectedReceiptId, formatQuantity(quantity), expectedOn, reference, status, actor.userId],
  );
  return changed!.updated_at;
}
