import { formatQuantity, type Quantity, uuidv7, ZERO } from '#libs/domain';
import type { Tx } from '#libs/persistence';
import type { CostBook } from '../costing/cost-layers.js';
import { writeEffects } from '../approvals/approval-effect.sql.js';
import { updateDoubts } from '../discrepancies/discrepancy.sql.js';
import { writeDiscrepancies } from '../discrepancies/write-discrepancies.js';
import { updateExpectedReceipts } from '../expected-receipts/expected-receipt.sql.js';
import * as placesSql from './places.sql.js';
import { writeTransfers } from '../transfers/write-transfers.js';
import { columnsOf } from './columns-of.js';
import { writeCostCorrections } from '../costing/write-cost-corrections.js';
import * as sql from './stock.sql.js';
import { demandLinesToJson, returnLinesToJson, shipmentLinesToJson } from './stock-json.js';
import { NO_LOT, type QuantChange } from './quants.js';
import type { Balance, Lot } from './balance.js';
import { type Backorder, type Demand, heldQuantity, type Reservation } from './demand.js';
import type { StockState } from './stock-state.js';

/** The counters of a balance as they were when it was locked. */
export type Counters = Pick<
  Balance,
  | 'onHand'
  | 'blocked'
  | 'reserved'
  | 'backordered'
  | 'lastEntryNo'
  | 'ownSafetyQuantity'
  | 'ownSafetyPercent'
  | 'ownReorderPoint'
  | 'doubts'
  | 'doubtful'
  | 'attemptsDiscrepancyId'
  | 'mayBeNegative'
> &
  Pick<CostBook, 'value' | 'lastLayerNo'>;

export function countersOf(balance: Balance, costs: CostBook | undefined): Counters {
  const { onHand, blocked, reserved, backordered, lastEntryNo, ownSafetyQuantity, ownSafetyPercent, ownReorderPoint } = balance;
  const { doubts, doubtful, attemptsDiscrepancyId, mayBeNegative } = balance;
  return {
    onHand,
    blocked,
    reserved,
    backordered,
    lastEntryNo,
    ownSafetyQuantity,
    ownSafetyPercent,
    ownReorderPoint,
    doubts,
    doubtful,
    attemptsDiscrepancyId,
    mayBeNegative,
    value: costs?.value ?? ZERO,
    lastLayerNo: costs?.lastLayerNo ?? 0,
  };
}

/**
 * Writes what the decisions of a batch changed, one set-based statement per table. Nothing is awaited: the statements travel together, and
 * the commit reports the first that failed.
 */
export function writeStock(tx: Tx, state: StockState, before: ReadonlyMap<Balance, Counters>): void {
  const doubted = [...state.changedBalances].filter((balance) => isDoubtedOtherwise(balance, before.get(balance)!));
  // First of all that on hand may be below zero, which decides whether the rest is accepted; that it may not any more last.
  writeDoubts(
    tx,
    doubted.filter(({ mayBeNegative }) => mayBeNegative),
    before,
  );
  writeBalances(tx, state, before);
  writeDoubts(
    tx,
    doubted.filter(({ mayBeNegative }) => !mayBeNegative),
    before,
  );
  insertLots(tx, [...state.newLots], state.now);
  recallLots(tx, [...state.recalledLots]);
  writeQuants(tx, state);
  writeLayers(tx, state);
  writeDemands(tx, [...state.changedDemands]);
  insertReservations(tx, [...state.newReservations], state.now);
  updateReservations(tx, [...state.changedReservations, ...[...state.newReservations].filter(([reservation]) => hasMoved(reservation))]);
  writeBackorders(tx, [...state.changedBackorders]);
  logHolds(tx, state);
  writeMovements(tx, state);
  writeDocuments(tx, state);
  writeExpectedReceipts(tx, state);
  writeTransfers(tx, state);
  writeCostCorrections(tx, state);
  writeDiscrepancies(tx, state);
  writeEffects(tx, state);
}

