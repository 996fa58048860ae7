import type { DemandLine } from '#libs/contracts';
import { parseQuantity, sumQuantities, ZERO } from '#libs/domain';
import {
  askPending,
  decisionDone,
  approvable,
  notRestored,
  overtaken,
  proceed,
  waitingFor,
  waitingNoMore,
} from '../approvals/approval.rules.js';
import { awaitedApproval } from '../approvals/order-approval.js';
import { type Hold, type LineStock, type OrderLine, type OrderState, saying, stockOf } from '../orders/order-state.js';
import { pickedAs } from '../orders/handling.rules.js';
import { statusFromStock } from '../orders/order-status.js';
import { inspect, receive, receivedAs } from '../returns/return.rules.js';
import { post, refuse, reverse } from '../shipments/shipment.rules.js';
import type { Blocked, Outstanding } from './outstanding.js';
import type { Answer, PickReport, Refusal, StockReport } from './stock-report.js';

/** What became of something that was outstanding. */
export interface Settled {
  readonly outstanding: Outstanding;
  /** Null = done. */
  readonly refusal: Refusal | null;
  /** What was missing when it was picked. */
  readonly shortages?: PickReport['shortages'];
}

export interface Applied {
  readonly order: OrderState;
  readonly settled: Settled | null;
}

/**
 * Applies what inventory says about an order, by event or by answer to a call, whichever comes first; the second, and whatever comes
 * late or twice, changes nothing. Three independent things are in a report:
 *
 * 1. the whole stock state: replaces the known one if inventory's sequence is higher;
 * 2. what was moved: its shipment or return takes it over once, however late it is heard;
 * 3. the answer to what is outstanding, if the report was made after we asked.
 *
 * The status follows from the stock state once the order itself has been answered. What is to be said next, because of an approval, is
 * outstanding then.
 *
 * @param asked the report is the answer to a call about what is outstanding.
 */
export function applyStockReport(order: OrderState, report: StockReport, now: Date, asked = false): Applied {
  if (order.status === 'refused' && order.outstanding === null) return { order, settled: null };
  const reported = withMovement(report.sequence > order.stockSequence ? withStock(order, report) : order, report.answer);
  const { outstanding } = order;
  if (outstanding === null || report.answer === undefined || !(asked || isAnswer(outstanding, report, report.answer))) {
    return { order: withStatus(reported, now), settled: null };
  }
  const { refusal, pick } = report.answer;
  const answered = { ...reported, outstanding: null };
  const settled = refusal === null ? finish(answered, outstanding, pick, now) : withdraw(answered, outstanding, refusal, now);
  return {
    order: proceed(withStatus(settled, now), now),
    settled: { outstanding, refusal, ...(pick === undefined ? {} : { shortages: pick.shortages }) },
  };
}

/**
 * Whether what inventory says by event is the answer to what is outstanding: it is about the same subject, it was said after we asked, and
 * inventory now has what we told it, or refused it.
 */
function isAnswer(outstanding: Outstanding, report: StockReport, answer: Answer): boolean {
  const isAbout = subjectOf(outstanding) === answer.subjectId && answer.to.includes(outstanding.kind);
  return isAbout && report.sequence > outstanding.since && (answer.refusal !== null || agrees(outstanding, report, answer.pick));
}

/** The shipment or return that something is about; null for the order itself. */
export function subjectOf(outstanding: Outstanding): string | null {
  if ('shipmentId' in outstanding.data) return outstanding.data.shipmentId;
  return 'returnId' in outstanding.data ? outstanding.data.returnId : null;
}

