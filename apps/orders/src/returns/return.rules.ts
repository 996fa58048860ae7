import type {
  DataOf,
  RequestOf,
  ReturnCancel,
  ReturnCreate,
  ReturnInspect,
  ReturnInspected,
  ReturnReceive,
  ReturnReceived,
} from '#libs/contracts';
import { conflict, formatQuantity, minQuantity, notFound, parseQuantity, type Quantity, rejected, sumQuantities, ZERO } from '#libs/domain';
import { digestOf } from '../digest.js';
import type { Decision } from '../orders/decision.js';
import { checkPieces, lineOf, type OrderState, stockOf } from '../orders/order-state.js';
import type { MovedLine } from '../stock/stock-report.js';
import { refundOf } from './refund.rules.js';
import { type CustomerReturn, inspectedQuantity, type ReturnLine } from './return-state.js';

type AuthoriseRequest = RequestOf<typeof ReturnCreate> & { readonly returnId: string };

/** What authorising needs to know beside the order. */
export interface ReturnTerms {
  /** Whether a refund above the stored line price is the caller's to grant. */
  readonly mayPrice: boolean;
  /** Of what is returned, the items of which there are only whole pieces. */
  readonly serialItems: ReadonlySet<string>;
}

/** What of a line was shipped and neither came back nor was authorised to: so much can still be returned. */
export function returnableQuantity(order: OrderState, lineNo: number): Quantity {
  const promised = sumQuantities(order.returns, (ret) =>
    sumQuantities(ret.lines, (line) => (line.lineNo === lineNo ? expectedQuantity(ret, line) : ZERO)),
  );
  return stockOf(order, lineNo).fulfilled - promised;
}

/** An authorised return counts with all that may still come, a received one with what came. */
function expectedQuantity(ret: CustomerReturn, line: ReturnLine): Quantity {
  if (ret.status === 'cancelled') return ZERO;
  return ret.status === 'authorised' ? line.quantity : line.received;
}

/**
 * Authorises a return: never more than was shipped.
 *
 * @throws {HoldfastError} 409 `ALREADY_EXISTS`, 422 `ORDER_VALIDATION`, 403 `FORBIDDEN`.
 */
export function decideAuthorise(order: OrderState, request: AuthoriseRequest, digest: string, terms: ReturnTerms, now: Date): Decision {
  const known = order.returns.find((ret) => ret.returnId === request.returnId);
  if (known !== undefined) {
    if (known.digest === digest) return { order };
    throw conflict('ALREADY_EXISTS', `Return ${request.returnId} exists already, with other content.`, { returnId: request.returnId });
  }
  const lines = request.lines.map((line): ReturnLine => {
    const ordered = lineOf(order, line.lineNo);
    const quantity = parseQuantity(line.quantity);
    if (terms.serialItems.has(ordered.itemId)) checkPieces(ordered.itemId, line.lineNo, quantity);
    return {
      lineNo: line.lineNo,
      itemId: ordered.itemId,
      lot: line.lot ?? null,
      quantity,
      received: ZERO,
      condition: line.condition,
      reason: line.reason,
      refund: refundOf(ordered, quantity, order.currency, line.refund, terms.mayPrice),
      verdicts: [],
    };
  });
  for (const lineNo of new Set(lines.map((line) => line.lineNo))) {
    const asked = sumQuantities(lines, (line) => (line.lineNo === lineNo ? line.quantity : ZERO));
    const returnable = returnableQuantity(order, lineNo);
    if (asked <= returnable) continue;
    throw rejected('ORDER_VALIDATION', `Only ${formatQuantity(returnable)} of line ${lineNo} can be returned; no more was shipped.`, {
      lines: [{ lineNo, requested: formatQuantity(asked), returnable: formatQuantity(returnable) }],
    });
  }
  const made = {
    returnId: request.returnId,
    status: 'authorised',
    digest,
    receivedDigest: null,
    warehouseId: null,
    createdAt: now,
  } as const;
  const authorised: CustomerReturn = { ...made, lines };
  return {
    order: { ...order, returns: [...order.returns, authorised] },
    audit: { type: 'return_authorised', details: { returnId: request.returnId, lines: request.lines } },
  };
}

/**
 * Receives a return, once: what did not come by then does not come with it. No lines = all that was authorised.
 *
 * @throws {HoldfastError} 404 `RETURN_NOT_FOUND`, 409 `INVALID_STATE`, 422 `ORDER_VALIDATION`.
 */
export function decideReceive(order: OrderState, request: RequestOf<typeof ReturnReceive>): Decision {
  const ret = findReturn(order, request.returnId);
  if (ret.status === 'cancelled') throw invalidState(ret, 'receive', 'authorised');
  const data = receiptOf(order, ret, request);
  if (ret.status !== 'authorised') {
    if (isReceivedAs(ret, data)) return { order };
    throw conflict('INVALID_STATE', `Return ${ret.returnId} was received already, with other content.`, {
      returnId: ret.returnId,
      status: ret.status,
    });
  }
  checkTotals(ret, data.lines, 'authorised', (line) => line.quantity);
  return { order, ask: { kind: 'receive', data } };
}