const balanceKeyColumns = [(b: Balance) => b.orgId, (b: Balance) => b.warehouseId, (b: Balance) => b.itemId] as const;

function writeBalances(tx: Tx, state: StockState, before: ReadonlyMap<Balance, Counters>): void {
  const was = (balance: Balance) => before.get(balance)!;
  const delta = (balance: Balance, counter: 'onHand' | 'blocked' | 'reserved' | 'backordered') =>
    formatQuantity(balance[counter] - was(balance)[counter]);
  const costOf = (balance: Balance, then: Counters) => {
    const book = state.costs.get(balance);
    if (book === undefined) return { value: ZERO, lastUnitCost: null, layers: 0 };
    return { value: book.value - then.value, lastUnitCost: book.lastUnitCost, layers: book.lastLayerNo - then.lastLayerNo };
  };
  const moved: Balance[] = [];
  const held: Balance[] = [];
  const policies: Balance[] = [];
  for (const balance of state.changedBalances) {
    const then = was(balance);
    if (
      balance.onHand !== then.onHand ||
      balance.blocked !== then.blocked ||
      balance.backordered !== then.backordered ||
      balance.lastEntryNo !== then.lastEntryNo ||
      (state.costs.get(balance)?.value ?? then.value) !== then.value
    ) {
      moved.push(balance);
    } else if (balance.reserved !== then.reserved) held.push(balance);
    const sameRules =
      balance.ownSafetyQuantity === then.ownSafetyQuantity &&
      balance.ownSafetyPercent === then.ownSafetyPercent &&
      balance.ownReorderPoint === then.ownReorderPoint;
    if (!sameRules) policies.push(balance);
  }
  if (held.length > 0)
    void tx.run(
      sql.updateReserved,
      columnsOf(held, ...balanceKeyColumns, (b) => delta(b, 'reserved')),
    );
  if (moved.length > 0) {
    void tx.run(
      sql.updateBalances,
      columnsOf(
        moved,
        ...balanceKeyColumns,
        (b) => delta(b, 'onHand'),
        (b) => delta(b, 'blocked'),
        (b) => delta(b, 'reserved'),
        (b) => delta(b, 'backordered'),
        (b) => b.lastEntryNo - was(b).lastEntryNo,
        (b) => formatQuantity(costOf(b, was(b)).value),
        (b) => decimal(costOf(b, was(b)).lastUnitCost),
        (b) => costOf(b, was(b)).layers,
      ),
    );
  }
  if (policies.length > 0) {
    void tx.run(
      sql.updatePolicies,
      columnsOf(
        policies,
        ...balanceKeyColumns,
        (b) => decimal(b.ownSafetyQuantity),
        (b) => decimal(b.ownSafetyPercent),
        (b) => decimal(b.ownReorderPoint),
      ),
    );
  }
}

const isDoubtedOtherwise = (balance: Balance, then: Counters): boolean =>
  balance.doubts !== then.doubts ||
  balance.doubtful !== then.doubtful ||
  balance.attemptsDiscrepancyId !== then.attemptsDiscrepancyId ||
  balance.mayBeNegative !== then.mayBeNegative;

/** What discrepancies say of balances. */
function writeDoubts(tx: Tx, doubted: readonly Balance[], before: ReadonlyMap<Balance, Counters>): void {
  const was = (balance: Balance) => before.get(balance)!;
  if (doubted.length === 0) return;
  void tx.run(
    updateDoubts,
    columnsOf(
      doubted,
      ...balanceKeyColumns,
      (b) => b.doubts - was(b).doubts,
      (b) => formatQuantity(b.doubtful - was(b).doubtful),
      (b) => b.attemptsDiscrepancyId,
      (b) => b.mayBeNegative,
    ),
  );
}

