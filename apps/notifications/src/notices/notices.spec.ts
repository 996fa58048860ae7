import {
  allEvents,
  ApprovalDecided,
  ApprovalEscalated,
  ApprovalReminded,
  type ApprovalRequest,
  ApprovalRequested,
  type DataOf,
  DiscrepancyOpened,
  type EventDefinition,
  exampleOf,
  LowStockDetected,
  makeEvent,
  notifiedEventTypes,
  ReconciliationCompleted,
  ReservationShorted,
  type Role,
  StockReservationFailed,
} from '#libs/contracts';
import { htmlText, plainText, telegramText } from '../sending/message-text.js';
import { aNotice } from '../sending/notice.fixture.js';
import type { Notice, NoticeKind } from './notice.js';
import { NOTICES, noticeKindOf } from './notices.js';

/** Who is told of an event, and what. */
function tell<D extends EventDefinition>(
  definition: D,
  data: DataOf<D>,
): Notice & { roles: readonly Role[]; concerns: boolean; payload: unknown } {
  const kind = noticeKindOf(definition.type) as unknown as NoticeKind<D>;
  const event = makeEvent(definition, { source: '/test', subject: 's', orgid: 'acme', time: '2026-03-01T10:00:00Z' }, data);
  expect(definition.validate(event.data)).toBeNull();
  return {
    ...kind.describe(data, event),
    roles: kind.roles(data),
    concerns: kind.concerns?.(data) ?? true,
    payload: kind.payload?.(data) ?? data,
  };
}

const stock: [] = [];
const short = { lineNo: 1, itemId: 'coffee-1kg', warehouseId: 'berlin', requested: '8', available: '7.5' };

describe('the table of notices', () => {
  it('has an entry for each event that notifications is named as a consumer of, and for no other', () => {
    expect(NOTICES.map(({ event }) => event.type).sort()).toEqual(notifiedEventTypes());
    expect(() => noticeKindOf('StockReserved')).toThrow('People are not told of StockReserved.');
  });

  it('tells of each event in one line that names what it is about, and a few more', () => {
    for (const { event, describe: describeEvent, roles } of NOTICES) {
      const data = exampleOf(event.data) as never;
      const { title, lines } = describeEvent(data, { data } as never);
      expect([event.type, title]).toEqual([event.type, expect.stringMatching(/^[^\n]{10,200}$/)]);
      expect([event.type, lines.length > 0, lines.filter((line) => line.trim() === '' || line.includes('undefined'))]).toEqual([
        event.type,
        true,
        [],
      ]);
      expect([event.type, roles(data).length > 0]).toEqual([event.type, true]);
    }
    expect(allEvents().length).toBeGreaterThan(NOTICES.length);
  });

  it('says nothing that is not text in HTML and Telegram, whatever an event says', () => {
    const evil = '<img src=x onerror="alert(1)">&\'';
    const replaced = (value: unknown): unknown => {
      if (typeof value === 'string') return evil;
      if (Array.isArray(value)) return value.map(replaced);
      if (typeof value !== 'object' || value === null) return value;
      return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, replaced(inner)]));
    };
    for (const { event, describe: describeEvent } of NOTICES) {
      const data = replaced(exampleOf(event.data)) as never;
      const notice = { ...aNotice, ...describeEvent(data, { data } as never) };
      for (const text of [htmlText(notice), telegramText(notice)]) {
        expect(text).toContain('&lt;img src=x onerror=&quot;alert(1)&quot;&gt;&amp;&#39;');
        expect(text).not.toMatch(/<img|onerror="/);
      }
      expect(plainText(notice)).toContain(evil);
    }
  });
});

describe('LowStockDetected', () => {
  it('is for who buys and who keeps the warehouse', () => {
    expect(tell(LowStockDetected, { itemId: 'coffee-1kg', warehouseId: 'berlin', onHand: '5.5', threshold: '20' })).toMatchObject({
      roles: ['inventory_manager', 'warehouse'],
      title: 'Low stock: coffee-1kg in berlin',
      lines: ['5.5 of coffee-1kg left in warehouse berlin; the threshold is 20.'],
    });
  });
});

describe('DiscrepancyOpened', () => {
  const found = { ...(exampleOf(DiscrepancyOpened.data) as DataOf<typeof DiscrepancyOpened>), itemId: 'mug', warehouseId: 'berlin' };
  const counted = { ...found, source: 'count' as const, ledgerQuantity: '10', snapshotQuantity: '7', difference: '-3', note: null };

  it('is for who owns it, when it keeps stock back', () => {
    const severe = { ...counted, severity: 'high' as const, ownerRole: 'inventory_manager', lot: 'L-7', location: null };
    expect(tell(DiscrepancyOpened, severe)).toMatchObject({
      concerns: true,
      roles: ['inventory_manager'],
      title: 'Discrepancy (high): mug in berlin',
      lines: ['The books say 10, count says 7: a difference of -3.', 'Where: L-7.'],
    });
  });

  it('is for nobody when it is slight, or stands for refusals', () => {
    expect(tell(DiscrepancyOpened, { ...counted, severity: 'medium' }).concerns).toBe(false);
    expect(tell(DiscrepancyOpened, { ...counted, severity: 'critical', source: 'blocked_transaction' }).concerns).toBe(false);
  });
});

