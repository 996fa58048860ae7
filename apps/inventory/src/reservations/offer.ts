import { isQuantity, maxQuantity, minQuantity, type Quantity, sumQuantities, ZERO } from '#libs/domain';
import { discrepancyHold, safetyStock, sellable } from '../availability/available-to-promise.js';
import { placeOf } from '../stock-machine/holds.js';
import { cutoffOf, FreeStock, inPieces, isDetailed, needsMoreQuants, quantAt, requireAllFree } from '../stock-machine/balance-quants.js';
import { livesUntil, type PlacedPart, quantKey } from '../stock-machine/quants.js';
import type { Balance } from '../stock-machine/balance.js';
import { type Demand, heldQuantity, type Reservation } from '../stock-machine/demand.js';
import type { StockState } from '../stock-machine/stock-state.js';

/** What a line of the command asks for, after it was matched with what is known of it. */
export interface WantedLine {
  readonly lineNo: number;
  readonly itemId: string;
  readonly warehouseId: string | null;
  readonly lot: string | null;
  readonly minRemainingShelfLifeDays: number | null;
  /** What is asked for; what was shipped of it, if that is more. */
  readonly requested: Quantity;
  readonly unasked: Quantity;
}

/**
 * Up to where a balance offers stock: what can be promised; that and what open discrepancies keep back; all that nobody holds, whatever
 * safety stock, discrepancies and queue say.
 */
export type OfferLimit = 'promise' | 'despite doubts' | 'free';

/** How a balance stands for the order before anything is taken, and what is taken. */
interface Standing {
  /** What the order gives back there. */
  readonly given: readonly [Reservation, Quantity][];
  readonly back: Quantity;
  /** What nobody holds, with what the order gives back. */
  readonly free: Quantity;
  /** What of it can be promised; may be less than nothing. */
  readonly promise: Quantity;
  taken: Quantity;
  /** The same by lot and bin, where that matters and was asked for. */
  detail: DetailedOffer | null;
}

/** What of a line is to be held on a balance. */
export interface Take {
  readonly balance: Balance;
  readonly quantity: Quantity;
  /** The lots and bins, where it matters. */
  readonly parts?: readonly PlacedPart[];
}

/**
 * What a balance offers to this order while its plan is made: its own holds and its own place in the queue do not stand in its way. What
 * the order gives back there it may take again, for another line say, whatever has become of safety stock and queue since it was held.
 */
export class Offer {
  private readonly standings = new Map<Balance, Standing>();
  /** How much waits where the plan lets something wait. */
  private waits: Map<Balance, Quantity> | null = null;

  constructor(
    private readonly state: StockState,
    private readonly demand: Demand,
    private readonly kept: ReadonlyMap<Reservation, Quantity>,
  ) {}

  /** @throws NeedsMore when too little was read of where in its warehouse the stock lies. */
  of(balance: Balance, line: WantedLine, limit: OfferLimit = 'promise'): Quantity {
    const { free, promise, back, taken } = this.at(balance);
    const promised = limit === 'promise' ? promise : limit === 'free' ? free : promise + discrepancyHold(balance);
    if (isDetailed(balance)) return this.inDetail(balance).of(line, promised);
    return maxQuantity(promised, back) - taken;
  }

  take(balance: Balance, line: WantedLine, quantity: Quantity): Take {
    if (isDetailed(balance)) return { balance, quantity, parts: this.inDetail(balance).take(line, quantity) };
    this.at(balance).taken += quantity;
    return { balance, quantity };
  }

  /** Lets more wait there; false when it would be too much to stay in range (see `staysInRange`). */
  wait(balance: Balance, quantity: Quantity): boolean {
    this.waits ??= new Map();
    const waits = (this.waits.get(balance) ?? balance.backordered - this.ownWaiting(balance)) + quantity;
    this.waits.set(balance, waits);
    return isQuantity(balance.onHand + waits);
  }

