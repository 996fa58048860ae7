import { DiscrepancyOpened, DiscrepancyResolved } from '#libs/contracts';
import { formatQuantity, maxQuantity, uuidv7, ZERO } from '#libs/domain';
import { availableToPromise, discrepancyHold, safetyStock, sellable } from '../availability/available-to-promise.js';
import type { CommandMeta } from '../stock-machine/commands.js';
import { type Balance, subjectKey } from '../stock-machine/balance.js';
import type { StockState } from '../stock-machine/stock-state.js';
import {
  type Attempt,
  differenceOf,
  type Discrepancy,
  type DiscrepancyChange,
  discrepancyView,
  raisesDoubt,
  type Rederived,
  severityOf,
} from './discrepancy.js';

/** What was noticed; what is not said is nothing. */
export type Noticed = Pick<Discrepancy, 'orgId' | 'itemId' | 'snapshotQuantity' | 'ledgerQuantity' | 'source'> &
  Partial<
    Pick<
      Discrepancy,
      | 'discrepancyId'
      | 'severity'
      | 'location'
      | 'lot'
      | 'note'
      | 'findingKey'
      | 'refType'
      | 'refId'
      | 'orderId'
      | 'command'
      | 'approvalRequestId'
      | 'assignedTo'
      | 'seenAt'
    >
  >;

/** Whose task a discrepancy is, unless somebody is named. */
const OWNER_ROLE = 'inventory_manager';

/**
 * Makes a mismatch a record that somebody owns, with the batch of whatever noticed it: also when that is refused. From then on it keeps
 * stock from being promised, as severity and lock policy say.
 *
 * @param balance where it is; null for an order as a whole.
 */
export function openDiscrepancy(state: StockState, balance: Balance | null, noticed: Noticed, meta: CommandMeta): Discrepancy {
  const opened: Discrepancy = {
    discrepancyId: uuidv7(),
    warehouseId: balance?.warehouseId ?? null,
    location: null,
    lot: null,
    severity: severityOf(noticed, state.settingsOf(noticed.orgId).severityPercents),
    note: null,
    findingKey: null,
    refType: null,
    refId: null,
    orderId: null,
    approvalRequestId: null,
    command: null,
    assignedTo: null,
    ...noticed,
    status: 'new',
    ownerRole: OWNER_ROLE,
    occurrences: 1,
    detectedAt: state.now,
    detectedBy: meta.actor ?? null,
    closedAt: null,
    closedBy: null,
    resolutionNote: null,
  };
  state.discrepancies.set(subjectKey(opened.orgId, opened.discrepancyId), opened);
  state.newDiscrepancies.add(opened);
  if (balance !== null) doubt(state, balance, opened, 1);
  record(state, opened, 'discrepancy_opened', meta);
  state.emit(DiscrepancyOpened, opened.orgId, opened.discrepancyId, meta, discrepancyView(opened));
  return opened;
}

/** Ends a discrepancy; what it kept back may serve whoever waits. */
export function closeDiscrepancy(
  state: StockState,
  balance: Balance | null,
  open: Discrepancy,
  end: {
    readonly status: 'resolved' | 'dismissed';
    readonly note: string;
    readonly by: string | null;
    /** The counter that was set right with it. */
    readonly rederived?: Rederived | undefined;
  },
  meta: CommandMeta,
): void {
  open.status = end.status;
  open.closedAt = state.now;
  open.closedBy = end.by;
  open.resolutionNote = end.note;
  changeDiscrepancy(state, open, `discrepancy_${end.status}`, meta, end.rederived);
  if (balance !== null) {
    doubt(state, balance, open, -1);
    if (balance.attemptsDiscrepancyId === open.discrepancyId) balance.attemptsDiscrepancyId = null;
    state.touchBalance(balance);
    state.freed.add(balance);
  }
  state.emit(DiscrepancyResolved, open.orgId, open.discrepancyId, meta, discrepancyView(open));
}

