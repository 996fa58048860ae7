import type { ResponseOf, ShortLine, StockDemand } from '#libs/contracts';
import { formatQuantity, parseQuantity } from '#libs/domain';
import { statement, type Tx } from '#libs/persistence';
import { availableToPromise } from '../availability/available-to-promise.js';
import { STOCK_TERM_COLUMNS, type StockTermRow, stockTerms } from '../availability/stock-terms.js';

type Alternative = NonNullable<ResponseOf<typeof StockDemand>['alternatives']>[number];

const ALTERNATIVES_PER_LINE_MAX = 5;

interface Candidate extends StockTermRow {
  readonly line_no: number;
  readonly kind: 'warehouse' | 'substitute';
  readonly warehouse_id: string;
  readonly item_id: string;
}

/** The same item in every warehouse, then its substitutes, of those that stock any. */
const findCandidates = statement<Candidate>(
  'reservations_find_alternatives',
  `select k.line_no, case when i.item_id = k.item_id then 'warehouse' else 'substitute' end as kind,
          b.warehouse_id, b.item_id, ${STOCK_TERM_COLUMNS}
     from unnest($2::int[], $3::text[]) k (line_no, item_id)
     join item asked on asked.org_id = $1 and asked.item_id = k.item_id
    cross join lateral unnest(array[k.item_id] || asked.substitutes) with ordinality c (item_id, place)
     join item i on i.org_id = $1 and i.item_id = c.item_id
     join stock_balance b on b.org_id = $1 and b.item_id = c.item_id
     join warehouse w on w.org_id = $1 and w.warehouse_id = b.warehouse_id
    where b.on_hand - b.blocked > b.reserved
    order by k.line_no, c.place, w.priority, b.warehouse_id`,
);

/**
 * What could be had instead of each short line: the same item in another warehouse, or a substitute, where enough for the whole line can
 * be promised. For a refusal's answer; a snapshot that holds nothing.
 *
 * @param scope the warehouses that the caller works in; null = all.
 */
export async function findAlternatives(
  tx: Tx,
  orgId: string,
  shortLines: readonly ShortLine[],
  scope: readonly string[] | null,
): Promise<Alternative[]> {
  const rows = await tx.run(findCandidates, [orgId, shortLines.map((line) => line.lineNo), shortLines.map((line) => line.itemId)]);
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
