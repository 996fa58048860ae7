import type { RefusalReason, ShortLine } from '#libs/contracts';
import { formatQuantity, maxQuantity, minQuantity, parseQuantity, type Quantity, sumQuantities, ZERO } from '#libs/domain';
import { free } from '../availability/available-to-promise.js';
import type { Ship } from '../stock-machine/commands.js';
import { lotOrNull, movesAll, placeOf, planShorting, requireMovable } from '../stock-machine/holds.js';
import {
  FreeStock,
  freeQuants,
  isDetailed,
  lotKey,
  quantAt,
  quantsOfLot,
  requireAllFree,
  splitsPieces,
} from '../stock-machine/balance-quants.js';
import {
  DEFAULT_LOCATION,
  livesUntil,
  pickBefore,
  type PlacedPart,
  PLAIN,
  type Quant,
  type QuantKey,
  quantKey,
} from '../stock-machine/quants.js';
import type { Shortfall } from '../stock-machine/movement.js';
import { isLetPass, takeWhoeverHolds } from '../stock-machine/shortfalls.js';
import { type Balance, lotNameKey } from '../stock-machine/balance.js';
import { type Demand, heldQuantity, type OpenHold, type Refusal, type Reservation } from '../stock-machine/demand.js';
import { NeedsMore, requireEach } from '../stock-machine/needs-more.js';
import type { StockState } from '../stock-machine/stock-state.js';

/** What of a line leaves one balance: the order's own holds first, the rest from free stock. */
export interface Taking {
  readonly lineNo: number;
  readonly itemId: string;
  readonly balance: Balance;
  readonly fromHolds: readonly { reservation: Reservation; quantity: Quantity }[];
  /** The lots and bins that it leaves. */
  readonly picks: readonly PlacedPart[];
}

/** What a line wants beyond what the order holds and what is free. */
interface Missing extends Shortfall {
  readonly lineNo: number;
  readonly itemId: string;
}

/** From where the lines of a shipment come. */
export interface ShippingPlan {
  readonly takings: readonly Taking[];
  /** What of the order's holds ends by it. */
  readonly ended: ReadonlyMap<Reservation, Quantity>;
  /** What it takes beyond its own: of others' holds, or what is not there. */
  readonly shortfalls: readonly Shortfall[];
}

/** What is missing, and of which lines. */
export interface ShippingShortage {
  readonly shortfalls: readonly Shortfall[];
  readonly lines: readonly ShortLine[];
}

/**
 * Finds the stock for every line, all lines together: the order's own, then what is free; and where the phase lets it pass, what others
 * hold, and what is not there. Changes nothing.
 *
 * @throws NeedsMore when holds or places were not read.
 */
export function planTakings(state: StockState, demand: Demand, command: Ship): ShippingPlan | ShippingShortage | Refusal {
  requireEach(command.lines, (line) => {
    const asked = line.lot ?? demand.lines.find(({ lineNo }) => lineNo === line.lineNo)?.lot ?? null;
    const lots = line.lots?.map(({ lot }) => lot) ?? (asked === null ? [] : [asked]);
    if (lots.length > 0) requireLots(sourcesOf(state, demand, command, line), lots);
  });
  const planned = planLines(state, demand, command);
  if ('reason' in planned) return planned;
  const { takings, used, missing, short, homeless } = planned;
  const shortfalls = [...missing, ...homeless];
  if (shortfalls.length === 0) return { takings, ended: used.ofHolds, shortfalls };
  const lines = [...short, ...homeless.map(({ line }) => line)];
  if (!isLetPass(state, shortfalls)) return { shortfalls, lines };
  const more = takeAnyway(state, missing, takings, used);
  if (more === null) return { shortfalls, lines };
  requireEach(used.all(), ({ balance, quant, taken, given }) => requireMovable(state, balance, quant, taken, given));
  return { takings: [...takings, ...more], ended: used.ofHolds, shortfalls };
}

interface PlannedLines {
  readonly takings: readonly Taking[];
  readonly used: Used;
  readonly missing: readonly Missing[];
  readonly short: readonly ShortLine[];
  readonly homeless: readonly Homeless[];
}

