import type {
  AdjustmentReason,
  CloudEvent,
  CostCorrectionLine,
  DataOf,
  DemandLine,
  GoodsReceived,
  OrderPicked,
  ReturnInspected,
  ReturnReceived,
  ShipmentConfirmed,
} from '#libs/contracts';
import type { WireError } from '#libs/domain';
import type { Quality } from './stock-state.js';

/** What every command carries beside what it asks for. */
export interface CommandMeta {
  /** The id of the event or call. */
  readonly messageId: string;
  /** The event that the command came by; it is admitted once. Absent for a call. */
  readonly event?: Pick<CloudEvent, 'orgid' | 'source' | 'id'> | undefined;
  readonly causationId?: string | undefined;
  readonly actor?: string | undefined;
  readonly traceparent?: string | undefined;
  /** The sequence that the source of the order gave to the message. */
  readonly sequence?: number | undefined;
  /** When the source said so: orders messages without sequence. Absent for a call, which counts as the newest. */
  readonly time?: Date | undefined;
  /** Whether a message that seems to come too early may be tried again later. */
  readonly mayWait: boolean;
  /** The import that it is a part of, which its ledger entries refer to. */
  readonly importId?: string | undefined;
  /** When nobody waits for the answer any more, in milliseconds since the epoch. */
  readonly deadlineMs?: number | undefined;
}

interface Base {
  readonly orgId: string;
  readonly meta: CommandMeta;
}

/**
 * The one command behind reserve, amend, confirm, release and cancel: what the order wants in all, absolutely. No lines = cancel.
 */
export interface SetDemand extends Base {
  readonly kind: 'set-demand';
  readonly orderId: string;
  readonly source: string;
  readonly lines: readonly DemandLine[];
  /** Absent = as it is; firm when the order is unknown. */
  readonly firm?: boolean | undefined;
  readonly ttlSeconds?: number | undefined;
  readonly mode?: 'all_or_nothing' | 'partial' | undefined;
  readonly priority?: number | undefined;
  readonly warehouseId?: string | undefined;
  /** For the lines that do not say it themselves. */
  readonly minRemainingShelfLifeDays?: number | undefined;
  readonly approvalRequestId?: string | undefined;
  /** The hold does not expire while the request is open. */
  readonly pendingApproval?: boolean | undefined;
  readonly reason?: string | undefined;
}

export interface ExpireHolds extends Base {
  readonly kind: 'expire-holds';
  readonly orderId: string;
}

export interface FillBackorders extends Base {
  readonly kind: 'fill-backorders';
  readonly warehouseId: string;
  readonly itemId: string;
}

export interface Ship extends Base, DataOf<typeof ShipmentConfirmed> {
  readonly kind: 'ship';
}

export interface Unship extends Base {
  readonly kind: 'unship';
  readonly shipmentId: string;
  readonly orderId: string;
  readonly reason?: string | undefined;
}

/** What was really picked for an order; no lines = exactly as suggested. */
export interface ConfirmPick extends Base, DataOf<typeof OrderPicked> {
  readonly kind: 'confirm-pick';
}

export interface ReceiveReturn extends Base, DataOf<typeof ReturnReceived> {
  readonly kind: 'receive-return';
}

export interface InspectReturn extends Base, DataOf<typeof ReturnInspected> {
  readonly kind: 'inspect-return';
}

export interface ReceiveGoods extends Base, DataOf<typeof GoodsReceived> {
  readonly kind: 'receive-goods';
}

export interface AdjustStock extends Base {
  readonly kind: 'adjust-stock';
  readonly commandId: string;
  readonly warehouseId: string;
  readonly itemId: string;
  readonly quantityDelta: string;
  readonly reason: string;
  readonly reasonCode: AdjustmentReason;
  readonly lot?: string | undefined;
  readonly location?: string | undefined;
  readonly unitCost?: string | undefined;
}

/** Carries goods from one bin of a warehouse to another. */
export interface MoveStock extends Base {
  readonly kind: 'move-stock';
  readonly commandId: string;
  readonly warehouseId: string;
  readonly itemId: string;
  readonly lot?: string | undefined;
  readonly quantity: string;
  readonly from: string;
  readonly to: string;
  readonly quality: Quality;
}

