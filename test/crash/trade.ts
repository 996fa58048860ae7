import type { Random } from '../../scripts/demo/random.js';

/** A way in which orders come, live and end. */
export interface Trade {
  /** One order from beginning to end. */
  live(number: number, random: Random): Promise<void>;
}
