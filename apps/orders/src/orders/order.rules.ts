import {
  type DemandLine,
  type Item,
  LINE_NO_MAX,
  type OrderCancel,
  type OrderCreate,
  type OrderUpdate,
  type RequestOf,
  type StockSettings,
} from '#libs/contracts';
import { conflict, formatQuantity, HoldfastError, invalid, notFound, parseQuantity, rejected } from '#libs/domain';
import type { Decision } from './decision.js';
import { checkMayPrice, Money, readMoney } from './money.js';
import { checkPieces, type OrderKey, type OrderLine, type OrderState, stockOf } from './order-state.js';
import { checkAction } from './order-status.js';

/** What deciding about lines needs to know beside the order. */
export interface Catalogue {
  readonly items: ReadonlyMap<string, Item>;
  readonly settings: Pick<StockSettings, 'currency' | 'reservationMode'>;
  /** Whether the caller may set a price that is not the item's. */
  readonly mayPrice: boolean;
}

type LineRequest = RequestOf<typeof OrderUpdate>['lines'][number];

const PRIORITY_DEFAULT = 50;

/**
 * Places an order under an id that is free, or that only refused attempts know. Lines are numbered from 1 in the order given.
 *
 * @param digest recognises the body: the same again answers the order as it is now.
 * @throws {HoldfastError} 409 `ALREADY_EXISTS`, 404 `ITEM_NOT_FOUND`, 422 `ORDER_VALIDATION`, 403 `FORBIDDEN`.
 */
export function decidePlace(
  key: OrderKey,
  existing: OrderState | null,
  request: RequestOf<typeof OrderCreate>,
  digest: string,
  catalogue: Catalogue,
  now: Date,
): Decision {
  if (existing !== null && existing.status !== 'refused') {
    if (existing.digest === digest) return { order: existing };
    throw conflict('ALREADY_EXISTS', `Order ${key.orderId} exists already, with other content.`, { orderId: key.orderId });
  }
  checkStorable(request);
  const currency = request.currency ?? currencyOf(request.lines, catalogue);
  const lines = request.lines.map((line, index) => newLine(line, index + 1, currency, catalogue));
  checkWhole(lines, catalogue);
  const order: OrderState = {
    ...key,
    status: 'reserving',
    statusSince: now,
    version: 0,
    sequence: existing?.sequence ?? 0,
    stockSequence: existing?.stockSequence ?? 0,
    firm: false,
    outstanding: null,
    approval: null,
    digest,
    customerId: request.customerId,
    customerContact: request.customerContact?.email === undefined ? null : { email: request.customerContact.email },
    reservationMode: request.reservationMode ?? catalogue.settings.reservationMode,
    priority: request.priority ?? PRIORITY_DEFAULT,
    minRemainingShelfLifeDays: request.minRemainingShelfLifeDays ?? null,
    requestedShipDate: request.requestedShipDate ?? null,
    shippingAddress: request.shippingAddress ?? null,
    currency,
    note: request.note ?? null,
    createdAt: now,
    updatedAt: now,
    confirmedAt: null,
    expiresAt: null,
    cancelledAt: null,
    cancelReason: null,
    lastLineNo: lines.length,
    lines,
    stock: [],
    holds: [],
    shipments: [],
    returns: [],
  };
  return { order, ask: { kind: 'place', data: demandOf(order, lines) } };
}

/**
 * Replaces the lines: a known `lineNo` is changed, a new one added, a missing one dropped; never below what was shipped. A known line
 * keeps its price, unless it gets another item or price.
 *
 * @throws {HoldfastError} 412 `VERSION_MISMATCH`, 409 `INVALID_STATE`, 404 `ITEM_NOT_FOUND`, 422 `ORDER_VALIDATION`, 403 `FORBIDDEN`.
 */
