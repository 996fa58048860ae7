import { type MismatchKind, readFindingKey } from '#libs/contracts';
import { formatQuantity, type HoldfastError, maxQuantity, rejected, SCALE, sumQuantities, ZERO } from '#libs/domain';
import type { CommandMeta } from '../stock-machine/commands.js';
import { isLow, tellCrossing } from '../stock-machine/post-movement.js';
import { changeQuantity, changeReserved, quantAt } from '../stock-machine/balance-quants.js';
import type { Quality, QuantKey } from '../stock-machine/quants.js';
import { type Balance, balanceKey, lotNameKey, subjectKey } from '../stock-machine/balance.js';
import { type DemandLine, heldQuantity } from '../stock-machine/demand.js';
import { NeedsMore } from '../stock-machine/needs-more.js';
import type { StockState } from '../stock-machine/stock-state.js';
import type { Derived, DerivedCounters } from './derived-counters.js';
import type { Discrepancy, Rederived } from './discrepancy.js';

/** How a counter is set to what its records say. */
export interface Rederivation extends Rederived {
  /** What changes, beside that an audit record tells it. */
  readonly carryOut: (meta: CommandMeta) => void;
}

const RETURNED = 'it is not told what came back of which line and shipment; look at the returns of the order and its ledger entries';

/** What no record tells, and what to do instead. */
const NOT_DERIVED: Readonly<Record<string, string>> = {
  ledger_numbering: 'entries of the ledger are missing or were changed, and nothing else knows them; restore them from a backup',
  ledger_balance: 'an entry of the ledger was changed, and nothing else knows what it was; restore it from a backup',
  oversold: 'it is no counter; resolve the other findings of the item first, and if more is held than there is, cancel or amend orders',
  value_of_nothing: 'it is not told which layer is wrong; restore the cost layers of the item from a backup',
  orphan_reservation: 'a reservation is what counters are derived from; release it at the tables, as the operating guide says',
  returned: RETURNED,
  returned_shipment: RETURNED,
  return_record: RETURNED,
  shipped: 'it is not told which line of the order is wrong; look at its shipments and its ledger entries',
};
const BETWEEN_SERVICES = 'orders and inventory contradict each other; say the lines of the order again, or confirm it again';

/**
 * Plans to set a counter that a reconciliation found wrong to what its records add up to: reservations, backorders, transfers, discrepancies,
 * the ledger. Those stay as they are: only what is derived from them is ever changed. Changes nothing.
 *
 * @returns an error when no record tells it, when the records contradict each other as well, or when the books could not be right with it.
 * @throws NeedsMore when the records were not read.
 */
export function planRederivation(state: StockState, balance: Balance | null, found: Discrepancy): Rederivation | HoldfastError {
  const { kind, subject } = readFindingKey(found.findingKey ?? '');
  const refused = (why: string) => rejected('STOCK_VALIDATION', `nothing can be set right for discrepancy ${found.discrepancyId}: ${why}`);
  if (kind.startsWith('line_')) return planLine(state, found, kind, Number(subject), refused);
  if (!isOfBalance(kind)) return refused(NOT_DERIVED[kind] ?? BETWEEN_SERVICES);
  if (balance === null) return refused('the row of the balance is gone; restore it from a backup');
  const counters = state.derived.get(balance);
  if (counters === undefined) throw new NeedsMore({ derived: [balanceKey(balance.orgId, balance.warehouseId, balance.itemId)] });
  const contradiction = contradictionOf(kind, balance, counters);
  if (contradiction !== null) return refused(contradiction);
  if (kind === 'quant' || kind === 'quant_reserved') {
    const quality = kind === 'quant' ? (subject.slice(subject.lastIndexOf('/') + 1) as Quality) : 'available';
    return planQuant(state, balance, counters, kind, { lot: found.lot ?? '', location: found.location!, quality }, refused);
  }
  return planCounter(state, balance, counters, kind, refused);
}

/** Carries a plan out; answers what the record says of it. */
export function rederive(state: StockState, { counter, from, to, carryOut }: Rederivation, meta: CommandMeta): Rederived {
  carryOut(meta);
  state.revision++;
  return { counter, from, to };
}

type Refused = (why: string) => HoldfastError;

const OF_BALANCE = [
  'on_hand',
  'blocked',
  'quant',
  'ledger_value',
  'layer_quantity',
  'layer_value',
  'reserved',
  'quant_reserved',
  'backordered',
  'in_transit',
  'doubts',
] as const satisfies readonly MismatchKind[];
type OfBalance = (typeof OF_BALANCE)[number];
const isOfBalance = (kind: string): kind is OfBalance => (OF_BALANCE as readonly string[]).includes(kind);

