import { adjusts, byCall, cancels, GivenStock, ORG, puts, ships, unships, wants } from '../stock-machine/simulation/given-stock.js';

const DAY = 86_400;
const LOTS = { items: { A: { tracking: 'lot' as const } } };
const given = (...goods: readonly string[]) => {
  const stock = new GivenStock({}, { ...LOTS, bins: ['W1/B1', 'W1/B2'] });
  for (const [index, text] of goods.entries()) {
    stock.pass(1);
    stock.when(puts(`opening-${index}`, 'W1', text));
  }
  stock.said();
  return stock;
};
const status = (stock: GivenStock, command: ReturnType<typeof wants>) => stock.answer<{ status: string; reason?: string }>(command);

describe('a hold of a tracked item', () => {
  it('takes what expires first, what never does last, and of that what came first', () => {
    const stock = given('A 1 #never-2', 'A 1 #late expires=30', 'A 1 #never-3', 'A 1 #soon expires=10');
    for (const order of ['o1', 'o2', 'o3', 'o4']) stock.when(wants(order, { 1: 'A 1' }));
    expect(['o1', 'o2', 'o3', 'o4'].map((order) => stock.placedHolds(order)[0])).toEqual([
      'W1/A #soon 1',
      'W1/A #late 1',
      'W1/A #never-2 1',
      'W1/A #never-3 1',
    ]);
  });

  it('is split over as many lots and bins as it takes, and told by lot', () => {
    const stock = given('A 2 #L1 expires=10', 'A 2 #L1 @B1 expires=10', 'A 9 #L2 expires=20');
    stock.when(wants('o', { 1: 'A 5' }));
    expect(stock.placedHolds('o')).toEqual(['W1/A #L1 2', 'W1/A #L1 @B1 2', 'W1/A #L2 1']);
    expect(stock.quants('W1/A')).toEqual([
      '#L1 @B1 available: 2, 2 reserved',
      '#L1 available: 2, 2 reserved',
      '#L2 available: 9, 1 reserved',
    ]);
    expect(stock.said().at(-1)!.data).toMatchObject({
      lines: [
        { lot: 'L1', quantity: '4' },
        { lot: 'L2', quantity: '1' },
      ],
    });
  });

  it('in several bins is told as one, whatever becomes of it', () => {
    const stock = new GivenStock({}, { bins: ['W1/B1'] });
    stock.when(puts('r', 'W1', 'A 2', 'A 2 @B1'));
    const told = () =>
      stock
        .said()
        .flatMap(({ type, data }) => ((data as { lines?: { quantity: string }[] }).lines ?? []).map((line) => ({ type, ...line })));
    stock.said();
    const held = stock.answer<{ lines: unknown[] }>(wants('o', { 1: 'A 4' }));
    expect(stock.placedHolds('o')).toEqual(['W1/A 2', 'W1/A @B1 2']);
    expect(held.lines).toMatchObject([{ lineNo: 1, warehouseId: 'W1', lot: null, quantity: '4' }]);
    expect(told()).toMatchObject([{ type: 'StockReserved', quantity: '4' }]);
    stock.when(cancels('o'));
    expect(told()).toMatchObject([{ type: 'StockReleased', quantity: '4' }]);

    stock.when(wants('p', { 1: 'A 4' }));
    stock.said();
    expect(stock.answer(ships('s', 'p', { 1: 'A 4' }))).toMatchObject({ lines: [{ quantity: '4', cogs: '4' }] });
    expect(told()).toMatchObject([{ type: 'StockDepleted', quantity: '4' }]);
    stock.when(unships('s', 'p'));
    expect(told()).toMatchObject([{ type: 'ShipmentReversed', quantity: '4' }]);

    stock.when(wants('q', { 1: 'A 4' }, { mode: 'partial' }));
    stock.said();
    stock.when(cancels('p'));
    expect(told()).toMatchObject([
      { type: 'StockReleased', quantity: '4' },
      { type: 'BackorderFilled', quantity: '4' },
    ]);
  });

  it('of two lines of one item never takes the same piece twice, however little was read ahead', () => {
    const stock = new GivenStock({}, { ...LOTS, limits: { quantsPerBalance: 2 } });
    stock.when(puts('r', 'W1', 'A 3 #L1 expires=1', 'A 3 #L2 expires=2', 'A 3 #L3 expires=3'));
    stock.when(wants('o', { 1: 'A 4', 2: 'A 4' }));
    expect(stock.placedHolds('o')).toEqual(['W1/A #L1 3', 'W1/A #L2 1', 'W1/A #L2 2', 'W1/A #L3 2']);
  });

  it('of a named lot takes that lot only', () => {
    const stock = given('A 5 #L1 expires=10', 'A 2 #L2 expires=20');
    expect(status(stock, wants('o1', { 1: 'A 3 #L2' }))).toMatchObject({ status: 'failed', reason: 'INSUFFICIENT_STOCK' });
    expect(status(stock, wants('o2', { 1: 'A 2 #L2' }))).toMatchObject({ status: 'reserved' });
    expect(stock.placedHolds('o2')).toEqual(['W1/A #L2 2']);
    expect(status(stock, wants('o3', { 1: 'A 1 #L9' }))).toMatchObject({ status: 'failed', reason: 'LOT_NOT_FOUND' });
  });

  it('lets the line that names a lot choose before the one that does not', () => {
    const stock = given('A 2 #L1 expires=10', 'A 2 #L2 expires=20');
    expect(status(stock, wants('o', { 1: 'A 2', 2: 'A 2 #L1' }))).toMatchObject({ status: 'reserved' });
    expect(stock.placedHolds('o')).toEqual(['W1/A #L1 2', 'W1/A #L2 2']);
  });

  it('is not refused because a lot is counted as too old and as taken by another line', () => {
    const stock = given('A 5 #short expires=10', 'A 5 #long expires=90');
    expect(status(stock, wants('o', { 1: 'A 5 #short', 2: 'A 5 life=30' }))).toMatchObject({ status: 'reserved' });
  });
});