function agrees(outstanding: Outstanding, { stock, holds, firm, expiresAt }: StockReport, pick: PickReport | undefined): boolean {
  switch (outstanding.kind) {
    case 'place':
      return sameTotals(outstanding.data.lines, stock);
    case 'amend':
    case 'restore':
      return sameTotals(outstanding.data.lines, stock) && (holds ?? []).every((hold) => isWhereAsked(outstanding.data.lines, hold));
    case 'confirm':
      return firm === true;
    case 'approve':
      // What waited unheld is held or waits for stock, and a soft hold expires again.
      return (
        sameTotals(outstanding.data.lines, stock) &&
        stock.every((line) => line.unheld === ZERO) &&
        (firm === true || (expiresAt ?? null) !== null)
      );
    case 'cancel':
    case 'reject':
      return stock.every((line) => openOf(line) === ZERO);
    case 'pick':
      // Others may say what was picked for the order, too: a warehouse's system.
      return (outstanding.data.lines ?? []).every((line) => {
        return pick?.totals.some((total) => total.lineNo === line.lineNo && total.quantity === parseQuantity(line.quantity)) === true;
      });
    case 'ship':
    case 'unship':
    case 'receive':
    case 'inspect':
      return true;
  }
}

function sameTotals(wanted: readonly DemandLine[], stock: readonly LineStock[]): boolean {
  const totals = new Map(wanted.map((line) => [line.lineNo, line]));
  const matching = stock.filter((line) => {
    const asked = totals.get(line.lineNo);
    return asked !== undefined && asked.itemId === line.itemId && parseQuantity(asked.quantity) === line.requested;
  });
  // What inventory knows beyond that are dropped lines of which something was shipped.
  return matching.length === wanted.length && stock.every((line) => totals.has(line.lineNo) || openOf(line) === ZERO);
}

function isWhereAsked(wanted: readonly DemandLine[], hold: Hold): boolean {
  const line = wanted.find((candidate) => candidate.lineNo === hold.lineNo);
  return line === undefined || ((line.warehouseId ?? hold.warehouseId) === hold.warehouseId && (line.lot ?? hold.lot) === hold.lot);
}

function openOf(line: LineStock) {
  return line.requested - line.fulfilled - line.closed;
}

function withStock(order: OrderState, report: StockReport): OrderState {
  const { sequence, stock, holds = changedHolds(order.holds, report.holdChange) } = report;
  return {
    ...order,
    stockSequence: sequence,
    stock,
    holds: holds.filter((hold) => addsUp(holds, hold.lineNo, stock)),
    firm: report.firm ?? order.firm,
    expiresAt: report.expiresAt === undefined ? order.expiresAt : report.expiresAt,
  };
}

function changedHolds(holds: readonly Hold[], change: StockReport['holdChange']): readonly Hold[] {
  if (change === undefined) return holds;
  const changed = new Map(holds.map((hold) => [holdKey(hold), hold]));
  for (const line of change.lines) {
    const quantity = (changed.get(holdKey(line))?.quantity ?? ZERO) + change.sign * line.quantity;
    if (quantity > ZERO) changed.set(holdKey(line), { ...line, quantity });
    else changed.delete(holdKey(line));
  }
  return [...changed.values()];
}

function holdKey({ lineNo, warehouseId, lot }: Hold): string {
  return `${lineNo}/${warehouseId}/${lot ?? ''}`;
}

/** After a missed report the places of a line may no longer add up to what is reserved; then no places are better than wrong ones. */
function addsUp(holds: readonly Hold[], lineNo: number, stock: readonly LineStock[]): boolean {
  const held = sumQuantities(holds, (hold) => (hold.lineNo === lineNo ? hold.quantity : ZERO));
  return held === stockOf({ stock }, lineNo).reserved;
}

/** Hands what was moved to the shipment or return that it belongs to. */
function withMovement(order: OrderState, answer: Answer | undefined): OrderState {
  if (answer === undefined || answer.refusal !== null || answer.subjectId === null) return order;
  if (answer.to.includes('ship')) return post(order, answer.subjectId, answer);
  if (answer.to.includes('unship')) return reverse(order, answer.subjectId);
  if (answer.to.includes('receive')) return receive(order, answer.subjectId, answer.moved);
  return order;
}

