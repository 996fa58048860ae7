import type { DiscrepancyFindings, ResponseOf } from '#libs/contracts';
import { maxQuantity, parseQuantity, type Quantity, sumQuantities, ZERO } from '#libs/domain';
import type { Discrepancy } from '../../discrepancies/discrepancy.js';
import type { Outcome, StockCommand } from '../commands.js';
import { NO_LOT } from '../quants.js';
import { type Balance, balanceKey, subjectKey } from '../balance.js';
import type { LedgerLine } from '../movement.js';
import { NeedsMore } from '../needs-more.js';
import type { StockState } from '../stock-state.js';
import { type Act, actOf } from './acts.js';
import { ensure, readable } from './check-rows.js';
import type { BalanceRow } from './memory-tables.js';
import type { MemoryStock } from './memory-stock.js';
import { FINDINGS } from './world.js';

// What may be done about discrepancies, said a second time: from what they were before and after a decision, and from the ledger.

type Counted = Pick<BalanceRow, 'orgId' | 'warehouseId' | 'itemId' | 'doubts' | 'doubtful' | 'attemptsDiscrepancyId'>;

/** Compares what is known of discrepancies before and after one decision. */
export class DiscrepanciesCheck {
  private readonly before: ReadonlyMap<string, Discrepancy>;
  private readonly ledgerBefore: number;
  private readonly openedBefore: number;
  private readonly effectsBefore: number;
  private readonly act: Act;

  constructor(
    private readonly stock: MemoryStock,
    private readonly state: StockState,
    private readonly command: StockCommand,
  ) {
    this.before = new Map([...state.discrepancies].map(([key, found]) => [key, { ...found }]));
    this.ledgerBefore = state.ledger.length;
    this.openedBefore = state.newDiscrepancies.size;
    this.effectsBefore = state.newApprovalEffects.length;
    this.act = actOf(command);
  }

  /** @param isRepeat the same was decided before: then nothing may change. */
  check(outcome: Outcome | NeedsMore, isRepeat: boolean): void {
    const name = `${this.command.kind} ${JSON.stringify(this.command.meta.messageId)}`;
    this.checkFinal(name);
    this.checkOnce(name);
    this.checkFindings(name, outcome);
    this.checkPosted(name, outcome);
    this.checkCounters(name);
    if (isRepeat) this.checkNothingFound(name);
  }

  /** What is over stays as it was, and what was found never changes. */
  private checkFinal(name: string): void {
    for (const [key, was] of this.before) {
      const now = this.state.discrepancies.get(key)!;
      const isSame = asText(was) === asText(now);
      ensure(isSame || isWaiting(was), () => `${name} changes discrepancy ${key}, which is ${was.status}, and that is final`);
      for (const part of ['snapshotQuantity', 'ledgerQuantity', 'severity', 'source', 'lot', 'location', 'detectedAt'] as const)
        ensure(was[part] === now[part], () => `${name} changes ${part} of discrepancy ${key}`);
    }
  }

  /** What was found before, and is open, is not found again. */
  private checkOnce(name: string): void {
    for (const { orgId, findingKey } of this.opened()) {
      const { length } = findingKey === null ? [] : this.openBy(orgId, findingKey);
      ensure(length <= 1, () => `${findingKey} is open ${length} times after ${name}`);
    }
  }

  /** What reconciliation found is on record, once, as it was found, as severe as it differs; and changes no stock. */
  private checkFindings(name: string, outcome: Outcome | NeedsMore): void {
    const { command, state } = this;
    if (command.kind !== 'record-findings') return;
    ensure(state.ledger.length === this.ledgerBefore, () => `${name} moves stock because of what was found`);
    const opened = this.opened();
    const told = outcome instanceof NeedsMore || outcome.kind !== 'answer' ? [] : (outcome.answer as Told).findings;
    const fresh = told.filter(({ isNew }) => isNew).map(({ discrepancyId }) => discrepancyId);
    const ids = opened.map(({ discrepancyId }) => discrepancyId);
    ensure(asText(fresh) === asText(ids), () => `${name} tells of ${fresh.join()} as new, ${ids.join()} are`);
    if (outcome instanceof NeedsMore) return;
    command.findings.forEach((finding, index) => {
      const { findingKey, kind, expected, actual } = finding;
      const found = this.openBy(command.orgId, findingKey)[0];
      ensure(
        found !== undefined && told[index]?.discrepancyId === found.discrepancyId,
        () => `${name} tells of ${findingKey} as ${told[index]?.discrepancyId}, open is ${found?.discrepancyId}`,
      );
      if (!told[index].isNew) return;
      const isKnown = finding.warehouseId !== null && state.balances.has(placeOf({ ...finding, orgId: command.orgId }));
      const said = [isKnown ? finding.warehouseId : null, finding.itemId, finding.lot ?? null, finding.location ?? null, expected, actual];
      const kept = [found.warehouseId, found.itemId, found.lot, found.location, found.ledgerQuantity, found.snapshotQuantity];
      ensure(asText(said) === asText(kept), () => `${name} finds ${asText(said)}, on record is ${asText(kept)}`);
      const severity = FINDINGS[kind as keyof typeof FINDINGS].isStock ? severityOf(expected, actual) : 'medium';
      ensure(found.severity === severity, () => `${name} finds ${kind} ${actual} of ${expected} ${found.severity}, which is ${severity}`);
    });
  }

