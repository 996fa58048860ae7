import { createHash } from 'node:crypto';
import { formatQuantity, parseQuantity, QUANTITY_PATTERN } from '#libs/domain';
import type { Asked } from './request-state.js';

const DECIMAL = new RegExp(QUANTITY_PATTERN);
/** By name, because an id may look like a decimal: the items `1` and `1.0` are two. */
const DECIMALS: ReadonlySet<string> = new Set(['quantity', 'percent', 'value', 'requested', 'available']);

/**
 * Tells whether two requests are about the same: what is to be approved, however its fields are ordered and its decimals written. Who asks
 * and why is no part of it, nor the snapshot, which every repeat would take anew.
 */
export function fingerprintOf({ kind, lines, magnitudes, warehouses, command }: Omit<Asked, 'orgId'>): string {
  const said = { kind, lines, magnitudes, warehouses: warehouses === null ? null : [...warehouses].sort(), command };
  return createHash('sha256').update(JSON.stringify(said, canonical)).digest('base64url');
}

function canonical(name: string, value: unknown): unknown {
  if (typeof value === 'string') return DECIMALS.has(name) && DECIMAL.test(value) ? formatQuantity(parseQuantity(value)) : value;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}
