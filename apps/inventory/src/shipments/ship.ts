import { type MovementAnswer, type RefusalReason, type ShortLine, StockDepleted, StockDepletionFailed } from '#libs/contracts';
import { formatQuantity, maxQuantity, minQuantity, parseQuantity, type Quantity, sumQuantities, ZERO } from '#libs/domain';
import { fingerprint } from '../fingerprint.js';
import { free } from '../availability/available-to-promise.js';
import { answered, type Outcome, type Ship } from '../stock-machine/commands.js';
import { dequeue, displace, fulfil, lotOrNull, movesAll, placeOf, release, requireMovable } from '../stock-machine/holds.js';
import { mayComeTooEarly, noteMessage, wasOvertaken } from '../stock-machine/message-order.js';
import { changeOf, newMovement, postMovement, requireCosts, type StockChange } from '../stock-machine/post-movement.js';
import {
  FreeStock,
  freeQuants,
  isDetailed,
  livesUntil,
  lotKey,
  pickBefore,
  PLAIN,
  type PlacedPart,
  type Quant,
  quantAt,
  type QuantKey,
  quantKey,
  quantsOfLot,
  requireAllFree,
  splitsPieces,
} from '../stock-machine/quants.js';
import { isAwaitedByEvent, noteRefusal, refusedAnswer, refusedBefore } from '../stock-machine/refusals.js';
import {
  type Balance,
  cogsOf,
  DEFAULT_LOCATION,
  type Demand,
  type DemandLine,
  emptyLine,
  heldQuantity,
  lotNameKey,
  NeedsMore,
  type OpenHold,
  openQuantity,
  type PostedShipment,
  type Refusal,
  requireEach,
  type Reservation,
  type ShipmentLine,
  type StockState,
  stockLines,
  subjectKey,
} from '../stock-machine/stock-state.js';
import { requireOwnBalances, tellHolds } from '../reservations/set-demand.js';

/** What of a line leaves one balance: the order's own holds first, the rest from free stock. */
interface Taking {
  readonly lineNo: number;
  readonly itemId: string;
  readonly balance: Balance;
  readonly fromHolds: readonly { reservation: Reservation; quantity: Quantity }[];
  /** The lots and bins that it leaves. */
  readonly picks: readonly PlacedPart[];
}

/**
 * Posts what really left the warehouse, whether or not its order is known: takes the order's own hold first, then free stock, and never
 * another order's hold. Recognised for ever by `shipmentId` (docs/rules.md, "shipments").
 */
export function ship(state: StockState, command: Ship): Outcome<MovementAnswer> {
  const demand = state.demand(command.orgId, command.orderId);
  const print = fingerprint({ orderId: command.orderId, lines: command.lines, closeShortLines: command.closeShortLines });
  const known = state.shipments.get(subjectKey(command.orgId, command.shipmentId));
  if (known !== undefined) {
    if (known.fingerprint !== print) return refuse(state, demand, command, { reason: 'ALREADY_EXISTS', lines: [] });
    return repeat(state, demand, command, known);
  }
  const refusal = refusedBefore(demand, command.meta);
  if (refusal !== undefined) return repeatRefusal(state, demand, command, refusal);
  if (demand.state === 'closed' && !wasOvertaken(demand, command.meta)) {
    return refuse(state, demand, command, { reason: 'ORDER_CANCELLED', lines: [] });
  }
  const excess = exceedsRequested(demand, command);
  if (excess !== null) {
    if (mayComeTooEarly(demand, command.meta)) return { kind: 'too-early', waitingFor: `the amendment of order ${command.orderId}` };
    return refuse(state, demand, command, excess);
  }
  const takings = planTakings(state, demand, command);
  if ('reason' in takings) return refuse(state, demand, command, takings);
  requireOwnBalances(state, demand);
  requireCosts(state, changesOf(takings));

  // After this point it must succeed.
  noteMessage(demand, command.meta);
  const shipment = post(state, demand, command, takings, print);
  for (const lineNo of new Set(command.lines.map((line) => line.lineNo))) {
    settleLine(
      state,
      demand,
      demand.lines.find((line) => line.lineNo === lineNo)!,
      command.closeShortLines === true,
    );
  }
  const outcome = depleted(state, demand, command, shipment);
  // What is held of another lot than was shipped is not told by what was shipped.
  if (demand.state === 'open' && takings.some(isSwapped)) tellHolds(state, demand, command.meta);
  return outcome;
}

