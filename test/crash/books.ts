/** A shipment, return or receipt, as the ledger names it. */
export type MovementKind = 'sale_shipment' | 'sales_return' | 'receipt';

/**
 * What the outside knows: what it said, and what it was told. Kept by the workload from messages alone, so that the tables can be
 * compared with something that is not derived from them.
 */
export class Books {
  /** Events that the broker took, by id. */
  readonly said = new Map<string, string>();
  /** The quantity of each movement that was accepted, by `kind/reference`. */
  readonly moved = new Map<string, number>();
  /** What each order must hold in the end, by `order/item`. */
  readonly held = new Map<string, number>();
  /** Orders of which some answer never came, so that nobody outside knows what they must hold. */
  readonly unclear = new Set<string>();
  /** Calls that were never answered, however often they were repeated. */
  readonly unanswered: string[] = [];
  /** Calls that were answered by a defect. */
  readonly defects: string[] = [];
  /** Calls that were answered, refusals included. */
  answered = 0;

  post(kind: MovementKind, reference: string, quantity: number): void {
    this.moved.set(`${kind}/${reference}`, quantity);
  }

  /** @param change positive when it is held, negative when it is shipped or given back. */
  hold(orderId: string, itemId: string, change: number): void {
    const key = `${orderId}/${itemId}`;
    this.held.set(key, (this.held.get(key) ?? 0) + change);
  }

  /** The rest of an order is given back. */
  releaseAll(orderId: string): void {
    for (const key of this.held.keys()) if (key.startsWith(`${orderId}/`)) this.held.set(key, 0);
  }
}
