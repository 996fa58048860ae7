import { isQuantity, minQuantity, type Money, mulDiv, type Quantity, unitCostOf, valueOf, ZERO } from '#libs/domain';

/** In which order the layers of an item are consumed: first in first out, last in first out, or all as one of average cost. */
export type Costing = 'fifo' | 'lifo' | 'average';

/** What was received together and is still there, of one item in one warehouse. Of several received at one moment the lower number is older. */
export interface CostLayer {
  readonly layerNo: number;
  readonly receivedAt: Date;
  /** The receipt that it came by, also after transfers and returns; null = no receipt. */
  readonly receiptId: string | null;
  readonly quantity: Quantity;
  readonly value: Money;
}

/** What an issue took from one layer, or what comes in as one. */
export type CostPart = Omit<CostLayer, 'layerNo'>;

/** How a layer changed, as a difference. */
export interface LayerChange {
  readonly layerNo: number;
  readonly receivedAt: Date;
  readonly receiptId: string | null;
  readonly quantityDelta: Quantity;
  readonly valueDelta: Money;
  /**
   * There was no such layer, or an empty one: the average layer is filled again when it was consumed. So a new layer is written as an insert
   * that on conflict adds to the row and takes the new `receivedAt`; the others as updates that add.
   */
  readonly isNew: boolean;
}

/** A balance as its costs are concerned, with those of its layers that were read. */
export interface CostedBalance {
  readonly costing: Costing;
  readonly quantity: Quantity;
  readonly value: Money;
  /** What one of those that came in last cost; null = nothing ever came in. */
  readonly lastUnitCost: Money | null;
  /** The highest number that a layer of the balance ever had. */
  readonly lastLayerNo: number;
  /** The first ones in the order of consumption; none need to be read for `average`, whose one layer is the balance itself. */
  readonly layers: readonly CostLayer[];
  /** Whether these are all. */
  readonly isComplete: boolean;
  /** Some that were read whatever their turn, for their costs to be corrected; some of them may be among the first ones too. */
  readonly others?: readonly CostLayer[];
}

/** The number of the one layer of a moving average; and, whatever the costing, of the layer of what is missing. */
export const AVERAGE_LAYER_NO = 0;
/** What is part of an average, or was issued before it was there, came at no time of its own. */
const AT_NO_TIME = new Date(0);

/** When a part that comes in counts as come: when it first came; what came at no time comes now. */
export function cameAt({ receivedAt }: Pick<CostPart, 'receivedAt'>, now: Date): Date {
  return receivedAt.getTime() === AT_NO_TIME.getTime() ? now : receivedAt;
}

type OpenLayer = { -readonly [K in keyof CostLayer]: CostLayer[K] };

/**
 * The costs of one balance: its layers, consumed and added to in memory, and the record of what changed (docs/rules.md, "costs"). Pure.
 * The value is always the sum of the layers, and 0 when nothing is left. Where more was issued than there was, what is missing is a layer of
 * less than nothing, the only one, at what was paid last: what comes in next closes it.
 */
export class CostBook {
  readonly costing: Costing;
  #quantity: Quantity;
  #value: Money;
  #lastUnitCost: Money | null;
  #lastLayerNo: number;
  readonly #isComplete: boolean;
  /** What can be consumed, in order. */
  readonly #layers: OpenLayer[];
  /** The last layer that was read: what comes in behind it may belong behind others that were not read. */
  readonly #lastRead: CostLayer | undefined;
  /** What was issued and was not there; the average keeps it in its one layer. */
  readonly #missing: OpenLayer;
  /** What else is known to be there, but may not be consumed before what was not read. */
  readonly #outOfTurn: OpenLayer[] = [];
  readonly #changes = new Map<number, LayerChange>();

