import type { DiscrepancyAnswer } from '#libs/contracts';
import {
  adjusts,
  dismisses,
  finds,
  GivenStock,
  ORG,
  puts,
  recalls,
  receives,
  receivesAt,
  reports,
  resolves,
  reviews,
  ships,
  wants,
} from '../stock-machine/simulation/given-stock.js';

const reported = (given: GivenStock, ...report: Parameters<typeof reports>) => given.answer<DiscrepancyAnswer>(reports(...report));
const code = (name: string) => ({ kind: 'error', error: { code: name } });

describe('a report', () => {
  it('compares what is there with what the books say, of everything, of a lot, of a bin', () => {
    const given = new GivenStock({ 'W1/A': '10', 'W1/A @B1': '5' }, { bins: ['W1/B1'], items: { L: { tracking: 'lot' } } });
    given.when(puts('r', 'W1', 'L 4 #x', 'L 3 #x @B1', 'L 2 #y', 'L 1 #x quality=damaged'));
    const of = (place: string) => reported(given, place, '1').ledgerQuantity;
    expect(['W1/A', 'W1/A @B1', 'W1/A @default', 'W1/L', 'W1/L #x', 'W1/L #x @B1', 'W1/L #x @default', 'W2/A'].map(of)).toEqual([
      '15',
      '5',
      '10',
      '10',
      '8',
      '3',
      '5',
      '0',
    ]);
  });

  it('is as severe as it differs, unless it says so', () => {
    const given = new GivenStock({ 'W1/A': '100' });
    const severities = ['100', '98', '95', '80', '79.9'].map((snapshot) => reported(given, 'W1/A', snapshot).severity);
    expect(severities).toEqual(['low', 'low', 'medium', 'high', 'critical']);
    expect(reported(given, 'W1/A', '99', { severity: 'critical' }).severity).toBe('critical');
  });

  it('said again is answered as it is now; with other content it is a conflict', () => {
    const given = new GivenStock({ 'W1/A': '10' });
    const first = reported(given, 'W1/A', '9', { discrepancyId: 'd' });
    given.when(reviews(first, 'bob'));
    expect(reported(given, 'W1/A', '9', { discrepancyId: 'd' })).toEqual({ ...first, status: 'under_review', assignedTo: 'bob' });
    expect(given.when(reports('W1/A', '8', { discrepancyId: 'd' }))).toMatchObject(code('ALREADY_EXISTS'));
    expect(given.saidTypes()).toEqual(['DiscrepancyOpened']);
  });

  it.each([
    ['an unknown item', 'W1/X', '1', 'ITEM_NOT_FOUND'],
    ['an unknown warehouse', 'W9/A', '1', 'WAREHOUSE_NOT_FOUND'],
    ['an unknown bin', 'W1/A @nowhere', '1', 'LOCATION_NOT_FOUND'],
    ['a lot of what has none', 'W1/A #x', '1', 'STOCK_VALIDATION'],
    ['an unknown lot', 'W1/L #x', '1', 'LOT_NOT_FOUND'],
    ['a bin without saying the lot', 'W1/L @default', '1', 'STOCK_VALIDATION'],
    ['half a piece', 'W1/S', '0.5', 'STOCK_VALIDATION'],
  ])('of %s is refused', (_, place, quantity, expected) => {
    const given = new GivenStock({}, { items: { L: { tracking: 'lot' }, S: { tracking: 'serial' } } });
    expect(given.when(reports(place, quantity))).toMatchObject(code(expected));
    expect(given.said()).toEqual([]);
  });
});

describe('while a severe discrepancy is open', () => {
  it.each([
    ['hard', '0', 'failed'],
    ['soft', '7', 'failed'],
    ['monitor', '10', 'reserved'],
  ] as const)('%s keeps back its part, and gives it to whoever waits when it is dismissed', (discrepancyLockPolicy, most, status) => {
    const given = new GivenStock({ 'W1/A': '10' }, { settings: { discrepancyLockPolicy, reservationMode: 'partial' } });
    const found = reported(given, 'W1/A', '7');
    expect(given.when(wants('all', { 1: 'A 10' }, { mode: 'all_or_nothing' }))).toMatchObject({ answer: { status } });
    if (status === 'reserved') return;
    given.when(wants('o', { 1: 'A 10' }));
    expect(given.holds('o')).toEqual(most === '0' ? [] : [`W1/A ${most}`]);
    given.said();
    given.when(dismisses(found));
    expect(given.holds('o').length).toBeGreaterThan(0);
    expect(given.order('o')!.lines).toEqual({ 1: 'A 10: 10 reserved' });
    expect(given.saidTypes()).toEqual(['DiscrepancyResolved', 'BackorderFilled']);
  });
});

