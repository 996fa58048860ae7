/** `POST /orders` through the gateway, by a fixed number of callers. */
export interface OrdersOverHttpResult {
  readonly part: 'orders';
  readonly round: number;
  readonly callers: number;
  readonly requestsPerSecond: number;
  readonly percentilesMs: readonly number[];
  /** Answers by HTTP status. */
  readonly answers: Readonly<Record<string, number>>;
}
