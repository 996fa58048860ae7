import { Decimal } from 'decimal.js';
import fc from 'fast-check';
import { apportion, formatQuantity, maxQuantity, parseMoney, parseQuantity, sumQuantities, valueOf, ZERO } from '#libs/domain';
import { CostBook, type CostedBalance, type Costing, type CostPart } from './cost-layers.js';
import { ReferenceCosting, type ReferencePart } from './simulation/reference-costing.js';
import { StoredCosts } from './simulation/stored-costs.js';

const day = (n: number) => new Date(Date.UTC(2026, 0, n));

function part(quantity: string, value: string, at = 1, receiptId: string | null = null): CostPart {
  return { quantity: parseQuantity(quantity), value: parseMoney(value), receivedAt: day(at), receiptId };
}

/** "quantity @ value, receipt on day" */
const told = (parts: readonly CostPart[]) =>
  parts.map(
    ({ quantity, value, receiptId, receivedAt }) =>
      `${formatQuantity(quantity)} @ ${formatQuantity(value)}, ${receiptId} on ${receivedAt.getUTCDate()}`,
  );

function emptyBook(costing: Costing, more: Partial<CostedBalance> = {}): CostBook {
  return new CostBook({
    costing,
    quantity: ZERO,
    value: ZERO,
    lastUnitCost: null,
    lastLayerNo: 0,
    layers: [],
    isComplete: true,
    ...more,
  });
}

function bookOf(costing: Costing, ...parts: CostPart[]): CostBook {
  const book = emptyBook(costing);
  for (const each of parts) book.receive(each);
  return book;
}

const issue = (book: CostBook, quantity: string) => told(book.issue(parseQuantity(quantity)));

