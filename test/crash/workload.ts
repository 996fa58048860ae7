import { Random } from '../../scripts/demo/random.js';
import type { Outsider } from '../support/outsider.js';
import { Books } from './books.js';
import { OmsOrders } from './oms-orders.js';
import { callBy, ShopOrders } from './shop-orders.js';
import type { Trade } from './trade.js';

export interface WorkloadOptions {
  readonly orgId: string;
  readonly seed: number;
  /** How long the OMS waits for an answer. */
  readonly patienceMs?: number;
}

const SPREAD = 100_003;

/** Orders without end, until it is told to stop; what each of them does is decided by the seed. */
export class Workload {
  readonly #lives: Promise<void>[] = [];
  #orders = 0;
  #goesOn = true;

  constructor(
    readonly books: Books,
    private readonly seed: number,
    private readonly trades: readonly Trade[],
  ) {}

  /** Those of an OMS, by events, and those of a shop, by calls. */
  static of(outsider: Outsider, { orgId, seed, patienceMs }: WorkloadOptions): Workload {
    const books = new Books();
    const trades = [new OmsOrders(outsider, books, orgId, patienceMs), new ShopOrders(callBy(outsider, orgId), books)];
    return new Workload(books, seed, trades);
  }

  get orders(): number {
    return this.#orders;
  }

  /** Keeps so many orders of each trade under way. */
  start(concurrency: number): void {
    for (let n = 0; n < concurrency; n++) for (const trade of this.trades) this.#lives.push(this.#repeat(trade));
  }

  /** Begins no more orders; resolves when those under way have come to their end. */
  async stop(): Promise<void> {
    this.#goesOn = false;
    await Promise.all(this.#lives);
  }

  async #repeat(trade: Trade): Promise<void> {
    while (this.#goesOn) {
      const number = ++this.#orders;
      await trade.live(number, new Random(this.seed * SPREAD + number));
    }
  }
}
