import type { Tx } from '#libs/persistence';
import { parseMoney, parseQuantity, ZERO } from '#libs/domain';
import { CostBook } from '../costing/cost-layers.js';
import { columns, distinct, type Places, union } from './find-places.js';
import { LAYERS_PER_BALANCE } from './post-movement.js';
import type { ReceiptReads } from './load-receipts.js';
import { isDetailed, lotKey } from './balance-quants.js';
import { NO_LOT } from './quants.js';
import * as placesSql from './places.sql.js';
import * as sql from './stock.sql.js';
import { layerOf, optional, quantOf } from './stock-rows.js';
import { type Balance, balanceKey, lotNameKey, placeKey } from './balance.js';
import type { Demand } from './demand.js';
import type { StockState } from './stock-state.js';
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
  for (const balance of balances.values()) {
    if (!isDetailed(balance)) continue;
    const key = balanceKey(balance.orgId, balance.warehouseId, balance.itemId);
    if (balance.tracking === 'none') lots.add(`${key}/${NO_LOT}`);
    else tracked.push(key);
  }
  // Also where it is all in one bin: what was returned there may be of another quality by now.
  for (const lot of named) if (balances.has(lot.slice(0, lot.lastIndexOf('/')))) lots.add(lot);
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
    if (reservations.length + backorders.length === 0) continue;
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
export async function readCosts(
  tx: Tx,
  needs: readonly Needs[],
  { posts }: Places,
  balances: ReadonlyMap<string, Balance>,
  receipts: ReceiptReads,
) {
  const ofReceipts = Map.groupBy(receipts.layers, (row) => balanceKey(row.org_id, row.warehouse_id, row.item_id));
  const keys = [...new Set([...posts.keys(), ...ofReceipts.keys()])].filter((key) => balances.has(key));
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
      others: ofReceipts.get(key)?.map(layerOf) ?? [],
      isComplete: balance.onHand === ZERO || (posts.get(key) === true && read.length < layersRead),
    });
    books.set(balance, book);
  }
  return { books, layersRead };
}

/**
 * What is known of the lots that were read, and of the bins that commands name. A lot of which goods may come in is locked against its
 * recall, which is about every warehouse, so that neither misses what the other does; after all other locks, in the order of their keys.
 *
 * @param read the lots that were read: balance keys with the lot appended.
 */
export async function noteLots(
  tx: Tx,
  state: StockState,
  needs: readonly Needs[],
  places: Places,
  read: ReadonlySet<string>,
  dryRun: boolean,
): Promise<void> {
  const { whole, moved, wanted } = lotNames(needs, places, read, dryRun);
  const bins = [...union(needs, (need) => need.locations)];
  if (wanted.size + whole.size + moved.size + bins.length === 0) return;
  const none: Promise<placesSql.LotRow[]> = Promise.resolve([]);
  const [locked, shared, others, locations, ofLots] = await Promise.all([
    whole.size === 0 ? none : tx.run(dryRun ? placesSql.readLots : placesSql.lockLots, columns([...whole], 3)),
    moved.size === 0 ? none : tx.run(placesSql.shareLots, columns([...moved], 3)),
    wanted.size === 0 ? none : tx.run(placesSql.readLots, columns([...wanted], 3)),
    bins.length === 0 ? [] : tx.run(placesSql.readLocations, columns(bins, 3)),
    whole.size === 0 ? [] : tx.run(placesSql.findPlacesOfLots, columns([...whole], 3)),
  ]);
  const byLot = Map.groupBy(ofLots, (row) => lotNameKey(row.org_id, row.item_id, row.lot));
  for (const name of whole) {
    const rows = byLot.get(name) ?? [];
    state.placesOfLots.set(
      name,
      rows.map((row) => balanceKey(row.org_id, row.warehouse_id, row.item_id)),
    );
  }
  for (const row of [...locked, ...shared, ...others]) {
    state.lots.set(lotNameKey(row.org_id, row.item_id, row.lot), {
      orgId: row.org_id,
      itemId: row.item_id,
      lot: row.lot,
      producedAt: row.produced_at,
      expiresAt: row.expires_at,
      recalledAt: row.recalled_at,
      recallReason: row.recall_reason,
      isStocked: row.is_stocked,
    });
  }
  for (const row of locations) state.locations.add(`${row.org_id}/${row.warehouse_id}/${row.location}`);
}

/** The lots that are recalled, those of which goods may come in, and all others, each by `org/item/lot`. */
function lotNames(needs: readonly Needs[], places: Places, read: ReadonlySet<string>, dryRun: boolean) {
  const nameOf = (key: string) => {
    const [orgId, , itemId, lot] = key.split('/') as [string, string, string, string];
    return lot === NO_LOT ? [] : [lotNameKey(orgId, itemId, lot)];
  };
  const onlyHeld = new Set<string>();
  const named = needs.filter(({ lots }) => lots.length > 0);
  for (const need of named) if (isWish(need)) for (const key of need.lots) onlyHeld.add(key);
  for (const need of named) if (!isWish(need)) for (const key of need.lots) onlyHeld.delete(key);
  const whole = new Set(distinct(needs, (need) => need.wholeLot));
  const moved = new Set(dryRun ? [] : [...places.lots].filter((key) => !onlyHeld.has(key)).flatMap(nameOf));
  for (const name of whole) moved.delete(name);
  const wanted = union(needs, (need) => need.sourcingLots);
  for (const name of [...places.lots, ...read].flatMap(nameOf)) wanted.add(name);
  for (const name of [...whole, ...moved]) wanted.delete(name);
  return { whole, moved, wanted };
}

/** Whether a command only holds goods: what it names of lots cannot make them more. */
const isWish = (need: Needs) => need.posts === 'nothing' && need.demand !== null;

/** What was posted on the balances of counts since they were made. */
export async function readPostedSince(tx: Tx, state: StockState, needs: readonly Needs[], { stored }: Places): Promise<void> {
  const since = new Map<string, Set<string>>();
  for (const need of needs) {
    if (need.postedSince === null) continue;
    const keys = since.get(need.postedSince) ?? new Set(need.balances);
    for (const key of need.balances) keys.add(key);
    for (const { itemId } of stored.get(need.wholeWarehouse ?? '') ?? []) keys.add(`${need.wholeWarehouse}/${itemId}`);
    since.set(need.postedSince, keys);
  }
  for (const [time, keys] of since) {
    const rows = await tx.run(placesSql.readPostedSince, [...columns([...keys], 3), time]);
    const posted = rows.map(
      (row) => [placeKey(balanceKey(row.org_id, row.warehouse_id, row.item_id), row), parseQuantity(row.quantity)] as const,
    );
    state.postedSince.set(time, new Map(posted));
  }
}
