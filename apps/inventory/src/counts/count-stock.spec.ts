import type { CountAnswer } from '#libs/contracts';
import { parseQuantity, SCALE, ZERO } from '#libs/domain';
import {
  changesQuality,
  counts,
  type GivenOptions,
  GivenStock,
  picks,
  receives,
  receivesAt,
  recalls,
  reports,
  resolves,
  ships,
  wants,
} from '../stock-machine/simulation/given-stock.js';

const bins = ['W1/bin'];
const tolerant = (onHand: Readonly<Record<string, string>>, options: GivenOptions = {}) =>
  new GivenStock(onHand, { ...options, settings: { tolerance: { quantity: parseQuantity('10'), percent: ZERO } } });
const lots = { items: { A: { tracking: 'lot' } }, bins } as const;
const lineOf = (given: GivenStock, command: Parameters<GivenStock['answer']>[0]) =>
  given.answer<{ lines: Record<string, string>[] }>(command).lines.map((line) => {
    const { itemId, lot, location, countedQuantity, ledgerQuantity, difference } = line;
    return `${itemId} ${lot ?? '-'} ${location}: ${countedQuantity} of ${ledgerQuantity}, ${difference}`;
  });

describe('a count', () => {
  it('posts the difference to what the ledger says', () => {
    const given = tolerant({ 'W1/A': '10', 'W1/B': '4' });
    expect(given.answer(counts('W1', { A: '8', B: '5' }))).toEqual({
      movementId: expect.any(String),
      lines: [
        { itemId: 'A', lot: null, location: 'default', countedQuantity: '8', ledgerQuantity: '10', difference: '-2', posted: true },
        { itemId: 'B', lot: null, location: 'default', countedQuantity: '5', ledgerQuantity: '4', difference: '1', posted: true },
      ],
    });
    expect([given.at('W1/A'), given.at('W1/B')]).toEqual(['8 on hand', '5 on hand']);
    expect(given.ledger('W1/A').at(-1)).toBe('count -2 available = 8');
    expect(given.said()).toMatchObject([
      { type: 'StockAdjusted', data: { itemId: 'A', quantityDelta: '-2', balanceAfter: '8' } },
      { type: 'StockAdjusted', data: { itemId: 'B', quantityDelta: '1' } },
    ]);
  });

  it('without a difference posts nothing, and is on record', () => {
    const given = tolerant({ 'W1/A': '10' });
    expect(lineOf(given, counts('W1', { A: '10' }))).toEqual(['A - default: 10 of 10, 0']);
    expect(given.ledger('W1/A')).toHaveLength(1);
    expect(given.saidTypes()).toEqual([]);
  });

  it('is a fact: what is missing is taken from who holds it', () => {
    const given = tolerant({ 'W1/A': '10' });
    given.when(wants('o1', { 1: 'A 9' }));
    given.said();
    given.answer(counts('W1', { A: '7' }));
    expect(given.order('o1')!.lines).toEqual({ 1: 'A 9: 7 reserved, 2 backordered' });
    expect(given.saidTypes()).toEqual(['ReservationShorted', 'StockAdjusted']);
    given.answer(counts('W1', { A: '9' }));
    expect(given.order('o1')!.lines).toEqual({ 1: 'A 9: 9 reserved' });
  });

  it('counts all that lies in a bin; what is missing could have been sold', () => {
    const given = tolerant({ 'W1/A': '10' });
    given.answer(changesQuality('W1/A', '4 available -> damaged'));
    expect(lineOf(given, counts('W1', { A: '10' }))).toEqual(['A - default: 10 of 10, 0']);
    given.answer(counts('W1', { A: '2' }));
    expect([given.at('W1/A'), given.blockedAt('W1/A')]).toEqual(['2 on hand, 2 blocked', '2 damaged']);
  });

  it('tells bins and lots apart, and moves holds that lie where something is missing', () => {
    const given = tolerant({ 'W1/A #x': '5 until 2026-02-01', 'W1/A #x @bin': '5', 'W1/A #y': '5' }, lots);
    given.when(wants('o1', { 1: 'A 5' }));
    expect(lineOf(given, counts('W1', { 'A #x': '1', 'A #x @bin': '6', 'A #y': '4' }))).toEqual([
      'A x default: 1 of 5, -4',
      'A x bin: 6 of 5, 1',
      'A y default: 4 of 5, -1',
    ]);
    expect(given.quants('W1/A').map((quant) => quant.split(',')[0])).toEqual([
      '#x @bin available: 6',
      '#x available: 1',
      '#y available: 4',
    ]);
    expect(given.order('o1')!.lines).toEqual({ 1: 'A 5: 5 reserved' });
  });

  it('moves holds to a bin that it is the first to use', () => {
    const given = tolerant({ 'W1/A': '10' }, { bins });
    given.when(wants('o1', { 1: 'A 6' }));
    given.when(wants('o2', { 1: 'A 4' }));
    given.answer(counts('W1', { A: '3', 'A @bin': '7' }));
    expect([given.placedHolds('o1'), given.placedHolds('o2')].flat().sort()).toEqual(['W1/A 3', 'W1/A @bin 3', 'W1/A @bin 4']);
  });

  it('is compared with what the ledger said when it was made, whatever has moved since', () => {
    const given = tolerant({ 'W1/A': '10', 'W1/B': '10' });
    const countedAt = given.stock.now.toISOString();
    given.pass(60);
    given.answer(ships('s1', 'o1', { 1: 'A 3' }));
    given.answer(receives('r1', 'W1', { B: '5' }));
    expect(lineOf(given, counts('W1', { A: '9', B: '10' }, { countedAt }))).toEqual([
      'A - default: 9 of 10, -1',
      'B - default: 10 of 10, 0',
    ]);
    expect([given.at('W1/A'), given.at('W1/B')]).toEqual(['6 on hand', '15 on hand']);
  });

  it('does not find once more what a count that was made before has found, whenever both are told and it is posted', () => {
    for (const tolerance of ['10', '0']) {
      const settings = { tolerance: { quantity: parseQuantity(tolerance), percent: ZERO } };
      const given = new GivenStock({ 'W1/A': '10' }, { settings });
      const [first, second] = [1, 2].map(() => {
        given.pass(60);
        return given.stock.now.toISOString();
      });
      given.pass(60);
      given.answer(counts('W1', { A: '8' }, { countedAt: first! }));
      for (const found of given.stock.discrepancies.values()) given.answer(resolves(found));
      expect(given.at('W1/A')).toBe('8 on hand');
      expect(lineOf(given, counts('W1', { A: '8' }, { countedAt: second! }))).toEqual(['A - default: 8 of 8, 0']);
    }
  });

  it('sees also what its own batch moves', () => {
    const given = tolerant({ 'W1/A': '10' });
    const countedAt = given.stock.now.toISOString();
    given.pass(60);
    given.batch(ships('s1', 'o1', { 1: 'A 3' }), counts('W1', { A: '9' }, { countedAt }));
    expect(given.at('W1/A')).toBe('6 on hand');
  });

  it('counts what left before it as gone, though it was heard of later', () => {
    const given = tolerant({ 'W1/A': '10' });
    const shippedAt = given.stock.now;
    given.pass(60);
    const countedAt = given.stock.now.toISOString();
    given.pass(60);
    const shipment = ships('s1', 'o1', { 1: 'A 3' });
    given.answer({ ...shipment, meta: { ...shipment.meta, time: new Date(shippedAt.getTime() + 1_000) } });
    expect(lineOf(given, counts('W1', { A: '7' }, { countedAt }))).toEqual(['A - default: 7 of 7, 0']);
  });

  it('that cannot be right is refused as a whole', () => {
    const given = tolerant({ 'W1/A': '10', 'W1/B': '1' });
    const countedAt = given.stock.now.toISOString();
    given.pass(60);
    given.answer(ships('s1', 'o1', { 1: 'A 8' }));
    expect(given.when(counts('W1', { B: '2', A: '5' }, { countedAt }))).toMatchObject({
      error: { code: 'INSUFFICIENT_STOCK', details: { lines: [{ itemId: 'A', requested: '5', available: '2' }] } },
    });
    expect([given.at('W1/A'), given.at('W1/B')]).toEqual(['2 on hand', '1 on hand']);
  });

  it('of a whole warehouse counts as nothing what nobody counted', () => {
    const given = tolerant({ 'W1/A #x': '5', 'W1/A #y @bin': '2', 'W1/B': '3', 'W2/B': '9' }, lots);
    expect(lineOf(given, counts('W1', { 'A #x': '5' }, { mode: 'full' })).sort()).toEqual([
      'A x default: 5 of 5, 0',
      'A y bin: 0 of 2, -2',
      'B - default: 0 of 3, -3',
    ]);
    expect([given.at('W1/A'), given.at('W1/B'), given.at('W2/B')]).toEqual(['5 on hand', 'nothing', '9 on hand']);
  });

  it('of too much at once is refused', () => {
    const many = Object.fromEntries(Array.from({ length: 1_001 }, (_, n) => [`W1/A #l${n}`, '1']));
    const given = tolerant(many, lots);
    expect(given.when(counts('W1', { 'A #l1': '1' }, { mode: 'full' }))).toMatchObject({ error: { code: 'STOCK_VALIDATION' } });
    expect(given.at('W1/A')).toBe('1001 on hand');
  });

  it('of a recalled lot finds what is recalled', () => {
    const given = tolerant({ 'W1/A #x': '5' }, lots);
    given.answer(recalls('A #x'));
    given.answer(counts('W1', { 'A #x': '6' }));
    expect(given.quants('W1/A')).toEqual(['#x recalled: 6']);
  });

  it.each([
    [
      'the same bin twice',
      [
        { itemId: 'A', countedQuantity: '1' },
        { itemId: 'A', countedQuantity: '2', location: 'default' },
      ],
      {},
      'STOCK_VALIDATION',
    ],
    ['an unknown bin', [{ itemId: 'A', countedQuantity: '1', location: 'cellar' }], {}, 'LOCATION_NOT_FOUND'],
    ['an unknown item', [{ itemId: 'X', countedQuantity: '1' }], {}, 'ITEM_NOT_FOUND'],
    ['an unknown lot', [{ itemId: 'L', countedQuantity: '1', lot: 'typo' }], {}, 'LOT_NOT_FOUND'],
    ['no lot of a tracked item', [{ itemId: 'L', countedQuantity: '1' }], {}, 'STOCK_VALIDATION'],
    ['in the future', [{ itemId: 'A', countedQuantity: '1' }], { countedAt: '2027-01-01T00:00:00Z' }, 'STOCK_VALIDATION'],
  ])('of %s is refused', (_, lines, more, code) => {
    const given = tolerant({ 'W1/A': '10' }, { items: { L: { tracking: 'lot' } } });
    expect(given.when(counts('W1', {}, { lines, ...more }))).toMatchObject({ kind: 'error', error: { code } });
  });

  it('of pieces with serial numbers finds and misses pieces', () => {
    const given = tolerant({ 'W1/A #s1': '1', 'W1/A #s2': '1' }, { items: { A: { tracking: 'serial' } }, bins });
    given.answer(counts('W1', { 'A #s1': '0', 'A #s2': '1' }));
    expect(given.quants('W1/A')).toEqual(['#s2 available: 1']);
    expect(given.when(counts('W1', { 'A #s2 @bin': '1' }))).toMatchObject({ error: { code: 'SERIAL_EXISTS' } });
    given.answer(counts('W1', { 'A #s1 @bin': '1' }));
    expect(given.quants('W1/A')).toEqual(['#s1 @bin available: 1', '#s2 available: 1']);
  });

  it('said again is answered as before', () => {
    const given = tolerant({ 'W1/A': '10' });
    const first = given.answer(counts('W1', { A: '8' }, { commandId: 'c1' }));
    expect(given.answer(counts('W1', { A: '8' }, { commandId: 'c1' }))).toEqual(first);
    expect(given.at('W1/A')).toBe('8 on hand');
  });
});

