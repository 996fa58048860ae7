import { formatQuantity, ZERO } from '#libs/domain';
import {
  arrives,
  byCall,
  expiresLot,
  GivenStock,
  ORG,
  recalls,
  receives,
  receivesAt,
  transfers,
  wants,
} from '../stock-machine/simulation/given-stock.js';

const lots = { items: { A: { tracking: 'lot' } } } as const;
const serial = { items: { A: { tracking: 'serial' } } } as const;
const onTheWay = { mode: 'in_transit' } as const;
const code = (name: string) => expect.objectContaining({ error: expect.objectContaining({ code: name }) });
const inTransit = (given: GivenStock, place: string) => formatQuantity(given.stock.inTransit.get(`${ORG}/${place}`) ?? ZERO);
/** The value of the stock of a balance, by its ledger. */
const value = (given: GivenStock, place: string) =>
  formatQuantity(
    given.stock.ledger.reduce(
      (sum, entry) => sum + (`${entry.warehouseId}/${entry.itemId}` === place ? (entry.valueDelta ?? ZERO) : ZERO),
      ZERO,
    ),
  );

/** Two receipts of different cost. */
function costed(costing: 'fifo' | 'average' = 'fifo') {
  const given = new GivenStock({}, { items: { A: { costing } } });
  for (const [receiptId, quantity, unitCost] of [
    ['r1', '3', '1'],
    ['r2', '3', '2'],
  ] as const) {
    given.answer(receives(receiptId, 'W1', {}, { lines: [{ itemId: 'A', quantity, unitCost }] }));
    given.pass(60);
  }
  return given;
}

