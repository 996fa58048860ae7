import fc from 'fast-check';
import { formatQuantity, HoldfastError, parseMoney, parseQuantity, sumQuantities, ZERO } from '#libs/domain';
import { type CostDifference, costDifferences, levelCosts, spreadDifference, type ToldCost } from './cost-correction.js';
import { receivedGoods, type ReceiptEntry } from './receipt-costs.js';

const goods = (itemId: string, lot: string, quantity: string, price: string) => ({
  itemId,
  lot,
  quantity: parseQuantity(quantity),
  price: parseMoney(price),
  landed: ZERO,
});
const received = [goods('A', 'L1', '10', '20'), goods('A', 'L2', '5', '15'), goods('B', '', '3', '10')];

const told = (itemId: string, more: { lot?: string; unitCost?: string; landedCost?: string }): ToldCost => ({
  itemId,
  lot: more.lot,
  unitCost: more.unitCost === undefined ? undefined : parseQuantity(more.unitCost),
  landedCost: more.landedCost === undefined ? undefined : parseMoney(more.landedCost),
});

const differences = (...lines: ToldCost[]) => costDifferences('r1', received, lines);
const readable = (found: CostDifference[] | HoldfastError) =>
  found instanceof HoldfastError
    ? `${found.code}: ${found.message}`
    : found.map(({ goods: of, unitCost, delta }) =>
        [of.itemId, of.lot, unitCost && formatQuantity(unitCost), formatQuantity(delta)].join(' '),
      );

describe('what is told of costs afterwards', () => {
  it.each([
    ['a price of all lots', [told('A', { unitCost: '2.5' })], ['A L1 2.5 5', 'A L2 2.5 -2.5']],
    ['a price of one lot', [told('A', { lot: 'L2', unitCost: '2' })], ['A L2 2 -5']],
    ['a landed cost, split by quantity', [told('A', { landedCost: '10' })], ['A L1  6.6667', 'A L2  3.3333']],
    ['both', [told('B', { unitCost: '3', landedCost: '-0.5' })], ['B  3 -1.5']],
    ['several', [told('B', { unitCost: '4' }), told('A', { lot: 'L1', landedCost: '1' })], ['B  4 2', 'A L1  1']],
  ])('%s', (_, lines, expected) => expect(readable(differences(...lines))).toEqual(expected));

  it.each([
    ['an item that did not come by it', [told('C', { unitCost: '1' })], 'lines.0: receipt r1 brought no C'],
    ['a lot that did not', [told('A', { lot: 'L3', unitCost: '1' })], 'lines.0: receipt r1 brought no A of lot L3'],
    ['nothing', [told('B', { unitCost: '1' }), told('A', {})], 'lines.1: give a unitCost, a landedCost, or both for A'],
    ['two things', [told('A', { lot: 'L1', unitCost: '1' }), told('A', { unitCost: '1' })], 'lines.1: there is a line for A already'],
  ])('%s is refused', (_, lines, message) => expect(readable(differences(...lines))).toContain(`STOCK_VALIDATION: ${message}`));
});

describe('what came by a receipt', () => {
  const entry = (
    itemId: string,
    quantity: string,
    unitCost: string | null,
    value: string | null,
    more: Partial<ReceiptEntry> = {},
  ): ReceiptEntry => ({
    warehouseId: 'W',
    itemId,
    lot: '',
    isCorrection: false,
    quantityDelta: parseQuantity(quantity),
    unitCost: unitCost === null ? null : parseQuantity(unitCost),
    valueDelta: value === null ? null : parseMoney(value),
    movementId: 'm',
    corrected: [],
    ...more,
  });
  const correction = (unitCost: string | null, lot = '') => entry('A', '0', unitCost, '9', { lot, isCorrection: true });
  const came = (...entries: ReceiptEntry[]) =>
    receivedGoods(entries).map(
      ({ itemId, lot, quantity, price }) => `${itemId}${lot} ${formatQuantity(quantity)} @ ${formatQuantity(price)}`,
    );

  it.each([
    [
      'by item and lot',
      [entry('A', '2', '1', '2'), entry('B', '3', '1', '3'), entry('A', '5', '2', '10', { lot: 'L' })],
      ['A 2 @ 2', 'B 3 @ 3', 'AL 5 @ 10'],
    ],
    ['together when its costs differ', [entry('A', '2', '1', '2'), entry('A', '3', '2', '6')], ['A 5 @ 8']],
    ['as it was valued, not as a rounded cost says', [entry('A', '3', '0.3333', '1')], ['A 3 @ 1']],
    ['as its unit cost says from before values were kept', [entry('A', '3', '2', null)], ['A 3 @ 6']],
    [
      'at the unit cost told last',
      [entry('A', '4', '2', '8'), correction('3'), correction(null), correction('2.5'), correction('9', 'L')],
      ['A 4 @ 10'],
    ],
  ])('%s', (_, entries, expected) => expect(came(...entries)).toEqual(expected));
});