  private opened(): Discrepancy[] {
    return [...this.state.newDiscrepancies].slice(this.openedBefore);
  }

  /** The open ones of a finding. */
  private openBy(orgId: string, findingKey: string): Discrepancy[] {
    const all = new Map([...this.stock.discrepancies, ...this.state.discrepancies]);
    return [...all.values()].filter((found) => found.orgId === orgId && found.findingKey === findingKey && isWaiting(found));
  }

  /** What a balance counts is what is open on it. */
  private checkCounters(name: string): void {
    const { stock, state } = this;
    const touched = new Set<Balance>(state.changedBalances);
    for (const found of [...state.newDiscrepancies, ...state.changedDiscrepancies]) {
      const balance = found.warehouseId === null ? undefined : state.balances.get(placeOf(found));
      if (balance !== undefined) touched.add(balance);
    }
    for (const balance of touched) {
      const keys = new Set([...stock.discrepancies.keys(), ...state.discrepancies.keys()]);
      const found = [...keys].map((key) => state.discrepancies.get(key) ?? stock.discrepancies.get(key)!);
      checkDoubts(balance, found, `after ${name}`);
      const doubting = found.filter((one) => placeOf(one) === placeOf(balance) && keepsBack(one)).map((one) => one.discrepancyId);
      ensure(
        asText([...balance.doubtedBy].sort()) === asText(doubting.sort()),
        () => `${placeOf(balance)} is in doubt by ${balance.doubtedBy.join()}, open are ${doubting.join()} after ${name}`,
      );
    }
  }

  /** What somebody decided has one effect, whoever hears it how often. */
  checkEffect(outcome: Outcome | NeedsMore): void {
    const { command, state } = this;
    const name = `${command.kind} ${JSON.stringify(command.meta.messageId)}`;
    const effects = state.newApprovalEffects.slice(this.effectsBefore);
    if (command.kind !== 'carry-out-approval' || outcome instanceof NeedsMore || outcome.kind !== 'answer') {
      ensure(effects.length === 0, () => `${name} records an effect of what nobody decided`);
      return;
    }
    const { orgId, approvalRequestId, status } = command;
    const key = subjectKey(orgId, approvalRequestId);
    const earlier = [...state.newApprovalEffects.slice(0, this.effectsBefore), ...this.stock.approvalEffects.values()];
    const wasHeard = earlier.some((one) => subjectKey(one.orgId, one.approvalRequestId) === key);
    ensure(
      effects.length === (wasHeard ? 0 : 1),
      () => `${name} has ${effects.length} effects, ${key} was ${wasHeard ? '' : 'not '}heard before`,
    );
    const posted = state.ledger.length > this.ledgerBefore;
    const isDone = effects[0]?.outcome === 'done';
    ensure(
      !posted || isDone,
      () => `${name} moved stock, though ${wasHeard ? 'it was heard before' : `it was ${status}: ${effects[0]!.outcome}`}`,
    );
    ensure(!isDone || status === 'approved', () => `${name} does what was ${status}`);
    if (isDone && this.act.override !== null) this.checkOverride(name);
  }

  /** Nobody loses anything to what was let through; what was missing was counted, no more than was approved; and that is the end of it. */
  private checkOverride(name: string): void {
    const { state } = this;
    const { orgId, shortfalls } = this.act.override!;
    const posted = state.ledger.slice(this.ledgerBefore);
    ensure(!posted.some((entry) => entry.flagged), () => `${name} flags what was approved`);
    ensure(state.newDiscrepancies.size === this.openedBefore, () => `${name} finds something new in what was approved`);
    for (const { discrepancyId, quantity, warehouseId, itemId } of shortfalls) {
      const found = state.discrepancies.get(subjectKey(orgId, discrepancyId));
      ensure(found?.status === 'resolved', () => `${name} leaves discrepancy ${discrepancyId} ${found?.status}`);
      const counted = countedFor(posted, discrepancyId);
      ensure(counted <= parseQuantity(quantity), () => `${name} counts ${counted} of ${itemId}, no more than ${quantity} were approved`);
      const elsewhere = posted.find(
        (entry) => isCountFor(entry, discrepancyId) && (entry.itemId !== itemId || entry.warehouseId !== warehouseId),
      );
      ensure(elsewhere === undefined, () => `${name} counts ${elsewhere?.itemId} in ${elsewhere?.warehouseId} for ${discrepancyId}`);
    }
  }

