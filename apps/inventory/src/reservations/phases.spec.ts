import type { DecisionSettings } from '../stock-machine/decision-settings.js';
import { adjusts, byCall, byEvent, GivenStock, receives, ships, wants } from '../stock-machine/simulation/given-stock.js';
import type { DemandAnswer } from './set-demand.js';

const ours = { source: '/orders', firm: false };
const pending = { ...ours, pendingApproval: true, approvalRequestId: 'a1' };
const approved = (shortages: Readonly<Record<number, string>>) => ({
  ...ours,
  approvalRequestId: 'a1',
  approvedShortages: Object.entries(shortages).map(([lineNo, quantity]) => ({ lineNo: Number(lineNo), quantity })),
});

/** A cell of the table. */
interface Cell {
  readonly phase: DecisionSettings['enforcementPhase'];
  readonly oversell?: boolean;
  readonly policy?: DecisionSettings['discrepancyLockPolicy'];
  readonly wants: string;
  readonly by?: '/orders' | '/oms';
  /** What is answered: status, reason, kind of override, what was held and what waits, and what is on record. */
  readonly then: string;
}

// 20 on hand, 2 of them safety stock, 3 in doubt: 15 can be promised, 18 despite doubts, 20 are free.
const CELLS: readonly Cell[] = [
  { phase: 'hard', wants: '15', then: 'reserved; 15 reserved; nothing' },
  { phase: 'hard', policy: 'monitor', wants: '18', then: 'reserved; 18 reserved; nothing' },
  { phase: 'hard', wants: '19', then: 'failed INSUFFICIENT_STOCK; nothing; refused' },
  { phase: 'hard', wants: '18', then: 'failed DISCREPANCY_LOCK, discrepancy_acknowledgement; nothing; pending_approval' },
  { phase: 'hard', wants: '18', by: '/oms', then: 'failed DISCREPANCY_LOCK; nothing; refused' },
  { phase: 'hard', policy: 'hard', wants: '1', then: 'failed DISCREPANCY_LOCK; nothing; refused' },
  { phase: 'hard', policy: 'hard', oversell: true, wants: '1', then: 'failed DISCREPANCY_LOCK, order_override; nothing; pending_approval' },
  { phase: 'hard', oversell: true, wants: '99', then: 'failed INSUFFICIENT_STOCK, order_override; nothing; pending_approval' },
  { phase: 'hard', oversell: true, wants: '99', by: '/oms', then: 'failed INSUFFICIENT_STOCK; nothing; refused' },
  { phase: 'soft', wants: '15', then: 'reserved; 15 reserved; nothing' },
  { phase: 'soft', wants: '19', then: 'failed INSUFFICIENT_STOCK, order_override; nothing; pending_approval' },
  { phase: 'soft', wants: '19.0001', then: 'failed INSUFFICIENT_STOCK; nothing; refused' },
  { phase: 'soft', wants: '19', by: '/oms', then: 'failed INSUFFICIENT_STOCK; nothing; refused' },
  { phase: 'soft', wants: '18', then: 'failed DISCREPANCY_LOCK, discrepancy_acknowledgement; nothing; pending_approval' },
  { phase: 'soft', policy: 'hard', wants: '4', then: 'failed DISCREPANCY_LOCK, order_override; nothing; pending_approval' },
  { phase: 'soft', policy: 'hard', wants: '5', then: 'failed DISCREPANCY_LOCK; nothing; refused' },
  { phase: 'soft', oversell: true, wants: '99', then: 'failed INSUFFICIENT_STOCK, order_override; nothing; pending_approval' },
  { phase: 'dark', wants: '15', then: 'reserved; 15 reserved; nothing' },
  { phase: 'dark', wants: '19', then: 'reserved; 19 reserved; would_block' },
  { phase: 'dark', wants: '25', then: 'partial; 20 reserved, 5 backordered; would_block' },
  { phase: 'dark', wants: '25', by: '/oms', then: 'partial; 20 reserved, 5 backordered; would_block' },
  { phase: 'dark', policy: 'hard', wants: '25', then: 'partial; 20 reserved, 5 backordered; would_block' },
];

