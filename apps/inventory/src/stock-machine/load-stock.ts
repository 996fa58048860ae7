import { parseMoney, parseQuantity, type Quantity, ZERO } from '#libs/domain';
import { unsafeSwitch } from '#libs/messaging';
import type { Tx } from '#libs/persistence';
import { CostBook, type CostLayer } from '../costing/cost-layers.js';
import { takeBefore, turnOf } from './holds.js';
import { LAYERS_PER_BALANCE } from './post-movement.js';
import { isDetailed, lotKey, NO_LOT, type Quant, Quants } from './quants.js';
import * as sql from './stock.sql.js';
import { type Backorder, type Balance, balanceKey, type Demand, lotNameKey, movementKey, StockState, subjectKey } from './stock-state.js';
import { demandLinesFromJson, refusalFromJson, refusedMessagesFromJson, returnLinesFromJson, shipmentLinesFromJson } from './stock-json.js';
import type { Touches } from './touches.js';

/** How many waiting backorders a batch serves at most; the rest follows in chunks. */
export const FILLED_PER_BATCH_MAX = 500;
/** How many holds are read of a balance that a fact takes from, unless the decision asks for more. */
const HOLDS_PER_BALANCE = 50;
/** More keys than this are forgotten and found again. */
const KNOWN_BALANCES_MAX = 200_000;

/** Off in crash tests that must find doubled effects: then nothing that was posted before is recognised. */
const recognisesRepeats = !unsafeSwitch('HOLDFAST_UNSAFE_NO_BUSINESS_KEYS');

/** How many quants with something free are read of a balance, unless the decision asks for more. */
const QUANTS_PER_BALANCE = 50;

/** What one command touches, with what its earlier decision asked for in addition. */
export interface Needs extends Touches {
  readonly holdsPerBalanceMax?: number;
  readonly quantsPerBalanceMax?: number;
  readonly layersPerBalanceMax?: number;
  /** Lots of which every hold is to be read. */
  readonly lotHolds?: readonly string[];
}

/**
 * The balances that are known to exist. They are never deleted, so that a process need not ask again: it saves a statement per batch.
 */
export class KnownBalances {
  private readonly keys = new Set<string>();

  has(key: string): boolean {
    return this.keys.has(key);
  }

  /** To be called after the commit only: a balance made by a transaction that was rolled back does not exist. */
  add(keys: Iterable<string>): void {
    if (this.keys.size > KNOWN_BALANCES_MAX) this.keys.clear();
    for (const key of keys) this.keys.add(key);
  }
}

/**
 * Locks and reads all that a batch touches, in the one order that cannot deadlock: balances by key, then demands by key, and only then,
 * in statements whose snapshot is younger than the locks, what belongs to them. A dry run reads the same without locks.
 */
