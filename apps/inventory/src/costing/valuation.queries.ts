import {
  Cursor,
  type ItemValuation,
  type Page,
  PAGE_LIMIT_DEFAULT,
  type RequestOf,
  type ValuationList,
  type ValuedLayer,
} from '#libs/contracts';
import { formatQuantity, parseMoney, parseQuantity, shortestDecimal, unitCostOf } from '#libs/domain';
import { statement, type Tx } from '#libs/persistence';
import type { Scope } from '../scope.js';

const cursor = new Cursor('text', 'text');

/** How many layers are listed of one balance. */
const LAYERS_LISTED_MAX = 100;

interface ValuedRow {
  readonly warehouse_id: string;
  readonly item_id: string;
  readonly quantity: string;
  readonly value: string;
}

interface LayerRow extends ValuedRow {
  readonly received_at: Date;
  readonly receipt_id: string | null;
}

// The planner takes the policy of row-level security for a filter that leaves one row in a hundred, and would value and sort the whole
// organisation for a page instead of walking along the key: 400 ms instead of 10 with 20,000 balances.
const walkAlongKey = statement(
  'valuation_walk_along_key',
  `select set_config('enable_bitmapscan', 'off', true), set_config('enable_sort', 'off', true)`,
);

/**
 * What every item in every warehouse that has some of it is worth, by warehouse and item: now, with the cost layers, or as of a time of
 * recording, without them, because which layers there were is not kept (docs/rules.md, "costs").
 */
export async function listValuation(
  tx: Tx,
  orgId: string,
  scope: Scope,
  request: RequestOf<typeof ValuationList>,
): Promise<Page<ItemValuation>> {
  const limit = request.limit ?? PAGE_LIMIT_DEFAULT;
  const [warehouseId = null, itemId = null] = cursor.read(request.cursor);
  const filter = [orgId, request.warehouseId ?? null, request.itemId ?? null, scope, warehouseId, itemId, limit + 1];
  void tx.run(walkAlongKey, []);
  const rows = await tx.rows<ValuedRow>(request.asOf === undefined ? VALUED_NOW : VALUED_THEN, [
    ...filter,
    ...(request.asOf === undefined ? [] : [request.asOf]),
  ]);
  const shown = rows.slice(0, limit);
  const layers = request.asOf === undefined && shown.length > 0 ? await readLayers(tx, orgId, shown) : null;
  return cursor.page(
    rows,
    limit,
    (row) => [row.warehouse_id, row.item_id],
    (row) => ({
      itemId: row.item_id,
      warehouseId: row.warehouse_id,
      quantity: shortestDecimal(row.quantity),
      value: shortestDecimal(row.value),
      ...layers?.(row),
    }),
  );
}

const LISTED = `b.org_id = $1
    and ($2::text is null or b.warehouse_id = $2)
    and ($3::text is null or b.item_id = $3)
    and ($4::text[] is null or b.warehouse_id = any($4))
    and ($5::text is null or (b.warehouse_id, b.item_id) > ($5, $6))`;

const VALUED_NOW = `
  select b.warehouse_id, b.item_id, b.on_hand as quantity, b.value
    from stock_balance b
   where ${LISTED} and (b.on_hand <> 0 or b.value <> 0)
   order by b.warehouse_id, b.item_id
   limit $7`;

// What is there now, less what was recorded since: so a valuation of last month reads this month's entries and not those of all years.
const VALUED_THEN = `
  select * from (
    select b.warehouse_id, b.item_id, b.on_hand - since.quantity as quantity, b.value - since.value as value
      from stock_balance b
     cross join lateral (
       select coalesce(sum(e.quantity_delta), 0) as quantity, coalesce(sum(e.value_delta), 0) as value
         from ledger_entry e
        where e.org_id = b.org_id and e.warehouse_id = b.warehouse_id and e.item_id = b.item_id and e.recorded_at > $8::timestamptz
     ) since
     where ${LISTED}
  ) valued
   where quantity <> 0 or value <> 0
   order by warehouse_id, item_id
   limit $7`;

// One more than is listed, to see whether there are more.
const readOpenLayers = statement<LayerRow>(
  'valuation_read_layers',
  `select l.warehouse_id, l.item_id, l.received_at, l.receipt_id, l.quantity, l.value
     from unnest($2::text[], $3::text[]) k (warehouse_id, item_id)
    cross join lateral (
      select * from cost_layer c
       where c.org_id = $1 and c.warehouse_id = k.warehouse_id and c.item_id = k.item_id and c.quantity > 0
       order by c.received_at, c.layer_no
       limit ${LAYERS_LISTED_MAX + 1}) l
    order by l.warehouse_id, l.item_id, l.received_at, l.layer_no`,
);

async function readLayers(tx: Tx, orgId: string, rows: readonly ValuedRow[]) {
  const found = await tx.run(readOpenLayers, [orgId, rows.map((row) => row.warehouse_id), rows.map((row) => row.item_id)]);
  // Ids contain no slash.
  const ofPlace = Map.groupBy(found, (row) => `${row.warehouse_id}/${row.item_id}`);
  return (row: ValuedRow): Pick<ItemValuation, 'layers' | 'truncated'> => {
    const layers = ofPlace.get(`${row.warehouse_id}/${row.item_id}`) ?? [];
    return { layers: layers.slice(0, LAYERS_LISTED_MAX).map(toLayer), truncated: layers.length > LAYERS_LISTED_MAX };
  };
}

function toLayer(row: LayerRow): ValuedLayer {
  return {
    receivedAt: row.received_at.toISOString(),
    receiptId: row.receipt_id,
    quantity: shortestDecimal(row.quantity),
    value: shortestDecimal(row.value),
    unitCost: formatQuantity(unitCostOf(parseMoney(row.value), parseQuantity(row.quantity))),
  };
}
