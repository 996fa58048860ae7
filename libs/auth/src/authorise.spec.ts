import { allCalls, LotRecall, OrderCreate, OrderGet, OWN_SERVICES, ReceiptPost, TransferCreate, ROLES, type Role } from '#libs/contracts';
import { authorise, type Actor } from './index.js';

const actor = (roles: Role[], warehouses: string[] | null = null): Actor => ({ userId: 'ann', orgId: 'acme', roles, warehouses });
const mayMake = (role: Role) =>
  allCalls()
    .filter((call) => call.allow.includes(role))
    .map((call) => call.pattern);

describe('authorise', () => {
  it('lets exactly the named roles make a call', () => {
    for (const call of allCalls()) {
      for (const role of ROLES) {
        const attempt = () => authorise(actor([role]), call, { orgId: 'acme' });
        if (call.allow.includes(role)) expect(attempt).not.toThrow();
        else expect(attempt).toThrow(expect.objectContaining({ code: 'FORBIDDEN' }));
      }
      expect(() => authorise(actor([]), call, { orgId: 'acme' })).toThrow(expect.objectContaining({ code: 'FORBIDDEN' }));
    }
  });

  it('refuses a request about another organisation', () => {
    expect(() => authorise(actor(['admin']), OrderGet, { orgId: 'other' })).toThrow(expect.objectContaining({ code: 'FORBIDDEN' }));
  });

  it('refuses to change a warehouse that the actor does not work in', () => {
    const scoped = actor(['warehouse', 'sales'], ['w1']);
    expect(() => authorise(scoped, ReceiptPost, { warehouseId: 'w1' })).not.toThrow();
    expect(() => authorise(scoped, ReceiptPost, { warehouseId: 'w2' })).toThrow(expect.objectContaining({ code: 'WAREHOUSE_FORBIDDEN' }));
    expect(() => authorise(scoped, OrderCreate, { lines: [{ warehouseId: 'w1' }, { warehouseId: 'w2' }] })).toThrow(
      expect.objectContaining({ code: 'WAREHOUSE_FORBIDDEN' }),
    );
    expect(() => authorise(actor(['warehouse'], []), ReceiptPost, { warehouseId: 'w1' })).toThrow(
      expect.objectContaining({ code: 'WAREHOUSE_FORBIDDEN' }),
    );
  });

  it('has who works in some warehouses name one on every line, so that no other warehouse serves it', () => {
    const lines = [
      { itemId: 'a', quantity: '1', warehouseId: 'w1' },
      { itemId: 'b', quantity: '1' },
    ];
    const scoped = actor(['sales'], ['w1']);
    expect(() => authorise(scoped, OrderCreate, { lines })).toThrow(expect.objectContaining({ code: 'WAREHOUSE_FORBIDDEN' }));
    expect(() => authorise(scoped, OrderCreate, { lines, warehouseId: 'w1' })).not.toThrow();
    expect(() => authorise(actor(['sales']), OrderCreate, { lines })).not.toThrow();
    const transfer = { fromWarehouseId: 'w1', toWarehouseId: 'w2', lines };
    expect(() => authorise(actor(['warehouse'], ['w1', 'w2']), TransferCreate, transfer)).not.toThrow();
    expect(() => authorise(actor(['warehouse'], ['w1']), TransferCreate, transfer)).toThrow(
      expect.objectContaining({ code: 'WAREHOUSE_FORBIDDEN' }),
    );
  });

  it('refuses who works in some warehouses what changes stock wherever it is', () => {
    expect(() => authorise(actor(['inventory_manager'], ['w1']), LotRecall, { itemId: 'a', lot: 'l' })).toThrow(
      expect.objectContaining({ code: 'WAREHOUSE_FORBIDDEN' }),
    );
    expect(() => authorise(actor(['inventory_manager']), LotRecall, { itemId: 'a', lot: 'l' })).not.toThrow();
  });

  it('gives the auditor every read and no change', () => {
    // What our services ask each other, on their own behalf, is for nobody else.
    const isForPeople = ({ allow }: { allow: readonly Role[] }) => allow !== OWN_SERVICES;
    for (const call of allCalls().filter(isForPeople)) {
      expect([call.pattern, call.allow.includes('auditor')]).toEqual([call.pattern, call.effect === 'read']);
    }
  });

  it('follows the table of roles', () => {
    const changes = (role: Role) =>
      mayMake(role)
        .filter((pattern) => allCalls().find((call) => call.pattern === pattern)!.effect === 'change' && !pattern.startsWith('stock.'))
        .sort();
    const orders = ['orders.cancel', 'orders.confirm', 'orders.create', 'orders.update', 'returns.cancel', 'returns.create'];
    const goods = [
      'expected-receipts.cancel',
      'expected-receipts.create',
      'expected-receipts.update',
      'orders.pack',
      'orders.pick',
      'receipts.post',
      'returns.inspect',
      'returns.receive',
      'shipments.cancel',
      'shipments.create',
    ];
    expect(changes('sales')).toEqual(orders);
    const decisions = ['discrepancies.dismiss', 'discrepancies.request-override', 'discrepancies.resolve', 'discrepancies.review'];
    expect(changes('finance_manager')).toEqual(['approvals.approve', 'approvals.reject', 'cost-corrections.post', ...decisions, ...orders]);
    const moves = ['transfers.create', 'transfers.receive'];
    expect(changes('warehouse')).toEqual(expect.arrayContaining([...goods, ...moves]));
    expect(changes('service')).toEqual(expect.arrayContaining([...orders, ...goods]));
    expect(changes('service')).not.toContain('transfers.create');
    expect(changes('cashier')).toEqual([]);
    expect(changes('inventory_manager')).toEqual(
      expect.arrayContaining([...orders, ...goods, ...moves, 'adjustments.post', 'items.create', 'safety-stock.set']),
    );
    expect(changes('inventory_manager')).not.toContain('settings.update');
    expect(mayMake('admin')).toEqual(allCalls().map((call) => call.pattern));
  });
});
