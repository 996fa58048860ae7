import type { Random } from '../../scripts/demo/random.js';

export interface OrderedLine {
  readonly lineNo: number;
  readonly itemId: string;
  readonly quantity: number;
}

/** Enough for everything, but for the last, of which some are refused. */
export const STOCK: Readonly<Record<string, number>> = { apple: 100_000, bread: 100_000, cocoa: 100_000, scarce: 40 };
export const PLENTIFUL: readonly string[] = Object.keys(STOCK).slice(0, -1);
export const WAREHOUSE = 'main';
const SCARCE_CHANCE = 0.04;

/** Two lines of different items, at least two pieces each. */
export function chooseLines(random: Random): OrderedLine[] {
  const first = random.next() < SCARCE_CHANCE ? 'scarce' : random.pick(PLENTIFUL);
  const second = random.pick(PLENTIFUL.filter((itemId) => itemId !== first));
  return [first, second].map((itemId, index) => ({ lineNo: index + 1, itemId, quantity: random.between(2, 4) }));
}
