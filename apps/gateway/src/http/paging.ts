import { PAGE_LIMIT_DEFAULT, type Page } from '#libs/contracts';
import { QueryInteger, TextField } from './fields.js';

export { PAGE_LIMIT_DEFAULT };
export const PAGE_LIMIT_MAX = 500;

/** What every list takes. */
export class PageQuery {
  @TextField(500, { optional: true, description: '`nextCursor` of the page before.' })
  cursor?: string;

  @QueryInteger(1, PAGE_LIMIT_MAX, { description: 'How many at most; 50 unless said.', example: 50 })
  limit?: number;
}

/** A page as an example of what lists answer. */
export const pageOf = <T>(...items: readonly T[]): Page<T> => ({ items, nextCursor: null });