  private inDetail(balance: Balance): DetailedOffer {
    const standing = this.at(balance);
    if (standing.detail === null) {
      if (standing.given.length > 0) requireAllFree(balance);
      standing.detail = new DetailedOffer(this.state, balance, standing.given);
    }
    return standing.detail;
  }

  /** Promised is what lies above the safety stock, is not in doubt, and for which nobody else waits. */
  private at(balance: Balance): Standing {
    let standing = this.standings.get(balance);
    if (standing === undefined) {
      const given = this.givenBackAt(balance);
      const back = sumQuantities(given, ([, quantity]) => quantity);
      const free = sellable(balance) - (balance.reserved - back);
      const othersWait = balance.backordered - this.ownWaiting(balance);
      const promise = free - safetyStock(balance) - discrepancyHold(balance) - othersWait;
      this.standings.set(balance, (standing = { given, back, free, promise, taken: ZERO, detail: null }));
    }
    return standing;
  }

  private ownWaiting(balance: Balance): Quantity {
    if (this.demand.backorders.length === 0) return ZERO;
    return sumQuantities(this.demand.backorders, (b) => (isAt(b, balance) ? b.quantity : ZERO));
  }

  private givenBackAt(balance: Balance): readonly [Reservation, Quantity][] {
    if (this.demand.reservations.length === 0) return NOTHING;
    return this.demand.reservations
      .filter((held) => isAt(held, balance))
      .map((held): [Reservation, Quantity] => [held, heldQuantity(held) - (this.kept.get(held) ?? ZERO)])
      .filter(([, quantity]) => quantity > ZERO);
  }
}

/** The same where it matters of which lot stock is, and where it lies. */
class DetailedOffer {
  private readonly free: FreeStock;
  private readonly givenBack = new Map<string, { held: Reservation; quantity: Quantity }>();
  private readonly back: Quantity;
  private taken = ZERO;

  constructor(
    private readonly state: StockState,
    private readonly balance: Balance,
    given: readonly [Reservation, Quantity][],
  ) {
    this.free = new FreeStock(state, balance);
    let back = ZERO;
    for (const [held, quantity] of given) {
      this.free.give(placeOf(held), quantity);
      const key = quantKey(placeOf(held));
      this.givenBack.set(key, { held, quantity: (this.givenBack.get(key)?.quantity ?? ZERO) + quantity });
      back += quantity;
    }
    this.back = back;
  }

  /** @param promised before anything was taken, with what is given back. */
  of(line: WantedLine, promised: Quantity): Quantity {
    const tooOld = this.free.tooOldFor(line);
    if (tooOld === null) throw needsMoreQuants(this.balance);
    const left = maxQuantity(promised, this.back) - this.taken;
    const most = minQuantity(left, maxQuantity(promised - this.taken - tooOld, this.ownFor(line)));
    const here = this.free.fit(line);
    if (line.lot === null && here < minQuantity(most, line.requested)) requireAllFree(this.balance);
    return inPieces(this.balance, maxQuantity(minQuantity(most, here), ZERO));
  }

  take(line: WantedLine, quantity: Quantity): readonly PlacedPart[] {
    const parts = this.free.place(quantity, line);
    for (const { quant, quantity: part } of parts) {
      this.free.take(quant, part);
      const given = this.givenBack.get(quantKey(quant));
      if (given !== undefined) given.quantity = maxQuantity(given.quantity - part, ZERO);
    }
    this.taken += quantity;
    return parts;
  }

  /** What the order gives back and the line may take. */
  private ownFor(line: WantedLine): Quantity {
    const cutoff = cutoffOf(this.state, this.balance, line);
    return sumQuantities(this.givenBack.values(), ({ held, quantity }) => {
      const isFit = (line.lot ?? held.lot) === held.lot && livesUntil(quantAt(this.state, this.balance, placeOf(held)), cutoff);
      return isFit ? quantity : ZERO;
    });
  }
}

const NOTHING: readonly [Reservation, Quantity][] = [];
const isAt = (at: { warehouseId: string; itemId: string }, balance: Balance) =>
  at.warehouseId === balance.warehouseId && at.itemId === balance.itemId;
