import { type ApprovalRequest, findingKeyOf } from '#libs/contracts';
import { formatQuantity, maxQuantity, parseQuantity, type Quantity, sumQuantities, ZERO } from '#libs/domain';
import { carryOutOf } from '../../approvals/approved-work.js';
import { aboutDiscrepancy, type Discrepancy, isOpen } from '../../discrepancies/discrepancy.js';
import { overrideOf } from '../../discrepancies/request-override.js';
import type {
  AdjustStock,
  CarryOutApproval,
  CloseDiscrepancy,
  CommandMeta,
  RecordFindings,
  ReportDiscrepancy,
  ReviewDiscrepancy,
} from '../commands.js';
import { DEFAULT_LOCATION, NO_LOT } from '../quants.js';
import { balanceKey } from '../balance.js';
import type { MemoryStock } from './memory-stock.js';
import type { Step } from './steps.js';
import { FINDINGS } from './world.js';

// What people say of discrepancies, and approvals of what needed one: from what is known at that moment.

type Of<D extends Step['do']> = Extract<Step, { do: D }>;
type Unsaid<C> = Omit<C, 'meta'>;

/** An id as the database takes it. */
export const discrepancyIdOf = (n: number): string => `00000000-0000-7000-8000-${String(n).padStart(12, '0')}`;

/** What somebody saw: of all of an item, of a lot, or of what lies in one bin. */
export function reportOf(stock: MemoryStock, step: Of<'report'>, discrepancyId: string): Unsaid<ReportDiscrepancy> {
  const { org: orgId, warehouseId, itemId, nthPlace, severity } = step;
  const key = balanceKey(orgId, warehouseId, itemId);
  const place = placeOf(stock, key, nthPlace);
  const snapshotQuantity = formatQuantity(maxQuantity(place.quantity + parseQuantity(step.difference), ZERO));
  return {
    kind: 'report-discrepancy',
    ...{ orgId, discrepancyId, warehouseId, itemId, snapshotQuantity, note: 'half empty' },
    ...(place.lot === NO_LOT ? {} : { lot: place.lot }),
    ...(place.location === null ? {} : { location: place.location }),
    ...(severity === null ? {} : { severity }),
  };
}

function placeOf(stock: MemoryStock, key: string, nth: number | null): { lot: string; location: string | null; quantity: Quantity } {
  const balance = stock.balances.get(key);
  const quants = stock.quantsAt(key).filter((quant) => quant.quantity > ZERO);
  const quant = nth === null ? undefined : quants[nth % Math.max(1, quants.length)];
  if (quant === undefined) return { lot: NO_LOT, location: null, quantity: balance?.onHand ?? ZERO };
  const isBin = nth! % 3 > 0 || quant.lot === NO_LOT;
  const there = quants.filter((one) => one.lot === quant.lot && (!isBin || one.location === quant.location));
  return { lot: quant.lot, location: isBin ? quant.location : null, quantity: sumQuantities(there, (one) => one.quantity) };
}

/** What reconciliation says is wrong, by the keys by which it says the same in every run. */
export function findingsOf(stock: MemoryStock, { org: orgId, findings }: Of<'reconcile'>, runId: string): Unsaid<RecordFindings> {
  return {
    kind: 'record-findings',
    orgId,
    runId,
    findings: findings.map(({ kind, nth, difference, ...at }) => {
      const subject = subjectOf(stock, orgId, kind, at, nth);
      const expected = formatQuantity(subject.quantity);
      const actual = formatQuantity(subject.quantity + parseQuantity(difference));
      const { quantity: _, ...about } = subject;
      return { findingKey: findingKeyOf({ kind, ...about }), kind, ...about, expected, actual, note: 'the records say otherwise' };
    }),
  };
}

/** What a finding is about, and how much its records say. */
function subjectOf(
  stock: MemoryStock,
  orgId: string,
  kind: keyof typeof FINDINGS,
  { warehouseId, itemId }: { readonly warehouseId: string; readonly itemId: string },
  nth: number,
) {
  const nothing = { warehouseId, itemId, lot: null, location: null, orderId: null, subject: '', quantity: ZERO };
  const key = balanceKey(orgId, warehouseId, itemId);
  switch (FINDINGS[kind].of) {
    case 'item':
      return { ...nothing, quantity: stock.balances.get(key)?.onHand ?? ZERO };
    case 'place': {
      const quants = stock.quantsAt(key);
      const quant = quants[nth % Math.max(1, quants.length)];
      if (quant === undefined) return { ...nothing, location: DEFAULT_LOCATION, subject: `${NO_LOT}/${DEFAULT_LOCATION}/available` };
      const { lot, location, quality, quantity } = quant;
      return { ...nothing, lot: lot === NO_LOT ? null : lot, location, subject: `${lot}/${location}/${quality}`, quantity };
    }
    case 'order': {
      const demands = [...stock.demands.values()].filter((demand) => demand.orgId === orgId && demand.lines.length > 0);
      const demand = demands[nth % Math.max(1, demands.length)];
      const line = demand?.lines[nth % demand.lines.length];
      const about = { ...nothing, warehouseId: null, orderId: demand?.orderId ?? 'unknown' };
      return { ...about, itemId: line?.itemId ?? itemId, subject: String(line?.lineNo ?? 1), quantity: line?.requested ?? ZERO };
    }
  }
}

