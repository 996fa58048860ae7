import { setImmediate as nextTurn } from 'node:timers/promises';
import { type CsvError, parse, type Parser } from 'csv-parse';

/** Where reading goes on: the first byte that is not read, and the line in which it is. */
export interface CsvPosition {
  readonly byte: number;
  /** Counted from 1. */
  readonly line: number;
}

export interface CsvRecord {
  readonly cells: readonly string[];
  /** Where it begins. */
  readonly line: number;
}

/** What was read in one turn. */
export interface CsvChunk {
  readonly records: readonly CsvRecord[];
  /** Behind the last of the records. */
  readonly position: CsvPosition;
  /** Whether something up to here is not UTF-8; what stands in the cells instead of it has a {@link REPLACEMENT}. */
  readonly isGarbled: boolean;
  /** Why nothing behind the records can be read. */
  readonly broken?: { readonly line: number; readonly message: string };
}

/** Stands for bytes that are no text. */
export const REPLACEMENT = '\ufffd';

/** Small enough for live orders, which are served by the same process, not to wait for it: about half a millisecond. */
const SLICE_BYTES = 16_384;
/** Without a bound a quote that is never closed would bring the rest of the file into memory. */
const RECORD_CHARACTERS_MAX = 65_536;
const LINE_END = /\r\n|\n|\r/g;

/** What is wrong with the quoting, by the parser's code, in words that help to mend it. */
const BROKEN: Readonly<Record<string, string>> = {
  CSV_INVALID_CLOSING_QUOTE: 'has text behind the quote that closes a value',
  INVALID_OPENING_QUOTE: 'has a quote within a value that does not begin with one',
  CSV_QUOTE_NOT_CLOSED: 'has a quote that is not closed',
  CSV_MAX_RECORD_SIZE: `has more than ${RECORD_CHARACTERS_MAX} characters: perhaps a quote is not closed`,
};

/**
 * Reads CSV (RFC 4180) as it comes: commas, values in quotes where they hold commas, quotes or line ends, any line ends, empty lines left
 * out, a byte order mark at the beginning. Reading may go on later behind any record.
 *
 * @param parts the bytes from `from` on, in pieces of any size.
 */
export async function* readCsv(parts: AsyncIterable<Buffer>, from: CsvPosition): AsyncGenerator<CsvChunk> {
  const reader = new CsvReader(from);
  let isFirst = from.byte === 0;
  for await (const part of parts) {
    if (isFirst && isUtf16(part)) {
      const message = 'The file is UTF-16. Save it as "CSV UTF-8".';
      yield { records: [], position: from, isGarbled: true, broken: { line: 1, message } };
      return;
    }
    isFirst = false;
    for (let at = 0; at < part.length; at += SLICE_BYTES) {
      const chunk = await reader.read(part.subarray(at, at + SLICE_BYTES));
      yield chunk;
      if (chunk.broken !== undefined) return;
    }
  }
  yield await reader.end();
}

/** Spreadsheets save "Unicode text" so; it begins with this mark. */
function isUtf16(bytes: Buffer): boolean {
  return (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff);
}

/** How many line ends a text has, `\r\n` being one. */
export function countLineEnds(text: string): number {
  return text.match(LINE_END)?.length ?? 0;
}

class CsvReader {
  private readonly parser: Parser;
  private readonly utf8 = new TextDecoder('utf-8', { fatal: true });
  private isGarbled = false;
  private failure: CsvError | undefined;
  private emptyLines = 0;
  private position: CsvPosition;

  constructor(private readonly from: CsvPosition) {
    this.position = from;
    this.parser = parse({
      bom: from.byte === 0,
      info: true,
      max_record_size: RECORD_CHARACTERS_MAX,
      record_delimiter: ['\r\n', '\n', '\r'],
      // Told by line, like everything else that is wrong.
      relax_column_count: true,
      skip_empty_lines: true,
    });
    this.parser.on('error', (error: CsvError) => (this.failure = error));
  }

  async read(slice: Buffer): Promise<CsvChunk> {
    this.check(() => this.utf8.decode(slice, { stream: true }));
    this.parser.write(slice);
    return await this.take();
  }

  async end(): Promise<CsvChunk> {
    this.check(() => this.utf8.decode());
    this.parser.end();
    return await this.take();
  }

  private check(decode: () => void): void {
    if (this.isGarbled) return;
    try {
      decode();
    } catch {
      this.isGarbled = true;
    }
  }

  /** The parser has done its work when `write` returns; what is wrong it says in the next turn, in which others come to theirs. */
  private async take(): Promise<CsvChunk> {
    const records: CsvRecord[] = [];
    this.drain(records);
    await nextTurn();
    this.drain(records);
    const chunk = { records, position: this.position, isGarbled: this.isGarbled };
    return this.failure === undefined ? chunk : { ...chunk, broken: this.explain(this.failure) };
  }

  private drain(records: CsvRecord[]): void {
    for (;;) {
      const read = this.parser.read() as { record: string[]; info: { bytes: number; empty_lines: number } } | null;
      if (read === null) return;
      const { record: cells, info } = read;
      const line = this.position.line + info.empty_lines - this.emptyLines;
      this.emptyLines = info.empty_lines;
      records.push({ cells, line });
      const within = cells.reduce((sum, cell) => sum + countLineEnds(cell), 0);
      this.position = { byte: this.from.byte + info.bytes, line: line + 1 + within };
    }
  }

  private explain(error: CsvError): { line: number; message: string } {
    const what = BROKEN[error.code] ?? 'cannot be read';
    const line = this.position.line + this.parser.info.empty_lines - this.emptyLines;
    const remedy = 'Put a value with quotes, commas or line ends in quotes, and write each quote within it twice';
    return { line, message: `The line ${what}. ${remedy}. What follows was not read.` };
  }
}