describe('cost layers', () => {
  const first = part('10', '10', 1, 'r1');
  const second = part('10', '30', 2, 'r2');

  it('FIFO consumes the oldest first', () => {
    const book = bookOf('fifo', second, first);
    expect(issue(book, '12')).toEqual(['10 @ 10, r1 on 1', '2 @ 6, r2 on 2']);
    expect(formatQuantity(book.value)).toBe('24');
  });

  it('LIFO consumes the newest first', () => {
    const book = bookOf('lifo', second, first);
    expect(issue(book, '12')).toEqual(['10 @ 30, r2 on 2', '2 @ 2, r1 on 1']);
    expect(formatQuantity(book.value)).toBe('8');
  });

  it('average consumes at the average, of no receipt', () => {
    const book = bookOf('average', first, second);
    expect(book.issue(parseQuantity('12'))).toMatchObject([{ quantity: parseQuantity('12'), value: parseMoney('24'), receiptId: null }]);
    expect(formatQuantity(book.value)).toBe('16');
  });

  it('of one moment, FIFO takes what came first, LIFO what came last', () => {
    const goods = [part('1', '1', 1, 'a'), part('1', '2', 1, 'b')];
    expect(issue(bookOf('fifo', ...goods), '1')).toEqual(['1 @ 1, a on 1']);
    expect(issue(bookOf('lifo', ...goods), '1')).toEqual(['1 @ 2, b on 1']);
  });

  it('rounds half away from zero, and gives the rest to the last', () => {
    const book = bookOf('fifo', part('3', '10'));
    const values = ['1', '1', '1'].map((quantity) => formatQuantity(book.issue(parseQuantity(quantity))[0]!.value));
    expect(values).toEqual(['3.3333', '3.3334', '3.3333']);
    expect(book.value).toBe(ZERO);
    expect(issue(bookOf('average', part('2', '0.0001')), '1')[0]).toContain('1 @ 0.0001');
  });

  it('what comes back takes its old place', () => {
    const book = bookOf('fifo', first, second);
    const taken = book.issue(parseQuantity('12'));
    for (const each of taken) book.receive(each);
    expect(issue(book, '11')).toEqual(['10 @ 10, r1 on 1', '1 @ 3, r2 on 2']);
    expect(formatQuantity(book.value)).toBe('27');
  });

  it('the current cost is that of what is there, else of what came in last, else nothing', () => {
    const book = emptyBook('fifo');
    const worth = () => formatQuantity(book.worth(parseQuantity('2')));
    expect(worth()).toBe('0');
    book.receive(part('3', '10'), parseMoney('3.3333'));
    expect(worth()).toBe('6.6667');
    book.issue(parseQuantity('3'));
    expect(worth()).toBe('6.6666');
  });

  it('keeps the last unit cost that can be told', () => {
    const book = bookOf('fifo', part('1', '5'));
    book.receive(part('0.0001', '999999999999'));
    expect(formatQuantity(book.lastUnitCost!)).toBe('5');
  });

  it('tells what changed as differences, and nothing of what came and went', () => {
    const layers = [
      { ...part('10', '10', 1, 'r1'), layerNo: 4 },
      { ...part('10', '30', 2, 'r2'), layerNo: 7 },
    ];
    const book = emptyBook('fifo', { quantity: parseQuantity('20'), value: parseMoney('40'), lastLayerNo: 7, layers });
    book.issue(parseQuantity('12'));
    book.receive(part('1', '0', 3, 'r3'));
    const [short] = bookOf('fifo', part('1', '1', 1, 'back')).issue(parseQuantity('1'));
    book.receive(short!);
    book.issue(parseQuantity('1'));
    expect(book.lastLayerNo).toBe(9);
    expect(book.changes()).toEqual([
      { layerNo: 4, receivedAt: day(1), receiptId: 'r1', quantityDelta: parseQuantity('-10'), valueDelta: parseMoney('-10'), isNew: false },
      { layerNo: 7, receivedAt: day(2), receiptId: 'r2', quantityDelta: parseQuantity('-2'), valueDelta: parseMoney('-6'), isNew: false },
      { layerNo: 8, receivedAt: day(3), receiptId: 'r3', quantityDelta: parseQuantity('1'), valueDelta: ZERO, isNew: true },
    ]);
    expect(told(layers)).toEqual(['10 @ 10, r1 on 1', '10 @ 30, r2 on 2']);
  });

  it('the average is a layer numbered 0 that needs no reading', () => {
    const book = emptyBook('average', { quantity: parseQuantity('4'), value: parseMoney('10'), isComplete: false });
    expect(book.needsMoreFor(parseQuantity('4'))).toBe(false);
    book.issue(parseQuantity('1'));
    book.receive(part('3', '4.5', 9));
    expect(book.changes()).toMatchObject([{ layerNo: 0, quantityDelta: parseQuantity('2'), valueDelta: parseMoney('2'), isNew: false }]);
    const empty = bookOf('average', part('3', '4.5', 9), part('1', '1', 10));
    empty.issue(parseQuantity('1'));
    expect(empty.changes()).toMatchObject([{ layerNo: 0, receivedAt: day(9), isNew: true }]);
  });

  it.each<[Costing, number, number]>([
    ['fifo', 3, 1],
    ['lifo', 1, 3],
  ])('%s of which not all was read does not consume what may belong behind the unread', (costing, behind, before) => {
    const read = { ...part('2', '2', 2, 'read'), layerNo: 2 };
    const book = emptyBook(costing, {
      quantity: parseQuantity('12'),
      value: parseMoney('12'),
      lastLayerNo: 3,
      layers: [read],
      isComplete: false,
    });
    book.receive(part('5', '50', behind, 'behind'));
    expect(book.needsMoreFor(parseQuantity('2'))).toBe(false);
    expect(book.needsMoreFor(parseQuantity('2.0001'))).toBe(true);
    expect(() => book.issue(parseQuantity('3'))).toThrow(RangeError);
    expect(book.changes()).toHaveLength(1);
    book.receive(part('1', '7', before, 'before'));
    expect(issue(book, '3')).toEqual([`1 @ 7, before on ${before}`, '2 @ 2, read on 2']);
    expect(book.needsMoreFor(parseQuantity('0.0001'))).toBe(true);
    // After the last read layer is consumed its place still tells what comes before the unread.
    book.receive(part('1', '7', before, 'before'));
    expect(book.needsMoreFor(parseQuantity('1'))).toBe(false);
  });

  it('of which nothing was read can receive, and needs more to issue', () => {
    const book = emptyBook('lifo', { quantity: parseQuantity('2'), value: parseMoney('2'), lastLayerNo: 1, isComplete: false });
    book.receive(part('1', '1', 9));
    expect(book.needsMoreFor(parseQuantity('0.0001'))).toBe(true);
    expect(book.needsMoreFor(ZERO)).toBe(false);
  });

  it('revalues what is left of a receipt, in turn or not', () => {
    const [inTurn, later, other] = [
      { ...part('10', '10', 1, 'r1'), layerNo: 4 },
      { ...part('5', '5', 7, 'r1'), layerNo: 8 },
      { ...part('5', '5', 6, 'r2'), layerNo: 7 },
    ];
    const balance = { quantity: parseQuantity('20'), value: parseMoney('20'), lastLayerNo: 8, layers: [inTurn], isComplete: false };
    const book = emptyBook('fifo', { ...balance, others: [inTurn, later, other] });
    book.issue(parseQuantity('4'));
    book.receive(part('1', '1', 9, 'r1'));
    expect(told(book.leftOf('r1', ZERO))).toEqual(['6 @ 6, r1 on 1', '5 @ 5, r1 on 7', '1 @ 1, r1 on 9']);
    book.revalue(4, parseMoney('-6'));
    book.revalue(8, parseMoney('2'));
    expect(formatQuantity(book.value)).toBe('13');
    expect(issue(book, '6')).toEqual(['6 @ 0, r1 on 1']);
    expect(told(book.leftOf('r1', ZERO))).toHaveLength(2);
    expect(book.changes()).toMatchObject([
      { layerNo: 4, quantityDelta: parseQuantity('-10'), valueDelta: parseMoney('-10') },
      { layerNo: 9, isNew: true },
      { layerNo: 8, quantityDelta: ZERO, valueDelta: parseMoney('2'), isNew: false },
    ]);
    expect(() => book.revalue(8, parseMoney('-7.0001'))).toThrow(RangeError);
    expect(() => book.revalue(4, parseMoney('1'))).toThrow(RangeError);
    // What is known beyond the first ones is no more consumed than before.
    expect(book.needsMoreFor(parseQuantity('0.0001'))).toBe(true);
  });

  it('of a receipt into an average there is at most as much left as there is', () => {
    const book = bookOf('average', part('10', '10', 1, 'r1'), part('10', '30', 2, 'r2'));
    book.issue(parseQuantity('13'));
    expect(told(book.leftOf('r1', parseQuantity('5')))).toEqual(['5 @ 14, null on 1']);
    expect(told(book.leftOf('r1', parseQuantity('10')))).toEqual(['7 @ 14, null on 1']);
    book.revalue(0, parseMoney('7'));
    expect(issue(book, '7')).toEqual(['7 @ 21, null on 1']);
    expect(book.leftOf('r1', parseQuantity('10'))).toEqual([]);
    expect(() => book.revalue(0, parseMoney('1'))).toThrow(RangeError);
  });

  it.each(['fifo', 'lifo', 'average'] as const)('%s: what is missing is owed at what was paid last, until it comes', (costing) => {
    const book = bookOf(costing, part('2', '2', 1, 'r1'), part('2', '6', 2, 'r2'));
    expect(formatQuantity(sumQuantities(book.issue(parseQuantity('7'), true), (each) => each.value))).toBe('17');
    expect([book.quantity, book.value].map(formatQuantity)).toEqual(['-3', '-9']);
    // A third of it was thought to have cost 3, and cost 5: the stock is worth 3 more, of the 5 that came.
    expect(formatQuantity(book.receive(part('1', '5', 3, 'r3')))).toBe('-2');
    expect([book.quantity, book.value].map(formatQuantity)).toEqual(['-2', '-6']);
    expect(formatQuantity(book.receive(part('6', '12', 4, 'r4')))).toBe('2');
    expect([book.quantity, book.value].map(formatQuantity)).toEqual(['4', '8']);
    expect(formatQuantity(sumQuantities(book.issue(parseQuantity('4')), (each) => each.value))).toBe('8');
    expect(formatQuantity(book.value)).toBe('0');
  });

  it('owes nothing for what was never paid', () => {
    const book = bookOf('fifo');
    expect(told(book.issue(parseQuantity('3'), true))).toEqual(['3 @ 0, null on 1']);
    expect(formatQuantity(book.receive(part('3', '6')))).toBe('-6');
    expect([book.quantity, book.value]).toEqual([ZERO, ZERO]);
  });

  it('refuses what would break it', () => {
    const book = bookOf('fifo', first);
    expect(book.needsMoreFor(parseQuantity('10.0001'))).toBe(false);
    expect(() => book.issue(parseQuantity('10.0001'))).toThrow(RangeError);
    expect(() => book.issue(parseQuantity('-1'))).toThrow(RangeError);
    expect(() => book.receive(part('0', '1'))).toThrow(RangeError);
    expect(() => book.receive(part('1', '-1'))).toThrow(RangeError);
    expect(formatQuantity(book.quantity)).toBe('10');
  });
});

