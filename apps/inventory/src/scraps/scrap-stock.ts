import { type ScrapAnswer, StockAdjusted } from '#libs/contracts';
import { formatQuantity, HoldfastError, parseQuantity } from '#libs/domain';
import { fingerprintOf } from '../fingerprint.js';
import { answered, type Outcome, type ScrapStock } from '../stock-machine/commands.js';
import { carryOutFact, planFact } from '../stock-machine/facts.js';
import { lotOrNull } from '../stock-machine/holds.js';
import { refusalOfPlace } from '../stock-machine/lots.js';
import { changeOf, newMovement, postMovement, requireCosts } from '../stock-machine/post-movement.js';
import { quantAt } from '../stock-machine/balance-quants.js';
import { DEFAULT_LOCATION, NO_LOT, type QuantKey } from '../stock-machine/quants.js';
import type { StockState } from '../stock-machine/stock-state.js';
import { answerToRepeat, balanceOrError, insufficientStock, refuse } from '../stock-machine/warehouse-work.js';

/** Throws goods of any quality away. Of available ones that is a fact, which takes held stock away; their value leaves as cost. */
export function scrapStock(state: StockState, command: ScrapStock): Outcome<ScrapAnswer> {
  const print = fingerprintOf(command);
  const repeat = answerToRepeat<ScrapAnswer>(state, command.orgId, 'scrap', command.commandId, print);
  if (repeat !== undefined) return repeat;
  const balance = balanceOrError(state, command);
  if (balance instanceof HoldfastError) return refuse(balance);
  const misplaced = refusalOfPlace(state, { ...command, balance });
  if (misplaced !== null) return refuse(misplaced.error);
  const quantity = parseQuantity(command.quantity);
  const { quality } = command;
  const place: QuantKey = { lot: command.lot ?? NO_LOT, location: command.location ?? DEFAULT_LOCATION, quality };
  const there = quantAt(state, balance, place).quantity;
  if (quantity > there) return refuse(insufficientStock(command, quantity, there, `are ${quality} in ${place.location}`));
  const change = changeOf(balance, place, -quantity);
  requireCosts(state, [change]);
  const fact = planFact(state, [{ balance, place, delta: -quantity }]);

  // After this point it must succeed.
  const { orgId, itemId, warehouseId, reason } = command;
  const movement = newMovement(
    { orgId, movementType: 'scrap', refType: 'adjustment', refId: command.commandId, reason, fingerprint: print },
    command.meta,
    state.now,
  );
  const adjusted = {
    movementId: movement.movementId,
    itemId,
    warehouseId,
    lot: lotOrNull(place.lot),
    quantityDelta: formatQuantity(-quantity),
    balanceAfter: formatQuantity(balance.onHand - quantity),
  };
  const answer: ScrapAnswer = { ...adjusted, location: place.location, quality };
  return carryOutFact(state, fact, 'scrap', command.meta, () => {
    postMovement(state, { ...movement, lines: answer }, [change], command.meta);
    state.emit(StockAdjusted, orgId, itemId, command.meta, { ...adjusted, reason });
    return answered(answer);
  });
}
