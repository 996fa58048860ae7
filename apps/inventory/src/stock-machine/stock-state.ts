import { type DataOf, type EventDefinition, type EventOf, makeEvent, type StockLine } from '#libs/contracts';
import { type Quantity, ZERO } from '#libs/domain';
import type { CostBook } from '../costing/cost-layers.js';
import { type DecisionSettings, DEFAULT_SETTINGS } from './decision-settings.js';
import type { DerivedCounters } from '../discrepancies/derived-counters.js';
import type { HeldInDoubt } from '../discrepancies/log-discrepancies.js';
import type { Attempt, Discrepancy, DiscrepancyChange } from '../discrepancies/discrepancy.js';
import type { Expectation } from '../expected-receipts/expected-receipt.js';
import { CostCorrections } from '../costing/receipt-costs.js';
import type { Transfer } from '../transfers/transfer.js';
import type { ApprovalEffect } from '../approvals/approval-effect.js';
import type { CommandMeta } from './commands.js';
import type { StoredPlace } from './find-places.js';
import { NeedsMore } from './needs-more.js';
import { DEFAULT_LOCATION } from './quants.js';
import { type Balance, balanceKey, type Lot, lotNameKey, subjectKey, type WarehouseRef } from './balance.js';
import { type Backorder, type Demand, type HoldTurn, type Reservation, stockLines } from './demand.js';
import type { LedgerLine, MovementHead, MovementOverride, PostedShipment, ReceivedReturn } from './movement.js';

/**
 * The working set of a batch: everything that was locked and read, which decisions read and change in memory, and the record of what
 * changed, which is written set-based when all commands are decided. No I/O, no clock, no randomness but ids.
 */
export class StockState {
  readonly balances = new Map<string, Balance>();
  /** Which of them this process did not know to exist. */
  firstMet: readonly string[] = [];
  readonly demands = new Map<string, Demand>();
  readonly warehouses = new Map<string, readonly WarehouseRef[]>();
  /** What the stock on balances costs, where goods come or go. */
  readonly costs = new Map<Balance, CostBook>();
  /** How many cost layers were read of each balance, at most. */
  layersRead = 0;
  /** `org/item` of the items that are known not to exist. */
  readonly unknownItems = new Set<string>();
  readonly settings = new Map<string, DecisionSettings>();
  readonly shipments = new Map<string, PostedShipment>();
  readonly returns = new Map<string, ReceivedReturn>();
  readonly transfers = new Map<string, Transfer>();
  /** By `org/item/lot`: those that commands name, as far as they exist. */
  readonly lots = new Map<string, Lot>();
  /** Where there is something of the lots that a command is about in every warehouse, by `org/item/lot`; read under their lock. */
  readonly placesOfLots = new Map<string, readonly string[]>();
  /** Where something lies in the warehouses that a command is about as a whole; null = in too many places. */
  readonly storedPlaces: Map<string, readonly StoredPlace[] | null> = new Map();
  /** What was posted since a time, by that time and {@link placeKey}. */
  readonly postedSince = new Map<string, ReadonlyMap<string, Quantity>>();
  /** By `org/warehouse/bin`: those that commands name, as far as they exist. */
  readonly locations = new Set<string>();
  readonly movements = new Map<string, MovementHead>();
  /** Those that commands name, as far as they exist. */
  readonly expectedReceipts = new Map<string, Expectation>();
  readonly costCorrections = new CostCorrections();
  /** What decisions about requests for approval have led to, by `org/request`. */
  readonly approvalEffects = new Map<string, ApprovalEffect['outcome']>();
  /** What somebody approved of the movement that is being decided; null = the phase decides what may be short. */
  override: MovementOverride | null = null;
  /** Those that commands are about, as far as they exist. */
  readonly discrepancies = new Map<string, Discrepancy>();
  /** Counters and what they are derived from, of commands that set them right. */
  readonly derived = new Map<Balance, DerivedCounters>();
  /** The backorders waiting on a balance, first to be served first; absent = not read. */
  readonly queues = new Map<string, Backorder[]>();
  /** The balances on which more wait than were read. */
  readonly longQueues = new Set<string>();
  /** How far the holds on a balance were read, in the order in which facts took them then; absent = not read. */
  readonly lastHoldRead = new Map<string, HoldTurn>();
  /** The lots of balances of which every hold was read. */
  readonly lotHoldsRead = new Set<string>();

