import type { CostCorrectionAnswer } from '#libs/contracts';
import { receivedGoods } from '../../costing/receipt-costs.js';
import { balanceKey, subjectKey } from '../balance.js';
import type { LedgerLine } from '../movement.js';
import type { StockState } from '../stock-state.js';
import type { Needs } from '../touches.js';
import type { MemoryTables } from './memory-tables.js';

// What stock in memory tells of receipts whose costs are corrected: the counterpart of `load-receipts.ts`.

/** Where the goods came that a correction is about, and where something is left of them. */
export function placesOfReceipt(stock: MemoryTables, { correction }: Needs): string[] {
  return (correction?.goods ?? []).flatMap((goods) => {
    const [orgId, receiptId, itemId] = goods.split('/') as [string, string, string];
    const received = entriesOf(stock, subjectKey(orgId, receiptId)).filter((entry) => entry.itemId === itemId);
    const left = [...stock.costs].filter(([key, costs]) => isOf(key, orgId, itemId) && costs.of(new Set([receiptId])).length > 0);
    return [...received.map((entry) => balanceKey(orgId, entry.warehouseId, itemId)), ...left.map(([key]) => key)];
  });
}

/** The receipts of an organisation of which all layers are to be read. */
export function correctedReceipts(needs: readonly Needs[], orgId: string): ReadonlySet<string> {
  const receipts = needs.map(({ correction }) => correction?.receipt ?? '').filter((receipt) => receipt.startsWith(`${orgId}/`));
  return new Set(receipts.map((receipt) => receipt.slice(orgId.length + 1)));
}

export function readReceipts(stock: MemoryTables, state: StockState, needs: readonly Needs[]): void {
  for (const need of needs) {
    const { correction } = need;
    if (correction === null) continue;
    const known = stock.costCorrections.get(correction.command);
    if (known !== undefined) state.costCorrections.posted.set(correction.command, known);
    const entries = entriesOf(stock, correction.receipt);
    const received = entries.find(({ movement }) => movement.movementType === 'receipt');
    if (received === undefined) continue;
    const goods = receivedGoods(
      entries.map((entry) => {
        const { movementId, movementType, lines } = entry.movement;
        const isCorrection = movementType === 'cost_correction';
        return { ...entry, movementId, isCorrection, corrected: isCorrection ? (lines as CostCorrectionAnswer['lines']) : [] };
      }),
    );
    const places = placesOfReceipt(stock, need);
    const warehousesLeft = new Map(
      goods.map(({ itemId }) => [itemId, places.filter((key) => isOf(key, received.orgId, itemId)).map((key) => key.split('/')[1]!)]),
    );
    const { orgId, warehouseId, movement } = received;
    state.costCorrections.receipts.set(correction.receipt, { orgId, receiptId: movement.refId!, warehouseId, goods, warehousesLeft });
  }
}

export function storeCorrections(stock: MemoryTables, { costCorrections }: StockState): void {
  for (const correction of costCorrections.added) stock.costCorrections.set(subjectKey(correction.orgId, correction.commandId), correction);
}

/** What the ledger says of a receipt. */
function entriesOf(stock: MemoryTables, receipt: string): LedgerLine[] {
  return stock.ledger.filter(
    ({ movement: { orgId, refType, refId } }) => refType === 'receipt' && subjectKey(orgId, refId ?? '') === receipt,
  );
}

function isOf(key: string, orgId: string, itemId: string): boolean {
  return key.startsWith(`${orgId}/`) && key.endsWith(`/${itemId}`);
}
