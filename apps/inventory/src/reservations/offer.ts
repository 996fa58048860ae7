import { isQuantity, maxQuantity, minQuantity, type Quantity, sumQuantities, ZERO } from '#libs/domain';
import { safetyStock, sellable } from '../availability/available-to-promise.js';
import { placeOf } from '../stock-machine/holds.js';
import {
  cutoffOf,
  FreeStock,
  inPieces,
  isDetailed,
  livesUntil,
  needsMoreQuants,
  type PlacedPart,
  quantAt,
  quantKey,
  requireAllFree,
} from '../stock-machine/quants.js';
import { type Balance, type Demand, heldQuantity, type Reservation, type StockState } from '../stock-machine/stock-state.js';

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
  private readonly offered = new Map<Balance, Quantity>();
  private readonly waits = new Map<Balance, Quantity>();
  private readonly detailed = new Map<Balance, DetailedOffer>();

  constructor(
    private readonly state: StockState,
    private readonly demand: Demand,
    private readonly kept: ReadonlyMap<Reservation, Quantity>,
  ) {}

  /** @throws NeedsMore when too little was read of where in its warehouse the stock lies. */
  of(balance: Balance, line: WantedLine): Quantity {
    return isDetailed(balance) ? this.inDetail(balance).of(line) : this.inAll(balance);
  }

  take(balance: Balance, line: WantedLine, quantity: Quantity): Take {
    if (isDetailed(balance)) return { balance, quantity, parts: this.inDetail(balance).take(line, quantity) };
    this.offered.set(balance, this.inAll(balance) - quantity);
    return { balance, quantity };
  }

  /** Lets more wait there; false when it would be too much to stay in range (see `staysInRange`). */
  wait(balance: Balance, quantity: Quantity): boolean {
    const waits = (this.waits.get(balance) ?? balance.backordered - this.ownWaiting(balance)) + quantity;
    this.waits.set(balance, waits);
    return isQuantity(balance.onHand + waits);
  }

  private inAll(balance: Balance): Quantity {
    let offered = this.offered.get(balance);
    if (offered === undefined) {
      const given = sumQuantities(this.givenBackAt(balance), ([, quantity]) => quantity);
      this.offered.set(balance, (offered = maxQuantity(this.promised(balance, given), given)));
    }
    return offered;
  }

  private inDetail(balance: Balance): DetailedOffer {
    let offer = this.detailed.get(balance);
    if (offer === undefined) {
      const given = this.givenBackAt(balance);
      if (given.length > 0) requireAllFree(balance);
      const promised = this.promised(
        balance,
        sumQuantities(given, ([, quantity]) => quantity),
      );
      this.detailed.set(balance, (offer = new DetailedOffer(this.state, balance, promised, given)));
    }
    return offer;
  }

  /** Above the safety stock and behind whoever else waits, with what the order gives back. */
  private promised(balance: Balance, givenBack: Quantity): Quantity {
    const othersWait = balance.backordered - this.ownWaiting(balance);
    return sellable(balance) - (balance.reserved - givenBack) - safetyStock(balance) - othersWait;
  }

  private ownWaiting(balance: Balance): Quantity {
    return sumQuantities(this.demand.backorders, (b) => (isAt(b, balance) ? b.quantity : ZERO));
  }

  private givenBackAt(balance: Balance): [Reservation, Quantity][] {
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
  /** What is left in all. */
  private left: Quantity;

  /** @param promised what is left to promise, with what is given back. */
  constructor(
    private readonly state: StockState,
    private readonly balance: Balance,
    private promised: Quantity,
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
    this.left = maxQuantity(promised, back);
  }

  of(line: WantedLine): Quantity {
    const tooOld = this.free.tooOldFor(line);
    if (tooOld === null) throw needsMoreQuants(this.balance);
    const most = minQuantity(this.left, maxQuantity(this.promised - tooOld, this.ownFor(line)));
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
    this.left -= quantity;
    this.promised -= quantity;
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

const isAt = (at: { warehouseId: string; itemId: string }, balance: Balance) =>
  at.warehouseId === balance.warehouseId && at.itemId === balance.itemId;
