import { type Static, Type } from '@sinclair/typebox';
import { defineCall, internal, type Page, PageQuery } from './define-call.js';
import { COST_CORRECTORS, VALUATION_READERS } from './role.js';
import { COMMAND_LINES_MAX, Decimal, Id, NonNegativeDecimal, Text, Timestamp } from './schema.js';

// What the stock cost, and what it turned out to have cost. Between our own services only.

const shared = { service: 'inventory' as const, visibility: 'internal' as const };

/** What is said of the goods of a receipt afterwards. */
export const CostCorrectionLine = Type.Object({
  itemId: Id,
  /** Absent: all lots of the item that the receipt brought. */
  lot: Type.Optional(Id),
  /** What one did cost; in place of what the receipt or an earlier correction said. */
  unitCost: Type.Optional(NonNegativeDecimal),
  /** An amount for all of them together, in addition to everything said before; below zero it takes back. */
  landedCost: Type.Optional(Decimal),
});
export type CostCorrectionLine = Static<typeof CostCorrectionLine>;

/** What a cost correction changed, in value. */
export interface CostCorrectionAnswer {
  readonly receiptId: string;
  readonly movementId: string;
  /** By how much what is still in stock is worth more. */
  readonly remainingDelta: string;
  /** By how much what was issued has cost more. It is told here only: what the ledger says of issues stays as it was. */
  readonly issuedDelta: string;
  readonly lines: readonly { itemId: string; lot: string | null; remainingDelta: string; issuedDelta: string }[];
  readonly dryRun?: boolean;
}

export const CostCorrectionPost = defineCall({
  ...shared,
  pattern: 'cost-corrections.post',
  effect: 'change',
  allow: COST_CORRECTORS,
  summary:
    'Corrects what the goods of a receipt cost: their price, or costs that came on top. Re-values what is left of them, and tells what falls on what was issued.',
  request: Type.Object({
    commandId: Type.Optional(Id),
    receiptId: Id,
    reason: Type.Optional(Text()),
    lines: Type.Array(CostCorrectionLine, { minItems: 1, maxItems: COMMAND_LINES_MAX }),
    dryRun: Type.Optional(Type.Boolean()),
  }),
  response: internal<CostCorrectionAnswer>(),
});

/** What an item in a warehouse is worth, at what it cost. */
export interface ItemValuation {
  readonly itemId: string;
  readonly warehouseId: string;
  readonly quantity: string;
  readonly value: string;
  /** The cost layers, oldest first; of an average one. Absent in a valuation of an earlier time. */
  readonly layers?: readonly ValuedLayer[];
  /** There are more layers than are listed. */
  readonly truncated?: boolean;
}

export interface ValuedLayer {
  readonly receivedAt: string;
  /** By which receipt it came, also after transfers and returns; null = by none, or averaged. */
  readonly receiptId: string | null;
  readonly quantity: string;
  readonly value: string;
  readonly unitCost: string;
}

export const ValuationList = defineCall({
  ...shared,
  pattern: 'valuation.list',
  effect: 'read',
  allow: VALUATION_READERS,
  summary: 'What the stock is worth at what it cost, now with its cost layers, or as of a time.',
  request: Type.Object({
    itemId: Type.Optional(Id),
    warehouseId: Type.Optional(Id),
    asOf: Type.Optional(Timestamp),
    ...PageQuery,
  }),
  response: internal<Page<ItemValuation>>(),
});
