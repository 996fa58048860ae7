import type { PickAnswer } from '#libs/contracts';
import {
  byCall,
  byEvent,
  cancels,
  dismisses,
  GivenStock,
  picks,
  receivesAt,
  ships,
  unships,
  wants,
} from '../stock-machine/simulation/given-stock.js';

const items = { A: { tracking: 'lot' } } as const;
const firm = { firm: true } as const;

/** Lots that expire one after the other, and a bin beside the default one. */
function lots(
  onHand: Readonly<Record<string, string>> = { 'W1/A #a': '5 until 2026-02-01', 'W1/A #b': '5 until 2026-03-01', 'W1/A #c': '5' },
) {
  return new GivenStock(onHand, { items, bins: ['W1/bin'] });
}

describe('picking as suggested', () => {
  it('moves nothing, and answers with what was picked', () => {
    const given = lots();
    given.when(wants('o1', { 1: 'A 7' }, firm));
    given.said();
    const answer = given.answer<PickAnswer>(picks('o1'));
    expect(answer).toMatchObject({ status: 'done', picked: [{ lineNo: 1, quantity: '7' }], shortages: [], backordered: [] });
    expect(given.placedHolds('o1')).toEqual(['W1/A #a 5', 'W1/A #b 2']);
    expect(given.saidTypes()).toEqual(['StockPicked']);
  });

  it('leaves out what has expired since it was held', () => {
    const given = lots({ 'W1/A #a': '5 until 2026-01-06', 'W1/A #b': '5' });
    given.when(wants('o1', { 1: 'A 7' }, firm));
    given.pass(2 * 86_400);
    expect(given.answer(picks('o1'))).toMatchObject({ picked: [{ lineNo: 1, quantity: '2' }], shortages: [] });
    expect(given.placedHolds('o1')).toEqual(['W1/A #a 5', 'W1/A #b 2']);
    // Somebody took a good lot instead.
    expect(given.answer(picks('o1', { 1: ['5 #b'] }))).toMatchObject({ status: 'done', shortages: [] });
    expect(given.placedHolds('o1')).toEqual(['W1/A #a 2', 'W1/A #b 5']);
  });
});

