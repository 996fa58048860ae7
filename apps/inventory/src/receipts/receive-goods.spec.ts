import { formatQuantity, parseQuantity, ZERO } from '#libs/domain';
import type { Expectation } from '../expected-receipts/expected-receipt.js';
import { byEvent, GivenStock, receives } from '../stock-machine/simulation/given-stock.js';

describe('a receipt', () => {
  it('raises on hand, and tells the balance after each line', () => {
    const given = new GivenStock({ 'W1/A': '1' });
    const lines = [
      { itemId: 'A', quantity: '2.50', unitCost: '1.10' },
      { itemId: 'B', quantity: '4', unitCost: '0' },
      { itemId: 'A', quantity: '1', unitCost: '1.1' },
    ];
    const answer = given.answer(receives('r1', 'W1', {}, { lines, reference: 'PO 7' }));
    const told = [
      { itemId: 'A', quantity: '2.5', unitCost: '1.1', balanceAfter: '3.5' },
      { itemId: 'B', quantity: '4', unitCost: '0', balanceAfter: '4' },
      { itemId: 'A', quantity: '1', unitCost: '1.1', balanceAfter: '4.5' },
    ];
    expect(answer).toEqual({ receiptId: 'r1', movementId: expect.any(String), lines: told });
    expect(given.at('W1/A')).toBe('4.5 on hand');
    expect(given.ledger('W1/A').slice(1)).toEqual(['receipt 3.5 available = 4.5']);
    expect(given.said()[0]).toMatchObject({
      type: 'StockReceived',
      subject: 'r1',
      data: { receiptId: 'r1', warehouseId: 'W1', lines: told.map((line) => ({ ...line, lot: null })) },
    });
  });

  it('keeps entries apart that differ in cost or quality', () => {
    const given = new GivenStock({});
    const line = { itemId: 'A', quantity: '1', unitCost: '1' };
    given.when(receives('r1', 'W1', {}, { lines: [line, line, { ...line, unitCost: '2' }, { ...line, quality: 'damaged' }] }));
    expect(given.ledger('W1/A')).toEqual(['receipt 2 available = 2', 'receipt 1 available = 3', 'receipt 1 damaged = 4']);
    expect(given.at('W1/A')).toBe('4 on hand, 1 blocked');
  });

  it.each(['producedAt', 'expiresAt'])('takes no %s of what is not tracked by lot, where it would have no effect', (date) => {
    const given = new GivenStock({});
    const lines = [{ itemId: 'A', quantity: '1', unitCost: '1', [date]: '2027-01-01T00:00:00Z' }];
    const message = `item A is not tracked by lot, and only lots have dates; leave ${date} out`;
    expect(given.when(receives('r1', 'W1', {}, { lines }))).toMatchObject({
      error: { kind: 'rejected', code: 'STOCK_VALIDATION', message },
    });
    given.when(receives('r1', 'W1', {}, { lines, meta: byEvent('e1') }));
    expect(given.said()).toMatchObject([
      { type: 'StockReceiptFailed', data: { receiptId: 'r1', reason: 'INVALID_STATE', lines: [{ itemId: 'A', message }] } },
    ]);
    expect(given.at('W1/A')).toBe('nothing');
  });

  it('takes no lot that would expire before it was produced', () => {
    const given = new GivenStock({}, { items: { A: { tracking: 'lot' } } });
    const dates = (producedAt: string, expiresAt: string) => {
      const line = { itemId: 'A', quantity: '1', unitCost: '1', lot: 'L', producedAt, expiresAt };
      return given.when(receives('r1', 'W1', {}, { lines: [line] }));
    };
    expect(dates('2026-03-01T00:00:00Z', '2026-02-01T00:00:00Z')).toMatchObject({
      error: { code: 'STOCK_VALIDATION', message: expect.stringContaining('lot L of item A would expire before it was produced') },
    });
    expect(given.at('W1/A')).toBe('nothing');
    dates('2026-02-01T00:00:00Z', '2026-03-01T00:00:00Z');
    expect(given.at('W1/A')).toBe('1 on hand');
  });

  it('said again is answered as before, and posts nothing', () => {
    const given = new GivenStock({});
    const first = given.answer(receives('r1', 'W1', { A: '3' }));
    given.said();
    expect(given.answer(receives('r1', 'W1', { A: '3' }))).toEqual(first);
    expect(given.said()).toEqual([]);
    given.when(receives('r1', 'W1', { A: '3' }, { meta: byEvent('e1') }));
    expect(given.saidTypes()).toEqual(['StockReceived']);
    expect(given.at('W1/A')).toBe('3 on hand');
  });

  it('said twice in one batch is posted once', () => {
    const given = new GivenStock({});
    const [first, second] = given.batch(receives('r1', 'W1', { A: '3' }), receives('r1', 'W1', { A: '3' }));
    expect(second).toEqual(first);
    expect(given.at('W1/A')).toBe('3 on hand');
  });

  it.each([
    ['with other content under the same id', { A: '4' }, {}, 'ALREADY_EXISTS', 'ALREADY_EXISTS', 'conflict'],
    ['of an unknown item', { X: '1' }, { receiptId: 'r2' }, 'ITEM_NOT_FOUND', 'ITEM_NOT_FOUND', 'not_found'],
    [
      'in an unknown warehouse',
      { A: '1' },
      { receiptId: 'r2', warehouseId: 'W9' },
      'WAREHOUSE_NOT_FOUND',
      'WAREHOUSE_NOT_FOUND',
      'not_found',
    ],
    [
      'of a lot',
      {},
      { receiptId: 'r2', lines: [{ itemId: 'A', quantity: '1', unitCost: '1', lot: 'L' }] },
      'STOCK_VALIDATION',
      'LOT_NOT_FOUND',
      'rejected',
    ],
    [
      'in a bin',
      {},
      { receiptId: 'r2', lines: [{ itemId: 'A', quantity: '1', unitCost: '1', location: 'B1' }] },
      'LOCATION_NOT_FOUND',
      'INVALID_STATE',
      'not_found',
    ],
    [
      'of an expected receipt that is not known',
      {},
      { receiptId: 'r2', lines: [{ itemId: 'A', quantity: '1', unitCost: '1', expectedReceiptId: 'x' }] },
      'NOT_FOUND',
      'INVALID_STATE',
      'not_found',
    ],
    ['of more than can be counted', { A: '999999999999' }, { receiptId: 'r2' }, 'STOCK_VALIDATION', 'INVALID_STATE', 'rejected'],
  ])('%s is refused: an error to a call, an event to an event', (_, goods, more, code, reason, kind) => {
    const given = new GivenStock({});
    given.when(receives('r1', 'W1', { A: '3' }));
    given.said();
    expect(given.when(receives('r1', 'W1', goods, more))).toMatchObject({ kind: 'error', error: { kind, code } });
    expect(given.said()).toEqual([]);
    given.when(receives('r1', 'W1', goods, { ...more, meta: byEvent('e1') }));
    expect(given.said()).toMatchObject([{ type: 'StockReceiptFailed', data: { reason } }]);
    expect(given.at('W1/A')).toBe('3 on hand');
  });
});

