import fc from 'fast-check';
import { formatQuantity, parseQuantity, percentOf, shortestDecimal } from './quantity.js';

describe('quantity', () => {
  it.each([
    ['0', 0n],
    ['12', 120_000n],
    ['-0.5', -5_000n],
    ['12.0000', 120_000n],
    ['999999999999.9999', 9_999_999_999_999_999n],
  ])('reads %s', (text, quantity) => expect(parseQuantity(text)).toBe(quantity));

  it.each(['', '-', '.5', '1.', '1.23456', '1e3', '1000000000000', ' 1', '0x1', 'NaN'])('refuses "%s"', (text) =>
    expect(() => parseQuantity(text)).toThrow(RangeError),
  );

  it('writes the shortest decimal and reads it back unchanged', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -9_999_999_999_999_999n, max: 9_999_999_999_999_999n }), (quantity) => {
        const text = formatQuantity(quantity);
        expect(text).toMatch(/^-?(0|[1-9]\d*)(\.\d{0,3}[1-9])?$/);
        expect(text).not.toBe('-0');
        expect(parseQuantity(text)).toBe(quantity);
      }),
    );
  });

  it.each([
    ['12.5000', '12.5'],
    ['100.0000', '100'],
    ['100', '100'],
    ['0.0000', '0'],
    ['-0.0100', '-0.01'],
    ['123456789012345678.1000', '123456789012345678.1'],
  ])('shortens %s to %s', (text, shortest) => expect(shortestDecimal(text)).toBe(shortest));

  it('rounds a percentage half away from zero', () => {
    expect(percentOf(parseQuantity('0.0001'), parseQuantity('50'))).toBe(1n);
    expect(percentOf(parseQuantity('-0.0001'), parseQuantity('50'))).toBe(-1n);
    expect(percentOf(parseQuantity('200'), parseQuantity('12.5'))).toBe(parseQuantity('25'));
  });
});