/** What an agreement changes beside the stock state and what was moved. */
function finish(order: OrderState, outstanding: Outstanding, pick: PickReport | undefined, now: Date): OrderState {
  switch (outstanding.kind) {
    case 'place':
      return outstanding.blocked === undefined ? order : waitFor(order, outstanding, outstanding.blocked, now);
    case 'amend': {
      const amended = withLines(order, outstanding);
      return outstanding.blocked === undefined ? waitingNoMore(amended, now) : waitFor(amended, outstanding, outstanding.blocked, now);
    }
    case 'approve':
      return decisionDone(order);
    case 'restore':
      return decisionDone(withLines(order, outstanding));
    case 'reject': {
      const ended = { ...decisionDone(order), expiresAt: null, cancelReason: outstanding.data.reason ?? null };
      // Of what has left already the status tells more.
      return order.stock.some((line) => line.fulfilled > ZERO) ? ended : { ...ended, status: 'rejected', statusSince: now };
    }
    case 'confirm':
      return { ...order, firm: true, expiresAt: null, confirmedAt: order.confirmedAt ?? now };
    case 'cancel':
      return { ...order, expiresAt: null, cancelledAt: now, cancelReason: outstanding.data.reason ?? null };
    case 'pick':
      return pickedAs(order, pick?.totals ?? [], now);
    case 'inspect':
      return inspect(order, outstanding.data);
    case 'receive':
      return receivedAs(order, outstanding.data);
    case 'ship':
    case 'unship':
      return order;
  }
}

function waitFor(order: OrderState, { sequence, actor }: Outstanding, blocked: Blocked, now: Date): OrderState {
  return waitingFor(order, blocked, { version: sequence, requestedBy: actor }, now);
}

function withLines(order: OrderState, { data, unitPrices }: Outstanding & { kind: 'amend' | 'restore' }): OrderState {
  const lines = data.lines.map((line) => amendedLine(order, line, unitPrices[line.lineNo] ?? null));
  return { ...order, lines, lastLineNo: Math.max(order.lastLineNo, ...lines.map((line) => line.lineNo)) };
}

function amendedLine(order: OrderState, line: DemandLine, unitPrice: string | null): OrderLine {
  const { lineNo, itemId, warehouseId = null, lot = null } = line;
  const known = order.lines.find((candidate) => candidate.lineNo === lineNo);
  const { picked = null, packed = null } = known ?? {};
  return { lineNo, itemId, warehouseId, lot, quantity: parseQuantity(line.quantity), unitPrice, picked, packed };
}

/** What a refusal takes back, or makes to be said; everything else was never changed. */
function withdraw(order: OrderState, outstanding: Outstanding, refusal: Refusal, now: Date): OrderState {
  const again = approvable(outstanding, refusal);
  if (again !== null) return saying(order, askPending(order, again, refusal), outstanding, now);
  switch (outstanding.kind) {
    case 'place':
      return { ...order, status: 'refused', lines: [], stock: [], holds: [], expiresAt: null };
    case 'ship':
      return refuse(order, outstanding.data.shipmentId);
    case 'approve':
      return overtaken(order, refusal, outstanding.sequence, now);
    case 'restore':
      return notRestored(order);
    case 'reject':
      return decisionDone(order);
    default:
      return order;
  }
}

/** An order of which nothing is left to hold or to ship needs no approval. */
function withStatus(order: OrderState, now: Date): OrderState {
  if (order.status === 'refused' || order.status === 'rejected' || order.outstanding?.kind === 'place') return order;
  const isOver = order.stock.every((line) => openOf(line) === ZERO);
  if (isOver && awaitedApproval(order) !== null && order.outstanding?.kind !== 'reject') return withStatus(waitingNoMore(order, now), now);
  const status = awaitedApproval(order) === null ? statusFromStock(order) : 'pending_approval';
  return status === order.status ? order : { ...order, status, statusSince: now };
}