describe('a receipt of what was announced', () => {
  const announced = (quantity: string, more: Partial<Expectation> = {}) => {
    const given = new GivenStock({ 'W1/A': '1' });
    given.stock.expectedReceipts.set('org/e', {
      ...{ expectedReceiptId: 'e', warehouseId: 'W1', itemId: 'A', expectedOn: '2026-03-15', reference: null, status: 'open' },
      ...{ quantity: parseQuantity(quantity), received: ZERO },
      ...more,
    });
    return given;
  };
  const came = (receiptId: string, ...quantities: readonly string[]) => {
    const lines = quantities.map((quantity) => ({ itemId: 'A', quantity, unitCost: '1', expectedReceiptId: 'e' }));
    return receives(receiptId, 'W1', {}, { lines });
  };
  const known = (given: GivenStock) => {
    const { status, received, quantity } = given.stock.expectedReceipts.get('org/e')!;
    return `${status}, ${formatQuantity(received)} of ${formatQuantity(quantity)}`;
  };

  it('leaves open what has not come yet, and closes it when all has', () => {
    const given = announced('10');
    given.answer(came('r1', '2.5', '1.5'));
    expect([known(given), given.at('W1/A')]).toEqual(['open, 4 of 10', '5 on hand']);
    given.answer(came('r2', '6'));
    expect([known(given), given.at('W1/A')]).toEqual(['received, 10 of 10', '11 on hand']);
  });

  it('counts once what is said twice', () => {
    const given = announced('10');
    given.batch(came('r1', '4'), came('r1', '4'));
    given.answer(came('r1', '4'));
    expect([known(given), given.at('W1/A')]).toEqual(['open, 4 of 10', '5 on hand']);
  });

  it('adds up what comes in one batch', () => {
    const given = announced('10');
    given.batch(came('r1', '4'), came('r2', '5'));
    expect(known(given)).toBe('open, 9 of 10');
  });

  it('takes in more than was announced, also of what was cancelled or had come', () => {
    const given = announced('10');
    given.answer(came('r1', '12'));
    given.answer(came('r2', '1'));
    expect([known(given), given.at('W1/A')]).toEqual(['received, 13 of 10', '14 on hand']);
    const cancelled = announced('10', { status: 'cancelled', received: parseQuantity('2') });
    cancelled.answer(came('r1', '9'));
    expect([known(cancelled), cancelled.at('W1/A')]).toEqual(['cancelled, 11 of 10', '10 on hand']);
  });

  it.each([
    ['of another item', { itemId: 'B' }, 'STOCK_VALIDATION', 'rejected'],
    ['in another warehouse', { warehouseId: 'W2' }, 'STOCK_VALIDATION', 'rejected'],
    ['of which more would have come than can be counted', { received: parseQuantity('999999999999') }, 'STOCK_VALIDATION', 'rejected'],
  ])('%s is refused, and nothing comes in', (_, more, code, kind) => {
    const given = announced('10', more);
    const before = known(given);
    expect(given.when(came('r1', '1'))).toMatchObject({ kind: 'error', error: { kind, code } });
    given.said();
    given.when({ ...came('r1', '1'), meta: byEvent('e1') });
    expect(given.said()).toMatchObject([{ type: 'StockReceiptFailed', data: { reason: 'INVALID_STATE' } }]);
    expect([known(given), given.at('W1/A')]).toEqual([before, '1 on hand']);
  });

  it('that is refused for another reason counts nothing', () => {
    const given = announced('10');
    const lines = [
      { itemId: 'A', quantity: '4', unitCost: '1', expectedReceiptId: 'e' },
      { itemId: 'X', quantity: '4', unitCost: '1' },
    ];
    expect(given.when(receives('r1', 'W1', {}, { lines }))).toMatchObject({ kind: 'error', error: { code: 'ITEM_NOT_FOUND' } });
    expect(known(given)).toBe('open, 0 of 10');
  });
});
