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

  it('keeps entries apart that differ in cost, dates or quality', () => {
    const given = new GivenStock({});
    const line = { itemId: 'A', quantity: '1', unitCost: '1' };
    const expiresAt = '2027-01-01T00:00:00Z';
    given.when(
      receives(
        'r1',
        'W1',
        {},
        { lines: [line, line, { ...line, unitCost: '2' }, { ...line, expiresAt }, { ...line, quality: 'damaged' }] },
      ),
    );
    expect(given.ledger('W1/A')).toEqual([
      'receipt 2 available = 2',
      'receipt 1 available = 3',
      'receipt 1 available = 4',
      'receipt 1 damaged = 5',
    ]);
    expect(given.at('W1/A')).toBe('5 on hand, 1 blocked');
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
      'of an expected receipt',
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
