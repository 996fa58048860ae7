import { maxQuantity, minQuantity, type Quantity, SCALE, sumQuantities, ZERO } from '#libs/domain';
import { type Balance, balanceKey } from './balance.js';
import { NeedsMore } from './needs-more.js';
import type { StockState } from './stock-state.js';
import {
  isPlain,
  livesUntil,
  type LotWish,
  NO_LOT,
  pickBefore,
  type PlacedPart,
  PLAIN,
  type Quant,
  type QuantKey,
  quantKey,
} from './quants.js';

const DAY_MS = 86_400_000;

/** Whether it matters where stock lies: the item is tracked, or some of it lies outside of the default bin. */
export function isDetailed(balance: Balance): boolean {
  return balance.tracking !== 'none' || balance.hasQuants;
}

/** The plain quant of a balance whose stored quants were all read. */
function plainQuant(balance: Balance): Quant {
  let quantity = balance.onHand;
  let reserved = balance.reserved;
  for (const quant of balance.quants.all()) {
    quantity -= quant.quantity;
    reserved -= quant.reserved;
  }
  return { ...PLAIN, quantity, reserved, expiresAt: null, receivedAt: OLDEST };
}
/** The default bin is emptied first. */
const OLDEST = new Date(0);

/** The quant with this key, zero when there is none. @throws NeedsMore when its lot was not read. */
export function quantAt(state: StockState, balance: Balance, key: QuantKey): Quant {
  if (isPlain(key)) {
    if (!isDetailed(balance))
      return { ...PLAIN, quantity: balance.onHand - balance.blocked, reserved: balance.reserved, expiresAt: null, receivedAt: OLDEST };
    requireLot(balance, NO_LOT);
    return plainQuant(balance);
  }
  // One that was read is known, though others of its lot were not.
  const known = balance.quants.get(key);
  if (known !== undefined) return known;
  requireLot(balance, key.lot);
  return { ...key, quantity: ZERO, reserved: ZERO, expiresAt: null, receivedAt: state.now };
}

/** Every quant of a lot, the plain one among those without. @throws NeedsMore when the lot was not read. */
export function quantsOfLot(state: StockState, balance: Balance, lot: string): Quant[] {
  requireLot(balance, lot);
  const stored = balance.quants.ofLot(lot);
  return lot === NO_LOT && balance.tracking === 'none' ? [quantAt(state, balance, PLAIN), ...stored] : stored;
}

export function requireLot(balance: Balance, lot: string): void {
  if (!balance.quants.hasLot(lot)) throw new NeedsMore({ balances: [keyOf(balance)], lots: [lotKey(balance, lot)] });
}

/** Makes sure that every quant that has something free is at hand. */
export function requireAllFree(balance: Balance): void {
  if (isDetailed(balance) && !balance.quants.isAllFreeRead) throw needsMoreQuants(balance);
}

/** That more of the free quants must be read. */
export function needsMoreQuants(balance: Balance): NeedsMore {
  const read = [...balance.quants.all()].length;
  return new NeedsMore({ balances: [keyOf(balance)], quantsPerBalanceMax: Math.max(50, read) * 10 });
}

const keyOf = (balance: Balance) => balanceKey(balance.orgId, balance.warehouseId, balance.itemId);
export const lotKey = (balance: Pick<Balance, 'orgId' | 'warehouseId' | 'itemId'>, lot: string) =>
  `${balanceKey(balance.orgId, balance.warehouseId, balance.itemId)}/${lot}`;

/** Until when a lot must live to serve a line: as the line asks, else its item, else its organisation. */
export function cutoffOf(state: StockState, balance: Balance, wish: LotWish): Date {
  const days =
    wish.minRemainingShelfLifeDays ?? balance.minRemainingShelfLifeDays ?? state.settingsOf(balance.orgId).minRemainingShelfLifeDays;
  return days === 0 ? state.now : new Date(state.now.getTime() + days * DAY_MS);
}

/** Of pieces with a serial number there is no half. */
export const splitsPieces = (balance: Pick<Balance, 'tracking'> | undefined, quantity: Quantity) =>
  balance?.tracking === 'serial' && quantity % SCALE !== ZERO;

/** As much of a quantity as can be had: of pieces with a serial number whole ones only. */
export const inPieces = (balance: Balance, quantity: Quantity) =>
  balance.tracking === 'serial' ? quantity - (quantity % SCALE) : quantity;

/** A place with something free in it. */
interface FreePlace {
  readonly quant: Quant;
  free: Quantity;
}

/**
 * What is free in a balance, place by place; a plan that gives back and takes several times keeps one and tells it. For balances of
 * which it matters where stock lies.
 */
export class FreeStock {
  private readonly places = new Map<string, FreePlace>();

  constructor(
    private readonly state: StockState,
    private readonly balance: Balance,
  ) {
    for (const quant of balance.quants.all()) if (quant.quality === 'available') this.add(quant);
    // What is plain can be told only from all that is not.
    if (balance.tracking === 'none') this.add(quantAt(state, balance, PLAIN));
  }

  private add(quant: Quant): FreePlace {
    const place = { quant, free: quant.quantity - quant.reserved };
    this.places.set(quantKey(quant), place);
    return place;
  }

  private at(key: QuantKey): FreePlace {
    return this.places.get(quantKey(key)) ?? this.add(quantAt(this.state, this.balance, key));
  }

  freeAt(key: QuantKey): Quantity {
    return this.at(key).free;
  }

  give(key: QuantKey, quantity: Quantity): void {
    this.at(key).free += quantity;
  }

  take(key: QuantKey, quantity: Quantity): void {
    this.at(key).free -= quantity;
  }