export async function loadStock(tx: Tx, needs: readonly Needs[], known: KnownBalances, dryRun: boolean): Promise<StockState> {
  const orgs = [...new Set(needs.map((need) => need.orgId))];
  const places = await findPlaces(tx, needs, orgs);
  const keys = [...places.locked];
  if (!dryRun) {
    const missing = keys.filter((key) => !known.has(key));
    // Not awaited: it travels with the next statement.
    if (missing.length > 0) void tx.run(sql.makeMissingBalances, columns(missing, 3));
  }
  const settings = tx.run(sql.readSettings, [orgs]);
  const balances = keys.length === 0 ? [] : await tx.run(dryRun ? sql.readBalances : sql.lockBalances, columns(keys, 3));
  const found = balances.map(balanceOf);
  const byKey = new Map(found.map((balance) => [balanceKey(balance.orgId, balance.warehouseId, balance.itemId), balance]));

  const costs = readCosts(tx, needs, places, byKey);
  const waiting = await readQueues(tx, byKey, places.freed);
  const shortable = await readHolds(tx, needs, byKey);
  const lotHolds = [...new Set(needs.flatMap((need) => need.lotHolds ?? []))];
  const displaceable = lotHolds.length === 0 ? [] : await tx.run(sql.readHoldsOfLots, columns(lotHolds, 4));
  const demandKeys = [
    ...new Set([
      ...needs.flatMap((need) => need.demand ?? []),
      ...[...waiting, ...shortable, ...displaceable].map((row) => subjectKey(row.org_id, row.order_id)),
    ]),
  ];
  const demands = await lockDemands(tx, demandKeys, needs, dryRun);
  await readQuants(tx, needs, places.lots, byKey, demands.byKey);

  const state = new StockState(demands.now);
  for (const [key, balance] of byKey) state.balances.set(key, balance);
  for (const [key, demand] of demands.byKey) state.demands.set(key, demand);
  for (const [orgId, warehouses] of places.warehouses) state.warehouses.set(orgId, warehouses);
  for (const row of await settings) {
    state.settings.set(row.org_id, {
      softReservationTtlSeconds: row.soft_reservation_ttl_seconds,
      reservationMode: row.reservation_mode,
      returnQuarantine: row.return_quarantine,
      defaultReorderPoint: optional(row.default_reorder_point),
      sourcingStrategy: row.sourcing_strategy,
      minRemainingShelfLifeDays: row.min_remaining_shelf_life_days,
    });
  }
  await noteLots(tx, state, needs);
  const { books, layersRead } = await costs;
  for (const [balance, book] of books) state.costs.set(balance, book);
  state.layersRead = layersRead;
  for (const lot of lotHolds) state.lotHoldsRead.add(lot);
  if (recognisesRepeats) notePosted(state, demands);
  for (const key of keys) if (!byKey.has(key)) state.missing.add(key);
  await noteUnknownItems(tx, state, needs);
  fillQueues(state, waiting, places.freed);
  noteHoldsRead(state, shortable);
  return state;
}

function notePosted(
  state: StockState,
  { shipments, returns, movements }: Pick<LockedDemands, 'shipments' | 'returns' | 'movements'>,
): void {
  for (const shipment of shipments) {
    const key = subjectKey(shipment.orgId, shipment.shipmentId);
    if (!state.shipments.has(key)) state.shipments.set(key, shipment);
  }
  for (const received of returns) state.returns.set(subjectKey(received.orgId, received.returnId), received);
  for (const movement of movements) state.movements.set(movementKey(movement.orgId, movement.movementType, movement.refId), movement);
}

