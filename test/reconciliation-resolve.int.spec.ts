import { Books, inShort } from './support/books.js';
import { DAMAGES, OF_ITEM } from './support/damages.js';

// What a reconciliation found is set right over HTTP, as far as it is derived from something.

let books: Books;
beforeAll(async () => void (books = await Books.open()), 60_000);
afterAll(() => books.close(), 60_000);
beforeEach(() => books.begin());

describe('resolving a finding with adjust', () => {
  /** What of the damages is set right again: counters, and not what they are derived from. */
  const DERIVED = [
    'on-hand',
    'reserved',
    'backordered',
    'value',
    'blocked',
    'coming',
    'doubted',
    'oversold',
    'average-layer',
    'lots-swapped',
    'lot-lost',
    'lot-held',
    'line-held',
  ];
  /** And what is not, with a word of why. */
  const REFUSED: Readonly<Record<string, RegExp>> = {
    counted: /ledger are missing or were changed/,
    renumbered: /ledger are missing or were changed/,
    rewritten: /cost layers contradict the ledger as well|not told by the ledger/,
    layer: /not told by the ledger/,
    'layer-value': /not told by the ledger/,
    'balance-lost': /ledger are missing or were changed|balance is gone|would be held of/,
    'hold-lost': /would not add up|an order says something else/,
    'waiting-lost': /would not add up|an order says something else/,
    'hold-of-closed': /operating guide/,
    'line-shipped': /which line of the order|say the lines of the order again/,
    'order-quantity': /say the lines of the order again/,
  };
  const damageOf = (item: string) => DAMAGES.find((it) => it.item === item)!;
  const resolve = (discrepancyId: string, more = '') =>
    books.admin.send('POST', `/inventory/discrepancies/${discrepancyId}/resolve${more}`, { note: 'looked at it', adjust: true });
  const sources = async () => {
    const tables = ['ledger_entry', 'reservation', 'reservation_log', 'backorder', 'transfer', 'movement'];
    const digest = (table: string) =>
      `(select md5(coalesce(string_agg(t::text, '' order by t::text), '')) from inventory.${table} t where org_id = $1) as ${table}`;
    return await books.database.rows(`select ${tables.map(digest).join(', ')}`, [books.orgId]);
  };

  it('sets the counter to what its records say, once, and leaves the records as they are', async () => {
    await books.live();
    for (const item of DERIVED) await books.prepare(damageOf(item));
    for (const item of DERIVED) await books.damage(damageOf(item));
    const { findings } = await books.reconcile();
    expect(inShort(findings).sort()).toEqual(DERIVED.flatMap((item) => damageOf(item).found).sort());
    // What moves meanwhile does not matter.
    for (const item of ['on-hand', 'value', 'blocked', 'average-layer']) await books.receive(item, undefined, '5');
    await books.ask('POST', '/orders', {
      orderId: 'meanwhile',
      customerId: 'c',
      lines: ['on-hand', 'reserved'].map((itemId) => ({ itemId, quantity: '1', warehouseId: 'w1' })),
    });
    const before = await sources();
    // These end with what they follow from.
    const derived = findings.filter(({ kind }) => kind !== 'order_line' && kind !== 'oversold');
    for (const { discrepancyId } of findings.filter((it) => !derived.includes(it))) {
      const refused = {
        status: 422,
        body: { detail: expect.stringMatching(/findings of the item first|say the lines of the order again/) },
      };
      expect(await resolve(discrepancyId)).toMatchObject(refused);
    }
    for (const { discrepancyId } of derived) expect(await resolve(discrepancyId, '?dryRun=true')).toMatchObject({ status: 200 });
    expect((await books.reconcile()).findingsTotal).toBe(findings.length);
    for (const { discrepancyId } of derived) {
      const twice = await Promise.all([resolve(discrepancyId), resolve(discrepancyId)]);
      expect(twice).toMatchObject(twice.map(() => ({ status: 200, body: { status: 'resolved', resolvedBy: 'tester' } })));
    }
    expect(await sources()).toEqual(before);
    const { items } = await books.ask<{ items: { details: Record<string, unknown> }[] }>(
      'GET',
      '/audit/events?type=discrepancy_resolved&limit=100',
    );
    expect(items).toHaveLength(derived.length);
    const told = new Map(items.map(({ details }) => [details['discrepancyId'], details['rederived']]));
    const recordOf = (item: string, kind: string) => told.get(derived.find((it) => it.itemId === item && it.kind === kind)!.discrepancyId);
    expect(recordOf('on-hand', 'on_hand')).toEqual({ counter: 'on_hand', from: '16', to: '15' });
    expect(recordOf('lot-lost', 'quant')).toEqual({ counter: 'quant', from: '0', to: '10' });
    expect(recordOf('line-held', 'line_parts')).toMatchObject({ from: '2 held, 0 waiting', to: '3 held, 0 waiting' });
    expect((await books.reconcile()).findings).toEqual([]);
  }, 120_000);

  it('is refused with what to do where no record tells the number, and changes nothing', async () => {
    await books.ask('POST', '/warehouses', { warehouseId: 'w1', name: 'One' });
    for (const item of Object.keys(REFUSED)) await books.prepare(damageOf(item));
    for (const item of Object.keys(REFUSED)) await books.damage(damageOf(item));
    const { findings } = await books.reconcile();
    for (const { discrepancyId, itemId, kind } of findings) {
      const { status, body } = await resolve(discrepancyId);
      expect([itemId, kind, status, body['code']]).toEqual([itemId, kind, 422, 'STOCK_VALIDATION']);
      expect(String(body['detail'] ?? body['message'])).toMatch(REFUSED[itemId]!);
    }
    const again = await books.reconcile();
    expect(inShort(again.findings).sort()).toEqual(inShort(findings).sort());
    expect(await books.ask('GET', '/inventory/discrepancies?open=true&source=reconciliation_job&limit=100')).toMatchObject({
      items: again.findings.map(() => ({ status: 'new' })),
    });
  }, 120_000);

  it('serves whoever waits with what a counter had kept from them', async () => {
    await books.ask('POST', '/warehouses', { warehouseId: 'w1', name: 'One' });
    await books.prepare(damageOf('reserved'));
    await books.damage({ ...damageOf('reserved'), sql: [`update inventory.stock_balance set reserved = 10 ${OF_ITEM}`] });
    const waits = { orderId: 'waits', customerId: 'c', reservationMode: 'partial' };
    await books.ask('POST', '/orders', { ...waits, lines: [{ itemId: 'reserved', quantity: '4', warehouseId: 'w1' }] });
    const { findings } = await books.reconcile();
    expect(inShort(findings)).toEqual(['reserved: w1 reserved: 3 -> 10']);
    expect(await resolve(findings[0]!.discrepancyId)).toMatchObject({ status: 200 });
    expect(await books.ask('GET', '/inventory/availability?itemId=reserved&warehouseId=w1')).toMatchObject({
      items: [{ reserved: '7', backordered: '0' }],
    });
    expect((await books.reconcile()).findings).toEqual([]);
  }, 60_000);
});
