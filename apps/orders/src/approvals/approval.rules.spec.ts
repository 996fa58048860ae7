import fc from 'fast-check';
import type { ApprovalRequest, Override } from '#libs/contracts';
import { parseQuantity } from '#libs/domain';
import { anOrder, someStock } from '../orders/order.fixture.js';
import { decideAmend, decideCancel, decideConfirm } from '../orders/order.rules.js';
import { type LineStock, type OrderState, saying, type Waiting } from '../orders/order-state.js';
import { applyStockReport } from '../stock/apply-stock-report.js';
import type { Ask } from '../stock/outstanding.js';
import type { Answer, Refusal, StockReport } from '../stock/stock-report.js';
import { approvable, hear, requestFor, told, withdrawalFor } from './approval.rules.js';

const now = new Date('2026-01-11T00:00:00Z');
const overrideOf = (quantity: string, kind: Override['kind'] = 'order_override'): Override => ({
  kind,
  magnitudes: { quantity, percent: '30', value: null },
  lines: [{ lineNo: 1, itemId: 'a', warehouseId: 'main', quantity, requested: '10', available: '7' }],
  availabilitySnapshot: [{ itemId: 'a', warehouseId: 'main', onHand: '7', available: '7' }],
});
const refusal = (override?: Override): Refusal => ({
  ...{ reason: 'INSUFFICIENT_STOCK', lines: [], discrepancyIds: ['d1'], alternatives: [] },
  ...(override === undefined ? {} : { override }),
});
const by = { digest: 'place', actor: 'ann' };
const demand = (quantity: string) => ({
  ...{ orderId: 'o', priority: 50, reservationMode: 'all_or_nothing' as const },
  lines: [{ lineNo: 1, itemId: 'a', quantity }],
});

/** What inventory answers to what is outstanding. */
function answers(order: OrderState, stock: LineStock, more: Partial<StockReport> & { refusal?: Refusal } = {}): OrderState {
  const { refusal: refused = null, ...facts } = more;
  const answer: Answer = { to: [order.outstanding!.kind], subjectId: null, refusal: refused, moved: [], cogsTotal: null };
  const report: StockReport = { sequence: order.stockSequence + 1, stock: [stock], holds: [], ...facts, answer };
  return applyStockReport(order, report, now, true).order;
}
const refuses = (order: OrderState, stock: LineStock, override?: Override) => answers(order, stock, { refusal: refusal(override) });

const placing = (): Waiting => {
  const order = anOrder({ status: 'reserving', firm: false, version: 0, sequence: 0, stockSequence: 0, stock: [], confirmedAt: null });
  return saying(order, { kind: 'place', data: demand('10') }, by, now);
};
/** 7 are held, 3 wait for the approval. */
const pendingStock = someStock({ reserved: 7, unheld: 3 });
const pending = (): OrderState => answers(refuses(placing(), someStock({ unheld: 10 }), overrideOf('3')), pendingStock);
const requestOf = (order: OrderState, said: Partial<ApprovalRequest> = {}): ApprovalRequest => ({
  ...requestFor(order, order.approval!),
  ...{
    approvalRequestId: 'r1',
    subjectVersion: order.approval!.version,
    command: null,
    status: 'pending',
    requiredRole: 'inventory_manager',
  },
  ...{ escalateTo: [], approverRoles: ['inventory_manager', 'admin'], createdAt: '', dueAt: 'later', remindedAt: null, escalatedAt: null },
  ...{ closedAt: null, closeReason: null, decisions: [] },
  ...said,
});
const decided = (decision: 'approved' | 'rejected'): Partial<ApprovalRequest> => ({
  ...{ status: decision, approverRoles: [] },
  decisions: [{ by: 'bob', role: 'inventory_manager', decision, reason: 'a truck comes', at: 'then' }],
});
const asked = (order: OrderState) => hear(order, requestOf(order), now).order;
/** The order when its request ends so. */
const ends = (order: OrderState, said: Partial<ApprovalRequest>) => hear(order, requestOf(order, said), now).order;