function writeQuants(tx: Tx, state: StockState): void {
  const detailed: Balance[] = [];
  const changes: { balance: Balance; change: QuantChange }[] = [];
  for (const balance of state.changedBalances) {
    if (balance.quants.changes === null) continue;
    for (const change of balance.quants.changes.values()) {
      if (change.quantity !== ZERO || change.reserved !== ZERO) changes.push({ balance, change });
    }
    if (balance.hasQuants && !balance.hadQuants) detailed.push(balance);
  }
  if (detailed.length > 0) void tx.run(sql.markDetailed, columnsOf(detailed, ...balanceKeyColumns));
  if (changes.length === 0) return;
  changes.sort((a, b) => (a.change.quantity < b.change.quantity ? -1 : a.change.quantity > b.change.quantity ? 1 : 0));
  void tx.run(
    sql.changeQuants,
    columnsOf(
      changes,
      ({ balance }) => balance.orgId,
      ({ balance }) => balance.warehouseId,
      ({ balance }) => balance.itemId,
      ({ change }) => change.lot,
      ({ change }) => change.location,
      ({ change }) => change.quality,
      ({ change }) => formatQuantity(change.quantity),
      ({ change }) => formatQuantity(change.reserved),
      ({ change }) => change.expiresAt,
      ({ change }) => change.receivedAt,
      ({ balance }) => balance.tracking === 'serial',
      ({ change }) => change.isKnown,
    ),
  );
}

function writeLayers(tx: Tx, state: StockState): void {
  const changes = [...state.costs].flatMap(([balance, book]) => book.changes().map((change) => ({ balance, change })));
  const added = changes.filter(({ change }) => change.isNew);
  const others = changes.filter(({ change }) => !change.isNew);
  const keyColumns = [
    ({ balance }: (typeof changes)[number]) => balance.orgId,
    ({ balance }: (typeof changes)[number]) => balance.warehouseId,
    ({ balance }: (typeof changes)[number]) => balance.itemId,
    ({ change }: (typeof changes)[number]) => change.layerNo,
  ] as const;
  if (added.length > 0) {
    void tx.run(
      sql.insertLayers,
      columnsOf(
        added,
        ...keyColumns,
        ({ change }) => change.receivedAt,
        ({ change }) => change.receiptId,
        ({ change }) => formatQuantity(change.quantityDelta),
        ({ change }) => formatQuantity(change.valueDelta),
      ),
    );
  }
  if (others.length > 0) {
    void tx.run(
      sql.updateLayers,
      columnsOf(
        others,
        ...keyColumns,
        ({ change }) => formatQuantity(change.quantityDelta),
        ({ change }) => formatQuantity(change.valueDelta),
      ),
    );
  }
}

function insertLots(tx: Tx, lots: readonly Lot[], now: Date): void {
  if (lots.length === 0) return;
  void tx.run(placesSql.insertLots, [
    ...columnsOf(
      lots,
      (lot) => lot.orgId,
      (lot) => lot.itemId,
      (lot) => lot.lot,
      (lot) => lot.producedAt,
      (lot) => lot.expiresAt,
    ),
    now,
  ]);
}

function recallLots(tx: Tx, lots: readonly Lot[]): void {
  if (lots.length === 0) return;
  void tx.run(
    placesSql.recallLots,
    columnsOf(
      lots,
      (lot) => lot.orgId,
      (lot) => lot.itemId,
      (lot) => lot.lot,
      (lot) => lot.recalledAt,
      (lot) => lot.recallReason,
    ),
  );
}

/** Stands between JSON texts, which never hold it as it is: they need no escaping then, on either side. */
const UNIT_SEPARATOR = '\u001f';

