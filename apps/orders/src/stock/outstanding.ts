import {
  type DataOf,
  OrderAmended,
  OrderCancelled,
  OrderConfirmed,
  OrderPicked,
  OrderPlaced,
  type Override,
  type RefusalReason,
  ReturnInspected,
  ReturnReceived,
  ShipmentCancelled,
  ShipmentConfirmed,
} from '#libs/contracts';

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

/** What inventory refused, and would let through with an approval. */
export interface Blocked {
  readonly reason: RefusalReason;
  readonly override: Override;
  /** Those that were open then and kept stock from being promised. */
  readonly discrepancyIds: readonly string[];
  /** What makes the order what it was before, if the approval is refused; null when it was never agreed to. */
  readonly restore: Restoration | null;
}
