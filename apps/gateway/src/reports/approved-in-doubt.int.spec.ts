import { type ApprovedOrder, ApprovedOrders, type DoubtAt, DoubtsAt } from '#libs/contracts';
import { startTestGateway, type TestGateway } from '#libs/testing';
import { gateway } from '../index.js';

const ROUTE = '/reports/approved-with-open-discrepancies';

const approval = (n: number): ApprovedOrder => ({
  approvalRequestId: `a-${n}`,
  orderId: `o-${n}`,
  kind: 'order_override',
  approvedBy: 'bob',
  role: 'inventory_manager',
  reason: 'The truck comes tomorrow',
  approvedAt: '2026-03-01T08:00:00.000Z',
  places: [{ itemId: `i-${n}`, warehouseId: 'w' }],
  availability: null,
});
const doubt: DoubtAt = {
  discrepancyId: '019cb5b1-0000-7000-8000-000000000008',
  itemId: 'i',
  warehouseId: 'w',
  severity: 'high',
  source: 'count',
  difference: '-3',
  detectedAt: '2026-02-28T08:00:00.000Z',
};

describe('orders that were approved in doubt', () => {
  let holdfast: TestGateway;
  let token: string;

  beforeAll(async () => {
    holdfast = await startTestGateway(gateway);
    token = await holdfast.token('acme', 'ann', ['auditor']);
  });
  afterAll(() => holdfast.stop());

  /** Approvals come in pages of so many; the stock of every tenth was in doubt. */
  function given(approvals: number, perPage: number): void {
    holdfast.approvals.answers(ApprovedOrders, ({ cursor = '0', limit = 50 }) => {
      const from = Number(cursor);
      const to = Math.min(from + Math.min(limit, perPage), approvals);
      return { items: Array.from({ length: to - from }, (_, n) => approval(from + n)), nextCursor: to < approvals ? String(to) : null };
    });
    holdfast.inventory.answers(DoubtsAt, ({ asked }) => {
      return { doubts: asked.map(({ places }) => (Number(places[0]!.itemId.slice(2)) % 10 === 0 ? [doubt] : [])) };
    });
  }
  const report = async (query = '') => (await holdfast.send('GET', `${ROUTE}${query}`, { token })).body;
  const orders = (body: Record<string, unknown>) => (body['rows'] as { orderId: string }[]).map(({ orderId }) => orderId);

  it('are found on every page, however short approvals makes it', async () => {
    given(45, 7);
    const body = await report();
    expect(orders(body)).toEqual(['o-0', 'o-10', 'o-20', 'o-30', 'o-40']);
    expect(body).toMatchObject({ summary: { approvals: 45, inDoubt: 5 }, truncated: false });
  });

  it('are all counted when not all are told', async () => {
    given(45, 7);
    const body = await report('?limit=2');
    expect(orders(body)).toEqual(['o-0', 'o-10']);
    expect(body).toMatchObject({ summary: { approvals: 45, inDoubt: 5 }, truncated: true });
  });

  it('are looked for among the newest 5,000 approvals, and it says when there are more', async () => {
    given(5_000, 500);
    expect(await report('?limit=500')).toMatchObject({ summary: { approvals: 5_000, inDoubt: 500 }, truncated: false });
    given(5_001, 500);
    expect(await report('?limit=500')).toMatchObject({ summary: { approvals: 5_000, inDoubt: 500 }, truncated: true });
  });
});