describe('picking elsewhere', () => {
  it('moves the hold to the lots and bins that were picked', () => {
    const given = lots({ 'W1/A #a': '5 until 2026-02-01', 'W1/A #b': '5', 'W1/A #b @bin': '5' });
    given.when(wants('o1', { 1: 'A 5' }, firm));
    expect(given.answer(picks('o1', { 1: ['2 #a', '3 #b @bin'] }))).toMatchObject({ status: 'done', shortages: [] });
    expect(given.placedHolds('o1')).toEqual(['W1/A #a 2', 'W1/A #b @bin 3']);
    expect(given.quants('W1/A')).toEqual(['#a available: 5, 2 reserved', '#b @bin available: 5, 3 reserved', '#b available: 5']);
    // What is shipped then is what was picked.
    given.when(ships('s1', 'o1', { 1: 'A 5' }));
    expect(given.quants('W1/A')).toEqual(['#a available: 3', '#b @bin available: 2', '#b available: 5']);
  });

  it('is about what this order shipped, whatever others ship at the same time', () => {
    const given = new GivenStock({ 'W1/A': '5' });
    given.when(wants('o1', { 1: 'A 2' }, firm));
    given.when(wants('o2', { 1: 'A 2' }, firm));
    const [, answer] = given.batch(ships('s1', 'o1', { 1: 'A 2' }), picks('o2', { 1: ['2 @default'] }));
    expect(answer).toMatchObject({ answer: { status: 'done', shortages: [] } });
    expect(given.placedHolds('o2')).toEqual(['W1/A 2']);
  });

  it('asks for all lots at once, however many lines were picked elsewhere', () => {
    const names = Array.from({ length: 12 }, (_, n) => `l${n}`);
    const stock = ['first 20 until 2026-02-01', ...names.map((lot) => `${lot} 1`)].map((text) => {
      const [lot, ...goods] = text.split(' ') as [string, ...string[]];
      return [`W1/A #${lot}`, goods.join(' ')];
    });
    const given = new GivenStock(Object.fromEntries(stock), { items, limits: { quantsPerBalance: 2 } });
    given.when(wants('o1', Object.fromEntries(names.map((_, n) => [n + 1, 'A 1'])), firm));
    const batches = given.batches;
    given.answer(picks('o1', Object.fromEntries(names.map((lot, n) => [n + 1, [`1 #${lot}`]]))));
    expect(given.placedHolds('o1')).toEqual(names.map((lot) => `W1/A #${lot} 1`).sort());
    expect(given.batches - batches).toBeLessThanOrEqual(3);
  });

  it('works for bins of what has no lots', () => {
    const given = new GivenStock({ 'W1/A': '5', 'W1/A @bin': '5' }, { bins: ['W1/bin'] });
    given.when(wants('o1', { 1: 'A 5' }, firm));
    expect(given.placedHolds('o1')).toEqual(['W1/A 5']);
    given.answer(picks('o1', { 1: ['4 @bin', '1'] }));
    expect(given.placedHolds('o1')).toEqual(['W1/A 1', 'W1/A @bin 4']);
    expect(given.at('W1/A')).toBe('10 on hand, 5 reserved');
  });

  it("moves others' holds out of the way, and tells them", () => {
    const given = lots();
    given.when(wants('o1', { 1: 'A 5' }, firm));
    given.when(wants('o2', { 1: 'A 5' }, firm));
    given.said();
    expect(given.answer(picks('o1', { 1: ['5 #b'] }))).toMatchObject({ status: 'done' });
    expect([given.placedHolds('o1'), given.placedHolds('o2')]).toEqual([['W1/A #b 5'], ['W1/A #a 5']]);
    expect(given.said().map(({ type, subject }) => `${type} ${subject}`)).toEqual(['StockReserved o2', 'StockPicked o1']);
  });

  it('is refused where others hold and cannot be held elsewhere', () => {
    const given = lots();
    given.when(wants('o1', { 1: 'A 5' }, firm));
    given.when(wants('o2', { 1: 'A 5 #b' }, firm));
    given.said();
    expect(given.answer(picks('o1', { 1: ['5 #b'] }))).toMatchObject({ status: 'refused', reason: 'INSUFFICIENT_STOCK' });
    expect([given.placedHolds('o1'), given.placedHolds('o2')]).toEqual([['W1/A #a 5'], ['W1/A #b 5']]);
    expect(given.saidTypes()).toEqual(['StockPickFailed']);
  });

  it('counts what was shipped, lot by lot', () => {
    const given = lots();
    given.when(wants('o1', { 1: 'A 8' }, firm));
    given.when(ships('s1', 'o1', { 1: 'A 4 #a' }));
    expect(given.answer(picks('o1', { 1: ['8 #b'] }))).toMatchObject({ status: 'refused', reason: 'INVALID_STATE' });
    given.answer(picks('o1', { 1: ['4 #a', '4 #c'] }));
    expect(given.placedHolds('o1')).toEqual(['W1/A #c 4']);
    given.when(unships('s1', 'o1'));
    expect(given.placedHolds('o1')).toEqual(['W1/A #a 4', 'W1/A #c 4']);
  });

  it.each([
    ['more than is held', { 1: '6' }, 'INSUFFICIENT_STOCK'],
    ['more than is there', { 1: ['5 #c @bin'] }, 'INSUFFICIENT_STOCK'],
    ['a lot that nobody knows', { 1: ['5 #z'] }, 'LOT_NOT_FOUND'],
    ['a line that the order does not have', { 2: '1' }, 'INVALID_STATE'],
  ])('refuses %s', (_, picked, reason) => {
    const given = lots();
    given.when(wants('o1', { 1: 'A 5' }, firm));
    expect(given.answer(picks('o1', picked))).toMatchObject({ status: 'refused', reason });
    expect(given.placedHolds('o1')).toEqual(['W1/A #a 5']);
  });

  it('refuses half of a piece with a serial number', () => {
    const given = new GivenStock({ 'W1/S #s0': '1', 'W1/S #s1': '1' }, { items: { S: { tracking: 'serial' } } });
    given.when(wants('o1', { 1: 'S 1' }, firm));
    for (const picked of [{ 1: '0.5' }, { 1: ['0.5 #s0'] }, { 1: ['0.5 #s0', '0.5 #s1'] }]) {
      expect(given.answer(picks('o1', picked))).toMatchObject({ status: 'refused', reason: 'INVALID_STATE' });
    }
    expect(given.placedHolds('o1')).toEqual(['W1/S #s0 1']);
  });

  it('refuses another lot than the one that was ordered, and what has expired', () => {
    const given = lots({ 'W1/A #old': '5 until 2026-01-06', 'W1/A #b': '5', 'W1/A #c': '5' });
    given.when(wants('o1', { 1: 'A 5 #b' }, firm));
    expect(given.answer(picks('o1', { 1: ['5 #c'] }))).toMatchObject({ status: 'refused', reason: 'INVALID_STATE' });
    given.pass(2 * 86_400);
    given.when(wants('o2', { 1: 'A 5' }, firm));
    expect(given.answer(picks('o2', { 1: ['5 #old'] }))).toMatchObject({ status: 'refused', reason: 'INSUFFICIENT_STOCK' });
  });
});