/**
 * What every line takes of its own and of what is free. Where something is missing, no line takes what others hold and can hold nowhere else:
 * that is missing, too, and leaves more of what is free to the other lots.
 */
function planLines(state: StockState, demand: Demand, command: Ship): PlannedLines | Refusal {
  const most = new Map<string, Quantity>();
  for (;;) {
    const used = new Used(most);
    const planned = takeLines(state, demand, command, used);
    if ('reason' in planned) return planned;
    const homeless = displacing(state, planned.takings, used);
    const limited = planned.missing.length === 0 ? [] : homeless.filter(({ quantity }) => quantity > ZERO);
    if (limited.length === 0) return { ...planned, used, homeless };
    for (const { balance, quant, quantity } of limited) most.set(placeIn(balance, quant), used.at(balance, quant).taken - quantity);
  }
}

function takeLines(
  state: StockState,
  demand: Demand,
  command: Ship,
  used: Used,
): Pick<PlannedLines, 'takings' | 'missing' | 'short'> | Refusal {
  const takings: Taking[] = [];
  const missing: Missing[] = [];
  const short: ShortLine[] = [];
  // A line is about one item, in the order as within the shipment.
  const items = new Map([...command.lines, ...demand.lines].map((line) => [line.lineNo, line.itemId]));
  for (const line of command.lines) {
    const { lineNo, itemId } = line;
    const requested = formatQuantity(parseQuantity(line.quantity));
    const refused = (reason: RefusalReason, available = ZERO, warehouseId: string | null = null): Refusal => ({
      reason,
      lines: [{ lineNo, itemId, warehouseId, requested, available: formatQuantity(available) }],
    });
    if (state.unknownItems.has(`${command.orgId}/${itemId}`)) return refused('ITEM_NOT_FOUND');
    if (items.get(lineNo) !== itemId) return refused('INVALID_STATE');
    const sources = sourcesOf(state, demand, command, line);
    if (sources.length === 0) return refused('WAREHOUSE_NOT_FOUND');
    const asked = demand.lines.find((known) => known.lineNo === lineNo)?.lot ?? null;
    const parts = partsOf(line, asked);
    if (parts === null || parts.some((part) => splitsPieces(sources[0], part.quantity))) return refused('INVALID_STATE');
    const named = [line.lot, ...(line.lots ?? []).map((picked) => picked.lot)].filter((lot) => lot !== undefined);
    if (named.some((lot) => !state.lots.has(lotNameKey(command.orgId, itemId, lot)))) return refused('LOT_NOT_FOUND');
    let there = parseQuantity(line.quantity);
    for (const part of parts) {
      let open = part.quantity;
      for (const balance of sources) {
        const taking = planTaking(state, demand, line, balance, { ...part, quantity: open }, used);
        if (taking === null) continue;
        takings.push(taking);
        open -= sumQuantities(taking.picks, (pick) => pick.quantity);
        if (open === ZERO) break;
      }
      there -= open;
      if (open > ZERO) missing.push({ lineNo, itemId, balance: sources[0]!, ...part, quantity: open });
    }
    if (missing.some((one) => one.lineNo === lineNo)) short.push(...refused('INSUFFICIENT_STOCK', there, sources[0]!.warehouseId).lines);
  }
  return { takings, missing, short };
}

/** Takes what is missing from what others hold, then below zero; null when neither can be. */
function takeAnyway(state: StockState, missing: readonly Missing[], takings: readonly Taking[], used: Used): Taking[] | null {
  // Whoever holds there must be known, before it is told where it lies.
  requireEach(new Set(missing.map(({ balance }) => balance)), (balance) => {
    const own = takings.filter((taking) => taking.balance === balance);
    const leaving =
      sumQuantities(own, ({ picks }) => sumQuantities(picks, (pick) => pick.quantity)) +
      sumQuantities(missing, (one) => (one.balance === balance ? one.quantity : ZERO));
    planShorting(state, balance, balance.onHand - balance.blocked - leaving, used.ofHolds);
  });
  const more: Taking[] = [];
  for (const { lineNo, itemId, balance, quantity, ...place } of missing) {
    const picks = takeWhoeverHolds(state, balance, place, quantity, (quant) => used.at(balance, quant).taken);
    if (picks === null) return null;
    for (const { quant, quantity: taken } of picks) used.at(balance, quant).taken += taken;
    more.push({ lineNo, itemId, balance, fromHolds: [], picks });
  }
  return more;
}

