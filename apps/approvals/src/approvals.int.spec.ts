import { Logger } from '@nestjs/common';
import type { Actor } from '#libs/auth';
import {
  ApprovalApprove,
  ApprovalAsk,
  ApprovalCancel,
  ApprovalDecided,
  ApprovalGet,
  ApprovalList,
  ApprovalPoliciesGet,
  ApprovalPoliciesHistory,
  ApprovalPoliciesSet,
  type ApprovalPolicy,
  ApprovalPolicyMatch,
  ApprovalReject,
  type ApprovalRequest,
  AuditLists,
  type CallDefinition,
  type CloudEvent,
  type RequestOf,
  type ResponseOf,
} from '#libs/contracts';
import { Outbox, Relay } from '#libs/messaging';
import { startTestService, type TestService } from '#libs/testing';
import { approvals } from './index.js';
import { DEFAULT_POLICIES } from './policies/policy.rules.js';
import { anAsk, hearAll, Replica } from './requests/use-cases.fixture.js';

const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/;
const NOWHERE = '019cb5b1-0000-7000-8000-00000000dead';

let service: TestService;
let heard: CloudEvent<ApprovalRequest>[];
let orgs = 0;
let orgId: string;

beforeAll(async () => {
  service = await startTestService(approvals);
  heard = await hearAll(service.delivery);
});
afterAll(() => service.stop());
beforeEach(() => (orgId = `org-${++orgs}`));

const call = <D extends CallDefinition>(definition: D, request: RequestOf<D>, actor: Partial<Actor> = {}): Promise<ResponseOf<D>> =>
  service.call(definition, Object.assign({}, request, { orgId: actor.orgId ?? orgId }), actor);
const asService: Partial<Actor> = { userId: 'orders', roles: ['service'] };
const bob: Partial<Actor> = { userId: 'bob', roles: ['inventory_manager'] };
const ask = (said: Partial<RequestOf<typeof ApprovalAsk>> = {}) => call(ApprovalAsk, { ...anAsk, ...said }, asService);
const get = ({ approvalRequestId }: ApprovalRequest, actor: Partial<Actor> = bob) => call(ApprovalGet, { approvalRequestId }, actor);
const approve = ({ approvalRequestId }: ApprovalRequest, actor: Partial<Actor> = bob) =>
  call(ApprovalApprove, { approvalRequestId, reason: 'fine' }, actor);
const told = () => heard.filter(({ orgid }) => orgid === orgId);

