import { inboxKey } from '#libs/messaging';
import { sumQuantities, ZERO } from '#libs/domain';
import type { Outcome, StockCommand } from '../commands.js';
import { decide } from '../decide.js';
import { unknownDemand } from '../stock-rows.js';
import { needsOf, type Pending } from '../run-batch.js';
import type { Costing } from '../../costing/cost-layers.js';
import { doubtsAt, readDiscrepancies, readEffects, storeDiscrepancies, storeDoubts } from './memory-discrepancies.js';
import { correctedReceipts, placesOfReceipt, readReceipts, storeCorrections } from './memory-receipts.js';
import { StoredCosts } from '../../costing/simulation/stored-costs.js';
import { isDetailed, lotKey } from '../balance-quants.js';
import { NO_LOT, pickBefore, type Quant, Quants, receivedAfter } from '../quants.js';
import { DEFAULT_SETTINGS } from '../decision-settings.js';
import { type Balance, balanceKey, lotNameKey, subjectKey } from '../balance.js';
import type { Backorder, Demand } from '../demand.js';
import { movementKey } from '../movement.js';
import { NeedsMore } from '../needs-more.js';
import { StockState } from '../stock-state.js';
import type { Needs } from '../touches.js';
import { findWhole, notePostedSince } from './memory-places.js';
import { MemoryTables, type ReservationRow } from './memory-tables.js';
import { copyOfReturn, copyOfRow, copyOfShipment, emptyBalance, emptyDemandRow, ownRow } from './copies.js';

/** How much is read ahead; small, so that simulated queues and holds are longer. */
export interface ReadLimits {
  readonly filledPerBatchMax: number;
  readonly holdsPerBalance: number;
  readonly quantsPerBalance: number;
  readonly layersPerBalance: number;
}

/** How a command is decided; tests put in faulty ones, to see that a simulation notices. */
export type Decide = typeof decide;

/**
 * Stock in memory: the tables, and the machine's way around them. For each batch it makes the working set of exactly
 * what the commands touch, by the rules of `load-stock.ts`, has it decided, and stores what is recorded as changed and nothing else, as
 * `write-stock.ts` does. So a decision that reads what is not locked, or changes what it does not record, shows here without a database.
 */
export class MemoryStock extends MemoryTables {
  /** Pieces under way, by `org/item/lot`. */
  private readonly sentPieces = new Map<string, string | null>();
  private readonly inbox = new Set<string>();

  constructor(
    readonly limits: ReadLimits = { filledPerBatchMax: 500, holdsPerBalance: 50, quantsPerBalance: 50, layersPerBalance: 50 },
    private readonly decideCommand: Decide = decide,
  ) {
    super();
  }

  /**
   * Runs a batch as `runBatch` does.
   *
   * @param watch is called before and after each decision, with the working set.
   */
  runBatch(pending: readonly Pending[], watch?: Watch): (Outcome | NeedsMore)[] {
    const needs = pending.map(needsOf);
    const state = this.load(needs);
    const before = new Map([...state.balances.values()].map((balance) => [balance, { ...balance }]));
    const admitted = new Set<string>();
    const outcomes = pending.map(({ command }) => {
      watch?.before(state, command);
      const outcome = this.decideOnce(state, command, admitted);
      watch?.after(state, command, outcome);
      return outcome;
    });
    this.store(state, before);
    for (const key of admitted) this.inbox.add(key);
    return outcomes;
  }

  /** Whether the event that the command came by was handled before. */
  handles({ meta }: StockCommand): boolean {
    return meta.event !== undefined && this.inbox.has(inboxKey(meta.event));
  }

  private decideOnce(state: StockState, command: StockCommand, admitted: Set<string>): Outcome | NeedsMore {
    const key = command.meta.event === undefined ? null : inboxKey(command.meta.event);
    if (key !== null) {
      if (this.inbox.has(key) || state.decided.has(key)) return { kind: 'duplicate' };
      state.decided.add(key);
    }
    let outcome: Outcome | NeedsMore;
    try {
      outcome = this.decideCommand(state, command);
    } catch (error) {
      if (!(error instanceof NeedsMore)) throw error;
      outcome = error;
    }
    if (key !== null && !(outcome instanceof NeedsMore) && outcome.kind !== 'too-early') admitted.add(key);
    return outcome;
  }