/** Joined keys as parallel arrays of their parts, as `unnest` takes them. Ids hold nothing that an array's text would escape. */
function columns(keys: readonly string[], parts: number): string[] {
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

interface Places {
  readonly locked: Set<string>;
  /** Where stock may come free. */
  readonly freed: Set<string>;
  readonly warehouses: Map<string, { warehouseId: string; priority: number }[]>;
  /** Lots that are to be read whole: balance keys with the lot appended. */
  readonly lots: Set<string>;
  /** Where goods come or go, and whether they go. */
  readonly posts: Map<string, boolean>;
}

/** Finds, by plain reads, the balances beside those that the commands name. */
async function findPlaces(tx: Tx, needs: readonly Needs[], orgs: readonly string[]): Promise<Places> {
  const locked = new Set<string>();
  const freed = new Set<string>();
  const lots = new Set(needs.flatMap((need) => need.lots));
  const posts = new Map<string, boolean>();
  const post = (key: string, issues: boolean) => posts.set(key, issues || posts.get(key) === true);
  // What a posting command touches beside what it names, it touches by its order, its shipment, its return, or its item.
  const postsBy = new Map<string, boolean>();
  for (const need of needs) {
    const issues = need.posts === 'issues';
    for (const key of need.balances) {
      locked.add(key);
      if (need.frees) freed.add(key);
      if (need.posts !== 'nothing') post(key, issues);
    }
    if (need.posts === 'nothing') continue;
    for (const subject of [need.demand, need.shipment, need.customerReturn, ...need.sourcing]) {
      if (subject !== null) postsBy.set(subject, issues || postsBy.get(subject) === true);
    }
  }
  const postFor = (subject: string, key: string) => {
    const issues = postsBy.get(subject);
    if (issues !== undefined) post(key, issues);
  };
  const demands = distinct(needs, (need) => need.demand);
  const sourcing = [...new Set(needs.flatMap((need) => need.sourcing))];
  const shipments = distinct(needs, (need) => need.shipment);
  const returns = distinct(needs, (need) => need.customerReturn);
  const none = Promise.resolve([]);
  const [ofOrders, ofItems, warehouses, ofShipments, ofReturns] = await Promise.all([
    demands.length > 0 ? tx.run(sql.findPlacesOfOrders, columns(demands, 2)) : none,
    sourcing.length > 0 ? tx.run(sql.findPlacesOfItems, columns(sourcing, 2)) : none,
    sourcing.length > 0 ? tx.run(sql.findWarehouses, [orgs]) : none,
    shipments.length > 0 ? tx.run(sql.readShipments, columns(shipments, 2)) : none,
    returns.length > 0 ? tx.run(sql.readReturns, columns(returns, 2)) : none,
  ]);
  for (const row of ofOrders) {
    const key = balanceKey(row.org_id, row.warehouse_id, row.item_id);
    locked.add(key);
    freed.add(key);
    postFor(subjectKey(row.org_id, row.order_id), key);
  }
  for (const row of ofShipments) {
    for (const line of shipmentLinesFromJson(row.lines)) {
      const key = balanceKey(row.org_id, line.warehouseId, line.itemId);
      locked.add(key);
      freed.add(key);
      lots.add(`${key}/${line.lot}`);
      postFor(subjectKey(row.org_id, row.shipment_id), key);
    }
  }
  for (const row of ofReturns) {
    for (const line of returnLinesFromJson(row.lines)) {
      const key = balanceKey(row.org_id, line.warehouseId, line.itemId);
      locked.add(key);
      freed.add(key);
      lots.add(`${key}/${line.lot}`);
      postFor(subjectKey(row.org_id, row.return_id), key);
    }
  }
  const byOrg = new Map<string, { warehouseId: string; priority: number }[]>();
  for (const row of warehouses) {
    const list = byOrg.get(row.org_id) ?? [];
    list.push({ warehouseId: row.warehouse_id, priority: row.priority });
    byOrg.set(row.org_id, list);
  }
  const stored = new Set<string>();
  const sourcingLots = Map.groupBy(new Set(needs.flatMap((need) => need.sourcingLots)), (key) => key.slice(0, key.lastIndexOf('/')));
  for (const row of ofItems) {
    const key = balanceKey(row.org_id, row.warehouse_id, row.item_id);
    const item = `${row.org_id}/${row.item_id}`;
    locked.add(key);
    stored.add(item);
    postFor(item, key);
    for (const named of sourcingLots.get(item) ?? []) lots.add(`${key}/${named.slice(item.length + 1)}`);
  }
  // An item that was never stored anywhere is asked for in the first warehouse.
  for (const key of sourcing) {
    const [orgId, itemId] = key.split('/') as [string, string];
    const first = byOrg.get(orgId)?.[0];
    if (stored.has(key) || first === undefined) continue;
    locked.add(balanceKey(orgId, first.warehouseId, itemId));
    postFor(key, balanceKey(orgId, first.warehouseId, itemId));
  }
  return { locked, freed, warehouses: byOrg, lots, posts };
}

/**
 * Reads where in its warehouse the stock of the locked balances lies: nothing where it is all in the default bin and has no lots, unless a
 * command names a bin or a quality; else the lots that are named, all that the orders hold, and the first in turn of what is free.
 */
async function readQuants(
  tx: Tx,
  needs: readonly Needs[],
  named: ReadonlySet<string>,
  balances: ReadonlyMap<string, Balance>,
  demands: ReadonlyMap<string, Demand>,
): Promise<void> {
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
  for (const demand of demands.values()) {
    for (const held of demand.reservations) {
      const balance = balances.get(balanceKey(demand.orgId, held.warehouseId, held.itemId));
      if (balance !== undefined && isDetailed(balance)) lots.add(lotKey(balance, held.lot));
    }
  }
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
}

/** What the stock is worth where goods come or go; where they go, the cost layers first in turn. */
async function readCosts(tx: Tx, needs: readonly Needs[], { posts }: Places, balances: ReadonlyMap<string, Balance>) {
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
      lastUnitCost: row?.last_unit_cost == null ? null : parseMoney(row.last_unit_cost),
      lastLayerNo: row?.last_layer_no ?? 0,
      layers: read.map(layerOf),
      isComplete: balance.onHand === ZERO || (posts.get(key) === true && read.length < layersRead),
    });
    books.set(balance, book);
  }
  return { books, layersRead };
}

