import type { ImportError, Item } from '#libs/contracts';
import { arrayLiteral, statement, type Tx } from '#libs/persistence';
import { findItems } from '../catalogue/item.queries.js';
import { isShown } from '../scope.js';
import { datesOf } from '../stock-machine/lots.js';
import { dateErrors, dateOf, orderErrors } from './check-lots.js';
import type { ImportRow } from './import.sql.js';
import { findLots, type LotDates, lotKey, type LotName } from './lot.sql.js';
import type { CheckedLine, ImportLine } from './read-line.js';

/** A line of stock as its columns are read. */
export interface StockValues {
  readonly warehouseId: string;
  readonly itemId: string;
  readonly quantity: string;
  readonly unitCost: string;
  readonly lot?: string;
  readonly producedAt?: string;
  readonly expiresAt?: string;
  readonly location?: string;
  readonly quality?: 'available' | 'pending_inspection' | 'quarantined' | 'damaged';
}

// Keys first, and each looked up by itself: joined on a constant organisation, the planner once read all balances for every thousand lines,
// which took three seconds.

const findWarehouses = statement<{ id: string }>(
  'import_find_warehouses',
  `select w.warehouse_id as id from unnest($2::text[]) k (id)
    cross join lateral (select warehouse_id from warehouse where org_id = $1 and warehouse_id = k.id offset 0) w`,
);
const findLocations = statement<{ warehouse_id: string; location: string }>(
  'import_find_locations',
  `select l.* from unnest($2::text[], $3::text[]) k (warehouse_id, location)
    cross join lateral (
      select warehouse_id, location from location
       where org_id = $1 and warehouse_id = k.warehouse_id and location = k.location offset 0) l`,
);
const findStocked = statement<{ warehouse_id: string; item_id: string }>(
  'import_find_stocked',
  `select b.warehouse_id, b.item_id from unnest($2::text[], $3::text[]) k (warehouse_id, item_id)
    cross join lateral (
      select warehouse_id, item_id, last_entry_no from stock_balance
       where org_id = $1 and warehouse_id = k.warehouse_id and item_id = k.item_id offset 0) b
    where b.last_entry_no > 0`,
);
/** Where a lot lies or has lain: its quants are never deleted. */
const findStockedLots = statement<{ warehouse_id: string; item_id: string; lot: string; is_piece_here: boolean }>(
  'import_find_stocked_lots',
  `select q.warehouse_id, q.item_id, q.lot, q.is_serial and q.quantity > 0 as is_piece_here
     from unnest($2::text[], $3::text[]) k (item_id, lot)
    cross join lateral (select * from quant where org_id = $1 and item_id = k.item_id and lot = k.lot offset 0) q`,
);
const findStagedLots = statement<{ lot_key: string; line: number; fields: StockValues }>(
  'import_find_staged_lots',
  `select s.lot_key, s.line, s.fields from unnest($3::text[]) k (lot_key)
    cross join lateral (
      select l.lot_key, l.line, l.fields from import_line l
       where l.org_id = $1 and l.import_id = $2 and l.lot_key = k.lot_key limit 1) s`,
);

/** What exists of what the lines name. */
interface Known {
  readonly items: ReadonlyMap<string, Item>;
  readonly warehouses: ReadonlySet<string>;
  readonly locations: ReadonlySet<string>;
  readonly lots: ReadonlyMap<string, LotDates>;
  /** `warehouse/item`, and `warehouse/item/lot`. */
  readonly stocked: ReadonlySet<string>;
  /** Pieces with a serial number that are in stock, by their {@link lotKey}. */
  readonly pieces: ReadonlySet<string>;
}

/** A lot as an earlier line of the file has it. */
interface SaidLot extends LotDates {
  readonly line: number;
}

/**
 * Opening stock: of items, warehouses and bins that exist, where the sender works, with a lot exactly where the item is tracked, and where the
 * item, or the lot, was never stocked before. A file that is sent twice would otherwise double the stock. What is right here the stock
 * machine does not refuse: the same rules, told by line and column.
 */