  /** The working set of a batch: the counterpart of `loadStock`. */
  private load(needs: readonly Needs[]): StockState {
    const state = new StockState(this.now);
    const { locked, freed, lots, posts, shorted, lotHolds } = this.findPlaces(state, needs);
    for (const key of [...locked].sort()) {
      const balance = this.lockBalance(key);
      if (balance === undefined) state.missing.add(key);
      else state.balances.set(key, balance);
    }
    const queues = this.readQueues(state, needs, freed);
    const limits = this.holdLimits(state, needs, shorted);
    const holds = new Map([...limits].map(([key, limit]) => [key, this.readHolds(key).slice(0, limit)]));
    const displaceable = [...this.reservations.values()].filter(
      (row) => row.status === 'active' && lotHolds.has(`${keyOfRow(row)}/${row.lot}`),
    );
    const demandKeys = new Set([
      ...needs.flatMap((need) => need.demand ?? []),
      ...[...queues.values(), ...holds.values(), displaceable].flat().map((row) => subjectKey(row.orgId, row.orderId)),
    ]);
    for (const key of demandKeys) state.demands.set(key, this.lockDemand(key));
    this.readDocuments(state, needs);
    this.readLots(state, needs, new Set([...lots, ...this.readQuants(state, needs, lots)]));
    notePostedSince(this, state, needs);
    for (const lot of lotHolds) state.lotHoldsRead.add(lot);
    this.readCosts(state, needs, posts);
    readReceipts(this, state, needs);
    readDiscrepancies(this, state, needs);
    readEffects(this, state, needs);

    for (const need of needs) {
      for (const item of [...need.sourcing, ...need.balances.map(itemPart)]) if (!this.items.has(item)) state.unknownItems.add(item);
    }
    for (const key of freed) {
      const balance = state.balances.get(key);
      if (balance === undefined) continue;
      const queue = (queues.get(key) ?? []).map((row) => ownRow(state, row));
      state.queues.set(key, queue);
      if (queue.length > 0 && balance.backordered > sumQuantities(queue, (backorder) => backorder.quantity)) state.longQueues.add(key);
    }
    for (const [key, rows] of holds) {
      const last = rows.at(-1);
      if (last === undefined) continue;
      const demand = state.demand(last.orgId, last.orderId);
      state.lastHoldRead.set(key, {
        firm: demand.firm,
        priority: demand.priority,
        reservedAt: last.reservedAt,
        reservationId: last.reservationId,
      });
    }
    return state;
  }

  private findPlaces(state: StockState, needs: readonly Needs[]) {
    const locked = new Set<string>();
    const freed = new Set<string>();
    const lots = new Set<string>();
    const posts = new Map<string, boolean>();
    const shorted = new Set<string>();
    const lotHolds = new Set(needs.flatMap((need) => need.lotHolds));
    const lock = (key: string, need: Needs) => {
      locked.add(key);
      if (need.posts !== 'nothing') posts.set(key, posts.get(key) === true || need.posts === 'issues');
    };
    for (const need of needs) {
      const free = (orgId: string, at: { warehouseId: string; itemId: string }, lot?: string) => {
        const key = balanceKey(orgId, at.warehouseId, at.itemId);
        lock(key, need);
        freed.add(key);
        if (lot !== undefined) lots.add(`${key}/${lot}`);
      };
      for (const key of need.balances) {
        lock(key, need);
        if (need.frees) freed.add(key);
      }
      for (const key of need.lots) lots.add(key);
      findWhole(this, state, need, { lock, shorted, freed, lots, lotHolds });
      for (const held of this.heldBy(need.demand)) free(held.orgId, held);
      for (const { orgId, ...line } of this.movedLines(need)) free(orgId, line, line.lot);
      placesOfReceipt(this, need).forEach((key) => lock(key, need));
      for (const item of need.sourcing) {
        const stored = [...this.balances.keys()].filter((key) => itemPart(key) === item);
        const [orgId, itemId] = item.split('/') as [string, string];
        const first = this.warehouses.get(orgId)?.[0];
        if (stored.length === 0 && first !== undefined) lock(balanceKey(orgId, first.warehouseId, itemId), need);
        for (const key of stored) lock(key, need);
        for (const named of need.sourcingLots) {
          if (named.startsWith(`${item}/`)) for (const key of stored) lots.add(`${key}/${named.slice(item.length + 1)}`);
        }
      }
    }
    const sourcing = new Set(needs.flatMap((need) => need.sourcing));
    if (sourcing.size > 0)
      for (const orgId of new Set(needs.map((need) => need.orgId))) state.warehouses.set(orgId, this.warehouses.get(orgId) ?? []);
    return { locked, freed, lots, posts, shorted, lotHolds };
  }