describe('a request', () => {
  it('is kept as it was asked, with the terms of its policy, and told', async () => {
    const command = { sequence: 3, lines: [{ quantity: '10', note: 'nul \0, half \ud800, and 1e400' }] };
    const request = await ask({ subjectVersion: 3, command });
    expect(request).toEqual({
      ...anAsk,
      command,
      subjectVersion: 3,
      approvalRequestId: expect.stringMatching(UUID),
      status: 'pending',
      requiredRole: 'inventory_manager',
      escalateTo: ['finance_manager'],
      approverRoles: ['inventory_manager', 'admin'],
      createdAt: expect.any(String),
      dueAt: new Date(Date.parse(request.createdAt) + 168 * 3_600_000).toISOString(),
      ...{ remindedAt: null, escalatedAt: null, closedAt: null, closeReason: null, decisions: [] },
    });
    expect(Math.abs(Date.parse(request.createdAt) - Date.now())).toBeLessThan(60_000);
    expect(await get(request)).toEqual(request);
    expect(told()).toEqual([
      expect.objectContaining({
        ...{ type: 'ApprovalRequested', source: '/approvals', subject: request.approvalRequestId, actor: 'ann', data: request },
      }),
    ]);
  });

  it('keeps fields of lines that only their owner knows, and none of its own that nobody does', async () => {
    const lines = [{ ...anAsk.lines[0]!, bin: 'A-01' }];
    const request = await ask(Object.assign({ lines }, { surprise: true }));
    expect(request.lines).toEqual(lines);
    expect(Object.keys(request)).not.toContain('surprise');
  });

  it('is for a higher role when more is at stake, or nobody knows how much', async () => {
    const requiredRole = async (magnitudes: ApprovalRequest['magnitudes']) =>
      (await ask({ subjectId: `o-${Math.random()}`, magnitudes })).requiredRole;
    expect(await requiredRole({ quantity: '1', percent: '20', value: '1000' })).toBe('inventory_manager');
    expect(await requiredRole({ quantity: '1', percent: '20', value: '1000.0001' })).toBe('finance_manager');
    expect(await requiredRole({ quantity: '1', percent: null, value: '1' })).toBe('finance_manager');
  });

  it('is made once for the same, whatever became of it, and anew for something else', async () => {
    const first = await ask();
    expect(await ask({ reason: 'in other words', requestedBy: 'zoe', availabilitySnapshot: null })).toEqual(first);
    const other = await ask({ lines: [{ ...anAsk.lines[0]!, quantity: '4' }] });
    expect(other.approvalRequestId).not.toBe(first.approvalRequestId);
    const before = await get(first);
    expect(before).toMatchObject({ status: 'cancelled', closeReason: expect.any(String), approverRoles: [], decisions: [] });
    await expect(approve(first)).rejects.toMatchObject({ kind: 'conflict', code: 'INVALID_STATE' });
    const approved = await approve(other);
    expect(await ask({ lines: [{ ...anAsk.lines[0]!, quantity: '4' }] })).toEqual(approved);
    expect(told().map(({ type, data }) => [type, data.status, data.approvalRequestId])).toEqual([
      ['ApprovalRequested', 'pending', first.approvalRequestId],
      ['ApprovalDecided', 'cancelled', first.approvalRequestId],
      ['ApprovalRequested', 'pending', other.approvalRequestId],
      ['ApprovalDecided', 'approved', other.approvalRequestId],
    ]);
  });

  it('is logged when it is decided: as an override when it lets through what was refused, with who, why and about what', async () => {
    const said: unknown[][] = [];
    const note = (...line: unknown[]) => said.push(line);
    Logger.overrideLogger({ log: note, warn: note, error: note });
    try {
      for (const kind of ['order_override', 'movement_override', 'adjustment'] as const)
        await approve(await ask({ kind, subjectId: kind }));
    } finally {
      Logger.overrideLogger(false);
    }
    const who = { by: 'bob', role: 'inventory_manager', reason: 'fine' };
    expect(said.filter(([msg]) => String(msg).endsWith('approved')).map(([msg, fields]) => [msg, fields])).toEqual([
      ['Override approved', expect.objectContaining({ ...who, kind: 'order_override', subjectId: 'order_override' })],
      ['Override approved', expect.objectContaining({ ...who, kind: 'movement_override' })],
      ['A request for approval was approved', expect.objectContaining({ ...who, kind: 'adjustment' })],
    ]);
  });

  it('follows the versions of its subject', async () => {
    const first = await ask({ subjectVersion: 2 });
    expect(await ask({ subjectVersion: 1, lines: [] })).toEqual(first);
    expect(await ask({ subjectVersion: 5 })).toEqual({ ...first, subjectVersion: 5 });
    const rejected = await call(ApprovalReject, { approvalRequestId: first.approvalRequestId, reason: 'no' }, bob);
    expect(await ask({ subjectVersion: 5 })).toEqual(rejected);
    const again = await ask({ subjectVersion: 6 });
    expect(again).toMatchObject({ status: 'pending', subjectVersion: 6 });
    expect(again.approvalRequestId).not.toBe(first.approvalRequestId);
  });

  it('is cancelled by its owner, also before it comes', async () => {
    const cancel = (subjectVersion?: number) =>
      call(
        ApprovalCancel,
        { subjectType: 'order', subjectId: 'o-1', reason: 'gone', ...(subjectVersion === undefined ? {} : { subjectVersion }) },
        asService,
      );
    expect(await cancel(4)).toEqual({ request: null });
    await expect(ask({ subjectVersion: 4 })).rejects.toMatchObject({ code: 'INVALID_STATE', details: { cancelledVersion: 4 } });
    const request = await ask({ subjectVersion: 5 });
    expect((await cancel(4)).request).toEqual(request);
    const { request: cancelled } = await cancel();
    expect(cancelled).toMatchObject({ approvalRequestId: request.approvalRequestId, status: 'cancelled', closeReason: 'gone' });
    expect(await cancel()).toEqual({ request: cancelled });
    expect(await ask({ subjectVersion: 5 })).toEqual(cancelled);
    expect(told().map(({ type, actor }) => [type, actor])).toEqual([
      ['ApprovalRequested', 'ann'],
      ['ApprovalDecided', 'orders'],
    ]);

    const approved = await approve(await ask({ subjectVersion: 6 }));
    expect(await cancel(7)).toEqual({ request: approved });
  });

  it('may not be larger than what an event can carry', async () => {
    const availabilitySnapshot = 'x'.repeat(600_000);
    await expect(ask({ availabilitySnapshot })).rejects.toMatchObject({ kind: 'invalid', code: 'VALIDATION_FAILED' });
  });

  it.each<[string, object]>([
    ['an unknown kind', { kind: 'party' }],
    ['an empty author', { requestedBy: '' }],
    ['a size with a sign', { magnitudes: { quantity: '-1', percent: null, value: null } }],
    ['a number for a decimal', { magnitudes: { quantity: 1, percent: null, value: null } }],
    ['an empty list of warehouses', { warehouses: [] }],
    ['no word about warehouses', { warehouses: undefined }],
  ])('is refused with %s', async (_, wrong) => {
    await expect(ask(wrong)).rejects.toMatchObject({ kind: 'invalid', code: 'VALIDATION_FAILED' });
  });

  it.each(['sales', 'inventory_manager', 'finance_manager', 'auditor'] as const)('is not made by %s', async (role) => {
    await expect(call(ApprovalAsk, anAsk, { roles: [role] })).rejects.toMatchObject({ code: 'FORBIDDEN' });
  });
});

