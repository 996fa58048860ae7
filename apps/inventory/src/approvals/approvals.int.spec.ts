import { Logger } from '@nestjs/common';
import {
  AdjustmentPost,
  ApprovalAsk,
  ApprovalCancel,
  ApprovalDecided,
  ApprovalPolicyMatch,
  type ApprovalRequest,
  type ApproverRole,
  AuditLists,
  DiscrepancyDismiss,
  DiscrepancyGet,
  DiscrepancyReport,
  DiscrepancyRequestOverride,
  DiscrepancyResolve,
  DiscrepancyReview,
  ItemCreate,
  makeEvent,
  OverridesWithoutEffect,
  ReceiptPost,
  routingKey,
  StockList,
  TransferCreate,
  WarehouseCreate,
} from '#libs/contracts';
import { type HoldfastError, uuidv7 } from '#libs/domain';
import { startTestService, StubService, type TestService } from '#libs/testing';
import { eventually } from '../../../../test/support/eventually.js';
import { inventory } from '../index.js';

const manager = { userId: 'ann', roles: ['inventory_manager' as const] };

describe('changes of stock that need an approval', () => {
  let service: TestService;
  let approvals: StubService;
  /** Who else is told. */
  let others: StubService[];
  let org = 0;
  let orgId: string;
  let asked: Record<string, unknown>[] = [];
  let status: ApprovalRequest['status'];
  /** Happens while somebody is asked. */
  let meanwhile: () => Promise<unknown>;
  let withdrawn: Record<string, unknown>[] = [];

  beforeAll(async () => {
    service = await startTestService(inventory);
    approvals = await StubService.start(service.delivery, 'approvals');
    others = [
      await StubService.start(service.delivery, 'notifications', [ApprovalDecided]),
      await StubService.start(service.delivery, 'orders', [ApprovalDecided]),
    ];
    approvals.answers(ApprovalPolicyMatch, (request) => {
      const requiredRole: ApproverRole = isSmall(request) ? 'inventory_manager' : 'finance_manager';
      return { kind: request.kind, requiredRole, escalateTo: [], remindAfterHours: 24, escalateAfterHours: 48, expireAfterHours: 168 };
    });
    approvals.answers(ApprovalAsk, async (request) => {
      asked.push(request);
      await meanwhile();
      return requestOf(request, status);
    });
    approvals.answers(ApprovalCancel, (request) => {
      withdrawn.push(request);
      const last = asked.at(-1);
      return { request: last === undefined ? null : requestOf(last, 'cancelled') };
    });
  });
  afterAll(async () => {
    await Promise.all([approvals, ...others].map((stub) => stub.stop()));
    await service.stop();
  });

  const foreseen = { approvalRequestId: null, status: 'pending', requiredRole: 'finance_manager', dryRun: true };
  const isSmall = (request: unknown) => Number((request as { magnitudes: { quantity: string } }).magnitudes.quantity) <= 2;
  function requestOf(
    request: Record<string, unknown>,
    ends: ApprovalRequest['status'],
    more: Partial<ApprovalRequest> = {},
  ): ApprovalRequest {
    const decision = {
      by: 'bob',
      role: 'finance_manager',
      decision: 'approved',
      reason: 'seen it',
      at: '2026-03-01T10:00:00.000Z',
    } as const;
    const isDecided = ends === 'approved' || ends === 'rejected';
    return {
      ...(request as unknown as ApprovalRequest),
      ...{ approvalRequestId: `r-${orgId}-${String(request['subjectId'])}`, subjectVersion: null, status: ends },
      ...{ requiredRole: 'finance_manager', escalateTo: [], approverRoles: [], createdAt: decision.at, dueAt: decision.at },
      ...{ remindedAt: null, escalatedAt: null, closedAt: null, closeReason: null },
      decisions: isDecided ? [{ ...decision, decision: ends }] : [],
      ...more,
    };
  }
  /** Tells what was decided; resolves when inventory has heard it. */
  const decides = async (request: ApprovalRequest) => {
    const attributes = { source: '/approvals', subject: request.approvalRequestId, orgid: orgId, time: new Date().toISOString() };
    const event = makeEvent(ApprovalDecided, attributes, request);
    const message = { id: event.id, type: event.type, routingKey: routingKey(event), body: Buffer.from(JSON.stringify(event)) };
    await new Promise<void>((resolve, reject) => {
      service.delivery.publish(message, (_, safe) => (safe ? resolve() : reject(new Error('It was not handled.'))));
    });
  };

  beforeEach(async () => {
    orgId = `org-${++org}`;
    asked = [];
    withdrawn = [];
    status = 'pending';
    meanwhile = () => Promise.resolve();
    await service.call(ItemCreate, { orgId, itemId: 'a', name: 'Apple' });
    await service.call(WarehouseCreate, { orgId, warehouseId: 'w', name: 'W' });
    await service.call(ReceiptPost, { orgId, warehouseId: 'w', lines: [{ itemId: 'a', quantity: '10', unitCost: '2.5' }] });
  });

  const onHand = async () => (await service.call(StockList, { orgId, itemId: 'a' })).items[0]!.onHand;
  const adjust = (quantityDelta: string, commandId: string = uuidv7(), dryRun = false) =>
    service.call(AdjustmentPost, { orgId, commandId, warehouseId: 'w', itemId: 'a', quantityDelta, reason: 'broken', dryRun }, manager);
  const report = (snapshotQuantity: string) =>
    service.call(DiscrepancyReport, { orgId, warehouseId: 'w', itemId: 'a', snapshotQuantity, note: 'seen' }, manager);
  const get = (discrepancyId: string) => service.call(DiscrepancyGet, { orgId, discrepancyId });

  describe('adjustments', () => {
    it('within the limit of who makes them and what cannot be are not asked about', async () => {
      await adjust('-2');
      await expect(adjust('-50')).rejects.toMatchObject({ code: 'INSUFFICIENT_STOCK' });
      await service.call(AdjustmentPost, { orgId, warehouseId: 'w', itemId: 'a', quantityDelta: '-3', reason: 'r' });
      expect([await onHand(), asked]).toEqual(['5', []]);
    });

    it('beyond it post nothing, and say of how much it is about', async () => {
      expect(await adjust('-4', 'c')).toEqual({ approvalRequestId: `r-${orgId}-c`, status: 'pending', requiredRole: 'finance_manager' });
      expect(await onHand()).toBe('10');
      expect(asked).toMatchObject([
        {
          ...{ kind: 'adjustment', subjectType: 'adjustment', subjectId: 'c', requestedBy: 'ann', reason: 'broken', warehouses: ['w'] },
          magnitudes: { quantity: '4', percent: '40', value: '10' },
          lines: [{ itemId: 'a', warehouseId: 'w', quantity: '-4' }],
        },
      ]);
    });

    it('that are tried out say what they would need, and ask nobody', async () => {
      expect(await adjust('-4', 'c', true)).toEqual(foreseen);
      expect(await adjust('-2', uuidv7(), true)).toMatchObject({ balanceAfter: '8' });
      await expect(adjust('-50', uuidv7(), true)).rejects.toMatchObject({ code: 'INSUFFICIENT_STOCK' });
      expect([await onHand(), asked]).toEqual(['10', []]);
    });

    it('are worth at least what one costs now, whatever cost is said with them', async () => {
      const adding = (more: object) =>
        service.call(AdjustmentPost, { orgId, warehouseId: 'w', itemId: 'a', quantityDelta: '4', reason: 'r', ...more }, manager);
      for (const unitCost of ['0', '3']) await adding({ unitCost });
      await expect(adding({ quantityDelta: '-4', unitCost: '0' })).rejects.toMatchObject({ code: 'STOCK_VALIDATION' });
      expect(asked).toMatchObject([{ magnitudes: { value: '10' } }, { magnitudes: { value: '12' } }]);
    });

    it('are posted once when they are approved, however often that is heard, and by whom', async () => {
      await adjust('-4', 'c');
      const request = requestOf(asked[0]!, 'approved');
      await Promise.all([decides(request), decides(request), decides(request)]);
      expect(await onHand()).toBe('6');
      // Also when it is asked for again, and answered so.
      status = 'approved';
      expect(await adjust('-4', 'c')).toMatchObject({ quantityDelta: '-4' });
      expect(await onHand()).toBe('6');
      const rows = await service.database.rows(
        'select outcome, decided_by, role, reason from inventory.approval_effect where org_id = $1',
        [orgId],
      );
      expect(rows).toEqual([{ outcome: 'done', decided_by: 'bob', role: 'finance_manager', reason: 'seen it' }]);
      const [movement] = await service.database.rows<{ actor: string }>(
        `select actor from inventory.movement where org_id = $1 and movement_type = 'adjustment'`,
        [orgId],
      );
      expect(movement!.actor).toBe('ann');
    });

    it('are logged once they are carried out: who, in which role, why, and about what', async () => {
      const said: unknown[] = [];
      const note = (line: unknown) => said.push(line);
      Logger.overrideLogger({ log: note, warn: note, error: note });
      try {
        await adjust('-4', 'c');
        await decides(requestOf(asked[0]!, 'approved'));
      } finally {
        Logger.overrideLogger(false);
      }
      const who = { approver: 'bob', role: 'finance_manager', reason: 'seen it' };
      const what = { orgId, approvalRequestId: `r-${orgId}-c`, kind: 'adjustment', subjectId: 'c', effect: 'done' };
      expect(said).toEqual([{ msg: 'What was approved is done', ...what, ...who }]);
    });

    it('are posted when the answer was lost, and it was approved meanwhile', async () => {
      status = 'approved';
      expect(await adjust('-4', 'c')).toMatchObject({ status: 'approved' });
      expect(await onHand()).toBe('6');
    });

    it.each(['rejected', 'expired', 'cancelled'] as const)('are not posted when they are %s', async (ends) => {
      await adjust('-4', 'c');
      await decides(requestOf(asked[0]!, ends));
      expect(await onHand()).toBe('10');
    });

    it('that cannot be done any more are on record', async () => {
      await adjust('-8', 'c');
      await service.call(AdjustmentPost, { orgId, warehouseId: 'w', itemId: 'a', quantityDelta: '-5', reason: 'r' });
      await decides(requestOf(asked[0]!, 'approved'));
      expect(await onHand()).toBe('5');
      const trail = async (warehouses: string[] | null) => {
        const { items } = await service.call(AuditLists.inventory, { orgId }, { userId: 'aud', roles: ['auditor'], warehouses });
        return items.filter(({ type }) => type === 'approval_without_effect');
      };
      expect(await trail(null)).toMatchObject([
        {
          actor: 'bob',
          details: {
            ...{ approvalRequestId: `r-${orgId}-c`, kind: 'adjustment', subjectType: 'adjustment', subjectId: 'c' },
            ...{ role: 'finance_manager', reason: 'seen it', code: 'INSUFFICIENT_STOCK', why: expect.stringContaining('available') },
          },
        },
      ]);
      expect([(await trail(['w'])).length, (await trail(['v'])).length]).toEqual([1, 0]);
    });
  });

  describe('resolving a discrepancy', () => {
    const resolve = (discrepancyId: string) =>
      service.call(DiscrepancyResolve, { orgId, discrepancyId, note: 'gone', adjust: true }, manager);

    it('beyond the limit waits, and is done by who approves it', async () => {
      const { discrepancyId } = await report('4');
      const needed = await resolve(discrepancyId);
      expect(needed).toMatchObject({ status: 'pending' });
      expect(await get(discrepancyId)).toMatchObject({
        status: 'new',
        approvalRequestId: (needed as { approvalRequestId: string }).approvalRequestId,
      });
      expect(asked).toMatchObject([{ kind: 'discrepancy_resolution', magnitudes: { quantity: '6', percent: '60', value: '15' } }]);
      await decides(requestOf(asked[0]!, 'approved'));
      expect(await get(discrepancyId)).toMatchObject({ status: 'resolved', resolvedBy: 'bob', resolutionNote: 'gone' });
      expect(await onHand()).toBe('4');
      expect(await resolve(discrepancyId)).toMatchObject({ status: 'resolved' });
    });

    it('that is tried out says what it would need, and asks nobody', async () => {
      const tries = async (snapshotQuantity: string, adjust: boolean) => {
        const { discrepancyId } = await report(snapshotQuantity);
        return await service.call(DiscrepancyResolve, { orgId, discrepancyId, note: 'gone', adjust, dryRun: true }, manager);
      };
      expect(await tries('4', true)).toEqual(foreseen);
      expect(await tries('9', true)).toMatchObject({ status: 'resolved' });
      expect(await tries('4', false)).toMatchObject({ status: 'resolved' });
      expect([await onHand(), asked]).toEqual(['10', []]);
    });

    it('within the limit, or without posting, is done at once', async () => {
      const small = await report('9');
      expect(await resolve(small.discrepancyId)).toMatchObject({ status: 'resolved', resolvedBy: 'ann' });
      const large = await report('1');
      const without = { orgId, discrepancyId: large.discrepancyId, note: 'n', adjust: false };
      expect(await service.call(DiscrepancyResolve, without, manager)).toMatchObject({ status: 'resolved' });
      expect([await onHand(), asked]).toEqual(['9', []]);
    });

    it('is asked no more when it is dismissed, or when somebody else decides about it in another way', async () => {
      const [dismissed, decided] = [await report('4'), await report('3')];
      await resolve(dismissed.discrepancyId);
      await service.call(DiscrepancyDismiss, { orgId, discrepancyId: dismissed.discrepancyId, note: 'found' }, manager);
      await service.call(DiscrepancyDismiss, { orgId, discrepancyId: dismissed.discrepancyId, note: 'found' }, manager);
      await resolve(decided.discrepancyId);
      await service.call(DiscrepancyResolve, { orgId, discrepancyId: decided.discrepancyId, note: 'moved', adjust: false }, manager);
      expect(await eventually(() => withdrawn.length >= 2)).toBe(true);
      expect(withdrawn).toMatchObject([
        {
          subjectType: 'discrepancy',
          subjectId: dismissed.discrepancyId,
          reason: 'The discrepancy is dismissed: found',
          onBehalfOf: 'ann',
        },
        { subjectType: 'discrepancy', subjectId: decided.discrepancyId, reason: 'The discrepancy is resolved: moved' },
      ]);
    });

    it('is asked no more when it was dismissed while it was asked', async () => {
      const { discrepancyId } = await report('4');
      meanwhile = async () => {
        await service.call(DiscrepancyDismiss, { orgId, discrepancyId, note: 'found' }, manager);
        await eventually(() => withdrawn.length === 1);
      };
      expect(await resolve(discrepancyId)).toMatchObject({ status: 'cancelled' });
      expect(withdrawn).toHaveLength(2);
    });

    it('is on the trail as what it is: that it was asked for, and that nothing came of it', async () => {
      const { discrepancyId } = await report('4');
      await service.call(DiscrepancyReview, { orgId, discrepancyId }, manager);
      await resolve(discrepancyId);
      await decides(requestOf(asked[0]!, 'rejected'));
      const { items } = await service.call(AuditLists.inventory, { orgId });
      expect(items.map(({ type }) => type)).toEqual([
        'discrepancy_approval_ended',
        'discrepancy_approval_requested',
        'discrepancy_reviewed',
        'discrepancy_opened',
      ]);
      expect(items[1]!.actor).toBe('ann');
      expect(items[0]!.details).toMatchObject({ status: 'under_review', resolutionNote: 'Rejected by bob: seen it' });
    });

    it('is decided and withdrawn in whatever characters: none is cut in halves', async () => {
      const { discrepancyId } = await report('4');
      const long = '😀'.repeat(500);
      await resolve(discrepancyId);
      const rejected = requestOf(asked[0]!, 'rejected');
      await decides({ ...rejected, decisions: [{ ...rejected.decisions[0]!, reason: long }] });
      const told = 'Rejected by bob: ';
      expect((await get(discrepancyId)).resolutionNote).toBe(told + '😀'.repeat(500 - told.length));
      await service.call(DiscrepancyDismiss, { orgId, discrepancyId, note: long }, manager);
      expect(await eventually(() => withdrawn.length > 0)).toBe(true);
      expect([...String(withdrawn[0]!['reason'])]).toHaveLength(500);
    });

    it('that was approved and is not possible any more stays open, and says why', async () => {
      const { discrepancyId } = await report('4');
      await resolve(discrepancyId);
      await service.call(AdjustmentPost, { orgId, warehouseId: 'w', itemId: 'a', quantityDelta: '-5', reason: 'r' });
      await decides(requestOf(asked[0]!, 'approved'));
      expect(await get(discrepancyId)).toMatchObject({
        status: 'new',
        resolutionNote: expect.stringMatching(/^Approved by bob, but not possible: ./),
      });
      expect(await onHand()).toBe('5');
    });

    it('of a movement that is approved and has no effect is told apart from others', async () => {
      const { discrepancyId } = await report('4');
      const resolution = (await resolve(discrepancyId), asked[0]!);
      await service.call(DiscrepancyDismiss, { orgId, discrepancyId, note: 'found' }, manager);
      const override = { ...resolution, kind: 'movement_override', command: { ...(resolution['command'] as object) } };
      await decides(requestOf(override, 'approved', { approvalRequestId: 'z' }));
      await decides(requestOf(resolution, 'approved', { approvalRequestId: 'zz' }));
      const since = (from: string, warehouses: string[] | null = null) =>
        service.call(OverridesWithoutEffect, { orgId, from }, { roles: ['auditor'], warehouses });
      expect(await since('2020-01-01T00:00:00Z')).toEqual({ approvalRequestIds: ['z'] });
      expect(await since('2020-01-01T00:00:00Z', ['w'])).toEqual({ approvalRequestIds: ['z'] });
      expect(await since('2020-01-01T00:00:00Z', ['v'])).toEqual({ approvalRequestIds: [] });
      expect(await since('2100-01-01T00:00:00Z')).toEqual({ approvalRequestIds: [] });
    });

    it('that was rejected stays open, and says so; what was dismissed meanwhile is not posted', async () => {
      const { discrepancyId } = await report('4');
      await resolve(discrepancyId);
      await decides(requestOf(asked[0]!, 'rejected', { approvalRequestId: 'a1' }));
      expect(await get(discrepancyId)).toMatchObject({ status: 'new', resolutionNote: null });
      await decides(requestOf(asked[0]!, 'rejected'));
      expect(await get(discrepancyId)).toMatchObject({ status: 'new', resolutionNote: 'Rejected by bob: seen it' });
      await service.call(DiscrepancyDismiss, { orgId, discrepancyId, note: 'found' }, manager);
      await decides(requestOf(asked[0]!, 'approved', { approvalRequestId: 'z' }));
      expect([(await get(discrepancyId)).status, await onHand()]).toEqual(['dismissed', '10']);
    });
  });

  it('the override of a movement is asked no more when one of its discrepancies is over, and may be asked anew for the others', async () => {
    await service.call(ItemCreate, { orgId, itemId: 'b', name: 'Bread' });
    await service.call(WarehouseCreate, { orgId, warehouseId: 'v', name: 'V' });
    const lines = ['a', 'b'].map((itemId) => ({ itemId, quantity: '12' }));
    const transfer = service.call(TransferCreate, { orgId, fromWarehouseId: 'w', toWarehouseId: 'v', lines }, manager);
    const { details } = (await transfer.catch((error: unknown) => error)) as HoldfastError;
    const [one, other] = details['discrepancyIds'] as [string, string];
    const ask = () => service.call(DiscrepancyRequestOverride, { orgId, discrepancyId: one, reason: 'they stand there' }, manager);
    const { approvalRequestId } = await ask();
    expect(asked).toMatchObject([{ subjectId: one, subjectVersion: 0, lines: [{ itemId: 'a' }, { itemId: 'b' }] }]);

    await service.call(DiscrepancyDismiss, { orgId, discrepancyId: other, note: 'none here' }, manager);
    expect(await eventually(() => withdrawn.some(({ subjectId }) => subjectId === one))).toBe(true);
    const reason = `Discrepancy ${other} of the same movement is dismissed: none here`;
    expect(withdrawn.find(({ subjectId }) => subjectId === one)).toMatchObject({ subjectVersion: 0, reason, onBehalfOf: 'ann' });
    await decides(requestOf(asked[0]!, 'cancelled', { closeReason: reason }));
    expect(await get(one)).toMatchObject({ status: 'new', approvalRequestId: null, resolutionNote: reason });

    expect(await ask()).toEqual({ approvalRequestId, status: 'pending', requiredRole: 'finance_manager' });
    expect(asked[1]).toMatchObject({ subjectId: one, subjectVersion: 1, lines: [{ itemId: 'a' }] });
  });
});
