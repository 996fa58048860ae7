import {
  type DataOf,
  type DiscrepancyLockPolicy,
  type EventDefinition,
  type EventOf,
  makeEvent,
  type Override,
  type RefusalReason,
  type StockLine,
} from '#libs/contracts';
import { formatQuantity, type Money, type Quantity, uuidv7, ZERO } from '#libs/domain';
import type { StockTerms } from '../availability/available-to-promise.js';
import type { CostBook, Costing, CostPart } from '../costing/cost-layers.js';
import { type DecisionSettings, DEFAULT_SETTINGS } from './decision-settings.js';
import type { DerivedCounters } from '../discrepancies/derived-counters.js';
import type { HeldInDoubt } from '../discrepancies/log-discrepancies.js';
import type { Discrepancy } from '../discrepancies/discrepancy.js';
import type { MovementOverride } from '../discrepancies/override.js';
import type { Attempt, DiscrepancyChange } from '../discrepancies/open-discrepancy.js';
import type { Expectation } from '../expected-receipts/expected-receipt.js';
import { CostCorrections } from '../costing/receipt-costs.js';
import type { Transfer } from '../transfers/transfer.js';
import type { ApprovalEffect } from '../approvals/approval-effect.js';
import type { CommandMeta } from './commands.js';
import type { StoredPlace } from './find-places.js';
import { NeedsMore } from './needs-more.js';
import type { QuantKey, Quants } from './quants.js';

export { bothOf, type More, NeedsMore, requireEach } from './needs-more.js';

/** The quality statuses that cannot be promised or picked; everything else on hand is `available`. */
export type BlockedQuality = 'pending_inspection' | 'quarantined' | 'damaged' | 'expired' | 'recalled';
export type Quality = 'available' | BlockedQuality;

/** The bin of every warehouse in which goods lie unless another one is said. */
export const DEFAULT_LOCATION = 'default';

/** One item in one warehouse, locked. Decisions change the counters; what changed is written as a difference. */
export interface Balance extends StockTerms {
  readonly orgId: string;
  readonly warehouseId: string;
  readonly itemId: string;
  onHand: Quantity;
  blocked: Quantity;
  reserved: Quantity;
  backordered: Quantity;
  lastEntryNo: number;
  /** The effective rules: of the balance, else of the item. */
  safetyQuantity: Quantity;
  safetyPercent: Quantity;
  /** What the balance itself says; null = as the item says. */
  ownSafetyQuantity: Quantity | null;
  ownSafetyPercent: Quantity | null;
  ownReorderPoint: Quantity | null;
  readonly itemSafetyStock: Quantity | null;
  readonly itemReorderPoint: Quantity | null;
  doubts: number;
  doubtful: Quantity;
  /** Set with the settings, which are read beside the balances. */
  lockPolicy: DiscrepancyLockPolicy;
  /** The open discrepancies of high severity. */
  doubtedBy: readonly string[];
  /** The open discrepancy that refused orders join. */
  attemptsDiscrepancyId: string | null;
  /** Whether on hand may be below zero; sellable counts as 0 then. */
  mayBeNegative: boolean;
  readonly tracking: Tracking;
  readonly costing: Costing;
  /** What one of those that came in last cost, as it was when the balance was locked; null = nothing ever came in. */
  readonly lastUnitCost: Money | null;
  /** What the item asks of its lots; null = as the organisation says. */
  readonly minRemainingShelfLifeDays: number | null;
  /** Whether available stock of it lies outside of the default bin or in lots. */
  hasQuants: boolean;
  /** The same, as it was when the balance was locked. */
  readonly hadQuants: boolean;
  /** Where in the warehouse it lies, as far as that was read. */
  readonly quants: Quants;
}

/** A line of a demand: `requested = reserved + backordered + fulfilled + closed + unheld`. */
export interface DemandLine {
  readonly lineNo: number;
  readonly itemId: string;
  /** The warehouse that the order asked for; null = ours to choose. */
  warehouseId: string | null;
  /** The lot that it must be of; null = any. */
  lot: string | null;
  /** A lot that expires sooner does not serve it; null = as item and organisation say. */
  minRemainingShelfLifeDays: number | null;
  requested: Quantity;
  /** The part of `requested` that was shipped, though the order does not ask for it, or not yet. */
  unasked: Quantity;
  reserved: Quantity;
  backordered: Quantity;
  fulfilled: Quantity;
  returned: Quantity;
  closed: Quantity;
  /** Asked for by a refused or expired demand; takes nothing from what is available. */
  unheld: Quantity;
  /** What was said last of its picking; null = nothing yet. */
  picked: PickedTotal | null;
}

/** What was picked of a line, what was shipped included. */
export interface PickedTotal {
  readonly quantity: Quantity;
  /** What there was to pick afterwards: as long as it is so much, the same total says nothing new. */
  readonly of: Quantity;
  /** What was not found where it was to be picked. */
  readonly missing: readonly MissingPart[];
}

