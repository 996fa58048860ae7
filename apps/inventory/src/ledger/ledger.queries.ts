import {
  type AdjustmentReason,
  Cursor,
  type LedgerEntry,
  type LedgerList,
  type LedgerRefType,
  type Page,
  PAGE_LIMIT_DEFAULT,
  type RequestOf,
} from '#libs/contracts';
import { shortestDecimal } from '#libs/domain';
import type { Tx } from '#libs/persistence';
import type { Scope } from '../scope.js';

const cursor = new Cursor('time', 'text', 'text', 'integer');

interface EntryRow {
  readonly entry_no: number;
  readonly movement_id: string;
  readonly item_id: string;
  readonly warehouse_id: string;
  readonly lot: string | null;
  readonly location: string;
  readonly quality: string;
  readonly quantity_delta: string;
  readonly balance_after: string;
  readonly movement_type: string;
  readonly ref_type: LedgerRefType;
  readonly ref_id: string | null;
  readonly order_id: string | null;
  readonly unit_cost: string | null;
  readonly value_delta: string | null;
  readonly produced_at: Date | null;
  readonly expires_at: Date | null;
  readonly flagged: boolean;
  readonly discrepancy_id: string | null;
  readonly actor: string | null;
  readonly occurred_at: Date;
  readonly recorded_at: Date;
  readonly recorded_at_key: string;
  readonly note: string | null;
  readonly reason_code: AdjustmentReason | null;
}

/** Ledger entries, newest first; `from` and `to` bound the time of recording, `to` exclusive. */
export async function listLedger(tx: Tx, orgId: string, scope: Scope, request: RequestOf<typeof LedgerList>): Promise<Page<LedgerEntry>> {
  const limit = request.limit ?? PAGE_LIMIT_DEFAULT;
  const [recordedAt = null, warehouseId = null, itemId = null, entryNo = null] = cursor.read(request.cursor);
  const rows = await tx.rows<EntryRow>(
    `select e.*, m.lines ->> 'reasonCode' as reason_code, coalesce(e.produced_at, l.produced_at) as produced_at, coalesce(e.expires_at, l.expires_at) as expires_at
     from (select *, to_char(recorded_at, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as recorded_at_key
     from ledger_entry
     where org_id = $1
       and ($2::text is null or item_id = $2)
       and ($3::text is null or warehouse_id = $3)
       and ($4::text[] is null or warehouse_id = any($4))
       and ($5::text is null or order_id = $5)
       and ($6::text is null or ref_type = $6)
       and ($7::text is null or ref_id = $7)
       and ($8::timestamptz is null or recorded_at >= $8)
       and ($9::timestamptz is null or recorded_at < $9)
       -- Said for the time alone too, because only that bounds an index and leaves out the partitions of later months.
       and ($10::timestamptz is null or recorded_at <= $10)
       and ($10::timestamptz is null or (recorded_at, warehouse_id, item_id, entry_no) < ($10, $11, $12, $13::bigint))
     order by recorded_at desc, warehouse_id desc, item_id desc, entry_no desc
     limit $14) e
     -- What the entry does not say itself is said by its lot.
     left join lot l on l.org_id = e.org_id and l.item_id = e.item_id and l.lot = e.lot
     left join movement m on m.org_id = e.org_id and m.movement_id = e.movement_id and e.movement_type = 'adjustment'
     order by e.recorded_at desc, e.warehouse_id desc, e.item_id desc, e.entry_no desc`,
    [
      orgId,
      request.itemId ?? null,
      request.warehouseId ?? null,
      scope,
      request.orderId ?? null,
      request.refType ?? null,
      request.refId ?? null,
      request.from ?? null,
      request.to ?? null,
      recordedAt,
      warehouseId,
      itemId,
      entryNo,
      limit + 1,
    ],
  );
  return cursor.page(rows, limit, (row) => [row.recorded_at_key, row.warehouse_id, row.item_id, String(row.entry_no)], toEntry);
}

function toEntry(row: EntryRow): LedgerEntry {
  return {
    entryNo: row.entry_no,
    movementId: row.movement_id,
    itemId: row.item_id,
    warehouseId: row.warehouse_id,
    lot: row.lot,
    location: row.location,
    quality: row.quality,
    quantityDelta: shortestDecimal(row.quantity_delta),
    balanceAfter: shortestDecimal(row.balance_after),
    movementType: row.movement_type,
    refType: row.ref_type,
    refId: row.ref_id,
    orderId: row.order_id,
    unitCost: row.unit_cost && shortestDecimal(row.unit_cost),
    valueDelta: row.value_delta && shortestDecimal(row.value_delta),
    producedAt: row.produced_at?.toISOString() ?? null,
    expiresAt: row.expires_at?.toISOString() ?? null,
    flagged: row.flagged,
    discrepancyId: row.discrepancy_id,
    actor: row.actor,
    occurredAt: row.occurred_at.toISOString(),
    recordedAt: row.recorded_at.toISOString(),
    note: row.note,
    reasonCode: row.reason_code,
  };
}