/** What a request says came in, with all that it leaves open. */
function receiptOf(order: OrderState, ret: CustomerReturn, request: RequestOf<typeof ReturnReceive>): Receipt {
  const warehouseId = request.warehouseId ?? ret.warehouseId ?? shippedFrom(order, ret);
  if (warehouseId === undefined) throw rejected('ORDER_VALIDATION', 'Say in `warehouseId` where the goods came in.');
  const lines = (request.lines ?? ret.lines.map(authorisedLine)).map((line) => {
    const authorised = ret.lines.filter((candidate) => candidate.lineNo === line.lineNo);
    const { condition = authorised[0]?.condition, lot } = line;
    return {
      lineNo: line.lineNo,
      itemId: lineOf(order, line.lineNo).itemId,
      quantity: line.quantity,
      ...(lot === undefined ? {} : { lot }),
      ...(condition === undefined ? {} : { condition }),
      ...(authorised[0] === undefined ? {} : { reason: authorised[0].reason }),
    };
  });
  return { returnId: ret.returnId, orderId: order.orderId, warehouseId, lines };
}

type Receipt = DataOf<typeof ReturnReceived>;

/** Of what another system told only warehouse and quantities are known. */
function isReceivedAs(ret: CustomerReturn, receipt: Receipt): boolean {
  if (ret.receivedDigest !== null) return ret.receivedDigest === receiptDigest(receipt);
  return ret.warehouseId === receipt.warehouseId && sameTotals(ret, receipt.lines);
}

/** Equal for what says the same, in whatever order of its lines. */
function receiptDigest({ warehouseId, lines }: Receipt): string {
  const said = lines.map(({ lineNo, quantity, lot, condition }) => digestOf('line', { lineNo, quantity, lot, condition }));
  return digestOf('receipt', { warehouseId, lines: said.sort() });
}

/** The return with what it was received as, so that a repeat is recognised. */
export function receivedAs(order: OrderState, receipt: Receipt): OrderState {
  const receivedDigest = receiptDigest(receipt);
  return { ...order, returns: order.returns.map((ret) => (ret.returnId === receipt.returnId ? { ...ret, receivedDigest } : ret)) };
}

/**
 * Takes back an authorisation of which nothing came in: what it was for can be authorised again, or its shipment cancelled.
 *
 * @throws {HoldfastError} 404 `RETURN_NOT_FOUND`, 409 `INVALID_STATE`.
 */
export function decideCancelReturn(order: OrderState, { returnId, reason }: RequestOf<typeof ReturnCancel>): Decision {
  const ret = findReturn(order, returnId);
  if (ret.status === 'cancelled') return { order };
  if (ret.status !== 'authorised') throw invalidState(ret, 'cancel', 'authorised');
  return {
    order: { ...order, returns: order.returns.map((other) => (other === ret ? { ...ret, status: 'cancelled' } : other)) },
    audit: { type: 'return_cancelled', details: { returnId, ...(reason === undefined ? {} : { reason }) } },
  };
}

function authorisedLine(line: ReturnLine) {
  const { lineNo, condition, lot } = line;
  return { lineNo, quantity: formatQuantity(line.quantity), condition, ...(lot === null ? {} : { lot }) };
}

function sameTotals(ret: CustomerReturn, lines: readonly { lineNo: number; quantity: string }[]): boolean {
  const received = (lineNo: number) => sumQuantities(ret.lines, (line) => (line.lineNo === lineNo ? line.received : ZERO));
  const asked = (lineNo: number) => sumQuantities(lines, (line) => (line.lineNo === lineNo ? parseQuantity(line.quantity) : ZERO));
  return [...ret.lines, ...lines].every(({ lineNo }) => received(lineNo) === asked(lineNo));
}

/** Goods come back to where they left from, unless somebody says otherwise. */
function shippedFrom(order: OrderState, ret: CustomerReturn): string | undefined {
  const shipped = order.shipments.filter((shipment) => shipment.status === 'posted').flatMap((shipment) => shipment.lines);
  return (
    shipped.find((line) => ret.lines.some(({ lineNo }) => lineNo === line.lineNo) && line.warehouseId !== null)?.warehouseId ?? undefined
  );
}

/**
 * Says what received goods are good for: never more than was received and not inspected yet.
 *
 * @throws {HoldfastError} 404 `RETURN_NOT_FOUND`, 409 `INVALID_STATE`, 422 `ORDER_VALIDATION`.
 */