describe('minimum remaining shelf life', () => {
  const goods = ['A 5 #L1 expires=10', 'A 5 #L2 expires=40'];

  it.each([
    ['the line', { 1: 'A 1 life=30' }, {}],
    ['the order', { 1: 'A 1' }, { minRemainingShelfLifeDays: 30 }],
  ] as const)('is what %s asks for', (_, lines, more) => {
    const stock = given(...goods);
    stock.when(wants('o', lines, more));
    expect(stock.placedHolds('o')).toEqual(['W1/A #L2 1']);
    expect(status(stock, wants('o2', { 1: 'A 5 life=30' }))).toMatchObject({ status: 'failed', reason: 'INSUFFICIENT_STOCK' });
    expect(status(stock, wants('o3', { 1: 'A 1 #L1 life=30' }))).toMatchObject({ status: 'failed', reason: 'INSUFFICIENT_STOCK' });
  });

  it('else what the item asks for, else the organisation', () => {
    const byItem = new GivenStock({}, { items: { A: { tracking: 'lot', minRemainingShelfLifeDays: 30 } } });
    const byOrg = new GivenStock({}, { ...LOTS, settings: { minRemainingShelfLifeDays: 30 } });
    for (const stock of [byItem, byOrg]) {
      stock.when(puts('r', 'W1', ...goods));
      stock.when(wants('o', { 1: 'A 1' }));
      stock.when(wants('o0', { 1: 'A 1 life=0' }));
      expect([stock.placedHolds('o'), stock.placedHolds('o0')]).toEqual([['W1/A #L2 1'], ['W1/A #L1 1']]);
    }
  });

  it('does not take away what is held as time passes, but moves it when the order asks for more', () => {
    const stock = given(...goods);
    stock.when(wants('o', { 1: 'A 5 life=5' }, { firm: false, ttlSeconds: 60 * DAY }));
    stock.pass(7 * DAY);
    stock.when(wants('o', { 1: 'A 5 life=5' }));
    expect(stock.placedHolds('o')).toEqual(['W1/A #L1 5']);
    stock.when(wants('o', { 1: 'A 5 life=30' }));
    expect(stock.placedHolds('o')).toEqual(['W1/A #L2 5']);
  });
});

