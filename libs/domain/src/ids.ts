import { randomFillSync } from 'node:crypto';

/** Ids of items, warehouses, orders and the like are the caller's strings. */
export const ID_PATTERN = '^[A-Za-z0-9._:-]{1,64}$';
/** An organisation's id has no dot, because it is the last word of a routing key. */
export const ORG_ID_PATTERN = '^[A-Za-z0-9_:-]{1,64}$';

// Random bytes are drawn for many ids at once: one call per id is the larger part of its cost.
const pool = Buffer.allocUnsafe(10 * 1024);
let poolOffset = pool.length;
const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

let lastTimestampMs = 0;
/** The time as ids begin with it, made once per millisecond. */
let prefix = '';
let counter = 0;

/**
 * A UUIDv7: 48 bits of time, a counter that keeps ids of one process in order within a millisecond, and 62 random bits.
 * Made by the application because PostgreSQL before version 18 cannot.
 */
export function uuidv7(): string {
  if (poolOffset + 8 > pool.length) {
    randomFillSync(pool);
    poolOffset = 0;
  }
  const nowMs = Date.now();
  // More than 4,096 ids in a millisecond: borrow from the next one rather than leave the order.
  if (nowMs > lastTimestampMs) beginMillisecond(nowMs);
  else if (++counter > 0xfff) beginMillisecond(lastTimestampMs + 1);
  const b = pool;
  const at = poolOffset;
  poolOffset += 8;
  // The first two bits of the random part say which variant of UUIDs this is.
  const variant = HEX[(b[at]! & 0x3f) | 0x80]!;
  return (
    `${prefix}${counter.toString(16).padStart(3, '0')}-${variant}${HEX[b[at + 1]!]!}-` +
    HEX[b[at + 2]!]! +
    HEX[b[at + 3]!]! +
    HEX[b[at + 4]!]! +
    HEX[b[at + 5]!]! +
    HEX[b[at + 6]!]! +
    HEX[b[at + 7]!]!
  );
}

function beginMillisecond(timestampMs: number): void {
  lastTimestampMs = timestampMs;
  counter = 0;
  const time = timestampMs.toString(16).padStart(12, '0');
  prefix = `${time.slice(0, 8)}-${time.slice(8)}-7`;
}