describe('a decision', () => {
  it('is stored with who, by which role, what, why and when, and told with the request as its GET answers', async () => {
    const request = await ask();
    const decided = await approve(request);
    const decision = { by: 'bob', role: 'inventory_manager', decision: 'approved', reason: 'fine', at: decided.closedAt };
    expect(decided).toEqual({ ...request, status: 'approved', approverRoles: [], closedAt: expect.any(String), decisions: [decision] });
    expect(await get(request)).toEqual(decided);
    expect(told().at(-1)).toMatchObject({ type: 'ApprovalDecided', actor: 'bob', time: decided.closedAt, data: decided });
    expect(ApprovalDecided.validate(told().at(-1)!.data)).toBeNull();
  });

  it('is refused to its author, to other roles, elsewhere, and after another one', async () => {
    const request = await ask();
    await expect(approve(request, { ...bob, userId: 'ann' })).rejects.toMatchObject({ kind: 'forbidden', code: 'SELF_APPROVAL' });
    for (const role of ['sales', 'warehouse', 'cashier', 'auditor', 'service', 'finance_manager'] as const) {
      await expect(approve(request, { roles: [role] })).rejects.toMatchObject({ kind: 'forbidden', code: 'FORBIDDEN' });
    }
    await expect(approve(request, { ...bob, warehouses: ['w2'] })).rejects.toMatchObject({ code: 'WAREHOUSE_FORBIDDEN' });
    const decided = await approve(request, { ...bob, warehouses: ['w1'] });
    expect(await approve(request)).toEqual(decided);
    await expect(approve(request, { userId: 'eve' })).rejects.toMatchObject({ kind: 'conflict', code: 'INVALID_STATE' });
    const { approvalRequestId } = request;
    await expect(call(ApprovalReject, { approvalRequestId, reason: 'no' }, bob)).rejects.toMatchObject({
      code: 'INVALID_STATE',
      details: { approvalStatus: 'approved', decidedBy: 'bob' },
    });
    await expect(call(ApprovalApprove, { approvalRequestId, reason: '' }, bob)).rejects.toMatchObject({ code: 'VALIDATION_FAILED' });
  });

  it('needs a request of the own organisation', async () => {
    const request = await ask();
    const missing = { kind: 'not_found', code: 'APPROVAL_NOT_FOUND' };
    await expect(approve(request, { ...bob, orgId: 'another' })).rejects.toMatchObject(missing);
    await expect(get(request, { ...bob, orgId: 'another' })).rejects.toMatchObject(missing);
    for (const approvalRequestId of [NOWHERE, 'o-1']) {
      await expect(call(ApprovalApprove, { approvalRequestId, reason: 'fine' }, bob)).rejects.toMatchObject(missing);
      await expect(call(ApprovalGet, { approvalRequestId }, bob)).rejects.toMatchObject(missing);
    }
  });
});