function writeDemands(tx: Tx, demands: readonly Demand[]): void {
  if (demands.length === 0) return;
  void tx.run(sql.updateDemands, [
    ...columnsOf(
      demands,
      (d) => d.orgId,
      (d) => d.orderId,
      (d) => d.state,
      (d) => d.source,
      (d) => d.incomingSequence,
      (d) => d.incomingTime,
      (d) => d.seenSequence,
      (d) => (d.seenAhead.length === 0 ? null : `{${d.seenAhead.join(',')}}`),
      (d) => d.sequence,
      (d) => d.firm,
      (d) => d.mode,
      (d) => d.priority,
      (d) => d.acceptedAt,
      (d) => d.expiresAt,
      (d) => d.approvalRequestId,
      (d) => (d.refusal === null ? null : JSON.stringify(d.refusal)),
      (d) => (d.refusedMessages.length === 0 ? null : JSON.stringify(d.refusedMessages)),
    ),
    demands.map((demand) => demandLinesToJson(demand.lines)).join(UNIT_SEPARATOR),
  ]);
}

type Owned = readonly [Reservation, Demand];

/** A reservation that was made and taken up or given back in the same batch. */
function hasMoved(reservation: Reservation): boolean {
  return reservation.status !== 'active' || reservation.fulfilled > ZERO;
}

function insertReservations(tx: Tx, rows: readonly Owned[], now: Date): void {
  if (rows.length === 0) return;
  void tx.run(sql.insertReservations, [
    ...columnsOf(
      rows,
      ([, d]) => d.orgId,
      ([, d]) => d.orderId,
      ([r]) => r.reservationId,
      ([r]) => r.lineNo,
      ([r]) => r.warehouseId,
      ([r]) => r.itemId,
      ([r]) => r.lot,
      ([r]) => r.location,
      ([r]) => formatQuantity(r.quantity),
    ),
    now,
  ]);
}

function updateReservations(tx: Tx, rows: readonly Owned[]): void {
  if (rows.length === 0) return;
  void tx.run(
    sql.updateReservations,
    columnsOf(
      rows,
      ([, d]) => d.orgId,
      ([, d]) => d.orderId,
      ([r]) => r.reservationId,
      ([r]) => formatQuantity(r.quantity),
      ([r]) => formatQuantity(r.fulfilled),
      ([r]) => r.status,
      ([r]) => r.closedAt,
      ([r]) => r.releaseReason,
    ),
  );
}

function writeBackorders(tx: Tx, rows: readonly Backorder[]): void {
  const keyColumns = [
    (b: Backorder) => b.orgId,
    (b: Backorder) => b.orderId,
    (b: Backorder) => b.lineNo,
    (b: Backorder) => b.warehouseId,
  ] as const;
  // The same place in the queue may have been left and taken again in one batch: what is there at the end counts.
  const latest = new Map(rows.map((row) => [`${row.orgId}/${row.orderId}/${row.lineNo}/${row.warehouseId}`, row]));
  const gone = [...latest.values()].filter((row) => row.quantity === ZERO);
  const waiting = [...latest.values()].filter((row) => row.quantity > ZERO);
  if (gone.length > 0) void tx.run(sql.deleteBackorders, columnsOf(gone, ...keyColumns));
  if (waiting.length > 0) {
    void tx.run(
      sql.upsertBackorders,
      columnsOf(
        waiting,
        ...keyColumns,
        (b) => b.itemId,
        (b) => formatQuantity(b.quantity),
        (b) => b.priority,
        (b) => b.acceptedAt,
      ),
    );
  }
}

/** How what was held and what waited before this batch changed; what it made itself is told by its own rows. */
function logHolds(tx: Tx, state: StockState): void {
  const held = [...state.changedReservations].map(([row, demand]) => ({
    kind: 'reservation',
    orderId: demand.orderId,
    row,
    orgId: demand.orgId,
    reservation: row,
    delta: heldQuantity(row) - row.heldBefore,
  }));
  const waiting = [...state.changedBackorders].map((row) => ({
    kind: 'backorder',
    orderId: row.orderId,
    row,
    orgId: row.orgId,
    reservation: null,
    delta: row.quantity - row.waitedBefore,
  }));
  const changes = [...held, ...waiting].filter(({ delta }) => delta !== ZERO);
  if (changes.length === 0) return;
  void tx.run(sql.insertReservationLog, [
    ...columnsOf(
      changes,
      (change) => change.orgId,
      () => uuidv7(),
      (change) => change.kind,
      (change) => change.orderId,
      (change) => change.row.lineNo,
      (change) => change.reservation?.reservationId ?? null,
      (change) => change.row.warehouseId,
      (change) => change.row.itemId,
      (change) => change.reservation?.lot ?? NO_LOT,
      (change) => formatQuantity(change.delta),
      (change) => change.reservation?.reservedAt ?? null,
      (change) => change.reservation?.releaseReason ?? null,
    ),
    state.now,
  ]);
}