/** Whether something else was taken than what was held. */
function isSwapped({ fromHolds, picks }: Taking): boolean {
  const isHeld = ({ quant, quantity }: PlacedPart) =>
    fromHolds.some(
      (held) => held.reservation.lot === quant.lot && held.reservation.location === quant.location && held.quantity === quantity,
    );
  return fromHolds.length > 0 && !picks.every(isHeld);
}

/** More than the order still wants; what an unknown order wants, or one whose totals have changed since, is what it ships. */
function exceedsRequested(demand: Demand, command: Ship): Refusal | null {
  if (demand.state === 'awaiting_order' || wasOvertaken(demand, command.meta)) return null;
  const shipped = new Map<number, Quantity>();
  for (const line of command.lines) shipped.set(line.lineNo, (shipped.get(line.lineNo) ?? ZERO) + parseQuantity(line.quantity));
  const lines: ShortLine[] = [];
  for (const [lineNo, quantity] of shipped) {
    const asked = command.lines.find((line) => line.lineNo === lineNo)!;
    const known = demand.lines.find((line) => line.lineNo === lineNo && line.itemId === asked.itemId);
    const open = known === undefined ? ZERO : openQuantity(known);
    if (quantity > open) {
      lines.push({
        lineNo,
        itemId: asked.itemId,
        warehouseId: asked.warehouseId ?? command.warehouseId ?? null,
        requested: formatQuantity(quantity),
        available: formatQuantity(open),
      });
    }
  }
  return lines.length > 0 ? { reason: 'EXCEEDS_REQUESTED', lines } : null;
}

/** Finds the stock for every line, all lines together. Changes nothing. */
function planTakings(state: StockState, demand: Demand, command: Ship): Taking[] | Refusal {
  const takings: Taking[] = [];
  const used = new Used();
  const short: ShortLine[] = [];
  // A line is about one item, in the order as within the shipment.
  const items = new Map([...command.lines, ...demand.lines].map((line) => [line.lineNo, line.itemId]));
  for (const line of command.lines) {
    const requested = formatQuantity(parseQuantity(line.quantity));
    const refused = (reason: RefusalReason, available = ZERO, warehouseId: string | null = null): Refusal => ({
      reason,
      lines: [{ lineNo: line.lineNo, itemId: line.itemId, warehouseId, requested, available: formatQuantity(available) }],
    });
    if (state.unknownItems.has(`${command.orgId}/${line.itemId}`)) return refused('ITEM_NOT_FOUND');
    if (items.get(line.lineNo) !== line.itemId) return refused('INVALID_STATE');
    const sources = sourcesOf(state, demand, command, line);
    if (sources.length === 0) return refused('WAREHOUSE_NOT_FOUND');
    const asked = demand.lines.find(({ lineNo }) => lineNo === line.lineNo)?.lot ?? null;
    const parts = partsOf(line, asked);
    if (parts === null || parts.some((part) => splitsPieces(sources[0], part.quantity))) return refused('INVALID_STATE');
    let missing = ZERO;
    const named = [line.lot, ...(line.lots ?? []).map((picked) => picked.lot)].filter((lot) => lot !== undefined);
    if (named.some((lot) => !state.lots.has(lotNameKey(command.orgId, line.itemId, lot)))) return refused('LOT_NOT_FOUND');
    if (asked !== null && line.lots === undefined) requireLots(sources, line.lot ?? asked);
    for (const part of parts) {
      let open = part.quantity;
      for (const balance of sources) {
        const taking = planTaking(state, demand, line, balance, { ...part, quantity: open }, used);
        if (taking === null) continue;
        takings.push(taking);
        open -= sumQuantities(taking.picks, (pick) => pick.quantity);
        if (open === ZERO) break;
      }
      missing += open;
    }
    if (missing > ZERO) {
      short.push(...refused('INSUFFICIENT_STOCK', parseQuantity(line.quantity) - missing, sources[0]!.warehouseId).lines);
    }
  }
  if (short.length === 0) short.push(...displacing(state, takings, used));
  return short.length > 0 ? { reason: 'INSUFFICIENT_STOCK', lines: short } : takings;
}

