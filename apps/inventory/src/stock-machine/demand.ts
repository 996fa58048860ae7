import type { Override, RefusalReason, StockLine } from '#libs/contracts';
import { formatQuantity, type Quantity, uuidv7, ZERO } from '#libs/domain';
import type { QuantKey } from './quants.js';
import type { Balance } from './balance.js';

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
  /** What exactly is wrong, for people, where the reason does not tell. */
  readonly detail?: string;
}
