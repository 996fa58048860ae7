import {
  Cursor,
  type Discrepancy as DiscrepancyView,
  type DiscrepancyList,
  type Page,
  PAGE_LIMIT_DEFAULT,
  type RequestOf,
} from '#libs/contracts';
import type { Tx } from '#libs/persistence';
import { isShown, type Scope } from '../scope.js';
import { type Discrepancy, discrepancyNotFound, discrepancyView, isOpen } from './discrepancy.js';
import { type DiscrepancyRow, toDiscrepancy } from './discrepancy.sql.js';

const cursor = new Cursor('time', 'uuid');
const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i;

/** Discrepancies of the warehouses in which the actor works, newest first. One of an order as a whole is shown to who works in all. */
export async function listDiscrepancies(
  tx: Tx,
  orgId: string,
  scope: Scope,
  request: RequestOf<typeof DiscrepancyList>,
): Promise<Page<DiscrepancyView>> {
  const limit = request.limit ?? PAGE_LIMIT_DEFAULT;
  const [detectedAt = null, id = null] = cursor.read(request.cursor);
  const { status = null, open = null, severity = null, source = null, itemId = null, warehouseId = null } = request;
  const { orderId = null, ownerRole = null, assignedTo = null, from = null, to = null } = request;
  const rows = await tx.rows<DiscrepancyRow & { detected_at_key: string }>(
    `select d.*, to_char(detected_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as detected_at_key
       from discrepancy d
      where org_id = $1 and ($2::text[] is null or warehouse_id = any($2)) and ($3::text is null or status = $3)
        and ($4::boolean is null or (closed_at is null) = $4) and ($5::text is null or severity = $5) and ($6::text is null or source = $6)
        and ($7::text is null or item_id = $7) and ($8::text is null or warehouse_id = $8) and ($9::text is null or order_id = $9)
        and ($10::text is null or owner_role = $10) and ($11::text is null or assigned_to = $11)
        and ($12::timestamptz is null or detected_at >= $12) and ($13::timestamptz is null or detected_at < $13)
        and ($14::timestamptz is null or (detected_at, discrepancy_id) < ($14, $15::uuid))
      order by detected_at desc, discrepancy_id desc
      limit $16`,
    [
      ...[orgId, scope, status, open, severity, source, itemId, warehouseId, orderId, ownerRole, assignedTo, from, to],
      ...[detectedAt, id, limit + 1],
    ],
  );
  return cursor.page(
    rows,
    limit,
    (row) => [row.detected_at_key, row.discrepancy_id],
    (row) => discrepancyView(toDiscrepancy(row)),
  );
}

/** What is known of a movement that was refused. */
export interface RefusedMovement {
  /** What is open of it, oldest first: one of each item and warehouse in which it was short, at most. */
  readonly open: readonly Discrepancy[];
  /** How many of its discrepancies are over. */
  readonly over: number;
}

/** The discrepancies that were opened when a movement was refused: all at the same time, by which they are found. */
export async function readRefusal(tx: Tx, { orgId, refType, refId, detectedAt }: Discrepancy): Promise<RefusedMovement> {
  const rows = await tx.rows<DiscrepancyRow>(
    `select * from discrepancy
      where org_id = $1 and detected_at = $2 and ref_type = $3 and ref_id = $4 and source = 'blocked_transaction' and command is not null
      order by discrepancy_id`,
    [orgId, detectedAt, refType, refId],
  );
  const all = rows.map(toDiscrepancy);
  const open = all.filter(isOpen);
  return { open, over: all.length - open.length };
}

/** @throws {HoldfastError} 404 `DISCREPANCY_NOT_FOUND`, also when the actor does not work in its warehouse. */
export async function getDiscrepancy(tx: Tx, orgId: string, scope: Scope, discrepancyId: string): Promise<Discrepancy> {
  const [row] = UUID.test(discrepancyId)
    ? await tx.rows<DiscrepancyRow>('select * from discrepancy where org_id = $1 and discrepancy_id = $2', [orgId, discrepancyId])
    : [];
  if (row === undefined || !(row.warehouse_id === null ? scope === null : isShown(scope, row.warehouse_id))) {
    throw discrepancyNotFound(discrepancyId);
  }
  return toDiscrepancy(row);
}