describe('a transfer at once', () => {
  it('takes out of one warehouse and puts into the other, with its cost and when it first came', () => {
    const given = costed();
    expect(given.answer(transfers('t1', ['A 4']))).toMatchObject({
      transferId: 't1',
      status: 'completed',
      lines: [{ itemId: 'A', lot: null, quantity: '4', receivedQuantity: '4', missingQuantity: '0', inTransitQuantity: '0' }],
    });
    expect([given.at('W1/A'), given.at('W2/A')]).toEqual(['2 on hand', '4 on hand']);
    expect(given.ledger('W1/A').at(-1)).toBe('transfer_out -4 available = 2');
    expect(given.ledger('W2/A')).toEqual(['transfer_in 4 available = 4']);
    expect([value(given, 'W1/A'), value(given, 'W2/A')]).toEqual(['4', '5']);
    // Back again: what is oldest leaves first, wherever it has been.
    given.answer(transfers('t2', ['A 3'], { fromWarehouseId: 'W2', toWarehouseId: 'W1' }));
    expect([value(given, 'W1/A'), value(given, 'W2/A')]).toEqual(['7', '2']);
  });

  it('of more than there is brings what was not there as come now: nobody knows when it came', () => {
    const given = costed();
    given.set({ enforcementPhase: 'dark' });
    const [first, now] = [new Date(given.stock.now.getTime() - 120_000), given.stock.now];
    given.answer(transfers('t1', ['A 8']));
    const layers = [...given.stock.costs.get(`${ORG}/W2/A`)!.layers.values()];
    expect(layers.map(({ receivedAt, receiptId }) => [receivedAt, receiptId])).toEqual([
      [first, 'r1'],
      [new Date(first.getTime() + 60_000), 'r2'],
      [now, null],
    ]);
  });

  it('moves the lots that expire first, and what is named', () => {
    const given = new GivenStock({ 'W1/A #late': '5 until 2026-03-01', 'W1/A #soon': '5 until 2026-02-01', 'W1/A #never': '5' }, lots);
    expect(given.answer(transfers('t1', ['A 7', 'A 1 #never']))).toMatchObject({
      lines: [{ lot: 'never' }, { lot: 'soon', quantity: '5' }, { lot: 'late', quantity: '2' }],
    });
    expect(given.quants('W2/A')).toEqual(['#late available: 2', '#never available: 1', '#soon available: 5']);
    given.when(wants('o1', { 1: 'A 5 @W2' }));
    expect(given.placedHolds('o1')).toEqual(['W2/A #soon 5']);
  });

  it('never takes what orders hold, and serves who waits at the other end', () => {
    const given = new GivenStock({ 'W1/A': '10' });
    given.when(wants('o1', { 1: 'A 6 @W1' }, { firm: true }));
    given.when(wants('o2', { 1: 'A 3 @W2' }, { firm: true, mode: 'partial' }));
    expect(given.when(transfers('t1', ['A 2', 'A 3']))).toEqual(code('INSUFFICIENT_STOCK'));
    given.answer(transfers('t1', ['A 2', 'A 2']));
    expect([given.at('W1/A'), given.at('W2/A')]).toEqual(['6 on hand, 6 reserved', '4 on hand, 3 reserved']);
  });

  it('asks at once for lots, costs and holds of what it takes, whoever holds it', () => {
    const options = {
      items: { A: { tracking: 'lot' } },
      settings: { enforcementPhase: 'dark' },
      limits: { holdsPerBalance: 1, quantsPerBalance: 1, layersPerBalance: 1 },
    } as const;
    const given = new GivenStock({ 'W1/A #x': '3', 'W1/A #y': '3', 'W1/A #z': '3' }, options);
    given.when(wants('o1', { 1: 'A 2 @W1 #x' }));
    given.when(wants('o2', { 1: 'A 2 @W1 #y' }));
    given.when(wants('o3', { 1: 'A 2 @W1 #z' }));
    const batches = given.batches;
    given.answer(transfers('t', ['A 8']));
    expect([given.quants('W1/A'), given.batches - batches]).toEqual([['#z available: 1, 1 reserved'], 4]);
  });

  it('is known by its id for ever', () => {
    const given = new GivenStock({ 'W1/A': '10' });
    const answer = given.answer(transfers('t1', ['A 4']));
    expect(given.answer(transfers('t1', ['A 4']))).toEqual(answer);
    expect(given.when(transfers('t1', ['A 5']))).toEqual(code('ALREADY_EXISTS'));
    expect(given.at('W1/A')).toBe('6 on hand');
  });

  it.each([
    ['into the warehouse it comes from', transfers('t', ['A 1'], { toWarehouseId: 'W1' }), 'STOCK_VALIDATION'],
    ['of an item that does not exist', transfers('t', ['Z 1']), 'ITEM_NOT_FOUND'],
    ['to a warehouse that does not exist', transfers('t', ['A 1'], { toWarehouseId: 'W9' }), 'WAREHOUSE_NOT_FOUND'],
    ['of a lot of what has none', transfers('t', ['B 1 #x']), 'STOCK_VALIDATION'],
    ['of a lot that nobody knows', transfers('t', ['A 1 #x']), 'LOT_NOT_FOUND'],
  ])('is refused %s', (_, command, expected) => {
    const given = new GivenStock({ 'W1/A #a': '5', 'W1/B': '5' }, lots);
    expect(given.when(command)).toEqual(code(expected));
  });
});