  // What changed.
  readonly changedBalances = new Set<Balance>();
  readonly newLots = new Set<Lot>();
  readonly recalledLots = new Set<Lot>();
  readonly changedDemands = new Set<Demand>();
  readonly newReservations = new Map<Reservation, Demand>();
  readonly changedReservations = new Map<Reservation, Demand>();
  readonly changedBackorders = new Set<Backorder>();
  readonly newMovements: MovementHead[] = [];
  readonly ledger: LedgerLine[] = [];
  readonly changedShipments = new Set<PostedShipment>();
  readonly changedReturns = new Set<ReceivedReturn>();
  /** By key, with who received goods of them last. */
  readonly changedExpectedReceipts = new Map<string, { readonly expectation: Expectation; readonly by: string | null }>();
  readonly newTransfers = new Set<Transfer>();
  readonly changedTransfers = new Set<Transfer>();
  readonly newApprovalEffects: ApprovalEffect[] = [];
  readonly newDiscrepancies = new Set<Discrepancy>();
  readonly changedDiscrepancies = new Set<Discrepancy>();
  /** What was done with them, for the record. */
  readonly discrepancyChanges: DiscrepancyChange[] = [];
  /** What orders wanted and could not have. */
  readonly attempts: Attempt[] = [];
  readonly heldInDoubt: HeldInDoubt[] = [];
  /** How many attempts joined an open discrepancy, by its `org/id`. */
  readonly joinedAttempts = new Map<string, number>();
  /** How much more is on its way to a balance than before. */
  readonly inTransit = new Map<Balance, Quantity>();
  /** Serial numbers that went under way, by `org/item/lot`, with their transfer; null = arrived, or lost. */
  readonly sentPieces = new Map<string, string | null>();
  readonly events: EventOf<EventDefinition>[] = [];
  /** Balances with stock that waiting backorders may take, in the order in which it came free. */
  readonly freed = new Set<Balance>();
  /** Balances with free stock on which more wait than this batch could serve: to go on with. */
  readonly unserved = new Set<Balance>();
  /** The events that were decided in this batch, by inbox key. */
  readonly decided = new Set<string>();
  /** Raised by every change; a decision that asks for more must not have changed anything. */
  revision = 0;

  private readonly time: string;

  /** @param isDryRun nothing of it will be written. */
  constructor(
    readonly now: Date,
    readonly isDryRun = false,
  ) {
    this.time = now.toISOString();
  }

  /** The balance, or undefined when its item or warehouse does not exist. */
  balance(orgId: string, warehouseId: string, itemId: string): Balance | undefined {
    const key = balanceKey(orgId, warehouseId, itemId);
    const balance = this.balances.get(key);
    if (balance !== undefined || this.missing.has(key)) return balance;
    throw new NeedsMore({ balances: [key] });
  }

  /** Balances that were asked for and do not exist, because their item or warehouse does not. */
  readonly missing = new Set<string>();

  /** A balance that is known to exist, because something is held or stored there. */
  existingBalance(orgId: string, warehouseId: string, itemId: string): Balance {
    const balance = this.balance(orgId, warehouseId, itemId);
    if (balance === undefined) throw new Error(`no balance for ${balanceKey(orgId, warehouseId, itemId)}, though stock refers to it`);
    return balance;
  }