describe('holds that are short, by phase', () => {
  it.each(CELLS)(
    '$phase, lock $policy, oversell $oversell: $wants wanted by $by',
    ({ phase, oversell = false, policy = 'soft', wants: quantity, by = '/orders', then }) => {
      const settings = { enforcementPhase: phase, allowInventoryOversell: oversell, discrepancyLockPolicy: policy };
      const given = new GivenStock({ 'W1/A': '20' }, { items: { A: { safetyStock: '2' } }, settings });
      const doubt = given.doubt('W1/A', '3');
      const answer = given.answer<DemandAnswer>(
        wants('o1', { 1: `A ${quantity}` }, { ...ours, source: by, meta: byCall({ sequence: 1 }) }),
      );
      const said = [answer.status, answer.reason].filter(Boolean).join(' ');
      const holds = given.at('W1/A').replace(/^20 on hand(, )?/, '') || 'nothing';
      const recorded = given.stock.attempts.map(({ outcome }) => outcome).join() || 'nothing';
      expect([[said, answer.override?.kind].filter(Boolean).join(', '), holds, recorded].join('; ')).toBe(then);
      if (answer.status === 'failed') {
        expect(answer.discrepancyIds).toEqual([doubt, given.stock.balances.get('org/W1/A')!.attemptsDiscrepancyId]);
      }
      // The same message again says the same, and puts nothing on record.
      const again = given.answer<DemandAnswer>(wants('o1', { 1: `A ${quantity}` }, { ...ours, source: by, meta: byCall({ sequence: 1 }) }));
      expect(again).toMatchObject({ status: answer.status, ...(answer.override && { override: answer.override }) });
      expect(given.stock.attempts.length).toBe(recorded === 'nothing' ? 0 : 1);
    },
  );

  it('tells who decides how much is at stake, and everything that availability is made of', () => {
    const settings = { enforcementPhase: 'soft' } as const;
    const given = new GivenStock({ 'W1/A': '20', 'W1/B': '10' }, { settings });
    given.when(receives('r1', 'W1', {}, { lines: [{ itemId: 'B', quantity: '10', unitCost: '2.5' }] }));
    const { override } = given.answer<DemandAnswer>(wants('o1', { 1: 'A 21', 2: 'B 23', 3: 'B 1' }, ours));
    expect(override).toMatchObject({
      kind: 'order_override',
      magnitudes: { quantity: '5', percent: '20', value: '11' },
      lines: [
        { lineNo: 1, itemId: 'A', warehouseId: 'W1', quantity: '1', requested: '21', available: '20' },
        { lineNo: 2, itemId: 'B', warehouseId: 'W1', quantity: '3', requested: '23', available: '20' },
        { lineNo: 3, itemId: 'B', warehouseId: 'W1', quantity: '1', requested: '1', available: '0' },
      ],
    });
    const terms = { blocked: '0', reserved: '0', safetyStock: '0', discrepancyHold: '0', backordered: '0' };
    expect(override!.availabilitySnapshot.filter(({ warehouseId }) => warehouseId === 'W1')).toEqual([
      { itemId: 'A', warehouseId: 'W1', onHand: '20', sellable: '20', available: '20', ...terms },
      { itemId: 'B', warehouseId: 'W1', onHand: '20', sellable: '20', available: '20', ...terms },
    ]);
  });

  it('knows no percentage of nothing, which is too much, and no value where nothing was ever paid', () => {
    const given = new GivenStock({}, { settings: { enforcementPhase: 'soft' } });
    expect(given.answer<DemandAnswer>(wants('o1', { 1: 'A 1' }, ours)).override).toBeUndefined();
    given.set({ allowInventoryOversell: true });
    const { override } = given.answer<DemandAnswer>(wants('o2', { 1: 'A 1' }, ours));
    expect(override!.magnitudes).toEqual({ quantity: '1', percent: null, value: null });
  });

  it('counts lines together that draw on the same stock: nobody gets more by asking in parts', () => {
    const given = new GivenStock({ 'W1/A': '10' }, { settings: { enforcementPhase: 'soft' } });
    const parts = { 1: 'A 10', 2: 'A 1', 3: 'A 1', 4: 'A 1' };
    expect(given.answer<DemandAnswer>(wants('o1', parts, ours)).override).toBeUndefined();
  });

  it('joins refusals of an item to one discrepancy', () => {
    const given = new GivenStock({ 'W1/A': '1' });
    given.batch(...['o1', 'o2', 'o3'].map((orderId) => wants(orderId, { 1: 'A 2' })));
    given.when(wants('o4', { 1: 'A 2' }));
    expect([...given.stock.discrepancies.values()]).toMatchObject([{ severity: 'low', source: 'blocked_transaction', occurrences: 4 }]);
    expect(new Set(given.stock.attempts.map(({ discrepancyId }) => discrepancyId)).size).toBe(1);
    expect(given.attempts()[3]).toBe('o4/1 2 of A, 1 there: refused (INSUFFICIENT_STOCK, hard)');
  });

  it('takes safety stock and doubts from the warehouse that is asked last', () => {
    const given = new GivenStock(
      { 'W1/A': '10', 'W2/A': '5' },
      { items: { A: { safetyStock: '2' } }, settings: { enforcementPhase: 'dark' } },
    );
    given.when(wants('o1', { 1: 'A 3' }, ours));
    given.when(wants('o2', { 1: 'A 12' }, ours));
    expect([given.at('W1/A'), given.at('W2/A')]).toEqual(['10 on hand, 10 reserved', '5 on hand, 5 reserved']);
  });

  describe('while an approval is open', () => {
    it('holds softly what can be promised; the rest waits, and takes nothing from others', () => {
      const given = new GivenStock({ 'W1/A': '10' }, { items: { A: { safetyStock: '2' } }, settings: { allowInventoryOversell: true } });
      given.when(wants('o1', { 1: 'A 15' }, ours));
      const answer = given.answer<DemandAnswer>(wants('o1', { 1: 'A 15' }, pending));
      expect(answer).toMatchObject({ status: 'partial', firm: false, expiresAt: null, backordered: [] });
      expect(given.order('o1')).toMatchObject({ state: 'open', lines: { 1: 'A 15: 8 reserved, 7 unheld' } });
      expect(given.at('W1/A')).toBe('10 on hand, 8 reserved');
      expect(given.saidTypes()).toEqual(['DiscrepancyOpened', 'StockReservationFailed', 'StockPartiallyReserved']);
      expect(given.attempts()).toEqual(['o1/1 15 of A, 8 there: pending_approval (INSUFFICIENT_STOCK, hard)']);
      given.when(receives('r1', 'W1', { A: '5' }));
      expect(given.at('W1/A')).toBe('15 on hand, 8 reserved');
    });

    it('means the same again when it is said again, or amended', () => {
      const given = new GivenStock({ 'W1/A': '10' });
      given.when(wants('o1', { 1: 'A 15' }, { ...pending, meta: byCall({ sequence: 1 }) }));
      expect(given.answer(wants('o1', { 1: 'A 15' }, { ...pending, meta: byCall({ sequence: 1 }) }))).toMatchObject({ status: 'partial' });
      expect(given.attempts()).toEqual(['o1/1 15 of A, 10 there: pending_approval (INSUFFICIENT_STOCK, hard)']);
      given.when(wants('o1', { 1: 'A 12', 2: 'B 1' }, { ...pending, meta: byCall({ sequence: 2 }) }));
      expect(given.order('o1')!.lines).toEqual({ 1: 'A 12: 10 reserved, 2 unheld', 2: 'B 1: 1 unheld' });
      given.when(wants('o1', { 1: 'A 9' }, { ...ours, meta: byCall({ sequence: 3 }) }));
      expect(given.order('o1')!.lines).toEqual({ 1: 'A 9: 9 reserved' });
    });

    it('is for our own orders: an order of somebody else is refused', () => {
      const given = new GivenStock({ 'W1/A': '10' });
      const said = { pendingApproval: true, approvalRequestId: 'a1', approvedShortages: approved({ 1: '5' }).approvedShortages };
      expect(given.answer(wants('o1', { 1: 'A 15' }, said))).toMatchObject({ status: 'failed' });
    });

    it('gives everything back when it is cancelled', () => {
      const given = new GivenStock({ 'W1/A': '10' });
      given.when(wants('o1', { 1: 'A 15' }, pending));
      given.when(wants('o1', {}, ours));
      expect(given.order('o1')).toMatchObject({ state: 'closed', lines: { 1: 'A 15: 15 closed' } });
      expect(given.at('W1/A')).toBe('10 on hand');
    });
  });

  describe('that somebody approved', () => {
    const withDoubt = () => {
      const given = new GivenStock({ 'W1/A': '10' }, { items: { A: { safetyStock: '2' } }, settings: { allowInventoryOversell: true } });
      given.doubt('W1/A', '3');
      given.when(wants('o1', { 1: 'A 12' }, ours));
      given.when(wants('o1', { 1: 'A 12' }, pending));
      expect(given.order('o1')!.lines).toEqual({ 1: 'A 12: 5 reserved, 7 unheld' });
      return given;
    };

    it('holds what is free, whatever safety stock and discrepancies say, and lets the rest wait', () => {
      const given = withDoubt();
      const answer = given.answer<DemandAnswer>(wants('o1', { 1: 'A 12' }, approved({ 1: '7' })));
      expect(answer).toMatchObject({ status: 'partial', backordered: [{ lineNo: 1, quantity: '2' }] });
      expect(given.order('o1')!.lines).toEqual({ 1: 'A 12: 10 reserved, 2 backordered' });
      expect(given.attempts()).toHaveLength(1);
      // It waits like any other from then on: above the safety stock, and what nothing speaks against.
      given.when(receives('r1', 'W1', { A: '5' }));
      expect(given.order('o1')!.lines).toEqual({ 1: 'A 12: 10 reserved, 2 backordered' });
      given.when(receives('r2', 'W1', { A: '1' }));
      expect(given.order('o1')!.lines).toEqual({ 1: 'A 12: 11 reserved, 1 backordered' });
    });

    it('is asked again when more is short than was approved, and keeps what it holds', () => {
      const given = withDoubt();
      given.when(wants('o1', { 1: 'A 13' }, { ...pending, approvalRequestId: 'a2' }));
      const answer = given.answer<DemandAnswer>(wants('o1', { 1: 'A 13' }, approved({ 1: '7' })));
      expect(answer).toMatchObject({
        status: 'failed',
        reason: 'INSUFFICIENT_STOCK',
        override: { kind: 'order_override', lines: [{ lineNo: 1, quantity: '8', requested: '13', available: '5' }] },
      });
      expect(given.order('o1')!.lines).toEqual({ 1: 'A 13: 5 reserved, 8 unheld' });
    });

    it('is asked again when a fact took something from it meanwhile', () => {
      const given = withDoubt();
      given.when(adjusts('W1/A', '-6 damage'));
      expect(given.order('o1')!.lines).toEqual({ 1: 'A 12: 4 reserved, 1 backordered, 7 unheld' });
      expect(given.answer(wants('o1', { 1: 'A 12' }, approved({ 1: '7' })))).toMatchObject({ status: 'failed' });
      expect(given.answer(wants('o1', { 1: 'A 12' }, approved({ 1: '8' })))).toMatchObject({ status: 'partial' });
      expect(given.order('o1')!.lines).toEqual({ 1: 'A 12: 4 reserved, 8 backordered' });
    });

    it('may be confirmed and shipped as it is', () => {
      const given = withDoubt();
      given.when(wants('o1', { 1: 'A 12' }, approved({ 1: '7' })));
      expect(given.answer(wants('o1', { 1: 'A 12' }, { source: '/orders', firm: true }))).toMatchObject({ status: 'partial', firm: true });
      expect(given.answer(ships('s1', 'o1', { 1: 'A 10' }))).toMatchObject({ status: 'done' });
    });
  });

  describe('under a hard lock', () => {
    const locked = (settings: Partial<DecisionSettings> = {}) => {
      const given = new GivenStock({ 'W1/A': '10', 'W1/B': '10' }, { settings: { discrepancyLockPolicy: 'hard', ...settings } });
      given.when(wants('soft', { 1: 'A 4', 2: 'B 4' }, ours));
      given.when(wants('firm', { 1: 'A 4' }, { ...ours, firm: true }));
      return { given, doubt: given.doubt('W1/A', '1') };
    };
    const confirms = { source: '/orders', firm: true };

    it('a soft hold is not confirmed', () => {
      const { given, doubt } = locked();
      expect(given.answer(wants('soft', { 1: 'A 4', 2: 'B 4' }, confirms))).toMatchObject({
        status: 'failed',
        reason: 'DISCREPANCY_LOCK',
        shortLines: [{ lineNo: 1, requested: '4', available: '0' }],
        discrepancyIds: [doubt, expect.any(String)],
      });
      expect(given.order('soft')).toMatchObject({ state: 'open', firm: false });
      expect(given.at('W1/A')).toBe('10 on hand, 8 reserved');
    });

    it('a soft hold is not confirmed by another line of its order either', () => {
      const { given } = locked();
      expect(given.answer(wants('soft', { 3: 'A 4', 4: 'B 4' }, confirms))).toMatchObject({
        status: 'failed',
        reason: 'DISCREPANCY_LOCK',
        shortLines: [{ lineNo: 3, requested: '4' }],
      });
      expect(given.answer(wants('soft', { 3: 'B 4' }, confirms))).toMatchObject({ status: 'reserved' });
    });

    it('a firm hold is confirmed again, picked and shipped', () => {
      const { given } = locked();
      expect(given.answer(wants('firm', { 1: 'A 4' }, confirms))).toMatchObject({ status: 'reserved' });
      expect(given.answer(ships('s1', 'firm', { 1: 'A 4' }))).toMatchObject({ status: 'done' });
    });

    it('nobody is asked about a confirmation, also where orders may be short; what was approved is confirmed', () => {
      const { given } = locked({ allowInventoryOversell: true });
      const { status, reason, override } = given.answer<DemandAnswer>(wants('soft', { 1: 'A 4', 2: 'B 4' }, confirms));
      expect([status, reason, override]).toEqual(['failed', 'DISCREPANCY_LOCK', undefined]);
      expect(given.attempts()).toEqual(['soft/1 4 of A, 0 there: refused (DISCREPANCY_LOCK, hard)']);
      const answer = given.answer(wants('soft', { 1: 'A 4', 2: 'B 4' }, { ...approved({ 1: '4' }), firm: true }));
      expect(answer).toMatchObject({ status: 'reserved', firm: true });
    });

    it('nobody is asked about an order that becomes again what it was either', () => {
      const { given } = locked({ allowInventoryOversell: true });
      const { status, override } = given.answer<DemandAnswer>(wants('firm', { 1: 'A 8' }, { ...confirms, restores: true }));
      expect([status, override]).toEqual(['failed', undefined]);
      expect(given.attempts()).toEqual(['firm/1 8 of A, 4 there: refused (INSUFFICIENT_STOCK, hard)']);
    });

    it('somebody may approve that a confirmed order grows, where orders may be short', () => {
      const { given } = locked({ allowInventoryOversell: true });
      const { override } = given.answer<DemandAnswer>(wants('firm', { 1: 'A 8' }, confirms));
      expect(override).toMatchObject({ kind: 'order_override', magnitudes: { quantity: '4', percent: '40', value: '4' } });
      expect(given.attempts()).toEqual(['firm/1 8 of A, 4 there: pending_approval (INSUFFICIENT_STOCK, hard)']);
    });

    it('in dark phase it is confirmed, and on record', () => {
      const { given } = locked({ enforcementPhase: 'dark' });
      expect(given.answer(wants('soft', { 1: 'A 4', 2: 'B 4' }, confirms))).toMatchObject({ status: 'reserved', firm: true });
      expect(given.attempts()).toEqual(['soft/1 4 of A, 0 there: would_block (DISCREPANCY_LOCK, dark)']);
    });

    it('in dark phase the record says what would have stopped it, as in the other phases', () => {
      for (const enforcementPhase of ['dark', 'hard'] as const) {
        const { given } = locked({ enforcementPhase });
        given.when(wants('o1', { 1: 'A 2' }, ours));
        given.when(wants('o2', { 1: 'A 3', 2: 'B 3' }, ours));
        expect(given.attempts().map((attempt) => /\((\w+),/.exec(attempt)![1])).toEqual(['DISCREPANCY_LOCK', 'INSUFFICIENT_STOCK']);
      }
    });
  });

  it('tells an outsider by event whom it refuses, with what somebody might approve only to our own orders', () => {
    const given = new GivenStock({ 'W1/A': '1' }, { settings: { allowInventoryOversell: true } });
    given.when(wants('o1', { 1: 'A 2' }, { meta: byEvent('e1'), firm: true }));
    given.when(wants('o2', { 1: 'A 2' }, { ...ours, meta: byEvent('e2', {}, '/orders') }));
    const told = given.said().filter(({ type }) => type === 'StockReservationFailed');
    expect(told.map(({ data }) => (data as { override?: unknown }).override !== undefined)).toEqual([false, true]);
  });

  it('lets an order that may be served in part wait in every phase, and has nothing on record', () => {
    for (const enforcementPhase of ['dark', 'soft', 'hard'] as const) {
      const given = new GivenStock({ 'W1/A': '10' }, { items: { A: { safetyStock: '2' } }, settings: { enforcementPhase } });
      given.when(wants('o1', { 1: 'A 9' }, { ...ours, mode: 'partial' }));
      expect([given.order('o1')!.lines[1], given.attempts()]).toEqual(['A 9: 8 reserved, 1 backordered', []]);
    }
  });
});
