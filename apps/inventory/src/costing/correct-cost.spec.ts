import type { CostCorrectionLine } from '#libs/contracts';
import { formatQuantity, ZERO } from '#libs/domain';
import type { CorrectCost } from '../stock-machine/commands.js';
import { adjusts, byCall, GivenStock, ORG, receives, returns, ships, unships } from '../stock-machine/simulation/given-stock.js';
import { balanceKey } from '../stock-machine/balance.js';
import type { Costing } from './cost-layers.js';

let commands = 0;

function corrects(receiptId: string, lines: readonly CostCorrectionLine[], more: Partial<CorrectCost> = {}): CorrectCost {
  return { kind: 'correct-cost', orgId: ORG, commandId: `correction-${++commands}`, receiptId, lines, meta: byCall(), ...more };
}

const receivesAtCost = (
  receiptId: string,
  warehouseId: string,
  ...lines: [itemId: string, quantity: string, unitCost: string, lot?: string][]
) =>
  receives(
    receiptId,
    warehouseId,
    {},
    {
      lines: lines.map(([itemId, quantity, unitCost, lot]) => ({ itemId, quantity, unitCost, ...(lot === undefined ? {} : { lot }) })),
    },
  );

class Given extends GivenStock {
  /** The layers of a balance, as `5 @ 10 of r1`, and what it is worth. */
  costs(place: string): string[] {
    const [warehouseId, itemId] = place.split('/') as [string, string];
    const stored = this.stock.costs.get(balanceKey(ORG, warehouseId, itemId))!;
    expect(stored.breaks()).toEqual([]);
    const layers = [...stored.layers.values()].filter(({ quantity }) => quantity > ZERO);
    return [
      ...layers.map(({ quantity, value, receiptId }) => `${formatQuantity(quantity)} @ ${formatQuantity(value)} of ${receiptId}`),
      `= ${formatQuantity(stored.balance.value)}`,
    ];
  }

  /** The corrections in the ledger of a balance: `+5 of lot L at 3`. */
  corrections(place: string): string[] {
    return this.stock.ledger
      .filter((entry) => `${entry.warehouseId}/${entry.itemId}` === place && entry.movement.movementType === 'cost_correction')
      .map(({ lot, quantityDelta, valueDelta, unitCost, movement }) => {
        expect([quantityDelta, movement.refType]).toEqual([ZERO, 'receipt']);
        return `${movement.refId}: ${formatQuantity(valueDelta!)}${lot && ` of ${lot}`}${unitCost === null ? '' : ` at ${formatQuantity(unitCost)}`}`;
      });
  }
}

const given = (costing: Costing = 'fifo') => new Given({}, { items: { A: { costing }, T: { costing, tracking: 'lot' } } });

