import { type Quantity, ZERO } from '#libs/domain';
import { sellable } from '../availability/available-to-promise.js';
import { tellHolds } from '../reservations/set-demand.js';
import type { CommandMeta } from './commands.js';
import { displace, planShorting, requireHoldsAt, requireMovable, short } from './holds.js';
import { isDetailed, isPlain, type QuantKey } from './quants.js';
import { type Balance, type Demand, type More, NeedsMore, type OpenHold, type StockState } from './stock-state.js';

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
}

/**
 * Plans a fact: something that happened to goods, which is never refused because they are held (docs/rules.md, "facts come first"). Changes
 * nothing.
 *
 * @throws NeedsMore, once for all that it needs, when holds or places were not read.
 */
export function planFact(state: StockState, changes: readonly PlaceChange[]): Fact {
  const available = changes.filter(({ place }) => place.quality === 'available');
  const left = available.filter(({ delta }) => delta < ZERO);
  // A balance that begins to lie in several places by this very fact has holds that must go to the others.
  const spread = new Set(available.filter(({ place, delta }) => delta > ZERO && !isPlain(place)).map(({ balance }) => balance));
  const sums = new Map<Balance, Quantity>();
  for (const { balance, delta } of available) sums.set(balance, (sums.get(balance) ?? ZERO) + delta);
  const shorted = gatherNeeds([...sums], ([balance, delta]) => ({
    balance,
    plan: planShorting(state, balance, sellable(balance) + delta),
  }));
  gatherNeeds(left, ({ balance, place, delta }) => {
    if (isDetailed(balance)) requireMovable(state, balance, place, -delta);
    else if (spread.has(balance)) requireHoldsAt(state, balance, place, -delta);
  });
  return { shorted, left };
}

/**
 * Carries out a planned fact: holds that are lost become backorders, then it is posted, then those that do not fit where they are any more
 * go to other places, and their orders are told.
 *
 * @param cause is told to the orders that lose something.
 */
export function carryOutFact<A>(state: StockState, { shorted, left }: Fact, cause: string, meta: CommandMeta, post: () => A): A {
  for (const { balance, plan } of shorted) short(state, balance, plan, cause, meta);
  const answer = post();
  const moved = new Set<Demand>();
  for (const { balance, place } of left) for (const demand of displace(state, balance, place, cause, meta)) moved.add(demand);
  for (const demand of moved) tellHolds(state, demand, meta);
  return answer;
}

/** Does the same for each, and asks for what all of them need at once: a command may only ask so often. */
export function gatherNeeds<T, R>(all: readonly T[], each: (one: T) => R): R[] {
  const results: R[] = [];
  const needs: More[] = [];
  for (const one of all) {
    try {
      results.push(each(one));
    } catch (error) {
      if (!(error instanceof NeedsMore)) throw error;
      needs.push(error.more);
    }
  }
  if (needs.length === 0) return results;
  const most = (limit: 'holdsPerBalanceMax' | 'quantsPerBalanceMax' | 'layersPerBalanceMax') =>
    Math.max(0, ...needs.map((more) => more[limit] ?? 0));
  throw new NeedsMore({
    balances: needs.flatMap((more) => more.balances ?? []),
    lots: needs.flatMap((more) => more.lots ?? []),
    lotHolds: needs.flatMap((more) => more.lotHolds ?? []),
    holdsPerBalanceMax: most('holdsPerBalanceMax'),
    quantsPerBalanceMax: most('quantsPerBalanceMax'),
    layersPerBalanceMax: most('layersPerBalanceMax'),
  });
}
