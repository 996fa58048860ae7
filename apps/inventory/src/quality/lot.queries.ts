import { Cursor, type GoodsQuality, type LotList, type LotStock, type Page, PAGE_LIMIT_DEFAULT, type RequestOf } from '#libs/contracts';
import { formatQuantity, parseQuantity, sumQuantities } from '#libs/domain';
import type { Tx } from '#libs/persistence';
import type { Scope } from '../scope.js';

const cursor = new Cursor('text', 'text');

interface LotRow {
  readonly item_id: string;
  readonly lot: string;
  readonly produced_at: Date | null;
  readonly expires_at: Date | null;
  readonly recalled_at: Date | null;
  readonly recall_reason: string | null;
  /** Quantities as text: as JSON they would be numbers. */
  readonly places: { warehouse_id: string; location: string; quality: GoodsQuality; quantity: string; reserved: string }[] | null;
}

/**
 * Lots with where they are, as far as the actor works there: by item and lot. Of a warehouse, and for who works in some only, those that are
 * there; else also those of which nothing is left.
 */
export async function listLots(tx: Tx, orgId: string, scope: Scope, request: RequestOf<typeof LotList>): Promise<Page<LotStock>> {
  const limit = request.limit ?? PAGE_LIMIT_DEFAULT;
  const [itemId = null, lot = null] = cursor.read(request.cursor);
  const rows = await tx.rows<LotRow>(
    `select l.item_id, l.lot, l.produced_at, l.expires_at, l.recalled_at, l.recall_reason, p.places
       from lot l
      cross join lateral (
        select jsonb_agg(jsonb_build_object('warehouse_id', q.warehouse_id, 'location', q.location, 'quality', q.quality,
                                            'quantity', q.quantity::text, 'reserved', q.reserved::text)
                         order by q.warehouse_id, q.location, q.quality) as places
          from quant q
         where q.org_id = l.org_id and q.item_id = l.item_id and q.lot = l.lot and q.quantity > 0
           and ($3::text is null or q.warehouse_id = $3)
           and ($4::text[] is null or q.warehouse_id = any($4))) p
      where l.org_id = $1
        and ($2::text is null or l.item_id = $2)
        and ($5::timestamptz is null or l.expires_at < $5)
        and (p.places is not null or ($3::text is null and $4::text[] is null))
        and ($6::text is null or (l.item_id, l.lot) > ($6, $7))
      order by l.item_id, l.lot
      limit $8`,
    [orgId, request.itemId ?? null, request.warehouseId ?? null, scope, request.expiresBefore ?? null, itemId, lot, limit + 1],
  );
  return cursor.page(rows, limit, (row) => [row.item_id, row.lot], toLotStock);
}

function toLotStock(row: LotRow): LotStock {
  const places = (row.places ?? []).map(({ warehouse_id, location, quality, quantity, reserved }) => ({
    warehouseId: warehouse_id,
    location,
    quality,
    quantity: formatQuantity(parseQuantity(quantity)),
    reserved: formatQuantity(parseQuantity(reserved)),
  }));
  return {
    itemId: row.item_id,
    lot: row.lot,
    producedAt: row.produced_at?.toISOString() ?? null,
    expiresAt: row.expires_at?.toISOString() ?? null,
    recalledAt: row.recalled_at?.toISOString() ?? null,
    recallReason: row.recall_reason,
    quantity: formatQuantity(sumQuantities(places, ({ quantity }) => parseQuantity(quantity))),
    places,
  };
}