type Op =
  | { readonly do: 'receive' | 'correct-up'; readonly quantity: bigint; readonly unitCost: bigint; readonly at: number }
  | { readonly do: 'issue' | 'transfer'; readonly percent: bigint }
  /** Issues that much more than there is. */
  | { readonly do: 'overdraw'; readonly quantity: bigint }
  | { readonly do: 'give-back'; readonly which: number; readonly percent: bigint; readonly here: boolean };

interface Step {
  readonly inFirst: boolean;
  readonly op: Op;
  /** Begins another batch, which reads at most so many layers. */
  readonly reads: number | null;
}

const quantities = fc.oneof(
  fc.bigInt({ min: 1n, max: 30n }),
  fc.bigInt({ min: 1n, max: 500n }).map((n) => n * 1_000n),
  fc.bigInt({ min: 1n, max: 10n ** 15n }),
);
const costs = fc.oneof(
  fc.constant(0n),
  fc.bigInt({ min: 0n, max: 20n }),
  fc.bigInt({ min: 0n, max: 1_000_000n }),
  fc.bigInt({ min: 0n, max: 10n ** 15n }),
);
const percents = fc.oneof(fc.constant(100n), fc.bigInt({ min: 0n, max: 100n }));
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.record({
    inFirst: fc.boolean(),
    op: fc.oneof(
      fc.record({
        do: fc.constantFrom('receive' as const, 'correct-up' as const),
        quantity: quantities,
        unitCost: costs,
        at: fc.integer({ min: 1, max: 9 }),
      }),
      fc.record({ do: fc.constantFrom('issue' as const, 'transfer' as const), percent: percents }),
      fc.record({ do: fc.constant('overdraw' as const), quantity: fc.bigInt({ min: 1n, max: 500_000n }) }),
      fc.record({ do: fc.constant('give-back' as const), which: fc.nat(50), percent: percents, here: fc.boolean() }),
    ),
    reads: fc.oneof(fc.constant(null), fc.nat(4)),
  }),
  { maxLength: 60 },
);

