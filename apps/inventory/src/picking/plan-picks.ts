import type { ShortLine } from '#libs/contracts';
import { formatQuantity, minQuantity, parseQuantity, type Quantity, sumQuantities, ZERO } from '#libs/domain';
import type { ConfirmPick } from '../stock-machine/commands.js';
import { holdsAt, movesAll, placeOf, requireMovable } from '../stock-machine/holds.js';
import {
  cutoffOf,
  FreeStock,
  quantAt,
  quantsOfLot,
  isDetailed,
  requireAllFree,
  requireLot,
  splitsPieces,
} from '../stock-machine/balance-quants.js';
import { livesUntil, NO_LOT, pickBefore, type Quant, type QuantKey, quantKey } from '../stock-machine/quants.js';
import { type Balance, lotNameKey } from '../stock-machine/balance.js';
import { type Demand, type DemandLine, heldQuantity, type Refusal, type Reservation } from '../stock-machine/demand.js';
import { requireEach } from '../stock-machine/needs-more.js';
import type { StockState } from '../stock-machine/stock-state.js';

type Said = NonNullable<ConfirmPick['lines']>[number];

/** A part of a hold that goes to where it was really picked. */
export interface Move {
  readonly reservation: Reservation;
  readonly balance: Balance;
  readonly quant: QuantKey;
  readonly quantity: Quantity;
}

/** What becomes of the holds of a line. */
export interface LinePick {
  readonly line: DemandLine;
  /** Picked in all, what was shipped included. */
  readonly total: Quantity;
  readonly moves: readonly Move[];
  readonly missing: readonly { readonly reservation: Reservation; readonly balance: Balance; readonly quantity: Quantity }[];
}

/** A quantity that was picked, of a lot and from a bin where they are said. */
interface Part {
  /** Null = whichever was suggested. */
  readonly lot: string | null;
  readonly location: string | null;
  open: Quantity;
}

/** A hold of the line, and what of it is not accounted for yet. */
interface Open {
  readonly reservation: Reservation;
  readonly balance: Balance;
  readonly quant: Quant;
  /** It has not expired, and lives as long as the line wants. */
  readonly isAlive: boolean;
  left: Quantity;
}

/**
 * Finds for every line which holds were picked where they are, which go elsewhere, and what was missing; all lines together. Changes nothing.
 *
 * @throws NeedsMore when too little was read of where the goods lie, or of who holds there.
 */
export function planPicks(state: StockState, demand: Demand, command: ConfirmPick): LinePick[] | Refusal {
  const taken = new Taken();
  const picks: LinePick[] = [];
  const lines = command.lines ?? demand.lines.map((line) => ({ lineNo: line.lineNo, quantity: null }));
  const said = new Set<number>();
  requireEach(command.lines ?? [], (told) => requireLotsOf(state, demand, told));
  for (const told of lines) {
    const line = demand.lines.find((candidate) => candidate.lineNo === told.lineNo);
    if (line === undefined || said.has(told.lineNo)) return refusalOf('INVALID_STATE', told, line, ZERO);
    said.add(told.lineNo);
    const pick = planLine(state, demand, line, told, taken);
    if ('reason' in pick) return pick;
    picks.push(pick);
  }
  requireEach(
    [
      ...picks.flatMap(({ missing }) =>
        missing.map(
          ({ balance }) =>
            () =>
              requireAllFree(balance),
        ),
      ),
      ...taken.movedTo().map(
        ({ balance, quant, in: moved, out }) =>
          () =>
            requireMovable(state, balance, quant, moved, out),
      ),
    ],
    (require) => require(),
  );
  return displacing(state, demand, picks, taken) ?? picks;
}

