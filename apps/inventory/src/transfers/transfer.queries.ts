import { Cursor, type Page, PAGE_LIMIT_DEFAULT, type RequestOf, type Transfer as TransferView, type TransferList } from '#libs/contracts';
import { notFound } from '#libs/domain';
import type { Tx } from '#libs/persistence';
import { isShown, type Scope } from '../scope.js';
import { transferOf } from '../stock-machine/stock-rows.js';
import type { TransferRow } from './transfer.sql.js';
import { transferView } from './transfer-view.js';

const cursor = new Cursor('time', 'text');

/** Transfers from or to the warehouses in which the actor works, newest first. */
export async function listTransfers(
  tx: Tx,
  orgId: string,
  scope: Scope,
  request: RequestOf<typeof TransferList>,
): Promise<Page<TransferView>> {
  const limit = request.limit ?? PAGE_LIMIT_DEFAULT;
  const [dispatchedAt = null, id = null] = cursor.read(request.cursor);
  const rows = await tx.rows<TransferRow & { dispatched_at_key: string }>(
    `select t.*, to_char(dispatched_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as dispatched_at_key
     from transfer t
     where org_id = $1
       and ($2::text is null or $2 in (from_warehouse_id, to_warehouse_id))
       and ($3::text[] is null or from_warehouse_id = any($3) or to_warehouse_id = any($3))
       and ($4::text is null or status = $4)
       and ($5::timestamptz is null or (dispatched_at, transfer_id) < ($5, $6))
     order by dispatched_at desc, transfer_id desc
     limit $7`,
    [orgId, request.warehouseId ?? null, scope, request.status ?? null, dispatchedAt, id, limit + 1],
  );
  const view = (row: TransferRow) => transferView(transferOf(row));
  return cursor.page(rows, limit, (row) => [row.dispatched_at_key, row.transfer_id], view);
}

/** @throws {HoldfastError} 404 `TRANSFER_NOT_FOUND`, also when the actor works in neither of its warehouses. */
export async function getTransfer(tx: Tx, orgId: string, scope: Scope, transferId: string): Promise<TransferView> {
  const [row] = await tx.rows<TransferRow>('select * from transfer where org_id = $1 and transfer_id = $2', [orgId, transferId]);
  if (row === undefined || !(isShown(scope, row.from_warehouse_id) || isShown(scope, row.to_warehouse_id))) {
    throw notFound('TRANSFER_NOT_FOUND', `There is no transfer ${transferId}.`);
  }
  return transferView(transferOf(row));
}