/** Makes sure that a lot was read wherever it may come from: all at once, for each asking takes a batch. */
function requireLots(sources: readonly Balance[], lot: string): void {
  const unread = sources.filter((balance) => isDetailed(balance) && !balance.quants.hasLot(lot));
  if (unread.length > 0) throw new NeedsMore({ lots: unread.map((balance) => lotKey(balance, lot)) });
}

/** A quantity of a line, of the lot and from the bin that are named, if any are. */
interface Part {
  readonly lot: string | null;
  readonly location: string | null;
  readonly quantity: Quantity;
}

/** A line by its lots, as shipped, else as its order asks; null when these are not as many as the line says. */
function partsOf(line: Ship['lines'][number], asked: string | null): Part[] | null {
  const quantity = parseQuantity(line.quantity);
  if (line.lots === undefined || line.lots.length === 0) return [{ lot: line.lot ?? asked, location: null, quantity }];
  const parts = line.lots.map((picked) => ({
    lot: picked.lot,
    location: picked.location ?? null,
    quantity: parseQuantity(picked.quantity),
  }));
  return sumQuantities(parts, (part) => part.quantity) === quantity ? parts : null;
}

/** What the lines of a shipment that were planned before this one take. */
class Used {
  readonly ofHolds = new Map<Reservation, Quantity>();
  /** Of what no order holds, by balance. */
  readonly free = new Map<Balance, Quantity>();
  /** Of each quant, and how much of that nobody held. */
  private readonly quants = new Map<string, { balance: Balance; quant: QuantKey; taken: Quantity; free: Quantity; given: Quantity }>();

  at(balance: Balance, quant: QuantKey) {
    const key = `${balance.warehouseId}/${balance.itemId}/${quantKey(quant)}`;
    let used = this.quants.get(key);
    if (used === undefined) this.quants.set(key, (used = { balance, quant, taken: ZERO, free: ZERO, given: ZERO }));
    return used;
  }

  all() {
    return [...this.quants.values()];
  }

  of(balance: Balance) {
    return this.all().filter((used) => used.balance === balance);
  }
}

/** What one balance gives for a part of a line; null when it gives nothing. */
function planTaking(
  state: StockState,
  demand: Demand,
  { lineNo, itemId }: Ship['lines'][number],
  balance: Balance,
  part: Part,
  used: Used,
): Taking | null {
  const holds = ownHolds(demand, lineNo, balance, used.ofHolds);
  const held = sumQuantities(holds, (entry) => entry.quantity);
  const freeHere = free(balance) - (used.free.get(balance) ?? ZERO);
  const quantity = minQuantity(part.quantity, held + freeHere);
  if (quantity <= ZERO) return null;
  const picks = pickFrom(state, balance, { ...part, quantity }, holds, used);
  if (picks.length === 0) return null;
  // The holds where it is picked first, so that the other holds of the line need not move.
  const isPicked = (held: Reservation) => picks.some(({ quant }) => quant.lot === held.lot && quant.location === held.location);
  let rest = sumQuantities(picks, (pick) => pick.quantity);
  const fromHolds: { reservation: Reservation; quantity: Quantity }[] = [];
  for (const entry of holds.toSorted((a, b) => Number(isPicked(b.reservation)) - Number(isPicked(a.reservation)))) {
    const taken = minQuantity(rest, entry.quantity);
    if (taken <= ZERO) break;
    fromHolds.push({ reservation: entry.reservation, quantity: taken });
    used.ofHolds.set(entry.reservation, (used.ofHolds.get(entry.reservation) ?? ZERO) + taken);
    used.at(balance, placeOf(entry.reservation)).given += taken;
    rest -= taken;
  }
  used.free.set(balance, (used.free.get(balance) ?? ZERO) + rest);
  return { lineNo, itemId, balance, fromHolds, picks };
}