describe('an expired lot', () => {
  it('is promised until the moment it expires, and from then on no more', () => {
    const stock = given('A 5 #L1 expires=10');
    stock.stock.now = new Date(stock.stock.now.getTime() + 10 * DAY * 1000 - 1001);
    expect(status(stock, wants('o1', { 1: 'A 1' }))).toMatchObject({ status: 'reserved' });
    stock.pass(0.001);
    expect(status(stock, wants('o2', { 1: 'A 1' }))).toMatchObject({ status: 'failed', reason: 'INSUFFICIENT_STOCK' });
    expect(status(stock, wants('o3', { 1: 'A 1 #L1' }))).toMatchObject({ status: 'failed' });
  });

  it('fills no backorder, and does not keep fresh stock from those who wait', () => {
    const stock = given('A 5 #L1 expires=10');
    stock.pass(11 * DAY);
    stock.when(wants('o', { 1: 'A 2' }, { mode: 'partial' }));
    expect(stock.order('o')!.lines).toEqual({ 1: 'A 2: 2 backordered' });
    stock.when(puts('fresh', 'W1', 'A 1 #L2 expires=30'));
    expect(stock.placedHolds('o')).toEqual(['W1/A #L2 1']);
    expect(stock.order('o')!.lines).toEqual({ 1: 'A 2: 1 reserved, 1 backordered' });
  });

  it('is not held anew when its order is amended or confirmed: the old hold stands, or fresh stock is taken', () => {
    const stock = given('A 5 #L1 expires=10');
    stock.when(wants('o', { 1: 'A 2' }, { firm: false, ttlSeconds: 60 * DAY }));
    stock.pass(11 * DAY);
    expect(status(stock, wants('o', { 1: 'A 2' }))).toMatchObject({ status: 'failed', reason: 'INSUFFICIENT_STOCK' });
    expect(stock.placedHolds('o')).toEqual(['W1/A #L1 2']);
    // On another line it would be given back and taken again.
    expect(status(stock, wants('o', { 2: 'A 2' }))).toMatchObject({ status: 'failed', reason: 'INSUFFICIENT_STOCK' });
    stock.when(puts('fresh', 'W1', 'A 5 #L2 expires=30'));
    expect(status(stock, wants('o', { 1: 'A 2' }))).toMatchObject({ status: 'reserved' });
    expect(stock.placedHolds('o')).toEqual(['W1/A #L2 2']);
    expect(stock.at('W1/A')).toBe('10 on hand, 2 reserved');
  });

  it('that came back with a cancelled shipment is not held again: the order waits', () => {
    const stock = given('A 5 #L1 expires=10');
    stock.when(wants('o', { 1: 'A 2' }));
    stock.when(ships('s', 'o', { 1: 'A 2' }));
    stock.pass(11 * DAY);
    stock.when(unships('s', 'o'));
    expect(stock.order('o')!.lines).toEqual({ 1: 'A 2: 2 backordered' });
    expect(stock.quants('W1/A')).toEqual(['#L1 available: 5']);
  });
});

describe('an order that gives back and takes again', () => {
  it('can have its own lot on another line, whatever the safety stock has become', () => {
    const stock = given('A 5 #L1 expires=10');
    stock.when(wants('o', { 1: 'A 4' }));
    stock.when({ kind: 'set-stock-policy', orgId: ORG, warehouseId: 'W1', itemId: 'A', safetyQuantity: '5', meta: byCall() });
    expect(status(stock, wants('o', { 2: 'A 4 #L1' }))).toMatchObject({ status: 'reserved' });
    expect(status(stock, wants('o', { 2: 'A 5 #L1' }))).toMatchObject({ status: 'failed' });
    expect(stock.placedHolds('o')).toEqual(['W1/A #L1 4']);
  });

  it('in the batch in which it took', () => {
    const stock = new GivenStock({}, { ...LOTS, limits: { quantsPerBalance: 2 } });
    stock.when(puts('r', 'W1', 'A 3 #L1', 'A 3 #L2', 'A 3 #L3'));
    stock.batch(wants('o', { 1: 'A 4' }), wants('o', { 1: 'A 2' }), cancels('o'), wants('p', { 1: 'A 9' }));
    expect(stock.placedHolds('o')).toEqual([]);
    expect(stock.at('W1/A')).toBe('9 on hand, 9 reserved');
  });
});