describe('lists', () => {
  const list = (query: RequestOf<typeof ApprovalList> = {}, actor: Partial<Actor> = bob) => call(ApprovalList, query, actor);
  const subjects = async (query: RequestOf<typeof ApprovalList>, actor?: Partial<Actor>) =>
    (await list(query, actor)).items.map(({ subjectId }) => subjectId);

  it('show what was asked, newest first, by what is looked for', async () => {
    const one = await ask({ subjectId: 'one' });
    await ask({ subjectId: 'two', kind: 'adjustment', subjectType: 'adjustment', requestedBy: 'zoe' });
    await ask({ subjectId: 'three', magnitudes: { quantity: '1', percent: null, value: null } });
    await approve(one);
    expect(await subjects({})).toEqual(['three', 'two', 'one']);
    expect(await subjects({ open: true })).toEqual(['three', 'two']);
    expect(await subjects({ open: false })).toEqual(['one']);
    expect(await subjects({ status: 'approved' })).toEqual(['one']);
    expect(await subjects({ status: 'escalated' })).toEqual([]);
    expect(await subjects({ kind: 'adjustment' })).toEqual(['two']);
    expect(await subjects({ requiredRole: 'finance_manager' })).toEqual(['three']);
    expect(await subjects({ requestedBy: 'zoe' })).toEqual(['two']);
    expect(await subjects({ subjectType: 'order', subjectId: 'one' })).toEqual(['one']);
    expect(await subjects({ from: one.createdAt, to: '2999-01-01T00:00:00Z' })).toHaveLength(3);
    expect(await subjects({ to: one.createdAt })).toEqual([]);
    expect((await list()).items[2]).toEqual(await get(one));
    await expect(list({}, { roles: ['sales'] })).rejects.toMatchObject({ code: 'FORBIDDEN' });
  });

  it('and requests are for those who work in all warehouses concerned', async () => {
    await ask({ subjectId: 'here' });
    const both = await ask({ subjectId: 'both', warehouses: ['w1', 'w2'] });
    const open = await ask({ subjectId: 'whichever', warehouses: null });
    expect(await subjects({}, { ...bob, warehouses: ['w1'] })).toEqual(['here']);
    expect(await subjects({}, { ...bob, warehouses: ['w2', 'w1'] })).toEqual(['both', 'here']);
    expect(await subjects({}, { ...bob, warehouses: [] })).toEqual([]);
    expect(await subjects({})).toEqual(['whichever', 'both', 'here']);
    await expect(get(both, { ...bob, warehouses: ['w1'] })).rejects.toMatchObject({ code: 'APPROVAL_NOT_FOUND' });
    await expect(get(open, { ...bob, warehouses: ['w1'] })).rejects.toMatchObject({ code: 'APPROVAL_NOT_FOUND' });
  });

  it('go on after the last one of a page, whatever comes meanwhile, and end early when it gets large', async () => {
    const large = 'x'.repeat(450_000);
    const all: string[] = [];
    for (let n = 0; n < 12; n++) {
      await ask({ subjectId: `o-${n}`, availabilitySnapshot: n < 10 ? large : null });
      all.unshift(`o-${n}`);
    }
    const seen: string[] = [];
    const sizes: number[] = [];
    for (let cursor: string | undefined; ;) {
      const page = await list({ limit: 500, ...(cursor && { cursor }) });
      seen.push(...page.items.map(({ subjectId }) => subjectId));
      sizes.push(Buffer.byteLength(JSON.stringify(page)));
      if (page.nextCursor === null) break;
      cursor = page.nextCursor;
      await ask({ subjectId: `later-${sizes.length}` });
    }
    expect(seen).toEqual(all);
    expect(sizes.length).toBe(2);
    expect(Math.max(...sizes)).toBeLessThan(4.5 * 1024 * 1024);
    const [first, second] = [await list({ limit: 1 }), await list({ limit: 3 })];
    expect(first.items).toEqual(second.items.slice(0, 1));
    await expect(list({ cursor: 'bogus' })).rejects.toMatchObject({ code: 'VALIDATION_FAILED' });
  });
});

