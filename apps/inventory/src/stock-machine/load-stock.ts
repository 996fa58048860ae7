import { parseQuantity, type Quantity, ZERO } from '#libs/domain';
import { unsafeSwitch } from '#libs/messaging';
import type { Tx } from '#libs/persistence';
import { loadEffects } from '../approvals/approval-effect.sql.js';
import { loadDerivedCounters } from '../discrepancies/derived-counters.js';
import { loadDiscrepancies, noteDoubts } from '../discrepancies/load-discrepancies.js';
import { toExpectation } from '../expected-receipts/expected-receipt.queries.js';
import { lockExpectedReceipts, readExpectedReceipts } from '../expected-receipts/expected-receipt.sql.js';
import { columns, distinct, findPlaces, type Places, type StoredPlace, union } from './find-places.js';
import { takeBefore, turnOf } from './holds.js';
import { noteLots, readCosts, readPostedSince, readQuants } from './load-quants.js';
import { readTransfers } from '../transfers/transfer.sql.js';
import { noteReceipts, readReceipts } from './load-receipts.js';
import * as sql from './stock.sql.js';
import { returnLinesFromJson, shipmentLinesFromJson } from './stock-json.js';
import { backorderOf, balanceOf, demandOf, optional, transferOf, unknownDemand } from './stock-rows.js';
import { type Balance, balanceKey, subjectKey } from './balance.js';
import type { Demand } from './demand.js';
import { movementKey } from './movement.js';
import { StockState } from './stock-state.js';
import type { Needs } from './touches.js';

/** How many waiting backorders a batch serves at most; the rest follows in chunks. */
const FILLED_PER_BATCH_MAX = 500;
/** How many holds are read of a balance that a fact takes from, unless the decision asks for more. */
const HOLDS_PER_BALANCE = 50;
/** More keys than this are forgotten and found again. */
const KNOWN_BALANCES_MAX = 200_000;

/** Off in crash tests that must find doubled effects: then nothing that was posted before is recognised. */
const recognisesRepeats = !unsafeSwitch('HOLDFAST_UNSAFE_NO_BUSINESS_KEYS');

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
  const orgs = distinct(needs, (need) => need.orgId);
  const places = await findPlaces(tx, needs, orgs);
  const keys = [...places.locked];
  const unmet = dryRun ? [] : keys.filter((key) => !known.has(key));
  // Not awaited: it travels with the next statement.
  if (unmet.length > 0) void tx.run(sql.makeMissingBalances, columns(unmet, 3));
  const settings = tx.run(sql.readSettings, [orgs]);
  const balances = keys.length === 0 ? [] : await tx.run(dryRun ? sql.readBalances : sql.lockBalances, columns(keys, 3));
  const found = balances.map(balanceOf);
  const byKey = new Map(found.map((balance) => [balanceKey(balance.orgId, balance.warehouseId, balance.itemId), balance]));

  const receipts = await readReceipts(tx, needs);
  const costs = readCosts(tx, needs, places, byKey, receipts);
  // When another statement fails before somebody has come to await this, the transaction reports it; this must not end the process.
  costs.catch(() => {});
  const waiting = await readQueues(tx, needs, byKey, places.freed);
  const shortable = await readHolds(tx, needs, places, byKey);
  const lotHolds = [...places.lotHolds];
  const displaceable = lotHolds.length === 0 ? [] : await tx.run(sql.readHoldsOfLots, columns(lotHolds, 4));
  const demandKeys = [
    ...new Set([
      ...distinct(needs, (need) => need.demand),
      ...[...waiting, ...shortable, ...displaceable].map((row) => subjectKey(row.org_id, row.order_id)),
    ]),
  ];
  const demands = await lockDemands(tx, demandKeys, needs, dryRun);
  const lots = await readQuants(tx, needs, places.lots, byKey, demands.byKey);

  const state = new StockState(demands.now, dryRun);
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
      enforcementPhase: row.enforcement_phase,
      allowInventoryOversell: row.allow_inventory_oversell,
      discrepancyLockPolicy: row.discrepancy_lock_policy,
      softBlockPercent: parseQuantity(row.soft_block_percent),
      tolerance: { quantity: parseQuantity(row.tolerance.quantity), percent: parseQuantity(row.tolerance.percent) },
      severityPercents: row.severity_percents.map(parseQuantity) as [Quantity, Quantity, Quantity],
    });
  }
  for (const balance of found) balance.lockPolicy = state.settingsOf(balance.orgId).discrepancyLockPolicy;
  await noteDoubts(tx, found);
  await noteLots(tx, state, needs, places, lots, dryRun);
  await readPostedSince(tx, state, needs, places);
  for (const [warehouse, stored] of places.stored) noteStored(state, warehouse, stored);
  await loadEffects(tx, state, needs);
  await loadDiscrepancies(tx, state, needs, dryRun);
  for (const [balance, counters] of await loadDerivedCounters(tx, state.balances, needs)) state.derived.set(balance, counters);
  await loadExpectedReceipts(tx, state, needs, dryRun);
  const { books, layersRead } = await costs;
  for (const [balance, book] of books) state.costs.set(balance, book);
  state.layersRead = layersRead;
  noteReceipts(state, receipts);
  for (const lot of lotHolds) state.lotHoldsRead.add(lot);
  if (recognisesRepeats) notePosted(state, demands);
  for (const key of keys) if (!byKey.has(key)) state.missing.add(key);
  state.firstMet = unmet.filter((key) => byKey.has(key));
  await noteUnknownItems(tx, state, needs);
  fillQueues(state, waiting, places.freed);
  noteHoldsRead(state, shortable);
  return state;
}