  /** The difference of a discrepancy is posted when it is resolved so, where it was seen; by nothing else, and never again. */
  private checkPosted(name: string, outcome: Outcome | NeedsMore): void {
    const { command, override } = this.act;
    const counts = this.state.ledger.slice(this.ledgerBefore).filter((entry) => isCountFor(entry));
    for (const { movement } of counts) {
      const isCounted = [...this.state.ledger.slice(0, this.ledgerBefore), ...this.stock.ledger].some((entry) =>
        isCountFor(entry, movement.refId),
      );
      ensure(!isCounted, () => `${name} posts what was posted before for discrepancy ${movement.refId}`);
    }
    if (override !== null) return;
    if (command.kind !== 'close-discrepancy') {
      return ensure(counts.length === 0, () => `${name} posts a difference that nobody resolves`);
    }
    const key = subjectKey(command.orgId, command.discrepancyId);
    const was = this.before.get(key);
    const isEnded = was !== undefined && isWaiting(was) && !isWaiting(this.state.discrepancies.get(key)!);
    const isAnswered = !(outcome instanceof NeedsMore) && outcome.kind === 'answer';
    // Nobody saw what reconciliation found: no goods are missing, a counter is.
    const isSeen = isEnded && was.source !== 'reconciliation_job';
    const expected = isSeen && isAnswered && command.adjust ? was.snapshotQuantity - was.ledgerQuantity : ZERO;
    const posted = sumQuantities(counts, (entry) => entry.quantityDelta);
    ensure(posted === expected, () => `${name} posts ${posted} for discrepancy ${key}, which says ${expected}`);
    for (const entry of counts) {
      const isThere =
        placeOf(entry) === placeOf(was!) &&
        entry.lot === (was!.lot ?? NO_LOT) &&
        (was!.location === null || entry.location === was!.location) &&
        entry.discrepancyId === was!.discrepancyId;
      ensure(isThere, () => `${name} posts elsewhere than it was seen: ${asText(entry)} of ${asText(was)}`);
    }
  }

  private checkNothingFound(name: string): void {
    ensure(this.state.newDiscrepancies.size === this.openedBefore, () => `I6: the repeat ${name} opens a discrepancy`);
    for (const [key, was] of this.before) {
      const { status } = this.state.discrepancies.get(key)!;
      const isReview = this.command.kind === 'review-discrepancy';
      ensure(isReview || status === was.status, () => `I6: the repeat ${name} makes discrepancy ${key} ${status}`);
    }
  }
}

/** What a balance counts of what is in doubt is what its open discrepancies say. @param all of any place. */
export function checkDoubts(balance: Counted, all: readonly Discrepancy[], when: string): void {
  const key = placeOf(balance);
  const there = all.filter((found) => placeOf(found) === key);
  const doubting = there.filter(keepsBack);
  const sum = sumQuantities(doubting, (found) => distance(found.snapshotQuantity, found.ledgerQuantity));
  ensure(
    balance.doubts === doubting.length && balance.doubtful === sum,
    () => `${key} has ${balance.doubts} doubts of ${balance.doubtful}, its discrepancies say ${doubting.length} of ${sum}, ${when}`,
  );
  const joined = there.find(({ discrepancyId }) => discrepancyId === balance.attemptsDiscrepancyId);
  const mayBeJoined = joined !== undefined && isWaiting(joined) && joined.severity === 'low' && joined.source === 'blocked_transaction';
  ensure(
    balance.attemptsDiscrepancyId === null || mayBeJoined,
    () => `refused orders at ${key} join ${balance.attemptsDiscrepancyId}, which is ${joined?.status}, ${when}`,
  );
}

type Told = ResponseOf<typeof DiscrepancyFindings>;

/** How severe a difference is, in percent of what is expected. */
function severityOf(expected: string, actual: string): Discrepancy['severity'] {
  const percent = (100 * Math.abs(Number(parseQuantity(actual) - parseQuantity(expected)))) / Math.abs(Number(parseQuantity(expected)));
  const limits = [
    [2, 'low'],
    [5, 'medium'],
    [20, 'high'],
  ] as const;
  return limits.find(([limit]) => percent <= limit)?.[1] ?? 'critical';
}

const isWaiting = ({ status }: Discrepancy) => status === 'new' || status === 'under_review';
/** High and critical ones, but for what was only refused. */
const keepsBack = (found: Discrepancy) =>
  isWaiting(found) && found.source !== 'blocked_transaction' && (found.severity === 'high' || found.severity === 'critical');
const distance = (a: Quantity, b: Quantity) => maxQuantity(a - b, b - a);
const placeOf = ({ orgId, warehouseId, itemId }: { orgId: string; warehouseId: string | null; itemId: string }) =>
  balanceKey(orgId, warehouseId ?? '', itemId);

function isCountFor({ movement }: LedgerLine, discrepancyId = movement.refId): boolean {
  return movement.refType === 'discrepancy' && movement.refId === discrepancyId && movement.movementType === 'count';
}
const countedFor = (posted: readonly LedgerLine[], discrepancyId: string) =>
  sumQuantities(posted, (entry) => (isCountFor(entry, discrepancyId) ? entry.quantityDelta : ZERO));
const asText = (value: unknown) => JSON.stringify(value, readable);
