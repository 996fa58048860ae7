import fc from 'fast-check';
import { GoodsReceived, ItemCreate } from '#libs/contracts';
import { COLUMNS } from './columns.js';
import { readHeader, readLine } from './read-line.js';

const header = (kind: keyof typeof COLUMNS, ...cells: string[]) => readHeader(COLUMNS[kind], { cells, line: 1 });
const columns = (...names: string[]) => names.map((name) => COLUMNS.items.concat(COLUMNS.stock).find((column) => column.name === name)!);
const read = (names: string[], ...cells: string[]) => readLine(columns(...names), { cells, line: 7 }, false);

describe('a header', () => {
  it('names columns in any order, with blanks around them', () => {
    const { header: found, errors } = header('stock', ' quantity', 'unitCost ', 'itemId', 'warehouseId');
    expect([found.map((column) => column.name), errors]).toEqual([['quantity', 'unitCost', 'itemId', 'warehouseId'], []]);
  });

  it('tells everything that is wrong with it', () => {
    expect(header('items', 'ItemId', '', 'unit', 'unit').errors).toEqual([
      { line: 1, column: 'ItemId', message: 'is not a known column; did you mean itemId.' },
      { line: 1, column: null, message: 'Column 2 has no name.' },
      { line: 1, column: 'unit', message: 'stands twice in the header.' },
      { line: 1, column: 'itemId', message: 'is missing in the header.' },
      { line: 1, column: 'name', message: 'is missing in the header.' },
    ]);
  });
});

describe('a line', () => {
  it('says what a client would send as JSON', () => {
    const names = ['itemId', 'name', 'unitPrice', 'minRemainingShelfLifeDays', 'substitutes', 'expiresAt', 'unit'];
    const { values, errors } = read(names, 'a', ' A ', '1.50', '030', 'b;c ;', '2027-01-01', '');
    expect(errors).toEqual([]);
    expect(values).toEqual({
      itemId: 'a',
      name: ' A ',
      unitPrice: '1.5',
      minRemainingShelfLifeDays: 30,
      substitutes: ['b', 'c'],
      expiresAt: '2027-01-01T00:00:00Z',
    });
  });

  it('names the line in which a value begins, and cuts what is long', () => {
    expect(read(['name', 'itemId', 'unitPrice'], 'one\r\ntwo\nthree', 'é'.repeat(50), '\u0000').errors).toEqual([
      { line: 9, column: 'itemId', message: `must be an id: 1 to 64 of A-Z a-z 0-9 . _ : -, not "${'é'.repeat(40)}…".` },
      { line: 9, column: 'unitPrice', message: expect.stringContaining('not "\\u0000".') },
    ]);
  });

  it('of another length is not read, because which value belongs to which column cannot be known', () => {
    const error = { line: 7, column: null, message: 'The line has 1 value, the header 2 columns.' };
    expect(read(['itemId', 'name'], 'bad id')).toEqual({ line: 7, values: {}, errors: [error] });
  });

  it('is told to be no text only where it is none', () => {
    const record = { cells: ['a', 'M\ufffdller'], line: 2 };
    expect(readLine(columns('itemId', 'name'), record, false).errors).toEqual([]);
    expect(readLine(columns('itemId', 'name'), record, true).errors).toMatchObject([{ column: 'name' }]);
  });

  it.each([
    ['unitPrice', ['0', '12.5', '999999999999.9999'], ['-1', '1e3', '+1', '.5', '5.', '1,5', '1 ', '1.00001', '1000000000000', 'NaN', '٣']],
    ['quantity', ['0.0001', '7'], ['0', '0.0000', '-0', '']],
    ['itemId', ['a', 'A.b_c:d-9', 'x'.repeat(64)], ['a b', 'ä', 'a/b', 'x'.repeat(65), ' a']],
    ['name', ['x', '"', '😀'.repeat(200)], ['x'.repeat(201), 'a\u0007']],
    ['currency', ['EUR'], ['eur', 'EURO', '€']],
    ['minRemainingShelfLifeDays', ['0', '36500'], ['-1', '1.5', '36501', '0x1']],
    [
      'substitutes',
      ['a', ';a;', Array.from({ length: 50 }, (_, n) => `i${n}`).join(';')],
      ['a;a', 'a,b', Array.from({ length: 51 }, (_, n) => `i${n}`).join(';')],
    ],
    [
      'expiresAt',
      ['2027-02-28', '2027-01-01T12:00:00Z', '2027-01-01T12:00:00.5+02:00'],
      ['2027-02-30', '28.2.2027', '2027-01-01 12:00', '2027-1-1', '0000-01-01'],
    ],
    ['quality', ['damaged'], ['expired', 'good']],
  ])('takes for %s what the API takes, and refuses what it refuses', (name, good, bad) => {
    for (const text of good) expect([text, read([name], text).errors]).toEqual([text, []]);
    for (const text of bad)
      expect([text, read([name], text).errors.length]).toEqual([text, text === '' ? (columns(name)[0]!.isRequired ? 1 : 0) : 1]);
  });

  it('that is right fits the schema of the API', () => {
    const cell = fc.oneof(
      fc.string({ maxLength: 6 }),
      fc.constantFrom('1', '0.5', 'a', 'a;b', 'none', 'fifo', 'EUR', '2027-01-01', '', '36500'),
    );
    const items = COLUMNS.items;
    fc.assert(
      fc.property(fc.array(cell, { minLength: items.length, maxLength: items.length }), (cells) => {
        const { values, errors } = readLine(items, { cells, line: 2 }, false);
        expect(ItemCreate.validate({ itemId: 'a', name: 'A', ...values })).toBeNull();
        if (errors.length === 0) expect(ItemCreate.validate(values)).toBeNull();
      }),
    );
    const stock = COLUMNS.stock;
    fc.assert(
      fc.property(fc.array(cell, { minLength: stock.length, maxLength: stock.length }), (cells) => {
        const { warehouseId = 'W', ...line } = readLine(stock, { cells, line: 2 }, false).values;
        const receipt = { receiptId: 'r', warehouseId, lines: [{ itemId: 'a', quantity: '1', unitCost: '1', ...line }] };
        expect(GoodsReceived.validate(receipt)).toBeNull();
      }),
    );
  });
});
