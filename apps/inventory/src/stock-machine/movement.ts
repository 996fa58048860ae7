import { type Money, type Quantity, ZERO } from '#libs/domain';
import type { CommandMeta } from './commands.js';
import type { Quality } from './quants.js';
import type { Balance } from './balance.js';
import type { CostPart } from '../costing/cost-layers.js';

/** By which a movement is recognised when it comes again. */
export const movementKey = (orgId: string, movementType: string, refId: string) => `${orgId}/${movementType}/${refId}`;

/** What the entries of a movement have in common. */
export interface MovementHead {
  readonly orgId: string;
  readonly movementId: string;
  readonly movementType: string;
  readonly refType: string;
  /** By which the movement is recognised when it comes again. */
  readonly refId: string | null;
  /** The import that it is a part of: its ledger entries refer to that instead. */
  readonly importId?: string | undefined;
  readonly orderId: string | null;
  readonly reason: string | null;
  readonly actor: string | null;
  readonly fingerprint: string | null;
  /** What was posted, as the answer to a repeat tells it. */
  readonly lines: unknown;
  readonly occurredAt: Date;
}

/** One entry of the ledger, which is only ever appended to. */
export interface LedgerLine {
  readonly orgId: string;
  readonly warehouseId: string;
  readonly itemId: string;
  readonly entryNo: number;
  readonly movement: MovementHead;
  /** `''` = none. */
  readonly lot: string;
  readonly location: string;
  readonly quality: Quality;
  readonly quantityDelta: Quantity;
  readonly balanceAfter: Quantity;
  readonly unitCost: Quantity | null;
  /** What it adds to the value of the stock; null for what only moves or changes its quality. */
  readonly valueDelta: Money | null;
  /** Somebody should look at it: its value is a guess, say. */
  readonly flagged: boolean;
  /** The discrepancy that it answers to. */
  readonly discrepancyId: string | null;
  readonly producedAt: string | null;
  readonly expiresAt: string | null;
}

/** What was shipped of a line of an order, from one place. */
export interface ShipmentLine {
  readonly lineNo: number;
  readonly itemId: string;
  readonly warehouseId: string;
  /** `''` = none. */
  readonly lot: string;
  readonly location: string;
  readonly quantity: Quantity;
  /** What it cost, by the layers that it came from; empty where no costs were kept yet. */
  readonly cost: readonly CostPart[];
  /** What of it the customer sent back, and at which cost. */
  returned: Quantity;
  returnedValue: Money;
}

/** The cost of goods sold of a shipment line. */
export const cogsOf = (line: Pick<ShipmentLine, 'cost'>): Money => line.cost.reduce((sum, part) => sum + part.value, ZERO);

export interface PostedShipment {
  readonly orgId: string;
  readonly shipmentId: string;
  readonly orderId: string;
  readonly movementId: string;
  readonly fingerprint: string;
  status: 'posted' | 'cancelled';
  readonly lines: readonly ShipmentLine[];
}

export interface ReturnLine {
  readonly lineNo: number;
  readonly itemId: string;
  readonly warehouseId: string;
  readonly quantity: Quantity;
  /** `''` = none. */
  readonly lot: string;
  readonly location: string;
  readonly quality: Quality;
  readonly balanceAfter: Quantity;
  readonly value: Money;
  /** How much of a line in `pending_inspection` has its verdict. */
  inspected: Quantity;
}

export interface ReceivedReturn {
  readonly orgId: string;
  readonly returnId: string;
  readonly orderId: string;
  readonly movementId: string;
  readonly fingerprint: string;
  readonly lines: ReturnLine[];
  /** The inspections that were applied, by sequence or message id: an inspection has no id of its own. */
  readonly inspections: string[];
}

/** What a movement wants of a balance beyond what is free. */
export interface Shortfall {
  readonly balance: Balance;
  readonly quantity: Quantity;
  /** Of which lot it was to be, and from which bin it was to leave; null = any. */
  readonly lot: string | null;
  readonly location: string | null;
}

/** What somebody approved of the movement that is being decided. */
export interface MovementOverride {
  /** How much may be missing, and the discrepancy by which that is known. */
  readonly approved: ReadonlyMap<Balance, { readonly quantity: Quantity; readonly discrepancyId: string }>;
  /** What is missing, once it is known to be no more than that. */
  granted: readonly Shortfall[];
  readonly reason: string;
  /** Who approved it. */
  readonly meta: CommandMeta;
}
