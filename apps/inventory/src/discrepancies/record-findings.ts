import type { DiscrepancyFindings, MismatchKind, ResponseOf } from '#libs/contracts';
import { parseQuantity } from '#libs/domain';
import { answered, type Outcome, type RecordFindings } from '../stock-machine/commands.js';
import type { Balance } from '../stock-machine/balance.js';
import { requireEach } from '../stock-machine/needs-more.js';
import type { StockState } from '../stock-machine/stock-state.js';
import { isOpen } from './discrepancy.js';
import { openDiscrepancy } from './open-discrepancy.js';

/**
 * What says how much stock there may really be less. The other kinds are about money, numbers, or what discrepancies themselves keep back: as
 * quantities they would keep stock back that nobody doubts.
 */
const IN_QUANTITIES_OF_STOCK: ReadonlySet<string> = new Set<MismatchKind>([
  'on_hand',
  'blocked',
  'quant',
  'reserved',
  'quant_reserved',
  'oversold',
  'in_transit',
  'layer_quantity',
  'orphan_reservation',
  'shipped',
]);

/**
 * Opens a discrepancy for each finding of a reconciliation that has none open yet; what is found again in the next night, or sent twice, is
 * the same. What was expected is what the books say (docs/rules.md, "discrepancies").
 */
export function recordFindings(state: StockState, command: RecordFindings): Outcome<ResponseOf<typeof DiscrepancyFindings>> {
  const { orgId, runId, findings, meta } = command;
  const places = new Map<RecordFindings['findings'][number], Balance | null>();
  requireEach(findings, (finding) => {
    const { warehouseId, itemId } = finding;
    places.set(finding, warehouseId === null ? null : (state.balance(orgId, warehouseId, itemId) ?? null));
  });

  // After this point it must succeed.
  const open = new Map<string, string>();
  for (const known of state.discrepancies.values()) {
    if (known.orgId === orgId && known.findingKey !== null && isOpen(known)) open.set(known.findingKey, known.discrepancyId);
  }
  return answered({
    findings: findings.map((finding) => {
      const { findingKey, kind, itemId, lot, location, orderId, expected, actual, note } = finding;
      const known = open.get(findingKey);
      if (known !== undefined) return { findingKey, discrepancyId: known, isNew: false };
      const noticed = {
        orgId,
        itemId,
        ledgerQuantity: parseQuantity(expected),
        snapshotQuantity: parseQuantity(actual),
        source: 'reconciliation_job' as const,
        lot: lot ?? null,
        location: location ?? null,
        orderId: orderId ?? null,
        note,
        findingKey,
        refType: 'reconciliation',
        refId: runId,
        ...(IN_QUANTITIES_OF_STOCK.has(kind) ? {} : { severity: 'medium' as const }),
      };
      const { discrepancyId } = openDiscrepancy(state, places.get(finding)!, noticed, meta);
      open.set(findingKey, discrepancyId);
      return { findingKey, discrepancyId, isNew: true };
    }),
  });
}