  constructor(balance: CostedBalance) {
    this.costing = balance.costing;
    this.#quantity = balance.quantity;
    this.#value = balance.value;
    this.#lastUnitCost = balance.lastUnitCost;
    this.#lastLayerNo = balance.lastLayerNo;
    if (balance.costing === 'average') {
      this.#isComplete = true;
      this.#layers = [averageLayer(balance.quantity, balance.value)];
      this.#missing = this.#layers[0]!;
    } else {
      this.#isComplete = balance.isComplete;
      this.#layers = balance.layers.map((layer) => ({ ...layer }));
      this.#lastRead = balance.layers.at(-1);
      // Below zero nothing else is there.
      this.#missing = balance.quantity < ZERO ? averageLayer(balance.quantity, balance.value) : averageLayer(ZERO, ZERO);
    }
    for (const layer of balance.others ?? []) {
      if (!this.#layers.some(({ layerNo }) => layerNo === layer.layerNo)) this.#outOfTurn.push({ ...layer });
    }
  }

  get quantity(): Quantity {
    return this.#quantity;
  }

  get value(): Money {
    return this.#value;
  }

  get lastUnitCost(): Money | null {
    return this.#lastUnitCost;
  }

  get lastLayerNo(): number {
    return this.#lastLayerNo;
  }

  /** How the layers differ from those that were read. */
  changes(): LayerChange[] {
    return [...this.#changes.values()].filter(({ quantityDelta, valueDelta }) => quantityDelta !== ZERO || valueDelta !== ZERO);
  }

  /** What a quantity is worth at the current cost: that of what is there, else of what came in last, else nothing. */
  worth(quantity: Quantity): Money {
    return this.#quantity > ZERO ? mulDiv(this.#value, quantity, this.#quantity) : valueOf(this.#lastUnitCost ?? ZERO, quantity);
  }

  /**
   * Whether more layers must be read before so much can be issued: to be asked before a command changes anything, for all that it
   * issues together.
   */
  needsMoreFor(quantity: Quantity): boolean {
    if (this.#isComplete) return false;
    let rest = quantity;
    for (const layer of this.#layers) {
      if (rest <= ZERO) break;
      rest -= layer.quantity;
    }
    return rest > ZERO;
  }

  /**
   * Takes goods in as a layer of their own, or into the average. What comes back (a cancelled shipment, a return, a transfer) brings along when
   * and by which receipt it first came, and so takes its old place in the order of consumption.
   *
   * @param unitCost what one of them costs, where it is known more exactly than by value / quantity.
   * @returns what the value of the stock changes by beyond the value of the part: what had been issued before it was there cost so much
   * less, or more, than was thought.
   */
  receive(part: CostPart, unitCost: Money = unitCostOf(part.value, part.quantity)): Money {
    if (part.quantity <= ZERO || part.value < ZERO) throw new RangeError('a cost layer has a quantity above 0 and a value of 0 or more');
    const { quantity: closed, value: paid, difference } = this.#close(part);
    this.#add({ ...part, quantity: part.quantity - closed, value: part.value - paid });
    // Costs added to a crumb may make it dearer than a unit cost can be told.
    if (isQuantity(unitCost)) this.#lastUnitCost = unitCost;
    return difference;
  }

  /** Makes good what is missing, as far as the part goes. */
  #close(part: CostPart): { quantity: Quantity; value: Money; difference: Money } {
    const missing = this.#missing;
    const quantity = minQuantity(part.quantity, missing.quantity < ZERO ? -missing.quantity : ZERO);
    if (quantity === ZERO) return { quantity, value: ZERO, difference: ZERO };
    const value = mulDiv(part.value, quantity, part.quantity);
    const thought = -mulDiv(missing.value, quantity, -missing.quantity);
    missing.quantity += quantity;
    missing.value += thought;
    this.#quantity += quantity;
    this.#value += thought;
    this.#note(missing, quantity, thought, false);
    return { quantity, value, difference: thought - value };
  }

  #add(part: CostPart): void {
    const { receivedAt, receiptId, quantity, value } = part;
    if (quantity === ZERO) return;
    const isFirst = this.#quantity === ZERO;
    this.#quantity += quantity;
    this.#value += value;
    if (this.costing === 'average') {
      const layer = this.#layers[0]!;
      layer.quantity += quantity;
      layer.value += value;
      this.#note({ ...layer, receivedAt }, quantity, value, isFirst);
      return;
    }
    const layer: OpenLayer = { layerNo: ++this.#lastLayerNo, receivedAt, receiptId, quantity, value };
    this.#note(layer, quantity, value, true);
    if (!this.#isComplete && (this.#lastRead === undefined || !this.#isBefore(layer, this.#lastRead))) {
      this.#outOfTurn.push(layer);
      return;
    }
    // What comes in belongs to an end, mostly: last in line of FIFO, first of LIFO.
    let at = this.costing === 'lifo' ? 0 : this.#layers.length;
    while (at > 0 && this.#isBefore(layer, this.#layers[at - 1]!)) at--;
    while (at < this.#layers.length && this.#isBefore(this.#layers[at]!, layer)) at++;
    this.#layers.splice(at, 0, layer);
  }

  /**
   * Takes goods out of the layers in their order, at the cost of each: `value * q / quantity` of a layer, the last of it takes what is left of
   * its value. The sum of the values is the cost of what was issued.
   *
   * @param mayBeMissing what is not there is issued at what was paid last.
   * @throws {RangeError} when there is not so much, or more layers must be read first.
   */
  issue(quantity: Quantity, mayBeMissing = false): CostPart[] {
    if (quantity < ZERO || (quantity > this.#quantity && !mayBeMissing) || this.needsMoreFor(quantity)) {
      throw new RangeError('only what is there, in layers that were read, can be issued');
    }
    const parts: CostPart[] = [];
    let rest = quantity;
    while (rest > ZERO) {
      const layer = this.#layers[0];
      if (layer === undefined || layer.quantity <= ZERO) {
        parts.push(this.#owe(rest));
        break;
      }
      const part = this.#take(layer, rest < layer.quantity ? rest : layer.quantity);
      if (layer.quantity === ZERO && this.costing !== 'average') this.#layers.shift();
      parts.push(part);
      rest -= part.quantity;
    }
    return parts;
  }

  /**
   * What is left of a receipt, of which all layers were read. An average keeps no origin: the receipt's quantity is still there as far as
   * there is so much.
   *
   * @param received how much came by it; asked of an average.
   */
  leftOf(receiptId: string, received: Quantity): CostLayer[] {
    if (this.costing !== 'average') return this.#all().filter((layer) => layer.receiptId === receiptId);
    const layer = this.#layers[0]!;
    const quantity = minQuantity(layer.quantity, received);
    return quantity <= ZERO ? [] : [{ ...layer, quantity }];
  }

  /**
   * Adds to the value of a layer, because it turned out that it cost more, or less.
   *
   * @throws {RangeError} when the layer is not known, or would be worth less than nothing.
   */
  revalue(layerNo: number, valueDelta: Money): void {
    const layer = this.#all().find((known) => known.layerNo === layerNo);
    if (layer === undefined || layer.quantity <= ZERO || layer.value + valueDelta < ZERO) {
      throw new RangeError('only a layer that is there can be revalued, and not below zero');
    }
    layer.value += valueDelta;
    this.#value += valueDelta;
    this.#note(layer, ZERO, valueDelta, false);
  }

  /** Takes over how much there is and what it is worth, because the ledger says so and the balance did not; the layers are right. */
  correct(quantityDelta: Quantity, valueDelta: Money): void {
    this.#quantity += quantityDelta;
    this.#value += valueDelta;
    if (this.costing !== 'average') return;
    this.#layers[0]!.quantity += quantityDelta;
    this.#layers[0]!.value += valueDelta;
  }

  /** Corrects the row of the one layer of an average, which did not say what the balance says. @param isNew there is no such row. */
  correctAverage(quantityDelta: Quantity, valueDelta: Money, receivedAt: Date, isNew: boolean): void {
    this.#note({ ...this.#layers[0]!, receivedAt }, quantityDelta, valueDelta, isNew);
  }

  #all(): OpenLayer[] {
    return [...this.#layers, ...this.#outOfTurn];
  }

  #take(layer: OpenLayer, quantity: Quantity): CostPart {
    const value = mulDiv(layer.value, quantity, layer.quantity);
    layer.quantity -= quantity;
    layer.value -= value;
    this.#quantity -= quantity;
    this.#value -= value;
    this.#note(layer, -quantity, -value, false);
    return { receivedAt: layer.receivedAt, receiptId: layer.receiptId, quantity, value };
  }

  #owe(quantity: Quantity): CostPart {
    const layer = this.#missing;
    const value = valueOf(this.#lastUnitCost ?? ZERO, quantity);
    const isNew = layer.quantity === ZERO;
    layer.quantity -= quantity;
    layer.value -= value;
    this.#quantity -= quantity;
    this.#value -= value;
    this.#note(layer, -quantity, -value, isNew);
    return { receivedAt: layer.receivedAt, receiptId: null, quantity, value };
  }

  #note({ layerNo, receivedAt, receiptId }: CostLayer, quantityDelta: Quantity, valueDelta: Money, isNew: boolean): void {
    const before = this.#changes.get(layerNo);
    this.#changes.set(layerNo, {
      layerNo,
      receivedAt: before?.receivedAt ?? receivedAt,
      receiptId,
      quantityDelta: (before?.quantityDelta ?? ZERO) + quantityDelta,
      valueDelta: (before?.valueDelta ?? ZERO) + valueDelta,
      isNew: before?.isNew ?? isNew,
    });
  }

  /** Whether a layer is consumed before another. */
  #isBefore(a: CostLayer, b: CostLayer): boolean {
    const older = a.receivedAt.getTime() - b.receivedAt.getTime() || a.layerNo - b.layerNo;
    return this.costing === 'lifo' ? older > 0 : older < 0;
  }
}

function averageLayer(quantity: Quantity, value: Money): OpenLayer {
  return { layerNo: AVERAGE_LAYER_NO, receivedAt: AT_NO_TIME, receiptId: null, quantity, value };
}
