import type { Override } from '#libs/contracts';
import { formatQuantity, isQuantity, parseQuantity, type Quantity, SCALE, sumQuantities, valueOf, ZERO } from '#libs/domain';
import { sellable } from '../availability/available-to-promise.js';
import { noteAttempt, snapshotOf } from '../discrepancies/open-discrepancy.js';
import type { Attempt } from '../discrepancies/discrepancy.js';
import type { SetDemand } from '../stock-machine/commands.js';
import type { Balance } from '../stock-machine/balance.js';
import type { Refusal } from '../stock-machine/demand.js';
import type { StockState } from '../stock-machine/stock-state.js';
import type { WantedLine } from './offer.js';

/** The source whose orders may wait for an approval: others are refused, or held as far as it goes while nothing is enforced. */
export const OWN_ORDERS = '/orders';
const PERCENT = 100n;

/** What an order's line wants beyond what can be promised to it. */
export interface Shortage {
  readonly line: WantedLine;
  /** What can be promised in addition to what is held. */
  readonly there: Quantity;
  /** Of what is to be held in addition. */
  readonly missing: Quantity;
  /** Of what is held softly, and cannot be confirmed while everything there is in doubt. */
  readonly locked: Quantity;
  /** Where it may be held; short is the first of them. */
  readonly places: readonly Balance[];
}

/** Why an order is short: `DISCREPANCY_LOCK` when every line would fit if no discrepancy kept anything back. */
export type Cause = 'DISCREPANCY_LOCK' | 'INSUFFICIENT_STOCK';

const shortBy = ({ missing, locked }: Pick<Shortage, 'missing' | 'locked'>): Quantity => missing + locked;

/**
 * Whether an order that is short is held all the same, and what becomes of what cannot be promised to it: it waits for stock, or for an
 * approval (docs/rules.md, "phases").
 */
export function consentTo(state: StockState, command: SetDemand, shortages: readonly Shortage[]): 'waits' | 'unheld' | 'refused' {
  if (isPending(command)) return 'unheld';
  if (state.settingsOf(command.orgId).enforcementPhase === 'dark') return 'waits';
  if (command.source !== OWN_ORDERS || command.approvedShortages === undefined) return 'refused';
  const approved = new Map(command.approvedShortages.map(({ lineNo, quantity }) => [lineNo, parseQuantity(quantity)]));
  return shortages.every((shortage) => shortBy(shortage) <= (approved.get(shortage.line.lineNo) ?? ZERO)) ? 'waits' : 'refused';
}

/** Whether what cannot be promised waits for an approval. */
export const isPending = ({ source, pendingApproval }: SetDemand): boolean => source === OWN_ORDERS && pendingApproval === true;

/** What an order that was approved may have: nobody would have stopped it. */
export const wouldBlock = (state: StockState, { orgId, source, approvedShortages }: SetDemand): boolean =>
  state.settingsOf(orgId).enforcementPhase === 'dark' && !(source === OWN_ORDERS && approvedShortages !== undefined);

/**
 * Refuses an order that is short: on record as one more attempt, with the discrepancies that have to do with it, and with what somebody may
 * approve.
 *
 */
export function refusalOf(state: StockState, command: SetDemand, shortages: readonly Shortage[], reason: Cause): Refusal {
  const override = overrideOf(state, command, shortages, reason === 'DISCREPANCY_LOCK');
  const joined = noteAttempts(state, command, shortages, override === undefined ? 'refused' : 'pending_approval', reason);
  const doubts = shortages.flatMap(({ places }) => places.flatMap(({ doubtedBy }) => doubtedBy));
  const lines = shortages.map(({ line, there, places }) => ({
    lineNo: line.lineNo,
    itemId: line.itemId,
    warehouseId: line.warehouseId ?? places[0]!.warehouseId,
    requested: formatQuantity(line.requested),
    available: formatQuantity(there),
  }));
  return { reason, lines, discrepancyIds: [...new Set([...doubts, ...joined])], ...(override === undefined ? {} : { override }) };
}

/**
 * Records what each line wanted and could not have; of a dry run nothing is recorded.
 *
 * @returns the discrepancies that the attempts joined.
 */