describe('a count that differs by more than is tolerated', () => {
  const percent = (text: string) => ({ settings: { tolerance: { quantity: ZERO, percent: parseQuantity(text) } } });
  const found = (given: GivenStock) => [...given.stock.discrepancies.values()];

  it('posts nothing of that line until it is resolved; the others are posted', () => {
    const given = new GivenStock({ 'W1/A': '10', 'W1/B': '100' }, percent('5'));
    const { lines } = given.answer<CountAnswer>(counts('W1', { A: '7', B: '96' }, { commandId: 'c', note: 'yearly' }));
    const [discrepancy] = found(given);
    expect(lines).toMatchObject([
      { itemId: 'A', difference: '-3', posted: false, discrepancyId: discrepancy!.discrepancyId },
      { itemId: 'B', difference: '-4', posted: true },
    ]);
    expect(lines[1]).not.toHaveProperty('discrepancyId');
    expect(discrepancy).toMatchObject({
      source: 'count',
      severity: 'critical',
      refType: 'count',
      refId: 'c',
      note: 'yearly',
      location: 'default',
    });
    expect([given.at('W1/A'), given.at('W1/B')]).toEqual(['10 on hand', '96 on hand']);
    expect(given.saidTypes()).toEqual(['DiscrepancyOpened', 'StockAdjusted']);
    given.answer(resolves(discrepancy!));
    expect(given.at('W1/A')).toBe('7 on hand');
  });

  it('said again is answered as before, and opens nothing more', () => {
    const given = new GivenStock({ 'W1/A': '10' });
    const count = counts('W1', { A: '9' });
    const first = given.answer(count);
    expect(given.answer({ ...count })).toEqual(first);
    expect(found(given)).toHaveLength(1);
  });

  it('takes the place of what was seen there before, so that no difference is posted twice', () => {
    const given = new GivenStock({ 'W1/A': '10', 'W1/A @bin': '10' }, { bins, settings: { discrepancyLockPolicy: 'monitor' } });
    given.when(wants('o', { 1: 'A 10' }, { firm: true }));
    given.when(picks('o', { 1: '7' }));
    given.when(reports('W1/A @default', '6'));
    given.when(reports('W1/A @bin', '6'));
    given.when(counts('W1', { A: '8' }));
    given.answer(counts('W1', { A: '6' }));
    expect(found(given).map(({ source, status, location }) => [source, location, status])).toEqual([
      ['pick_shortage', 'default', 'resolved'],
      ['manual_report', 'default', 'resolved'],
      ['manual_report', 'bin', 'new'],
      ['count', 'default', 'resolved'],
      ['count', 'default', 'new'],
    ]);
    given.answer(resolves(found(given).at(-1)!));
    expect(given.at('W1/A')).toMatch(/^16 on hand/);
    given.answer(counts('W1', { 'A @bin': '10' }));
    expect(found(given).filter(({ status }) => status === 'new')).toEqual([]);
  });

  it('told later leaves what was seen since then, which is the later word: what would be posted twice is for somebody to look at', () => {
    const given = tolerant({ 'W1/A': '10', 'W1/B': '10' });
    const countedAt = given.stock.now.toISOString();
    given.when(reports('W1/A @default', '9'));
    given.pass(60);
    given.when(reports('W1/A @default', '7'));
    given.when(reports('W1/B @default', '10', { severity: 'high' }));
    given.pass(60);
    expect(given.answer<CountAnswer>(counts('W1', { A: '8', B: '10' }, { countedAt })).lines).toMatchObject([
      { itemId: 'A', difference: '-2', posted: false, discrepancyId: expect.any(String) },
      { itemId: 'B', difference: '0', posted: true },
    ]);
    const seen = () =>
      found(given).map(({ itemId, source, snapshotQuantity, status }) => `${itemId} ${source} ${snapshotQuantity / SCALE} ${status}`);
    expect([given.at('W1/A'), seen()]).toEqual([
      '10 on hand',
      ['A manual_report 9 resolved', 'A manual_report 7 new', 'B manual_report 10 new', 'A count 8 new'],
    ]);
    // A count of a time between is a later word than the first count, however late that was told.
    const between = new Date(new Date(countedAt).getTime() + 30_000).toISOString();
    given.answer(counts('W1', { A: '8' }, { countedAt: between }));
    expect(seen()).toEqual([
      ...['A manual_report 9 resolved', 'A manual_report 7 new', 'B manual_report 10 new', 'A count 8 resolved', 'A count 8 new'],
    ]);
    given.answer(counts('W1', { A: '7', B: '10' }));
    expect([given.at('W1/A'), found(given).filter(({ status }) => status === 'new')]).toEqual(['7 on hand', []]);
  });

  it('in a full count posts what was found before what is missing: less than nothing lay in one bin, and more in another', () => {
    const given = new GivenStock(
      {},
      { bins, settings: { enforcementPhase: 'dark', tolerance: { quantity: parseQuantity('10'), percent: ZERO } } },
    );
    given.answer(ships('s1', 'o1', { 1: 'A 2 @W1' }));
    given.answer(receivesAt('r1', 'W1/A @bin', '5'));
    given.answer(counts('W1', { 'A @bin': '0', A: '8' }, { mode: 'full' }));
    expect([given.at('W1/A'), given.ledger('W1/A').slice(-2)]).toEqual([
      '8 on hand',
      ['count 10 available = 13', 'count -5 available = 8'],
    ]);
  });

  it('in a full count is also what nobody counted', () => {
    const given = new GivenStock({ 'W1/A': '10', 'W1/B': '4' });
    given.when(reports('W1/B @default', '3'));
    given.answer(counts('W1', { A: '10' }, { mode: 'full' }));
    expect(found(given).map(({ itemId, snapshotQuantity, status }) => [itemId, snapshotQuantity, status])).toEqual([
      ['B', parseQuantity('3'), 'resolved'],
      ['B', ZERO, 'new'],
    ]);
    expect(given.at('W1/B')).toBe('4 on hand');
  });
});
