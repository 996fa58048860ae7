import { parseMoney, parseQuantity, type Quantity, ZERO } from '#libs/domain';
import type { CostLayer } from '../costing/cost-layers.js';
import { type Quant, Quants } from './quants.js';
import type { TransferRow } from '../transfers/transfer.sql.js';
import type * as sql from './stock.sql.js';
import { demandLinesFromJson, refusalFromJson, refusedMessagesFromJson, transferLinesFromJson } from './stock-json.js';
import { DEFAULT_SETTINGS } from './decision-settings.js';
import type { Balance } from './balance.js';
import type { Backorder, Demand } from './demand.js';
import type { Transfer } from '../transfers/transfer.js';

// How rows become the working set.

export function balanceOf(row: sql.BalanceRow): Balance {
  const ownSafetyQuantity = optional(row.safety_quantity);
  const ownSafetyPercent = optional(row.safety_percent);
  const itemSafetyStock = optional(row.item_safety_stock);
  return {
    orgId: row.org_id,
    warehouseId: row.warehouse_id,
    itemId: row.item_id,
    onHand: parseQuantity(row.on_hand),
    blocked: optional(row.blocked) ?? ZERO,
    reserved: parseQuantity(row.reserved),
    backordered: optional(row.backordered) ?? ZERO,
    lastEntryNo: row.last_entry_no,
    safetyQuantity: ownSafetyQuantity ?? itemSafetyStock ?? ZERO,
    safetyPercent: ownSafetyPercent ?? ZERO,
    ownSafetyQuantity,
    ownSafetyPercent,
    ownReorderPoint: optional(row.reorder_point),
    itemSafetyStock,
    itemReorderPoint: optional(row.item_reorder_point),
    doubts: row.doubts ?? 0,
    doubtful: optional(row.doubtful) ?? ZERO,
    doubtedBy: [],
    lockPolicy: DEFAULT_SETTINGS.discrepancyLockPolicy,
    attemptsDiscrepancyId: row.attempts_discrepancy_id,
    mayBeNegative: row.may_be_negative ?? false,
    tracking: row.tracking ?? 'none',
    costing: row.costing ?? 'fifo',
    lastUnitCost: optional(row.last_unit_cost),
    minRemainingShelfLifeDays: row.min_remaining_shelf_life_days,
    hasQuants: row.has_quants ?? false,
    hadQuants: row.has_quants ?? false,
    quants: new Quants(),
  };
}

export function demandOf(row: sql.DemandRow): Demand {
  return {
    orgId: row.org_id,
    orderId: row.order_id,
    state: row.state,
    source: row.source,
    incomingSequence: row.incoming_sequence,
    incomingTime: row.incoming_time,
    seenSequence: row.seen_sequence,
    seenAhead: row.seen_ahead ?? [],
    sequence: row.sequence,
    firm: row.firm,
    mode: row.mode,
    priority: row.priority,
    acceptedAt: row.accepted_at,
    expiresAt: row.expires_at,
    approvalRequestId: row.approval_request_id,
    refusal: refusalFromJson(row.refusal),
    refusedMessages: refusedMessagesFromJson(row.refused_messages),
    lines: demandLinesFromJson(row.lines),
    reservations: [],
    backorders: [],
  };
}

export function transferOf(row: TransferRow): Transfer {
  return {
    orgId: row.org_id,
    transferId: row.transfer_id,
    fromWarehouseId: row.from_warehouse_id,
    toWarehouseId: row.to_warehouse_id,
    mode: row.mode,
    status: row.status,
    fingerprint: row.fingerprint,
    lines: transferLinesFromJson(row.lines),
    arrivals: [...row.arrivals],
    dispatchedAt: row.dispatched_at,
    dispatchedBy: row.dispatched_by,
    completedAt: row.completed_at,
  };
}

/** How an order that nobody has heard of looks. */
export function unknownDemand(key: string, now: Date): Demand {
  const [orgId, orderId] = key.split('/') as [string, string];
  return {
    orgId,
    orderId,
    state: 'awaiting_order',
    source: null,
    incomingSequence: null,
    incomingTime: null,
    seenSequence: 0,
    seenAhead: [],
    sequence: 0,
    firm: false,
    mode: 'all_or_nothing',
    priority: 50,
    acceptedAt: now,
    expiresAt: null,
    approvalRequestId: null,
    refusal: null,
    refusedMessages: [],
    lines: [],
    reservations: [],
    backorders: [],
  };
}

export function backorderOf(row: sql.BackorderRow): Backorder {
  return {
    orgId: row.org_id,
    orderId: row.order_id,
    lineNo: row.line_no,
    warehouseId: row.warehouse_id,
    itemId: row.item_id,
    waitedBefore: parseQuantity(row.quantity),
    quantity: parseQuantity(row.quantity),
    priority: row.priority,
    acceptedAt: row.accepted_at,
  };
}

export const optional = (text: string | null): Quantity | null => (text === null ? null : parseQuantity(text));

export function layerOf(row: sql.LayerRow): CostLayer {
  return {
    layerNo: row.layer_no,
    receivedAt: row.received_at,
    receiptId: row.receipt_id,
    quantity: parseQuantity(row.quantity),
    value: parseMoney(row.value),
  };
}

export function quantOf(row: sql.QuantRow): Quant {
  return {
    lot: row.lot,
    location: row.location,
    quality: row.quality,
    quantity: parseQuantity(row.quantity),
    reserved: parseQuantity(row.reserved),
    expiresAt: row.expires_at,
    receivedAt: row.received_at,
  };
}
