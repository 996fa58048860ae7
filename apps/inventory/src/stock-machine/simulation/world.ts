import { type AdjustmentReason, contradicts } from '#libs/contracts';
import { parseQuantity, ZERO } from '#libs/domain';
import type { StockCommand } from '../commands.js';

// What there is in a simulated world.

export const ORGS = ['north', 'south'] as const;
/** What there is to be stocked: in bins, at the average, last in first out, in lots that expire, in lots that do not, piece by piece. */
export const ITEM_KINDS = {
  A: { tracking: 'none', costing: 'fifo' },
  B: { tracking: 'none', costing: 'average' },
  C: { tracking: 'none', costing: 'lifo' },
  D: { tracking: 'lot', costing: 'fifo' },
  E: { tracking: 'lot', costing: 'average' },
  S: { tracking: 'serial', costing: 'fifo' },
} as const;
export const ITEMS = Object.keys(ITEM_KINDS) as (keyof typeof ITEM_KINDS)[];
/** Beside the default one, in every warehouse. */
export const BINS = ['bin-1', 'bin-2'] as const;
/** After how many seconds each lot of D expires; the others never do. */
const LIVES_SECONDS = [300, 900, 1_800, 5 * 86_400, 60 * 86_400, null] as const;

/** The n-th lot or piece of an item; nothing where it has none. */
export function lotOf(itemId: string, n: number): string | undefined {
  const count = { D: LIVES_SECONDS.length, E: 4, S: 12 }[itemId];
  return count === undefined ? undefined : `${itemId.toLowerCase()}${n % count}`;
}

/** A command of a simulated world, of which the lots expire as if the world had begun at another time. */
export function begunAt(command: StockCommand, began: Date, now: Date): StockCommand {
  if (command.kind !== 'receive-goods') return command;
  const later = (time: string) => new Date(new Date(time).getTime() + now.getTime() - began.getTime()).toISOString();
  const lines = command.lines.map((line) => (line.expiresAt === undefined ? line : { ...line, expiresAt: later(line.expiresAt) }));
  return { ...command, lines };
}

/** When a lot expires, counted from the beginning of the world. */
export function expiryOf(lot: string): number | null {
  return lot.startsWith('d') ? (LIVES_SECONDS[Number(lot.slice(1))] ?? null) : null;
}
export const WAREHOUSES = ['W1', 'W2', 'W3'] as const;
/** What is announced of every item in a warehouse, from the beginning. */
export const EXPECTED = {
  W1: { quantity: '15', status: 'open' },
  W2: { quantity: '3', status: 'open' },
  W3: { quantity: '8', status: 'cancelled' },
} as const;
/** What reconciliation may find wrong: of what, and whether it says how much stock there may really be less. */
export const FINDINGS = {
  on_hand: { of: 'item', isStock: true },
  reserved: { of: 'item', isStock: true },
  in_transit: { of: 'item', isStock: true },
  backordered: { of: 'item', isStock: false },
  layer_value: { of: 'item', isStock: false },
  quant: { of: 'place', isStock: true },
  quant_reserved: { of: 'place', isStock: true },
  shipped: { of: 'order', isStock: true },
  line_reserved: { of: 'order', isStock: false },
  order_line: { of: 'order', isStock: false },
} as const;
export const FINDING_KINDS = Object.keys(FINDINGS) as (keyof typeof FINDINGS)[];
export const expectedReceiptId = (warehouseId: string, itemId: string) => `expected-${warehouseId}-${itemId}`;
/** Orders that are under way at once, per organisation. */
export const ORDERS = 8;

/** What somebody means who says it, where the random reason contradicts the random quantity. */
export function fitting<R extends AdjustmentReason>(reasonCode: R, quantityDelta: string): R | 'correction' {
  return contradicts(reasonCode, parseQuantity(quantityDelta) > ZERO) ? 'correction' : reasonCode;
}