describe('a transfer under way', () => {
  it('is nowhere until it arrives, in parts', () => {
    const given = costed();
    expect(given.answer(transfers('t1', ['A 4'], onTheWay))).toMatchObject({ status: 'in_transit', lines: [{ inTransitQuantity: '4' }] });
    expect([given.at('W1/A'), given.at('W2/A'), inTransit(given, 'W2/A')]).toEqual(['2 on hand', 'nothing', '4']);
    expect(given.answer(arrives('t1', ['A 1']))).toMatchObject({
      status: 'in_transit',
      lines: [{ receivedQuantity: '1', inTransitQuantity: '3' }],
    });
    expect([given.at('W2/A'), inTransit(given, 'W2/A'), value(given, 'W2/A')]).toEqual(['1 on hand', '3', '1']);
    expect(given.answer(arrives('t1'))).toMatchObject({ status: 'completed', completedAt: expect.any(String) });
    expect([given.at('W2/A'), inTransit(given, 'W2/A'), value(given, 'W2/A')]).toEqual(['4 on hand', '0', '5']);
    // There is nothing left to arrive.
    expect(given.answer(arrives('t1'))).toMatchObject({ status: 'completed' });
    expect(given.when(arrives('t1', ['A 1']))).toEqual(code('STOCK_VALIDATION'));
    expect(given.at('W2/A')).toBe('4 on hand');
  });

  it('keeps its average cost', () => {
    const given = costed('average');
    given.answer(transfers('t1', ['A 4'], onTheWay));
    given.answer(arrives('t1', ['A 3']));
    expect([value(given, 'W1/A'), value(given, 'W2/A')]).toEqual(['3', '4.5']);
    expect(given.stock.costs.get(`${ORG}/W2/A`)?.layers.get(0)?.receivedAt).toEqual(given.stock.now);
  });

  it('never arrives as more than left, nor as something else', () => {
    const given = new GivenStock({ 'W1/A': '5', 'W1/B': '5' });
    given.answer(transfers('t1', ['A 4'], onTheWay));
    expect(given.when(arrives('t1', ['A 5']))).toEqual(code('STOCK_VALIDATION'));
    expect(given.when(arrives('t1', ['A 3', 'A 2']))).toEqual(code('STOCK_VALIDATION'));
    expect(given.when(arrives('t1', ['B 1']))).toEqual(code('STOCK_VALIDATION'));
    expect(given.when(arrives('t9'))).toEqual(code('TRANSFER_NOT_FOUND'));
  });

  it('arrives once under one command', () => {
    const given = new GivenStock({ 'W1/A': '5' });
    given.answer(transfers('t1', ['A 4'], onTheWay));
    const once = { commandId: 'c1' };
    const answer = given.answer(arrives('t1', ['A 2'], once));
    expect(given.answer(arrives('t1', ['A 2'], once))).toEqual(answer);
    expect(given.when(arrives('t1', ['A 1'], once))).toEqual(code('ALREADY_EXISTS'));
    expect(given.at('W2/A')).toBe('2 on hand');
  });

  it('that arrives short is closed, and says what is missing and what it cost', () => {
    const given = costed();
    given.answer(transfers('t1', ['A 5'], onTheWay));
    given.said();
    expect(given.answer(arrives('t1', ['A 3'], { closeShortLines: true }))).toMatchObject({
      status: 'completed',
      lines: [{ receivedQuantity: '3', missingQuantity: '2', inTransitQuantity: '0' }],
    });
    expect([given.at('W2/A'), inTransit(given, 'W2/A')]).toEqual(['3 on hand', '0']);
    const shortage = given.said().find(({ type }) => type === 'TransferShortage');
    expect(shortage?.data).toEqual({
      transferId: 't1',
      fromWarehouseId: 'W1',
      toWarehouseId: 'W2',
      itemId: 'A',
      lot: null,
      missing: '2',
      value: '4',
    });
    // What left W1 is what came to W2 and what was lost.
    expect([value(given, 'W1/A'), value(given, 'W2/A')]).toEqual(['2', '3']);
  });

  it('may be lost altogether', () => {
    const given = new GivenStock({ 'W1/A': '5' });
    given.answer(transfers('t1', ['A 4'], onTheWay));
    expect(given.answer(arrives('t1', ['A 0'], { closeShortLines: true }))).toMatchObject({
      status: 'completed',
      lines: [{ missingQuantity: '4' }],
    });
    expect(given.ledger('W2/A')).toEqual([]);
  });

  it('arrives lot by lot, and says which when there are several', () => {
    const given = new GivenStock({ 'W1/A #a': '2 until 2026-02-01', 'W1/A #b': '5' }, lots);
    given.answer(transfers('t1', ['A 6'], onTheWay));
    expect(given.when(arrives('t1', ['A 3']))).toEqual(code('STOCK_VALIDATION'));
    given.answer(arrives('t1', ['A 3 #b']));
    expect(given.quants('W2/A')).toEqual(['#b available: 3']);
    given.answer(arrives('t1', ['A 3']));
    expect(given.quants('W2/A')).toEqual(['#a available: 2', '#b available: 4']);
    given.pass(40 * 86_400);
    expect(given.when(wants('o1', { 1: 'A 5 @W2' }))).toMatchObject({ answer: { status: 'failed', shortLines: [{ available: '4' }] } });
  });

  it('arrives as recalled when its lot was recalled on the way, and serves nobody', () => {
    const given = new GivenStock({ 'W1/A #a': '5', 'W1/A #b': '5' }, lots);
    given.when(wants('o1', { 1: 'A 4 @W2' }, { firm: true, mode: 'partial' }));
    given.answer(transfers('t1', ['A 2 #a', 'A 1 #b'], onTheWay));
    // Nothing of what is under way is anywhere to be taken.
    expect(given.answer(recalls('A #a'))).toMatchObject({ recalled: [{ warehouseId: 'W1', quantity: '3' }] });
    given.answer(arrives('t1'));
    expect(given.quants('W2/A')).toEqual(['#a recalled: 2', '#b available: 1, 1 reserved']);
    expect(given.at('W2/A')).toBe('3 on hand, 2 blocked, 1 reserved, 3 backordered');
    // Said again, there is nothing left to take.
    expect(given.answer(recalls('A #a'))).toMatchObject({ recalled: [] });
  });

  it('that expires on the way is not promised when it arrives, and is swept like any other', () => {
    const given = new GivenStock({ 'W1/A #a': '2 until 2026-02-01' }, lots);
    given.when(wants('o1', { 1: 'A 2 @W2' }, { firm: true, mode: 'partial' }));
    given.answer(transfers('t1', ['A 2'], onTheWay));
    given.pass(40 * 86_400);
    given.answer(arrives('t1'));
    expect(given.at('W2/A')).toBe('2 on hand, 2 backordered');
    given.answer(expiresLot('W2/A #a'));
    expect(given.quants('W2/A')).toEqual(['#a expired: 2']);
  });

  it('is the only way in for a piece with a serial number, until it was lost', () => {
    const given = new GivenStock({ 'W1/A #s1': '1', 'W1/A #s2': '1' }, serial);
    given.answer(transfers('t1', ['A 2'], onTheWay));
    expect(given.when(receivesAt('r1', 'W1/A #s1', '1'))).toEqual(code('SERIAL_EXISTS'));
    expect(given.when(arrives('t1', ['A 0.5 #s1']))).toEqual(code('STOCK_VALIDATION'));
    given.answer(arrives('t1', ['A 1 #s1']));
    expect(given.when(receivesAt('r1', 'W1/A #s1', '1'))).toEqual(code('SERIAL_EXISTS'));
    given.answer(arrives('t1', ['A 0 #s2'], { closeShortLines: true }));
    expect(given.quants('W2/A')).toEqual(['#s1 available: 1']);
    given.answer(receivesAt('r2', 'W1/A #s2', '1'));
    expect(given.when(transfers('t2', ['A 0.5'], { meta: byCall() }))).toEqual(code('STOCK_VALIDATION'));
  });

  it('may be sent and received in one batch', () => {
    const given = new GivenStock({ 'W1/A #s1': '1' }, serial);
    given.batch(transfers('t1', ['A 1 #s1'], onTheWay), receivesAt('r1', 'W1/A #s1', '1'));
    given.answer(arrives('t1'));
    expect([given.quants('W1/A'), given.quants('W2/A')]).toEqual([[], ['#s1 available: 1']]);
  });
});
