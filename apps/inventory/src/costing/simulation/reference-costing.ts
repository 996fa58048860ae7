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

  constructor(private readonly costing: Costing) {}

  receive({ at, receipt, quantity, value }: ReferencePart): void {
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
    return parts;
  }

  total(what: 'quantity' | 'value'): Decimal {
    return this.lots.reduce((sum, lot) => sum.plus(lot[what]), new Exact(0));
  }
}