export function decideAmend(order: OrderState, request: RequestOf<typeof OrderUpdate>, catalogue: Catalogue): Decision {
  checkAction(order, 'amend');
  checkVersion(order, request.ifVersion);
  const numbered = numberLines(order, request.lines);
  const lines = numbered.map(({ line, lineNo }) => amendLine(order, line, lineNo, catalogue));
  checkWhole(lines, catalogue);
  for (const line of order.lines) checkNotBelowShipped(order, line, lines);
  if (sameDemand(order.lines, lines)) {
    const samePrices = lines.every((line) => line.unitPrice === order.lines.find(({ lineNo }) => lineNo === line.lineNo)?.unitPrice);
    return samePrices ? { order } : { order: { ...order, lines }, audit: { type: 'order_amended', details: { lines: request.lines } } };
  }
  const unitPrices = Object.fromEntries(lines.map((line) => [line.lineNo, line.unitPrice]));
  return { order, ask: { kind: 'amend', data: { ...demandOf(order, lines), firm: order.firm }, unitPrices } };
}

/** Makes the hold firm; an expired order holds again. @throws {HoldfastError} 409 `INVALID_STATE`. */
export function decideConfirm(order: OrderState): Decision {
  if (checkAction(order, 'confirm') === 'done') return { order };
  return { order, ask: { kind: 'confirm', data: demandOf(order, order.lines) } };
}

/** Gives back what is held and closes what was not shipped. @throws {HoldfastError} 409 `INVALID_STATE`. */
export function decideCancel(order: OrderState, { reason }: RequestOf<typeof OrderCancel>): Decision {
  if (checkAction(order, 'cancel') === 'done') return { order };
  return { order, ask: { kind: 'cancel', data: { orderId: order.orderId, ...(reason === undefined ? {} : { reason }) } } };
}

/** What an order with these lines wants of inventory. */
export function demandOf({ orderId, priority, reservationMode, minRemainingShelfLifeDays }: OrderState, lines: readonly OrderLine[]) {
  const shelfLife = minRemainingShelfLifeDays === null ? {} : { minRemainingShelfLifeDays };
  return { orderId, priority, reservationMode, ...shelfLife, lines: lines.map(demandLine) };
}

function demandLine({ lineNo, itemId, quantity, warehouseId, lot }: OrderLine): DemandLine {
  return {
    lineNo,
    itemId,
    quantity: formatQuantity(quantity),
    ...(warehouseId === null ? {} : { warehouseId }),
    ...(lot === null ? {} : { lot }),
  };
}

/** What inventory would be told is the same; only prices may differ. */
function sameDemand(before: readonly OrderLine[], after: readonly OrderLine[]): boolean {
  const text = (lines: readonly OrderLine[]) => JSON.stringify(lines.map(demandLine).sort((a, b) => a.lineNo - b.lineNo));
  return text(before) === text(after);
}

function checkVersion(order: OrderState, ifVersion: number | undefined): void {
  if (ifVersion === undefined || ifVersion === order.version) return;
  const message = `Order ${order.orderId} has version ${order.version}, not ${ifVersion}: read it again.`;
  throw new HoldfastError('precondition', 'VERSION_MISMATCH', message, { version: order.version });
}

/** Lines without number get the next ones that were never given. */
function numberLines(order: OrderState, lines: readonly LineRequest[]): { line: LineRequest; lineNo: number }[] {
  let last = Math.max(order.lastLineNo, ...lines.map((line) => line.lineNo ?? 0));
  const numbered = lines.map((line) => ({ line, lineNo: line.lineNo ?? ++last }));
  if (last > LINE_NO_MAX) {
    const message = `Line numbers go up to ${LINE_NO_MAX}, and none is left after the highest one: give each new line a \`lineNo\`.`;
    throw rejected('ORDER_VALIDATION', message);
  }
  const seen = new Set<number>();
  for (const { lineNo } of numbered) {
    if (seen.has(lineNo)) throw rejected('ORDER_VALIDATION', `Line ${lineNo} is given twice.`, { lineNo });
    seen.add(lineNo);
  }
  return numbered;
}