/** Makes sure that lots were read wherever they may come from: all at once, for each asking takes a batch. */
function requireLots(sources: readonly Balance[], lots: readonly string[]): void {
  const unread = sources
    .filter(isDetailed)
    .flatMap((balance) => lots.filter((lot) => !balance.quants.hasLot(lot)).map((lot) => lotKey(balance, lot)));
  if (unread.length > 0) throw new NeedsMore({ lots: unread });
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

const placeIn = (balance: Balance, quant: QuantKey) => `${balance.warehouseId}/${balance.itemId}/${quantKey(quant)}`;

/** What the lines of a shipment that were planned before this one take. */
class Used {
  /** @param most how much of quants may be taken, where that is limited. */
  constructor(private readonly most: ReadonlyMap<string, Quantity> = new Map()) {}

  readonly ofHolds = new Map<Reservation, Quantity>();
  /** Of what no order holds, by balance. */
  readonly free = new Map<Balance, Quantity>();
  /** Of each quant, and how much of that nobody held. */
  private readonly quants = new Map<string, { balance: Balance; quant: QuantKey; taken: Quantity; free: Quantity; given: Quantity }>();

  at(balance: Balance, quant: QuantKey) {
    const key = placeIn(balance, quant);
    let used = this.quants.get(key);
    if (used === undefined) this.quants.set(key, (used = { balance, quant, taken: ZERO, free: ZERO, given: ZERO }));
    return used;
  }

  /** How much more of a quant may be taken. */
  left(balance: Balance, quant: Quant): Quantity {
    const most = this.most.get(placeIn(balance, quant)) ?? quant.quantity;
    return minQuantity(most, quant.quantity) - this.at(balance, quant).taken;
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
    const quantity = minQuantity(open, minQuantity(most, used.left(balance, quant)));
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

/** What others hold of a quant, and could hold nowhere else. */
interface Homeless extends Shortfall {
  readonly quant: QuantKey;
  readonly line: ShortLine;
}

/**
 * Where what is picked was held for others, their holds must find another place that serves them as well: what cannot is not taken from
 * them. Goes through them as {@link displace} will.
 *
 * @throws NeedsMore when they were not read.
 */
function displacing(state: StockState, takings: readonly Taking[], used: Used): Homeless[] {
  requireEach(used.all(), ({ balance, quant, taken, given }) => requireMovable(state, balance, quant, taken, given));
  const crowded = used.all().filter(({ balance, quant, taken, given }) => {
    if (!isDetailed(balance)) return false;
    const { quantity, reserved } = quantAt(state, balance, quant);
    return reserved - given > quantity - taken;
  });
  const short: Homeless[] = [];
  const left = new Map<Balance, FreeStock>();
  for (const { balance, quant, taken } of crowded) {
    const free = left.get(balance) ?? freeAfter(state, balance, used);
    left.set(balance, free);
    const heldAfter = ({ reservation }: OpenHold) => heldQuantity(reservation) - (used.ofHolds.get(reservation) ?? ZERO);
    if (movesAll(state, balance, quant, free, heldAfter)) continue;
    const { lineNo, itemId } = takings.find((taking) => taking.balance === balance)!;
    const homeless = maxQuantity(-free.freeAt(quant), ZERO);
    const available = formatQuantity(taken - homeless);
    const line = { lineNo, itemId, warehouseId: balance.warehouseId, requested: formatQuantity(taken), available };
    short.push({ balance, quantity: homeless, lot: lotOrNull(quant.lot), location: quant.location, quant, line });
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
