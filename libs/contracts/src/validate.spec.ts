import { SomeText, Timestamp } from './schema.js';
import { compile } from './validate.js';

describe('timestamps', () => {
  const validate = compile(Timestamp);

  it.each(['2026-02-28T23:59:59Z', '2026-02-28T23:59:59.123456+02:00', '0001-01-01T00:00:00Z', '9999-12-31T23:59:59Z'])(
    'takes %s',
    (text) => {
      expect(validate(text)).toBeNull();
    },
  );

  it.each([
    ['a leap second', '2016-12-31T23:59:60Z'],
    ['the year 0', '0000-01-01T00:00:00Z'],
    ['a year beyond 9999 in UTC', '9999-12-31T23:59:59-12:00'],
    ['an offset that PostgreSQL refuses', '2026-01-01T00:00:00+23:00'],
    ['a day that is not', '2026-02-30T00:00:00Z'],
    ['a time without zone', '2026-01-01T00:00:00'],
    ['words', 'tomorrow'],
  ])('refuses %s, which no table could store', (_, text) => {
    expect(validate(text)).toHaveLength(1);
  });
});

describe('text that must say something', () => {
  const validate = compile(SomeText(20));

  it.each(['no', ' a word ', '\n\tx', '\u{1f600}'])('may be %j', (text) => {
    expect(validate(text)).toBeNull();
  });

  it.each(['', ' ', ' \t\n', '\u00a0', 'a\u0000', '\ud800', 'x'.repeat(21)])('may not be %j', (text) => {
    expect(validate(text)).not.toBeNull();
  });
});
