import { Cursor } from './cursor.js';

describe('cursor', () => {
  const cursor = new Cursor('time', 'text', 'integer', 'uuid');
  const key = ['2026-02-28T23:59:59.123456Z', 'W:1', '42', '01890a5d-ac96-774b-bcce-b302099a8057'];
  const pageOf = (rows: readonly string[][], limit: number) =>
    cursor.page(
      rows,
      limit,
      (row) => row,
      (row) => row[1],
    );

  it('carries the key of the last row of a page to the next one', () => {
    const { items, nextCursor } = pageOf([['', 'first'], key, ['', 'beyond']], 2);
    expect(items).toEqual(['first', 'W:1']);
    expect(cursor.read(nextCursor!)).toEqual(key);
  });

  it('is null on the last page', () => {
    expect(pageOf([key], 1).nextCursor).toBeNull();
    expect(pageOf([], 1)).toEqual({ items: [], nextCursor: null });
  });

  it('starts at the first row when there is none', () => expect(cursor.read(undefined)).toEqual([]));

  const encoded = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const withPart = (at: number, part: unknown) => encoded(key.map((was, index) => (index === at ? part : was)));
  it.each([
    ['no base64 of JSON', 'nonsense'],
    ['empty', ''],
    ['another shape', encoded({ a: 1 })],
    ['a key that is too short', encoded(key.slice(1))],
    ['a number for a text', withPart(1, 5)],
    ['a control character', withPart(1, 'a\0')],
    ['a lone surrogate', withPart(1, '\ud800')],
    ['a number that no column holds', withPart(2, '9'.repeat(19))],
    ['a day that does not exist', withPart(0, '2026-02-30T00:00:00Z')],
    ['no UUID', withPart(3, 'x')],
  ])('refuses %s as invalid input', (_, text) => {
    expect(() => cursor.read(text)).toThrow(expect.objectContaining({ kind: 'invalid', code: 'VALIDATION_FAILED' }));
  });
});
