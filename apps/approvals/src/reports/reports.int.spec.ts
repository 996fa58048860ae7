import type { Actor } from '#libs/auth';
import { ApprovalApprove, ApprovalAsk, ApprovalReject, ApprovedOrders, OverridesReport, type Page, type RequestOf } from '#libs/contracts';
import type { ApprovedOrder } from '#libs/contracts';
import { startTestService, type TestService } from '#libs/testing';
import { approvals } from '../index.js';
import { anAsk } from '../requests/use-cases.fixture.js';

describe('reports on approvals', () => {
  let service: TestService;
  beforeAll(async () => (service = await startTestService(approvals)));
  afterAll(() => service.stop());

  const ever = { from: '2020-01-01T00:00:00Z', to: '2100-01-01T00:00:00Z', limit: 50 };
  const bob = { userId: 'bob', roles: ['inventory_manager'] } as const satisfies Partial<Actor>;
  const carl = { userId: 'carl', roles: ['finance_manager'] } as const satisfies Partial<Actor>;
  const auditor = (warehouses: string[] | null) => ({ userId: 'aud', roles: ['auditor' as const], warehouses });
  let subjects = 0;
  const ask = (orgId: string, said: Partial<RequestOf<typeof ApprovalAsk>> = {}) => {
    const subjectId = `o-${++subjects}`;
    return service.call(ApprovalAsk, { ...anAsk, subjectId, ...said, orgId }, { userId: 'orders', roles: ['service'] });
  };
  const decide = async (orgId: string, said: Partial<RequestOf<typeof ApprovalAsk>>, by: Partial<Actor>, verdict = ApprovalApprove) => {
    const { approvalRequestId } = await ask(orgId, said);
    await service.call(verdict, { orgId, approvalRequestId, reason: `${by.userId} knows` }, by);
    return approvalRequestId;
  };

  it('count overrides by who let them through, by role and by kind; only overrides, and only what was approved', async () => {
    for (const orgId of ['org', 'twin']) {
      await decide(orgId, { magnitudes: { quantity: '3', percent: '15', value: '60.5' } }, bob);
      await decide(orgId, { kind: 'movement_override', subjectType: 'movement', warehouses: ['w2'] }, bob);
      await decide(orgId, { magnitudes: { quantity: '3', percent: '15', value: null } }, carl);
      await decide(orgId, { kind: 'adjustment', subjectType: 'adjustment' }, bob);
      await decide(orgId, {}, bob, ApprovalReject);
      await ask(orgId);
    }
    const without = [await decide('org', { kind: 'movement_override', subjectType: 'movement' }, bob)];
    const report = (said: Partial<RequestOf<typeof OverridesReport>> = {}, warehouses: string[] | null = null) =>
      service.call(OverridesReport, { orgId: 'org', ...ever, groupBy: 'user', without, ...said }, auditor(warehouses));
    const lastAt = expect.stringMatching(/^\d{4}-.*Z$/) as unknown;
    expect(await report()).toEqual({
      rows: [
        { userId: 'bob', role: 'inventory_manager', overrides: 2, value: '120.5', valueUnknown: 0, lastAt },
        { userId: 'carl', role: 'finance_manager', overrides: 1, value: '0', valueUnknown: 1, lastAt },
      ],
      summary: { overrides: 3, value: '120.5', valueUnknown: 1, lastAt },
      truncated: false,
    });
    expect((await report({ groupBy: 'role' })).rows.map(({ role, overrides }) => [role, overrides])).toEqual([
      ['inventory_manager', 2],
      ['finance_manager', 1],
    ]);
    expect((await report({ groupBy: 'kind' })).rows.map(({ kind, overrides }) => [kind, overrides])).toEqual([
      ['order_override', 2],
      ['movement_override', 1],
    ]);
    expect((await report({}, ['w1'])).summary).toMatchObject({ overrides: 2, value: '60.5' });
    expect((await report({ to: '2021-01-01T00:00:00Z' })).rows).toEqual([]);
  });

  it('list orders that were approved, newest first, with where their stock is, page by page', async () => {
    const lines = [
      { lineNo: 1, itemId: 'a', warehouseId: 'w1', quantity: '1' },
      { lineNo: 2, itemId: 'a', warehouseId: 'w1', quantity: '2' },
      { lineNo: 3, itemId: 'b', warehouseId: null, quantity: '2' },
    ];
    const ids = [
      await decide('orders', { lines }, bob),
      await decide('orders', { warehouses: ['w2'] }, bob),
      await decide('orders', {}, bob),
    ];
    await decide('orders', {}, bob, ApprovalReject);
    await decide('orders', { kind: 'movement_override', subjectType: 'movement' }, bob);
    await decide('orders-twin', {}, bob);
    const list = async (warehouses: string[] | null = null) => {
      const seen: ApprovedOrder[] = [];
      let cursor: string | null = null;
      do {
        const page: Page<ApprovedOrder> = await service.call(
          ApprovedOrders,
          { orgId: 'orders', ...ever, limit: 2, ...(cursor !== null && { cursor }) },
          auditor(warehouses),
        );
        seen.push(...page.items);
        cursor = page.nextCursor;
      } while (cursor !== null);
      return seen;
    };
    const all = await list();
    expect(all.map(({ approvalRequestId }) => approvalRequestId)).toEqual(ids.toReversed());
    expect(all[2]).toMatchObject({
      ...{ kind: 'order_override', approvedBy: 'bob', role: 'inventory_manager', reason: 'bob knows', approvedAt: expect.any(String) },
      places: [
        { itemId: 'a', warehouseId: 'w1' },
        { itemId: 'b', warehouseId: null },
      ],
      availability: anAsk.availabilitySnapshot,
    });
    expect(await list(['w1'])).toHaveLength(2);
  });
});