export async function checkStock(tx: Tx, job: ImportRow, lines: readonly ImportLine[]): Promise<readonly CheckedLine[]> {
  const values = lines.map((line) => line.values as Partial<StockValues>);
  const known = await readKnown(tx, job.org_id, values);
  const said = await readSaidLots(tx, job, values);
  return lines.map((line, index) => {
    const row = values[index]!;
    const fail: Fail = (column, message) => void line.errors.push({ line: line.line, column, message });
    checkPlace(row, known, job, fail);
    const item = row.itemId === undefined ? undefined : known.items.get(row.itemId);
    if (row.itemId !== undefined && item === undefined) fail('itemId', `Item ${row.itemId} does not exist; create it first.`);
    if (item === undefined || !isLotRight(row, item, fail)) return { fields: row, isThere: false };
    if (isShown(job.warehouses, row.warehouseId ?? '')) checkStocked(row, known, fail);
    if (row.lot === undefined) return { fields: row, isThere: false };
    const lot = { ...row, itemId: item.itemId, lot: row.lot };
    const { dates, errors } = agree(line.line, lot, item, known, said);
    line.errors.push(...errors);
    return { fields: { ...row, ...dates }, isThere: false, lotKey: lotKey(lot) };
  });
}

type Fail = (column: keyof StockValues, message: string) => void;

function checkPlace({ warehouseId, location = 'default' }: Partial<StockValues>, known: Known, job: ImportRow, fail: Fail): void {
  if (warehouseId === undefined) return;
  if (!isShown(job.warehouses, warehouseId)) fail('warehouseId', `You may not change stock in warehouse ${warehouseId}.`);
  else if (!known.warehouses.has(warehouseId)) fail('warehouseId', `Warehouse ${warehouseId} does not exist; create it first.`);
  else if (location !== 'default' && !known.locations.has(`${warehouseId}/${location}`)) {
    fail('location', `Location ${location} does not exist in ${warehouseId}; create it first.`);
  }
}

/** Whether a line names a lot exactly when its item is tracked, and dates only with one. */
function isLotRight(row: Partial<StockValues>, { itemId, tracking }: Item, fail: Fail): boolean {
  const { lot, quantity } = row;
  const dates = tracking === 'none' ? datesOf(row) : [];
  for (const date of dates) fail(date, `Item ${itemId} is not tracked by lot, and only lots have dates; leave ${date} out.`);
  if (tracking === 'none' && lot !== undefined) fail('lot', `Item ${itemId} is not tracked by lot; leave the lot out.`);
  else if (tracking === 'lot' && lot === undefined) fail('lot', `Item ${itemId} is tracked by lot; say which.`);
  else if (tracking === 'serial' && lot === undefined) fail('lot', `Item ${itemId} is tracked by serial number; say which piece it is.`);
  else if (tracking === 'serial' && quantity !== undefined && quantity !== '1') {
    fail('quantity', `${lot} of item ${itemId} is one piece, so its quantity is 1; give every piece a line of its own.`);
  } else return dates.length === 0;
  return false;
}

function checkStocked({ warehouseId, itemId, lot }: Partial<StockValues>, { stocked }: Known, fail: Fail): void {
  const later = 'what comes later is received or counted, not imported';
  if (lot === undefined && stocked.has(`${warehouseId}/${itemId}`)) {
    fail('itemId', `Item ${itemId} has been stocked in ${warehouseId} before; ${later}.`);
  } else if (lot !== undefined && stocked.has(`${warehouseId}/${itemId}/${lot}`)) {
    fail('lot', `Lot ${lot} of item ${itemId} has been stocked in ${warehouseId} before; ${later}.`);
  }
}

/**
 * Whether a line's lot is what is known of it, from before or from an earlier line. The dates that are known become the line's own, so that it
 * does not matter in which order the lines are received.
 */