  /** The costs of a balance on which a movement is posted: its command's touches say so. */
  costOf(balance: Balance): CostBook {
    const book = this.costs.get(balance);
    if (book === undefined) throw new Error(`the costs of ${balanceKey(balance.orgId, balance.warehouseId, balance.itemId)} were not read`);
    return book;
  }

  /** The shipments of an order, oldest first; of a command whose touches say so. */
  shipmentsOf(orgId: string, orderId: string): PostedShipment[] {
    return [...this.shipments.values()].filter((shipment) => shipment.orgId === orgId && shipment.orderId === orderId);
  }

  demand(orgId: string, orderId: string): Demand {
    const demand = this.demands.get(subjectKey(orgId, orderId));
    if (demand === undefined) throw new Error(`demand ${orderId} was not locked`);
    return demand;
  }

  /** Whether a bin exists; those that commands name were looked up. */
  hasLocation(orgId: string, warehouseId: string, location: string): boolean {
    return location === DEFAULT_LOCATION || this.locations.has(`${orgId}/${warehouseId}/${location}`);
  }

  /** Notes what has become of an expected receipt. */
  changeExpectedReceipt(orgId: string, expectation: Expectation, by: string | null): void {
    const key = subjectKey(orgId, expectation.expectedReceiptId);
    this.expectedReceipts.set(key, expectation);
    this.changedExpectedReceipts.set(key, { expectation, by });
    this.revision++;
  }

  settingsOf(orgId: string): DecisionSettings {
    return this.settings.get(orgId) ?? DEFAULT_SETTINGS;
  }

  warehousesOf(orgId: string): readonly WarehouseRef[] {
    return this.warehouses.get(orgId) ?? [];
  }

  touchBalance(balance: Balance): void {
    this.revision++;
    this.changedBalances.add(balance);
  }

  changeInTransit(balance: Balance, quantity: Quantity): void {
    this.revision++;
    this.inTransit.set(balance, (this.inTransit.get(balance) ?? ZERO) + quantity);
  }

  /** A piece with a serial number that is under way is in no warehouse, and yet cannot come in anywhere else. */
  sendPiece(orgId: string, itemId: string, lot: string, transferId: string | null): void {
    const key = lotNameKey(orgId, itemId, lot);
    this.sentPieces.set(key, transferId);
    const piece = this.lots.get(key);
    if (piece !== undefined) piece.isStocked = transferId !== null;
  }

  touchDemand(demand: Demand): void {
    this.revision++;
    this.changedDemands.add(demand);
  }

  touchReservation(demand: Demand, reservation: Reservation): void {
    if (!this.newReservations.has(reservation)) this.changedReservations.set(reservation, demand);
  }

  /**
   * Says something about an order: raises its outgoing sequence and tells its whole stock state.
   *
   * @param stock that state, for those who have it at hand.
   */
  emitAboutOrder<D extends EventDefinition>(
    definition: D,
    demand: Demand,
    meta: CommandMeta,
    data: Omit<DataOf<D>, 'stock'>,
    stock: readonly StockLine[] = stockLines(demand),
  ): void {
    demand.sequence++;
    this.touchDemand(demand);
    const attributes = this.attributes(demand.orgId, demand.orderId, meta, demand.sequence);
    this.events.push(makeEvent(definition, attributes, { ...data, stock } as DataOf<D>));
  }

  /** Says something about an item, a receipt and the like. */
  emit<D extends EventDefinition>(definition: D, orgId: string, subject: string, meta: CommandMeta, data: DataOf<D>): void {
    this.revision++;
    this.events.push(makeEvent(definition, this.attributes(orgId, subject, meta), data));
  }

  private attributes(orgId: string, subject: string, meta: CommandMeta, sequence?: number) {
    return {
      sequence,
      source: '/inventory',
      subject,
      orgid: orgId,
      time: this.time,
      causationid: meta.causationId,
      actor: meta.actor,
      traceparent: meta.traceparent,
    };
  }
}