/** What was missing at a place. */
export interface MissingPart {
  readonly warehouseId: string;
  /** `''` = none. */
  readonly lot: string;
  readonly location: string;
  readonly quantity: Quantity;
}

export type DemandState =
  /** Nothing is known of the order yet but, maybe, a shipment or a return of it. */
  | 'awaiting_order'
  | 'open'
  | 'refused'
  | 'expired'
  /** Cancelled; terminal. */
  | 'closed';

export interface Reservation {
  readonly reservationId: string;
  readonly lineNo: number;
  readonly warehouseId: string;
  readonly itemId: string;
  /** `''` = none. */
  readonly lot: string;
  readonly location: string;
  /** What was held when it was read; 0 of one that this batch makes. */
  readonly heldBefore: Quantity;
  quantity: Quantity;
  fulfilled: Quantity;
  status: 'active' | 'fulfilled' | 'released' | 'expired';
  readonly reservedAt: Date;
  closedAt: Date | null;
  releaseReason: string | null;
}

export interface Backorder {
  readonly orgId: string;
  readonly orderId: string;
  readonly lineNo: number;
  readonly warehouseId: string;
  readonly itemId: string;
  /** What waited when it was read; 0 of one that this batch makes. */
  readonly waitedBefore: Quantity;
  quantity: Quantity;
  priority: number;
  readonly acceptedAt: Date;
}

/** What an order wants and holds, locked. */
export interface Demand {
  readonly orgId: string;
  readonly orderId: string;
  state: DemandState;
  source: string | null;
  incomingSequence: number | null;
  incomingTime: Date | null;
  /** Up to which sequence every message about the order was heard. */
  seenSequence: number;
  /** Heard beyond that, ahead of messages that are still under way. */
  seenAhead: number[];
  sequence: number;
  firm: boolean;
  mode: 'all_or_nothing' | 'partial';
  priority: number;
  acceptedAt: Date;
  expiresAt: Date | null;
  approvalRequestId: string | null;
  /** Why the last totals were refused; null when they were accepted. */
  refusal: Refusal | null;
  /** The shipments, returns and inspections that were refused, by the sequence of their message. */
  readonly refusedMessages: (Refusal & { readonly sequence: number })[];
  lines: DemandLine[];
  /** The open ones, and those closed in this batch. */
  readonly reservations: Reservation[];
  readonly backorders: Backorder[];
}

export interface MovementHead {
  readonly orgId: string;
  readonly movementId: string;
  readonly movementType: string;
  readonly refType: string;
  /** By which the movement is recognised when it comes again. */
  readonly refId: string | null;
  /** The import that it is a part of: its ledger entries refer to that instead. */
  readonly importId?: string | undefined;
  readonly orderId: string | null;
  readonly reason: string | null;
  readonly actor: string | null;
  readonly fingerprint: string | null;
  /** What was posted, as the answer to a repeat tells it. */
  readonly lines: unknown;
  readonly occurredAt: Date;
}

export interface LedgerLine {
  readonly orgId: string;
  readonly warehouseId: string;
  readonly itemId: string;
  readonly entryNo: number;
  readonly movement: MovementHead;
  /** `''` = none. */
  readonly lot: string;
  readonly location: string;
  readonly quality: Quality;
  readonly quantityDelta: Quantity;
  readonly balanceAfter: Quantity;
  readonly unitCost: Quantity | null;
  /** What it adds to the value of the stock; null for what only moves or changes its quality. */
  readonly valueDelta: Money | null;
  /** Somebody should look at it: its value is a guess, say. */
  readonly flagged: boolean;
  /** The discrepancy that it answers to. */
  readonly discrepancyId: string | null;
  readonly producedAt: string | null;
  readonly expiresAt: string | null;
}

/** A batch of an item, or one piece of it with a serial number. */
export interface Lot {
  readonly orgId: string;
  readonly itemId: string;
  readonly lot: string;
  readonly producedAt: Date | null;
  readonly expiresAt: Date | null;
  recalledAt: Date | null;
  recallReason: string | null;
  /** Of a serial number: whether the piece is in some warehouse. */
  isStocked: boolean;
}

export interface ShipmentLine {
  readonly lineNo: number;
  readonly itemId: string;
  readonly warehouseId: string;
  /** `''` = none. */
  readonly lot: string;
  readonly location: string;
  readonly quantity: Quantity;
  /** What it cost, by the layers that it came from; empty where no costs were kept yet. */
  readonly cost: readonly CostPart[];
  /** What of it the customer sent back, and at which cost. */
  returned: Quantity;
  returnedValue: Money;
}

/** The cost of goods sold of a shipment line. */
export const cogsOf = (line: Pick<ShipmentLine, 'cost'>): Money => line.cost.reduce((sum, part) => sum + part.value, ZERO);

