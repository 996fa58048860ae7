import type {
  AdjustmentReason,
  CloudEvent,
  CostCorrectionLine,
  DataOf,
  DemandLine,
  DiscrepancyFindings,
  DiscrepancySeverity,
  GoodsReceived,
  OrderPicked,
  RequestOf,
  ReturnInspected,
  ReturnReceived,
  ShipmentConfirmed,
} from '#libs/contracts';
import type { WireError } from '#libs/domain';
import type { ApprovalEffect } from '../approvals/approval-effect.js';
import type { Quality } from './quants.js';

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

/** An item in a warehouse. */
interface OfBalance extends Base {
  readonly warehouseId: string;
  readonly itemId: string;
}

/** Goods in a place, of a lot if the item is tracked; recognised for ever by `commandId`. */
interface InPlace extends OfBalance {
  readonly commandId: string;
  readonly lot?: string | undefined;
  readonly location?: string | undefined;
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
  /** The hold does not expire while the request is open, and what cannot be promised waits for it, unheld. Of our own orders only. */
  readonly pendingApproval?: boolean | undefined;
  /** By how much lines may be short at most, because somebody approved it. Of our own orders only. */
  readonly approvedShortages?: readonly { readonly lineNo: number; readonly quantity: string }[] | undefined;
  /** The order becomes again what it was: nobody is asked to approve what is short of that. */
  readonly restores?: boolean | undefined;
  readonly reason?: string | undefined;
}

export interface ExpireHolds extends Base {
  readonly kind: 'expire-holds';
  readonly orderId: string;
}

export interface FillBackorders extends OfBalance {
  readonly kind: 'fill-backorders';
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

export interface AdjustStock extends InPlace {
  readonly kind: 'adjust-stock';
  readonly quantityDelta: string;
  readonly reason: string;
  readonly reasonCode: AdjustmentReason;
  /** Nothing is posted, because somebody may have to approve it first; that it is refused is on record all the same. */
  readonly isTrial?: boolean | undefined;
  readonly unitCost?: string | undefined;
}

/** Carries goods from one bin of a warehouse to another. */
export interface MoveStock extends Omit<InPlace, 'location'> {
  readonly kind: 'move-stock';
  readonly quantity: string;
  readonly from: string;
  readonly to: string;
  readonly quality: Quality;
}

/** Says of goods in a bin what they are good for. */
export interface ChangeQuality extends InPlace {
  readonly kind: 'change-quality';
  readonly quantity: string;
  readonly from: Quality;
  readonly to: Quality;
  readonly reason: string;
}

/** Throws goods away. */
export interface ScrapStock extends InPlace {
  readonly kind: 'scrap-stock';
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
export interface ExpireLot extends OfBalance {
  readonly kind: 'expire-lot';
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
export interface SetStockPolicy extends OfBalance {
  readonly kind: 'set-stock-policy';
  readonly safetyQuantity?: string | null | undefined;
  readonly safetyPercent?: string | null | undefined;
  readonly reorderPoint?: string | null | undefined;
}

/** Makes what a reconciliation found discrepancies that somebody owns. */
export interface RecordFindings extends Base, RequestOf<typeof DiscrepancyFindings> {
  readonly kind: 'record-findings';
}

/** Makes what is below zero in a balance a discrepancy, if the organisation enforces what its books say. */
export interface NoteBelowZero extends OfBalance {
  readonly kind: 'note-below-zero';
}

/** Says how much of an item is there, against what the books say. */
export interface ReportDiscrepancy extends OfBalance {
  readonly kind: 'report-discrepancy';
  readonly discrepancyId: string;
  readonly lot?: string | undefined;
  readonly location?: string | undefined;
  readonly snapshotQuantity: string;
  readonly severity?: DiscrepancySeverity | undefined;
  readonly note: string;
}

/** A discrepancy, and where it is: that never changes, and is read before, because it says what is locked. */
interface AboutDiscrepancy extends Base {
  readonly discrepancyId: string;
  /** Null = it is about an order as a whole. */
  readonly place: { readonly warehouseId: string; readonly itemId: string; readonly lot: string | null } | null;
}

/** Somebody looks at a discrepancy. */
export interface ReviewDiscrepancy extends AboutDiscrepancy {
  readonly kind: 'review-discrepancy';
  readonly assignedTo?: string | undefined;
}

/** Ends a discrepancy, and posts its difference with `adjust`. */
export interface CloseDiscrepancy extends AboutDiscrepancy {
  readonly kind: 'close-discrepancy';
  readonly status: 'resolved' | 'dismissed';
  readonly note: string;
  readonly adjust: boolean;
}

/** A movement that is refused and kept when it is short. */
export type KeptMovement = Ship | TransferStock | AdjustStock;

/** Runs a movement that was refused, after what is missing was counted as found; only as the work of an approval. */
export interface RunOverride extends Base {
  readonly kind: 'run-override';
  /** What is missing at most, and on record as missing: one of each item and warehouse. */
  readonly shortfalls: readonly {
    readonly discrepancyId: string;
    readonly warehouseId: string;
    readonly itemId: string;
    readonly quantity: string;
  }[];
  readonly command: KeptMovement;
  /** Why it was approved. */
  readonly reason: string;
}

/** Waits for the approval of what is to be done about a discrepancy. */
export interface AwaitApproval extends AboutDiscrepancy {
  readonly kind: 'await-approval';
  /** Why it is awaited no more; absent = it is. */
  readonly takenBack?: string;
  readonly approvalRequestId: string;
}

/** What somebody decided, or that nobody did in time, about what needed an approval. */
export interface CarryOutApproval extends Base, Omit<ApprovalEffect, 'outcome' | 'detail' | 'kind'> {
  readonly kind: 'carry-out-approval';
  readonly approvalKind: ApprovalEffect['kind'];
  /** What is done when it was approved. */
  readonly work: AdjustStock | CloseDiscrepancy | RunOverride;
}

/** What is done about discrepancies and approvals. */
export type FoundCommand =
  RecordFindings | NoteBelowZero | ReportDiscrepancy | ReviewDiscrepancy | CloseDiscrepancy | AwaitApproval | CarryOutApproval;

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
  | ReceiveTransfer
  | FoundCommand;

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