/** Locked last of all, one by one in the order of their keys: whoever else changes one locks nothing after it. */
async function loadExpectedReceipts(tx: Tx, state: StockState, needs: readonly Needs[], dryRun: boolean): Promise<void> {
  const keys = [...union(needs, (need) => need.expectedReceipts)];
  if (keys.length === 0) return;
  const rows = await tx.run(dryRun ? readExpectedReceipts : lockExpectedReceipts, columns(keys, 2));
  for (const row of rows) state.expectedReceipts.set(subjectKey(row.org_id, row.expected_receipt_id), toExpectation(row));
}

/** The bins of what lies somewhere exist. */
export function noteStored(state: StockState, warehouse: string, stored: readonly StoredPlace[] | null): void {
  state.storedPlaces.set(warehouse, stored);
  for (const { location } of stored ?? []) state.locations.add(`${warehouse}/${location}`);
}

function notePosted(
  state: StockState,
  { shipments, returns, movements, transfers }: Pick<LockedDemands, 'shipments' | 'returns' | 'movements' | 'transfers'>,
): void {
  for (const shipment of shipments) {
    const key = subjectKey(shipment.orgId, shipment.shipmentId);
    if (!state.shipments.has(key)) state.shipments.set(key, shipment);
  }
  for (const received of returns) state.returns.set(subjectKey(received.orgId, received.returnId), received);
  for (const transfer of transfers) state.transfers.set(subjectKey(transfer.orgId, transfer.transferId), transfer);
  for (const movement of movements) state.movements.set(movementKey(movement.orgId, movement.movementType, movement.refId), movement);
}

async function readQueues(
  tx: Tx,
  needs: readonly Needs[],
  balances: ReadonlyMap<string, Balance>,
  freed: ReadonlySet<string>,
): Promise<sql.BackorderRow[]> {
  const waitedFor = [...freed].filter((key) => (balances.get(key)?.backordered ?? ZERO) > ZERO);
  if (waitedFor.length === 0) return [];
  const perBalance = Math.max(
    1,
    Math.floor(FILLED_PER_BATCH_MAX / waitedFor.length),
    ...needs.map((need) => need.waitingPerBalanceMax ?? 0),
  );
  return tx.run(sql.readQueues, [...columns(waitedFor, 3), perBalance]);
}

async function readHolds(tx: Tx, needs: readonly Needs[], places: Places, balances: ReadonlyMap<string, Balance>) {
  const limits = holdLimits(needs, places, balances);
  if (limits.size === 0) return [];
  return tx.run(sql.readHolds, [...columns([...limits.keys()], 3), [...limits.values()]]);
}

function holdLimits(needs: readonly Needs[], { shorted }: Places, balances: ReadonlyMap<string, Balance>): Map<string, number> {
  const limits = new Map<string, number>();
  for (const key of shorted) if ((balances.get(key)?.reserved ?? ZERO) > ZERO) limits.set(key, HOLDS_PER_BALANCE);
  for (const need of needs) {
    if (!need.shorts && (need.holdsPerBalanceMax ?? 0) === 0) continue;
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
  const transferKeys = distinct(needs, (need) => need.transfer);
  const [rows, clock, shipments, returns, movements, shipped, transfers] = await Promise.all([
    keys.length > 0 ? tx.run(dryRun ? sql.readDemands : sql.lockDemands, columns(keys, 2)) : none,
    tx.run(sql.readClock, []),
    shipmentKeys.length > 0 ? tx.run(sql.readShipments, columns(shipmentKeys, 2)) : none,
    returnKeys.length > 0 ? tx.run(sql.readReturns, columns(returnKeys, 2)) : none,
    movementKeys.length > 0 ? tx.run(sql.readMovements, columns(movementKeys, 3)) : none,
    shippedKeys.length > 0 ? tx.run(sql.readShipmentsOfOrders, columns(shippedKeys, 2)) : none,
    transferKeys.length > 0 ? tx.run(readTransfers, columns(transferKeys, 2)) : none,
  ]);
  const byKey = new Map<string, Demand>(rows.map((row) => [subjectKey(row.org_id, row.order_id), demandOf(row)]));
  const known = rows.filter((row) => !row.is_new).map((row) => subjectKey(row.org_id, row.order_id));
  if (known.length > 0) await readHoldings(tx, known, byKey);
  for (const key of keys) if (!byKey.has(key)) byKey.set(key, unknownDemand(key, clock[0]!.now));
  return {
    byKey,
    now: clock[0]!.now,
    transfers: transfers.map(transferOf),
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
      heldBefore: parseQuantity(row.quantity) - parseQuantity(row.fulfilled_quantity),
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
