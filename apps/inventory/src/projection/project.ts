import { addDays, type Day, laterDay, maxQuantity, minQuantity, type Quantity, sumQuantities, ZERO } from '#libs/domain';
import { type AvailabilityTerms, safetyStock } from '../availability/available-to-promise.js';

/** A quantity that comes or goes on a day; what is overdue counts today. */
export interface Dated {
  readonly day: Day;
  readonly quantity: Quantity;
}

/** What is known of the days to come of an item in a warehouse. What waits as `backordered` is due today. */
export interface Outlook extends AvailabilityTerms {
  /** What of expected receipts is open. */
  readonly arrivals: readonly Dated[];
  /** What must be there on its day, beside the backorders. */
  readonly demands: readonly Dated[];
  /** What of a lot nobody holds, by the first day on which it can be promised no more. */
  readonly expiries: readonly Dated[];
}

export interface ProjectedDay {
  readonly day: Day;
  /** What is free at the end of the day, when all comes as expected and all that is due was taken; below zero, somebody still waits. */
  readonly projected: Quantity;
  /** What can be promised for the day without taking from anything that is due later, or from the safety stock. */
  readonly available: Quantity;
}

/**
 * The days from today on, for as many days (docs/rules.md, "projection").
 *
 * @param days at least 1.
 */
export function project(outlook: Outlook, today: Day, days: number): ProjectedDay[] {
  const steps = withAvailable(stepsOf(outlook, today, addDays(today, days - 1)));
  const projection: ProjectedDay[] = [];
  let at = 0;
  for (let count = 0; count < days; count++) {
    const day = addDays(today, count);
    while (at + 1 < steps.length && steps[at + 1]!.day <= day) at++;
    const { projected, available } = steps[at]!;
    projection.push({ day, projected, available });
  }
  return projection;
}

/** The first day for which a quantity can be promised; null when there is none in all that is known. */
export function earliestDay(outlook: Outlook, today: Day, quantity: Quantity): ProjectedDay | null {
  return withAvailable(stepsOf(outlook, today)).find(({ available }) => available >= quantity) ?? null;
}

/** The first day on which nobody waits any more for what is due by then; null when somebody waits to the end of all that is known. */
export function servedDay(outlook: Outlook, today: Day): Day | null {
  return stepsOf(outlook, today).find(({ due }) => due === ZERO)?.day ?? null;
}

/** How things stand from a day on, until the day of the next step. */
interface Step {
  readonly day: Day;
  readonly projected: Quantity;
  /** What was due by now, and could not be served from above the safety stock. */
  readonly due: Quantity;
  readonly safetyStock: Quantity;
  /** What expired by now because nobody took it. */
  readonly wasted: Quantity;
}

/**
 * Goes through the days on which something happens, today first. What is free lies in lots, of which demand takes those that expire first;
 * what cannot be served yet waits for what arrives, as in the stock machine: not from the safety stock.
 */
function stepsOf(outlook: Outlook, today: Day, until?: Day): Step[] {
  const arrivals = byDay(outlook.arrivals, today);
  const demands = byDay(outlook.demands, today);
  const expiries = byDay(outlook.expiries, today);
  const free = outlook.onHand - outlook.blocked - outlook.reserved;
  const lots = new Lots(maxQuantity(free, ZERO), expiries);
  let due = outlook.backordered + maxQuantity(-free, ZERO);
  let wasted = ZERO;
  let arrived = ZERO;
  let expired = ZERO;
  const steps: Step[] = [];
  for (const day of [...new Set([today, ...arrivals.keys(), ...demands.keys(), ...expiries.keys()])].sort()) {
    if (until !== undefined && day > until) break;
    wasted += lots.expire(day);
    expired += expiries.get(day) ?? ZERO;
    const arriving = arrivals.get(day) ?? ZERO;
    lots.add(arriving);
    arrived += arriving;
    due += demands.get(day) ?? ZERO;
    // Of what is sellable then, held stock included: a hold counts until it is shipped, and nobody knows when that is.
    const kept = safetyStock({ ...outlook, onHand: outlook.onHand + arrived - expired });
    const served = minQuantity(due, maxQuantity(lots.total - kept, ZERO));
    lots.take(served);
    due -= served;
    steps.push({ day, projected: lots.total - due, due, safetyStock: kept, wasted });
  }
  return steps;
}

/**
 * Whoever takes something on a day takes first what would have expired later anyway. Beyond that, it is missing on every later day, on none of
 * which the safety stock may be touched.
 */
function withAvailable(steps: readonly Step[]): (Step & { readonly available: Quantity })[] {
  let least: Quantity | null = null;
  return steps
    .toReversed()
    .map((step) => {
      const here = step.wasted + maxQuantity(step.projected - step.safetyStock, ZERO);
      least = least === null ? here : minQuantity(least, here);
      return { ...step, available: least - step.wasted };
    })
    .reverse();
}

/** What is free, by when it expires. */
class Lots {
  /** Those that expire, the first to expire first. */
  private readonly expiring: { readonly day: Day; quantity: Quantity }[] = [];
  private lasting: Quantity;

  constructor(free: Quantity, expiries: ReadonlyMap<Day, Quantity>) {
    this.lasting = free;
    for (const [day, quantity] of [...expiries].sort(([a], [b]) => (a < b ? -1 : 1))) {
      const there = minQuantity(quantity, this.lasting);
      this.expiring.push({ day, quantity: there });
      this.lasting -= there;
    }
  }

  get total(): Quantity {
    return this.lasting + sumQuantities(this.expiring, ({ quantity }) => quantity);
  }

  add(quantity: Quantity): void {
    this.lasting += quantity;
  }

  /** Takes a quantity that is there. */
  take(quantity: Quantity): void {
    let left = quantity;
    for (const lot of this.expiring) {
      const taken = minQuantity(lot.quantity, left);
      lot.quantity -= taken;
      left -= taken;
    }
    this.lasting -= left;
  }

  /** Takes out what expires by the day, and answers how much that was. */
  expire(day: Day): Quantity {
    let wasted = ZERO;
    while (this.expiring.length > 0 && this.expiring[0]!.day <= day) wasted += this.expiring.shift()!.quantity;
    return wasted;
  }
}

function byDay(entries: readonly Dated[], today: Day): Map<Day, Quantity> {
  const days = new Map<Day, Quantity>();
  for (const { day, quantity } of entries) {
    const counted = laterDay(day, today);
    days.set(counted, (days.get(counted) ?? ZERO) + quantity);
  }
  return days;
}
