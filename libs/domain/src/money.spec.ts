import fc from 'fast-check';
import { apportion, isMoney, mulDiv, parseMoney, unitCostOf, valueOf } from './money.js';
import { parseQuantity } from './quantity.js';

describe('money', () => {
  it.each([
    [1n, 1n, 2n, 1n],
    [-1n, 1n, 2n, -1n],
    [1n, 1n, 3n, 0n],
    [2n, 1n, 3n, 1n],
    [-2n, 1n, 3n, -1n],
    [5n, 3n, 10n, 2n],
    [10n, 2n, 3n, 7n],
    [7n, 0n, 3n, 0n],
  ])('%s * %s / %s = %s, half away from zero', (value, multiplier, divisor, result) =>
    expect(mulDiv(value, multiplier, divisor)).toBe(result),
  );

  it('is never further than half a unit from the exact result, and at half away from zero', () => {
    const any = fc.bigInt({ min: -(10n ** 16n), max: 10n ** 16n });
    fc.assert(
      fc.property(any, any, fc.bigInt({ min: 1n, max: 10n ** 16n }), (value, multiplier, divisor) => {
        const twice = 2n * (mulDiv(value, multiplier, divisor) * divisor - value * multiplier);
        const off = value * multiplier < 0n ? -twice : twice;
        expect(-divisor < off && off <= divisor).toBe(true);
      }),
    );
  });

  it('values a quantity, and tells what one costs', () => {
    expect(valueOf(parseMoney('1.1'), parseQuantity('2.5'))).toBe(parseMoney('2.75'));
    expect(valueOf(parseMoney('0.0001'), parseQuantity('0.5'))).toBe(parseMoney('0.0001'));
    expect(unitCostOf(parseMoney('10'), parseQuantity('3'))).toBe(parseMoney('3.3333'));
  });

  it('reads values beyond the limit of quantities, up to what a column holds', () => {
    expect(isMoney(parseMoney('999999999999999999.9999'))).toBe(true);
    expect(isMoney(parseMoney('1000000000000000000'))).toBe(false);
    expect(isMoney(parseMoney('-1000000000000000000'))).toBe(false);
    expect(() => parseMoney('1.23456')).toThrow(RangeError);
  });

  it.each([
    ['10', ['1', '1', '1'], ['3.3333', '3.3334', '3.3333']],
    ['-10', ['1', '1', '1'], ['-3.3333', '-3.3334', '-3.3333']],
    ['1', ['0', '3', '1', '0'], ['0', '0.75', '0.25', '0']],
    ['0', [], []],
  ])('splits %s over %j as %j', (value, quantities, parts) =>
    expect(apportion(parseMoney(value), quantities.map(parseQuantity))).toEqual(parts.map(parseMoney)),
  );

  it('splits so that the parts add up to the whole, each on the side of the whole and none where there is no quantity', () => {
    const quantities = fc.array(fc.oneof(fc.constant(0n), fc.bigInt({ min: 1n, max: 10n ** 16n })), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(fc.bigInt({ min: -(10n ** 22n), max: 10n ** 22n }), quantities, (value, shares) => {
        fc.pre(shares.some((share) => share > 0n));
        const parts = apportion(value, shares);
        expect(parts.reduce((sum, part) => sum + part, 0n)).toBe(value);
        parts.forEach((part, index) => {
          expect(value < 0n ? part <= 0n : part >= 0n).toBe(true);
          if (shares[index] === 0n) expect(part).toBe(0n);
        });
      }),
    );
  });

  it('refuses a value that nothing bears', () => expect(() => apportion(1n, [0n])).toThrow(RangeError));
});