describe('lots that are too old for a line', () => {
  const fresh = { ...firm, minRemainingShelfLifeDays: 5 };

  it('are refused though they have not expired, and it is said what is wanted', () => {
    const given = lots({ 'W1/A #a': '5 until 2026-01-08', 'W1/A #b': '5 until 2026-02-01' });
    given.when(wants('o1', { 1: 'A 5' }, fresh));
    expect(given.answer(picks('o1', { 1: ['1 #a', '4 #b'] }))).toMatchObject({
      ...{ status: 'refused', reason: 'INSUFFICIENT_STOCK' },
      detail: expect.stringMatching(/line 1 lot a expires at 2026-01-08T00:00:00.000Z.* until 2026-01-10T/),
    });
    expect(given.placedHolds('o1')).toEqual(['W1/A #b 5']);
    // Who wants less may have it.
    given.when(wants('o2', { 1: 'A 5' }, firm));
    expect(given.answer(picks('o2', { 1: ['5 #a'] }))).toMatchObject({ status: 'done' });
  });

  it('are not picked where they have been held since before, and give way to what is picked instead', () => {
    const given = lots({ 'W1/A #a': '5 until 2026-01-12', 'W1/A #b': '9 until 2026-02-01' });
    given.when(wants('o1', { 1: 'A 7' }, fresh));
    expect(given.placedHolds('o1')).toEqual(['W1/A #a 5', 'W1/A #b 2']);
    given.pass(3 * 86_400);
    expect(given.answer(picks('o1', { 1: '7' }))).toMatchObject({ status: 'refused', detail: expect.stringContaining('lot a expires') });
    expect(given.answer(picks('o1', { 1: ['5 #a', '2 #b'] }))).toMatchObject({ status: 'refused' });
    expect(given.answer(picks('o1'))).toMatchObject({ status: 'done', picked: [{ quantity: '2' }], shortages: [] });
    expect(given.answer(picks('o1', { 1: ['6 #b'] }))).toMatchObject({ status: 'done', shortages: [] });
    expect(given.placedHolds('o1')).toEqual(['W1/A #a 1', 'W1/A #b 6']);
    // What has left has left.
    expect(given.answer(ships('s1', 'o1', { 1: 'A 7' }))).toMatchObject({ status: 'done' });
  });
});

describe('a shortage', () => {
  it('is held elsewhere, not where it was missing', () => {
    const given = lots({ 'W1/A #a': '8 until 2026-02-01', 'W1/A #b': '5' });
    given.when(wants('o1', { 1: 'A 5' }, firm));
    given.said();
    const place = { lineNo: 1, itemId: 'A', warehouseId: 'W1', lot: 'a', location: 'default', missing: '2' };
    expect(given.answer(picks('o1', { 1: '3' }))).toMatchObject({ shortages: [place], backordered: [], picked: [{ quantity: '3' }] });
    expect(given.placedHolds('o1')).toEqual(['W1/A #a 3', 'W1/A #b 2']);
    const said = given.said();
    expect(said.map(({ type }) => type)).toEqual(['DiscrepancyOpened', 'PickShortage', 'StockPicked']);
    expect(said[0]!.data).toMatchObject({
      ...{ source: 'pick_shortage', warehouseId: 'W1', itemId: 'A', lot: 'a', location: 'default', orderId: 'o1', severity: 'critical' },
      ...{ ledgerQuantity: '8', snapshotQuantity: '6' },
    });
    expect(said[1]!.data).toEqual({ orderId: 'o1', ...place });
  });

  it('waits where there is nothing else, and is not given to the next in turn at once', () => {
    const given = new GivenStock({ 'W1/A': '5' });
    given.when(wants('o1', { 1: 'A 5' }, firm));
    given.when(wants('o2', { 1: 'A 5' }, { ...firm, mode: 'partial', priority: 90 }));
    given.said();
    expect(given.answer(picks('o1', { 1: '3' }))).toMatchObject({ backordered: [{ lineNo: 1, quantity: '2' }] });
    expect(given.order('o1')).toMatchObject({ lines: { 1: 'A 5: 3 reserved, 2 backordered' } });
    expect(given.at('W1/A')).toBe('5 on hand, 3 reserved, 7 backordered');
    expect(given.saidTypes()).toEqual(['DiscrepancyOpened', 'ReservationShorted', 'PickShortage', 'StockPicked']);
    // What comes in goes to who is first in turn; what was missing is kept back as long as nobody has found out.
    given.when(receivesAt('r1', 'W1/A', '3'));
    expect(given.order('o2')).toMatchObject({ lines: { 1: 'A 5: 3 reserved, 2 backordered' } });
    given.answer(dismisses([...given.stock.discrepancies.values()][0]!));
    expect(given.order('o2')).toMatchObject({ lines: { 1: 'A 5: 5 reserved' } });
  });

  it('is that of the last in turn, when nothing is said of where', () => {
    const given = lots();
    given.when(wants('o1', { 1: 'A 7' }, firm));
    expect(given.answer(picks('o1', { 1: '5' }))).toMatchObject({ shortages: [{ lot: 'b', missing: '2' }] });
    expect(given.placedHolds('o1')).toEqual(['W1/A #a 5', 'W1/A #c 2']);
  });

  it('is told once: the same total again says nothing new, until there is more to pick', () => {
    const given = lots();
    given.when(wants('o1', { 1: 'A 7' }, firm));
    given.answer(picks('o1', { 1: '5' }));
    given.said();
    expect(given.answer(picks('o1', { 1: '5' }))).toMatchObject({ status: 'done', shortages: [] });
    expect(given.placedHolds('o1')).toEqual(['W1/A #a 5', 'W1/A #c 2']);
    expect(given.saidTypes()).toEqual(['StockPicked']);
    expect(given.answer(picks('o1', { 1: '7' }))).toMatchObject({ status: 'done', shortages: [] });
    given.when(wants('o1', { 1: 'A 8' }, firm));
    expect(given.answer(picks('o1', { 1: '7' }))).toMatchObject({ shortages: [{ lot: 'c', missing: '1' }] });
  });
});

