import { COMMAND_LINES_MAX } from '#libs/contracts';
import type { Tx } from '#libs/persistence';
import * as placesSql from './places.sql.js';
import { readTransfers } from '../transfers/transfer.sql.js';
import { findPlacesOfReceipts } from '../costing/receipt-costs.sql.js';
import * as sql from './stock.sql.js';
import { returnLinesFromJson, shipmentLinesFromJson, transferLinesFromJson } from './stock-json.js';
import { balanceKey, subjectKey } from './balance.js';
import type { Needs } from './touches.js';

/** Joined keys as parallel arrays of their parts, as `unnest` takes them. Ids hold nothing that an array's text would escape. */
export function columns(keys: readonly string[], parts: number): string[] {
  const split = Array.from({ length: parts }, () => '{');
  keys.forEach((key, index) => {
    let from = 0;
    for (let part = 0; part < parts; part++) {
      const to = part === parts - 1 ? key.length : key.indexOf('/', from);
      split[part] += `${index === 0 ? '"' : ',"'}${key.slice(from, to)}"`;
      from = to + 1;
    }
  });
  return split.map((literal) => literal + '}');
}

/** The balances that a batch locks, and why. */
export interface Places {
  readonly locked: Set<string>;
  /** Where stock may come free. */
  readonly freed: Set<string>;
  readonly warehouses: Map<string, { warehouseId: string; priority: number }[]>;
  /** Lots that are to be read whole: balance keys with the lot appended. */
  readonly lots: Set<string>;
  /** Where goods come or go, and whether they go. */
  readonly posts: Map<string, boolean>;
  /** Where held stock may be taken, beside what the commands name. */
  readonly shorted: Set<string>;
  /** Lots of which every hold is to be read, beside those that are named. */
  readonly lotHolds: Set<string>;
  /** Where something lies in the warehouses that a command is about as a whole, by `org/warehouse`; null = in too many places. */
  readonly stored: Map<string, readonly StoredPlace[] | null>;
}

/** A bin with goods of an item, or of one lot of it. */
export interface StoredPlace {
  readonly itemId: string;
  readonly lot: string;
  readonly location: string;
}

/** Finds, by plain reads, the balances beside those that the commands name. */
export async function findPlaces(tx: Tx, needs: readonly Needs[], orgs: readonly string[]): Promise<Places> {
  const locked = new Set<string>();
  const freed = new Set<string>();
  const lots = union(needs, (need) => need.lots);
  for (const need of needs) {
    for (const key of need.balances) {
      locked.add(key);
      if (need.frees) freed.add(key);
    }
  }
  const { posts, postFor } = postings(needs);
  const demands = distinct(needs, (need) => need.demand);
  const sourcing = [...union(needs, (need) => need.sourcing)];
  const shipments = distinct(needs, (need) => need.shipment);
  const returns = distinct(needs, (need) => need.customerReturn);
  const transfers = distinct(needs, (need) => need.transfer);
  const none = Promise.resolve([]);
  const [whole, ofOrders, ofItems, warehouses, ofShipments, ofReturns, ofTransfers, ofReceipts] = await Promise.all([
    findWhole(tx, needs),
    demands.length > 0 ? tx.run(sql.findPlacesOfOrders, columns(demands, 2)) : none,
    sourcing.length > 0 ? tx.run(sql.findPlacesOfItems, columns(sourcing, 2)) : none,
    sourcing.length > 0 ? tx.run(sql.findWarehouses, [orgs]) : none,
    shipments.length > 0 ? tx.run(sql.readShipments, columns(shipments, 2)) : none,
    returns.length > 0 ? tx.run(sql.readReturns, columns(returns, 2)) : none,
    transfers.length > 0 ? tx.run(readTransfers, columns(transfers, 2)) : none,
    findReceived(tx, needs),
  ]);
  addAll(locked, whole.shorted);
  addAll(freed, whole.freed);
  addAll(lots, whole.lots);
  for (const key of whole.freed) posts.set(key, true);
  receiveAt(ofReceipts, locked, posts);
  for (const row of ofOrders) {
    const key = balanceKey(row.org_id, row.warehouse_id, row.item_id);
    locked.add(key);
    freed.add(key);
    postFor(subjectKey(row.org_id, row.order_id), key);
  }
  const documents: Document[] = [
    ...ofShipments.map((row) => ({ orgId: row.org_id, id: row.shipment_id, lines: shipmentLinesFromJson(row.lines) })),
    ...ofReturns.map((row) => ({ orgId: row.org_id, id: row.return_id, lines: returnLinesFromJson(row.lines) })),
    ...ofTransfers.map((row) => {
      const lines = transferLinesFromJson(row.lines).map((line) => ({ ...line, warehouseId: row.to_warehouse_id }));
      return { orgId: row.org_id, id: row.transfer_id, lines };
    }),
  ];
  noteDocuments(documents, { locked, freed, lots }, postFor);
  const byOrg = new Map<string, { warehouseId: string; priority: number }[]>();
  for (const row of warehouses) {
    const list = byOrg.get(row.org_id) ?? [];
    list.push({ warehouseId: row.warehouse_id, priority: row.priority });
    byOrg.set(row.org_id, list);
  }
  const storedItems = new Set<string>();
  const sourcingLots = Map.groupBy(
    union(needs, (need) => need.sourcingLots),
    (key) => key.slice(0, key.lastIndexOf('/')),
  );
  for (const row of ofItems) {
    const key = balanceKey(row.org_id, row.warehouse_id, row.item_id);
    const item = `${row.org_id}/${row.item_id}`;
    locked.add(key);
    storedItems.add(item);
    postFor(item, key);
    for (const named of sourcingLots.get(item) ?? []) lots.add(`${key}/${named.slice(item.length + 1)}`);
  }
  // An item that was never stored anywhere is asked for in the first warehouse.
  for (const key of sourcing) {
    const [orgId, itemId] = key.split('/') as [string, string];
    const first = byOrg.get(orgId)?.[0];
    if (storedItems.has(key) || first === undefined) continue;
    locked.add(balanceKey(orgId, first.warehouseId, itemId));
    postFor(key, balanceKey(orgId, first.warehouseId, itemId));
  }
  const lotHolds = union(needs, (need) => need.lotHolds);
  addAll(lotHolds, whole.lotHolds);
  return { locked, freed, warehouses: byOrg, lots, posts, shorted: whole.shorted, lotHolds, stored: whole.stored };
}