describe('an order that inventory refuses, but somebody may approve', () => {
  it('is said again so that it waits, and then waits for an approval', () => {
    const refused = refuses(placing(), someStock({ unheld: 10 }), overrideOf('3'));
    expect(refused).toMatchObject({
      status: 'reserving',
      sequence: 2,
      outstanding: {
        kind: 'place',
        sequence: 2,
        digest: 'place',
        actor: 'ann',
        since: 1,
        data: { ...demand('10'), pendingApproval: true },
      },
    });
    const order = answers(refused, pendingStock);
    expect(order).toMatchObject({
      status: 'pending_approval',
      outstanding: null,
      approval: { isOpen: true, untold: 'request', version: 2, requestedBy: 'ann', approvalRequestId: null, discrepancyIds: ['d1'] },
    });
    expect(requestFor(order, order.approval!)).toMatchObject({
      ...{ kind: 'order_override', subjectType: 'order', subjectId: 'o', subjectVersion: 2, requestedBy: 'ann', warehouses: ['main'] },
      ...{ lines: overrideOf('3').lines, availabilitySnapshot: overrideOf('3').availabilitySnapshot, command: demand('10') },
    });
  });

  it('is refused when inventory refuses that it waits, or nobody may approve it', () => {
    const refused = refuses(placing(), someStock({ unheld: 10 }), overrideOf('3'));
    expect(refuses(refused, someStock({ unheld: 10 }), overrideOf('3'))).toMatchObject({ status: 'refused', outstanding: null, lines: [] });
    expect(refuses(placing(), someStock({ unheld: 10 }))).toMatchObject({ status: 'refused', outstanding: null, approval: null });
  });

  it('waits for whoever works in whichever warehouse, when it is not known where', () => {
    const override = { ...overrideOf('3'), lines: [{ lineNo: 1, itemId: 'a', warehouseId: null, quantity: '3' }] };
    const order = answers(refuses(placing(), someStock({ unheld: 10 }), override), pendingStock);
    expect(requestFor(order, order.approval!).warehouses).toBeNull();
  });

  it('does not wait to be confirmed', () => {
    const created = anOrder({ status: 'created', firm: false });
    const confirming = saying(created, decideConfirm(created).ask!, by, now);
    expect(approvable(confirming.outstanding, refusal(overrideOf('3')))).toBeNull();
    expect(refuses(confirming, someStock({ reserved: 10 }), overrideOf('3'))).toMatchObject({ status: 'created', outstanding: null });
    expect(() => decideConfirm(asked(pending()))).toThrow(
      expect.objectContaining({
        code: 'INVALID_STATE',
        message: expect.stringContaining('waits for approval r1 by inventory_manager or admin'),
        details: expect.objectContaining({ approvalRequestId: 'r1', approverRoles: ['inventory_manager', 'admin'] }),
      }),
    );
  });
});

