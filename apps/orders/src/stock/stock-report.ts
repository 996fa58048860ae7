import type {
  DataOf,
  HeldLine,
  MovementAnswer,
  Override,
  PickAnswer,
  RefusalReason,
  ReservationExpired,
  ResponseOf,
  ShortLine,
  StockDemand,
  StockLine,
  StockPicked,
  StockReservationFailed,
  StockReserved,
  StockReturned,
} from '#libs/contracts';
import { type HoldfastError, parseQuantity, type Quantity } from '#libs/domain';
import type { Hold, LineStock } from '../orders/order-state.js';
import type { Saying } from './outstanding.js';

/** Why inventory refused, as the caller and the audit trail are told. */
export interface Refusal {
  readonly reason: RefusalReason;
  /** Each line that was short, with what was available. */
  readonly lines: readonly ShortLine[];
  readonly discrepancyIds: readonly string[];
  readonly alternatives: NonNullable<ResponseOf<typeof StockDemand>['alternatives']>;
  /** What somebody may approve all the same; absent when nobody may. */
  readonly override?: Override;
  /** What exactly is wrong, for people. */
  readonly detail?: string;
  /** Inventory cannot read what it was told, and never will: where it is wrong. */
  readonly unreadable?: HoldfastError['details'];
}

/** What was physically moved. */
export interface MovedLine {
  readonly lineNo: number;
  readonly itemId: string;
  readonly warehouseId: string;
  readonly lot: string | null;
  readonly quantity: Quantity;
  readonly cogs: string | null;
  /** Of returned goods: `pending_inspection`, or what needs no inspection any more. */
  readonly quality: string | null;
}

/** What an event or an answer says beside the stock state: that something we said was done, or refused. */
export interface Answer {
  /** What it may be the answer to. */
  readonly to: readonly Saying[];
  /** The shipment or return that it is about; null for the order itself. */
  readonly subjectId: string | null;
  readonly refusal: Refusal | null;
  readonly moved: readonly MovedLine[];
  readonly cogsTotal: string | null;
  readonly pick?: PickReport;
}

/** What was picked, in totals, and what was missing where. */
export interface PickReport {
  readonly totals: readonly { readonly lineNo: number; readonly quantity: Quantity }[];
  readonly shortages: DataOf<typeof StockPicked>['shortages'];
}

/** What inventory says about an order, by event or by answer: its whole stock state, and what was new. */
export interface StockReport {
  /** Inventory's own count for the order; a report that is not newer than the last one says nothing about the stock state. */
  readonly sequence: number;
  readonly stock: readonly LineStock[];
  /** Everything that is held now; absent when the report does not say. */
  readonly holds?: readonly Hold[];
  /** What came to the holds (`+`) or left them (`-`), when the report says only that. */
  readonly holdChange?: { readonly sign: 1n | -1n; readonly lines: readonly Hold[] };
  readonly firm?: boolean;
  readonly expiresAt?: Date | null;
  readonly answer?: Answer;
}

const DEMANDS: readonly Saying[] = ['place', 'amend', 'confirm', 'cancel', 'approve', 'restore', 'reject'];
type Facts = Omit<StockReport, 'sequence' | 'stock'>;

interface MovementData {
  readonly shipmentId: string;
  readonly lines: MovementAnswer['lines'];
  readonly cogsTotal?: string | null;
}

/** `StockReserved`, `StockPartiallyReserved`. */
export function reserved(data: DataOf<typeof StockReserved>): Facts {
  return {
    holds: data.lines.map(toHold),
    firm: data.firm,
    expiresAt: toDate(data.expiresAt),
    answer: answerTo(['place', 'amend', 'confirm', 'approve', 'restore'], null),
  };
}

/** `StockReservationFailed`. */
export function reservationFailed(data: DataOf<typeof StockReservationFailed>): Facts {
  return { answer: { ...answerTo(DEMANDS, null), refusal: toRefusal(data) } };
}

/** `StockReleased`: after a cancellation, or after an amendment that wants less. */
export function released(data: DataOf<typeof ReservationExpired>): Facts {
  return { ...holdsChanged(data, -1n), answer: answerTo(['amend', 'cancel', 'restore', 'reject'], null) };
}

/** `ReservationExpired`, `BackorderFilled`, `ReservationShorted`: inventory's own doing, the answer to nothing. */
export function holdsChanged(data: { readonly lines: readonly Omit<HeldLine, 'reservationId'>[] }, sign: 1n | -1n): Facts {
  return { holdChange: { sign, lines: data.lines.map(toHold) } };
}

/** `StockDepleted`, `ShipmentReversed`. */
export function moved(to: 'ship' | 'unship', data: MovementData): Facts {
  return {
    holdChange: { sign: to === 'ship' ? -1n : 1n, lines: data.lines.map(toHold) },
    answer: { ...answerTo([to], data.shipmentId), moved: data.lines.map(toMoved), cogsTotal: data.cogsTotal ?? null },
  };
}

