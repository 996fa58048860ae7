import {
  type DataOf,
  OrderAmended,
  OrderCancelled,
  OrderConfirmed,
  OrderPicked,
  OrderPlaced,
  ReturnInspected,
  ReturnReceived,
  ShipmentCancelled,
  ShipmentConfirmed,
} from '#libs/contracts';
import type { Blocked } from '../approvals/order-approval.js';
import type { OrderState } from '../orders/order-state.js';

/** What we can tell inventory about an order, by the event that says it durably. */
export const SAID = {
  place: OrderPlaced,
  amend: OrderAmended,
  confirm: OrderConfirmed,
  cancel: OrderCancelled,
  /** What was approved is held as far as it is free, the rest waits. */
  approve: OrderAmended,
  /** What was not approved: an amended order becomes again what it was, */
  restore: OrderAmended,
  /** any other gives back what it holds. */
  reject: OrderCancelled,
  pick: OrderPicked,
  ship: ShipmentConfirmed,
  unship: ShipmentCancelled,
  receive: ReturnReceived,
  inspect: ReturnInspected,
} as const;
export type Saying = keyof typeof SAID;

interface Content<K extends Saying> {
  readonly kind: K;
  /** What the event says, and the call alike. */
  readonly data: DataOf<(typeof SAID)[K]>;
}

interface NewLines<K extends 'amend' | 'restore'> extends Content<K> {
  /** By line number. They are the order's once inventory agrees; until then it keeps its old lines. */
  readonly unitPrices: Readonly<Record<number, string | null>>;
}

/** What is said again after it was refused: that it waits for an approval. */
interface Approvable {
  /** Why; absent when it is said for the first time. */
  readonly blocked?: Blocked;
}

/** Makes an amended order again what it was. */
export type Restoration = NewLines<'restore'>;
type Special = 'place' | 'amend' | 'restore';

/** Something to tell inventory. */
export type Ask =
  | { [K in Exclude<Saying, Special>]: Content<K> }[Exclude<Saying, Special>]
  | (Content<'place'> & Approvable)
  | (NewLines<'amend'> & Approvable)
  | Restoration;

/** An {@link Ask} that was committed and waits for its answer. Stored as JSON. */
export type Outstanding = Ask & {
  /** Our count for the order. */
  readonly sequence: number;
  /** Inventory's count when we asked: what it said up to then answers something else. */
  readonly since: number;
  /** Recognises the same request made again. */
  readonly digest: string;
  readonly actor: string;
  /** RFC 3339. */
  readonly askedAt: string;
};

/** An order with something outstanding. */
export type Waiting = OrderState & { readonly outstanding: Outstanding };

export function isWaiting(order: OrderState): order is Waiting {
  return order.outstanding !== null;
}

/** The order as it is when this is said to inventory next. */
export function saying(order: OrderState, ask: Ask, by: Pick<Outstanding, 'digest' | 'actor'>, now: Date): Waiting {
  const sequence = order.sequence + 1;
  const { digest, actor } = by;
  return { ...order, sequence, outstanding: { ...ask, sequence, since: order.stockSequence, digest, actor, askedAt: now.toISOString() } };
}
