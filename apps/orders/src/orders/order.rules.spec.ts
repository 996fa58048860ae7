import fc from 'fast-check';
import type { Item, OrderCreate, OrderUpdate, RequestOf } from '#libs/contracts';
import { formatQuantity, parseQuantity } from '#libs/domain';
import { aLine, anOrder, someStock } from './order.fixture.js';
import { type Catalogue, decideAmend, decideCancel, decideConfirm, decidePlace } from './order.rules.js';

const now = new Date('2026-01-10T12:00:00Z');
const key = { orgId: 'acme', orderId: 'o' };

function item(itemId: string, unitPrice: string | null, currency: string | null = null): Item {
  const rest = { name: itemId, unit: 'piece', tracking: 'none', costing: 'fifo', reorderPoint: null, safetyStock: null } as const;
  return { ...rest, itemId, unitPrice, currency, minRemainingShelfLifeDays: null, substitutes: [], createdAt: now.toISOString() };
}

function catalogue(more: Partial<Catalogue> = {}): Catalogue {
  const items = [item('a', '2.50'), item('b', null), item('usd', '3', 'USD')];
  return {
    items: new Map(items.map((each) => [each.itemId, each])),
    settings: { currency: 'EUR', reservationMode: 'all_or_nothing' },
    mayPrice: false,
    ...more,
  };
}

const place = (request: Partial<RequestOf<typeof OrderCreate>>, terms = catalogue()) =>
  decidePlace(key, null, { customerId: 'c', lines: [{ itemId: 'a', quantity: '1' }], ...request }, 'digest', terms, now);
const amend = (order: Parameters<typeof decideAmend>[0], lines: RequestOf<typeof OrderUpdate>['lines'], terms = catalogue()) =>
  decideAmend(order, { orderId: 'o', lines }, terms);
const thrown = (code: string) => expect.objectContaining({ code });

describe('placing', () => {
  it('numbers the lines and asks for all of them', () => {
    const { order, ask } = place({
      lines: [
        { itemId: 'a', quantity: '2.0' },
        { itemId: 'a', quantity: '1', warehouseId: 'w', lot: 'l' },
      ],
      priority: 7,
    });
    expect(order).toMatchObject({
      status: 'reserving',
      version: 0,
      priority: 7,
      currency: 'EUR',
      reservationMode: 'all_or_nothing',
      lastLineNo: 2,
    });
    expect(ask).toEqual({
      kind: 'place',
      data: {
        orderId: 'o',
        priority: 7,
        reservationMode: 'all_or_nothing',
        lines: [
          { lineNo: 1, itemId: 'a', quantity: '2' },
          { lineNo: 2, itemId: 'a', quantity: '1', warehouseId: 'w', lot: 'l' },
        ],
      },
    });
  });

  it('recognises the same body, and refuses another', () => {
    const existing = anOrder();
    const again = (digest: string) => decidePlace(key, existing, { customerId: 'c', lines: [] }, digest, catalogue(), now);
    expect(again('digest')).toEqual({ order: existing });
    expect(() => again('other')).toThrow(thrown('ALREADY_EXISTS'));
  });

  it('continues the count of refused attempts', () => {
    const refused = anOrder({ status: 'refused', sequence: 4, stockSequence: 9, lines: [] });
    const { order } = decidePlace(key, refused, { customerId: 'c', lines: [{ itemId: 'a', quantity: '1' }] }, 'digest', catalogue(), now);
    expect(order).toMatchObject({ status: 'reserving', sequence: 4, stockSequence: 9 });
  });

  it.each<[string, string | undefined, boolean, string | null | Error]>([
    ['a', undefined, false, '2.50'],
    ['b', undefined, false, null],
    ['a', '2.5', false, '2.50'],
    ['a', '2.4', true, '2.4'],
    ['b', '1', true, '1'],
  ])('prices %s at %s (may price: %s) as %s', (itemId, unitPrice, mayPrice, expected) => {
    const line = { itemId, quantity: '1', ...(unitPrice === undefined ? {} : { unitPrice }) };
    expect(place({ lines: [line] }, catalogue({ mayPrice })).order.lines[0]!.unitPrice).toBe(expected);
  });

  it('lets nobody else set a price, and nobody one that its currency does not have', () => {
    expect(() => place({ lines: [{ itemId: 'a', quantity: '1', unitPrice: '2.4' }] })).toThrow(thrown('FORBIDDEN'));
    expect(() => place({ lines: [{ itemId: 'b', quantity: '1', unitPrice: '1' }] })).toThrow(thrown('FORBIDDEN'));
    const tooFine = { lines: [{ itemId: 'a', quantity: '1', unitPrice: '2.505' }] };
    expect(() => place(tooFine, catalogue({ mayPrice: true }))).toThrow(thrown('ORDER_VALIDATION'));
    expect(place({ ...tooFine, currency: 'KWD' }, catalogue({ mayPrice: true })).order.lines[0]!.unitPrice).toBe('2.505');
  });

  it('takes the currency of its items, and refuses to mix', () => {
    expect(
      place({
        lines: [
          { itemId: 'b', quantity: '1' },
          { itemId: 'usd', quantity: '1' },
        ],
      }).order.currency,
    ).toBe('USD');
    expect(() => place({ currency: 'EUR', lines: [{ itemId: 'usd', quantity: '1' }] })).toThrow(thrown('ORDER_VALIDATION'));
  });

  it('refuses what no database can store, and items that do not exist', () => {
    expect(() => place({ shippingAddress: { street: 'a\u0000' } })).toThrow(thrown('VALIDATION_FAILED'));
    expect(() => place({ shippingAddress: { street: ['\ud800'] } })).toThrow(thrown('VALIDATION_FAILED'));
    expect(place({ shippingAddress: { street: 'C:\\u0000, 😀' } }).order.shippingAddress).toEqual({ street: 'C:\\u0000, 😀' });
    expect(() => place({ requestedShipDate: '0000-01-01' })).toThrow(thrown('VALIDATION_FAILED'));
    expect(() => place({ lines: [{ itemId: 'x', quantity: '1' }] })).toThrow(thrown('ITEM_NOT_FOUND'));
  });
});