/** Notes that something about an open discrepancy has changed, and puts on record who changed it. */
export function changeDiscrepancy(
  state: StockState,
  changed: Discrepancy,
  type: Exclude<DiscrepancyChange['type'], 'discrepancy_opened'>,
  meta: CommandMeta,
  rederived?: Rederived,
): void {
  if (!state.newDiscrepancies.has(changed)) state.changedDiscrepancies.add(changed);
  record(state, changed, type, meta, rederived);
  state.revision++;
}

function record(
  state: StockState,
  discrepancy: Discrepancy,
  type: DiscrepancyChange['type'],
  meta: CommandMeta,
  rederived?: Rederived,
): void {
  const { orgId } = discrepancy;
  const actor = meta.actor ?? null;
  state.discrepancyChanges.push({ orgId, changeId: uuidv7(), type, actor, discrepancy: discrepancyView(discrepancy), rederived });
}

function doubt(state: StockState, balance: Balance, discrepancy: Discrepancy, sign: 1 | -1): void {
  if (!raisesDoubt(discrepancy)) return;
  balance.doubts += sign;
  balance.doubtful += sign === 1 ? differenceOf(discrepancy) : -differenceOf(discrepancy);
  if (sign === 1) balance.doubtedBy = [...balance.doubtedBy, discrepancy.discrepancyId];
  else balance.doubtedBy = balance.doubtedBy.filter((id) => id !== discrepancy.discrepancyId);
  state.touchBalance(balance);
}

/**
 * Records that an order wanted more than it could have. All attempts of an item in a warehouse join one open `low` discrepancy, which never
 * keeps stock back.
 */
export function noteAttempt(
  state: StockState,
  balance: Balance,
  attempt: Pick<Attempt, 'orderId' | 'lineNo' | 'source' | 'requested' | 'available' | 'outcome' | 'reason'>,
  meta: CommandMeta,
): Attempt {
  const { orgId, itemId, warehouseId } = balance;
  if (balance.attemptsDiscrepancyId === null) {
    const ledgerQuantity = balance.onHand;
    const short = maxQuantity(attempt.requested - attempt.available, ZERO);
    const noticed = { orgId, itemId, ledgerQuantity, snapshotQuantity: ledgerQuantity - short, orderId: attempt.orderId };
    const note = 'Orders wanted more than could be promised.';
    const opened = openDiscrepancy(state, balance, { ...noticed, source: 'blocked_transaction', severity: 'low', note }, meta);
    balance.attemptsDiscrepancyId = opened.discrepancyId;
    state.touchBalance(balance);
  } else {
    const key = subjectKey(orgId, balance.attemptsDiscrepancyId);
    state.joinedAttempts.set(key, (state.joinedAttempts.get(key) ?? 0) + 1);
  }
  const recorded: Attempt = {
    ...attempt,
    orgId,
    itemId,
    warehouseId,
    attemptId: uuidv7(),
    actor: meta.actor ?? null,
    phase: state.settingsOf(orgId).enforcementPhase,
    snapshot: snapshotOf(balance),
    discrepancyId: balance.attemptsDiscrepancyId,
  };
  state.attempts.push(recorded);
  state.revision++;
  return recorded;
}

/** Every term of a balance's availability at this moment, for whoever decides and for the record. */
export function snapshotOf(balance: Balance): Record<string, string> {
  return {
    itemId: balance.itemId,
    warehouseId: balance.warehouseId,
    onHand: formatQuantity(balance.onHand),
    reserved: formatQuantity(balance.reserved),
    blocked: formatQuantity(balance.blocked),
    sellable: formatQuantity(sellable(balance)),
    safetyStock: formatQuantity(safetyStock(balance)),
    discrepancyHold: formatQuantity(discrepancyHold(balance)),
    backordered: formatQuantity(balance.backordered),
    available: formatQuantity(availableToPromise({ ...balance, expiredOrTooOld: ZERO })),
  };
}
