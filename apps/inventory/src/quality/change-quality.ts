import { QualityChanged, type QualityChangeAnswer } from '#libs/contracts';
import { formatQuantity, HoldfastError, parseQuantity, rejected } from '#libs/domain';
import { fingerprintOf } from '../fingerprint.js';
import { answered, type ChangeQuality, type Outcome } from '../stock-machine/commands.js';
import { carryOutFact, planFact } from '../stock-machine/facts.js';
import { lotOrNull } from '../stock-machine/holds.js';
import { refusalOfPlace } from '../stock-machine/lots.js';
import { newMovement, postMovement, shiftOf } from '../stock-machine/post-movement.js';
import { quantAt } from '../stock-machine/balance-quants.js';
import { DEFAULT_LOCATION, NO_LOT, type QuantKey } from '../stock-machine/quants.js';
import { lotNameKey } from '../stock-machine/balance.js';
import type { StockState } from '../stock-machine/stock-state.js';
import { answerToRepeat, balanceOrError, insufficientStock, refuse } from '../stock-machine/warehouse-work.js';

/**
 * Says what goods in a bin are good for. That they are not available any more is a fact, which takes held stock away; that they are again
 * serves whoever waits (docs/rules.md, "quality").
 */
export function changeQuality(state: StockState, command: ChangeQuality): Outcome<QualityChangeAnswer> {
  const print = fingerprintOf(command);
  const repeat = answerToRepeat<QualityChangeAnswer>(state, command.orgId, 'quality_change', command.commandId, print);
  if (repeat !== undefined) return repeat;
  const balance = balanceOrError(state, command);
  if (balance instanceof HoldfastError) return refuse(balance);
  const misplaced = refusalOfPlace(state, { ...command, balance });
  if (misplaced !== null) return refuse(misplaced.error);
  const impossible = refusalOfQuality(state, command);
  if (impossible !== null) return refuse(impossible);
  const quantity = parseQuantity(command.quantity);
  const from: QuantKey = { lot: command.lot ?? NO_LOT, location: command.location ?? DEFAULT_LOCATION, quality: command.from };
  const to: QuantKey = { ...from, quality: command.to };
  const there = quantAt(state, balance, from).quantity;
  if (quantity > there) return refuse(insufficientStock(command, quantity, there, `are ${from.quality} in ${from.location}`));
  const fact = planFact(state, [
    { balance, place: from, delta: -quantity },
    { balance, place: to, delta: quantity },
  ]);

  // After this point it must succeed.
  const { orgId, itemId, warehouseId, reason } = command;
  const movement = newMovement(
    { orgId, movementType: 'quality_change', refType: 'adjustment', refId: command.commandId, reason, fingerprint: print },
    command.meta,
    state.now,
  );
  const changed = {
    itemId,
    warehouseId,
    lot: lotOrNull(from.lot),
    quantity: formatQuantity(quantity),
    from: from.quality,
    to: to.quality,
  };
  const answer: QualityChangeAnswer = { movementId: movement.movementId, ...changed, location: from.location };
  return carryOutFact(state, fact, to.quality, command.meta, () => {
    postMovement(state, { ...movement, lines: answer }, shiftOf(state, balance, from, to, quantity), command.meta);
    state.emit(QualityChanged, orgId, itemId, command.meta, changed);
    return answered(answer);
  });
}

/** Whether the goods cannot become what the command says. */
function refusalOfQuality(state: StockState, { orgId, itemId, lot = NO_LOT, from, to }: ChangeQuality): HoldfastError | null {
  if (from === to) return rejected('STOCK_VALIDATION', `from and to are both ${to}: nothing would change`);
  if (to !== 'available') return null;
  const known = state.lots.get(lotNameKey(orgId, itemId, lot));
  if (known === undefined) return null;
  if (known.recalledAt !== null) {
    return rejected('STOCK_VALIDATION', `lot ${lot} of item ${itemId} was recalled: nothing of it can become available`);
  }
  if (known.expiresAt === null || known.expiresAt > state.now) return null;
  return rejected(
    'STOCK_VALIDATION',
    `lot ${lot} of item ${itemId} has expired on ${known.expiresAt.toISOString()}: it cannot become available`,
  );
}
