import { metrics } from '#libs/service';
import type { Outcome, StockCommand } from './commands.js';
import { countBatch, countsOf } from './count-batch.js';
import { type Demand, newReservation } from './demand.js';
import { PLAIN } from './quants.js';
import { StockState } from './stock-state.js';

const meta = { messageId: 'm', mayWait: false };
const about = { orgId: 'acme', orderId: 'o', meta };
const error = (code: string) => ({ kind: 'error', error: { code } }) as Outcome;
const answer = (said: object): Outcome => ({ kind: 'answer', answer: said });

describe('what a batch counts', () => {
  beforeEach(() => {
    metrics.stockMovements.reset();
    metrics.stockReservations.reset();
  });

  const counted = async () => {
    const all = [...(await metrics.stockMovements.get()).values, ...(await metrics.stockReservations.get()).values];
    return all.map(({ labels, value }) => [...Object.values(labels), value].join(' ')).sort();
  };

  it('is movements, holds taken and given back, and what became of demands', async () => {
    const commands = ['set-demand', 'set-demand', 'expire-holds', 'expire-holds', 'ship', 'adjust-stock', 'review-discrepancy'].map(
      (kind) => ({ kind, ...about }) as StockCommand,
    );
    const outcomes = [
      answer({ status: 'reserved' }),
      answer({ status: 'failed', reason: 'INSUFFICIENT_STOCK' }),
      answer({ expired: true }),
      answer({ expired: false }),
      answer({ status: 'refused', reason: 'ORDER_CANCELLED' }),
      error('STOCK_VALIDATION'),
      error('INVALID_STATE'),
    ];
    const receipt = { type: 'receipt', isFlagged: false };
    const movements = [receipt, receipt, { type: 'sale_shipment', isFlagged: true }];
    countBatch(commands, outcomes, { movements, reserved: 2, released: 1 });
    expect(await counted()).toEqual(
      [
        'receipt posted  2',
        'sale_shipment flagged  1',
        'reserve posted  2',
        'unreserve posted  1',
        'sale_shipment refused ORDER_CANCELLED 1',
        'reserve refused INSUFFICIENT_STOCK 1',
        'adjustment refused STOCK_VALIDATION 1',
        'reserved  1',
        'failed INSUFFICIENT_STOCK 1',
        'expired  1',
      ].sort(),
    );
  });

  it('is an order that came to hold something once, however many places that is in', () => {
    const state = new StockState(new Date());
    const [one, other] = [{}, {}] as Demand[];
    const held = (lineNo: number) => newReservation(lineNo, { warehouseId: 'W1', itemId: 'A' }, PLAIN, 1n, state.now);
    for (const lineNo of [1, 2]) state.newReservations.set(held(lineNo), one!);
    state.newReservations.set(held(1), other!);
    expect(countsOf(state)).toMatchObject({ reserved: 2, released: 0 });
  });
});
