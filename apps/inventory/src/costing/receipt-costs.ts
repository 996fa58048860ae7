import type { CostCorrectionAnswer } from '#libs/contracts';
import { type Money, parseMoney, type Quantity, valueOf, ZERO } from '#libs/domain';
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
  readonly movementId: string;
  /** Of a correction: what it came to for each of the goods. */
  readonly corrected: CostCorrectionAnswer['lines'];
}

/**
 * What a receipt brought, and what it costs by now: as it said itself, until a correction named another unit cost. What corrections came to
 * beyond that are landed costs.
 */
export function receivedGoods(entries: readonly ReceiptEntry[]): ReceivedGoods[] {
  const goods = new Map<string, { itemId: string; lot: string; quantity: Quantity; price: Money; landed: Money }>();
  const key = ({ itemId, lot }: { itemId: string; lot: string | null }) => `${itemId}/${lot ?? ''}`;
  for (const entry of entries) {
    if (entry.isCorrection) continue;
    const { itemId, lot, quantityDelta } = entry;
    const known = goods.get(key(entry)) ?? { itemId, lot, quantity: ZERO, price: ZERO, landed: ZERO };
    known.quantity += quantityDelta;
    // Before costs were kept, an entry had a unit cost and no value.
    known.price += entry.valueDelta ?? valueOf(entry.unitCost ?? ZERO, quantityDelta);
    goods.set(key(entry), known);
  }
  const counted = new Set<string>();
  for (const entry of entries) {
    if (!entry.isCorrection) continue;
    const known = goods.get(key(entry));
    if (entry.unitCost !== null && known !== undefined) {
      const price = valueOf(entry.unitCost, known.quantity);
      known.landed += known.price - price;
      known.price = price;
    }
    // A correction has several entries, and says once what it came to.
    if (counted.has(entry.movementId)) continue;
    counted.add(entry.movementId);
    for (const line of entry.corrected) {
      const about = goods.get(key(line));
      if (about !== undefined) about.landed += parseMoney(line.remainingDelta) + parseMoney(line.issuedDelta);
    }
  }
  return [...goods.values()];
}
