import { metrics } from '#libs/service';
import type { Outcome, StockCommand } from './commands.js';
import { NeedsMore } from './needs-more.js';
import type { StockState } from './stock-state.js';

/** The movement that a command makes: what is refused of a kind is counted under the same type as what is posted of it. */
const MOVEMENTS: Readonly<Partial<Record<StockCommand['kind'], string>>> = {
  'set-demand': 'reserve',
  ship: 'sale_shipment',
  unship: 'shipment_cancel',
  'receive-return': 'sales_return',
  'inspect-return': 'quality_change',
  'receive-goods': 'receipt',
  'adjust-stock': 'adjustment',
  'move-stock': 'bin_move',
  'change-quality': 'quality_change',
  'recall-lot': 'quality_change',
  'scrap-stock': 'scrap',
  'count-stock': 'count',
  'close-discrepancy': 'count',
  'transfer-stock': 'transfer_out',
  'receive-transfer': 'transfer_in',
  'correct-cost': 'cost_correction',
};

/** What a batch changed, for the metrics; counted when it is committed. */
export interface BatchCounts {
  /** Flagged: somebody should look at it, because a phase let it pass, say. */
  readonly movements: readonly { readonly type: string; readonly isFlagged: boolean }[];
  /** Orders that came to hold something, and holds that ended. */
  readonly reserved: number;
  readonly released: number;
}

export function countsOf(state: StockState): BatchCounts {
  const ended = [...state.changedReservations.keys(), ...state.newReservations.keys()].filter(
    (reservation) => reservation.releaseReason !== null,
  );
  const flagged = new Set(state.ledger.filter((entry) => entry.flagged).map((entry) => entry.movement));
  return {
    movements: state.newMovements.map((movement) => ({ type: movement.movementType, isFlagged: flagged.has(movement) })),
    reserved: new Set(state.newReservations.values()).size,
    released: ended.length,
  };
}

/** Counts a committed batch: movements, holds that were taken and given back, and what was refused and why. */
export function countBatch(commands: readonly StockCommand[], outcomes: readonly (Outcome | NeedsMore)[], counts: BatchCounts): void {
  metrics.batchCommands.observe(commands.length);
  for (const { type, isFlagged } of counts.movements) {
    metrics.stockMovements.inc({ type, result: isFlagged ? 'flagged' : 'posted', reason: '' });
  }
  if (counts.reserved > 0) metrics.stockMovements.inc({ type: 'reserve', result: 'posted', reason: '' }, counts.reserved);
  if (counts.released > 0) metrics.stockMovements.inc({ type: 'unreserve', result: 'posted', reason: '' }, counts.released);
  const demands = new Map<string, number>();
  outcomes.forEach((outcome, index) => {
    const { kind } = commands[index]!;
    if (outcome instanceof NeedsMore) return;
    const type = MOVEMENTS[kind];
    const refuse = (reason: string) => type !== undefined && metrics.stockMovements.inc({ type, result: 'refused', reason });
    if (outcome.kind === 'error') refuse(outcome.error.code);
    if (outcome.kind !== 'answer') return;
    const { status, reason = '', expired } = (outcome.answer ?? {}) as { status?: string; reason?: string; expired?: boolean };
    const result = kind === 'set-demand' ? status : kind === 'expire-holds' && expired ? 'expired' : undefined;
    if (result !== undefined) demands.set(`${result} ${reason}`, (demands.get(`${result} ${reason}`) ?? 0) + 1);
    if (status === 'refused' || (kind === 'set-demand' && status === 'failed')) refuse(reason);
  });
  for (const [key, count] of demands) {
    const [result, reason] = key.split(' ') as [string, string];
    metrics.stockReservations.inc({ result, reason }, count);
  }
}