describe('backorders', () => {
  it('for a named lot do not keep others waiting, however many they are', () => {
    const stock = new GivenStock({}, { ...LOTS, limits: { filledPerBatchMax: 2, quantsPerBalance: 2 } });
    stock.when(puts('r', 'W1', 'A 1 #L1', 'A 1 #L2'));
    stock.when(wants('all', { 1: 'A 2' }));
    for (const order of ['n1', 'n2', 'n3', 'n4', 'n5']) stock.when(wants(order, { 1: 'A 1 #L1' }, { mode: 'partial', priority: 90 }));
    stock.when(wants('any', { 1: 'A 1' }, { mode: 'partial' }));
    stock.when(puts('more', 'W1', 'A 1 #L2'));
    stock.goOn();
    expect(stock.placedHolds('any')).toEqual(['W1/A #L2 1']);
    stock.when(puts('named', 'W1', 'A 1 #L1'));
    stock.goOn();
    expect(stock.placedHolds('n1')).toEqual(['W1/A #L1 1']);
  });

  it('for a named lot do not keep who comes after them from another lot', () => {
    const stock = given('A 4 #L1', 'A 1 #L2');
    stock.when(wants('named', { 1: 'A 5 #L2' }, { mode: 'partial' }));
    stock.when(wants('other', { 1: 'A 3 #L1' }, { mode: 'partial' }));
    stock.goOn();
    expect(stock.placedHolds('other')).toEqual(['W1/A #L1 3']);
  });

  it('for long-lived stock wait for it, others take what there is', () => {
    const stock = given('A 1 #L1 expires=10');
    stock.when(wants('long', { 1: 'A 1 life=30' }, { mode: 'partial', priority: 90 }));
    stock.when(adjusts('W1/A #L1', '1 found'));
    expect(stock.order('long')!.lines).toEqual({ 1: 'A 1: 1 backordered' });
    stock.when(puts('fresh', 'W1', 'A 1 #L2 expires=60'));
    expect(stock.placedHolds('long')).toEqual(['W1/A #L2 1']);
  });
});

describe('an item without lots in several bins', () => {
  it('is held from the default bin first, and by bin', () => {
    const stock = new GivenStock({ 'W1/A': '2' }, { bins: ['W1/B1'] });
    stock.when(puts('r', 'W1', 'A 3 @B1'));
    stock.when(wants('o', { 1: 'A 4' }));
    expect(stock.placedHolds('o')).toEqual(['W1/A 2', 'W1/A @B1 2']);
    stock.when(cancels('o'));
    expect(stock.quants('W1/A')).toEqual(['@B1 available: 3']);
    expect(stock.at('W1/A')).toBe('5 on hand');
  });
});

const items = { A: { tracking: 'lot' } } as const;

describe('of a tracked item', () => {
  it('what expires first is held first, from as many lots as it takes', () => {
    const given = new GivenStock(
      { 'W1/A #never': '5', 'W1/A #march': '5 until 2026-03-01', 'W1/A #feb': '2 until 2026-02-01', 'W1/A #feb @bin': '2' },
      { items, bins: ['W1/bin'] },
    );
    given.when(wants('o1', { 1: 'A 10' }));
    expect(given.placedHolds('o1')).toEqual(['W1/A #feb 2', 'W1/A #feb @bin 2', 'W1/A #march 5', 'W1/A #never 1']);
    expect(given.quants('W1/A')).toEqual([
      '#feb @bin available: 2, 2 reserved',
      '#feb available: 2, 2 reserved',
      '#march available: 5, 5 reserved',
      '#never available: 5, 1 reserved',
    ]);
  });

  it('what has expired is not promised, swept or not', () => {
    const given = new GivenStock({ 'W1/A #old': '5 until 2026-01-06', 'W1/A #new': '5 until 2026-03-01' }, { items });
    given.pass(86_400);
    expect(given.when(wants('o1', { 1: 'A 6' }))).toMatchObject({ answer: { status: 'failed', shortLines: [{ available: '5' }] } });
    expect(given.when(wants('o2', { 1: 'A 1 #old' }))).toMatchObject({ answer: { status: 'failed' } });
    given.when(wants('o3', { 1: 'A 5' }));
    expect(given.placedHolds('o3')).toEqual(['W1/A #new 5']);
  });
});
