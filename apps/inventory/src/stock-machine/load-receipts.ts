import { parseMoney, parseQuantity } from '#libs/domain';
import type { Tx } from '#libs/persistence';
import { receivedGoods, type ReceiptEntry } from '../costing/receipt-costs.js';
import * as sql from '../costing/receipt-costs.sql.js';
import { columns, distinct } from './find-places.js';
import type { LayerRow } from './stock.sql.js';
import { subjectKey } from './balance.js';
import type { StockState } from './stock-state.js';
import type { Needs } from './touches.js';

/** What was read of the receipts of which costs are corrected. */
export interface ReceiptReads {
  readonly entries: readonly sql.ReceiptEntryRow[];
  readonly layers: readonly LayerRow[];
  readonly corrections: readonly sql.CostCorrectionRow[];
}

const NOTHING: ReceiptReads = { entries: [], layers: [], corrections: [] };

/** Reads what came by receipts, what is left of it, and which corrections were posted. To be asked when their balances are locked. */
export async function readReceipts(tx: Tx, needs: readonly Needs[]): Promise<ReceiptReads> {
  const receipts = distinct(needs, (need) => need.correction?.receipt ?? null);
  if (receipts.length === 0) return NOTHING;
  const commands = distinct(needs, (need) => need.correction?.command ?? null);
  const [entries, layers, corrections] = await Promise.all([
    tx.run(sql.readReceiptEntries, columns(receipts, 2)),
    tx.run(sql.readLayersOfReceipts, columns(receipts, 2)),
    tx.run(sql.readCostCorrections, columns(commands, 2)),
  ]);
  return { entries, layers, corrections };
}

/** Puts what was read of receipts into the working set. */
export function noteReceipts(state: StockState, { entries, layers, corrections }: ReceiptReads): void {
  const byReceipt = Map.groupBy(entries, (row) => subjectKey(row.org_id, row.receipt_id));
  const left = Map.groupBy(layers, (row) => subjectKey(row.org_id, row.receipt_id!));
  for (const [key, rows] of byReceipt) {
    const { org_id: orgId, receipt_id: receiptId } = rows[0]!;
    const received = rows.find((row) => !row.is_correction);
    if (received === undefined) continue;
    const warehousesLeft = new Map<string, string[]>();
    for (const { item_id, warehouse_id } of left.get(key) ?? [])
      warehousesLeft.set(item_id, [...(warehousesLeft.get(item_id) ?? []), warehouse_id]);
    state.costCorrections.receipts.set(key, {
      orgId,
      receiptId,
      warehouseId: received.warehouse_id,
      goods: receivedGoods(rows.map(entryOf)),
      warehousesLeft,
    });
  }
  for (const { org_id: orgId, command_id: commandId, fingerprint, answer } of corrections) {
    state.costCorrections.posted.set(subjectKey(orgId, commandId), { orgId, commandId, fingerprint, answer });
  }
}

function entryOf(row: sql.ReceiptEntryRow): ReceiptEntry {
  return {
    warehouseId: row.warehouse_id,
    itemId: row.item_id,
    lot: row.lot,
    isCorrection: row.is_correction,
    quantityDelta: parseQuantity(row.quantity_delta),
    unitCost: row.unit_cost === null ? null : parseQuantity(row.unit_cost),
    valueDelta: row.value_delta === null ? null : parseMoney(row.value_delta),
    movementId: row.movement_id,
    corrected: row.corrected ?? [],
  };
}