function amendLine(order: OrderState, line: LineRequest, lineNo: number, catalogue: Catalogue): OrderLine {
  const known = order.lines.find((candidate) => candidate.lineNo === lineNo && candidate.itemId === line.itemId);
  const keepsPrice = known !== undefined && (line.unitPrice === undefined || sameMoney(line.unitPrice, known.unitPrice));
  if (!keepsPrice)
    return { ...newLine(line, lineNo, order.currency, catalogue), picked: known?.picked ?? null, packed: known?.packed ?? null };
  return { ...known, quantity: parseQuantity(line.quantity), warehouseId: line.warehouseId ?? null, lot: line.lot ?? null };
}

function checkWhole(lines: readonly OrderLine[], { items }: Catalogue): void {
  for (const { itemId, lineNo, quantity } of lines) if (items.get(itemId)?.tracking === 'serial') checkPieces(itemId, lineNo, quantity);
}

function checkNotBelowShipped(order: OrderState, line: OrderLine, lines: readonly OrderLine[]): void {
  const { fulfilled } = stockOf(order, line.lineNo);
  const after = lines.find((candidate) => candidate.lineNo === line.lineNo && candidate.itemId === line.itemId);
  if ((after?.quantity ?? 0n) >= fulfilled) return;
  throw rejected('ORDER_VALIDATION', `Of line ${line.lineNo} ${formatQuantity(fulfilled)} was shipped already; it cannot be less.`, {
    lines: [{ lineNo: line.lineNo, itemId: line.itemId, fulfilled: formatQuantity(fulfilled) }],
  });
}

function newLine(line: LineRequest, lineNo: number, currency: string, catalogue: Catalogue): OrderLine {
  return {
    lineNo,
    itemId: line.itemId,
    warehouseId: line.warehouseId ?? null,
    lot: line.lot ?? null,
    quantity: parseQuantity(line.quantity),
    unitPrice: priceOf(line, lineNo, currency, catalogue),
    picked: null,
    packed: null,
  };
}

/** The item's price, null when it has none. Another one only from those who may set prices. */
function priceOf(line: LineRequest, lineNo: number, currency: string, { items, mayPrice }: Catalogue): string | null {
  const item = items.get(line.itemId);
  if (item === undefined) throw notFound('ITEM_NOT_FOUND', `There is no item ${line.itemId} (line ${lineNo}).`);
  // A price without currency is in whatever the order is in.
  const isComparable = item.currency === null || item.currency === currency;
  if (line.unitPrice === undefined) {
    if (isComparable || item.unitPrice === null) return item.unitPrice;
    const message = `Item ${line.itemId} is priced in ${item.currency}, the order is in ${currency}: give the unitPrice of line ${lineNo}.`;
    throw rejected('ORDER_VALIDATION', message, { lineNo });
  }
  if (isComparable && sameMoney(line.unitPrice, item.unitPrice)) return item.unitPrice;
  checkMayPrice(mayPrice, `The unitPrice of line ${lineNo} is not the price of item ${line.itemId}.`);
  return readMoney(line.unitPrice, currency, `The unitPrice of line ${lineNo}`).toFixed();
}

function sameMoney(a: string, b: string | null): boolean {
  return b !== null && new Money(a).equals(b);
}

/** The currency of the first item that has one, else the organisation's. */
function currencyOf(lines: readonly LineRequest[], { items, settings }: Catalogue): string {
  return lines.map((line) => items.get(line.itemId)?.currency ?? null).find((currency) => currency !== null) ?? settings.currency;
}

/** The schema of a message says nothing about what is inside an address; PostgreSQL takes no zero bytes, no lone surrogates, no year 0. */
function checkStorable({ shippingAddress, requestedShipDate }: RequestOf<typeof OrderCreate>): void {
  if (/\\u(0000|d[89a-f])/i.test(JSON.stringify(shippingAddress ?? {}).replaceAll('\\\\', ''))) {
    throw invalid('The shippingAddress has characters that cannot be stored.', [
      { path: 'shippingAddress', message: 'has control characters' },
    ]);
  }
  if (requestedShipDate?.startsWith('0000')) {
    throw invalid('The requestedShipDate is no date.', [{ path: 'requestedShipDate', message: 'must be a date' }]);
  }
}