describe('amending', () => {
  const order = anOrder({ lines: [aLine(), aLine({ lineNo: 2, unitPrice: '2' })], lastLineNo: 4 });

  it('changes known lines, adds new ones under numbers never given, drops the others', () => {
    const { ask, order: unchanged } = amend(order, [
      { lineNo: 2, itemId: 'a', quantity: '3' },
      { itemId: 'b', quantity: '1' },
      { lineNo: 9, itemId: 'a', quantity: '1' },
    ]);
    expect(unchanged).toBe(order);
    expect(ask).toMatchObject({
      kind: 'amend',
      data: { firm: true, lines: [{ lineNo: 2, quantity: '3' }, { lineNo: 10, itemId: 'b' }, { lineNo: 9 }] },
      unitPrices: { 2: '2', 9: '2.50', 10: null },
    });
  });

  it('is of whole pieces where they have serial numbers', () => {
    const terms = catalogue({ items: new Map([['a', { ...item('a', '2.50'), tracking: 'serial' as const }]]) });
    expect(() => place({ lines: [{ itemId: 'a', quantity: '1.5' }] }, terms)).toThrow(thrown('ORDER_VALIDATION'));
    expect(() => amend(order, [{ lineNo: 1, itemId: 'a', quantity: '1.5' }], terms)).toThrow(thrown('ORDER_VALIDATION'));
    expect(amend(order, [{ lineNo: 1, itemId: 'a', quantity: '2' }], terms).ask).toBeDefined();
  });

  it('never counts further than line numbers go', () => {
    expect(amend(order, [{ lineNo: 1_000_000, itemId: 'a', quantity: '1' }]).ask).toBeDefined();
    const beyond = () =>
      amend(order, [
        { lineNo: 1_000_000, itemId: 'a', quantity: '1' },
        { itemId: 'a', quantity: '1' },
      ]);
    expect(beyond).toThrow(thrown('ORDER_VALIDATION'));
  });

  it('asks for nothing when nothing changes, or only a price', () => {
    const same = [
      { lineNo: 1, itemId: 'a', quantity: '10.0' },
      { lineNo: 2, itemId: 'a', quantity: '10', unitPrice: '2.00' },
    ];
    expect(amend(order, same)).toEqual({ order });
    const repriced = amend(order, [{ ...same[0]!, unitPrice: '1' }, same[1]!], catalogue({ mayPrice: true }));
    expect(repriced.ask).toBeUndefined();
    expect(repriced.order.lines[0]!.unitPrice).toBe('1');
  });

  it('goes never below what was shipped', () => {
    const shipped = anOrder({ stock: [someStock({ fulfilled: 4, reserved: 6 })] });
    expect(() => amend(shipped, [{ lineNo: 1, itemId: 'a', quantity: '3.9999' }])).toThrow(thrown('ORDER_VALIDATION'));
    expect(() => amend(shipped, [{ itemId: 'a', quantity: '5' }])).toThrow(thrown('ORDER_VALIDATION'));
    expect(() => amend(shipped, [{ lineNo: 1, itemId: 'b', quantity: '5' }])).toThrow(thrown('ORDER_VALIDATION'));
    expect(amend(shipped, [{ lineNo: 1, itemId: 'a', quantity: '4' }]).ask).toMatchObject({ kind: 'amend' });
  });

  it('refuses an outdated version, a line given twice, and a status that is too late', () => {
    const lines = [{ lineNo: 1, itemId: 'a', quantity: '1' }];
    expect(() => decideAmend(order, { orderId: 'o', ifVersion: 1, lines }, catalogue())).toThrow(thrown('VERSION_MISMATCH'));
    expect(() => amend(order, [...lines, ...lines])).toThrow(thrown('ORDER_VALIDATION'));
    expect(() => amend(anOrder({ status: 'picking' }), lines)).toThrow(thrown('INVALID_STATE'));
  });

  it('never gives a line number twice, whatever is amended how often', () => {
    const request = fc.array(
      fc.record({ lineNo: fc.option(fc.integer({ min: 1, max: 6 }), { nil: undefined }), quantity: fc.integer({ min: 1, max: 9 }) }),
      {
        minLength: 1,
        maxLength: 5,
      },
    );
    fc.assert(
      fc.property(fc.array(request, { maxLength: 6 }), (requests) => {
        let current = anOrder();
        for (const lines of requests) {
          try {
            const { ask } = amend(
              current,
              lines.map(({ lineNo, quantity }) => ({
                itemId: 'a',
                quantity: String(quantity),
                ...(lineNo === undefined ? {} : { lineNo }),
              })),
            );
            if (ask?.kind !== 'amend') continue;
            const numbers = ask.data.lines.map((line) => line.lineNo);
            expect(new Set(numbers).size).toBe(numbers.length);
            const given = new Set(lines.map((line) => line.lineNo));
            for (const lineNo of numbers) if (!given.has(lineNo)) expect(lineNo).toBeGreaterThan(current.lastLineNo);
            const next = ask.data.lines.map((line) => aLine({ lineNo: line.lineNo, quantity: parseQuantity(line.quantity) }));
            current = anOrder({ lines: next, lastLineNo: Math.max(current.lastLineNo, ...numbers) });
          } catch (error) {
            expect(error).toMatchObject({ code: 'ORDER_VALIDATION' });
          }
        }
      }),
    );
  });
});

describe('confirming and cancelling', () => {
  it('says the totals again, firmly', () => {
    const created = anOrder({ status: 'created', firm: false });
    expect(decideConfirm(created).ask).toMatchObject({
      kind: 'confirm',
      data: { lines: [{ quantity: formatQuantity(aLine().quantity) }] },
    });
    expect(decideConfirm(anOrder())).toEqual({ order: anOrder() });
  });

  it('says why', () => {
    expect(decideCancel(anOrder(), { orderId: 'o', reason: 'no' }).ask).toEqual({ kind: 'cancel', data: { orderId: 'o', reason: 'no' } });
    const cancelled = anOrder({ status: 'cancelled', cancelledAt: now });
    expect(decideCancel(cancelled, { orderId: 'o' })).toEqual({ order: cancelled });
  });
});