function addAll<T>(to: Set<T>, more: Iterable<T>): void {
  for (const one of more) to.add(one);
}

/** Where lots are that commands are about in every warehouse, and what is in warehouses that they are about as a whole. */
async function findWhole(tx: Tx, needs: readonly Needs[]) {
  const wholeLots = distinct(needs, (need) => need.wholeLot);
  const warehouses = distinct(needs, (need) => need.wholeWarehouse);
  const [ofLots, inWarehouses] = await Promise.all([
    wholeLots.length > 0 ? tx.run(placesSql.findPlacesOfLots, columns(wholeLots, 3)) : [],
    warehouses.length > 0 ? tx.run(placesSql.findPlacesOfWarehouses, [...columns(warehouses, 2), COMMAND_LINES_MAX + 1]) : [],
  ]);
  const shorted = new Set<string>();
  const freed = new Set<string>();
  const lots = new Set<string>();
  for (const row of ofLots) {
    const key = balanceKey(row.org_id, row.warehouse_id, row.item_id);
    shorted.add(key);
    lots.add(`${key}/${row.lot}`);
  }
  const lotHolds = new Set(lots);
  const stored = storedPlaces(warehouses, inWarehouses);
  for (const [warehouse, places] of stored) {
    for (const { itemId, lot } of places ?? []) {
      const key = `${warehouse}/${itemId}`;
      shorted.add(key);
      freed.add(key);
      lots.add(`${key}/${lot}`);
    }
  }
  return { shorted, freed, lots, lotHolds, stored };
}

function storedPlaces(warehouses: readonly string[], rows: readonly placesSql.PlaceRow[]): Places['stored'] {
  const byWarehouse = Map.groupBy(rows, (row) => `${row.org_id}/${row.warehouse_id}`);
  return new Map(
    warehouses.map((warehouse) => {
      const places = (byWarehouse.get(warehouse) ?? []).map((row) => ({ itemId: row.item_id, lot: row.lot, location: row.location }));
      return [warehouse, places.length > COMMAND_LINES_MAX ? null : places];
    }),
  );
}

/** What was moved before, and is moved on or back. */
interface Document {
  readonly orgId: string;
  readonly id: string;
  readonly lines: readonly { readonly warehouseId: string; readonly itemId: string; readonly lot: string }[];
}

function noteDocuments(
  documents: readonly Document[],
  { locked, freed, lots }: Pick<Places, 'locked' | 'freed' | 'lots'>,
  postFor: (subject: string, key: string) => void,
): void {
  for (const { orgId, id, lines } of documents) {
    for (const line of lines) {
      const key = balanceKey(orgId, line.warehouseId, line.itemId);
      locked.add(key);
      freed.add(key);
      lots.add(`${key}/${line.lot}`);
      postFor(subjectKey(orgId, id), key);
    }
  }
}

/** Where the goods of receipts came, and where something is left of them: there corrections of their costs are posted. */
async function findReceived(tx: Tx, needs: readonly Needs[]): Promise<string[]> {
  const goods = [...union(needs, (need) => need.correction?.goods)];
  const rows = goods.length === 0 ? [] : await tx.run(findPlacesOfReceipts, columns(goods, 3));
  return rows.map((row) => balanceKey(row.org_id, row.warehouse_id, row.item_id));
}

function receiveAt(keys: readonly string[], locked: Set<string>, posts: Map<string, boolean>): void {
  addAll(locked, keys);
  for (const key of keys) if (!posts.has(key)) posts.set(key, false);
}

/** The keys that the needs name, each once. */
export function distinct(needs: readonly Needs[], keyOf: (need: Needs) => string | null): string[] {
  const keys = new Set<string>();
  for (const need of needs) {
    const key = keyOf(need);
    if (key !== null) keys.add(key);
  }
  return [...keys];
}

/** All that the needs name of something, each once. On the way of every batch: most commands name nothing. */
export function union(needs: readonly Needs[], namesOf: (need: Needs) => readonly string[] | undefined): Set<string> {
  const all = new Set<string>();
  for (const need of needs) {
    const names = namesOf(need);
    if (names !== undefined && names.length > 0) addAll(all, names);
  }
  return all;
}

/** On which balances goods come or go: those that a posting command names, and those of its order, shipment, return or item. */
function postings(needs: readonly Needs[]) {
  const posts = new Map<string, boolean>();
  const bySubject = new Map<string, boolean>();
  const note = (map: Map<string, boolean>, key: string, issues: boolean) => map.set(key, issues || map.get(key) === true);
  for (const need of needs) {
    if (need.posts === 'nothing') continue;
    const issues = need.posts === 'issues';
    for (const key of need.balances) note(posts, key, issues);
    for (const subject of [need.demand, need.shipment, need.customerReturn, need.transfer, ...need.sourcing]) {
      if (subject !== null) note(bySubject, subject, issues);
    }
  }
  const postFor = (subject: string, key: string) => {
    const issues = bySubject.get(subject);
    if (issues !== undefined) note(posts, key, issues);
  };
  return { posts, postFor };
}