/** One place of the simulated world: the book under test, on a store that it is read from again and again, and the reference beside it. */
class Place {
  readonly reference: ReferenceCosting;
  readonly store: StoredCosts;
  book: CostBook;
  rereads = 0;

  constructor(costing: Costing) {
    this.reference = new ReferenceCosting(costing);
    this.store = new StoredCosts(costing);
    this.book = this.store.read(0);
  }

  /** Ends the batch and begins another. */
  read(limit: number): void {
    this.store.write(this.book);
    expect(this.store.breaks()).toEqual([]);
    this.book = this.store.read(limit);
  }

  /** @returns what it changed the value by beyond its own. */
  receive(goods: CostPart, unitCost?: bigint): bigint {
    const difference = this.book.receive(goods, unitCost);
    const expected = this.reference.receive(toReference(goods), unitCost === undefined ? undefined : formatQuantity(unitCost));
    expect(formatQuantity(difference)).toBe(new Decimal(expected).toFixed());
    return difference;
  }

  issue(quantity: bigint): CostPart[] {
    // As the machine does: a command that needs more has changed nothing, and comes again in a batch that reads more.
    for (let limit = 1; this.book.needsMoreFor(quantity); limit *= 2) {
      this.rereads++;
      this.read(limit);
    }
    const parts = this.book.issue(quantity, true);
    const expected = this.reference.issue(formatQuantity(quantity));
    expect(parts.map(toReference)).toEqual(expected);
    expect(sumQuantities(parts, (each) => each.quantity)).toBe(quantity);
    return parts;
  }