function agree(
  line: number,
  row: Partial<StockValues> & LotName,
  { tracking }: Item,
  { lots, pieces }: Known,
  said: Map<string, SaidLot>,
): { dates: Pick<StockValues, 'producedAt' | 'expiresAt'>; errors: ImportError[] } {
  const key = lotKey(row);
  const earlier = said.get(key);
  const errors: ImportError[] = [];
  if (tracking === 'serial' && pieces.has(key)) {
    errors.push({ line, column: 'lot', message: `${row.lot} of item ${row.itemId} is in stock already: a serial number exists once.` });
  } else if (tracking === 'serial' && earlier !== undefined) {
    const message = `${row.lot} of item ${row.itemId} stands in line ${earlier.line} already: a serial number exists once.`;
    errors.push({ line, column: 'lot', message });
  }
  const dates = lots.get(key) ?? earlier;
  if (dates !== undefined) errors.push(...dateErrors(line, row, dates));
  const own = { producedAt: dateOf(row.producedAt), expiresAt: dateOf(row.expiresAt) };
  if (dates === undefined) errors.push(...orderErrors(line, row, own));
  if (earlier === undefined) said.set(key, { line, ...(dates ?? own) });
  return { dates: written(dates ?? own), errors };
}

function written({ producedAt, expiresAt }: LotDates) {
  return {
    ...(producedAt === null ? {} : { producedAt: producedAt.toISOString() }),
    ...(expiresAt === null ? {} : { expiresAt: expiresAt.toISOString() }),
  };
}

async function readKnown(tx: Tx, orgId: string, values: readonly Partial<StockValues>[]): Promise<Known> {
  const places = values.flatMap(({ warehouseId, itemId }) =>
    warehouseId !== undefined && itemId !== undefined ? { warehouseId, itemId } : [],
  );
  const bins = values.flatMap(({ warehouseId, location }) =>
    warehouseId !== undefined && location !== undefined ? { warehouseId, location } : [],
  );
  const lots = lotsOf(values);
  const none = Promise.resolve([]);
  const [items, warehouses, locations, stocked, knownLots, stockedLots] = await Promise.all([
    findItems(
      tx,
      orgId,
      values.flatMap(({ itemId }) => itemId ?? []),
    ),
    tx.run(findWarehouses, [orgId, [...new Set(values.flatMap(({ warehouseId }) => warehouseId ?? []))]]),
    bins.length === 0 ? none : tx.run(findLocations, [orgId, literal(bins, 'warehouseId'), literal(bins, 'location')]),
    tx.run(findStocked, [orgId, literal(places, 'warehouseId'), literal(places, 'itemId')]),
    findLots(tx, orgId, lots),
    lots.length === 0 ? none : tx.run(findStockedLots, [orgId, literal(lots, 'itemId'), literal(lots, 'lot')]),
  ]);
  return {
    items,
    warehouses: new Set(warehouses.map((row) => row.id)),
    locations: new Set(locations.map((row) => `${row.warehouse_id}/${row.location}`)),
    lots: knownLots,
    stocked: new Set([
      ...stocked.map((row) => `${row.warehouse_id}/${row.item_id}`),
      ...stockedLots.map((row) => `${row.warehouse_id}/${row.item_id}/${row.lot}`),
    ]),
    pieces: new Set(stockedLots.filter((row) => row.is_piece_here).map((row) => lotKey({ itemId: row.item_id, lot: row.lot }))),
  };
}

/** What earlier lines of the file, beyond these, say of the lots of these. */
async function readSaidLots(
  tx: Tx,
  { org_id, import_id }: ImportRow,
  values: readonly Partial<StockValues>[],
): Promise<Map<string, SaidLot>> {
  const keys = [...new Set(lotsOf(values).map(lotKey))];
  if (keys.length === 0) return new Map();
  const rows = await tx.run(findStagedLots, [org_id, import_id, keys]);
  return new Map(
    rows.map(({ lot_key, line, fields }) => [
      lot_key,
      { line, producedAt: dateOf(fields.producedAt), expiresAt: dateOf(fields.expiresAt) },
    ]),
  );
}

function lotsOf(values: readonly Partial<StockValues>[]): LotName[] {
  return values.flatMap(({ itemId, lot }) => (itemId !== undefined && lot !== undefined ? { itemId, lot } : []));
}

function literal<T>(rows: readonly T[], name: keyof T & string): string {
  return arrayLiteral(rows, (row) => row[name] as string);
}
