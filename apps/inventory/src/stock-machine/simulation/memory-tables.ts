import type { EventDefinition, EventOf } from '#libs/contracts';
import type { Quantity } from '#libs/domain';
import type { Costing } from '../../costing/cost-layers.js';
import type { Attempt, Discrepancy } from '../../discrepancies/discrepancy.js';
import type { ApprovalEffect } from '../../approvals/approval-effect.js';
import type { Expectation } from '../../expected-receipts/expected-receipt.js';
import type { CostCorrection } from '../../costing/receipt-costs.js';
import type { StoredCosts } from '../../costing/simulation/stored-costs.js';
import type { Quant } from '../quants.js';
import type { DecisionSettings } from '../decision-settings.js';
import type { Lot, Tracking, WarehouseRef } from '../balance.js';
import type { Backorder, Demand, Reservation } from '../demand.js';
import type { LedgerLine, MovementHead, PostedShipment, ReceivedReturn } from '../movement.js';
import type { Transfer } from '../../transfers/transfer.js';

/** The stored columns of a balance. */
export interface BalanceRow {
  readonly orgId: string;
  readonly warehouseId: string;
  readonly itemId: string;
  onHand: Quantity;
  blocked: Quantity;
  reserved: Quantity;
  backordered: Quantity;
  lastEntryNo: number;
  safetyQuantity: Quantity | null;
  safetyPercent: Quantity | null;
  reorderPoint: Quantity | null;
  hasQuants: boolean;
  doubts: number;
  doubtful: Quantity;
  attemptsDiscrepancyId: string | null;
  mayBeNegative: boolean;
}

export type DemandRow = Omit<Demand, 'reservations' | 'backorders'>;
export interface ReservationRow extends Reservation {
  readonly orgId: string;
  readonly orderId: string;
}
export interface ItemRow {
  readonly safetyStock: Quantity | null;
  readonly reorderPoint: Quantity | null;
  readonly tracking?: Tracking;
  readonly costing?: Costing;
  readonly minRemainingShelfLifeDays?: number;
}

/** The tables of inventory as maps. */
export class MemoryTables {
  readonly items = new Map<string, ItemRow>();
  readonly warehouses = new Map<string, WarehouseRef[]>();
  readonly settings = new Map<string, DecisionSettings>();
  readonly balances = new Map<string, BalanceRow>();
  /** The stored ones, by balance and {@link quantKey}. */
  readonly quants = new Map<string, Map<string, Quant>>();
  readonly lots = new Map<string, Lot>();
  /** `org/warehouse/bin` */
  readonly locations = new Set<string>();
  readonly costs = new Map<string, StoredCosts>();
  readonly demands = new Map<string, DemandRow>();
  readonly reservations = new Map<string, ReservationRow>();
  readonly backorders = new Map<string, Backorder>();
  readonly movements = new Map<string, MovementHead>();
  readonly ledger: (LedgerLine & { readonly recordedAt: Date })[] = [];
  readonly shipments = new Map<string, PostedShipment>();
  readonly returns = new Map<string, ReceivedReturn>();
  readonly expectedReceipts = new Map<string, Expectation>();
  readonly transfers = new Map<string, Transfer>();
  /** What is on its way to a balance. */
  readonly inTransit = new Map<string, Quantity>();
  readonly costCorrections = new Map<string, CostCorrection>();
  readonly discrepancies = new Map<string, Discrepancy>();
  readonly attempts: Attempt[] = [];
  readonly approvalEffects = new Map<string, ApprovalEffect>();
  readonly outbox: EventOf<EventDefinition>[] = [];
  now = new Date('2026-01-05T08:00:00.000Z');

  /** Copies of the stored quants of a balance. */
  quantsAt(key: string): Quant[] {
    return [...(this.quants.get(key)?.values() ?? [])].map((quant) => ({ ...quant }));
  }
}
