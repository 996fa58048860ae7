import { createHash } from 'node:crypto';
import { formatQuantity, parseQuantity } from '#libs/domain';

/** Recognises equal content, whatever the order of its fields and however its decimals are written. */
export function digestOf(kind: string, content: Readonly<Record<string, unknown>>): string {
  return createHash('sha256')
    .update(`${kind}\n${canonical(content, '')}`)
    .digest('base64url');
}

const DECIMALS: ReadonlySet<string> = new Set(['quantity', 'unitPrice', 'refund']);

function canonical(value: unknown, name: string): string {
  if (Array.isArray(value)) return `[${value.map((part) => canonical(part, name)).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const fields = Object.entries(value).filter(([, part]) => part !== undefined);
    return `{${fields
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, part]) => `${JSON.stringify(key)}:${canonical(part, key)}`)
      .join(',')}}`;
  }
  return JSON.stringify(DECIMALS.has(name) && typeof value === 'string' ? formatQuantity(parseQuantity(value)) : value);
}