/** Says of goods in a bin what they are good for. */
export interface ChangeQuality extends Base {
  readonly kind: 'change-quality';
  readonly commandId: string;
  readonly warehouseId: string;
  readonly itemId: string;
  readonly lot?: string | undefined;
  readonly location?: string | undefined;
  readonly quantity: string;
  readonly from: Quality;
  readonly to: Quality;
  readonly reason: string;
}

/** Throws goods away. */
export interface ScrapStock extends Base {
  readonly kind: 'scrap-stock';
  readonly commandId: string;
  readonly warehouseId: string;
  readonly itemId: string;
  readonly lot?: string | undefined;
  readonly location?: string | undefined;
  readonly quantity: string;
  readonly quality: Quality;
  readonly reason: string;
}

/** Takes what is left of a lot out of what may be sold, in every warehouse. */
export interface RecallLot extends Base {
  readonly kind: 'recall-lot';
  readonly commandId: string;
  readonly itemId: string;
  readonly lot: string;
  readonly reason: string;
}

/** Takes what is left of a lot out of what may be sold, if it has expired. */
export interface ExpireLot extends Base {
  readonly kind: 'expire-lot';
  readonly warehouseId: string;
  readonly itemId: string;
  readonly lot: string;
}

/** What somebody counted in bins of a warehouse; in all of it, when `full`. */
export interface CountStock extends Base {
  readonly kind: 'count-stock';
  readonly commandId: string;
  readonly warehouseId: string;
  readonly mode: 'cycle' | 'full';
  /** When it was counted; absent = now. */
  readonly countedAt?: string | undefined;
  readonly lines: readonly CountedLine[];
  readonly note?: string | undefined;
}

export interface CountedLine {
  readonly itemId: string;
  readonly countedQuantity: string;
  readonly lot?: string | undefined;
  readonly location?: string | undefined;
}

/** Moves free stock to another warehouse. */
export interface TransferStock extends Base {
  readonly kind: 'transfer-stock';
  readonly transferId: string;
  readonly fromWarehouseId: string;
  readonly toWarehouseId: string;
  readonly mode: 'immediate' | 'in_transit';
  readonly lines: readonly { readonly itemId: string; readonly quantity: string; readonly lot?: string | undefined }[];
}

/** What arrived of a transfer; no lines = all that is under way. */
export interface ReceiveTransfer extends Base {
  readonly kind: 'receive-transfer';
  readonly transferId: string;
  readonly commandId: string;
  readonly lines?: readonly { readonly itemId: string; readonly quantity: string; readonly lot?: string | undefined }[];
  /** What of the named lines did not arrive is missing. */
  readonly closeShortLines?: boolean | undefined;
}

/** Says afterwards what the goods of a receipt cost. */
export interface CorrectCost extends Base {
  readonly kind: 'correct-cost';
  readonly commandId: string;
  readonly receiptId: string;
  readonly reason?: string | undefined;
  readonly lines: readonly CostCorrectionLine[];
}

/** Sets what an item's balance in a warehouse keeps back or warns at; absent = unchanged, null = as the item says. */
export interface SetStockPolicy extends Base {
  readonly kind: 'set-stock-policy';
  readonly warehouseId: string;
  readonly itemId: string;
  readonly safetyQuantity?: string | null | undefined;
  readonly safetyPercent?: string | null | undefined;
  readonly reorderPoint?: string | null | undefined;
}

export type StockCommand =
  | SetDemand
  | ExpireHolds
  | FillBackorders
  | ConfirmPick
  | Ship
  | Unship
  | ReceiveReturn
  | InspectReturn
  | ReceiveGoods
  | AdjustStock
  | MoveStock
  | ChangeQuality
  | ScrapStock
  | RecallLot
  | ExpireLot
  | CountStock
  | CorrectCost
  | SetStockPolicy
  | TransferStock
  | ReceiveTransfer;

/** What became of a command. A refusal is an outcome, not a rollback: what it records and says commits with the batch. */
export type Outcome<A = unknown> =
  | { readonly kind: 'answer'; readonly answer: A }
  /** The request makes no sense as it is; for calls. Events answer refusals by their failure event. */
  | { readonly kind: 'error'; readonly error: WireError }
  /** A message that this one builds on has not arrived yet. */
  | { readonly kind: 'too-early'; readonly waitingFor: string }
  /** The message was handled before. */
  | { readonly kind: 'duplicate' };

export const answered = <A>(answer: A): Outcome<A> => ({ kind: 'answer', answer });