/** The lots and bins that a quantity leaves: those named; else where the line is held, then the first to expire of what is free. */
function pickFrom(
  state: StockState,
  balance: Balance,
  part: Part,
  holds: readonly { reservation: Reservation; quantity: Quantity }[],
  used: Used,
): PlacedPart[] {
  if (!isDetailed(balance))
    return part.location === null || part.location === DEFAULT_LOCATION ? [{ quant: PLAIN, quantity: part.quantity }] : [];
  const picks: PlacedPart[] = [];
  let open = part.quantity;
  const pick = (quant: Quant, most: Quantity, isFree: boolean) => {
    if (quant.quality !== 'available' || !livesUntil(quant, state.now)) return;
    const use = used.at(balance, quant);
    const quantity = minQuantity(open, minQuantity(most, quant.quantity - use.taken));
    if (quantity <= ZERO) return;
    picks.push({ quant, quantity });
    use.taken += quantity;
    if (isFree) use.free += quantity;
    open -= quantity;
  };
  if (part.lot !== null) {
    const isOwn = (quant: Quant) =>
      holds.some(({ reservation }) => reservation.lot === quant.lot && reservation.location === quant.location);
    const inTurn = quantsOfLot(state, balance, part.lot).sort((a, b) => Number(isOwn(b)) - Number(isOwn(a)) || pickBefore(a, b));
    for (const quant of inTurn) if (part.location === null || part.location === quant.location) pick(quant, quant.quantity, false);
    return picks;
  }
  for (const { reservation, quantity } of holds) pick(quantAt(state, balance, placeOf(reservation)), quantity, false);
  for (const quant of freeQuants(state, balance)) pick(quant, quant.quantity - quant.reserved - used.at(balance, quant).free, true);
  if (open > ZERO) requireAllFree(balance);
  return picks;
}

/**
 * Where what is picked was held for others, their holds must find another place that serves them as well: what cannot is not taken from
 * them. Goes through them as {@link displace} will.
 *
 * @throws NeedsMore when they were not read.
 */
function displacing(state: StockState, takings: readonly Taking[], used: Used): ShortLine[] {
  requireEach(used.all(), ({ balance, quant, taken, given }) => requireMovable(state, balance, quant, taken, given));
  const crowded = used.all().filter(({ balance, quant, taken, given }) => {
    if (!isDetailed(balance)) return false;
    const { quantity, reserved } = quantAt(state, balance, quant);
    return reserved - given > quantity - taken;
  });
  const short: ShortLine[] = [];
  const left = new Map<Balance, FreeStock>();
  for (const { balance, quant, taken } of crowded) {
    const free = left.get(balance) ?? freeAfter(state, balance, used);
    left.set(balance, free);
    const heldAfter = ({ reservation }: OpenHold) => heldQuantity(reservation) - (used.ofHolds.get(reservation) ?? ZERO);
    if (movesAll(state, balance, quant, free, heldAfter)) continue;
    const { lineNo, itemId } = takings.find((taking) => taking.balance === balance)!;
    const homeless = maxQuantity(-free.freeAt(quant), ZERO);
    const available = formatQuantity(taken - homeless);
    short.push({ lineNo, itemId, warehouseId: balance.warehouseId, requested: formatQuantity(taken), available });
  }
  return short;
}

/** What is free in a balance when the shipment has left; less than nothing where others' holds must move. */
function freeAfter(state: StockState, balance: Balance, used: Used): FreeStock {
  const free = new FreeStock(state, balance);
  for (const { quant, taken, given } of used.of(balance)) free.give(quant, given - taken);
  return free;
}