function layerOf(row: sql.LayerRow): CostLayer {
  return {
    layerNo: row.layer_no,
    receivedAt: row.received_at,
    receiptId: row.receipt_id,
    quantity: parseQuantity(row.quantity),
    value: parseMoney(row.value),
  };
}

function quantOf(row: sql.QuantRow): Quant {
  return {
    lot: row.lot,
    location: row.location,
    quality: row.quality,
    quantity: parseQuantity(row.quantity),
    reserved: parseQuantity(row.reserved),
    expiresAt: row.expires_at,
    receivedAt: row.received_at,
  };
}

/** What is known of the lots and bins that commands name. */
async function noteLots(tx: Tx, state: StockState, needs: readonly Needs[]): Promise<void> {
  const names = new Set(needs.flatMap((need) => need.sourcingLots));
  for (const need of needs) {
    for (const key of need.lots) {
      const [orgId, , itemId, lot] = key.split('/') as [string, string, string, string];
      if (lot !== NO_LOT) names.add(lotNameKey(orgId, itemId, lot));
    }
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

function distinct(needs: readonly Needs[], keyOf: (need: Needs) => string | null): string[] {
  const keys = new Set<string>();
  for (const need of needs) {
    const key = keyOf(need);
    if (key !== null) keys.add(key);
  }
  return [...keys];
}

async function readQueues(tx: Tx, balances: ReadonlyMap<string, Balance>, freed: ReadonlySet<string>): Promise<sql.BackorderRow[]> {
  const waitedFor = [...freed].filter((key) => (balances.get(key)?.backordered ?? ZERO) > ZERO);
  if (waitedFor.length === 0) return [];
  const perBalance = Math.max(1, Math.floor(FILLED_PER_BATCH_MAX / waitedFor.length));
  return tx.run(sql.readQueues, [...columns(waitedFor, 3), perBalance]);
}

async function readHolds(tx: Tx, needs: readonly Needs[], balances: ReadonlyMap<string, Balance>) {
  const limits = holdLimits(needs, balances);
  if (limits.size === 0) return [];
  return tx.run(sql.readHolds, [...columns([...limits.keys()], 3), [...limits.values()]]);
}

function holdLimits(needs: readonly Needs[], balances: ReadonlyMap<string, Balance>): Map<string, number> {
  const limits = new Map<string, number>();
  for (const need of needs) {
    if (!need.shorts) continue;
    for (const key of need.balances) {
      if ((balances.get(key)?.reserved ?? ZERO) === ZERO) continue;
      limits.set(key, Math.max(limits.get(key) ?? HOLDS_PER_BALANCE, need.holdsPerBalanceMax ?? 0));
    }
  }
  return limits;
}

type LockedDemands = Awaited<ReturnType<typeof lockDemands>>;

async function lockDemands(tx: Tx, keys: readonly string[], needs: readonly Needs[], dryRun: boolean) {
  const shipmentKeys = distinct(needs, (need) => need.shipment);
  const returnKeys = distinct(needs, (need) => need.customerReturn);
  const movementKeys = distinct(needs, (need) => need.movement);
  const shippedKeys = distinct(needs, (need) => (need.knowsShipments ? need.demand : null));
  const none = Promise.resolve([]);
  // Sent together and answered in order: each later statement sees what was committed before the lock was granted.
  const [rows, clock, shipments, returns, movements, shipped] = await Promise.all([
    keys.length > 0 ? tx.run(dryRun ? sql.readDemands : sql.lockDemands, columns(keys, 2)) : none,
    tx.run(sql.readClock, []),
    shipmentKeys.length > 0 ? tx.run(sql.readShipments, columns(shipmentKeys, 2)) : none,
    returnKeys.length > 0 ? tx.run(sql.readReturns, columns(returnKeys, 2)) : none,
    movementKeys.length > 0 ? tx.run(sql.readMovements, columns(movementKeys, 3)) : none,
    shippedKeys.length > 0 ? tx.run(sql.readShipmentsOfOrders, columns(shippedKeys, 2)) : none,
  ]);
  const byKey = new Map<string, Demand>(rows.map((row) => [subjectKey(row.org_id, row.order_id), demandOf(row)]));
  const known = rows.filter((row) => !row.is_new).map((row) => subjectKey(row.org_id, row.order_id));
  if (known.length > 0) await readHoldings(tx, known, byKey);
  for (const key of keys) if (!byKey.has(key)) byKey.set(key, unknownDemand(key, clock[0]!.now));
  return {
    byKey,
    now: clock[0]!.now,
    shipments: [...shipments, ...shipped].map((row) => ({
      orgId: row.org_id,
      shipmentId: row.shipment_id,
      orderId: row.order_id,
      movementId: row.movement_id,
      fingerprint: row.fingerprint,
      status: row.status,
      lines: shipmentLinesFromJson(row.lines),
    })),
    returns: returns.map((row) => ({
      orgId: row.org_id,
      returnId: row.return_id,
      orderId: row.order_id,
      movementId: row.movement_id,
      fingerprint: row.fingerprint,
      lines: returnLinesFromJson(row.lines),
      inspections: row.inspections,
    })),
    movements: movements.map((row) => ({
      orgId: row.org_id,
      movementId: row.movement_id,
      movementType: row.movement_type,
      refType: row.ref_type,
      refId: row.ref_id,
      orderId: row.order_id,
      reason: row.reason,
      actor: row.actor,
      fingerprint: row.fingerprint,
      lines: row.lines,
      occurredAt: row.occurred_at,
    })),
  };
}

async function readHoldings(tx: Tx, keys: readonly string[], demands: ReadonlyMap<string, Demand>): Promise<void> {
  const [reservations, backorders] = await Promise.all([
    tx.run(sql.readReservations, columns(keys, 2)),
    tx.run(sql.readBackorders, columns(keys, 2)),
  ]);
  for (const row of reservations) {
    demands.get(subjectKey(row.org_id, row.order_id))!.reservations.push({
      reservationId: row.reservation_id,
      lineNo: row.line_no,
      warehouseId: row.warehouse_id,
      itemId: row.item_id,
      lot: row.lot,
      location: row.location,
      quantity: parseQuantity(row.quantity),
      fulfilled: parseQuantity(row.fulfilled_quantity),
      status: 'active',
      reservedAt: row.reserved_at,
      closedAt: null,
      releaseReason: null,
    });
  }
  for (const row of backorders) demands.get(subjectKey(row.org_id, row.order_id))!.backorders.push(backorderOf(row));
}

/** Which items do not exist, among those whose balance could not be found. */
async function noteUnknownItems(tx: Tx, state: StockState, needs: readonly Needs[]): Promise<void> {
  const suspects = new Set<string>();
  for (const key of state.missing) suspects.add(itemPart(key));
  for (const need of needs) for (const key of need.sourcing) suspects.add(key);
  if (suspects.size === 0) return;
  for (const { orgId, itemId } of state.balances.values()) suspects.delete(`${orgId}/${itemId}`);
  if (suspects.size === 0) return;
  const found = await tx.run(sql.findItems, columns([...suspects], 2));
  for (const row of found) suspects.delete(`${row.org_id}/${row.item_id}`);
  for (const key of suspects) state.unknownItems.add(key);
}

function itemPart(key: string): string {
  const [orgId, , itemId] = key.split('/') as [string, string, string];
  return `${orgId}/${itemId}`;
}

/** The backorders of the queues are those of the demands, so that a change is seen from both sides. */
function fillQueues(state: StockState, rows: readonly sql.BackorderRow[], freed: ReadonlySet<string>): void {
  for (const key of freed) if (state.balances.has(key)) state.queues.set(key, []);
  const waitedFor = new Map<string, Quantity>();
  for (const row of rows) {
    const key = balanceKey(row.org_id, row.warehouse_id, row.item_id);
    const backorder = state
      .demand(row.org_id, row.order_id)
      .backorders.find((candidate) => candidate.lineNo === row.line_no && candidate.warehouseId === row.warehouse_id);
    if (backorder === undefined) continue;
    state.queues.get(key)!.push(backorder);
    waitedFor.set(key, (waitedFor.get(key) ?? ZERO) + backorder.quantity);
  }
  for (const key of freed) {
    const balance = state.balances.get(key);
    const read = waitedFor.get(key);
    if (balance !== undefined && read !== undefined && balance.backordered > read) state.longQueues.add(key);
  }
}

/** Remembers the turn of the last hold that was read as it is now: decisions change what it depends on. */
function noteHoldsRead(
  state: StockState,
  rows: readonly { org_id: string; order_id: string; warehouse_id: string; item_id: string; reservation_id: string }[],
): void {
  for (const row of rows) {
    const demand = state.demand(row.org_id, row.order_id);
    const reservation = demand.reservations.find((candidate) => candidate.reservationId === row.reservation_id);
    if (reservation === undefined) continue;
    const key = balanceKey(row.org_id, row.warehouse_id, row.item_id);
    const last = state.lastHoldRead.get(key);
    const turn = turnOf({ demand, reservation });
    if (last === undefined || takeBefore(last, turn) < 0) state.lastHoldRead.set(key, turn);
  }
}

function balanceOf(row: sql.BalanceRow): Balance {
  const ownSafetyQuantity = optional(row.safety_quantity);
  const ownSafetyPercent = optional(row.safety_percent);
  const itemSafetyStock = optional(row.item_safety_stock);
  return {
    orgId: row.org_id,
    warehouseId: row.warehouse_id,
    itemId: row.item_id,
    onHand: parseQuantity(row.on_hand),
    blocked: parseQuantity(row.blocked),
    reserved: parseQuantity(row.reserved),
    backordered: parseQuantity(row.backordered),
    lastEntryNo: row.last_entry_no,
    safetyQuantity: ownSafetyQuantity ?? itemSafetyStock ?? ZERO,
    safetyPercent: ownSafetyPercent ?? ZERO,
    ownSafetyQuantity,
    ownSafetyPercent,
    ownReorderPoint: optional(row.reorder_point),
    itemSafetyStock,
    itemReorderPoint: optional(row.item_reorder_point),
    tracking: row.tracking,
    costing: row.costing,
    minRemainingShelfLifeDays: row.min_remaining_shelf_life_days,
    hasQuants: row.has_quants,
    hadQuants: row.has_quants,
    quants: new Quants(),
  };
}

function demandOf(row: sql.DemandRow): Demand {
  return {
    orgId: row.org_id,
    orderId: row.order_id,
    state: row.state,
    source: row.source,
    incomingSequence: row.incoming_sequence,
    incomingTime: row.incoming_time,
    seenSequence: row.seen_sequence,
    seenAhead: row.seen_ahead ?? [],
    sequence: row.sequence,
    firm: row.firm,
    mode: row.mode,
    priority: row.priority,
    acceptedAt: row.accepted_at,
    expiresAt: row.expires_at,
    approvalRequestId: row.approval_request_id,
    refusal: refusalFromJson(row.refusal),
    refusedMessages: refusedMessagesFromJson(row.refused_messages),
    lines: demandLinesFromJson(row.lines),
    reservations: [],
    backorders: [],
  };
}

/** How an order that nobody has heard of looks. */
export function unknownDemand(key: string, now: Date): Demand {
  const [orgId, orderId] = key.split('/') as [string, string];
  return {
    orgId,
    orderId,
    state: 'awaiting_order',
    source: null,
    incomingSequence: null,
    incomingTime: null,
    seenSequence: 0,
    seenAhead: [],
    sequence: 0,
    firm: false,
    mode: 'all_or_nothing',
    priority: 50,
    acceptedAt: now,
    expiresAt: null,
    approvalRequestId: null,
    refusal: null,
    refusedMessages: [],
    lines: [],
    reservations: [],
    backorders: [],
  };
}

function backorderOf(row: sql.BackorderRow): Backorder {
  return {
    orgId: row.org_id,
    orderId: row.order_id,
    lineNo: row.line_no,
    warehouseId: row.warehouse_id,
    itemId: row.item_id,
    quantity: parseQuantity(row.quantity),
    priority: row.priority,
    acceptedAt: row.accepted_at,
  };
}

const optional = (text: string | null): Quantity | null => (text === null ? null : parseQuantity(text));
