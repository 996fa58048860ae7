import { Cursor, type Page, PAGE_LIMIT_DEFAULT, type RequestOf, type Reservation, type ReservationList } from '#libs/contracts';
import { shortestDecimal } from '#libs/domain';
import type { Tx } from '#libs/persistence';
import type { Scope } from '../scope.js';
import { lotOrNull } from '../stock-machine/holds.js';

const cursor = new Cursor('uuid');

interface ReservationRow {
  readonly reservation_id: string;
  readonly order_id: string;
  readonly line_no: number;
  readonly item_id: string;
  readonly warehouse_id: string;
  readonly lot: string;
  readonly location: string;
  readonly quantity: string;
  readonly fulfilled_quantity: string;
  readonly status: Reservation['status'];
  readonly firm: boolean;
  readonly reserved_at: Date;
  readonly expires_at: Date | null;
  readonly closed_at: Date | null;
  readonly release_reason: string | null;
}

/** Reservations, newest first: their ids are in the order of time. Whether they are firm and when they expire is said by their demand. */
export async function listReservations(
  tx: Tx,
  orgId: string,
  scope: Scope,
  request: RequestOf<typeof ReservationList>,
): Promise<Page<Reservation>> {
  const limit = request.limit ?? PAGE_LIMIT_DEFAULT;
  const [before = null] = cursor.read(request.cursor);
  const rows = await tx.rows<ReservationRow>(
    `select r.*, d.firm, d.expires_at
     from (
       select *
       from reservation
       where org_id = $1
         and ($2::text is null or order_id = $2)
         -- The warehouses that know the item are named for the sake of the index of open reservations.
         and ($3::text is null or item_id = $3 and warehouse_id = any(array(
               select warehouse_id from stock_balance where org_id = $1 and item_id = $3)))
         and ($4::text is null or status = $4)
         and ($5::text[] is null or warehouse_id = any($5))
         and ($6::uuid is null or reservation_id < $6)
       order by reservation_id desc
       limit $7
     ) r
     join demand d on d.org_id = $1 and d.order_id = r.order_id
     order by r.reservation_id desc`,
    [orgId, request.orderId ?? null, request.itemId ?? null, request.status ?? null, scope, before, limit + 1],
  );
  return cursor.page(rows, limit, (row) => [row.reservation_id], toReservation);
}

function toReservation(row: ReservationRow): Reservation {
  const mayExpire = row.status === 'active' && !row.firm;
  return {
    reservationId: row.reservation_id,
    orderId: row.order_id,
    lineNo: row.line_no,
    itemId: row.item_id,
    warehouseId: row.warehouse_id,
    lot: lotOrNull(row.lot),
    location: row.location,
    quantity: shortestDecimal(row.quantity),
    fulfilledQuantity: shortestDecimal(row.fulfilled_quantity),
    status: row.status,
    firm: row.firm,
    reservedAt: row.reserved_at.toISOString(),
    expiresAt: mayExpire ? (row.expires_at?.toISOString() ?? null) : null,
    closedAt: row.closed_at?.toISOString() ?? null,
    releaseReason: row.release_reason,
  };
}