describe('what was decided', () => {
  it('is held when it was approved, in full or as far as it goes', () => {
    const approved = ends(asked(pending()), decided('approved'));
    expect(approved).toMatchObject({
      status: 'pending_approval',
      outstanding: {
        kind: 'approve',
        sequence: 3,
        actor: 'bob',
        data: { ...demand('10'), firm: false, approvalRequestId: 'r1', approvedShortages: [{ lineNo: 1, quantity: '3' }] },
      },
    });
    const over = { outstanding: null, approval: { isOpen: false, approvalRequestId: 'r1', untold: null, outcome: { status: 'approved' } } };
    expect(answers(approved, someStock({ reserved: 8, backordered: 2 }))).toMatchObject({ status: 'created', ...over });
    expect(answers(approved, someStock({ backordered: 10 }))).toMatchObject({ status: 'backordered', ...over });
  });

  it('is heard by event only when it is the answer', () => {
    const approved = ends(asked(pending()), decided('approved'));
    const answer: Answer = { to: ['place', 'amend', 'confirm', 'approve'], subjectId: null, refusal: null, moved: [], cogsTotal: null };
    const says = (stock: LineStock, expiresAt: Date | null) =>
      applyStockReport(approved, { sequence: 9, stock: [stock], holds: [], firm: false, expiresAt, answer }, now).order;
    // Its holds moved to other lots; nothing was approved yet.
    expect(says(pendingStock, null).outstanding).toBe(approved.outstanding);
    expect(says(someStock({ reserved: 10 }), null).outstanding).toBe(approved.outstanding);
    expect(says(someStock({ reserved: 10 }), now)).toMatchObject({ status: 'created', outstanding: null });
    const firm = { ...approved, firm: true };
    const moved = { sequence: 9, stock: [pendingStock], holds: [], firm: true, expiresAt: null, answer };
    expect(applyStockReport(firm, moved, now).order.outstanding).toBe(firm.outstanding);
  });

  it('needs another approval when more is missing than was approved', () => {
    const approved = ends(asked(pending()), decided('approved'));
    const order = refuses(approved, someStock({ reserved: 5, unheld: 5 }), overrideOf('5'));
    expect(order).toMatchObject({
      status: 'pending_approval',
      outstanding: null,
      approval: { isOpen: true, untold: 'request', version: 3, requestedBy: 'ann', approvalRequestId: null, outcome: null },
    });
    const again = ends(order, { approvalRequestId: 'r2', ...decided('approved') });
    expect(again.outstanding).toMatchObject({ kind: 'approve', data: { approvalRequestId: 'r2', approvedShortages: [{ quantity: '5' }] } });
  });

  it('is rejected when what was approved is gone and nobody may approve more', () => {
    const gone = refuses(ends(asked(pending()), decided('approved')), someStock({ reserved: 5, unheld: 5 }));
    expect(gone.outstanding).toMatchObject({
      kind: 'reject',
      data: { orderId: 'o', reason: expect.stringContaining('INSUFFICIENT_STOCK') },
    });
    expect(answers(gone, someStock({ closed: 10 }))).toMatchObject({ status: 'rejected', outstanding: null, approval: { isOpen: false } });
  });

  it.each([
    ['rejected', decided('rejected'), 'a truck comes', 'bob'],
    ['expired', { status: 'expired' as const, approverRoles: [] }, 'Nobody decided about the approval in time.', 'ann'],
  ])('gives everything back when it %s', (_, said, reason, actor) => {
    const rejected = ends(asked(pending()), said);
    expect(rejected.outstanding).toMatchObject({ kind: 'reject', actor, data: { orderId: 'o', reason } });
    const order = answers(rejected, someStock({ closed: 10 }));
    expect(order).toMatchObject({ status: 'rejected', cancelReason: reason, outstanding: null, approval: { isOpen: false, untold: null } });
    expect(() => decideCancel(order, { orderId: 'o' })).toThrow(expect.objectContaining({ code: 'INVALID_STATE' }));
  });

  it('waits until what is outstanding was answered', () => {
    const order = asked(pending());
    const amending = saying(
      order,
      decideAmend(order, { orderId: 'o', lines: [{ lineNo: 1, itemId: 'a', quantity: '12' }] }, catalogue).ask!,
      by,
      now,
    );
    const { order: heard, notes } = hear(amending, requestOf(order, decided('approved')), now);
    expect(heard.outstanding).toBe(amending.outstanding);
    expect(notes).toMatchObject([{ type: 'order_approved', actor: 'bob' }]);
    expect(refuses(heard, pendingStock).outstanding).toMatchObject({ kind: 'approve', sequence: 4 });
    expect(answers(heard, someStock({ reserved: 12 })).outstanding).toBeNull();
  });

  it('is put on record: who asked, who decided, about what, and how much there was', () => {
    const order = pending();
    const about = { approvalRequestId: 'r1', lines: overrideOf('3').lines, availabilitySnapshot: overrideOf('3').availabilitySnapshot };
    const requested = {
      type: 'order_approval_requested',
      actor: 'ann',
      details: { ...about, requiredRole: 'inventory_manager', dueAt: 'later' },
    };
    expect(hear(order, requestOf(order), now).notes).toMatchObject([requested]);
    const approved = { type: 'order_approved', actor: 'bob' };
    const details = {
      ...about,
      approver: 'bob',
      role: 'inventory_manager',
      reason: 'a truck comes',
      decidedAt: 'then',
      discrepancyIds: ['d1'],
    };
    expect(hear(asked(order), requestOf(order, decided('approved')), now).notes).toMatchObject([{ ...approved, details }]);
    // The answer got lost, and it was decided meanwhile.
    expect(hear(order, requestOf(order, decided('approved')), now).notes).toMatchObject([requested, approved]);
    expect(hear(asked(order), requestOf(order, { status: 'expired' }), now).notes).toMatchObject([{ type: 'order_approval_expired' }]);
    expect(hear(asked(order), requestOf(order, decided('rejected')), now).notes).toMatchObject([{ type: 'order_approval_rejected' }]);
  });

  it('counts once, and only if it is awaited, in whatever order it is heard', () => {
    const order = pending();
    const awaited = [requestOf(order), requestOf(order, decided('approved'))];
    const others = [
      requestOf(order, { approvalRequestId: 'r0', subjectVersion: 1, ...decided('rejected') }),
      requestOf(order, { approvalRequestId: 'r9', subjectVersion: 9, ...decided('rejected') }),
      requestOf(order, { subjectType: 'movement', ...decided('rejected') }),
      requestOf(order, { status: 'cancelled', approvalRequestId: 'r0', subjectVersion: 1 }),
    ];
    const expected = ends(asked(order), decided('approved'));
    fc.assert(
      fc.property(fc.shuffledSubarray([...awaited, ...awaited, ...others], { minLength: 5 }), (some) => {
        const all = [...some, ...awaited.filter((each) => !some.includes(each))];
        const heard = all.map((request) => ({ request, notes: [] as string[] }));
        const order1 = heard.reduce((current, each) => {
          const { order: after, notes } = hear(current, each.request, now);
          each.notes.push(...notes.map(({ type }) => type));
          return after;
        }, order);
        expect(order1).toEqual(expected);
        expect(heard.flatMap(({ notes }) => notes).sort()).toEqual(['order_approval_requested', 'order_approved']);
      }),
      { numRuns: 300 },
    );
  });
});

