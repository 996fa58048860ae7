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

/** What we can tell inventory about an order, by the event that says it durably. */
export const SAID = {
  place: OrderPlaced,
  amend: OrderAmended,
  confirm: OrderConfirmed,
  cancel: OrderCancelled,
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

interface Amendment extends Content<'amend'> {
  /** By line number. They are the order's once inventory agrees; until then it keeps its old lines. */
  readonly unitPrices: Readonly<Record<number, string | null>>;
}

/** Something to tell inventory. */
export type Ask = { [K in Exclude<Saying, 'amend'>]: Content<K> }[Exclude<Saying, 'amend'>] | Amendment;

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
