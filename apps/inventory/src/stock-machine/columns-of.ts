import { arrayLiteral } from '#libs/persistence';

/** One array per column, of the values of every row. */
export function columnsOf<T>(rows: readonly T[], ...columns: ((row: T) => string | number | boolean | Date | null)[]): string[] {
  return columns.map((column) => arrayLiteral(rows, column));
}
