/** A column of a CSV file. */
export interface CsvColumn {
  /** The field of a row, and the title. */
  readonly name: string;
  /** What people or other systems wrote, and not a number or a time of ours. */
  readonly isText?: boolean;
}

/** An answer that is a file. */
export class CsvFile {
  constructor(
    readonly fileName: string,
    readonly text: string,
  ) {}
}

/**
 * CSV as RFC 4180 has it: a line of titles, lines ended by CRLF, quotes where they are needed, nothing for null. Text that a spreadsheet
 * would take for a formula gets an apostrophe in front; numbers stay as they are, also below zero.
 */
export function csvOf(columns: readonly CsvColumn[], rows: readonly object[]): string {
  const lines = rows.map((row) => columns.map(({ name, isText = false }) => cellOf((row as Record<string, unknown>)[name], isText)));
  return [columns.map(({ name }) => name), ...lines].map((cells) => `${cells.join(',')}\r\n`).join('');
}

const FORMULA = /^[=+\-@\t\r]/;

function cellOf(value: unknown, isText: boolean): string {
  if (value === null || value === undefined) return '';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  const harmless = isText && FORMULA.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}