describe('policies', () => {
  const hours = { remindAfterHours: 1, escalateAfterHours: 2, expireAfterHours: 3 };
  const mine: ApprovalPolicy[] = [
    { kind: 'adjustment', maxQuantity: '5', requiredRole: 'inventory_manager', escalateTo: ['admin', 'finance_manager'], ...hours },
    { kind: 'adjustment', requiredRole: 'admin', escalateTo: [], ...hours },
  ];
  const set = (policies: ApprovalPolicy[], actor?: Partial<Actor>) => call(ApprovalPoliciesSet, { policies }, actor);
  const policies = () => call(ApprovalPoliciesGet, {});
  const history = () => call(ApprovalPoliciesHistory, {});

  it('are the defaults until an organisation puts its own, which count from then on', async () => {
    expect(await policies()).toEqual(DEFAULT_POLICIES);
    const before = await ask({ kind: 'adjustment', subjectId: 'before' });
    expect(await set([{ ...mine[0]!, maxQuantity: '5.00' }, mine[1]!])).toEqual(mine);
    expect(await policies()).toEqual(mine);
    const after = await ask({ kind: 'adjustment', subjectId: 'after' });
    const beyond = await ask({ kind: 'adjustment', subjectId: 'beyond', magnitudes: { quantity: '5.0001', percent: '0', value: '0' } });
    expect([await get(before), after, beyond]).toMatchObject([
      { requiredRole: 'inventory_manager', escalateTo: ['finance_manager'] },
      { requiredRole: 'inventory_manager', escalateTo: ['admin', 'finance_manager'] },
      { requiredRole: 'admin', escalateTo: [] },
    ]);
    expect(Date.parse(after.dueAt) - Date.parse(after.createdAt)).toBe(3 * 3_600_000);
    // Kinds that the list does not name are for the role that decides about everything.
    expect(await ask()).toMatchObject({ kind: 'order_override', requiredRole: 'finance_manager', escalateTo: ['admin'] });
  });

  it('are found for whoever wants to know before it asks', async () => {
    const magnitudes = { quantity: '1', percent: '1', value: '1' };
    const match = () => call(ApprovalPolicyMatch, { kind: 'adjustment', magnitudes }, asService);
    expect(await match()).toEqual(DEFAULT_POLICIES.find(({ kind }) => kind === 'adjustment'));
    await set(mine.slice(1));
    expect(await match()).toEqual(mine[1]);
  });

  it('have a history of who changed them, newest first', async () => {
    await set(mine, { userId: 'ann' });
    await set(mine, { userId: 'bob' });
    await set([], { userId: 'carl' });
    const { items } = await history();
    expect(items).toEqual([
      { from: mine, to: [], actor: 'carl', changedAt: expect.any(String) },
      { from: DEFAULT_POLICIES, to: mine, actor: 'ann', changedAt: expect.any(String) },
    ]);
    const page = await call(ApprovalPoliciesHistory, { limit: 1 });
    expect(page.items).toEqual(items.slice(0, 1));
    expect(await call(ApprovalPoliciesHistory, { cursor: page.nextCursor! })).toEqual({ items: items.slice(1), nextCursor: null });
  });

  it('are changed one after the other, so that the history has no gap', async () => {
    const maxima = Array.from({ length: 12 }, (_, index) => String(index));
    await Promise.all(maxima.map((maxQuantity) => set([{ ...mine[0]!, maxQuantity }])));
    const oldestFirst = [...(await history()).items].reverse();
    expect(oldestFirst).toHaveLength(12);
    oldestFirst.forEach((change, index) => expect(change.from).toEqual(index === 0 ? DEFAULT_POLICIES : oldestFirst[index - 1]!.to));
    expect(await policies()).toEqual(oldestFirst.at(-1)!.to);
  });

  it('are refused as a whole when one is wrong, and put by administrators only', async () => {
    const wrong = [mine[1]!, { ...mine[0]!, escalateTo: ['inventory_manager' as const], remindAfterHours: 3 }];
    await expect(set(wrong)).rejects.toMatchObject({
      code: 'VALIDATION_FAILED',
      details: { errors: [{ path: '1.escalateTo' }, { path: '1.remindAfterHours' }, { path: '1.kind' }] },
    });
    await expect(set([{ ...mine[0]!, requiredRole: 'sales' as 'admin' }])).rejects.toMatchObject({ code: 'VALIDATION_FAILED' });
    await expect(set(mine, { roles: ['inventory_manager', 'finance_manager', 'auditor'] })).rejects.toMatchObject({ code: 'FORBIDDEN' });
    expect(await policies()).toEqual(DEFAULT_POLICIES);
    expect((await history()).items).toEqual([]);
  });
});

