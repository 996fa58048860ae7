import { Cursor, type ExpectedReceipt, type ExpectedReceiptList, type Page, PAGE_LIMIT_DEFAULT, type RequestOf } from '#libs/contracts';
import { formatQuantity, notFound, parseQuantity } from '#libs/domain';
import type { Tx } from '#libs/persistence';
import { isShown, type Scope } from '../scope.js';
import { type Expectation, openQuantity } from './expected-receipt.js';

const cursor = new Cursor('time', 'text');

/** What is known of an expectation, with the date as text: a day has no time zone. */
export interface ExpectationRow {
  readonly expected_receipt_id: string;
  readonly warehouse_id: string;
  readonly item_id: string;
  readonly quantity: string;
  readonly received_quantity: string;
  readonly expected_on: string;
  readonly reference: string | null;
  readonly status: Expectation['status'];
}

/** A row as it is stored. */
export interface ExpectedReceiptRow extends ExpectationRow {
  readonly created_at: Date;
  readonly updated_at: Date;
  readonly updated_by: string | null;
  readonly fingerprint: string;
}

export const EXPECTED_RECEIPT_COLUMNS = `expected_receipt_id, warehouse_id, item_id, quantity, received_quantity, expected_on::text, reference, status, created_at,
  updated_at, updated_by, fingerprint`;

/** Announced goods in the warehouses in which the actor works, the last announced first. */
export async function listExpectedReceipts(
  tx: Tx,
  orgId: string,
  scope: Scope,
  request: RequestOf<typeof ExpectedReceiptList>,
): Promise<Page<ExpectedReceipt>> {
  const limit = request.limit ?? PAGE_LIMIT_DEFAULT;
  const [createdAt = null, id = null] = cursor.read(request.cursor);
  const rows = await tx.rows<ExpectedReceiptRow & { created_at_key: string }>(
    `select ${EXPECTED_RECEIPT_COLUMNS}, to_char(created_at, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as created_at_key
     from expected_receipt
     where org_id = $1
       -- Always true; it says which index is meant.
       and created_at > '-infinity'
       and ($2::text is null or warehouse_id = $2)
       and ($3::text[] is null or warehouse_id = any($3))
       and ($4::text is null or item_id = $4)
       and ($5::text is null or status = $5)
       and ($6::date is null or expected_on >= $6)
       and ($7::date is null or expected_on <= $7)
       and ($8::timestamptz is null or (created_at, expected_receipt_id) < ($8, $9))
     order by created_at desc, expected_receipt_id desc
     limit $10`,
    [
      orgId,
      request.warehouseId ?? null,
      scope,
      request.itemId ?? null,
      request.status ?? null,
      request.expectedFrom ?? null,
      request.expectedTo ?? null,
      createdAt,
      id,
      limit + 1,
    ],
  );
  return cursor.page(rows, limit, (row) => [row.created_at_key, row.expected_receipt_id], toExpectedReceipt);
}

/** @throws {HoldfastError} 404 `NOT_FOUND`, also when the actor does not work in its warehouse. */
export async function getExpectedReceipt(tx: Tx, orgId: string, scope: Scope, id: string): Promise<ExpectedReceipt> {
  const [row] = await tx.rows<ExpectedReceiptRow>(
    `select ${EXPECTED_RECEIPT_COLUMNS} from expected_receipt where org_id = $1 and expected_receipt_id = $2`,
    [orgId, id],
  );
  if (row === undefined || !isShown(scope, row.warehouse_id)) throw expectedReceiptNotFound(id);
  return toExpectedReceipt(row);
}

export function expectedReceiptNotFound(id: string) {
  return notFound('NOT_FOUND', `There is no expected receipt ${id}.`);
}

export function toExpectation(row: ExpectationRow): Expectation {
  return {
    expectedReceiptId: row.expected_receipt_id,
    warehouseId: row.warehouse_id,
    itemId: row.item_id,
    quantity: parseQuantity(row.quantity),
    received: parseQuantity(row.received_quantity),
    expectedOn: row.expected_on,
    reference: row.reference,
    status: row.status,
  };
}

export function toExpectedReceipt(row: ExpectedReceiptRow): ExpectedReceipt {
  return expectedReceiptView(toExpectation(row), { createdAt: row.created_at, updatedAt: row.updated_at, updatedBy: row.updated_by });
}

/** An expectation as callers see it. */
export function expectedReceiptView(
  expectation: Expectation,
  change: { readonly createdAt: Date; readonly updatedAt: Date; readonly updatedBy: string | null },
): ExpectedReceipt {
  const { quantity, received, expectedReceiptId, warehouseId, itemId, expectedOn, reference, status } = expectation;
  return {
    expectedReceiptId,
    warehouseId,
    itemId,
    quantity: formatQuantity(quantity),
    receivedQuantity: formatQuantity(received),
    openQuantity: formatQuantity(openQuantity(expectation)),
    expectedOn,
    reference,
    status,
    createdAt: change.createdAt.toISOString(),
    updatedAt: change.updatedAt.toISOString(),
    updatedBy: change.updatedBy,
  };
}
