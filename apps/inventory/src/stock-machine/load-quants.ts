import type { Tx } from '#libs/persistence';
import { parseMoney, ZERO } from '#libs/domain';
import { CostBook } from '../costing/cost-layers.js';
import { columns, type Places } from './find-places.js';
import { LAYERS_PER_BALANCE } from './post-movement.js';
import { isDetailed, lotKey, NO_LOT } from './quants.js';
import * as sql from './stock.sql.js';
import { layerOf, optional, quantOf } from './stock-rows.js';
import { type Balance, balanceKey, type Demand, lotNameKey, type StockState } from './stock-state.js';
import type { Needs } from './touches.js';

/** How many quants with something free are read of a balance, unless the decision asks for more. */
const QUANTS_PER_BALANCE = 50;

/**
 * Reads where in its warehouse the stock of the locked balances lies: nothing where it is all in the default bin and has no lots, unless a
 * command names a bin or a quality; else the lots that are named, all that the orders hold or wait for, and the first in turn of what is
 * free.
 *
 * @returns the lots that were read whole: balance keys with the lot appended.
 */
export async function readQuants(
  tx: Tx,
  needs: readonly Needs[],
  named: ReadonlySet<string>,
  balances: ReadonlyMap<string, Balance>,
  demands: ReadonlyMap<string, Demand>,
): Promise<ReadonlySet<string>> {
  const lots = new Set<string>();
  for (const need of needs) for (const lot of need.lots) lots.add(lot);
  const tracked: string[] = [];
  for (const [key, balance] of balances) {
    if (!isDetailed(balance)) continue;
    if (balance.tracking === 'none') lots.add(`${key}/${NO_LOT}`);
    else tracked.push(key);
  }
  for (const lot of named) {
    const balance = balances.get(lot.slice(0, lot.lastIndexOf('/')));
    if (balance !== undefined && isDetailed(balance)) lots.add(lot);
  }
  for (const lot of lotsOf(demands.values(), balances)) lots.add(lot);
  const limit = Math.max(QUANTS_PER_BALANCE, ...needs.map((need) => need.quantsPerBalanceMax ?? 0));
  const [ofLots, free] = await Promise.all([
    lots.size === 0 ? [] : tx.run(sql.readLotQuants, columns([...lots], 4)),
    tracked.length === 0 ? [] : tx.run(sql.readFreeQuants, [...columns(tracked, 3), tracked.map(() => limit)]),
  ]);
  const byLot = Map.groupBy(ofLots, (row) => `${balanceKey(row.org_id, row.warehouse_id, row.item_id)}/${row.lot}`);
  for (const lot of lots) {
    const at = lot.lastIndexOf('/');
    balances.get(lot.slice(0, at))?.quants.addLot(lot.slice(at + 1), (byLot.get(lot) ?? []).map(quantOf));
  }
  const freeOf = Map.groupBy(free, (row) => balanceKey(row.org_id, row.warehouse_id, row.item_id));
  for (const key of tracked) {
    const rows = freeOf.get(key) ?? [];
    balances.get(key)!.quants.addFree(rows.map(quantOf), rows.length < limit);
  }
  return lots;
}

/** The lots that orders hold, and those that they name and wait for. */
function* lotsOf(demands: Iterable<Demand>, balances: ReadonlyMap<string, Balance>): Generator<string> {
  for (const { orgId, lines, reservations, backorders } of demands) {
    const detailed = ({ warehouseId, itemId }: Pick<Balance, 'warehouseId' | 'itemId'>) => {
      const balance = balances.get(balanceKey(orgId, warehouseId, itemId));
      return balance !== undefined && isDetailed(balance) ? balance : null;
    };
    for (const held of reservations) {
      const balance = detailed(held);
      if (balance !== null) yield lotKey(balance, held.lot);
    }
    for (const waiting of backorders) {
      const balance = detailed(waiting);
      const lot = lines.find((line) => line.lineNo === waiting.lineNo)?.lot ?? null;
      if (balance !== null && lot !== null) yield lotKey(balance, lot);
    }
  }
}

/** What the stock is worth where goods come or go; where they go, the cost layers first in turn. */
export async function readCosts(tx: Tx, needs: readonly Needs[], { posts }: Places, balances: ReadonlyMap<string, Balance>) {
  const keys = [...posts.keys()].filter((key) => balances.has(key));
  const books = new Map<Balance, CostBook>();
  const layersRead = Math.max(LAYERS_PER_BALANCE, ...needs.map((need) => need.layersPerBalanceMax ?? 0));
  if (keys.length === 0) return { books, layersRead };
  const issuing = keys.filter((key) => posts.get(key));
  const oldest = issuing.filter((key) => balances.get(key)!.costing === 'fifo');
  const newest = issuing.filter((key) => balances.get(key)!.costing === 'lifo');
  const [costs, ...layers] = await Promise.all([
    tx.run(sql.readCosts, columns(keys, 3)),
    oldest.length === 0 ? [] : tx.run(sql.readOldestLayers, [...columns(oldest, 3), layersRead]),
    newest.length === 0 ? [] : tx.run(sql.readNewestLayers, [...columns(newest, 3), layersRead]),
  ]);
  const byKey = Map.groupBy(layers.flat(), (row) => balanceKey(row.org_id, row.warehouse_id, row.item_id));
  const known = new Map(costs.map((row) => [balanceKey(row.org_id, row.warehouse_id, row.item_id), row]));
  for (const key of keys) {
    const balance = balances.get(key)!;
    const row = known.get(key);
    const read = byKey.get(key) ?? [];
    const book = new CostBook({
      costing: balance.costing,
      quantity: balance.onHand,
      value: row === undefined ? ZERO : parseMoney(row.value),
      lastUnitCost: optional(row?.last_unit_cost ?? null),
      lastLayerNo: row?.last_layer_no ?? 0,
      layers: read.map(layerOf),
      isComplete: balance.onHand === ZERO || (posts.get(key) === true && read.length < layersRead),
    });
    books.set(balance, book);
  }
  return { books, layersRead };
}

/** What is known of the lots that were read, and of the bins that commands name. */
export async function noteLots(tx: Tx, state: StockState, needs: readonly Needs[], read: ReadonlySet<string>): Promise<void> {
  const names = new Set(needs.flatMap((need) => need.sourcingLots));
  for (const key of read) {
    const [orgId, , itemId, lot] = key.split('/') as [string, string, string, string];
    if (lot !== NO_LOT) names.add(lotNameKey(orgId, itemId, lot));
  }
  const bins = [...new Set(needs.flatMap((need) => need.locations))];
  if (names.size === 0 && bins.length === 0) return;
  const [lots, locations] = await Promise.all([
    names.size === 0 ? [] : tx.run(sql.readLots, columns([...names], 3)),
    bins.length === 0 ? [] : tx.run(sql.readLocations, columns(bins, 3)),
  ]);
  for (const row of lots) {
    state.lots.set(lotNameKey(row.org_id, row.item_id, row.lot), {
      orgId: row.org_id,
      itemId: row.item_id,
      lot: row.lot,
      producedAt: row.produced_at,
      expiresAt: row.expires_at,
      recalledAt: row.recalled_at,
      isStocked: row.is_stocked,
    });
  }
  for (const row of locations) state.locations.add(`${row.org_id}/${row.warehouse_id}/${row.location}`);
}
