import { type Quantity, ZERO } from '#libs/domain';
import { tellHolds } from '../reservations/set-demand.js';
import type { CommandMeta } from './commands.js';
import { displace, planShorting, requireHoldsAt, requireMovable, short } from './holds.js';
import { isDetailed } from './balance-quants.js';
import { isPlain, type QuantKey, quantKey } from './quants.js';
import { granted } from './shortfalls.js';
import type { Balance } from './balance.js';
import type { Demand, OpenHold } from './demand.js';
import { requireEach } from './needs-more.js';
import type { StockState } from './stock-state.js';

/** What becomes less or more in a place. */
export interface PlaceChange {
  readonly balance: Balance;
  readonly place: QuantKey;
  readonly delta: Quantity;
}

/** Which holds a fact takes away, and from where others must go. */
export interface Fact {
  readonly shorted: readonly { readonly balance: Balance; readonly plan: readonly { hold: OpenHold; quantity: Quantity }[] }[];
  readonly left: readonly PlaceChange[];
  /** Where less is left than nothing: something is missing there already that nobody has found yet. */
  readonly below: readonly Balance[];
}

/**
 * Plans a fact: something that happened to goods, which is never refused because they are held (docs/rules.md, "facts come first"). Changes
 * nothing.
 *
 * @throws NeedsMore, once for all that it needs, when holds or places were not read.
 */
export function planFact(state: StockState, changes: readonly PlaceChange[]): Fact {
  const available = perPlace(changes.filter(({ place }) => place.quality === 'available'));
  const left = available.filter(({ delta }) => delta < ZERO);
  // A balance that begins to lie in several places by this very fact has holds that must go to the others.
  const spread = new Set(available.filter(({ place, delta }) => delta > ZERO && !isPlain(place)).map(({ balance }) => balance));
  const sums = new Map<Balance, Quantity>();
  for (const { balance, delta } of available) sums.set(balance, (sums.get(balance) ?? ZERO) + delta);
  const shorted = requireEach([...sums], ([balance, delta]) => ({
    balance,
    plan: planShorting(state, balance, balance.onHand - balance.blocked + granted(state, balance) + delta),
  }));
  const below = [...sums]
    .filter(([balance, delta]) => balance.onHand - balance.blocked + granted(state, balance) + delta < ZERO)
    .map(([balance]) => balance);
  requireEach(left, ({ balance, place, delta }) => {
    if (isDetailed(balance)) requireMovable(state, balance, place, -delta);
    else if (spread.has(balance)) requireHoldsAt(state, balance, place, -delta);
  });
  return { shorted, left, below };
}

/** What becomes of each place in all: one fact may take from it twice, such as what is free and what is held. */
function perPlace(changes: readonly PlaceChange[]): PlaceChange[] {
  const places = new Map<Balance, Map<string, PlaceChange>>();
  for (const { balance, place, delta } of changes) {
    const ofBalance = places.get(balance) ?? new Map<string, PlaceChange>();
    places.set(balance, ofBalance);
    const key = quantKey(place);
    ofBalance.set(key, { balance, place, delta: (ofBalance.get(key)?.delta ?? ZERO) + delta });
  }
  return [...places.values()].flatMap((ofBalance) => [...ofBalance.values()]);
}

/**
 * Carries out a planned fact: holds that are lost become backorders, then it is posted, then those that do not fit where they are any more
 * go to other places, and their orders are told.
 *
 * @param cause is told to the orders that lose something.
 */
export function carryOutFact<A>(state: StockState, { shorted, left, below }: Fact, cause: string, meta: CommandMeta, post: () => A): A {
  for (const { balance, plan } of shorted) short(state, balance, plan, cause, meta);
  for (const balance of below) balance.mayBeNegative = true;
  const answer = post();
  const moved = new Set<Demand>();
  for (const { balance, place } of left) for (const demand of displace(state, balance, place, cause, meta)) moved.add(demand);
  for (const demand of moved) tellHolds(state, demand, meta);
  return answer;
}
