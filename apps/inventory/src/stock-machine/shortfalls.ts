import { maxQuantity, minQuantity, type Quantity, SCALE, sumQuantities, ZERO } from '#libs/domain';
import { countedAt, isCovered, postGranted } from '../discrepancies/override.js';
import { openDiscrepancy } from '../discrepancies/open-discrepancy.js';
import type { CommandMeta, StockCommand } from './commands.js';
import { planShorting, short } from './holds.js';
import type { StockChange } from './post-movement.js';
import { isDetailed, quantsOfLot } from './balance-quants.js';
import { livesUntil, NO_LOT, pickBefore, type PlacedPart, PLAIN, type Quant, type QuantKey } from './quants.js';
import type { Balance } from './balance.js';
import type { Reservation } from './demand.js';
import type { MovementHead, Shortfall } from './movement.js';
import { requireEach } from './needs-more.js';
import type { StockState } from './stock-state.js';

// What a movement other than a fact may do when it is short: when it would take what orders hold, or what is not there (docs/rules.md, "phases").

const PERCENT = 100n;

/** What a movement wants of each balance beyond what is free, all its lines together. */
function byBalance(shortfalls: readonly Shortfall[]): Map<Balance, Quantity> {
  const sums = new Map<Balance, Quantity>();
  for (const { balance, quantity } of shortfalls) sums.set(balance, (sums.get(balance) ?? ZERO) + quantity);
  return sums;
}

/**
 * Whether a movement that is short is posted all the same: in `dark`, and in `soft` when it is short by no more than `softBlockPercent` of
 * what was on hand. One that somebody approved: when no more is missing than was approved.
 */
export function isLetPass(state: StockState, shortfalls: readonly Shortfall[]): boolean {
  if (state.override !== null) return isCovered(state, state.override, shortfalls);
  return [...byBalance(shortfalls)].every(([{ orgId, onHand }, quantity]) => {
    const { enforcementPhase, softBlockPercent } = state.settingsOf(orgId);
    if (enforcementPhase !== 'soft') return enforcementPhase === 'dark';
    return quantity * PERCENT * SCALE <= maxQuantity(onHand, ZERO) * softBlockPercent;
  });
}

/**
 * Where a quantity leaves that is not free: from what is there of the named lot and bin, whoever holds it, first in turn first, as far as it
 * was read; the rest below zero. Changes nothing.
 *
 * @param takenOf what of a quant leaves anyway.
 * @returns null when it would be below zero of a lot or of a piece: of these there cannot be less than none.
 */
export function takeWhoeverHolds(
  state: StockState,
  balance: Balance,
  { lot, location }: { readonly lot: string | null; readonly location: string | null },
  quantity: Quantity,
  takenOf: (quant: QuantKey) => Quantity,
): PlacedPart[] | null {
  if (state.override !== null) return [{ quant: countedAt({ lot, location }), quantity }];
  if (!isDetailed(balance)) return [{ quant: PLAIN, quantity }];
  const parts: PlacedPart[] = [];
  let open = quantity;
  const all = lot !== null ? quantsOfLot(state, balance, lot) : knownQuants(state, balance);
  for (const quant of all.sort(pickBefore)) {
    const isWanted = quant.quality === 'available' && livesUntil(quant, state.now) && (location ?? quant.location) === quant.location;
    const part = isWanted ? minQuantity(open, quant.quantity - takenOf(quant)) : ZERO;
    if (part <= ZERO) continue;
    parts.push({ quant, quantity: part });
    open -= part;
  }
  if (open === ZERO) return parts;
  return balance.tracking === 'none' ? [...parts, { quant: PLAIN, quantity: open }] : null;
}

function knownQuants(state: StockState, balance: Balance): Quant[] {
  return balance.tracking === 'none' ? quantsOfLot(state, balance, NO_LOT) : [...balance.quants.all()];
}

/** What will be counted as found before a movement that somebody approved is posted. */
export function granted({ override }: StockState, balance: Balance): Quantity {
  return sumQuantities(override?.granted ?? [], (one) => (one.balance === balance ? one.quantity : ZERO));
}

/** What a movement that is let pass takes from those who hold, and where it leaves less than nothing. */
export interface Losses {
  readonly shorted: readonly { readonly balance: Balance; readonly plan: ReturnType<typeof planShorting> }[];
  readonly below: readonly Balance[];
}

/**
 * Plans which holds are lost when goods leave, until what is held is there again; none where only what is free, or the order's own, leaves.
 *
 * @param ended what of holds ends by it.
 * @throws NeedsMore when holds were not read.
 */
export function planLosses(state: StockState, changes: readonly StockChange[], ended: ReadonlyMap<Reservation, Quantity>): Losses {
  const sums = new Map<Balance, Quantity>();
  for (const { balance, delta } of changes)
    sums.set(balance, (sums.get(balance) ?? balance.onHand - balance.blocked + granted(state, balance)) + delta);
  const shorted: Losses['shorted'][number][] = [];
  requireEach(sums, ([balance, left]) => {
    const plan = planShorting(state, balance, left, ended);
    if (plan.length > 0) shorted.push({ balance, plan });
  });
  return { shorted, below: [...sums].filter(([, left]) => left < ZERO).map(([balance]) => balance) };
}

/** Carries that out, before the goods leave. */
export function loseHolds(state: StockState, { shorted, below }: Losses, cause: string, meta: CommandMeta): void {
  for (const { balance, plan } of shorted) short(state, balance, plan, cause, meta);
  for (const balance of below) balance.mayBeNegative = true;
}

/** Changes with what somebody should look at marked. */
export function flagged(changes: readonly StockChange[], noted: ReadonlyMap<Balance, string>): StockChange[] {
  return changes.map((change) => {
    const discrepancyId = noted.get(change.balance);
    return discrepancyId === undefined ? change : { ...change, flagged: true, discrepancyId };
  });
}

/** What a discrepancy about a movement refers to. */
export type About = Pick<MovementHead, 'refType' | 'refId' | 'orderId'>;

/**
 * Puts on record that a movement was short: a discrepancy of severity `medium` for each balance, which keeps nothing back and says how much more
 * must be there than the books know. What somebody approved is counted as found instead.
 *
 * @param refused the command, kept so that it can be carried out once somebody approves it; absent when it was let pass.
 * @returns the discrepancies, by balance; none of a dry run.
 */
export function noteShortfalls(
  state: StockState,
  shortfalls: readonly Shortfall[],
  { refType, refId, orderId }: About,
  command: StockCommand,
  isRefused: boolean,
): ReadonlyMap<Balance, string> {
  const noted = new Map<Balance, string>();
  if (state.override !== null) {
    if (!isRefused) postGranted(state, state.override);
    return noted;
  }
  if (state.isDryRun) return noted;
  const { meta, ...wanted } = command;
  for (const [balance, quantity] of byBalance(shortfalls)) {
    const opened = openDiscrepancy(
      state,
      balance,
      {
        orgId: balance.orgId,
        itemId: balance.itemId,
        snapshotQuantity: balance.onHand + quantity,
        ledgerQuantity: balance.onHand,
        source: 'blocked_transaction',
        severity: 'medium',
        note: isRefused
          ? 'A movement was refused: more was to leave than was free.'
          : 'A movement was posted though more left than was free.',
        refType,
        refId,
        orderId,
        ...(isRefused ? { command: { ...wanted, meta: { messageId: meta.messageId, actor: meta.actor, sequence: meta.sequence } } } : {}),
      },
      meta,
    );
    noted.set(balance, opened.discrepancyId);
  }
  return noted;
}
