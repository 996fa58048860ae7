import { Decimal } from 'decimal.js';
import type { Costing } from '../cost-layers.js';

const Exact = Decimal.clone({ precision: 80, rounding: Decimal.ROUND_HALF_UP });

/** A part as the reference tells it: quantity and value as decimal strings. */
export interface ReferencePart {
  readonly at: number;
  readonly receipt: string | null;
  readonly quantity: string;
  readonly value: string;
}

interface Lot {
  readonly at: number;
  readonly receipt: string | null;
  quantity: Decimal;
  value: Decimal;
}

/**
 * The rules of costs (docs/rules.md, "costs") once more, to hold the real ones against: slow and plain, with decimals and without a thought of
 * what is read or written.
 */
export class ReferenceCosting {
  private lots: Lot[] = [];
  /** What was issued and was not there. */
  private missing = new Exact(0);
  private missingValue = new Exact(0);
  private lastCost = new Exact(0);

  constructor(private readonly costing: Costing) {}

  /**
   * @param unitCost what one cost, where that is known more exactly than by the value.
   * @returns by how much the value changes beyond that of the part, because what was missing cost something else.
   */
  receive(part: ReferencePart, unitCost?: string): string {
    const quantity = new Exact(part.quantity);
    const value = new Exact(part.value);
    const cost = new Exact(unitCost ?? value.div(quantity).toDecimalPlaces(4));
    if (cost.lt('1e12')) this.lastCost = cost;
    const closed = Exact.min(quantity, this.missing);
    const thought = closed.isZero() ? closed : this.missingValue.times(closed).div(this.missing).toDecimalPlaces(4);
    const paid = value.times(closed).div(quantity).toDecimalPlaces(4);
    this.missing = this.missing.minus(closed);
    this.missingValue = this.missingValue.minus(thought);
    if (quantity.gt(closed)) this.add({ ...part, quantity: quantity.minus(closed).toFixed(), value: value.minus(paid).toFixed() });
    return thought.minus(paid).toFixed();
  }

  private add({ at, receipt, quantity, value }: ReferencePart): void {
    this.lots.push({ at, receipt, quantity: new Exact(quantity), value: new Exact(value) });
    if (this.costing !== 'average') return;
    this.lots = [{ at: 0, receipt: null, quantity: this.total('quantity'), value: this.total('value') }];
  }

  issue(wanted: string): ReferencePart[] {
    const parts: ReferencePart[] = [];
    // Lots stand as they came, and the sort is stable: of one moment the first stays before the second.
    const inOrder = [...this.lots].sort((a, b) => a.at - b.at);
    if (this.costing === 'lifo') inOrder.reverse();
    let open = new Exact(wanted);
    for (const lot of inOrder) {
      if (open.isZero()) break;
      const quantity = Exact.min(open, lot.quantity);
      const value = quantity.eq(lot.quantity) ? lot.value : lot.value.times(quantity).div(lot.quantity).toDecimalPlaces(4);
      parts.push({ at: lot.at, receipt: lot.receipt, quantity: quantity.toFixed(), value: value.toFixed() });
      lot.quantity = lot.quantity.minus(quantity);
      lot.value = lot.value.minus(value);
      open = open.minus(quantity);
    }
    this.lots = this.lots.filter((lot) => !lot.quantity.isZero());
    if (!open.isZero()) {
      const value = this.lastCost.times(open).toDecimalPlaces(4);
      parts.push({ at: 0, receipt: null, quantity: open.toFixed(), value: value.toFixed() });
      this.missing = this.missing.plus(open);
      this.missingValue = this.missingValue.plus(value);
    }
    return parts;
  }

  total(what: 'quantity' | 'value'): Decimal {
    const missing = what === 'quantity' ? this.missing : this.missingValue;
    return this.lots.reduce((sum, lot) => sum.plus(lot[what]), new Exact(0)).minus(missing);
  }
}