/** Makes sure that the lots that are said of a line were read wherever it is held. @throws NeedsMore when they were not. */
function requireLotsOf(state: StockState, demand: Demand, { lineNo, lots = [] }: Said): void {
  const held = demand.reservations.filter((reservation) => reservation.lineNo === lineNo && heldQuantity(reservation) > ZERO);
  const balances = held.map(({ warehouseId, itemId }) => state.existingBalance(demand.orgId, warehouseId, itemId)).filter(isDetailed);
  requireEach(
    balances.flatMap((balance) => lots.map(({ lot = NO_LOT }) => ({ balance, lot }))),
    ({ balance, lot }) => requireLot(balance, lot),
  );
}

/** What the lines that were planned so far move away from places and to them. */
class Taken {
  private readonly quants = new Map<string, { balance: Balance; quant: QuantKey; in: Quantity; out: Quantity; isMissing: boolean }>();

  at(balance: Balance, quant: QuantKey) {
    const key = `${balance.warehouseId}/${balance.itemId}/${quantKey(quant)}`;
    let taken = this.quants.get(key);
    if (taken === undefined) this.quants.set(key, (taken = { balance, quant, in: ZERO, out: ZERO, isMissing: false }));
    return taken;
  }

  all() {
    return [...this.quants.values()];
  }

  movedTo() {
    return this.all().filter(({ in: moved }) => moved > ZERO);
  }
}

function planLine(
  state: StockState,
  demand: Demand,
  line: DemandLine,
  told: { readonly lineNo: number; readonly quantity: string | null; readonly lots?: Said['lots'] },
  taken: Taken,
): LinePick | Refusal {
  const holds = openHolds(state, demand, line);
  const suggested = sumQuantities(holds, (hold) => (hold.isAlive ? hold.left : ZERO));
  const total = told.quantity === null ? line.fulfilled + suggested : parseQuantity(told.quantity);
  const held = sumQuantities(holds, (hold) => hold.left);
  if (total < line.fulfilled) return refusalOf('INVALID_STATE', told, line, line.fulfilled);
  if (total > line.fulfilled + held) return refusalOf('INSUFFICIENT_STOCK', told, line, line.fulfilled + held);
  const said = [total, ...(told.lots ?? []).map(({ quantity }) => parseQuantity(quantity))];
  // Of a piece with a serial number no half is in anybody's hand.
  if (said.some((quantity) => splitsPieces(holds[0]?.balance, quantity))) {
    return { ...refusalOf('INVALID_STATE', told, line, line.fulfilled), detail: `Of line ${line.lineNo} only whole pieces can be picked.` };
  }
  const parts = partsInHand(state, demand, line, total, told.lots);
  if (parts === null) return refusalOf('INVALID_STATE', told, line, line.fulfilled);

  for (const part of parts) takeAsHeld(part, holds);
  const moves: Move[] = [];
  for (const part of parts) {
    if (part.open === ZERO) continue;
    if (part.lot === null) {
      const dead = holds.find(({ isAlive, left }) => !isAlive && left > ZERO);
      const detail = dead && tooOldFor(state, line, dead.balance, dead.quant);
      return { ...refusalOf('INSUFFICIENT_STOCK', told, line, line.fulfilled + suggested), ...detail };
    }
    // Who ordered one lot is not sent another.
    if (line.lot !== null && part.lot !== line.lot) return refusalOf('INVALID_STATE', told, line, ZERO);
    moves.push(...takeElsewhere(state, demand, line, { lot: part.lot, part }, holds, taken));
    if (part.open === ZERO) continue;
    const isKnown = part.lot === NO_LOT || state.lots.has(lotNameKey(demand.orgId, line.itemId, part.lot));
    const dead = lotQuantsOf(state, holds, part.lot).find(({ balance, quant }) => !livesUntil(quant, cutoffOf(state, balance, line)));
    const detail = dead && tooOldFor(state, line, dead.balance, dead.quant);
    return { ...refusalOf(isKnown ? 'INSUFFICIENT_STOCK' : 'LOT_NOT_FOUND', told, line, total - part.open), ...detail };
  }
  // The same total again, when nothing came to be picked since, says nothing new.
  const isRepeat = line.picked?.quantity === total && line.picked.of === line.fulfilled + line.reserved;
  const missing = holds.filter(({ isAlive, left }) => isAlive && left > ZERO && !isRepeat);
  for (const { balance, quant } of missing) taken.at(balance, quant).isMissing = true;
  return { line, total, moves, missing: missing.map(({ reservation, balance, left }) => ({ reservation, balance, quantity: left })) };
}