const agrees = ({ expected, actual }: Derived) => expected === actual;
const BY_THE_LEDGER: ReadonlySet<OfBalance> = new Set(['on_hand', 'blocked', 'quant', 'ledger_value', 'layer_quantity', 'layer_value']);

/** Counters of what orders hold and wait for, and the finding that says that the lines of orders know it otherwise. */
const BY_HOLDS: Readonly<Partial<Record<OfBalance, string>>> = {
  reserved: 'line_reserved',
  quant_reserved: 'line_reserved',
  backordered: 'line_backordered',
};

/**
 * Why what the records say is not to be taken over: the ledger has gaps, or something else that was told the same contradicts them, so that
 * it may be they that are wrong. What is on hand is also told by the cost layers, these by what is on hand, and what is held by the orders.
 */
function contradictionOf(kind: OfBalance, { costing }: Balance, counters: DerivedCounters): string | null {
  const ofLines = BY_HOLDS[kind];
  if (ofLines !== undefined && counters.linesFound.includes(ofLines)) {
    return 'an order says something else than its reservations and backorders do, so that these may be wrong; resolve that finding first';
  }
  if (!BY_THE_LEDGER.has(kind)) return null;
  if (!counters.isLedgerWhole) return NOT_DERIVED['ledger_numbering']!;
  const { onHand, value, layerQuantity, layerValue } = counters;
  if (kind === 'layer_quantity' || kind === 'layer_value') {
    if (costing !== 'average')
      return 'of which receipts something is left is not told by the ledger; restore the cost layers from a backup';
    if (agrees(onHand) && agrees(value)) return null;
    return 'the balance contradicts the ledger as well, so that either may be wrong; restore what was changed from a backup';
  }
  if (agrees(kind === 'ledger_value' ? layerValue : layerQuantity)) return null;
  return 'the cost layers contradict the ledger as well, so that either may be wrong; restore what was changed from a backup';
}

const DERIVED: Readonly<Record<Exclude<OfBalance, 'quant' | 'quant_reserved'>, keyof Omit<DerivedCounters, NotCounters>>> = {
  on_hand: 'onHand',
  blocked: 'blocked',
  ledger_value: 'value',
  layer_quantity: 'layerQuantity',
  layer_value: 'layerValue',
  reserved: 'reserved',
  backordered: 'backordered',
  in_transit: 'inTransit',
  doubts: 'doubtful',
};
type NotCounters = 'hasAverageLayer' | 'isLedgerWhole' | 'linesFound' | 'quants' | 'corrected' | 'doubts';

/** A counter of the balance as a whole. Changed by the difference, so that what the batch has done to it before counts. */
function planCounter(
  state: StockState,
  balance: Balance,
  counters: DerivedCounters,
  kind: keyof typeof DERIVED,
  refused: Refused,
): Rederivation | HoldfastError {
  const { expected, actual } = counters[DERIVED[kind]];
  const by = counters.corrected.has(kind) ? ZERO : expected - actual;
  const after = { onHand: balance.onHand, blocked: balance.blocked, reserved: balance.reserved, mayBeNegative: balance.mayBeNegative };
  if (kind === 'on_hand' || kind === 'blocked' || kind === 'reserved') after[DERIVED[kind] as 'onHand' | 'blocked' | 'reserved'] += by;
  const impossible = impossibilityOf(after);
  if (impossible !== null) return refused(impossible);
  const carryOut = (meta: CommandMeta) => {
    if (counters.corrected.has(kind)) return;
    counters.corrected.add(kind);
    correct(state, balance, kind, counters, meta);
  };
  return { counter: kind, from: formatQuantity(actual), to: formatQuantity(expected), carryOut };
}

/** Why the balance could not be written so; null when it can. */
function impossibilityOf({ onHand, blocked, reserved, mayBeNegative }: Pick<Balance, 'onHand' | 'blocked' | 'reserved' | 'mayBeNegative'>) {
  const sellable = maxQuantity(onHand - blocked, ZERO);
  if (reserved > sellable) {
    const [held, there] = [formatQuantity(reserved), formatQuantity(sellable)];
    return `${held} would be held of ${there}; resolve the other findings of the item first, else cancel or amend orders until it fits`;
  }
  if (blocked < ZERO || (onHand < blocked && !mayBeNegative)) {
    return `${formatQuantity(blocked)} of ${formatQuantity(onHand)} would not be available; resolve the other findings of the item first`;
  }
  return null;
}