const catalogue = {
  items: new Map([['a', { itemId: 'a', unitPrice: '2.5', currency: 'EUR' } as never]]),
  settings: { currency: 'EUR', reservationMode: 'all_or_nothing' as const },
  mayPrice: false,
};
const amendTo = (order: OrderState, quantity: string): Waiting => {
  const { ask } = decideAmend(order, { orderId: 'o', lines: [{ lineNo: 1, itemId: 'a', quantity }] }, catalogue);
  return saying(order, ask as Ask, { digest: 'amend', actor: 'ann' }, now);
};

describe('an amendment', () => {
  const confirmed = anOrder();
  const waits = (order: OrderState) =>
    asked(answers(refuses(amendTo(order, '14'), order.stock[0]!, overrideOf('4')), someStock({ reserved: 10, unheld: 4 })));

  it('that somebody may approve waits with its new lines, and comes into effect as it was before', () => {
    const order = waits(confirmed);
    expect(order).toMatchObject({ status: 'pending_approval', firm: true, lines: [{ quantity: parseQuantity('14') }] });
    const approved = ends(order, decided('approved'));
    expect(approved.outstanding).toMatchObject({ kind: 'approve', data: { ...demand('14'), firm: true } });
    const held = answers(approved, someStock({ reserved: 10, backordered: 4 }), { firm: true });
    expect(held).toMatchObject({ status: 'confirmed', lines: [{ quantity: parseQuantity('14') }], approval: { isOpen: false } });
  });

  it.each([
    ['confirmed', confirmed],
    ['created', anOrder({ status: 'created', firm: false })],
    ['partly waiting', anOrder({ stock: [someStock({ reserved: 7, backordered: 3 })] })],
  ])('that was rejected leaves the order as it was: %s', (_, before) => {
    const rejected = ends(waits(before), decided('rejected'));
    expect(rejected.outstanding).toMatchObject({ kind: 'restore', data: { ...demand('10'), firm: before.firm, restores: true } });
    const order = answers(rejected, before.stock[0]!);
    expect(order).toMatchObject({ status: before.status, outstanding: null, approval: { isOpen: false }, cancelReason: null });
    expect(order.lines).toEqual(before.lines);
  });

  it('that was rejected ends the order when it cannot be what it was any more', () => {
    const rejected = ends(waits(confirmed), decided('rejected'));
    const stuck = refuses(rejected, someStock({ reserved: 8, unheld: 6 }), overrideOf('2'));
    expect(stuck.outstanding).toMatchObject({ kind: 'reject' });
    expect(answers(stuck, someStock({ closed: 14 }))).toMatchObject({ status: 'rejected', approval: { isOpen: false } });
  });

  it('that fits ends the waiting, and approvals is told so', () => {
    const order = answers(amendTo(asked(pending()), '7'), someStock({ reserved: 7 }));
    expect(order).toMatchObject({ status: 'created', approval: { isOpen: false, untold: 'withdrawal', version: 3 } });
    expect(withdrawalFor(order, order.approval!)).toMatchObject({ subjectType: 'order', subjectId: 'o', subjectVersion: 3 });
    expect(told(order).order.approval!.untold).toBeNull();
    expect(hear(order, requestOf(order, decided('approved')), now)).toEqual({ order, notes: [] });
  });

  it('of an order that waits makes another request, and being refused leaves the old one', () => {
    const waiting = asked(pending());
    const refused = refuses(amendTo(waiting, '20'), pendingStock, overrideOf('13'));
    const order = answers(refused, someStock({ reserved: 7, unheld: 13 }));
    expect(order).toMatchObject({
      status: 'pending_approval',
      approval: { version: 4, approvalRequestId: null, untold: 'request', restore: null },
    });
    // What is decided of the old one does not count.
    expect(hear(order, requestOf(waiting, decided('approved')), now).order).toBe(order);
    expect(refuses(amendTo(waiting, '20'), pendingStock)).toMatchObject({
      ...{ status: 'pending_approval', outstanding: null },
      approval: waiting.approval,
      lines: [{ quantity: parseQuantity('10') }],
    });
  });

  it('of an amended order that waits keeps what the order was before', () => {
    const twice = answers(
      refuses(amendTo(waits(confirmed), '20'), someStock({ reserved: 10, unheld: 4 }), overrideOf('10')),
      someStock({ reserved: 10, unheld: 10 }),
    );
    expect(twice.approval!.restore).toMatchObject({ data: demand('10') });
  });
});

describe('an order that waits', () => {
  it('is cancelled like any other, and approvals is told so', () => {
    const order = asked(pending());
    const cancelling = saying(order, decideCancel(order, { orderId: 'o', reason: 'no' }).ask!, by, now);
    const cancelled = answers(cancelling, someStock({ closed: 10 }));
    expect(cancelled).toMatchObject({
      status: 'cancelled',
      cancelReason: 'no',
      approval: { isOpen: false, untold: 'withdrawal', version: 3 },
    });
  });

  it('needs no approval when all of it has left already', () => {
    const order = asked(pending());
    const shipped = applyStockReport(order, { sequence: 9, stock: [someStock({ fulfilled: 10 })] }, now).order;
    expect(shipped).toMatchObject({ status: 'shipped', approval: { isOpen: false, untold: 'withdrawal' } });
  });
});