/** What a line holds, by warehouse, there what expires first at the top: the order of the pick list. */
function openHolds(state: StockState, demand: Demand, line: DemandLine): Open[] {
  const holds: Open[] = [];
  for (const reservation of demand.reservations) {
    const left = heldQuantity(reservation);
    if (reservation.lineNo !== line.lineNo || left === ZERO) continue;
    const balance = state.existingBalance(demand.orgId, reservation.warehouseId, reservation.itemId);
    const quant = quantAt(state, balance, placeOf(reservation));
    holds.push({ reservation, balance, quant, isAlive: livesUntil(quant, cutoffOf(state, balance, line)), left });
  }
  const byWarehouse = (a: Open, b: Open) =>
    Number(a.balance.warehouseId > b.balance.warehouseId) - Number(a.balance.warehouseId < b.balance.warehouseId);
  return holds.sort((a, b) => byWarehouse(a, b) || pickBefore(a.quant, b.quant));
}

/** What was picked and not shipped yet, by lot and bin; null when the parts do not add up, or more of a lot was shipped than is said. */
function partsInHand(state: StockState, demand: Demand, line: DemandLine, total: Quantity, lots: Said['lots']): Part[] | null {
  if (lots === undefined || lots.length === 0) return [{ lot: null, location: null, open: total - line.fulfilled }];
  const parts = lots.map(({ lot = NO_LOT, location = null, quantity }) => ({ lot, location, open: parseQuantity(quantity) }));
  if (sumQuantities(parts, (part) => part.open) !== total) return null;
  for (const shipped of shippedOf(state, demand, line)) {
    let rest = shipped.quantity;
    const ofLot = parts.filter((part) => part.lot === shipped.lot);
    for (const part of ofLot.sort((a, b) => Number(b.location === shipped.location) - Number(a.location === shipped.location))) {
      const quantity = minQuantity(rest, part.open);
      part.open -= quantity;
      rest -= quantity;
    }
    if (rest > ZERO) return null;
  }
  return parts;
}

function shippedOf(state: StockState, { orgId, orderId }: Demand, line: DemandLine) {
  return state
    .shipmentsOf(orgId, orderId)
    .filter((shipment) => shipment.status === 'posted')
    .flatMap((shipment) => shipment.lines)
    .filter((shipped) => shipped.lineNo === line.lineNo && shipped.itemId === line.itemId);
}

/** Where it was picked as it was held, nothing moves. */
function takeAsHeld(part: Part, holds: readonly Open[]): void {
  for (const hold of holds) {
    const { lot, location } = hold.reservation;
    const isThere = (part.lot ?? lot) === lot && (part.location ?? location) === location;
    if (!isThere || !hold.isAlive) continue;
    const quantity = minQuantity(part.open, hold.left);
    part.open -= quantity;
    hold.left -= quantity;
  }
}