function writeMovements(tx: Tx, state: StockState): void {
  if (state.newMovements.length === 0) return;
  void tx.run(sql.insertMovements, [
    ...columnsOf(
      state.newMovements,
      (m) => m.orgId,
      (m) => m.movementId,
      (m) => m.movementType,
      (m) => m.refType,
      (m) => m.refId,
      (m) => m.orderId,
      (m) => m.reason,
      (m) => m.actor,
      (m) => m.fingerprint,
      (m) => JSON.stringify(m.lines),
      (m) => m.occurredAt,
    ),
    state.now,
  ]);
  void tx.run(sql.insertLedger, [
    ...columnsOf(
      state.ledger,
      (e) => e.orgId,
      (e) => e.warehouseId,
      (e) => e.itemId,
      (e) => e.entryNo,
      (e) => e.movement.movementId,
      (e) => (e.lot === NO_LOT ? null : e.lot),
      (e) => e.location,
      (e) => e.quality,
      (e) => formatQuantity(e.quantityDelta),
      (e) => formatQuantity(e.balanceAfter),
      (e) => e.movement.movementType,
      (e) => (e.movement.importId === undefined ? e.movement.refType : 'import'),
      (e) => e.movement.importId ?? e.movement.refId,
      (e) => e.movement.orderId,
      (e) => decimal(e.unitCost),
      (e) => decimal(e.valueDelta),
      (e) => e.flagged,
      (e) => e.discrepancyId,
      (e) => e.producedAt,
      (e) => e.expiresAt,
      (e) => e.movement.actor,
      (e) => e.movement.reason,
      (e) => e.movement.occurredAt,
    ),
    state.now,
  ]);
}

function writeDocuments(tx: Tx, state: StockState): void {
  const shipments = [...state.changedShipments];
  if (shipments.length > 0) {
    void tx.run(
      sql.upsertShipments,
      columnsOf(
        shipments,
        (s) => s.orgId,
        (s) => s.shipmentId,
        (s) => s.orderId,
        (s) => s.movementId,
        (s) => s.status,
        (s) => s.fingerprint,
        (s) => shipmentLinesToJson(s.lines),
      ),
    );
  }
  const returns = [...state.changedReturns];
  if (returns.length > 0) {
    void tx.run(
      sql.upsertReturns,
      columnsOf(
        returns,
        (r) => r.orgId,
        (r) => r.returnId,
        (r) => r.orderId,
        (r) => r.movementId,
        (r) => r.fingerprint,
        (r) => returnLinesToJson(r.lines),
        (r) => JSON.stringify(r.inspections),
      ),
    );
  }
}

function writeExpectedReceipts(tx: Tx, state: StockState): void {
  const rows = [...state.changedExpectedReceipts];
  if (rows.length === 0) return;
  const keyColumns = [([key]: (typeof rows)[number]) => key.split('/')[0]!, ([key]: (typeof rows)[number]) => key.split('/')[1]!] as const;
  void tx.run(updateExpectedReceipts, [
    ...columnsOf(
      rows,
      ...keyColumns,
      ([, { expectation }]) => formatQuantity(expectation.received),
      ([, { expectation }]) => expectation.status,
      ([, { by }]) => by,
    ),
    state.now,
  ]);
}

const decimal = (quantity: Quantity | null): string | null => (quantity === null ? null : formatQuantity(quantity));
