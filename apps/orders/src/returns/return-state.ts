import type { CustomerReturn as ReturnView } from '#libs/contracts';
import { type Quantity, sumQuantities } from '#libs/domain';

export type ReturnCondition = ReturnView['lines'][number]['condition'];

/** What an inspection, or the reception itself, said about a part of a returned line. */
export interface Verdict {
  readonly verdict: string;
  readonly quantity: Quantity;
  readonly note: string | null;
}

/** Several lines of a return may be about one line of the order: the same article in different conditions. */
export interface ReturnLine {
  readonly lineNo: number;
  readonly itemId: string;
  readonly lot: string | null;
  /** Authorised. */
  readonly quantity: Quantity;
  readonly received: Quantity;
  readonly condition: ReturnCondition;
  readonly reason: string;
  /** For the whole authorised quantity, in the order's currency; null when the line has no price. */
  readonly refund: string | null;
  readonly verdicts: readonly Verdict[];
}

export interface CustomerReturn {
  readonly returnId: string;
  readonly status: ReturnView['status'];
  /** Recognises the body that it was made of. */
  readonly digest: string;
  /** Recognises what it was received as; null while it was not, or when another system told of it. */
  readonly receivedDigest: string | null;
  /** Where it was received. */
  readonly warehouseId: string | null;
  readonly createdAt: Date;
  readonly lines: readonly ReturnLine[];
}

/** What of a line was inspected, or needed no inspection. */
export function inspectedQuantity(line: ReturnLine): Quantity {
  return sumQuantities(line.verdicts, (verdict) => verdict.quantity);
}
