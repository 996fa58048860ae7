import { parse } from 'csv-parse/sync';
import * as fc from 'fast-check';
import { csvOf } from './csv.js';

const COLUMNS = [{ name: 'id', isText: true }, { name: 'count' }] as const;
const cells = (text: string) => parse(text, { record_delimiter: '\r\n' });

describe('CSV', () => {
  it('has titles, and a line for each row, ended as RFC 4180 says', () => {
    const rows = [
      { count: 3, id: 'a', other: 1 },
      { id: null, count: '-1.5' },
    ];
    expect(csvOf(COLUMNS, rows)).toBe('id,count\r\na,3\r\n,-1.5\r\n');
    expect(csvOf(COLUMNS, [])).toBe('id,count\r\n');
  });

  it.each(['=1+1', '+49', '-2', '@sum', '\tx', '\rx'])('does not let %j be taken for a formula', (id) => {
    expect(cells(csvOf(COLUMNS, [{ id, count: 1 }]))[1]).toEqual([`'${id}`, '1']);
  });

  it('leaves numbers below zero numbers', () => expect(csvOf(COLUMNS, [{ id: 'a', count: -2 }])).toBe('id,count\r\na,-2\r\n'));

  it('can be read back, whatever the text', () => {
    const text = fc.string({ unit: 'grapheme' }).filter((id) => !/^[=+\-@\t\r]/.test(id));
    fc.assert(
      fc.property(fc.array(text), (ids) => {
        const [, ...lines] = cells(
          csvOf(
            COLUMNS,
            ids.map((id, count) => ({ id, count })),
          ),
        );
        expect(lines).toEqual(ids.map((id, count) => [id, String(count)]));
      }),
    );
  });

  it('writes what is no text as JSON', () => {
    expect(cells(csvOf(COLUMNS, [{ id: { a: ['x"y'] }, count: 1 }]))[1]).toEqual(['{"a":["x\\"y"]}', '1']);
  });
});