function correct(state: StockState, balance: Balance, kind: keyof typeof DERIVED, counters: DerivedCounters, meta: CommandMeta): void {
  const difference = ({ expected, actual }: Derived) => expected - actual;
  const by = difference(counters[DERIVED[kind]]);
  state.touchBalance(balance);
  const wasLow = isLow(state, balance);
  switch (kind) {
    case 'on_hand':
      balance.onHand += by;
      state.costOf(balance).correct(by, ZERO);
      if (balance.onHand >= balance.blocked) balance.mayBeNegative = false;
      tellCrossing(state, balance, wasLow, meta);
      break;
    case 'blocked':
    case 'reserved':
    case 'backordered':
      balance[kind] += by;
      break;
    case 'ledger_value':
      state.costOf(balance).correct(ZERO, by);
      break;
    case 'layer_quantity':
    case 'layer_value':
      // One row, which may not be worth something when it is empty: both of it at once.
      counters.corrected.add('layer_quantity').add('layer_value');
      state
        .costOf(balance)
        .correctAverage(difference(counters.layerQuantity), difference(counters.layerValue), state.now, !counters.hasAverageLayer);
      break;
    case 'in_transit':
      state.changeInTransit(balance, by);
      break;
    case 'doubts':
      balance.doubtful += by;
      balance.doubts += Number(difference(counters.doubts) / SCALE);
      break;
  }
}

/** How much lies, or is held, in a lot, bin and quality. */
function planQuant(
  state: StockState,
  balance: Balance,
  counters: DerivedCounters,
  kind: 'quant' | 'quant_reserved',
  key: QuantKey,
  refused: Refused,
): Rederivation | HoldfastError {
  const name = `${kind}/${key.lot}/${key.location}/${key.quality}`;
  const known = counters.quants.find(
    ({ lot, location, quality }) => lot === key.lot && location === key.location && quality === key.quality,
  );
  const now = quantAt(state, balance, key);
  const told = kind === 'quant' ? known?.quantity : known?.reserved;
  const { expected, actual } = told ?? { expected: now[QUANT[kind]], actual: now[QUANT[kind]] };
  const by = counters.corrected.has(name) ? ZERO : expected - actual;
  const after = { quantity: now.quantity, reserved: now.reserved };
  after[QUANT[kind]] += by;
  if (after.quantity < ZERO || after.reserved < ZERO || after.reserved > after.quantity) {
    const [held, there] = [formatQuantity(after.reserved), formatQuantity(after.quantity)];
    return refused(`${held} would be held of ${there} there; resolve the other findings of the item first, else cancel or amend orders`);
  }
  if (balance.tracking === 'serial' && after.quantity > SCALE) return refused('a piece would be there more than once; restore a backup');
  const expiresAt = state.lots.get(lotNameKey(balance.orgId, balance.itemId, key.lot))?.expiresAt ?? null;
  const carryOut = () => {
    counters.corrected.add(name);
    // No row is made where none is needed: it would not know when its lot expires.
    if (by === ZERO) return;
    state.touchBalance(balance);
    if (kind === 'quant') changeQuantity(state, balance, key, by, expiresAt, known?.receivedAt ?? state.now);
    else changeReserved(state, balance, key, by);
  };
  return { counter: kind, from: formatQuantity(actual), to: formatQuantity(expected), carryOut };
}

const QUANT = { quant: 'quantity', quant_reserved: 'reserved' } as const;

/** What a line says that it holds and waits for, which is its reservations and backorders; only when it adds up then. */
function planLine(
  state: StockState,
  { orgId, orderId }: Discrepancy,
  kind: string,
  lineNo: number,
  refused: Refused,
): Rederivation | HoldfastError {
  const key = subjectKey(orgId, orderId!);
  const demand = state.demands.get(key);
  if (demand === undefined) throw new NeedsMore({ demand: key });
  const line = demand.lines.find((known) => known.lineNo === lineNo);
  if (line === undefined || demand.state !== 'open') return refused(`order ${orderId} is not open, or has no line ${lineNo} any more`);
  const held = sumQuantities(demand.reservations, (row) => (row.lineNo === lineNo ? heldQuantity(row) : ZERO));
  const waiting = sumQuantities(demand.backorders, (row) => (row.lineNo === lineNo ? row.quantity : ZERO));
  const told = (of: Pick<DemandLine, 'reserved' | 'backordered'>) =>
    `${formatQuantity(of.reserved)} held, ${formatQuantity(of.backordered)} waiting`;
  if (held + waiting + line.fulfilled + line.closed + line.unheld !== line.requested) {
    const parts = told({ reserved: held, backordered: waiting });
    return refused(
      `with ${parts} line ${lineNo} would not add up to the ${formatQuantity(line.requested)} that it requests; see the operating guide`,
    );
  }
  const from = told(line);
  const carryOut = () => {
    line.reserved = held;
    line.backordered = waiting;
    state.touchDemand(demand);
  };
  return { counter: kind, from, to: told({ reserved: held, backordered: waiting }), carryOut };
}