  /** The lines of the documents that a command is about. */
  private movedLines({ shipment, customerReturn, transfer }: Needs) {
    const sent = this.transfers.get(transfer ?? '');
    const arriving = sent?.lines.map((line) => ({ ...line, orgId: sent.orgId, warehouseId: sent.toWarehouseId })) ?? [];
    const documents = [this.shipments.get(shipment ?? ''), this.returns.get(customerReturn ?? '')];
    const moved = documents.flatMap((document) => document?.lines.map((line) => ({ ...line, orgId: document.orgId })) ?? []);
    return [...moved, ...arriving];
  }

  private heldBy(demand: string | null) {
    if (demand === null) return [];
    const reservations = [...this.reservations.values()].filter((row) => row.status === 'active');
    return [...reservations, ...this.backorders.values()].filter((row) => subjectKey(row.orgId, row.orderId) === demand);
  }

  /** A copy of the balance; made as a zero row when only it is missing. */
  private lockBalance(key: string): Balance | undefined {
    const [orgId, warehouseId, itemId] = key.split('/') as [string, string, string];
    const item = this.items.get(`${orgId}/${itemId}`);
    const row = this.balances.get(key) ?? emptyBalance(orgId, warehouseId, itemId);
    if (item === undefined || !this.warehouses.get(orgId)?.some((warehouse) => warehouse.warehouseId === warehouseId)) return undefined;
    const { safetyQuantity, safetyPercent, reorderPoint, ...counters } = row;
    return {
      ...counters,
      safetyQuantity: safetyQuantity ?? item.safetyStock ?? ZERO,
      safetyPercent: safetyPercent ?? ZERO,
      ownSafetyQuantity: safetyQuantity,
      ownSafetyPercent: safetyPercent,
      ownReorderPoint: reorderPoint,
      itemSafetyStock: item.safetyStock,
      itemReorderPoint: item.reorderPoint,
      tracking: item.tracking ?? 'none',
      costing: item.costing ?? 'fifo',
      lastUnitCost: this.costs.get(key)?.balance.lastUnitCost ?? null,
      minRemainingShelfLifeDays: item.minRemainingShelfLifeDays ?? null,
      hadQuants: row.hasQuants,
      lockPolicy: (this.settings.get(orgId) ?? DEFAULT_SETTINGS).discrepancyLockPolicy,
      doubtedBy: doubtsAt(this, row),
      quants: new Quants(),
    };
  }

  private readQueues(state: StockState, needs: readonly Needs[], freed: ReadonlySet<string>): Map<string, Backorder[]> {
    const waitedFor = [...freed].filter((key) => (state.balances.get(key)?.backordered ?? ZERO) > ZERO);
    const perBalance = Math.max(
      1,
      Math.floor(this.limits.filledPerBatchMax / Math.max(1, waitedFor.length)),
      ...needs.map((need) => need.waitingPerBalanceMax ?? 0),
    );
    return new Map(waitedFor.map((key) => [key, this.waitingAt(key).slice(0, perBalance)]));
  }

  /** Who waits on a balance, first to be served first. */
  waitingAt(key: string): Backorder[] {
    return [...this.backorders.values()]
      .filter((row) => balanceKey(row.orgId, row.warehouseId, row.itemId) === key)
      .sort(
        (a, b) =>
          b.priority - a.priority ||
          a.acceptedAt.getTime() - b.acceptedAt.getTime() ||
          (a.orderId < b.orderId ? -1 : a.orderId > b.orderId ? 1 : a.lineNo - b.lineNo),
      );
  }

