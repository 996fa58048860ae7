import fc from 'fast-check';
import { decimalError, toDecimal, type DecimalRange } from './decimal.js';

const read = (value: unknown, range: DecimalRange = 'any') => {
  const decimal = toDecimal(value);
  return decimalError(decimal, range) ?? decimal;
};

describe('decimals', () => {
  it.each([
    ['12', '12'],
    ['1.50', '1.5'],
    ['-0', '0'],
    ['-0.0000', '0'],
    ['999999999999.9999', '999999999999.9999'],
    ['0.0001', '0.0001'],
    [1.5, '1.5'],
    [15e-1, '1.5'],
    [-0, '0'],
    [0.1, '0.1'],
    [123456789012, '123456789012'],
    [12345678901.1234, '12345678901.1234'],
  ])('reads %p as %p', (sent, decimal) => {
    expect(read(sent)).toBe(decimal);
  });

  it.each([
    '',
    ' 1',
    '1 ',
    '+1',
    '.5',
    '1.',
    '01',
    '1e3',
    '0x10',
    '1,5',
    '1.00000',
    '1000000000000',
    'NaN',
    '١',
    Number.NaN,
    Infinity,
    1e12,
    0.00001,
    1e-7,
    123456789012.1234,
    0.1 + 0.2,
    true,
    [],
    ['1'],
    {},
  ])('refuses %p', (sent) => {
    expect(read(sent)).toMatch(/^must/);
  });

  it('refuses what is out of range', () => {
    expect(read('0', 'positive')).toBe('must be greater than zero');
    expect(read('-1', 'positive')).toBe('must be greater than zero');
    expect(read('-0.0001', 'zero or more')).toBe('must be zero or more');
    expect(read('0', 'zero or more')).toBe('0');
    expect(read(0, 'non-zero')).toBe('must not be zero');
    expect(read('-1', 'non-zero')).toBe('-1');
  });

  it('keeps every decimal, as string and, up to 15 digits, as number', () => {
    const parts = fc.tuple(fc.boolean(), fc.bigInt({ min: 0n, max: 9_999_999_999_999_999n }));
    fc.assert(
      fc.property(parts, ([negative, tenThousandths]) => {
        const text = `${tenThousandths / 10_000n}.${String(tenThousandths % 10_000n).padStart(4, '0')}`.replace(/\.?0+$/, '');
        const sign = negative && tenThousandths !== 0n ? '-' : '';
        expect(read(sign + text)).toBe(sign + text);
        if (text.replace('.', '').length <= 15) expect(read(Number(sign + text))).toBe(sign + text);
      }),
    );
  });
});
