import { StockAdjusted } from '#libs/contracts';
import { formatQuantity, HoldfastError, rejected, ZERO } from '#libs/domain';
import { changesOfDifference } from '../counts/changes-of-difference.js';
import type { CommandMeta } from '../stock-machine/commands.js';
import { carryOutFact, type Fact, planFact } from '../stock-machine/facts.js';
import { enterLots, type Incoming, refusalOfIncoming } from '../stock-machine/lots.js';
import { newMovement, outOfRange, postMovement, requireCosts, type StockChange, staysInRange } from '../stock-machine/post-movement.js';
import { DEFAULT_LOCATION, NO_LOT } from '../stock-machine/quants.js';
import type { Balance } from '../stock-machine/balance.js';
import type { StockState } from '../stock-machine/stock-state.js';
import { type Discrepancy, seenAt } from './discrepancy.js';

/** How the difference of a discrepancy is to be posted. */
export interface PlannedDifference {
  readonly balance: Balance;
  readonly changes: readonly StockChange[];
  readonly incoming: readonly Incoming[];
  readonly fact: Fact;
}

/**
 * Plans to post what a discrepancy says: where it was seen, or, when no bin was named, wherever it lies. Changes nothing.
 *
 * @returns an error when more is missing than is still there.
 * @throws NeedsMore when holds, places or costs were not read.
 */
export function planDifference(state: StockState, balance: Balance, found: Discrepancy): PlannedDifference | HoldfastError {
  const { itemId, discrepancyId } = found;
  const delta = found.snapshotQuantity - found.ledgerQuantity;
  const lot = found.lot ?? undefined;
  if (balance.tracking !== 'none' && lot === undefined && delta !== ZERO) {
    return rejected(
      'STOCK_VALIDATION',
      `discrepancy ${discrepancyId} does not say of which lot of ${itemId} it is; count the lots, then resolve without adjust`,
    );
  }
  const changes = changesOfDifference(state, { balance, lot: lot ?? NO_LOT, location: found.location, delta });
  if (changes instanceof HoldfastError) return changes;
  const incoming = delta > ZERO ? [{ balance, lot, quantity: formatQuantity(delta), location: found.location ?? DEFAULT_LOCATION }] : [];
  const misplaced = refusalOfIncoming(state, incoming);
  if (misplaced !== null) return misplaced.error;
  if (!staysInRange(state, changes)) return outOfRange();
  requireCosts(state, changes);
  const places = changes.map(({ balance: at, lot: of = NO_LOT, location = DEFAULT_LOCATION, quality, delta: by }) => {
    return { balance: at, place: { lot: of, location, quality }, delta: by };
  });
  return { balance, changes, incoming, fact: planFact(state, places) };
}

/** Posts it as what a count found, which refers to the discrepancy; whoever holds what is missing loses it, as with any fact. */
export function postDifference(
  state: StockState,
  { balance, changes, incoming, fact }: PlannedDifference,
  found: Discrepancy,
  reason: string,
  meta: CommandMeta,
): void {
  if (changes.length === 0) return;
  const { orgId, discrepancyId, lot } = found;
  // The difference was there when it was seen: a count that was made since has not found it once more.
  const head = { orgId, movementType: 'count', refType: 'discrepancy', refId: discrepancyId, reason, occurredAt: seenAt(found) };
  const movement = newMovement(head, meta, state.now);
  enterLots(state, incoming);
  carryOutFact(state, fact, 'count', meta, () => {
    const before = balance.onHand;
    postMovement(
      state,
      movement,
      changes.map((change) => ({ ...change, discrepancyId })),
      meta,
    );
    state.emit(StockAdjusted, orgId, balance.itemId, meta, {
      movementId: movement.movementId,
      itemId: balance.itemId,
      warehouseId: balance.warehouseId,
      lot,
      quantityDelta: formatQuantity(balance.onHand - before),
      reason,
      balanceAfter: formatQuantity(balance.onHand),
    });
  });
}
