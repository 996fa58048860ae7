import fc from 'fast-check';
import { firstCharacters, storableText } from './text.js';

describe('firstCharacters', () => {
  it.each([
    ['short', 500, 'short'],
    ['abcdef', 3, 'abc'],
    ['😀😀😀', 2, '😀😀'],
    ['a😀😀', 2, 'a😀'],
    ['', 3, ''],
  ])('of %j are at most %i', (text, max, expected) => {
    expect(firstCharacters(text, max)).toBe(expected);
  });

  it('are whole characters, and all there are when there are fewer', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.nat(30), (text, max) => {
        expect([...firstCharacters(text, max)]).toEqual([...text].slice(0, max));
      }),
    );
  });
});

it('storableText replaces what cannot be stored', () => {
  expect(storableText('a\u0000b\ud83d', 10)).toBe('a\u{fffd}b\u{fffd}');
  expect(storableText('two\nlines 😀😀', 11)).toBe('two\nlines 😀');
});
