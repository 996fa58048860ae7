import { changedItem, checkItem, newItem, priced } from './item.js';

describe('item', () => {
  it('is equal to another that says the same in other words', () => {
    const said = newItem({
      itemId: 'I',
      name: 'Bolt',
      unit: 'piece',
      tracking: 'none',
      unitPrice: '1.50',
      safetyStock: null,
      substitutes: [],
      dryRun: true,
    });
    expect(newItem({ itemId: 'I', name: 'Bolt', unitPrice: '1.5' })).toEqual(said);
  });

  it('ignores what else a request carries', () => {
    const request = { itemId: 'I', name: 'Bolt', orgId: 'org', actor: 'token', createdAt: 'x' };
    expect(newItem(request)).toEqual(newItem({ itemId: 'I', name: 'Bolt' }));
    expect(changedItem(newItem(request), { ...request, ...{ tracking: 'lot' } })).toEqual(newItem(request));
  });

  it('changes what is named, clears what is null, keeps the rest', () => {
    const item = newItem({ itemId: 'I', name: 'Bolt', reorderPoint: '5', safetyStock: '2', substitutes: ['J'] });
    expect(changedItem(item, { itemId: 'I', name: 'Nut', safetyStock: null, unitPrice: '2.0' })).toEqual({
      ...item,
      name: 'Nut',
      safetyStock: null,
      unitPrice: '2',
    });
  });

  it('has its price in the currency of the organisation unless it says another', () => {
    expect(priced(newItem({ itemId: 'I', name: 'Bolt', unitPrice: '1' }), 'CHF').currency).toBe('CHF');
    expect(priced(newItem({ itemId: 'I', name: 'Bolt', unitPrice: '1', currency: 'USD' }), 'CHF').currency).toBe('USD');
    expect(priced(newItem({ itemId: 'I', name: 'Bolt' }), 'CHF').currency).toBeNull();
  });

  it.each([
    ['has a price finer than its currency', { unitPrice: '1.005', currency: 'EUR' }],
    ['stands in for itself', { substitutes: ['J', 'I'] }],
  ] as const)('is refused when it %s', (_, fields) => {
    const item = newItem({
      itemId: 'I',
      name: 'Bolt',
      ...fields,
      ...('substitutes' in fields ? { substitutes: [...fields.substitutes] } : {}),
    } as Parameters<typeof newItem>[0]);
    expect(() => checkItem(item)).toThrow(expect.objectContaining({ kind: 'rejected', code: 'STOCK_VALIDATION' }));
  });

  it('is accepted otherwise', () => {
    expect(() => checkItem(newItem({ itemId: 'I', name: 'Bolt', unitPrice: '1.0500', currency: 'EUR', substitutes: ['J'] }))).not.toThrow();
  });
});