describe('the audit trail', () => {
  const audit = async (more: Partial<RequestOf<typeof AuditLists.approvals>> = {}) =>
    (await call(AuditLists.approvals, more, { roles: ['auditor'] })).items;
  const types = async () => (await audit()).map(({ type }) => type);
  const movement = { kind: 'movement_override', subjectType: 'discrepancy', subjectId: 'd-1' } as const;

  it('says that a request was taken back, by whom and why, whatever it was about', async () => {
    const { approvalRequestId } = await ask(movement);
    const { subjectType, subjectId } = movement;
    const takeBack = () => call(ApprovalCancel, { subjectType, subjectId, reason: 'It was found' }, { userId: 'ann', roles: ['service'] });
    await takeBack();
    await takeBack();
    expect(await audit()).toMatchObject([
      {
        ...{ type: 'approval_cancelled', actor: 'ann', orderId: null },
        details: {
          approvalRequestId,
          ...movement,
          requestedBy: 'ann',
          reason: 'It was found',
          lines: anAsk.lines,
          requiredRole: 'inventory_manager',
        },
      },
      { type: 'approval_requested', orderId: null },
    ]);
    expect(await audit({ type: 'approval_cancelled', by: 'ann' })).toHaveLength(1);
  });

  it('says that a request gave way to another one', async () => {
    await ask();
    await ask({ lines: [{ ...anAsk.lines[0]!, quantity: '4' }] });
    expect((await types()).sort()).toEqual(['approval_cancelled', 'approval_requested', 'approval_requested']);
    expect(await audit({ orderId: anAsk.subjectId, type: 'approval_cancelled' })).toMatchObject([{ orderId: anAsk.subjectId }]);
  });

  it('says that a request expired, by nobody, and nothing of the kind of one that was decided', async () => {
    await approve(await ask({ subjectId: 'decided' }));
    const expires = await ask({ kind: 'discrepancy_resolution', subjectType: 'discrepancy', subjectId: 'd-2' });
    const database = await service.database.open('approvals');
    const messaging = await service.database.openMessaging('approvals');
    const outbox = new Outbox(new Relay({ service: 'approvals', delivery: service.delivery, database: messaging }));
    const late = new Replica(database, outbox, 169);
    await late.due.run();
    await late.due.run();
    const [last, ...before] = await audit();
    expect(last).toMatchObject({
      ...{ type: 'approval_expired', actor: null, orderId: null },
      details: { approvalRequestId: expires.approvalRequestId, kind: 'discrepancy_resolution', subjectId: 'd-2', reason: null },
    });
    expect(before.map(({ type }) => type).sort()).toEqual(['approval_approved', 'approval_requested', 'approval_requested']);
  });
});

describe('the tables', () => {
  const tables = [
    'approval_policy_set',
    'approval_policy_change',
    'approval_subject',
    'approval_request',
    'approval_decision',
    'approval_end',
  ];

  it('hide every row from a transaction of another organisation', async () => {
    const { subjectType, subjectId } = await approve(await ask());
    await call(ApprovalPoliciesSet, { policies: [] });
    await service.database.rows(
      `insert into approvals.approval_end select org_id, approval_request_id, 'cancelled', null, null, now() from approvals.approval_request
        where org_id = $1 and subject_type = $2 and subject_id = $3`,
      [orgId, subjectType, subjectId],
    );
    const database = await service.database.open('approvals');
    for (const table of tables) {
      const count = (orgs: string[]) => database.transaction(orgs, (tx) => tx.rows(`select 1 from ${table}`));
      expect([table, (await count(['nobody'])).length, (await count([orgId])).length]).toEqual([table, 0, 1]);
    }
  });

  it('are bound by row-level security, their owner as well', async () => {
    const unbound = await service.database.rows(
      `select c.relname from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'org_id'
        where c.relkind = 'r' and c.relnamespace = 'approvals'::regnamespace and not (c.relrowsecurity and c.relforcerowsecurity)`,
    );
    expect(unbound).toEqual([]);
  });

  it('take no change of what was asked, decided or recorded', async () => {
    await approve(await ask());
    const database = await service.database.open('approvals');
    const statements = [
      ...['lines', 'command', 'availability_snapshot'].map((column) => `update approval_request set ${column} = '[]'`),
      ...['requested_by', 'required_role', 'fingerprint'].map((column) => `update approval_request set ${column} = 'x'`),
      'update approval_request set value = 0',
      'update approval_request set expire_at = now()',
      `update approval_decision set decided_by = 'x'`,
      `update approval_end set ended_by = 'x'`,
      `update approval_policy_change set actor = 'x'`,
      ...tables.flatMap((table) => [`delete from ${table}`, `truncate ${table}`]),
    ];
    for (const text of statements) {
      await expect(database.transaction([orgId], (tx) => tx.execute(text))).rejects.toMatchObject({ code: '42501' });
    }
  });

  it('take one decision per request, whatever the code does', async () => {
    const { approvalRequestId } = await approve(await ask());
    const again = `insert into approvals.approval_decision values ($1, $2, 'eve', 'admin', 'rejected', 'no', now())`;
    await expect(service.database.rows(again, [orgId, approvalRequestId])).rejects.toMatchObject({ code: '23505' });
  });
});
