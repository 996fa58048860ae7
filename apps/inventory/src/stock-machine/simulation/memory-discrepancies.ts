import { parseQuantity, type Quantity, SCALE, ZERO } from '#libs/domain';
import { AVERAGE_LAYER_NO } from '../../costing/cost-layers.js';
import { isOpen, raisesDoubt } from '../../discrepancies/discrepancy.js';
import { countedBalances } from '../../discrepancies/load-discrepancies.js';
import { type Balance, balanceKey, subjectKey } from '../balance.js';
import type { StockState } from '../stock-state.js';
import type { Needs } from '../touches.js';
import type { BalanceRow, MemoryTables } from './memory-tables.js';

// The counterparts of what the machine reads and writes of discrepancies.

/** The open ones that keep stock of a balance back. */
export function doubtsAt(
  stock: MemoryTables,
  { orgId, warehouseId, itemId }: Pick<BalanceRow, 'orgId' | 'warehouseId' | 'itemId'>,
): string[] {
  return [...stock.discrepancies.values()]
    .filter((found) => found.orgId === orgId && found.warehouseId === warehouseId && found.itemId === itemId)
    .filter((found) => isOpen(found) && raisesDoubt(found))
    .map(({ discrepancyId }) => discrepancyId);
}

const SEEN: ReadonlySet<string> = new Set(['count', 'pick_shortage', 'manual_report']);

/** What decisions about requests for approval have led to. */
export function readEffects(stock: MemoryTables, state: StockState, needs: readonly Needs[]): void {
  for (const key of needs.flatMap(({ approvals }) => approvals)) {
    const known = stock.approvalEffects.get(key);
    if (known !== undefined) state.approvalEffects.set(key, known.outcome);
  }
}

/** Those that commands are about, and the open ones of what they found before. */
export function readDiscrepancies(stock: MemoryTables, state: StockState, needs: readonly Needs[]): void {
  for (const [key, found] of stock.discrepancies) {
    const isNamed = needs.some((need) => need.discrepancies.includes(key));
    const isFound = needs.some(({ orgId, findings }) => orgId === found.orgId && findings.includes(found.findingKey ?? ''));
    const at = found.warehouseId === null ? '' : balanceKey(found.orgId, found.warehouseId, found.itemId);
    const isSeen = SEEN.has(found.source) && needs.some((need) => countedBalances(state, need).includes(at));
    if (isNamed || ((isFound || isSeen) && isOpen(found))) state.discrepancies.set(key, { ...found });
  }
  readDerived(stock, state, needs);
}

/**
 * The counters that commands want to set right. They are what their records add up to, as the simulation checks after each batch: so that
 * nothing is to be set.
 */
function readDerived(stock: MemoryTables, state: StockState, needs: readonly Needs[]): void {
  for (const key of needs.flatMap(({ derived = [] }) => derived)) {
    const balance = state.balances.get(key);
    if (balance === undefined) continue;
    const right = (quantity: Quantity) => ({ expected: quantity, actual: quantity });
    const { onHand, blocked, reserved, backordered, doubts, doubtful, orgId, itemId } = balance;
    const costs = stock.costs.get(key);
    const value = right(costs?.balance.value ?? ZERO);
    const lines = [...stock.discrepancies.values()].filter((found) => found.orgId === orgId && found.itemId === itemId && isOpen(found));
    state.derived.set(balance, {
      ...{ onHand: right(onHand), blocked: right(blocked), reserved: right(reserved), backordered: right(backordered) },
      ...{ value, layerValue: value, layerQuantity: right(onHand), inTransit: right(stock.inTransit.get(key) ?? ZERO) },
      ...{ doubts: right(BigInt(doubts) * SCALE), doubtful: right(doubtful) },
      hasAverageLayer: costs?.layers.has(AVERAGE_LAYER_NO) ?? false,
      isLedgerWhole: true,
      linesFound: lines.flatMap(({ findingKey }) => findingKey ?? []).flatMap((name) => /^line_\w+/.exec(name)?.[0] ?? []),
      quants: [],
      corrected: new Set(),
    });
  }
}

export function storeDiscrepancies(stock: MemoryTables, state: StockState): void {
  for (const found of [...state.newDiscrepancies, ...state.changedDiscrepancies]) {
    stock.discrepancies.set(subjectKey(found.orgId, found.discrepancyId), { ...found });
  }
  for (const [key, attempts] of state.joinedAttempts) {
    const joined = stock.discrepancies.get(key)!;
    stock.discrepancies.set(key, { ...joined, occurrences: joined.occurrences + attempts });
  }
  stock.attempts.push(...state.attempts);
  for (const effect of state.newApprovalEffects) stock.approvalEffects.set(subjectKey(effect.orgId, effect.approvalRequestId), effect);
}

const NOTICED = {
  location: null,
  lot: null,
  status: 'new',
  severity: 'critical',
  source: 'count',
  ownerRole: 'inventory_manager',
  assignedTo: null,
  note: null,
  occurrences: 1,
  findingKey: null,
  detectedBy: null,
  closedAt: null,
  closedBy: null,
  resolutionNote: null,
  refType: null,
  refId: null,
  orderId: null,
  approvalRequestId: null,
  command: null,
} as const;

/**
 * Opens a discrepancy that says so much against the books; null = closes those that are open.
 *
 * @returns its id.
 */
export function setDoubt(stock: MemoryTables, key: string, difference: string | null): string | null {
  const row = stock.balances.get(key);
  if (row === undefined) return null;
  if (difference === null) {
    for (const discrepancyId of doubtsAt(stock, row)) {
      const found = stock.discrepancies.get(subjectKey(row.orgId, discrepancyId))!;
      stock.discrepancies.set(subjectKey(row.orgId, discrepancyId), { ...found, status: 'dismissed' });
    }
    Object.assign(row, { doubts: 0, doubtful: ZERO });
    return null;
  }
  const { orgId, warehouseId, itemId, onHand } = row;
  const found = {
    ...NOTICED,
    orgId,
    warehouseId,
    itemId,
    discrepancyId: `doubt-${stock.discrepancies.size + 1}`,
    snapshotQuantity: onHand - parseQuantity(difference),
    ledgerQuantity: onHand,
    detectedAt: stock.now,
  };
  stock.discrepancies.set(subjectKey(orgId, found.discrepancyId), found);
  row.doubts++;
  row.doubtful += parseQuantity(difference);
  return found.discrepancyId;
}

/** What discrepancies say of a balance. */
export function storeDoubts(row: BalanceRow, balance: Balance, was: Balance): void {
  row.doubts += balance.doubts - was.doubts;
  row.doubtful += balance.doubtful - was.doubtful;
  row.attemptsDiscrepancyId = balance.attemptsDiscrepancyId;
  row.mayBeNegative = balance.mayBeNegative;
}
