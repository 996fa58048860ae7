import type { ImportError } from '#libs/contracts';
import { firstCharacters } from '#libs/domain';
import type { CellValue, Column } from './columns.js';
import { countLineEnds, type CsvRecord, REPLACEMENT } from './read-csv.js';

/** A line of data: what it says, in the words of the HTTP API, as far as it makes sense. */
export interface ImportLine {
  readonly line: number;
  /** Only the fields that are given, and right. */
  readonly values: Readonly<Record<string, CellValue>>;
  /** What is wrong with it, in the order of its columns. */
  readonly errors: ImportError[];
}

/** The columns of a file, in its order. */
export type Header = readonly Column[];

const SHOWN_CHARACTERS_MAX = 40;
/** What stands for bytes that are no text, and control characters, which compressed files are full of. */
const NO_TEXT = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffd]/;
const NOT_UTF8 = 'is not UTF-8 text. Save the file as "CSV UTF-8"';

/**
 * Finds out what the columns of a file are.
 *
 * @param known the columns that a file of its kind may have.
 */
export function readHeader(known: readonly Column[], { cells, line }: CsvRecord): { header: Header; errors: ImportError[] } {
  if (cells.some((cell) => NO_TEXT.test(cell))) return { header: [], errors: [{ line, column: null, message: `The header ${NOT_UTF8}.` }] };
  const errors: ImportError[] = [];
  const header: Column[] = [];
  const seen = new Set<string>();
  cells.forEach((cell, index) => {
    const name = cell.trim();
    const column = known.find((candidate) => candidate.name === name);
    const fail = (message: string) => errors.push({ line, column: name === '' ? null : shown(name), message });
    if (name === '') fail(`Column ${index + 1} has no name.`);
    else if (column === undefined) fail(`is not a known column${hint(known, name)}.`);
    else if (seen.has(name)) fail('stands twice in the header.');
    else header.push(column);
    seen.add(name);
  });
  for (const { name, isRequired } of known) {
    if (isRequired && !seen.has(name)) errors.push({ line, column: name, message: 'is missing in the header.' });
  }
  return { header, errors };
}

/**
 * Reads a line of data.
 *
 * @param isGarbled whether the file has bytes that are no text: then a cell with a replacement is told.
 */
export function readLine(header: Header, { cells, line }: CsvRecord, isGarbled: boolean): ImportLine {
  if (cells.length !== header.length) {
    // Which value belongs to which column cannot be known.
    const message = `The line has ${counted(cells.length, 'value')}, the header ${counted(header.length, 'column')}.`;
    return { line, values: {}, errors: [{ line, column: null, message }] };
  }
  const values: Record<string, CellValue> = {};
  const errors: ImportError[] = [];
  // A value that goes over several lines moves those behind it down.
  let at = line;
  cells.forEach((cell, index) => {
    const column = header[index]!;
    const fail = (message: string) => errors.push({ line: at, column: column.name, message });
    if (isGarbled && cell.includes(REPLACEMENT)) fail(`${NOT_UTF8}: ${JSON.stringify(shown(cell))}.`);
    else if (cell !== '') {
      const value = column.read(cell);
      if (column.validate(value) === null) values[column.name] = value;
      else fail(`must be ${column.expected}, not ${JSON.stringify(shown(cell))}.`);
    } else if (column.isRequired) fail('is missing.');
    at += countLineEnds(cell);
  });
  return { line, values, errors };
}

function hint(known: readonly Column[], name: string): string {
  const meant = known.find((candidate) => candidate.name.toLowerCase() === name.toLowerCase());
  if (meant !== undefined) return `; did you mean ${meant.name}`;
  if (/[;\t|]/.test(name)) return '; columns are separated by commas';
  return `; there are ${known.map((column) => column.name).join(', ')}`;
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}

/** A text that came with a file, cut, so that an error stays short. */
export function shown(value: string): string {
  const beginning = firstCharacters(value, SHOWN_CHARACTERS_MAX);
  return beginning === value ? value : `${beginning}…`;
}

/** What becomes of a line that was checked; its errors are noted on the line itself. */
export interface CheckedLine {
  /** What is to be applied; nothing of use when the line has errors. */
  readonly fields: unknown;
  /** Exists already, exactly so. */
  readonly isThere: boolean;
  /** The lot of a line of stock, see `import_line.lot_key`. */
  readonly lotKey?: string | null;
}
