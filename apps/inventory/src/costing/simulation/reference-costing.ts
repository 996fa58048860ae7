import { Decimal } from 'decimal.js';
import type { Costing } from '../cost-layers.js';

const Exact = Decimal.clone({ precision: 80, rounding: Decimal.ROUND_HALF_UP });
const share = (value: Decimal, part: Decimal, of: Decimal) => value.times(part).div(of).toDecimalPlaces(4);

/** A part as the reference tells it: quantity and value as decimal strings. */
export type ReferencePart = Lot<string>;
type Lot<N> = { readonly at: number; readonly receipt: string | null; quantity: N; value: N };

/** The rules of costs (docs/rules.md, "costs") once more, slow and plain, without a thought of what is read or written. */
export class ReferenceCosting {
  private lots: Lot<Decimal>[] = [];
  /** What was issued and was not there. */
  private missing = { quantity: new Exact(0), value: new Exact(0) };
  private lastCost = new Exact(0);

  constructor(private readonly costing: Costing) {}

  /** Answers by how much the value changes beyond that of the part, because what was missing cost something else than it was thought to. */
  receive({ at, receipt, ...part }: ReferencePart, unitCost?: string): string {
    const [quantity, value] = [new Exact(part.quantity), new Exact(part.value)];
    const cost = new Exact(unitCost ?? share(value, new Exact(1), quantity));
    if (cost.lt('1e12')) this.lastCost = cost;
    const closed = Exact.min(quantity, this.missing.quantity);
    const thought = closed.isZero() ? closed : share(this.missing.value, closed, this.missing.quantity);
    const paid = share(value, closed, quantity);
    this.missing = { quantity: this.missing.quantity.minus(closed), value: this.missing.value.minus(thought) };
    if (quantity.gt(closed)) {
      this.lots.push({ at, receipt, quantity: quantity.minus(closed), value: value.minus(paid) });
      if (this.costing === 'average') this.lots = [{ at: 0, receipt: null, quantity: this.total('quantity'), value: this.total('value') }];
    }
    return thought.minus(paid).toFixed();
  }

  issue(wanted: string): ReferencePart[] {
    let open = new Exact(wanted);
    // Lots stand as they came, and the sort is stable: of one moment the first stays before the second.
    const inOrder = this.lots.toSorted((a, b) => a.at - b.at);
    const parts = (this.costing === 'lifo' ? inOrder.reverse() : inOrder).map((lot) => {
      const quantity = Exact.min(open, lot.quantity);
      const value = share(lot.value, quantity, lot.quantity);
      open = open.minus(quantity);
      Object.assign(lot, { quantity: lot.quantity.minus(quantity), value: lot.value.minus(value) });
      return { ...lot, quantity, value };
    });
    this.lots = this.lots.filter(({ quantity }) => !quantity.isZero());
    const lacking = share(this.lastCost, open, new Exact(1));
    this.missing = { quantity: this.missing.quantity.plus(open), value: this.missing.value.plus(lacking) };
    parts.push({ at: 0, receipt: null, quantity: open, value: lacking });
    const taken = parts.filter(({ quantity }) => !quantity.isZero());
    return taken.map((part) => ({ ...part, quantity: part.quantity.toFixed(), value: part.value.toFixed() }));
  }

  total(what: 'quantity' | 'value'): Decimal {
    return this.lots.reduce((sum, lot) => sum.plus(lot[what]), new Exact(0)).minus(this.missing[what]);
  }
}
