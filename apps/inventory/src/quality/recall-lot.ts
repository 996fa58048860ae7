import { QualityChanged, type RecallAnswer } from '#libs/contracts';
import { formatQuantity, notFound, ZERO } from '#libs/domain';
import { fingerprintOf } from '../fingerprint.js';
import { answered, type Outcome, type RecallLot } from '../stock-machine/commands.js';
import { carryOutFact, planFact } from '../stock-machine/facts.js';
import { newMovement, postMovement, shiftOf } from '../stock-machine/post-movement.js';
import { lotKey, quantsOfLot } from '../stock-machine/balance-quants.js';
import type { Quality, QuantKey } from '../stock-machine/quants.js';
import { type Balance, lotNameKey } from '../stock-machine/balance.js';
import { NeedsMore, requireEach } from '../stock-machine/needs-more.js';
import type { StockState } from '../stock-machine/stock-state.js';
import { answerToRepeat, refuse } from '../stock-machine/warehouse-work.js';

/** What a recall takes: what could be sold, and what could become so. What waits for inspection is `recalled` by its verdict. */
const TAKEN: ReadonlySet<Quality> = new Set<Quality>(['available', 'quarantined']);

/**
 * Takes a lot out of what may be sold, in every warehouse at once, and marks it, so that nothing of it becomes available any more. A fact:
 * who held it holds another lot, or waits (docs/rules.md, "recalls"). A second recall takes what is left, if anything; when and why it was
 * recalled stays as it was said first.
 */
export function recallLot(state: StockState, command: RecallLot): Outcome<RecallAnswer> {
  const { orgId, itemId, lot: name } = command;
  const print = fingerprintOf(command);
  const repeat = answerToRepeat<RecallAnswer>(state, orgId, 'quality_change', command.commandId, print);
  if (repeat !== undefined) return repeat;
  const lot = state.lots.get(lotNameKey(orgId, itemId, name));
  if (lot === undefined) return refuse(notFound('LOT_NOT_FOUND', `item ${itemId} has no lot ${name}`));
  const parts = requireEach(placesOfLot(state, orgId, itemId, name), (key) => partsAt(state, key, name)).flat();
  const fact = planFact(
    state,
    parts.map(({ balance, place, quantity }) => ({ balance, place, delta: -quantity })),
  );

  // After this point it must succeed.
  if (lot.recalledAt === null) {
    lot.recalledAt = state.now;
    lot.recallReason = command.reason;
    state.recalledLots.add(lot);
    state.revision++;
  }
  const head = { orgId, movementType: 'quality_change', refType: 'adjustment', refId: command.commandId, reason: command.reason };
  const movement = newMovement({ ...head, fingerprint: print }, command.meta, state.now);
  const answer: RecallAnswer = {
    movementId: parts.length === 0 ? null : movement.movementId,
    itemId,
    lot: name,
    recalledAt: lot.recalledAt.toISOString(),
    reason: lot.recallReason ?? command.reason,
    recalled: parts.map(({ balance, place, quantity }) => ({
      warehouseId: balance.warehouseId,
      location: place.location,
      from: place.quality,
      quantity: formatQuantity(quantity),
    })),
  };
  return carryOutFact(state, fact, 'recalled', command.meta, () => {
    if (parts.length === 0) return answered(answer);
    const changes = parts.flatMap(({ balance, place, quantity }) =>
      shiftOf(state, balance, place, { ...place, quality: 'recalled' }, quantity),
    );
    postMovement(state, { ...movement, lines: answer }, changes, command.meta);
    for (const { balance, place, quantity } of parts) {
      state.emit(QualityChanged, orgId, itemId, command.meta, {
        itemId,
        warehouseId: balance.warehouseId,
        lot: name,
        quantity: formatQuantity(quantity),
        from: place.quality,
        to: 'recalled',
      });
    }
    return answered(answer);
  });
}

/** Where something of a lot is: as it was looked up, and where this batch has brought some since. */
function placesOfLot(state: StockState, orgId: string, itemId: string, lot: string): ReadonlySet<string> {
  const places = new Set(state.placesOfLots.get(lotNameKey(orgId, itemId, lot)));
  for (const [key, balance] of state.balances) {
    if (balance.orgId !== orgId || balance.itemId !== itemId) continue;
    const changes = [...(balance.quants.changes?.values() ?? [])];
    if (changes.some((change) => change.lot === lot && change.quantity > ZERO)) places.add(key);
  }
  return places;
}

/** What a recall takes of a lot in one warehouse. @throws NeedsMore when something of it came there since the places were looked up. */
function partsAt(state: StockState, key: string, lot: string): { balance: Balance; place: QuantKey; quantity: bigint }[] {
  const balance = state.balances.get(key);
  if (balance === undefined || !state.lotHoldsRead.has(lotKey(balance, lot))) {
    throw new NeedsMore({ balances: [key], lots: [`${key}/${lot}`], lotHolds: [`${key}/${lot}`] });
  }
  return quantsOfLot(state, balance, lot)
    .filter(({ quality, quantity }) => TAKEN.has(quality) && quantity > ZERO)
    .map(({ location, quality, quantity }) => ({ balance, place: { lot, location, quality }, quantity }));
}