/** `StockPicked`. */
export function picked(data: PickData): Facts {
  const totals = data.picked.map(({ lineNo, quantity }) => ({ lineNo, quantity: parseQuantity(quantity) }));
  return { holds: data.lines.map(toHold), answer: { ...answerTo(['pick'], null), pick: { totals, shortages: data.shortages } } };
}
type PickData = Omit<DataOf<typeof StockPicked>, 'orderId' | 'stock'>;

/** `StockReturned`. */
export function returned(data: DataOf<typeof StockReturned>): Facts {
  return { answer: { ...answerTo(['receive'], data.returnId), moved: data.lines.map(toMoved) } };
}

/** `StockDepletionFailed`, `ShipmentReversalFailed`, `StockReturnFailed`, `StockPickFailed`. */
export function movementFailed(to: readonly Saying[], subjectId: string | null, data: RefusalData): Facts {
  return { answer: { ...answerTo(to, subjectId), refusal: toRefusal(data) } };
}

/** The answer to `stock.demand`. */
export function fromDemandAnswer(kind: Saying, answer: ResponseOf<typeof StockDemand>): StockReport {
  const refusal = answer.status === 'failed' ? toRefusal({ ...answer, lines: answer.shortLines ?? [] }) : null;
  return {
    sequence: answer.sequence,
    stock: answer.stock.map(toLineStock),
    holds: answer.lines.map(toHold),
    firm: answer.firm,
    expiresAt: toDate(answer.expiresAt),
    answer: { ...answerTo([kind], null), refusal },
  };
}

/** The answer to `stock.ship`, `stock.unship`, `stock.return` and `stock.inspect`. */
export function fromMovementAnswer(kind: Saying, subjectId: string, answer: MovementAnswer): StockReport {
  const done = answer.status === 'done';
  return {
    sequence: answer.sequence,
    stock: answer.stock.map(toLineStock),
    ...(done && (kind === 'ship' || kind === 'unship')
      ? { holdChange: { sign: kind === 'ship' ? -1n : 1n, lines: answer.lines.map(toHold) } as const }
      : {}),
    answer: {
      ...answerTo([kind], subjectId),
      refusal: done ? null : toRefusal({ ...answer, lines: answer.shortLines ?? [] }),
      moved: done ? answer.lines.map(toMoved) : [],
      cogsTotal: answer.cogsTotal ?? null,
    },
  };
}

/** The answer to `stock.pick`. */
export function fromPickAnswer(answer: PickAnswer): StockReport {
  const { answer: agreement, ...facts } = picked(answer);
  const refusal = answer.status === 'done' ? null : toRefusal({ ...answer, lines: answer.shortLines ?? [] });
  return { sequence: answer.sequence, stock: answer.stock.map(toLineStock), ...facts, answer: { ...agreement!, refusal } };
}

/** Inventory cannot read what it was told: nothing was done, and nothing ever will be. It says nothing of the stock. */
export function unreadable(kind: Saying, subjectId: string | null, { message, details }: HoldfastError): StockReport {
  const refusal: Refusal = {
    reason: 'INVALID_STATE',
    lines: [],
    discrepancyIds: [],
    alternatives: [],
    detail: message,
    unreadable: details,
  };
  return { sequence: 0, stock: [], answer: { ...answerTo([kind], subjectId), refusal } };
}

function answerTo(to: readonly Saying[], subjectId: string | null): Answer {
  return { to, subjectId, refusal: null, moved: [], cogsTotal: null };
}

interface RefusalData {
  readonly reason?: RefusalReason;
  readonly lines: readonly ShortLine[];
  readonly discrepancyIds?: readonly string[];
  readonly alternatives?: Refusal['alternatives'];
  readonly override?: Override;
  readonly detail?: string;
}

function toRefusal({ reason, lines, discrepancyIds = [], alternatives = [], override, detail }: RefusalData): Refusal {
  const said = { reason: reason ?? 'INSUFFICIENT_STOCK', lines, discrepancyIds, alternatives, ...(detail === undefined ? {} : { detail }) };
  return override === undefined ? said : { ...said, override };
}

function toHold(line: Omit<HeldLine, 'itemId' | 'reservationId'>): Hold {
  return { lineNo: line.lineNo, warehouseId: line.warehouseId, lot: line.lot, quantity: parseQuantity(line.quantity) };
}

function toMoved(line: MovementAnswer['lines'][number]): MovedLine {
  const { lineNo, itemId, warehouseId, lot, cogs = null, quality = null } = line;
  return { lineNo, itemId, warehouseId, lot, quantity: parseQuantity(line.quantity), cogs, quality };
}

/** Reads a line of `stock`. */
export function toLineStock(line: StockLine): LineStock {
  return {
    lineNo: line.lineNo,
    itemId: line.itemId,
    requested: parseQuantity(line.requested),
    reserved: parseQuantity(line.reserved),
    backordered: parseQuantity(line.backordered),
    fulfilled: parseQuantity(line.fulfilled),
    returned: parseQuantity(line.returned),
    closed: parseQuantity(line.closed),
    unheld: parseQuantity(line.unheld),
  };
}

function toDate(text: string | null): Date | null {
  return text === null ? null : new Date(text);
}