describe('ReconciliationCompleted', () => {
  const run = exampleOf(ReconciliationCompleted.data) as DataOf<typeof ReconciliationCompleted>;
  const finding = { ...run.findings[0]!, kind: 'reserved' as const, itemId: 'mug', warehouseId: 'berlin', expected: '3', actual: '5' };

  it('is told when something was found, with what', () => {
    const ended = { ...run, status: 'completed' as const, failure: null, findingsTotal: 1, outOfSyncItems: 1, findings: [finding] };
    expect(tell(ReconciliationCompleted, ended)).toMatchObject({
      concerns: true,
      roles: ['inventory_manager', 'finance_manager'],
      title: 'Reconciliation found 1 mismatches',
      lines: ['1 items in warehouses are out of sync.', 'reserved: mug in berlin, 3 expected, 5 found.'],
    });
    expect(tell(ReconciliationCompleted, { ...ended, findingsTotal: 0 }).concerns).toBe(false);
  });

  it('is told when it was given up', () => {
    const failed = { ...run, status: 'failed' as const, failure: 'orders did not answer', findingsTotal: 0, findings: [] };
    expect(tell(ReconciliationCompleted, failed)).toMatchObject({ concerns: true, title: `Reconciliation ${run.runId} was given up` });
  });
});

describe('ReservationShorted', () => {
  const line = { lineNo: 2, itemId: 'coffee-1kg', warehouseId: 'berlin', lot: 'L-7', quantity: '3' };

  it('is for who sells, with what is missing and why', () => {
    const data = { orderId: 'o-1', cause: 'damage', lines: [line, { ...line, lineNo: 3, lot: null }], stock };
    expect(tell(ReservationShorted, data)).toMatchObject({
      roles: ['sales', 'inventory_manager'],
      title: 'Order o-1 lost stock that was held for it',
      lines: [
        'Cause: damage. What is missing now waits as a backorder:',
        'Line 2: 3 of coffee-1kg in warehouse berlin, lot L-7.',
        'Line 3: 3 of coffee-1kg in warehouse berlin.',
      ],
    });
  });

  it('names twenty lines and counts the others', () => {
    const { lines } = tell(ReservationShorted, { orderId: 'o-1', cause: 'count', lines: Array.from({ length: 500 }, () => line), stock });
    expect([lines.length, lines.at(-1)]).toEqual([22, '... and 480 more.']);
  });
});

describe('StockReservationFailed', () => {
  const failed = (reason: DataOf<typeof StockReservationFailed>['reason'], more: object = {}) =>
    tell(StockReservationFailed, { orderId: 'o-2', reason, lines: [short], discrepancyIds: [], stock, ...more });

  it('is for who sells when stock is short, with what was wanted and what is there', () => {
    expect(failed('INSUFFICIENT_STOCK', { lines: [short, { ...short, lineNo: 2, warehouseId: null }] })).toMatchObject({
      concerns: true,
      roles: ['sales', 'inventory_manager'],
      title: 'Not enough stock for order o-2',
      lines: [
        'Nothing is held for what it asked:',
        'Line 1: 8 of coffee-1kg wanted, 7.5 available in warehouse berlin.',
        'Line 2: 8 of coffee-1kg wanted, 7.5 available.',
      ],
    });
  });

  it('says which discrepancies lock the stock', () => {
    expect(failed('DISCREPANCY_LOCK', { discrepancyIds: ['d-1'] }).lines).toEqual([
      'Nothing is held for what it asked: there is stock, but open discrepancies lock it.',
      'Line 1: 8 of coffee-1kg wanted, 7.5 available in warehouse berlin.',
      'Open discrepancy: d-1.',
    ]);
  });

  it('is for nobody when somebody may approve it: they are asked', () => {
    const { kind, lines, magnitudes } = request;
    const override = { kind: kind as 'order_override', lines, magnitudes, availabilitySnapshot: [] };
    expect(failed('INSUFFICIENT_STOCK', { override }).concerns).toBe(false);
  });

  it('is for nobody when the message is at fault and not the stock', () => {
    expect((['ORDER_CANCELLED', 'ITEM_NOT_FOUND', 'ORDER_OWNED_ELSEWHERE'] as const).map((reason) => failed(reason).concerns)).toEqual([
      false,
      false,
      false,
    ]);
  });
});