  /**
   * The places that may serve a line, first in turn first, as far as they were read.
   *
   * @throws NeedsMore when the lot that the line names was not read.
   */
  serving(wish: LotWish): readonly Readonly<FreePlace>[] {
    const cutoff = cutoffOf(this.state, this.balance, wish);
    const { lot } = wish;
    if (lot !== null) requireLot(this.balance, lot);
    return [...this.places.values()]
      .filter(({ quant, free }) => free > ZERO && livesUntil(quant, cutoff) && (lot === null ? this.isInTurn(quant) : quant.lot === lot))
      .sort((a, b) => pickBefore(a.quant, b.quant));
  }

  private isInTurn(quant: Quant): boolean {
    return this.balance.quants.isReadUpTo(quant);
  }

  /** How much of it may serve a line, as far as it was read. */
  fit(wish: LotWish): Quantity {
    return sumQuantities(this.serving(wish), ({ free }) => free);
  }

  /**
   * What of the free stock a line cannot have, because its lots have expired or live too short: `expired_or_too_old` of the calculation of
   * availability; null when too little was read to tell.
   */
  tooOldFor(wish: LotWish): Quantity | null {
    if (this.balance.tracking === 'none') return ZERO;
    const cutoff = cutoffOf(this.state, this.balance, wish);
    const read = [...this.places.values()].filter(({ quant, free }) => free > ZERO && this.isInTurn(quant));
    // What expires comes first in turn, so that what was read tells all of it as soon as something fit was read behind.
    if (!this.balance.quants.isAllFreeRead && !read.some(({ quant }) => livesUntil(quant, cutoff))) return null;
    return sumQuantities(read, ({ quant, free }) => (livesUntil(quant, cutoff) ? ZERO : free));
  }

  /**
   * Where a quantity for a line is to be held: first expired first out, in as many parts as it takes. Changes nothing.
   *
   * @throws NeedsMore when what was read is not enough and there is more.
   */
  place(quantity: Quantity, wish: LotWish): PlacedPart[] {
    const parts: PlacedPart[] = [];
    let open = quantity;
    for (const { quant, free } of this.serving(wish)) {
      if (open === ZERO) return parts;
      const part = minQuantity(open, free);
      parts.push({ quant, quantity: part });
      open -= part;
    }
    if (open === ZERO) return parts;
    if (wish.lot === null) requireAllFree(this.balance);
    throw new Error(`${quantity} of ${keyOf(this.balance)} was to be held, and ${open} of it cannot be placed`);
  }
}

/** What is free and alive now, first in turn first, as far as it was read. */
export function freeQuants(state: StockState, balance: Balance): Quant[] {
  return new FreeStock(state, balance).serving({ lot: null, minRemainingShelfLifeDays: 0 }).map(({ quant }) => quant);
}

/**
 * What somebody who waits can have now of what his balance offers; less where it matters of which lot it is and how long that lives.
 *
 * @returns also whether that is all; otherwise more must be read to tell.
 */
export function fitting(state: StockState, balance: Balance, offered: Quantity, wish: LotWish): { quantity: Quantity; isAll: boolean } {
  if (!isDetailed(balance)) return { quantity: offered, isAll: true };
  if (wish.lot !== null && !balance.quants.hasLot(wish.lot)) return { quantity: ZERO, isAll: false };
  const free = new FreeStock(state, balance);
  const tooOld = free.tooOldFor(wish);
  if (tooOld === null) return { quantity: ZERO, isAll: false };
  const most = maxQuantity(offered - tooOld, ZERO);
  const here = minQuantity(most, free.fit(wish));
  return { quantity: inPieces(balance, here), isAll: here === most || wish.lot !== null || balance.quants.isAllFreeRead };
}

/**
 * Where a quantity for a line is to be held: first expired first out, in as many parts as it takes. Changes nothing.
 *
 * @throws NeedsMore when what was read is not enough and there is more.
 */
export function allocate(state: StockState, balance: Balance, quantity: Quantity, wish: LotWish): PlacedPart[] {
  return isDetailed(balance) ? new FreeStock(state, balance).place(quantity, wish) : [{ quant: PLAIN, quantity }];
}

/** How much of a quantity could be placed for a line with what was read; for those who must not ask for more any more. */
export function placeable(state: StockState, balance: Balance, wish: LotWish): Quantity {
  if (!isDetailed(balance)) return balance.onHand - balance.blocked - balance.reserved;
  if (wish.lot !== null && !balance.quants.hasLot(wish.lot)) return ZERO;
  return new FreeStock(state, balance).fit(wish);
}

/** Notes how much is held of a quant. What is plain is held by the balance alone. */
export function changeReserved(state: StockState, balance: Balance, key: QuantKey, reserved: Quantity): void {
  if (isPlain(key)) return;
  // One of those that were read because they are free, or one of a lot that was read whole.
  if (balance.quants.get(key) === undefined) requireLot(balance, key.lot);
  balance.quants.change(key, { reserved }, { expiresAt: null, receivedAt: state.now });
}

/** Notes how much lies in a quant. What is plain is what the balance has beyond all others. */
export function changeQuantity(
  state: StockState,
  balance: Balance,
  key: QuantKey,
  quantity: Quantity,
  expiresAt: Date | null,
  receivedAt: Date = state.now,
): void {
  if (isPlain(key)) return;
  if (isDetailed(balance) && balance.quants.get(key) === undefined) requireLot(balance, key.lot);
  balance.quants.change(key, { quantity }, { expiresAt, receivedAt });
  // From now on it matters where the rest lies, too.
  if (key.quality === 'available') balance.hasQuants = true;
}
