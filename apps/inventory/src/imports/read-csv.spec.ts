import fc from 'fast-check';
import { type CsvChunk, type CsvPosition, type CsvRecord, readCsv, REPLACEMENT } from './read-csv.js';

const START: CsvPosition = { byte: 0, line: 1 };

async function read(file: string | Buffer, options: { from?: CsvPosition; pieceBytes?: number } = {}) {
  const { from = START, pieceBytes = 7 } = options;
  const bytes = Buffer.from(file).subarray(from.byte);
  async function* pieces() {
    for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes);
  }
  const chunks: CsvChunk[] = [];
  for await (const chunk of readCsv(pieces(), from)) chunks.push(chunk);
  const records = chunks.flatMap((chunk) => chunk.records);
  return { chunks, records, broken: chunks.at(-1)!.broken, isGarbled: chunks.at(-1)!.isGarbled };
}

const cells = (records: readonly CsvRecord[]) => records.map((record) => record.cells);
const lines = (records: readonly CsvRecord[]) => records.map((record) => record.line);

describe('readCsv', () => {
  it('reads quotes, commas and line ends within values, any line ends, and a byte order mark', async () => {
    const { records } = await read('\ufeffa,b\r\n"1, one","say ""hi"""\n"two\r\nlines",é\r3,');
    expect(cells(records)).toEqual([
      ['a', 'b'],
      ['1, one', 'say "hi"'],
      ['two\r\nlines', 'é'],
      ['3', ''],
    ]);
    expect(lines(records)).toEqual([1, 2, 3, 5]);
  });

  it('leaves out empty lines, and counts them', async () => {
    const { records } = await read('\n\na,b\n\n1,2\r\n\r\n\r\n3,4\n\n');
    expect(cells(records)).toEqual([
      ['a', 'b'],
      ['1', '2'],
      ['3', '4'],
    ]);
    expect(lines(records)).toEqual([3, 5, 8]);
  });

  it('tells lines of any number of cells', async () => {
    expect(cells((await read('a,b\n1\n1,2,3\n')).records)).toEqual([['a', 'b'], ['1'], ['1', '2', '3']]);
  });

  it('reads nothing as nothing', async () => {
    expect((await read('')).records).toEqual([]);
    expect((await read('\ufeff')).records).toEqual([]);
    expect((await read('\r\n\n')).records).toEqual([]);
  });

  it.each([
    ['text behind a closing quote', 'a,b\n1,2\n"x"y,2\n3,4\n', 3, 'behind the quote'],
    ['a quote within a value', 'a,b\n1,2\n\n5" pipe,2\n3,4\n', 4, 'a quote within a value'],
    ['a quote that is never closed', 'a,b\n1,2\n"x,2\n3,4\n', 3, 'not closed'],
    ['a record that never ends', `a,b\n1,2\n"${'x'.repeat(70_000)}",2\n`, 3, 'more than 65536'],
  ])('reads what comes before %s, and says where it is', async (_, file, line, message) => {
    for (const pieceBytes of [1, 1_000_000]) {
      const { records, broken } = await read(file, { pieceBytes });
      expect(cells(records)).toEqual([
        ['a', 'b'],
        ['1', '2'],
      ]);
      expect(broken).toEqual({ line, message: expect.stringContaining(message) });
    }
  });

  it('marks what is not UTF-8, also where a piece ends within a letter, and only then', async () => {
    const latin = Buffer.from('a,b\nM\u00fcller,2\n', 'latin1');
    const { records, isGarbled } = await read(latin, { pieceBytes: 1 });
    expect([isGarbled, records[1]!.cells[0]]).toEqual([true, `M${REPLACEMENT}ller`]);
    for (const pieceBytes of [1, 2, 3, 100]) expect((await read('é€😀,1\n', { pieceBytes })).isGarbled).toBe(false);
    expect((await read(Buffer.from('a\n€').subarray(0, -1))).isGarbled).toBe(true);
  });

  it('does not read UTF-16', async () => {
    for (const file of [Buffer.from('\ufeffa,b\n', 'utf16le'), Buffer.from('\ufeffa,b\n', 'utf16le').swap16()]) {
      expect(await read(file)).toMatchObject({ records: [], broken: { line: 1, message: expect.stringContaining('UTF-16') } });
    }
  });

  const cell = fc.oneof(
    fc.string({ unit: 'grapheme', maxLength: 8 }),
    fc.string({ unit: fc.constantFrom('"', ',', '\n', '\r', '\r\n', ';', ' ', 'a', 'é', '😀', '\ufeff'), maxLength: 8 }),
  );
  const table = fc
    .integer({ min: 1, max: 4 })
    .chain((width) => fc.array(fc.array(cell, { minLength: width, maxLength: width }), { minLength: 1 }));
  /** A line of one empty value that is not quoted is an empty line. */
  const mustQuote = (value: string, row: readonly string[]) => /[",\r\n]/.test(value) || (row.length === 1 && value === '');
  const wellFormed = fc.record({
    rows: table,
    quotes: fc.infiniteStream(fc.boolean()),
    ends: fc.infiniteStream(fc.constantFrom('\n', '\r\n', '\r', '\n\n', '\r\n\r\n')),
    endsAtEnd: fc.boolean(),
    mark: fc.boolean(),
    pieceBytes: fc.integer({ min: 1, max: 40 }),
  });
  type Written = typeof wellFormed extends fc.Arbitrary<infer T> ? T : never;

  function write({ rows, quotes, ends, endsAtEnd, mark }: Written): { file: string; lines: number[] } {
    // What looks like a byte order mark at the beginning is taken for one, unless there is one before it.
    let file = mark || rows[0]![0]!.startsWith('\ufeff') ? '\ufeff' : '';
    const startsAt: number[] = [];
    rows.forEach((row, index) => {
      startsAt.push((file.match(/\r\n|\n|\r/g)?.length ?? 0) + 1);
      file += row.map((value) => (mustQuote(value, row) || quotes.next().value ? `"${value.replaceAll('"', '""')}"` : value)).join(',');
      if (index < rows.length - 1 || endsAtEnd) file += ends.next().value;
    });
    return { file, lines: startsAt };
  }

  it('reads back whatever was written with whatever quotes, and knows the lines', async () => {
    await fc.assert(
      fc.asyncProperty(wellFormed, async (written) => {
        const { file, lines: startsAt } = write(written);
        const { records, broken } = await read(file, { pieceBytes: written.pieceBytes });
        expect(broken).toBeUndefined();
        expect(cells(records)).toEqual(written.rows);
        expect(lines(records)).toEqual(startsAt);
      }),
      { numRuns: 200 },
    );
  });

  it('goes on behind any chunk as if it had never stopped', async () => {
    await fc.assert(
      fc.asyncProperty(wellFormed, async (written) => {
        const { file } = write(written);
        const whole = await read(file, { pieceBytes: written.pieceBytes });
        const read1: CsvRecord[] = [];
        for (const chunk of whole.chunks) {
          read1.push(...chunk.records);
          const rest = chunk.position.byte === 0 ? whole : await read(file, { from: chunk.position, pieceBytes: written.pieceBytes });
          expect([...read1, ...(chunk.position.byte === 0 ? rest.records.slice(read1.length) : rest.records)]).toEqual(whole.records);
        }
      }),
      { numRuns: 25 },
    );
  });
});