/**
 * The balances a line is taken from, in turn: the warehouse that the shipment names; else those that hold it, then the first by priority
 * that covers it, then the others.
 */
function sourcesOf(state: StockState, demand: Demand, command: Ship, line: Ship['lines'][number]): Balance[] {
  const named = line.warehouseId ?? command.warehouseId;
  if (named !== undefined) {
    const balance = state.balance(command.orgId, named, line.itemId);
    return balance === undefined ? [] : [balance];
  }
  const holding = demand.reservations
    .filter((reservation) => reservation.lineNo === line.lineNo && reservation.itemId === line.itemId && heldQuantity(reservation) > ZERO)
    .map((reservation) => state.existingBalance(command.orgId, reservation.warehouseId, line.itemId));
  const quantity = parseQuantity(line.quantity);
  const others: Balance[] = [];
  for (const { warehouseId } of state.warehousesOf(command.orgId)) {
    const balance = state.balances.get(`${command.orgId}/${warehouseId}/${line.itemId}`);
    if (balance !== undefined && !holding.includes(balance)) others.push(balance);
  }
  const covering = others.filter((balance) => free(balance) >= quantity).slice(0, 1);
  // Then the rest: what is free may be of another lot, or have expired.
  return [...new Set([...holding, ...covering, ...others])];
}

function ownHolds(demand: Demand, lineNo: number, balance: Balance, used: ReadonlyMap<Reservation, Quantity>) {
  return demand.reservations
    .filter((r) => r.lineNo === lineNo && r.warehouseId === balance.warehouseId && r.itemId === balance.itemId)
    .map((reservation) => ({ reservation, quantity: heldQuantity(reservation) - (used.get(reservation) ?? ZERO) }))
    .filter((entry) => entry.quantity > ZERO);
}

const changesOf = (takings: readonly Taking[]): StockChange[] =>
  takings.flatMap(({ balance, picks }) => picks.map(({ quant, quantity }) => changeOf(balance, quant, -quantity)));

function post(state: StockState, demand: Demand, command: Ship, takings: readonly Taking[], print: string): PostedShipment {
  for (const taking of takings) {
    for (const { reservation, quantity } of taking.fromHolds) fulfil(state, demand, reservation, quantity);
    let line = demand.lines.find((candidate) => candidate.lineNo === taking.lineNo);
    if (line === undefined) {
      line = emptyLine(taking.lineNo, taking.itemId, null);
      demand.lines.push(line);
    }
    line.fulfilled += sumQuantities(taking.picks, (pick) => pick.quantity);
  }
  state.touchDemand(demand);
  const movement = newMovement(
    {
      orgId: command.orgId,
      movementType: 'sale_shipment',
      refType: 'shipment',
      refId: command.shipmentId,
      orderId: command.orderId,
      fingerprint: print,
      lines: command.lines,
      ...(command.shippedAt === undefined ? {} : { occurredAt: new Date(command.shippedAt) }),
    },
    command.meta,
    state.now,
  );
  const posted = postMovement(state, movement, changesOf(takings), command.meta);
  for (const { balance, picks } of takings) {
    for (const { quant } of picks) {
      for (const moved of displace(state, balance, quant, 'shipped for another order', command.meta)) tellHolds(state, moved, command.meta);
    }
  }
  const lines = takings
    .flatMap(({ lineNo, itemId, balance, picks }) => picks.map((pick) => ({ lineNo, itemId, warehouseId: balance.warehouseId, ...pick })))
    .map(({ quant: { lot, location }, ...line }, index): ShipmentLine => {
      return { ...line, lot, location, cost: posted[index]!.parts, returned: ZERO, returnedValue: ZERO };
    });
  const shipment: PostedShipment = {
    orgId: command.orgId,
    shipmentId: command.shipmentId,
    orderId: command.orderId,
    movementId: movement.movementId,
    fingerprint: print,
    status: 'posted',
    lines,
  };
  state.shipments.set(subjectKey(command.orgId, command.shipmentId), shipment);
  state.changedShipments.add(shipment);
  return shipment;
}