export interface PostedShipment {
  readonly orgId: string;
  readonly shipmentId: string;
  readonly orderId: string;
  readonly movementId: string;
  readonly fingerprint: string;
  status: 'posted' | 'cancelled';
  readonly lines: readonly ShipmentLine[];
}

export interface ReturnLine {
  readonly lineNo: number;
  readonly itemId: string;
  readonly warehouseId: string;
  readonly quantity: Quantity;
  /** `''` = none. */
  readonly lot: string;
  readonly location: string;
  readonly quality: Quality;
  readonly balanceAfter: Quantity;
  readonly value: Money;
  /** How much of a line in `pending_inspection` has its verdict. */
  inspected: Quantity;
}

export interface ReceivedReturn {
  readonly orgId: string;
  readonly returnId: string;
  readonly orderId: string;
  readonly movementId: string;
  readonly fingerprint: string;
  readonly lines: ReturnLine[];
  /** The inspections that were applied, by sequence or message id: an inspection has no id of its own. */
  readonly inspections: string[];
}

/** A warehouse as sourcing sees it, in the order in which a line without warehouse tries them. */
export interface WarehouseRef {
  readonly warehouseId: string;
  readonly priority: number;
}

// Ids contain no slash, so joining them with one is unambiguous.
export const balanceKey = (orgId: string, warehouseId: string, itemId: string) => `${orgId}/${warehouseId}/${itemId}`;
export const subjectKey = (orgId: string, id: string) => `${orgId}/${id}`;
/** How pieces of an item are told apart: not at all, by batch, or one by one. */
export type Tracking = 'none' | 'lot' | 'serial';

export const lotNameKey = (orgId: string, itemId: string, lot: string) => `${orgId}/${itemId}/${lot}`;
/** A bin, and what of an item or lot lies in it, whatever its quality. */
export const placeKey = (balance: string, { lot, location }: Pick<QuantKey, 'lot' | 'location'>) => `${balance}/${lot}/${location}`;
export const movementKey = (orgId: string, movementType: string, refId: string) => `${orgId}/${movementType}/${refId}`;

/** A hold that a fact could take away. */
export interface OpenHold {
  readonly demand: Demand;
  readonly reservation: Reservation;
}

/** What decides when a fact takes a hold away. */
export interface HoldTurn {
  readonly firm: boolean;
  readonly priority: number;
  readonly reservedAt: Date;
  readonly reservationId: string;
}

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

/** The stock state of an order, as every answer about it carries it. */
export function stockLines(demand: Demand): StockLine[] {
  return demand.lines.map((line) => ({
    lineNo: line.lineNo,
    itemId: line.itemId,
    requested: formatQuantity(line.requested),
    reserved: formatQuantity(line.reserved),
    backordered: formatQuantity(line.backordered),
    fulfilled: formatQuantity(line.fulfilled),
    returned: formatQuantity(line.returned),
    closed: formatQuantity(line.closed),
    unheld: formatQuantity(line.unheld),
  }));
}

export function emptyLine(lineNo: number, itemId: string, warehouseId: string | null): DemandLine {
  return {
    lineNo,
    itemId,
    warehouseId,
    lot: null,
    minRemainingShelfLifeDays: null,
    requested: ZERO,
    unasked: ZERO,
    reserved: ZERO,
    backordered: ZERO,
    fulfilled: ZERO,
    returned: ZERO,
    closed: ZERO,
    unheld: ZERO,
    picked: null,
  };
}

/** What of a line is still to be held: asked for, and neither shipped nor closed. */
export function openQuantity(line: DemandLine): Quantity {
  return line.requested - line.fulfilled - line.closed;
}

/** What of a reservation is still held. */
export function heldQuantity(reservation: Reservation): Quantity {
  return reservation.status === 'active' ? reservation.quantity - reservation.fulfilled : ZERO;
}

export function newReservation(
  lineNo: number,
  balance: Pick<Balance, 'warehouseId' | 'itemId'>,
  { lot, location }: Pick<QuantKey, 'lot' | 'location'>,
  quantity: Quantity,
  now: Date,
): Reservation {
  return {
    reservationId: uuidv7(),
    lineNo,
    warehouseId: balance.warehouseId,
    itemId: balance.itemId,
    lot,
    location,
    heldBefore: ZERO,
    quantity,
    fulfilled: ZERO,
    status: 'active',
    reservedAt: now,
    closedAt: null,
    releaseReason: null,
  };
}

/** Why a command was refused, with each line that was short. */
export interface Refusal {
  readonly reason: RefusalReason;
  readonly lines: readonly { lineNo: number; itemId: string; warehouseId: string | null; requested: string; available: string }[];
  /** Those that have to do with it. */
  readonly discrepancyIds?: readonly string[];
  /** What somebody may let through all the same. */
  readonly override?: Override;
}