describe('resolving', () => {
  it('posts the difference that was seen, whatever moved meanwhile, and who holds it loses it', () => {
    const given = new GivenStock({ 'W1/A': '10' });
    given.when(wants('o', { 1: 'A 10' }));
    const found = reported(given, 'W1/A', '7');
    given.when(ships('s', 'o', { 1: 'A 4' }));
    given.said();
    expect(given.answer<DiscrepancyAnswer>(resolves(found))).toMatchObject({
      ...{ status: 'resolved', resolvedBy: 'ann', resolutionNote: 'looked at it', difference: '-3' },
    });
    expect(given.at('W1/A')).toBe('3 on hand, 3 reserved, 3 backordered');
    expect(given.ledger('W1/A').at(-1)).toBe('count -3 available = 3');
    const [entry] = given.stock.ledger.slice(-1);
    expect(entry).toMatchObject({ discrepancyId: found.discrepancyId, movement: { refType: 'discrepancy', refId: found.discrepancyId } });
    expect(given.saidTypes()).toEqual(['ReservationShorted', 'StockAdjusted', 'DiscrepancyResolved']);
  });

  it('again answers what it is, and posts nothing twice; any other decision about it comes too late', () => {
    const given = new GivenStock({ 'W1/A': '10' });
    const found = reported(given, 'W1/A', '12');
    const first = given.answer(resolves(found));
    given.said();
    expect(given.answer(resolves(found, { note: 'again' }))).toEqual(first);
    expect(given.when(dismisses(found))).toMatchObject(code('INVALID_STATE'));
    expect(given.when(reviews(found))).toMatchObject(code('INVALID_STATE'));
    expect([given.at('W1/A'), given.said()]).toEqual(['12 on hand', []]);
    expect(given.layers('W1/A')).toEqual(['10 for 10', '2 for 2']);
  });

  it('without adjusting posts nothing; nothing that does not exist is resolved', () => {
    const given = new GivenStock({ 'W1/A': '10' });
    const found = reported(given, 'W1/A', '7');
    given.answer(resolves(found, { adjust: false }));
    expect(given.at('W1/A')).toBe('10 on hand');
    expect(given.when(resolves({ ...found, discrepancyId: 'other' }))).toMatchObject(code('DISCREPANCY_NOT_FOUND'));
  });

  it('takes from the bin and lot where it was seen; without a bin what can be sold first, the default bin first', () => {
    const given = new GivenStock({ 'W1/A': '2', 'W1/A @B1': '5' }, { bins: ['W1/B1'], items: { L: { tracking: 'lot' } } });
    given.when(puts('r', 'W1', 'L 4 #x', 'L 3 #x @B1', 'L 2 #y'));
    given.answer(resolves(reported(given, 'W1/A @B1', '4')));
    expect(given.quants('W1/A')).toEqual(['@B1 available: 4']);
    given.answer(resolves(reported(given, 'W1/A', '3')));
    expect([given.at('W1/A'), given.quants('W1/A')]).toEqual(['3 on hand', ['@B1 available: 3']]);
    given.answer(resolves(reported(given, 'W1/L #x', '2')));
    expect(given.quants('W1/L')).toEqual(['#x @B1 available: 2', '#y available: 2']);
    expect(given.when(resolves(reported(given, 'W1/L', '1')))).toMatchObject(code('STOCK_VALIDATION'));
  });

  it('of what is more is recalled where its lot is', () => {
    const given = new GivenStock({}, { items: { L: { tracking: 'lot' } } });
    given.when(puts('r', 'W1', 'L 4 #x'));
    given.when(recalls('L #x'));
    given.answer(resolves(reported(given, 'W1/L #x', '6')));
    expect(given.quants('W1/L')).toEqual(['#x recalled: 6']);
  });

  it('is refused when more is missing than is still there', () => {
    const given = new GivenStock({ 'W1/A': '10' });
    const found = reported(given, 'W1/A', '2');
    given.when(adjusts('W1/A', '-5 loss'));
    given.said();
    expect(given.when(resolves(found))).toMatchObject(code('INSUFFICIENT_STOCK'));
    expect([given.at('W1/A'), given.said()]).toEqual(['5 on hand', []]);
  });

  it('of a finding that is true no more changes nothing where nothing lies: what comes there later expires with its lot', () => {
    const options = { items: { A: { tracking: 'lot' } }, bins: ['W1/bin'] } as const;
    const given = new GivenStock({ 'W1/A #x': '1 until 2026-01-06' }, options);
    const recording = finds('W1/A #x @bin', '1 0');
    const findings = [{ ...recording.findings[0]!, kind: 'quant_reserved', findingKey: 'quant_reserved|W1|A||x/bin' }];
    given.answer({ ...recording, findings });
    const [found] = [...given.stock.discrepancies.values()];
    given.answer(resolves(found!));
    given.answer(receivesAt('later', 'W1/A #x @bin', '5'));
    given.pass(86_400);
    expect(given.when(wants('o', { 1: 'A 1 @W1' }))).toMatchObject({ answer: { status: 'failed' } });
  });

  it('posts nothing of what nobody counted', () => {
    const given = new GivenStock({ 'W1/A': '10' });
    given.when(finds('W1/A', '10 7'));
    const [found] = [...given.stock.discrepancies.values()];
    expect(given.when(resolves(found!))).toMatchObject(code('STOCK_VALIDATION'));
    given.answer(resolves(found!, { adjust: false }));
    expect(given.at('W1/A')).toBe('10 on hand');
  });
});

it('counts of a balance add up over what is opened and closed', () => {
  const given = new GivenStock({ 'W1/A': '100' });
  const row = () => given.stock.balances.get(`${ORG}/W1/A`)!;
  const all = ['50', '70', '99', '100'].map((snapshot) => reported(given, 'W1/A', snapshot));
  expect([row().doubts, row().doubtful]).toEqual([2, 800_000n]);
  given.answer(dismisses(all[0]!));
  given.answer(dismisses(all[2]!));
  expect([row().doubts, row().doubtful]).toEqual([1, 300_000n]);
  given.answer(resolves(all[1]!));
  expect([row().doubts, row().doubtful]).toEqual([0, 0n]);
  given.when(receives('r', 'W1', { A: '1' }));
  expect(given.at('W1/A')).toBe('71 on hand');
});
