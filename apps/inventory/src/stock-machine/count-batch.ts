import { metrics } from '#libs/service';
import type { Outcome, StockCommand } from './commands.js';
import { NeedsMore, type StockState } from './stock-state.js';

/** What a batch changed, for the metrics; counted when it is committed. */
export interface BatchCounts {
  readonly movements: readonly string[];
  readonly reserved: number;
  readonly released: number;
}

export function countsOf(state: StockState): BatchCounts {
  const ended = [...state.changedReservations.keys(), ...state.newReservations.keys()].filter(
    (reservation) => reservation.releaseReason !== null,
  );
  return {
    movements: state.newMovements.map((movement) => movement.movementType),
    reserved: state.newReservations.size,
    released: ended.length,
  };
}

/** Counts a committed batch: movements, holds that were taken and given back, and what was refused and why. */
export function countBatch(commands: readonly StockCommand[], outcomes: readonly (Outcome | NeedsMore)[], counts: BatchCounts): void {
  metrics.batchCommands.observe(commands.length);
  for (const type of counts.movements) metrics.stockMovements.inc({ type, result: 'posted', reason: '' });
  if (counts.reserved > 0) metrics.stockMovements.inc({ type: 'reserve', result: 'posted', reason: '' }, counts.reserved);
  if (counts.released > 0) metrics.stockMovements.inc({ type: 'unreserve', result: 'posted', reason: '' }, counts.released);
  const demands = new Map<string, number>();
  outcomes.forEach((outcome, index) => {
    const { kind } = commands[index]!;
    if (outcome instanceof NeedsMore) return;
    if (outcome.kind === 'error') metrics.stockMovements.inc({ type: kind, result: 'refused', reason: outcome.error.code });
    if (outcome.kind !== 'answer') return;
    const { status, reason = '' } = (outcome.answer ?? {}) as { status?: string; reason?: string };
    if (kind === 'set-demand') demands.set(`${status} ${reason}`, (demands.get(`${status} ${reason}`) ?? 0) + 1);
    else if (status === 'refused') metrics.stockMovements.inc({ type: kind, result: 'refused', reason });
  });
  for (const [key, count] of demands) {
    const [result, reason] = key.split(' ') as [string, string];
    metrics.stockReservations.inc({ result, reason }, count);
  }
}
