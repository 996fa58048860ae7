import type { CostCorrectionAnswer } from '#libs/contracts';
import { type Money, type Quantity, valueOf, ZERO } from '#libs/domain';
import type { ReceivedGoods } from './cost-correction.js';

/** What is known of a receipt when its costs are corrected. */
export interface ReceiptCosts {
  readonly orgId: string;
  readonly receiptId: string;
  readonly warehouseId: string;
  readonly goods: readonly ReceivedGoods[];
  /** The warehouses in which layers of it are left, by item. */
  readonly warehousesLeft: ReadonlyMap<string, readonly string[]>;
}

/** A correction that was posted. */
export interface CostCorrection {
  readonly orgId: string;
  readonly commandId: string;
  readonly fingerprint: string;
  readonly answer: CostCorrectionAnswer;
}

/** What a batch knows of receipts whose costs are corrected, and of the corrections. */
export class CostCorrections {
  /** As far as they exist. */
  readonly receipts = new Map<string, ReceiptCosts>();
  /** By `commandId`. */
  readonly posted = new Map<string, CostCorrection>();
  /** Those of this batch. */
  readonly added = new Set<CostCorrection>();
}

/** What a ledger entry about a receipt says: what came, or what it was said to cost later. */
export interface ReceiptEntry {
  readonly warehouseId: string;
  readonly itemId: string;
  /** `''` = none. */
  readonly lot: string;
  readonly isCorrection: boolean;
  readonly quantityDelta: Quantity;
  readonly unitCost: Money | null;
  readonly valueDelta: Money | null;
}

/** What a receipt brought, and what it costs by now: as it said itself, until a correction named another unit cost. */
export function receivedGoods(entries: readonly ReceiptEntry[]): ReceivedGoods[] {
  const goods = new Map<string, { itemId: string; lot: string; quantity: Quantity; price: Money }>();
  const key = ({ itemId, lot }: ReceiptEntry) => `${itemId}/${lot}`;
  for (const entry of entries) {
    if (entry.isCorrection) continue;
    const { itemId, lot, quantityDelta } = entry;
    const known = goods.get(key(entry)) ?? { itemId, lot, quantity: ZERO, price: ZERO };
    known.quantity += quantityDelta;
    // Before costs were kept, an entry had a unit cost and no value.
    known.price += entry.valueDelta ?? valueOf(entry.unitCost ?? ZERO, quantityDelta);
    goods.set(key(entry), known);
  }
  for (const entry of entries) {
    const known = goods.get(key(entry));
    if (entry.isCorrection && entry.unitCost !== null && known !== undefined) known.price = valueOf(entry.unitCost, known.quantity);
  }
  return [...goods.values()];
}