/**
 * Makes a line's parts add up again after `fulfilled` rose: what was shipped from free stock no longer needs the hold or the place in the
 * queue that the line still has, and a short line is closed when the shipment says so.
 */
function settleLine(state: StockState, demand: Demand, line: DemandLine, closeShort: boolean): void {
  const unasked = line.fulfilled - line.requested;
  if (unasked > ZERO) {
    line.requested += unasked;
    line.unasked += unasked;
  }
  // What was closed short and yet shipped, by an overtaken shipment, is not closed.
  line.closed = minQuantity(line.closed, line.requested - line.fulfilled);
  if (demand.state === 'closed') {
    line.closed = line.requested - line.fulfilled;
    return;
  }
  let surplus = line.reserved + line.backordered + line.unheld - (closeShort ? ZERO : openQuantity(line));
  const fromUnheld = minQuantity(surplus, line.unheld);
  line.unheld -= fromUnheld;
  surplus -= fromUnheld;
  for (const backorder of demand.backorders.filter((candidate) => candidate.lineNo === line.lineNo)) {
    const quantity = minQuantity(surplus, backorder.quantity);
    dequeue(state, demand, backorder, quantity);
    surplus -= quantity;
  }
  for (const reservation of demand.reservations.filter((candidate) => candidate.lineNo === line.lineNo)) {
    const quantity = minQuantity(surplus, heldQuantity(reservation));
    release(state, demand, reservation, quantity, { status: 'released', reason: closeShort ? 'closed short' : 'shipped from elsewhere' });
    surplus -= quantity;
  }
  if (closeShort) line.closed = line.requested - line.fulfilled;
}

function depleted(state: StockState, demand: Demand, command: Ship, shipment: PostedShipment): Outcome<MovementAnswer> {
  const told = shippedLines(shipment);
  state.emitAboutOrder(StockDepleted, demand, command.meta, { shipmentId: command.shipmentId, orderId: command.orderId, ...told });
  return answered({ status: 'done', sequence: demand.sequence, stock: stockLines(demand), ...told });
}

/** The same shipment again: a call is answered; an event of an outsider is answered by its event. */
function repeat(state: StockState, demand: Demand, command: Ship, shipment: PostedShipment): Outcome<MovementAnswer> {
  if (isAwaitedByEvent(command.meta)) return depleted(state, demand, command, shipment);
  return answered({ status: 'done', sequence: demand.sequence, stock: stockLines(demand), ...shippedLines(shipment) });
}

/** The lines of a shipment with their cost of goods sold. */
function shippedLines(shipment: PostedShipment) {
  const lines = shipment.lines.map((line) => ({
    lineNo: line.lineNo,
    itemId: line.itemId,
    warehouseId: line.warehouseId,
    lot: lotOrNull(line.lot),
    quantity: formatQuantity(line.quantity),
    cogs: formatQuantity(cogsOf(line)),
  }));
  return { lines, cogsTotal: formatQuantity(sumQuantities(shipment.lines, cogsOf)) };
}

function refuse(state: StockState, demand: Demand, command: Ship, refusal: Refusal): Outcome<MovementAnswer> {
  noteRefusal(demand, command.meta, refusal);
  return refused(state, demand, command, refusal);
}

/** The same refused message again is not decided anew. */
function repeatRefusal(state: StockState, demand: Demand, command: Ship, refusal: Refusal): Outcome<MovementAnswer> {
  return isAwaitedByEvent(command.meta) ? refused(state, demand, command, refusal) : answered(refusedAnswer(demand, refusal));
}

function refused(state: StockState, demand: Demand, command: Ship, refusal: Refusal): Outcome<MovementAnswer> {
  state.emitAboutOrder(StockDepletionFailed, demand, command.meta, {
    shipmentId: command.shipmentId,
    orderId: command.orderId,
    reason: refusal.reason,
    lines: [...refusal.lines],
    discrepancyIds: [],
  });
  return answered(refusedAnswer(demand, refusal));
}
