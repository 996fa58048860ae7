import { invalid } from '#libs/domain';
import type { Page } from './define-call.js';

/** How many rows a page of a list has when nothing is said. */
export const PAGE_LIMIT_DEFAULT = 50;

/** What a part of a sort key may look like, so that a cursor that was tampered with is told from ours before SQL meets it. */
const PARTS = {
  text: /^[^\0-\x1f\ud800-\udfff]{0,200}$/,
  integer: /^\d{1,18}$/,
  uuid: /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/,
  /** RFC 3339 with as many decimals as the database keeps: a page may end between two rows of the same millisecond. */
  time: /^(?!0000)\d{4}-(0[1-9]|1[0-2])-\d\dT([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,6})?Z$/,
} as const;

/**
 * The cursor of one list: the sort key of the last row of a page, written so that nobody reads meaning into it. The list is ordered by
 * a key that is unique and never changes, and the next page starts after that key, so that rows that come or go meanwhile are
 * neither shown twice nor pushed out.
 *
 * @example
 * const cursor = new Cursor('time', 'uuid');
 * const [time = null, id = null] = cursor.read(request.cursor);
 * const rows = await tx.rows(`... where $2::text is null or (at, id) < ($2::timestamptz, $3::uuid) order by at desc, id desc limit $4`,
 *   [orgId, time, id, limit + 1]);
 * return cursor.page(rows, limit, (row) => [row.at_text, row.id], toResource);
 */
export class Cursor {
  private readonly kinds: readonly (keyof typeof PARTS)[];

  constructor(...kinds: readonly (keyof typeof PARTS)[]) {
    this.kinds = kinds;
  }

  /**
   * The sort key after which the page starts; empty for the first page.
   *
   * @throws {HoldfastError} kind `invalid` when the text is no cursor of this list.
   */
  read(cursor: string | undefined): readonly string[] {
    if (cursor === undefined) return [];
    const key = parse(cursor);
    if (Array.isArray(key) && key.length === this.kinds.length && this.kinds.every((kind, at) => isPart(kind, key[at])))
      return key as string[];
    throw invalid('The cursor is not one of this list. Pass the `nextCursor` of the page before unchanged.', [
      { path: 'cursor', message: 'is not a cursor of this list' },
    ]);
  }

  /** The page of `limit` rows, out of up to `limit + 1` that were read to see whether there are more. */
  page<Row, T>(rows: readonly Row[], limit: number, keyOf: (row: Row) => readonly string[], toItem: (row: Row) => T): Page<T> {
    const shown = rows.slice(0, limit);
    const last = shown.at(-1);
    const nextCursor = rows.length > limit && last !== undefined ? write(keyOf(last)) : null;
    return { items: shown.map(toItem), nextCursor };
  }
}

function write(key: readonly string[]): string {
  return Buffer.from(JSON.stringify(key)).toString('base64url');
}

function parse(cursor: string): unknown {
  try {
    return JSON.parse(Buffer.from(cursor, 'base64url').toString());
  } catch {
    return undefined;
  }
}

function isPart(kind: keyof typeof PARTS, part: unknown): boolean {
  return typeof part === 'string' && PARTS[kind].test(part) && (kind !== 'time' || isRealDate(part));
}

/** JavaScript reads February 30 as March 1; the database refuses it. */
function isRealDate(time: string): boolean {
  const parsed = new Date(time);
  return !Number.isNaN(parsed.getTime()) && parsed.toISOString().startsWith(time.slice(0, 19));
}