describe('what was picked, said twice or late', () => {
  it('is decided once, and answers the same', () => {
    const given = lots();
    given.when(wants('o1', { 1: 'A 5' }, { ...firm, source: '/orders', meta: byCall({ sequence: 1 }) }));
    const answer = given.answer<PickAnswer>(picks('o1', { 1: '3' }, { meta: byCall({ sequence: 2 }) }));
    given.said();
    expect(given.answer(picks('o1', { 1: '3' }, { meta: byCall({ sequence: 2 }) }))).toEqual(answer);
    given.when(picks('o1', { 1: '3' }, { meta: byEvent('e1', { sequence: 2 }, '/orders') }));
    expect(given.saidTypes()).toEqual([]);
    given.when(picks('o1', { 1: '3' }, { meta: byEvent('e2', { sequence: 2 }) }));
    expect(given.saidTypes()).toEqual(['StockPicked']);
  });

  it('changes nothing when something was said since', () => {
    const given = lots();
    given.when(wants('o1', { 1: 'A 5' }, { ...firm, meta: byCall({ sequence: 1 }) }));
    given.when(ships('s1', 'o1', { 1: 'A 2' }, { meta: byCall({ sequence: 3 }) }));
    expect(given.answer(picks('o1', { 1: '1' }, { meta: byCall({ sequence: 2 }) }))).toMatchObject({ status: 'done', shortages: [] });
    expect(given.placedHolds('o1')).toEqual(['W1/A #a 3']);
  });

  it('waits for its order, and is refused once it does not come or was cancelled', () => {
    const given = lots();
    const meta = byEvent('e1', { sequence: 2 });
    expect(given.when(picks('o1', { 1: '3' }, { meta }))).toMatchObject({ kind: 'too-early' });
    expect(given.when(picks('o1', { 1: '3' }, { meta: { ...meta, mayWait: false } }))).toMatchObject({
      answer: { reason: 'INVALID_STATE' },
    });
    given.when(wants('o2', { 1: 'A 5' }, firm));
    given.when(cancels('o2'));
    expect(given.answer(picks('o2'))).toMatchObject({ status: 'refused', reason: 'ORDER_CANCELLED' });
  });

  it('needs a firm hold', () => {
    const given = lots();
    given.when(wants('o1', { 1: 'A 5' }, { firm: false }));
    expect(given.answer(picks('o1'))).toMatchObject({ status: 'refused', reason: 'INVALID_STATE' });
  });

  it('refused, stays refused', () => {
    const given = lots();
    given.when(wants('o1', { 1: 'A 5' }, { ...firm, meta: byCall({ sequence: 1 }) }));
    const refused = given.answer(picks('o1', { 1: ['5 #c @bin'] }, { meta: byCall({ sequence: 2 }) }));
    given.when(receivesAt('r1', 'W1/A #c @bin', '9'));
    expect(given.answer(picks('o1', { 1: ['5 #c @bin'] }, { meta: byCall({ sequence: 2 }) }))).toEqual({
      ...refused,
      sequence: refused['sequence'],
    });
    expect(given.placedHolds('o1')).toEqual(['W1/A #a 5']);
  });
});
