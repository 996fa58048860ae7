import { ZERO } from '#libs/domain';
import { unknownDemand } from '../stock-rows.js';
import type { Backorder } from '../demand.js';
import type { PostedShipment, ReceivedReturn } from '../movement.js';
import type { StockState } from '../stock-state.js';
import type { BalanceRow, DemandRow } from './memory-tables.js';

// New rows, and copies of rows, so that what a batch changes in memory is stored only when it is recorded as changed.

export function copyOfShipment(shipment: PostedShipment): PostedShipment {
  return { ...shipment, lines: shipment.lines.map((line) => ({ ...line })) };
}

export function copyOfRow(row: DemandRow): DemandRow {
  return {
    ...row,
    lines: row.lines.map((line) => ({ ...line })),
    seenAhead: [...row.seenAhead],
    refusedMessages: [...row.refusedMessages],
  };
}

export function copyOfReturn(received: ReceivedReturn): ReceivedReturn {
  return { ...received, lines: received.lines.map((line) => ({ ...line })), inspections: [...received.inspections] };
}

export function emptyBalance(orgId: string, warehouseId: string, itemId: string): BalanceRow {
  const none = { safetyQuantity: null, safetyPercent: null, reorderPoint: null };
  return {
    orgId,
    warehouseId,
    itemId,
    onHand: ZERO,
    blocked: ZERO,
    reserved: ZERO,
    backordered: ZERO,
    lastEntryNo: 0,
    hasQuants: false,
    doubts: 0,
    doubtful: ZERO,
    attemptsDiscrepancyId: null,
    mayBeNegative: false,
    ...none,
  };
}

export function emptyDemandRow(key: string, now: Date): DemandRow {
  const { reservations: _, backorders: __, ...row } = unknownDemand(key, now);
  return row;
}

/** The backorder as its order in the working set has it, so that a change is seen from both sides. */
export function ownRow(state: StockState, row: Backorder): Backorder {
  return state
    .demand(row.orgId, row.orderId)
    .backorders.find((candidate) => candidate.lineNo === row.lineNo && candidate.warehouseId === row.warehouseId)!;
}