  private holdLimits(state: StockState, needs: readonly Needs[], shorted: ReadonlySet<string>): Map<string, number> {
    const limits = new Map<string, number>();
    for (const key of shorted) if ((state.balances.get(key)?.reserved ?? ZERO) > ZERO) limits.set(key, this.limits.holdsPerBalance);
    for (const need of needs) {
      if (!need.shorts && (need.holdsPerBalanceMax ?? 0) === 0) continue;
      for (const key of need.balances) {
        if ((state.balances.get(key)?.reserved ?? ZERO) === ZERO) continue;
        limits.set(key, Math.max(limits.get(key) ?? this.limits.holdsPerBalance, need.holdsPerBalanceMax ?? 0));
      }
    }
    return limits;
  }

  /** The open holds on a balance in the order in which a fact takes them. */
  private readHolds(key: string): ReservationRow[] {
    const demand = (row: ReservationRow) => this.demands.get(subjectKey(row.orgId, row.orderId))!;
    return [...this.reservations.values()]
      .filter((row) => row.status === 'active' && balanceKey(row.orgId, row.warehouseId, row.itemId) === key)
      .sort(
        (a, b) =>
          Number(demand(a).firm) - Number(demand(b).firm) ||
          demand(a).priority - demand(b).priority ||
          b.reservedAt.getTime() - a.reservedAt.getTime() ||
          (a.reservationId > b.reservationId ? -1 : 1),
      );
  }

  private lockDemand(key: string): Demand {
    const row = this.demands.get(key);
    if (row === undefined) return unknownDemand(key, this.now);
    const isOwn = (other: { orgId: string; orderId: string }) => subjectKey(other.orgId, other.orderId) === key;
    return {
      ...copyOfRow(row),
      reservations: [...this.reservations.values()]
        .filter((held) => held.status === 'active' && isOwn(held))
        .map((held) => ({ ...held, heldBefore: held.quantity - held.fulfilled })),
      backorders: [...this.backorders.values()].filter(isOwn).map((backorder) => ({ ...backorder, waitedBefore: backorder.quantity })),
    };
  }

  /** As `readQuants` of `load-stock.ts`. */
  private readQuants(state: StockState, needs: readonly Needs[], named: ReadonlySet<string>): ReadonlySet<string> {
    const lots = new Set(needs.flatMap((need) => need.lots));
    const limit = Math.max(this.limits.quantsPerBalance, ...needs.map((need) => need.quantsPerBalanceMax ?? 0));
    for (const [key, balance] of state.balances) {
      if (!isDetailed(balance)) continue;
      if (balance.tracking === 'none') lots.add(`${key}/${NO_LOT}`);
      else {
        const free = this.quantsAt(key).filter((quant) => quant.quality === 'available' && quant.quantity > quant.reserved);
        const first = free.sort(pickBefore).slice(0, limit);
        balance.quants.addFree(first, first.length < limit);
      }
    }
    for (const lot of named) if (state.balances.has(lot.slice(0, lot.lastIndexOf('/')))) lots.add(lot);
    for (const demand of state.demands.values()) {
      for (const held of demand.reservations) {
        const balance = state.balances.get(balanceKey(demand.orgId, held.warehouseId, held.itemId));
        if (balance !== undefined && isDetailed(balance)) lots.add(lotKey(balance, held.lot));
      }
      for (const waiting of demand.backorders) {
        const balance = state.balances.get(balanceKey(demand.orgId, waiting.warehouseId, waiting.itemId));
        const lot = demand.lines.find((line) => line.lineNo === waiting.lineNo)?.lot ?? null;
        if (balance !== undefined && lot !== null && isDetailed(balance)) lots.add(lotKey(balance, lot));
      }
    }
    for (const name of lots) {
      const at = name.lastIndexOf('/');
      const lot = name.slice(at + 1);
      const balance = state.balances.get(name.slice(0, at));
      balance?.quants.addLot(
        lot,
        this.quantsAt(name.slice(0, at)).filter((quant) => quant.lot === lot),
      );
    }
    return lots;
  }

