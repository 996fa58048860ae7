import type { CostPart } from '../costing/cost-layers.js';
import type { Quantity } from '#libs/domain';

/** Goods of one item and lot that go to another warehouse together. */
export interface TransferLine {
  readonly itemId: string;
  /** `''` = none. */
  readonly lot: string;
  quantity: Quantity;
  received: Quantity;
  /** What did not arrive, and will not. */
  missing: Quantity;
  /** What the part that is under way costs, by the layers that it came from. */
  cost: readonly CostPart[];
}

export interface Transfer {
  readonly orgId: string;
  readonly transferId: string;
  readonly fromWarehouseId: string;
  readonly toWarehouseId: string;
  readonly mode: 'immediate' | 'in_transit';
  status: 'in_transit' | 'completed';
  readonly fingerprint: string;
  readonly lines: TransferLine[];
  /** What was told of its arrival, by the id of the command. */
  readonly arrivals: { readonly commandId: string; readonly fingerprint: string }[];
  readonly dispatchedAt: Date;
  readonly dispatchedBy: string | null;
  completedAt: Date | null;
}
