import type { Tx } from '#libs/persistence';
import { columns, union } from '../stock-machine/find-places.js';
import { type Balance, balanceKey, subjectKey } from '../stock-machine/balance.js';
import type { StockState } from '../stock-machine/stock-state.js';
import type { Needs } from '../stock-machine/touches.js';
import { lockDiscrepancies, readDiscrepancies, readDoubts, readFindings, readSeen, toDiscrepancy } from './discrepancy.sql.js';

/** Which discrepancies keep stock back; read only where some do. */
export async function noteDoubts(tx: Tx, balances: readonly Balance[]): Promise<void> {
  const doubted = new Map(
    balances.filter(({ doubts }) => doubts > 0).map((balance) => [balanceKey(balance.orgId, balance.warehouseId, balance.itemId), balance]),
  );
  if (doubted.size === 0) return;
  const rows = await tx.run(readDoubts, columns([...doubted.keys()], 3));
  const byBalance = Map.groupBy(rows, (row) => balanceKey(row.org_id, row.warehouse_id, row.item_id));
  for (const [key, balance] of doubted) balance.doubtedBy = (byBalance.get(key) ?? []).map((row) => row.discrepancy_id);
}

/**
 * The discrepancies that commands are about, and the open ones of what was found before. Locked in the order of their keys, after all else:
 * who changes one of a balance holds that anyway, but one of an order as a whole has none.
 */
export async function loadDiscrepancies(tx: Tx, state: StockState, needs: readonly Needs[], dryRun: boolean): Promise<void> {
  const named = [...union(needs, (need) => need.discrepancies)].sort();
  const found = needs
    .filter(({ findings }) => findings.length > 0)
    .flatMap(({ orgId, findings }) => findings.map((key) => ({ orgId, key })));
  const counted = [...union(needs, (need) => countedBalances(state, need))];
  const rows = await Promise.all([
    named.length === 0 ? [] : tx.run(dryRun ? readDiscrepancies : lockDiscrepancies, columns(named, 2)),
    found.length === 0 ? [] : tx.run(readFindings, [found.map(({ orgId }) => orgId), found.map(({ key }) => key)]),
    counted.length === 0 ? [] : tx.run(readSeen, columns(counted, 3)),
  ]);
  // The first of these are locked: they are as nobody else can change them any more.
  for (const row of rows.flat().reverse()) state.discrepancies.set(subjectKey(row.org_id, row.discrepancy_id), toDiscrepancy(row));
}

/** The balances of a command that must know what is open on them; of whole warehouses also what was found to lie there. */
export function countedBalances(state: StockState, need: Needs): string[] {
  if (!need.knowsDiscrepancies) return [];
  const { balances, wholeWarehouse } = need;
  const stored = wholeWarehouse === null ? [] : (state.storedPlaces.get(wholeWarehouse) ?? []);
  return [...balances, ...stored.map(({ itemId }) => `${wholeWarehouse}/${itemId}`)].filter((key) => state.balances.has(key));
}
