import { type Quantity, ZERO } from '#libs/domain';

/** The quality statuses that cannot be promised or picked; everything else on hand is `available`. */
export type BlockedQuality = 'pending_inspection' | 'quarantined' | 'damaged' | 'expired' | 'recalled';
export type Quality = 'available' | BlockedQuality;

/** The bin of every warehouse in which goods lie unless another one is said. */
export const DEFAULT_LOCATION = 'default';

/** No lot: what is not tracked. */
export const NO_LOT = '';

/** Where stock lies inside a balance, and how it is. */
export interface QuantKey {
  /** {@link NO_LOT} for what is not tracked. */
  readonly lot: string;
  readonly location: string;
  readonly quality: Quality;
}

/** The quantity of an item in a warehouse of one lot, in one bin, of one quality. */
export interface Quant extends QuantKey {
  quantity: Quantity;
  reserved: Quantity;
  readonly expiresAt: Date | null;
  /** When the oldest of it came. */
  receivedAt: Date;
}

/** How a stored quant changed in this batch. */
export interface QuantChange extends QuantKey {
  quantity: Quantity;
  reserved: Quantity;
  readonly expiresAt: Date | null;
  /** When the oldest of it came; of one that was not read, the oldest of what came in this batch. */
  receivedAt: Date;
  /** Whether it was read, so that all of this is how it is now, and not only how it differs. */
  readonly isKnown: boolean;
}

/** What a line asks of the lots that serve it. */
export interface LotWish {
  readonly lot: string | null;
  /** A lot that expires sooner does not serve it; null = as item and organisation say. */
  readonly minRemainingShelfLifeDays: number | null;
}

/** A part of a quantity, and the quant that it lies in. */
export interface PlacedPart {
  readonly quant: QuantKey;
  readonly quantity: Quantity;
}

export const quantKey = ({ lot, location, quality }: QuantKey) => `${lot}/${location}/${quality}`;

/** What lies in the default bin without a lot, and is available: never stored, always what the balance has beyond its stored quants. */
export const PLAIN: QuantKey = { lot: NO_LOT, location: DEFAULT_LOCATION, quality: 'available' };

export const isPlain = ({ lot, location, quality }: QuantKey) => lot === NO_LOT && location === DEFAULT_LOCATION && quality === 'available';

/**
 * The quants of one balance, as far as they were read. Those of a lot are read whole or not at all; beside them the first in turn of those
 * that have something free to promise.
 */
export class Quants {
  // Made when there is something to put in: nearly all balances lie in one place, and have none of these.
  private known: Map<string, Quant> | null = null;
  private wholeLots: Set<string> | null = null;
  /** The last in turn of the free ones that were read, behind which there may be others; null = all were read. */
  private lastFreeRead: Quant | null = null;
  /** How the stored quants changed, by key. */
  changes: Map<string, QuantChange> | null = null;

  /** Takes in every quant of a lot. */
  addLot(lot: string, quants: readonly Quant[]): void {
    this.wholeLots ??= new Set();
    this.wholeLots.add(lot);
    for (const quant of quants) this.add(quant);
  }

  /** Takes in the first free quants in turn. @param isAll whether there are no others. */
  addFree(quants: readonly Quant[], isAll: boolean): void {
    for (const quant of quants) this.add(quant);
    this.lastFreeRead = isAll ? null : (quants.at(-1) ?? null);
  }

  private add(quant: Quant): void {
    this.known ??= new Map();
    if (!this.known.has(quantKey(quant))) this.known.set(quantKey(quant), quant);
  }

  hasLot(lot: string): boolean {
    return this.wholeLots?.has(lot) ?? false;
  }

  get isAllFreeRead(): boolean {
    return this.lastFreeRead === null;
  }

  /** The stored quant, or undefined when there is none. */
  get(key: QuantKey): Quant | undefined {
    return this.known?.get(quantKey(key));
  }

  ofLot(lot: string): Quant[] {
    return [...this.all()].filter((quant) => quant.lot === lot);
  }

  all(): Iterable<Quant> {
    return this.known?.values() ?? [];
  }

  /** Whether all that comes before it in turn, and is free, was read. */
  isReadUpTo(quant: Quant): boolean {
    return this.lastFreeRead === null || pickBefore(quant, this.lastFreeRead) <= 0;
  }

  change(key: QuantKey, delta: { quantity?: Quantity; reserved?: Quantity }, born: Pick<Quant, 'expiresAt' | 'receivedAt'>): void {
    const { quantity = ZERO, reserved = ZERO } = delta;
    const name = quantKey(key);
    let quant = this.known?.get(name);
    // Of a lot that was not read only the difference is known, which is all that is written.
    if (quant === undefined && this.hasLot(key.lot)) {
      quant = { ...key, quantity: ZERO, reserved: ZERO, ...born };
      this.known ??= new Map();
      this.known.set(name, quant);
    }
    if (quant !== undefined) {
      quant.receivedAt = receivedAfter(quant, quantity, born.receivedAt);
      quant.quantity += quantity;
      quant.reserved += reserved;
    }
    this.changes ??= new Map();
    const change = this.changes.get(name);
    if (change === undefined) {
      const { expiresAt, receivedAt } = quant ?? born;
      const { lot, location, quality } = key;
      this.changes.set(name, { lot, location, quality, quantity, reserved, expiresAt, receivedAt, isKnown: quant !== undefined });
    } else {
      change.receivedAt = quant?.receivedAt ?? (quantity > ZERO ? earlier(change.receivedAt, born.receivedAt) : change.receivedAt);
      change.quantity += quantity;
      change.reserved += reserved;
    }
  }
}

const earlier = (a: Date, b: Date) => (a < b ? a : b);

/**
 * When the oldest of a quant came, after a change: what was empty is as old as what comes in, what was not at least as old. What leaves is
 * nobody knows how old. As in `changeQuants`.
 */
export function receivedAfter({ quantity, receivedAt }: Pick<Quant, 'quantity' | 'receivedAt'>, delta: Quantity, cameAt: Date): Date {
  if (delta <= ZERO) return receivedAt;
  return quantity === ZERO ? cameAt : earlier(receivedAt, cameAt);
}

/** First expired, first out, what does not expire last; then the oldest receipt. As in the index `quant_in_turn`. */
export function pickBefore(a: Quant, b: Quant): number {
  const expiry = (a.expiresAt?.getTime() ?? Infinity) - (b.expiresAt?.getTime() ?? Infinity);
  // Infinity - Infinity is not a number: both never expire.
  if (!Number.isNaN(expiry) && expiry !== 0) return expiry;
  const received = a.receivedAt.getTime() - b.receivedAt.getTime();
  if (received !== 0) return received;
  if (a.lot !== b.lot) return a.lot < b.lot ? -1 : 1;
  return a.location < b.location ? -1 : a.location > b.location ? 1 : 0;
}

/** Whether a lot still lives at a moment. */
export const livesUntil = (quant: Pick<Quant, 'expiresAt'>, cutoff: Date) => quant.expiresAt === null || quant.expiresAt > cutoff;
