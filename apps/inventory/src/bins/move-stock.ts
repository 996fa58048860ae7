import type { BinMoveAnswer } from '#libs/contracts';
import { formatQuantity, HoldfastError, parseQuantity, rejected } from '#libs/domain';
import { fingerprintOf } from '../fingerprint.js';
import { tellHolds } from '../reservations/set-demand.js';
import { answered, type MoveStock, type Outcome } from '../stock-machine/commands.js';
import { displace, lotOrNull, requireHoldsAt } from '../stock-machine/holds.js';
import { refusalOfPlace } from '../stock-machine/lots.js';
import { newMovement, postMovement, shiftOf } from '../stock-machine/post-movement.js';
import { quantAt } from '../stock-machine/balance-quants.js';
import { NO_LOT, type QuantKey } from '../stock-machine/quants.js';
import type { StockState } from '../stock-machine/stock-state.js';
import { answerToRepeat, balanceOrError, insufficientStock, refuse } from '../stock-machine/warehouse-work.js';

/**
 * Carries goods from one bin to another. Held goods go with their holds: a move is never refused because of them, and changes neither what
 * is on hand nor what it is worth (docs/rules.md, "bins").
 */
export function moveStock(state: StockState, command: MoveStock): Outcome<BinMoveAnswer> {
  const print = fingerprintOf(command);
  const repeat = answerToRepeat<BinMoveAnswer>(state, command.orgId, 'bin_move', command.commandId, print);
  if (repeat !== undefined) return repeat;
  const balance = balanceOrError(state, command);
  if (balance instanceof HoldfastError) return refuse(balance);
  const { lot, quality } = command;
  for (const location of [command.from, command.to]) {
    const misplaced = refusalOfPlace(state, { balance, quantity: command.quantity, lot, location });
    if (misplaced !== null) return refuse(misplaced.error);
  }
  if (command.from === command.to) return refuse(rejected('STOCK_VALIDATION', `from and to are both ${command.to}: nothing would move`));
  const quantity = parseQuantity(command.quantity);
  const from: QuantKey = { lot: lot ?? NO_LOT, location: command.from, quality };
  const to: QuantKey = { ...from, location: command.to };
  const there = quantAt(state, balance, from).quantity;
  if (quantity > there) return refuse(insufficientStock(command, quantity, there, `are ${quality} in ${command.from}`));
  requireHoldsAt(state, balance, from, quantity);

  // After this point it must succeed.
  const head = { orgId: command.orgId, movementType: 'bin_move', refType: 'adjustment', refId: command.commandId, fingerprint: print };
  const movement = newMovement(head, command.meta, state.now);
  const answer: BinMoveAnswer = {
    movementId: movement.movementId,
    itemId: command.itemId,
    warehouseId: command.warehouseId,
    lot: lotOrNull(from.lot),
    quantity: formatQuantity(quantity),
    from: command.from,
    to: command.to,
    quality,
  };
  postMovement(state, { ...movement, lines: answer }, shiftOf(state, balance, from, to, quantity), command.meta);
  for (const moved of displace(state, balance, from, 'bin_move', command.meta, { to })) tellHolds(state, moved, command.meta);
  return answered(answer);
}