  private readLots(state: StockState, needs: readonly Needs[], read: ReadonlySet<string>): void {
    const names = new Set(needs.flatMap((need) => [...need.sourcingLots, ...(need.wholeLot === null ? [] : [need.wholeLot])]));
    for (const key of read) {
      const [orgId, , itemId, lot] = key.split('/') as [string, string, string, string];
      names.add(lotNameKey(orgId, itemId, lot));
    }
    for (const need of needs) for (const bin of need.locations) if (this.locations.has(bin)) state.locations.add(bin);
    for (const name of names) {
      const lot = this.lots.get(name);
      if (lot === undefined) continue;
      const isSerial = this.items.get(`${lot.orgId}/${lot.itemId}`)?.tracking === 'serial';
      const isStocked = [...this.quants].some(
        ([key, quants]) =>
          key.startsWith(`${lot.orgId}/`) &&
          key.endsWith(`/${lot.itemId}`) &&
          [...quants.values()].some((quant) => quant.lot === lot.lot && quant.quantity > ZERO),
      );
      state.lots.set(name, { ...lot, isStocked: isSerial && (isStocked || (this.sentPieces.get(name) ?? null) !== null) });
    }
  }

  private readCosts(state: StockState, needs: readonly Needs[], posts: ReadonlyMap<string, boolean>): void {
    const limit = Math.max(this.limits.layersPerBalance, ...needs.map((need) => need.layersPerBalanceMax ?? 0));
    state.layersRead = limit;
    for (const [key, issues] of posts) {
      const balance = state.balances.get(key);
      if (balance === undefined) continue;
      state.costs.set(balance, this.costsAt(key, balance.costing).read(issues ? limit : 0, correctedReceipts(needs, balance.orgId)));
    }
  }

  private costsAt(key: string, costing: Costing): StoredCosts {
    let costs = this.costs.get(key);
    if (costs === undefined) this.costs.set(key, (costs = new StoredCosts(costing)));
    return costs;
  }

  private readDocuments(state: StockState, needs: readonly Needs[]): void {
    for (const [orgId, settings] of this.settings) state.settings.set(orgId, settings);
    for (const need of needs) {
      const shipment = this.shipments.get(need.shipment ?? '');
      if (shipment !== undefined) state.shipments.set(need.shipment!, copyOfShipment(shipment));
      if (need.knowsShipments) {
        for (const [key, known] of this.shipments) {
          const isOfOrder = subjectKey(known.orgId, known.orderId) === need.demand;
          if (isOfOrder && !state.shipments.has(key)) state.shipments.set(key, copyOfShipment(known));
        }
      }
      const received = this.returns.get(need.customerReturn ?? '');
      if (received !== undefined) state.returns.set(need.customerReturn!, copyOfReturn(received));
      const transfer = this.transfers.get(need.transfer ?? '');
      if (transfer !== undefined) state.transfers.set(need.transfer!, structuredClone(transfer));
      const movement = this.movements.get(need.movement ?? '');
      if (movement !== undefined) state.movements.set(need.movement!, movement);
      for (const key of need.expectedReceipts) {
        const expectation = this.expectedReceipts.get(key);
        if (expectation !== undefined) state.expectedReceipts.set(key, expectation);
      }
    }
  }

