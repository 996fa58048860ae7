import type { ResponseOf, ShortLine, StockDemand } from '#libs/contracts';
import { formatQuantity, maxQuantity, parseQuantity, type Quantity, sumQuantities, ZERO } from '#libs/domain';
import { statement, type Tx } from '#libs/persistence';
import { availableToPromise } from '../availability/available-to-promise.js';
import { STOCK_TERM_COLUMNS, type StockTermRow, stockTerms } from '../availability/stock-terms.js';
import { findLaterDays, type LaterDay } from '../projection/later.queries.js';

/** The answer to a refused demand: what was short of it, and what the order has had before. */
type Refused = Pick<ResponseOf<typeof StockDemand>, 'lines' | 'stock'> & { readonly shortLines: readonly ShortLine[] };
type Alternative = NonNullable<ResponseOf<typeof StockDemand>['alternatives']>[number];

const ALTERNATIVES_PER_LINE_MAX = 5;

interface Candidate extends StockTermRow {
  readonly line_no: number;
  readonly kind: 'warehouse' | 'substitute';
  readonly warehouse_id: string;
  readonly item_id: string;
}

/**
 * The same item in every warehouse, then its substitutes, of those that stock any. Laterals, because the planner would turn joins with tables
 * that were never analysed around, and go through all items for each line.
 */
export const findCandidates = statement<Candidate>(
  'reservations_find_alternatives',
  `select k.line_no, case when c.item_id = k.item_id then 'warehouse' else 'substitute' end as kind,
          b.warehouse_id, b.item_id, ${STOCK_TERM_COLUMNS}
     from unnest($2::int[], $3::text[]) k (line_no, item_id)
    cross join lateral (select substitutes from item where org_id = $1 and item_id = k.item_id limit 1) asked
    cross join lateral unnest(array[k.item_id] || asked.substitutes) with ordinality c (item_id, place)
    cross join lateral (select * from item where org_id = $1 and item_id = c.item_id limit 1) i
    cross join lateral (
      select * from stock_balance where org_id = $1 and item_id = c.item_id and on_hand - blocked > reserved offset 0) b
    cross join lateral (select priority from warehouse where org_id = $1 and warehouse_id = b.warehouse_id limit 1) w
    order by k.line_no, c.place, w.priority, b.warehouse_id`,
);

/**
 * What could be had instead of each short line: the same item in another warehouse, or a substitute, where enough for the whole line can
 * be promised; or the same item later. For a refusal's answer; a snapshot that holds nothing.
 *
 * @param scope the warehouses that the caller works in; null = all.
 */
export async function findAlternatives(tx: Tx, orgId: string, refused: Refused, scope: readonly string[] | null): Promise<Alternative[]> {
  const { shortLines } = refused;
  const wanted = shortLines.map((line) => ({
    ...line,
    quantity: parseQuantity(line.requested),
    missing: missing(refused, line),
    available: parseQuantity(line.available),
  }));
  const [rows, later] = await Promise.all([
    tx.run(findCandidates, [orgId, shortLines.map((line) => line.lineNo), shortLines.map((line) => line.itemId)]),
    findLaterDays(tx, orgId, wanted, scope),
  ]);
  return [...instead(rows, shortLines, scope), ...later.map(toAlternative)].sort((a, b) => a.lineNo - b.lineNo);
}

/** What of a line the order lacks in the warehouse where it was short: what was shipped, and what is held for it there, it has. */
function missing({ lines, stock }: Refused, { lineNo, itemId, warehouseId, requested }: ShortLine): Quantity {
  const fulfilled = stock.find((line) => line.lineNo === lineNo && line.itemId === itemId)?.fulfilled ?? '0';
  const held = lines.filter((line) => line.lineNo === lineNo && line.itemId === itemId && line.warehouseId === warehouseId);
  const has = parseQuantity(fulfilled) + sumQuantities(held, (line) => parseQuantity(line.quantity));
  return maxQuantity(parseQuantity(requested) - has, ZERO);
}

function toAlternative({ lineNo, itemId, warehouseId, available, day }: LaterDay): Alternative {
  return { lineNo, kind: 'later', itemId, warehouseId, available: formatQuantity(available), date: day };
}

function instead(rows: readonly Candidate[], shortLines: readonly ShortLine[], scope: readonly string[] | null): Alternative[] {
  const found = new Map<number, Alternative[]>();
  for (const row of rows) {
    const line = shortLines.find((candidate) => candidate.lineNo === row.line_no)!;
    const isTheShortOne = row.item_id === line.itemId && row.warehouse_id === line.warehouseId;
    if (isTheShortOne || (scope !== null && !scope.includes(row.warehouse_id))) continue;
    const available = availableToPromise(stockTerms(row));
    const alternatives = found.get(row.line_no) ?? [];
    if (available < parseQuantity(line.requested) || alternatives.length >= ALTERNATIVES_PER_LINE_MAX) continue;
    alternatives.push({
      lineNo: row.line_no,
      kind: row.kind,
      itemId: row.item_id,
      warehouseId: row.warehouse_id,
      available: formatQuantity(available),
    });
    found.set(row.line_no, alternatives);
  }
  return [...found.values()].flat();
}
