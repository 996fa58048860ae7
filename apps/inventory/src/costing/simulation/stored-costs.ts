import { sumQuantities, ZERO } from '#libs/domain';
import { AVERAGE_LAYER_NO, CostBook, type CostedBalance, type CostLayer, type Costing } from '../cost-layers.js';

/** Layers as a table keeps them: read up to a limit in the order of consumption, written as differences. */
export class StoredCosts {
  readonly layers = new Map<number, CostLayer>();
  balance: Pick<CostedBalance, 'quantity' | 'value' | 'lastUnitCost' | 'lastLayerNo'> = {
    quantity: ZERO,
    value: ZERO,
    lastUnitCost: null,
    lastLayerNo: 0,
  };

  constructor(readonly costing: Costing) {}

  /** @param receipts of which all is read, whatever its turn. */
  read(limit: number, receipts: ReadonlySet<string | null> = new Set()): CostBook {
    const open = this.open();
    const layers = this.costing === 'average' ? [] : open.slice(0, limit);
    return new CostBook({ ...this.balance, costing: this.costing, layers, isComplete: open.length <= limit, others: this.of(receipts) });
  }

  write(book: CostBook): void {
    for (const { layerNo, receivedAt, receiptId, quantityDelta, valueDelta, isNew } of book.changes()) {
      const before = this.layers.get(layerNo);
      if (!isNew && before === undefined) throw new Error(`layer ${layerNo} was never inserted`);
      if (isNew && before !== undefined && before.quantity !== ZERO) throw new Error(`layer ${layerNo} is not new`);
      const kept = isNew || before === undefined ? { layerNo, receivedAt, receiptId } : before;
      const quantity = (before?.quantity ?? ZERO) + quantityDelta;
      this.layers.set(layerNo, { ...kept, quantity, value: (before?.value ?? ZERO) + valueDelta });
    }
    const { quantity, value, lastUnitCost, lastLayerNo } = book;
    this.balance = { quantity, value, lastUnitCost, lastLayerNo };
  }

  /** Breaks of what must hold between the layers and the balance; none is good. */
  breaks(): string[] {
    const { quantity, value } = this.balance;
    const all = [...this.layers.values()];
    const found: string[] = [];
    if (sumQuantities(all, (layer) => layer.quantity) !== quantity) found.push('quantity is not the sum of the layers');
    if (sumQuantities(all, (layer) => layer.value) !== value) found.push('value is not the sum of the layers');
    if (quantity === ZERO && value !== ZERO) found.push('nothing is worth something');
    for (const layer of all) {
      // What is missing, when nothing else is there.
      const isMissing = layer.layerNo === AVERAGE_LAYER_NO && layer.quantity < ZERO && layer.quantity === quantity && layer.value <= ZERO;
      if ((layer.quantity < ZERO || layer.value < ZERO) && !isMissing) found.push(`layer ${layer.layerNo} is negative`);
      if (layer.quantity === ZERO && layer.value !== ZERO) found.push(`layer ${layer.layerNo} is empty, but not worthless`);
    }
    return found;
  }

  /** What is left of some receipts. */
  of(receipts: ReadonlySet<string | null>): CostLayer[] {
    return this.open().filter((layer) => receipts.has(layer.receiptId));
  }

  private open(): CostLayer[] {
    const open = [...this.layers.values()].filter((layer) => layer.quantity > ZERO);
    open.sort((a, b) => a.receivedAt.getTime() - b.receivedAt.getTime() || a.layerNo - b.layerNo);
    return this.costing === 'lifo' ? open.reverse() : open;
  }
}