  /** Stores what is recorded as changed: the counterpart of `writeStock`. */
  private store(state: StockState, before: ReadonlyMap<Balance, Balance>): void {
    for (const balance of state.balances.values()) {
      const key = balanceKey(balance.orgId, balance.warehouseId, balance.itemId);
      // A zero row is kept even where nothing happened.
      if (!this.balances.has(key)) this.balances.set(key, emptyBalance(balance.orgId, balance.warehouseId, balance.itemId));
    }
    for (const balance of state.changedBalances) this.storeBalance(balance, before.get(balance)!);
    for (const lot of [...state.newLots, ...state.recalledLots]) this.lots.set(lotNameKey(lot.orgId, lot.itemId, lot.lot), { ...lot });
    for (const [balance, book] of state.costs) this.costsAt(keyOfRow(balance), balance.costing).write(book);
    for (const { reservations: _, backorders: __, ...row } of state.demands.values()) {
      const key = subjectKey(row.orgId, row.orderId);
      if (state.changedDemands.has(state.demands.get(key)!)) this.demands.set(key, copyOfRow(row));
      else if (!this.demands.has(key)) this.demands.set(key, emptyDemandRow(key, this.now));
    }
    for (const [reservation, { orgId, orderId }] of [...state.newReservations, ...state.changedReservations]) {
      this.reservations.set(reservation.reservationId, { ...reservation, orgId, orderId });
    }
    for (const backorder of state.changedBackorders) {
      const key = `${backorder.orgId}/${backorder.orderId}/${backorder.lineNo}/${backorder.warehouseId}`;
      if (backorder.quantity === ZERO) this.backorders.delete(key);
      else this.backorders.set(key, { ...backorder });
    }
    for (const movement of state.newMovements) {
      if (movement.refId !== null) this.movements.set(movementKey(movement.orgId, movement.movementType, movement.refId), movement);
    }
    this.ledger.push(...state.ledger.map((line) => ({ ...line, recordedAt: this.now })));
    for (const shipment of state.changedShipments)
      this.shipments.set(subjectKey(shipment.orgId, shipment.shipmentId), copyOfShipment(shipment));
    for (const received of state.changedReturns) {
      this.returns.set(subjectKey(received.orgId, received.returnId), copyOfReturn(received));
    }
    for (const [key, { expectation }] of state.changedExpectedReceipts) this.expectedReceipts.set(key, expectation);
    for (const transfer of [...state.newTransfers, ...state.changedTransfers]) {
      this.transfers.set(subjectKey(transfer.orgId, transfer.transferId), structuredClone(transfer));
    }
    for (const [balance, quantity] of state.inTransit) {
      this.inTransit.set(keyOfRow(balance), (this.inTransit.get(keyOfRow(balance)) ?? ZERO) + quantity);
    }
    for (const [key, transferId] of state.sentPieces) this.sentPieces.set(key, transferId);
    storeCorrections(this, state);
    storeDiscrepancies(this, state);
    this.outbox.push(...state.events);
  }

  private storeBalance(balance: Balance, was: Balance): void {
    const key = balanceKey(balance.orgId, balance.warehouseId, balance.itemId);
    const row = this.balances.get(key)!;
    row.onHand += balance.onHand - was.onHand;
    row.blocked += balance.blocked - was.blocked;
    row.reserved += balance.reserved - was.reserved;
    row.backordered += balance.backordered - was.backordered;
    row.lastEntryNo += balance.lastEntryNo - was.lastEntryNo;
    row.safetyQuantity = balance.ownSafetyQuantity;
    row.safetyPercent = balance.ownSafetyPercent;
    row.reorderPoint = balance.ownReorderPoint;
    row.hasQuants = balance.hasQuants;
    storeDoubts(row, balance, was);
    this.storeQuants(key, balance);
  }

  private storeQuants(key: string, balance: Balance): void {
    const stored = this.quants.get(key) ?? new Map<string, Quant>();
    this.quants.set(key, stored);
    for (const [name, change] of balance.quants.changes ?? []) {
      const quant = stored.get(name) ?? { ...change, quantity: ZERO, reserved: ZERO };
      const receivedAt = change.isKnown ? change.receivedAt : receivedAfter(quant, change.quantity, change.receivedAt);
      stored.set(name, { ...quant, quantity: quant.quantity + change.quantity, reserved: quant.reserved + change.reserved, receivedAt });
    }
  }
}

/** Looks on while a batch is decided. */
export interface Watch {
  before(state: StockState, command: StockCommand): void;
  after(state: StockState, command: StockCommand, outcome: Outcome | NeedsMore): void;
}

const keyOfRow = ({ orgId, warehouseId, itemId }: { orgId: string; warehouseId: string; itemId: string }) =>
  balanceKey(orgId, warehouseId, itemId);

function itemPart(key: string): string {
  const [orgId, , itemId] = key.split('/') as [string, string, string];
  return `${orgId}/${itemId}`;
}