export function decideInspect(order: OrderState, request: RequestOf<typeof ReturnInspect>): Decision {
  const ret = findReturn(order, request.returnId);
  if (ret.status !== 'received' && ret.status !== 'partially_inspected')
    throw invalidState(ret, 'inspect', 'received, partially_inspected');
  checkTotals(ret, request.lines, 'waiting for inspection', (line) => line.received - inspectedQuantity(line));
  const lines = request.lines.map(({ note, ...line }) => ({ ...line, ...(note === undefined || note === null ? {} : { note }) }));
  return { order, ask: { kind: 'inspect', data: { returnId: ret.returnId, orderId: order.orderId, lines } } };
}

function checkTotals(
  ret: CustomerReturn,
  lines: readonly { readonly lineNo: number; readonly quantity: string }[],
  what: string,
  roomOf: (line: ReturnLine) => Quantity,
): void {
  for (const lineNo of new Set(lines.map((line) => line.lineNo))) {
    const asked = sumQuantities(lines, (line) => (line.lineNo === lineNo ? parseQuantity(line.quantity) : ZERO));
    const room = sumQuantities(ret.lines, (line) => (line.lineNo === lineNo ? roomOf(line) : ZERO));
    if (asked <= room) continue;
    throw rejected('ORDER_VALIDATION', `Of line ${lineNo} of return ${ret.returnId} only ${formatQuantity(room)} is ${what}.`, {
      lines: [{ lineNo, requested: formatQuantity(asked), possible: formatQuantity(room) }],
    });
  }
}

export function findReturn(order: OrderState, returnId: string): CustomerReturn {
  const ret = order.returns.find((candidate) => candidate.returnId === returnId);
  if (ret === undefined) throw returnNotFound(returnId);
  return ret;
}

export function returnNotFound(returnId: string): Error {
  return notFound('RETURN_NOT_FOUND', `There is no return ${returnId}.`);
}

function invalidState(ret: CustomerReturn, action: string, allowed: string): Error {
  return conflict('INVALID_STATE', `Return ${ret.returnId} is ${ret.status}; to ${action} it, it must be ${allowed}.`, {
    returnId: ret.returnId,
    status: ret.status,
  });
}

/**
 * The goods came in, also of a cancelled return: they are there. What came in as anything but `pending_inspection` needs no inspection any
 * more.
 */
export function receive(order: OrderState, returnId: string, moved: readonly MovedLine[]): OrderState {
  return change(order, returnId, ['authorised', 'cancelled'], (ret) => {
    let { lines } = ret;
    for (const { lineNo, quantity, quality } of moved) {
      const verdicts = (part: Quantity) =>
        quality === null || quality === 'pending_inspection' ? [] : [{ verdict: quality, quantity: part, note: null }];
      lines = spread(
        lines,
        lineNo,
        quantity,
        (line) => line.quantity - line.received,
        (line, part) => ({ ...line, received: line.received + part, verdicts: [...line.verdicts, ...verdicts(part)] }),
      );
    }
    return { ...ret, warehouseId: moved[0]?.warehouseId ?? null, lines };
  });
}

/** The goods were inspected. */
export function inspect(order: OrderState, { returnId, lines: inspected }: DataOf<typeof ReturnInspected>): OrderState {
  return change(order, returnId, ['received', 'partially_inspected'], (ret) => {
    let { lines } = ret;
    for (const { lineNo, quantity, verdict, note = null } of inspected) {
      lines = spread(
        lines,
        lineNo,
        parseQuantity(quantity),
        (line) => line.received - inspectedQuantity(line),
        (line, part) => ({ ...line, verdicts: [...line.verdicts, { verdict, quantity: part, note }] }),
      );
    }
    return { ...ret, lines };
  });
}

/** Spreads a quantity over the lines of a return that are about the same line of the order, in their order. */
function spread(
  lines: readonly ReturnLine[],
  lineNo: number,
  quantity: Quantity,
  roomOf: (line: ReturnLine) => Quantity,
  put: (line: ReturnLine, part: Quantity) => ReturnLine,
): readonly ReturnLine[] {
  let rest = quantity;
  return lines.map((line) => {
    const part = line.lineNo === lineNo ? minQuantity(rest, roomOf(line)) : ZERO;
    rest -= part;
    return part > ZERO ? put(line, part) : line;
  });
}

function change(
  order: OrderState,
  returnId: string,
  from: readonly CustomerReturn['status'][],
  changed: (ret: CustomerReturn) => CustomerReturn,
): OrderState {
  const isIt = (ret: CustomerReturn) => ret.returnId === returnId && from.includes(ret.status);
  if (!order.returns.some(isIt)) return order;
  return {
    ...order,
    returns: order.returns.map((ret) => {
      if (!isIt(ret)) return ret;
      const next = changed(ret);
      return { ...next, status: statusOf(next) };
    }),
  };
}

/** The status of goods that came in. */
function statusOf({ lines }: CustomerReturn): CustomerReturn['status'] {
  const received = sumQuantities(lines, (line) => line.received);
  const inspected = sumQuantities(lines, inspectedQuantity);
  if (inspected === received) return 'completed';
  return inspected > ZERO ? 'partially_inspected' : 'received';
}