describe('a correction of costs', () => {
  it('re-values what is left of the receipt, and tells what falls on what was issued', () => {
    const stock = given();
    stock.when(receivesAtCost('r1', 'W1', ['A', '10', '2']));
    stock.pass(60);
    stock.when(receivesAtCost('r2', 'W1', ['A', '10', '3']));
    stock.when(ships('s1', 'o1', { 1: 'A 4 @W1' }));
    stock.said();
    expect(stock.answer(corrects('r1', [{ itemId: 'A', unitCost: '2.5' }]))).toEqual({
      receiptId: 'r1',
      movementId: expect.any(String),
      remainingDelta: '3',
      issuedDelta: '2',
      lines: [{ itemId: 'A', lot: null, remainingDelta: '3', issuedDelta: '2' }],
    });
    expect(stock.costs('W1/A')).toEqual(['6 @ 15 of r1', '10 @ 30 of r2', '= 45']);
    expect(stock.corrections('W1/A')).toEqual(['r1: 3 at 2.5']);
    expect(stock.at('W1/A')).toBe('16 on hand');
    expect(stock.said()).toEqual([]);
  });

  it('counts a price from the last one that was told, and landed costs on top of each other', () => {
    const stock = given();
    stock.when(receivesAtCost('r1', 'W1', ['A', '10', '2']));
    const delta = (line: Partial<CostCorrectionLine>) =>
      stock.answer<{ remainingDelta: string }>(corrects('r1', [{ itemId: 'A', ...line }])).remainingDelta;
    expect(delta({ unitCost: '3' })).toBe('10');
    expect(delta({ landedCost: '5' })).toBe('5');
    expect(delta({ landedCost: '5' })).toBe('5');
    expect(delta({ unitCost: '2.5', landedCost: '-1' })).toBe('-6');
    expect(delta({ unitCost: '2.5' })).toBe('0');
    expect(stock.costs('W1/A')).toEqual(['10 @ 34 of r1', '= 34']);
    expect(stock.corrections('W1/A')).toEqual(['r1: 10 at 3', 'r1: 5', 'r1: 5', 'r1: -6 at 2.5', 'r1: 0 at 2.5']);
  });

  describe('that says what one cost, of goods that came at several', () => {
    const came = () => {
      const stock = given();
      stock.when(receivesAtCost('r1', 'W1', ['A', '3', '1.3333'], ['A', '7', '2.2222']));
      return stock;
    };
    const corrected = (stock: Given, line: Partial<CostCorrectionLine>) => stock.answer(corrects('r1', [{ itemId: 'A', ...line }]));

    it('brings each layer to it', () => {
      const stock = came();
      expect(corrected(stock, { unitCost: '3' })).toMatchObject({ remainingDelta: '10.4447', issuedDelta: '0' });
      expect(stock.costs('W1/A')).toEqual(['3 @ 9 of r1', '7 @ 21 of r1', '= 30']);
    });

    it('tells what falls on those that were issued', () => {
      const stock = came();
      stock.when(ships('s1', 'o1', { 1: 'A 3 @W1' }));
      expect(corrected(stock, { unitCost: '3' })).toMatchObject({ remainingDelta: '5.4446', issuedDelta: '5.0001' });
      expect(stock.costs('W1/A')).toEqual(['7 @ 21 of r1', '= 21']);
    });

    it('on top of which are the landed costs, said before and with it', () => {
      const stock = came();
      corrected(stock, { landedCost: '10' });
      expect(stock.costs('W1/A')).toEqual(['3 @ 6.9999 of r1', '7 @ 22.5554 of r1', '= 29.5553']);
      corrected(stock, { unitCost: '3', landedCost: '10' });
      expect(stock.costs('W1/A')).toEqual(['3 @ 15 of r1', '7 @ 35 of r1', '= 50']);
      corrected(stock, { unitCost: '1' });
      expect(stock.costs('W1/A')).toEqual(['3 @ 9 of r1', '7 @ 21 of r1', '= 30']);
    });

    it('wherever they are by now, of all lots', () => {
      const stock = given();
      stock.when(receivesAtCost('r1', 'W1', ['T', '10', '1', 'L1'], ['T', '10', '5', 'L2']));
      stock.when(ships('s1', 'o1', { 1: 'T 4 @W1 #L1' }));
      stock.when(returns('back', 'o1', { 1: 'T 2 #L1' }, { warehouseId: 'W2' }));
      expect(stock.answer(corrects('r1', [{ itemId: 'T', unitCost: '2' }]))).toMatchObject({
        remainingDelta: '-22',
        issuedDelta: '2',
      });
      expect([...stock.costs('W1/T'), ...stock.costs('W2/T')]).toEqual([
        ...['6 @ 12 of r1', '10 @ 20 of r1', '= 32'],
        ...['2 @ 4 of r1', '= 4'],
      ]);
    });
  });

  it('counts a price from one that was told in the same batch', () => {
    const stock = given();
    stock.when(receivesAtCost('r1', 'W1', ['A', '10', '2']));
    const outcomes = stock.batch(...['3', '2.5'].map((unitCost) => corrects('r1', [{ itemId: 'A', unitCost }])));
    expect(outcomes).toMatchObject([{ answer: { remainingDelta: '10' } }, { answer: { remainingDelta: '-5' } }]);
  });

  it('finds what is left in other warehouses', () => {
    const stock = given();
    stock.when(receivesAtCost('r1', 'W1', ['A', '10', '2']));
    stock.when(ships('s1', 'o1', { 1: 'A 6 @W1' }));
    stock.when(returns('back', 'o1', { 1: 'A 2' }, { warehouseId: 'W2' }));
    expect(stock.costs('W2/A')).toEqual(['2 @ 4 of r1', '= 4']);
    expect(stock.answer(corrects('r1', [{ itemId: 'A', unitCost: '3' }]))).toMatchObject({ remainingDelta: '6', issuedDelta: '4' });
    expect(stock.costs('W1/A')).toEqual(['4 @ 12 of r1', '= 12']);
    expect(stock.costs('W2/A')).toEqual(['2 @ 6 of r1', '= 6']);
    expect([...stock.corrections('W1/A'), ...stock.corrections('W2/A')]).toEqual(['r1: 4 at 3', 'r1: 2']);
  });

  it('sees what moved in the same batch', () => {
    const stock = given();
    stock.when(receivesAtCost('r1', 'W1', ['A', '10', '2']));
    stock.when(ships('s1', 'o1', { 1: 'A 6 @W1' }));
    stock.batch(
      returns('back', 'o1', { 1: 'A 2' }, { warehouseId: 'W2' }),
      ships('s2', 'o2', { 1: 'A 1 @W1' }),
      corrects('r1', [{ itemId: 'A', landedCost: '10' }]),
    );
    expect(stock.costs('W1/A')).toEqual(['3 @ 9 of r1', '= 9']);
    expect(stock.costs('W2/A')).toEqual(['2 @ 6 of r1', '= 6']);
  });

  it('of a receipt that comes in the same batch finds nothing yet', () => {
    const stock = given();
    const [, outcome] = stock.batch(receivesAtCost('r1', 'W1', ['A', '10', '2']), corrects('r1', [{ itemId: 'A', unitCost: '3' }]));
    expect(outcome).toMatchObject({ kind: 'error', error: { code: 'NOT_FOUND' } });
    expect(stock.costs('W1/A')).toEqual(['10 @ 20 of r1', '= 20']);
  });

  it('re-values a layer however many are before it', () => {
    const stock = given('lifo');
    for (let n = 1; n <= 60; n++) {
      stock.when(receivesAtCost(`r${n}`, 'W1', ['A', '1', '1']));
      stock.pass(1);
    }
    stock.batch(corrects('r1', [{ itemId: 'A', unitCost: '5' }]), ships('s1', 'o1', { 1: 'A 3 @W1' }));
    expect(stock.costs('W1/A')).toEqual(expect.arrayContaining(['1 @ 5 of r1', '= 61']));
    expect(stock.costs('W1/A')).not.toContain('1 @ 1 of r60');
  });

  it('of an average counts the receipt as left as far as there is so much', () => {
    const stock = given('average');
    stock.when(receivesAtCost('r1', 'W1', ['A', '10', '2']));
    stock.when(receivesAtCost('r2', 'W1', ['A', '10', '4']));
    expect(stock.answer(corrects('r1', [{ itemId: 'A', unitCost: '3' }]))).toMatchObject({ remainingDelta: '10', issuedDelta: '0' });
    expect(stock.costs('W1/A')).toEqual(['20 @ 70 of null', '= 70']);
    stock.when(ships('s1', 'o1', { 1: 'A 16 @W1' }));
    stock.when(returns('back', 'o1', { 1: 'A 1' }, { warehouseId: 'W2' }));
    expect(stock.answer(corrects('r1', [{ itemId: 'A', landedCost: '10' }]))).toMatchObject({ remainingDelta: '4', issuedDelta: '6' });
    expect(stock.costs('W1/A')).toEqual(['4 @ 18 of null', '= 18']);
    expect(stock.costs('W2/A')).toEqual(['1 @ 3.5 of null', '= 3.5']);
    stock.when(ships('s2', 'o2', { 1: 'A 4 @W1' }));
    expect(stock.answer(corrects('r1', [{ itemId: 'A', landedCost: '10' }]))).toMatchObject({ remainingDelta: '0', issuedDelta: '10' });
    expect(stock.costs('W1/A')).toEqual(['= 0']);
  });

  it('of lots tells the difference of each, and lets what is left of all bear it', () => {
    const stock = given();
    stock.when(receivesAtCost('r1', 'W1', ['T', '10', '2', 'L1'], ['T', '30', '2', 'L2'], ['A', '1', '1']));
    const answer = stock.answer(
      corrects('r1', [
        { itemId: 'T', lot: 'L1', unitCost: '6' },
        { itemId: 'A', landedCost: '1' },
      ]),
    );
    expect(answer).toMatchObject({
      remainingDelta: '41',
      lines: [
        { itemId: 'T', lot: 'L1', remainingDelta: '40', issuedDelta: '0' },
        { itemId: 'A', lot: null, remainingDelta: '1', issuedDelta: '0' },
      ],
    });
    expect(stock.costs('W1/T')).toEqual(['10 @ 30 of r1', '30 @ 90 of r1', '= 120']);
    // The other lot has its price still.
    expect(stock.answer(corrects('r1', [{ itemId: 'T', unitCost: '2' }]))).toMatchObject({
      lines: [
        { lot: 'L1', remainingDelta: '-40' },
        { lot: 'L2', remainingDelta: '0' },
      ],
    });
    expect(stock.corrections('W1/T')).toEqual(['r1: 40 of L1 at 6', 'r1: -40 of L1 at 2', 'r1: 0 of L2 at 2']);
  });

  it('makes nothing worth less than nothing', () => {
    const stock = given();
    stock.when(receivesAtCost('r1', 'W1', ['T', '10', '0', 'L1'], ['T', '10', '5', 'L2']));
    stock.when(adjusts('W1/A', '5 found'));
    const answer = stock.answer(corrects('r1', [{ itemId: 'T', lot: 'L2', unitCost: '0' }]));
    expect(answer).toMatchObject({ remainingDelta: '-25', issuedDelta: '-25' });
    expect(stock.costs('W1/T')).toEqual(['10 @ 0 of r1', '10 @ 25 of r1', '= 25']);
  });

  it('lets what comes back later come back at what it cost then', () => {
    const stock = given();
    stock.when(receivesAtCost('r1', 'W1', ['A', '10', '2']));
    stock.when(ships('s1', 'o1', { 1: 'A 4 @W1' }));
    stock.when(corrects('r1', [{ itemId: 'A', unitCost: '3' }]));
    stock.when(unships('s1', 'o1'));
    expect(stock.costs('W1/A')).toEqual(['6 @ 18 of r1', '4 @ 8 of r1', '= 26']);
  });

  it('said again is answered as before, and changes nothing', () => {
    const stock = given();
    stock.when(receivesAtCost('r1', 'W1', ['A', '10', '2']));
    const said = [{ itemId: 'A', landedCost: '5' }];
    const first = stock.answer(corrects('r1', said, { commandId: 'c1' }));
    expect(stock.answer(corrects('r1', said, { commandId: 'c1' }))).toEqual(first);
    const [one, two] = stock.batch(corrects('r1', said, { commandId: 'c2' }), corrects('r1', said, { commandId: 'c2' }));
    expect(two).toEqual(one);
    expect(stock.when(corrects('r1', [{ itemId: 'A', landedCost: '6' }], { commandId: 'c1' }))).toMatchObject({
      kind: 'error',
      error: { kind: 'conflict', code: 'ALREADY_EXISTS' },
    });
    expect(stock.costs('W1/A')).toEqual(['10 @ 30 of r1', '= 30']);
  });

  it.each([
    ['an unknown receipt', 'r9', [{ itemId: 'A', unitCost: '1' }], 'not_found', 'NOT_FOUND'],
    ['an item that did not come by it', 'r1', [{ itemId: 'B', unitCost: '1' }], 'rejected', 'STOCK_VALIDATION'],
    ['an item that does not exist', 'r1', [{ itemId: 'X', unitCost: '1' }], 'rejected', 'STOCK_VALIDATION'],
    ['nothing', 'r1', [{ itemId: 'A' }], 'rejected', 'STOCK_VALIDATION'],
    ['what would be worth more than can be stored', 'r2', [{ itemId: 'A', unitCost: '999999999999' }], 'rejected', 'STOCK_VALIDATION'],
  ])('of %s is refused', (_, receiptId, lines, kind, code) => {
    const stock = given();
    stock.when(receivesAtCost('r1', 'W1', ['A', '10', '2']));
    stock.when(receivesAtCost('r2', 'W1', ['A', '10000000', '2']));
    expect(stock.when(corrects(receiptId, lines))).toMatchObject({ kind: 'error', error: { kind, code } });
    expect(stock.corrections('W1/A')).toEqual([]);
  });
});