describe('a difference', () => {
  const spread = (delta: string, quantity: string, ...left: [string, string][]) => {
    const layers = left.map(([q, value]) => ({ quantity: parseQuantity(q), value: parseMoney(value) }));
    const { ofLayers, issued } = spreadDifference(parseMoney(delta), parseQuantity(quantity), layers);
    return { ofLayers: ofLayers.map(formatQuantity), issued: formatQuantity(issued) };
  };

  it('is borne by what is left of the receipt, and by what was issued', () =>
    expect(spread('10', '10', ['2', '4'], ['3', '6'])).toEqual({ ofLayers: ['2', '3'], issued: '5' }));
  it('is borne by what was issued when nothing is left', () => expect(spread('10', '10')).toEqual({ ofLayers: [], issued: '10' }));
  it('is borne by the layers to the last decimal when nothing was issued', () =>
    expect(spread('10', '3', ['1', '1'], ['1', '1'], ['1', '1'])).toEqual({ ofLayers: ['3.3333', '3.3334', '3.3333'], issued: '0' }));
  it('leaves no layer with less than nothing', () =>
    expect(spread('-10', '10', ['5', '2'], ['5', '9'])).toEqual({ ofLayers: ['-2', '-5'], issued: '-3' }));
  it('has nothing to do with what came back beyond what was received', () =>
    expect(spread('6', '2', ['3', '1'])).toEqual({ ofLayers: ['6'], issued: '0' }));

  it('is never lost, and brings all layers to one cost to the last decimal, where that is said', () => {
    const quantity = fc.bigInt({ min: 1n, max: 10n ** 12n });
    const value = fc.bigInt({ min: 0n, max: 10n ** 14n });
    const layers = fc.array(fc.record({ quantity, value }), { maxLength: 8 });
    fc.assert(
      fc.property(value, layers, fc.bigInt({ min: 0n, max: 10n ** 12n }), (cost, left, gone) => {
        const all = sumQuantities(left, (layer) => layer.quantity) + gone;
        fc.pre(all > ZERO);
        const was = sumQuantities(left, (layer) => layer.value);
        const { ofLayers, issued } = levelCosts(cost - was, cost, all, left);
        expect(sumQuantities(ofLayers, (share) => share) + issued).toBe(cost - was);
        if (gone === ZERO) expect(issued).toBe(ZERO);
        ofLayers.forEach((share, index) => {
          const off = (left[index]!.value + share) * all - cost * left[index]!.quantity;
          // Each takes its part of what those before it left: rounding moves along, and stays below one of the last decimal for each.
          expect(off <= all * BigInt(left.length) && -off <= all * BigInt(left.length)).toBe(true);
        });
      }),
    );
  });

  it('is never lost, and never makes a layer worth less than nothing', () => {
    const quantity = fc.bigInt({ min: 1n, max: 10n ** 12n });
    const layers = fc.array(fc.record({ quantity, value: fc.bigInt({ min: 0n, max: 10n ** 14n }) }), { maxLength: 8 });
    const delta = fc.bigInt({ min: -(10n ** 14n), max: 10n ** 14n });
    fc.assert(
      fc.property(delta, layers, fc.bigInt({ min: 0n, max: 10n ** 12n }), (difference, left, gone) => {
        const all = sumQuantities(left, (layer) => layer.quantity) + gone;
        fc.pre(all > ZERO);
        const { ofLayers, issued } = spreadDifference(difference, all, left);
        expect(sumQuantities(ofLayers, (share) => share) + issued).toBe(difference);
        ofLayers.forEach((share, index) => expect(left[index]!.value + share >= ZERO).toBe(true));
        if (gone === ZERO && difference >= ZERO) expect(issued).toBe(ZERO);
      }),
    );
  });
});