const request: ApprovalRequest = {
  approvalRequestId: 'request-1',
  kind: 'order_override',
  subjectType: 'order',
  subjectId: 'o-3',
  requestedBy: 'ann',
  reason: 'A regular\n customer',
  lines: [
    { lineNo: 1, itemId: 'coffee-1kg', warehouseId: 'berlin', quantity: '3', requested: '10', available: '7' },
    { itemId: 'tea', warehouseId: null, lot: 'L-1', quantity: '-2.5' },
  ],
  magnitudes: { quantity: '3', percent: '15', value: '60' },
  availabilitySnapshot: [],
  warehouses: ['berlin'],
  subjectVersion: null,
  command: { secret: 'of its owner' },
  status: 'pending',
  requiredRole: 'inventory_manager',
  escalateTo: ['finance_manager'],
  approverRoles: ['inventory_manager'],
  createdAt: '2026-03-01T10:00:00Z',
  dueAt: '2026-03-08T10:00:00Z',
  remindedAt: null,
  escalatedAt: null,
  closedAt: null,
  closeReason: null,
  decisions: [],
};
const asked = [
  'ann asks for it: A regular customer',
  'Line 1: 3 of coffee-1kg in warehouse berlin, 10 wanted, 7 available.',
  '-2.5 of tea, lot L-1.',
  'At stake: quantity 3, 15 percent, value 60.',
];

describe('ApprovalRequested', () => {
  it('is for who may decide, with what is at stake and until when', () => {
    expect(tell(ApprovalRequested, request)).toMatchObject({
      roles: ['inventory_manager'],
      title: 'Approval needed: order o-3 (more than is available)',
      lines: [...asked, 'To be decided by: inventory_manager. It expires at 2026-03-08T10:00:00Z.', 'Request for approval: request-1'],
    });
  });

  it('says nothing of magnitudes that nobody knows', () => {
    const { lines } = tell(ApprovalRequested, { ...request, magnitudes: { quantity: null, percent: null, value: null } });
    expect(lines.filter((line) => line.startsWith('At stake'))).toEqual([]);
  });
});

describe('ApprovalReminded', () => {
  it('is for who may decide', () => {
    expect(tell(ApprovalReminded, request)).toMatchObject({
      roles: ['inventory_manager'],
      title: 'Still waiting for approval: order o-3 (more than is available)',
    });
  });
});

describe('ApprovalEscalated', () => {
  it('is for all who may decide now', () => {
    const escalated = {
      ...request,
      status: 'escalated' as const,
      approverRoles: ['inventory_manager' as const, 'finance_manager' as const],
    };
    expect(tell(ApprovalEscalated, escalated)).toMatchObject({
      roles: ['inventory_manager', 'finance_manager'],
      title: 'Nobody has decided yet: order o-3 (more than is available)',
      lines: expect.arrayContaining(['To be decided by: inventory_manager or finance_manager. It expires at 2026-03-08T10:00:00Z.']),
    });
  });
});

describe('ApprovalDecided', () => {
  const decision = {
    by: 'bob',
    role: 'inventory_manager' as const,
    decision: 'approved' as const,
    reason: 'Fine',
    at: '2026-03-02T10:00:00Z',
  };
  const over = { ...request, approverRoles: [], closedAt: '2026-03-02T10:00:00Z' };

  it('is for who asked and who could decide, with who decided and why', () => {
    expect(tell(ApprovalDecided, { ...over, status: 'approved', decisions: [decision] })).toMatchObject({
      roles: ['inventory_manager', 'finance_manager', 'sales'],
      title: 'Approved: order o-3 (more than is available)',
      lines: ['By bob as inventory_manager: Fine', 'Asked for by ann.', ...asked.slice(1, 3), 'Request for approval: request-1'],
    });
    const rejected = {
      ...over,
      kind: 'adjustment' as const,
      status: 'rejected' as const,
      decisions: [{ ...decision, decision: 'rejected' as const }],
    };
    expect(tell(ApprovalDecided, rejected)).toMatchObject({
      roles: ['inventory_manager', 'finance_manager', 'warehouse'],
      title: 'Rejected: order o-3 (a correction of stock)',
    });
  });

  it('says when nobody decided', () => {
    expect(tell(ApprovalDecided, { ...over, status: 'expired' }).title).toBe(
      'Expired without a decision: order o-3 (more than is available)',
    );
    expect(tell(ApprovalDecided, { ...over, status: 'cancelled', closeReason: 'The order was cancelled' })).toMatchObject({
      title: 'No longer needed: order o-3 (more than is available)',
      lines: expect.arrayContaining(['Reason: The order was cancelled']),
    });
  });

  it('like the others leaves out the command, which is for its owner alone', () => {
    for (const event of [ApprovalRequested, ApprovalReminded, ApprovalEscalated, ApprovalDecided]) {
      expect(tell(event, request).payload).toEqual({ ...request, command: undefined });
    }
  });
});