const byOrg = (stock: MemoryStock, orgId: string) => [...stock.discrepancies.values()].filter((found) => found.orgId === orgId);

/** The discrepancy that somebody has before him; one that there is not, where there are none. */
function foundBy(stock: MemoryStock, { org, which }: { org: string; which: number }) {
  const all = byOrg(stock, org);
  const open = all.filter(isOpen);
  const some = open.length > 0 ? open : all;
  const found = some[which % Math.max(1, some.length)];
  return found === undefined ? { discrepancyId: discrepancyIdOf(0), place: null } : aboutDiscrepancy(found);
}

/** What somebody decides about a discrepancy. */
export function decisionOf(stock: MemoryStock, step: Of<'decide'>): Unsaid<ReviewDiscrepancy> | Unsaid<CloseDiscrepancy> {
  const { org: orgId, what } = step;
  const found = { orgId, ...foundBy(stock, step) };
  if (what === 'review') return { kind: 'review-discrepancy', ...found, assignedTo: `keeper-${step.which % 2}` };
  const status = what === 'dismiss' ? ('dismissed' as const) : ('resolved' as const);
  return { kind: 'close-discrepancy', ...found, status, adjust: what === 'adjust', note: 'looked at' };
}

/** What was laid before approvals. */
export type Asked = Pick<ApprovalRequest, 'kind' | 'subjectType' | 'subjectId'> & {
  readonly work: CarryOutApproval['work'];
  /** The discrepancy that it is about, if it is about one. */
  readonly found: ReturnType<typeof aboutDiscrepancy> | null;
};

/** What somebody may not do alone; null where there is nothing. */
export function askedOf(stock: MemoryStock, step: Of<'approve'>, adjustment: Unsaid<AdjustStock>, meta: CommandMeta): Asked | null {
  const { org: orgId, what, which } = step;
  if (what === 'adjustment') {
    const { commandId } = adjustment;
    return { kind: 'adjustment', subjectType: 'adjustment', subjectId: commandId, work: { ...adjustment, meta }, found: null };
  }
  const open = byOrg(stock, orgId).filter(isOpen);
  if (what === 'resolution') {
    const seen = open.filter(({ source }) => source === 'manual_report' || source === 'count' || source === 'pick_shortage');
    const found = seen[which % Math.max(1, seen.length)];
    if (found === undefined) return null;
    const about = aboutDiscrepancy(found);
    const work = { kind: 'close-discrepancy' as const, orgId, ...about, status: 'resolved' as const, adjust: true, note: 'counted', meta };
    return { kind: 'discrepancy_resolution', subjectType: 'discrepancy', subjectId: about.discrepancyId, work, found: about };
  }
  const refused = open.filter(isRefusal);
  const found = refused[which % Math.max(1, refused.length)];
  return found === undefined ? null : askedToOverride(found, refused, meta);
}

/** Whether a movement was refused and is kept. */
export const isRefusal = ({ source, command }: Discrepancy) => source === 'blocked_transaction' && command !== null;

/** @param refused what is open of refused movements. */
export function askedToOverride(found: Discrepancy, refused: readonly Discrepancy[], meta: CommandMeta): Asked {
  const siblings = refused.filter(({ refType, refId }) => refType === found.refType && refId === found.refId);
  const { kind, subjectType, subjectId, work } = overrideOf(found, siblings, 'the truck waits', 0, meta);
  return { kind, subjectType, subjectId, work, found: aboutDiscrepancy(found) };
}

/** What approvals says became of a request. */
export function decidedOf(
  orgId: string,
  { work, found: _, ...subject }: Asked,
  approvalRequestId: string,
  status: Of<'approve'>['verdict'],
  meta: CommandMeta,
): CarryOutApproval {
  const { meta: __, ...command } = work;
  const decision = { by: 'boss', role: 'admin' as const, reason: 'seen it', at: '2026-01-05T08:00:00.000Z' };
  const request = {
    ...{ ...subject, approvalRequestId, status, requestedBy: 'tester', availabilitySnapshot: null },
    // As it comes back from where it was kept.
    command: JSON.parse(JSON.stringify(command)) as Record<string, unknown>,
    decisions: status === 'expired' ? [] : [{ ...decision, decision: status }],
  };
  return carryOutOf(orgId, request, meta)!;
}
