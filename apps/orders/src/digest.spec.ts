import { digestOf } from './digest.js';

describe('digest', () => {
  it('is the same for equal content, however it is written', () => {
    const one = digestOf('ship', { a: 1, lines: [{ quantity: '1', lineNo: 1 }], note: undefined });
    expect(digestOf('ship', { lines: [{ lineNo: 1, quantity: '1.00' }], a: 1 })).toBe(one);
  });

  it.each([
    ['another kind', 'place', { lines: [{ quantity: '1' }, { quantity: '2' }] }],
    ['another order of lines', 'ship', { lines: [{ quantity: '2' }, { quantity: '1' }] }],
    ['another value', 'ship', { lines: [{ quantity: '1' }, { quantity: '2.0001' }] }],
    ['another type', 'ship', { lines: [{ quantity: '1' }, { quantity: '2', lineNo: null }] }],
  ])('differs for %s', (_, kind, content) => {
    expect(digestOf(kind, content)).not.toBe(digestOf('ship', { lines: [{ quantity: '1' }, { quantity: '2' }] }));
  });
});