export function noteAttempts(
  state: StockState,
  { orderId, source, meta }: SetDemand,
  shortages: readonly Shortage[],
  outcome: Attempt['outcome'],
  reason: Cause,
): string[] {
  if (state.isDryRun) return shortages.flatMap(({ places }) => places[0]!.attemptsDiscrepancyId ?? []);
  return shortages.map((shortage) => {
    const { line, places } = shortage;
    const { lineNo, requested } = line;
    const attempt = { orderId, lineNo, source, requested, available: requested - shortBy(shortage), outcome, reason };
    return noteAttempt(state, places[0]!, attempt, meta).discrepancyId;
  });
}

/** What somebody may let through of an order that is short; undefined when nobody may. */
function overrideOf(state: StockState, command: SetDemand, shortages: readonly Shortage[], isDoubtOnly: boolean): Override | undefined {
  const { orgId, source } = command;
  if (source !== OWN_ORDERS || command.restores === true || isConfirmation(state, command)) return undefined;
  const { allowInventoryOversell, enforcementPhase, softBlockPercent, discrepancyLockPolicy } = state.settingsOf(orgId);
  const shares = sharesOf(shortages);
  const isSmall = enforcementPhase === 'soft' && shares.every(({ short, base }) => short * PERCENT * SCALE <= base * softBlockPercent);
  const isAcknowledged = isDoubtOnly && discrepancyLockPolicy === 'soft';
  if (!allowInventoryOversell && !isSmall && !isAcknowledged) return undefined;
  const balances = new Set(shortages.flatMap(({ places }) => places));
  return {
    kind: isAcknowledged ? 'discrepancy_acknowledgement' : 'order_override',
    magnitudes: {
      quantity: told(sumQuantities(shortages, shortBy)),
      percent: worstPercent(shares),
      value: valueOfShortages(shortages),
    },
    lines: shortages.map((shortage) => ({
      lineNo: shortage.line.lineNo,
      itemId: shortage.line.itemId,
      warehouseId: shortage.line.warehouseId ?? shortage.places[0]!.warehouseId,
      lot: shortage.line.lot,
      quantity: formatQuantity(shortBy(shortage)),
      requested: formatQuantity(shortage.line.requested),
      available: formatQuantity(shortage.line.requested - shortBy(shortage)),
    })),
    availabilitySnapshot: [...balances].map(snapshotOf),
  };
}

/** Whoever confirms wants to ship, and waits for nobody: what is short then is refused (docs/rules.md, "orders that wait for approval"). */
function isConfirmation(state: StockState, { orgId, orderId, firm, approvedShortages }: SetDemand): boolean {
  return firm === true && approvedShortages === undefined && !state.demand(orgId, orderId).firm;
}

/** How much is short of what is there: of lines that draw on the same stock together, so that nobody gets more by asking in parts. */
function sharesOf(shortages: readonly Shortage[]): { short: Quantity; base: Quantity }[] {
  const shares = new Map<string, { short: Quantity; base: Quantity }>();
  for (const shortage of shortages) {
    const { line, places } = shortage;
    const key = `${line.itemId}/${line.warehouseId ?? ''}`;
    const share = shares.get(key) ?? { short: ZERO, base: sumQuantities(places, sellable) };
    share.short += shortBy(shortage);
    shares.set(key, share);
  }
  return [...shares.values()];
}

/** The largest percentage, rounded up; null where something is short of nothing, which no percentage tells. */
function worstPercent(shares: readonly { short: Quantity; base: Quantity }[]): string | null {
  let worst = ZERO;
  for (const { short, base } of shares) {
    if (base === ZERO) return null;
    const percent = (short * PERCENT * SCALE + base - 1n) / base;
    if (percent > worst) worst = percent;
  }
  return told(worst);
}

/** At what was paid last where they are short; null where nothing was ever paid. */
function valueOfShortages(shortages: readonly Shortage[]): string | null {
  let value = ZERO;
  for (const shortage of shortages) {
    const { lastUnitCost } = shortage.places[0]!;
    if (lastUnitCost === null) return null;
    value += valueOf(lastUnitCost, shortBy(shortage));
  }
  return told(value);
}

const told = (size: bigint): string | null => (isQuantity(size) ? formatQuantity(size) : null);