/** From another lot or bin of a warehouse in which the line holds more than was found: first what is too old gives way, then the first in turn. */
function takeElsewhere(
  state: StockState,
  demand: Demand,
  line: DemandLine,
  { part, lot }: { readonly part: Part; readonly lot: string },
  holds: readonly Open[],
  taken: Taken,
): Move[] {
  const moves: Move[] = [];
  const givingWay = holds.toSorted((a, b) => Number(a.isAlive) - Number(b.isAlive));
  for (const balance of new Set(holds.map((hold) => hold.balance))) {
    if (part.open === ZERO || !givingWay.some((hold) => hold.balance === balance && hold.left > ZERO)) continue;
    const cutoff = cutoffOf(state, balance, line);
    const places = quantsOfLot(state, balance, lot).filter((quant) => quant.quality === 'available' && livesUntil(quant, cutoff));
    for (const quant of places.sort(pickBefore)) {
      if (part.location !== null && part.location !== quant.location) continue;
      const there = taken.at(balance, quant);
      const own = sumQuantities(holdsAt(state, balance, quant), ({ demand: holder, reservation }) =>
        holder === demand ? heldQuantity(reservation) : ZERO,
      );
      let room = quant.quantity - (own - there.out) - there.in;
      for (const hold of givingWay) {
        const quantity = minQuantity(minQuantity(part.open, room), hold.balance === balance ? hold.left : ZERO);
        if (quantity <= ZERO || quantKey(hold.quant) === quantKey(quant)) continue;
        moves.push({ reservation: hold.reservation, balance, quant, quantity });
        there.in += quantity;
        taken.at(balance, hold.quant).out += quantity;
        part.open -= quantity;
        hold.left -= quantity;
        room -= quantity;
      }
    }
  }
  return moves;
}

/**
 * Where what was picked was held for others, their holds must find another place that serves them as well: what cannot is not taken from
 * them. Where something was missing, nothing more is thought to be.
 */
function displacing(state: StockState, demand: Demand, picks: readonly LinePick[], taken: Taken): Refusal | null {
  const crowded = taken.movedTo().filter(({ balance, quant, in: moved, out }) => {
    const { quantity, reserved } = quantAt(state, balance, quant);
    return reserved - out + moved > quantity;
  });
  const left = new Map<Balance, FreeStock>();
  for (const { balance, quant } of crowded) {
    const free = left.get(balance) ?? freeAfter(state, balance, taken);
    left.set(balance, free);
    if (movesAll(state, balance, quant, free, (held) => (held.demand === demand ? ZERO : heldQuantity(held.reservation)))) continue;
    const { line, total } = picks.find((pick) =>
      pick.moves.some((move) => move.balance === balance && quantKey(move.quant) === quantKey(quant)),
    )!;
    return refusalOf('INSUFFICIENT_STOCK', { lineNo: line.lineNo, quantity: formatQuantity(total) }, line, total + free.freeAt(quant));
  }
  return null;
}

/** What is free in a balance when everything lies where it was picked; less than nothing where others' holds must move. */
function freeAfter(state: StockState, balance: Balance, taken: Taken): FreeStock {
  const free = new FreeStock(state, balance);
  for (const place of taken.all()) {
    if (place.balance !== balance) continue;
    free.give(place.quant, place.out - place.in);
    if (place.isMissing && place.in === ZERO) free.take(place.quant, free.freeAt(place.quant));
  }
  return free;
}

/** Where a lot lies in the warehouses that hold a line. */
function lotQuantsOf(state: StockState, holds: readonly Open[], lot: string) {
  return [...new Set(holds.map(({ balance }) => balance))].flatMap((balance) =>
    quantsOfLot(state, balance, lot).map((quant) => ({ balance, quant })),
  );
}

/** Says of a lot that has expired, or expires too soon, what is wanted instead. */
function tooOldFor(state: StockState, line: DemandLine, balance: Balance, { lot, expiresAt }: Quant): Pick<Refusal, 'detail'> {
  const until = cutoffOf(state, balance, line).toISOString();
  const detail = `Of line ${line.lineNo} lot ${lot} expires at ${expiresAt?.toISOString()}; it wants lots that live until ${until} at least.`;
  return { detail };
}

function refusalOf(
  reason: Refusal['reason'],
  told: { readonly lineNo: number; readonly quantity: string | null },
  line: DemandLine | undefined,
  available: Quantity,
): Refusal {
  const short: ShortLine = {
    lineNo: told.lineNo,
    itemId: line?.itemId ?? 'unknown',
    warehouseId: line?.warehouseId ?? null,
    requested: told.quantity === null ? '0' : formatQuantity(parseQuantity(told.quantity)),
    available: formatQuantity(available),
  };
  return { reason, lines: line === undefined ? [] : [short] };
}
