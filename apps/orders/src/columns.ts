import { formatQuantity } from '#libs/domain';
import { Money } from './orders/money.js';

/** An amount out of a `numeric` column, as the shortest decimal string. */
export function amount(text: string | null): string | null {
  return text === null ? null : new Money(text).toFixed();
}

/** The text for a `jsonb` column; quantities become decimal strings. */
export function json(value: unknown): string | null {
  if (value === null) return null;
  return JSON.stringify(value, (_, part: unknown) => (typeof part === 'bigint' ? formatQuantity(part) : part));
}