  check(): void {
    expect(formatQuantity(this.book.quantity)).toBe(this.reference.total('quantity').toFixed());
    expect(formatQuantity(this.book.value)).toBe(this.reference.total('value').toFixed());
    if (this.book.quantity === ZERO) expect(this.book.value).toBe(ZERO);
  }
}

function toReference({ receivedAt, receiptId, quantity, value }: CostPart): ReferencePart {
  return { at: receivedAt.getTime(), receipt: receiptId, quantity: formatQuantity(quantity), value: formatQuantity(value) };
}

describe.each<Costing>(['fifo', 'lifo', 'average'])('%s, whatever happens in whichever batches', (costing) => {
  it('agrees with the reference, and neither makes nor loses value', () => {
    let rereads = 0;
    let overdrawn = 0;
    fc.assert(
      fc.property(steps, (happens) => {
        const places = [new Place(costing), new Place(costing)] as const;
        const issued: CostPart[][] = [];
        let balance = ZERO;
        happens.forEach(({ inFirst, op, reads }, index) => {
          const [here, there] = inFirst ? places : [places[1], places[0]];
          if (reads !== null) here.read(reads);
          switch (op.do) {
            case 'receive':
            case 'correct-up': {
              const { quantity, unitCost } = op;
              if (here.book.quantity + quantity >= 10n ** 16n) return;
              const value = op.do === 'receive' ? valueOf(unitCost, quantity) : here.book.worth(quantity);
              const goods = { quantity, value, receivedAt: day(op.at), receiptId: `r${index}` };
              balance += value + here.receive(goods, op.do === 'receive' ? unitCost : undefined);
              break;
            }
            case 'overdraw':
            case 'issue': {
              const there = maxQuantity(here.book.quantity, ZERO);
              if (op.do === 'overdraw') overdrawn++;
              const parts = here.issue(op.do === 'overdraw' ? there + op.quantity : (there * op.percent) / 100n);
              balance -= sumQuantities(parts, (each) => each.value);
              issued.push(parts);
              break;
            }
            case 'transfer':
              for (const each of here.issue((maxQuantity(here.book.quantity, ZERO) * op.percent) / 100n)) balance += there.receive(each);
              break;
            case 'give-back': {
              if (issued.length === 0) return;
              const [parts] = issued.splice(op.which % issued.length, 1) as [CostPart[]];
              const [back, kept] = split(parts, op.percent);
              issued.push(kept);
              for (const each of back) balance += (op.here ? here : there).receive(each);
              balance += sumQuantities(back, (each) => each.value);
            }
          }
          for (const place of places) place.check();
          expect(places[0].book.value + places[1].book.value).toBe(balance);
        });
        for (const place of places) {
          const { quantity } = place.book;
          if (quantity < ZERO) place.receive({ quantity: -quantity, value: 7n, receivedAt: day(1), receiptId: 'last' });
          else place.issue(quantity);
          place.read(0);
          expect(place.book.value).toBe(ZERO);
          rereads += place.rereads;
        }
      }),
      { numRuns: 300 },
    );
    // Otherwise it was not about incomplete reads.
    expect(rereads > 0).toBe(costing !== 'average');
    expect(overdrawn).toBeGreaterThan(0);
  });
});

/** A share of what was issued, at its original cost, and what is left of it; together they are the whole. */
function split(parts: readonly CostPart[], percent: bigint): [CostPart[], CostPart[]] {
  const back: CostPart[] = [];
  const kept: CostPart[] = [];
  for (const each of parts) {
    const quantity = (each.quantity * percent) / 100n;
    const [value, rest] = apportion(each.value, [quantity, each.quantity - quantity]) as [bigint, bigint];
    if (quantity > ZERO) back.push({ ...each, quantity, value });
    if (quantity < each.quantity) kept.push({ ...each, quantity: each.quantity - quantity, value: rest });
  }
  return [back, kept];
}
