import { createHash } from 'node:crypto';

/**
 * Tells whether two bodies say the same: the hash of a value as JSON with sorted keys, where an absent field and `undefined` are one.
 * Kept beside what a body created, so that its repeat is recognised after the subject was changed, and another body with the same
 * key is a conflict.
 */
export function fingerprint(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value, sortKeys)).digest('base64url');
}

/** The same of a command that has an id: of what it says, not of who sends it when, nor of the id by which its repeat is recognised. */
export function fingerprintOf(command: { readonly kind: string; readonly commandId: string; readonly meta: unknown }): string {
  return fingerprint({ ...command, meta: undefined, kind: undefined, commandId: undefined });
}

function sortKeys(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}
