import { setTimeout as delay } from 'node:timers/promises';
import {
  ApprovalAsk,
  ApprovalCancel,
  ApprovalDecided,
  type ApprovalRequest,
  type CallDefinition,
  type CloudEvent,
  type DataOf,
  DEFAULT_STOCK_SETTINGS,
  ItemGet,
  OrderCancel,
  OrderConfirm,
  OrderCreate,
  OrderEventList,
  OrderGet,
  type OrderStatusChanged,
  OrderUpdate,
  type Override,
  type RequestOf,
  type ResponseOf,
  SettingsGet,
  StockDemand,
  type StockLine,
  StockPartiallyReserved,
  StockReservationFailed,
  StockReserved,
} from '#libs/contracts';
import { unavailable } from '#libs/domain';
import { startTestService, StubService, type TestService } from '#libs/testing';
import { orders } from '../index.js';
import { askAgain, hearStatuses, held, hold, item, publish, refused, saidEvents, short, stockLine } from '../spoken.fixture.js';

// Orders that wait for an approval, between an inventory and approvals that say what the test lets them say, when it lets them say it.

let service: TestService;
let inventory: StubService;
let approvals: StubService;
/** What orders says of their status. */
let heard: CloudEvent<DataOf<typeof OrderStatusChanged>>[];
let people: StubService;
let orgId: string;
let orgs = 0;
/** Inventory's own count. */
let sequence: number;
/** Ours, of what inventory was told by call, with what it was told. */
let demanded: RequestOf<typeof StockDemand>[];
let requests: ApprovalRequest[];

beforeAll(async () => {
  service = await startTestService(orders);
  inventory = await StubService.start(service.delivery, 'inventory', [ApprovalDecided]);
  approvals = await StubService.start(service.delivery, 'approvals');
  heard = await hearStatuses(service);
  people = await StubService.start(service.delivery, 'notifications', [StockReservationFailed, ApprovalDecided]);
});
afterAll(async () => {
  for (const stub of [people, approvals, inventory]) await stub.stop();
  await service.stop();
});
beforeEach(() => {
  orgId = `org-${++orgs}`;
  [sequence, demanded, requests] = [0, [], []];
  inventory.answers(ItemGet, ({ itemIds }) => ({ items: itemIds.map(item) }));
  inventory.answers(SettingsGet, () => DEFAULT_STOCK_SETTINGS);
  inventory.answers(StockDemand, (request) => {
    demanded.push(request);
    return answerTo(request);
  });
  approvals.answers(ApprovalAsk, (request) => ask(request));
  approvals.answers(ApprovalCancel, () => ({ request: null }));
});

const override: Override = {
  kind: 'order_override',
  magnitudes: { quantity: '3', percent: '75', value: '6' },
  lines: [{ lineNo: 1, itemId: 'a', warehouseId: 'main', quantity: '3', requested: '4', available: '1' }],
  availabilitySnapshot: [{ itemId: 'a', warehouseId: 'main', onHand: '1', reserved: '0', available: '1' }],
};
const one = { ...hold, quantity: '1' };
const soon = () => new Date(Date.now() + 60_000).toISOString();
const blocked = (): ResponseOf<typeof StockDemand> => ({ ...refused(++sequence), discrepancyIds: ['d1'], override });
const pending = (): ResponseOf<typeof StockDemand> => ({ ...held(++sequence, false, { reserved: '1', unheld: '3' }), lines: [one] });
const approved = (): ResponseOf<typeof StockDemand> => ({
  ...held(++sequence, false, { reserved: '1', backordered: '3' }),
  ...{ status: 'partial', lines: [one], backordered: [{ lineNo: 1, itemId: 'a', quantity: '3' }], expiresAt: soon() },
});

/** There is 1. What is told again is answered again, with what holds then. */
function answerTo({ lines, pendingApproval, approvedShortages }: RequestOf<typeof StockDemand>): ResponseOf<typeof StockDemand> {
  if (lines.length === 0) return { ...held(++sequence, false, { closed: '4' }), status: 'released' };
  if (lines[0]!.quantity === '1') {
    return { ...held(++sequence, false, {}), stock: [stockLine({ requested: '1', reserved: '1' })], lines: [one], expiresAt: soon() };
  }
  if (pendingApproval === true) return pending();
  return approvedShortages === undefined ? blocked() : approved();
}

/** Makes a request as approvals does: the same for the same version. */
function ask(said: RequestOf<typeof ApprovalAsk>): ApprovalRequest {
  const known = requests.find((request) => request.subjectVersion === said.subjectVersion);
  if (known !== undefined) return known;
  const made: ApprovalRequest = {
    ...said,
    ...{ approvalRequestId: `r${requests.length + 1}`, subjectVersion: said.subjectVersion ?? null, command: said.command ?? null },
    ...{ status: 'pending', requiredRole: 'inventory_manager', escalateTo: [], approverRoles: ['inventory_manager', 'admin'] },
    ...{ createdAt: new Date().toISOString(), dueAt: soon(), remindedAt: null, escalatedAt: null, closedAt: null, closeReason: null },
    decisions: [],
  };
  requests.push(made);
  return made;
}

/** The request as bob decided it. */
function decided(request: ApprovalRequest, decision: 'approved' | 'rejected', reason = 'a truck comes'): ApprovalRequest {
  const at = new Date().toISOString();
  const decisions = [{ by: 'bob', role: 'inventory_manager' as const, decision, reason, at }];
  return { ...request, status: decision, approverRoles: [], closedAt: at, decisions };
}

async function tell(request: ApprovalRequest): Promise<void> {
  await publish(service, ApprovalDecided, { source: '/approvals', subject: request.approvalRequestId, orgid: orgId }, request);
}

const silent = () => {
  throw unavailable('no answer');
};
const call = <D extends CallDefinition>(definition: D, request: RequestOf<D>): Promise<ResponseOf<D>> =>
  service.call(definition, Object.assign({}, request, { orgId }), { userId: 'ann' });
const place = (more: Partial<RequestOf<typeof OrderCreate>> = {}) =>
  call(OrderCreate, { orderId: 'o', customerId: 'c', lines: [{ itemId: 'a', quantity: '4' }], ...more });
const get = () => call(OrderGet, { orderId: 'o' });
const said = () => saidEvents(service, orgId);
/** Says something as inventory does by event. */
const say = <D extends typeof StockReserved | typeof StockPartiallyReserved | typeof StockReservationFailed>(
  definition: D,
  count: number,
  data: Omit<DataOf<D>, 'orderId'>,
) => {
  const attributes = { source: '/inventory', subject: 'o', orgid: orgId, sequence: count };
  return publish(service, definition, attributes, Object.assign({ orderId: 'o' }, data) as DataOf<D>);
};
const stock = (parts: Partial<StockLine>) => [stockLine(parts)];
/** What everybody is told about the status of the order, once it has changed so often. */
const statuses = async (changes = 2): Promise<unknown[]> => {
  const told = () => heard.filter(({ orgid }) => orgid === orgId).map(({ data }) => data);
  for (let tries = 0; tries < 100 && told().length < changes; tries++) await delay(50);
  return told();
};
const began = { orderId: 'o', from: 'reserving', to: 'pending_approval' };
const events = async () => (await call(OrderEventList, { orderId: 'o' })).items.toReversed();

describe('an order that somebody may approve', () => {
  it('waits, holds what there is, and has asked', async () => {
    expect(await place()).toMatchObject({
      ...{ status: 'pending_approval', stockReserved: false, requiresInventoryOverride: true, requiresDiscrepancyAcknowledgement: false },
      ...{
        approvalRequestId: 'r1',
        warnings: [expect.stringContaining('inventory_manager or admin approves or rejects request r1')],
        expiresAt: null,
      },
      lines: [{ quantity: '4', reservedQuantity: '1', backorderedQuantity: '0', allocations: [{ quantity: '1' }] }],
    });
    expect(demanded).toMatchObject([{ sequence: 1 }, { sequence: 2, pendingApproval: true }]);
    expect(demanded[0]).not.toHaveProperty('pendingApproval');
    expect(await said()).toMatchObject([
      { type: 'OrderPlaced', sequence: 1 },
      { type: 'OrderPlaced', sequence: 2, actor: 'ann', data: { pendingApproval: true, lines: [{ quantity: '4' }] } },
    ]);
    const asked = approvals.calls.find(({ request }) => request['orgId'] === orgId)!;
    expect(asked).toMatchObject({
      pattern: 'approvals.request',
      actor: { roles: ['service'] },
      request: {
        ...{ kind: 'order_override', subjectType: 'order', subjectId: 'o', subjectVersion: 2, requestedBy: 'ann', warehouses: ['main'] },
        ...{ lines: override.lines, magnitudes: override.magnitudes, availabilitySnapshot: override.availabilitySnapshot },
        command: { orderId: 'o', customerId: 'c', lines: [{ lineNo: 1, quantity: '4' }] },
      },
    });
    expect(await events()).toMatchObject([
      {
        type: 'order_blocked',
        actor: 'ann',
        details: {
          reason: 'INSUFFICIENT_STOCK',
          shortLines: [short],
          discrepancyIds: ['d1'],
          availabilitySnapshot: override.availabilitySnapshot,
        },
      },
      { type: 'order_created', actor: 'ann', details: { sequence: 2, to: 'pending_approval' } },
      { type: 'order_approval_requested', actor: 'ann', details: { approvalRequestId: 'r1', requiredRole: 'inventory_manager' } },
    ]);
    // The same again answers what there is.
    const before = await get();
    expect(await place()).toEqual(before);
    expect(demanded).toHaveLength(2);
  });

  it('says what it acknowledges, when that is what it needs', async () => {
    inventory.answers(StockDemand, ({ pendingApproval }) =>
      pendingApproval === true
        ? pending()
        : { ...blocked(), reason: 'DISCREPANCY_LOCK' as const, override: { ...override, kind: 'discrepancy_acknowledgement' as const } },
    );
    expect(await place()).toMatchObject({ requiresInventoryOverride: false, requiresDiscrepancyAcknowledgement: true });
    expect(requests).toMatchObject([{ kind: 'discrepancy_acknowledgement', reason: expect.stringContaining('in doubt') }]);
  });

  it('is answered to a dry run without a trace', async () => {
    expect(await place({ dryRun: true })).toMatchObject({
      dryRun: true,
      status: 'pending_approval',
      approvalRequestId: null,
      requiresInventoryOverride: true,
    });
    expect(demanded).toMatchObject([{ dryRun: true }, { dryRun: true, pendingApproval: true }]);
    expect(requests).toEqual([]);
    await expect(get()).rejects.toMatchObject({ code: 'ORDER_NOT_FOUND' });
  });

  it('goes on where it stopped when inventory was silent in between', async () => {
    inventory.answers(StockDemand, ({ pendingApproval }) => (pendingApproval === true ? silent() : blocked()));
    await expect(place()).rejects.toMatchObject({ kind: 'unavailable', details: { orderId: 'o' } });
    expect(await get()).toMatchObject({ status: 'reserving', approvalRequestId: null });
    inventory.answers(StockDemand, answerTo);
    expect(await place()).toMatchObject({ status: 'pending_approval', approvalRequestId: 'r1' });
    expect((await said()).map((event) => event.sequence)).toEqual([1, 2]);
  });

  it('comes about by events alone', async () => {
    inventory.answers(StockDemand, silent);
    await expect(place()).rejects.toMatchObject({ kind: 'unavailable' });
    const failed = {
      reason: 'INSUFFICIENT_STOCK' as const,
      lines: [short],
      discrepancyIds: ['d1'],
      override,
      stock: stock({ unheld: '4' }),
    };
    await say(StockReservationFailed, 1, failed);
    await say(StockReservationFailed, 1, failed);
    expect(await get()).toMatchObject({ status: 'reserving' });
    expect(await said()).toMatchObject([{ sequence: 1 }, { sequence: 2, data: { pendingApproval: true } }]);
    await say(StockReserved, 2, { firm: false, expiresAt: null, lines: [one], stock: stock({ reserved: '1', unheld: '3' }) });
    expect(await get()).toMatchObject({ status: 'pending_approval', approvalRequestId: 'r1' });
    await tell(decided(requests[0]!, 'approved'));
    expect(await get()).toMatchObject({ status: 'pending_approval' });
    const backordered = [{ lineNo: 1, itemId: 'a', quantity: '3' }];
    const parts = stock({ reserved: '1', backordered: '3' });
    await say(StockPartiallyReserved, 3, { firm: false, expiresAt: soon(), lines: [one], backordered, stock: parts });
    expect(await get()).toMatchObject({ status: 'created', requiresInventoryOverride: false, approvalRequestId: 'r1' });
    expect((await said()).map(({ type, sequence: count }) => [type, count])).toEqual([
      ['OrderPlaced', 1],
      ['OrderPlaced', 2],
      ['OrderAmended', 3],
    ]);
  });

  it('is made although nobody can be asked now, and asks later', async () => {
    approvals.answers(ApprovalAsk, silent);
    expect(await place()).toMatchObject({ status: 'pending_approval', approvalRequestId: null, requiresInventoryOverride: true });
    await askAgain(service);
    const { version, approvalRequestId } = await get();
    expect(approvalRequestId).toBeNull();
    approvals.answers(ApprovalAsk, ask);
    await askAgain(service);
    expect(await get()).toMatchObject({ status: 'pending_approval', approvalRequestId: 'r1', version: version + 1 });
    const calls = approvals.calls.length;
    await askAgain(service);
    expect(approvals.calls).toHaveLength(calls);
  });

  it('acts upon what was decided before it heard that it was asked', async () => {
    approvals.answers(ApprovalAsk, async (request) => {
      const made = ask(request);
      await tell(decided(made, 'approved'));
      return made;
    });
    expect(await place()).toMatchObject({ status: 'created', approvalRequestId: 'r1', lines: [{ backorderedQuantity: '3' }] });
    expect((await events()).map(({ type }) => type)).toEqual([
      ...['order_blocked', 'order_created', 'order_approval_requested', 'order_approved', 'order_approval_applied'],
    ]);
  });

  it('acts upon what was decided while its answer was lost', async () => {
    approvals.answers(ApprovalAsk, (request) => {
      ask(request);
      return silent();
    });
    await place();
    approvals.answers(ApprovalAsk, (request) => decided(ask(request), 'approved'));
    await askAgain(service);
    expect(await get()).toMatchObject({ status: 'created', approvalRequestId: 'r1' });
  });
});

describe('what was decided', () => {
  it('comes into effect once, however often it is told', async () => {
    await place();
    const decision = decided(requests[0]!, 'approved');
    await tell({ ...decision, approvalRequestId: 'r7', subjectVersion: 1, status: 'rejected' });
    await tell({ ...decision, subjectId: 'another' });
    await tell({ ...decision, subjectType: 'movement', status: 'rejected' });
    expect(await get()).toMatchObject({ status: 'pending_approval' });
    await Promise.all([tell(decision), tell(decision), tell(decision)]);
    expect(await get()).toMatchObject({ status: 'created', approvalRequestId: 'r1', warnings: [], expiresAt: expect.any(String) });
    await tell(decision);
    expect(await statuses()).toEqual([began, { orderId: 'o', from: 'pending_approval', to: 'created' }]);
    expect(demanded.slice(2)).toMatchObject([{ sequence: 3, approvalRequestId: 'r1', approvedShortages: [{ lineNo: 1, quantity: '3' }] }]);
    expect((await events()).slice(3)).toMatchObject([
      { type: 'order_approved', actor: 'bob', details: { role: 'inventory_manager', discrepancyIds: ['d1'], lines: override.lines } },
      { type: 'order_approval_applied', actor: 'bob', details: { from: 'pending_approval', to: 'created' } },
    ]);
  });

  it.each([
    ['rejected', (request: ApprovalRequest) => decided(request, 'rejected', 'not for him'), 'order_approval_rejected', 'not for him'],
    [
      'expired',
      (request: ApprovalRequest) => ({ ...request, status: 'expired' as const, approverRoles: [] }),
      'order_approval_expired',
      'Nobody decided about the approval in time.',
    ],
  ])('ends the order when it was %s', async (_, end, type, reason) => {
    await place();
    await tell(end(requests[0]!));
    await tell(end(requests[0]!));
    expect(await get()).toMatchObject({ status: 'rejected', cancelReason: reason, requiresInventoryOverride: false });
    expect(await statuses()).toEqual([began, { orderId: 'o', from: 'pending_approval', to: 'rejected', reason }]);
    expect(demanded.slice(2)).toMatchObject([{ sequence: 3, lines: [], reason }]);
    expect((await said()).slice(2)).toMatchObject([{ type: 'OrderCancelled', sequence: 3, data: { reason } }]);
    expect((await events()).slice(3).map((event) => event.type)).toEqual([type, 'order_rejected']);
    await expect(call(OrderConfirm, { orderId: 'o' })).rejects.toMatchObject({ code: 'INVALID_STATE' });
  });

  it('needs another approval when the shortage grew meanwhile', async () => {
    await place();
    const grown = { ...override, lines: [{ ...override.lines[0]!, quantity: '4' }] };
    inventory.answers(StockDemand, ({ approvalRequestId }) =>
      approvalRequestId === 'r1' ? { ...blocked(), stock: stock({ reserved: '0', unheld: '4' }), override: grown } : approved(),
    );
    await tell(decided(requests[0]!, 'approved'));
    expect(await get()).toMatchObject({ status: 'pending_approval', approvalRequestId: 'r2' });
    expect(requests[1]).toMatchObject({ subjectVersion: 3, requestedBy: 'ann', lines: grown.lines });
    await tell(decided(requests[0]!, 'rejected'));
    await tell(decided(requests[1]!, 'approved'));
    expect(await get()).toMatchObject({ status: 'created' });
  });
});

describe('an order that waits', () => {
  const amend = (quantity: string) => call(OrderUpdate, { orderId: 'o', lines: [{ lineNo: 1, itemId: 'a', quantity }] });
  const taken = () => approvals.calls.filter(({ pattern, request }) => pattern === 'approvals.cancel' && request['orgId'] === orgId);

  it('cannot be confirmed, and says who must decide', async () => {
    await place();
    await expect(call(OrderConfirm, { orderId: 'o' })).rejects.toMatchObject({
      ...{ code: 'INVALID_STATE', message: expect.stringContaining('inventory_manager') },
      details: { status: 'pending_approval', approvalRequestId: 'r1', approverRoles: ['inventory_manager', 'admin'] },
    });
  });

  it('waits no more when what is left of it fits', async () => {
    await place();
    expect(await amend('1')).toMatchObject({
      ...{ status: 'created', requiresInventoryOverride: false, approvalRequestId: null, warnings: [] },
      lines: [{ quantity: '1' }],
    });
    expect(taken()).toMatchObject([{ request: { subjectType: 'order', subjectId: 'o', subjectVersion: 3 } }]);
    await tell(decided(requests[0]!, 'approved'));
    expect(demanded).toHaveLength(3);
  });

  it('asks anew when it wants more', async () => {
    await place();
    inventory.answers(StockDemand, ({ pendingApproval }) =>
      pendingApproval === true ? { ...pending(), stock: stock({ requested: '9', reserved: '1', unheld: '8' }) } : blocked(),
    );
    expect(await amend('9')).toMatchObject({ status: 'pending_approval', approvalRequestId: 'r2', lines: [{ quantity: '9' }] });
    expect(requests[1]).toMatchObject({ subjectVersion: 4 });
  });

  it('is cancelled, which approvals hears now or later, and nobody has to wait for it', async () => {
    await place();
    approvals.answers(ApprovalCancel, silent);
    const cancelled = await call(OrderCancel, { orderId: 'o', reason: 'The customer rang' });
    expect(cancelled).toMatchObject({ status: 'cancelled', approvalRequestId: null, warnings: [] });
    expect(await statuses()).toEqual([began, { orderId: 'o', from: 'pending_approval', to: 'cancelled', reason: 'The customer rang' }]);
    expect((await events()).at(-2)).toMatchObject({ type: 'order_approval_requested', details: { approvalRequestId: 'r1' } });
    await askAgain(service);
    approvals.answers(ApprovalCancel, () => ({ request: null }));
    await askAgain(service);
    const calls = taken().length;
    await askAgain(service);
    expect(taken()).toHaveLength(calls);
    expect(taken().at(-1)).toMatchObject({ request: { subjectVersion: 3 } });
  });
});

describe('an order that was agreed to', () => {
  it('is what it was when nobody approves that it grows', async () => {
    inventory.answers(StockDemand, () => held(++sequence, false, { reserved: '4' }));
    await place();
    inventory.answers(StockDemand, ({ firm }) => held(++sequence, firm!, { reserved: '4' }));
    await call(OrderConfirm, { orderId: 'o' });
    const before = await get();
    inventory.answers(StockDemand, ({ pendingApproval, firm }) =>
      pendingApproval === true
        ? { ...held(++sequence, firm!, {}), lines: [hold], stock: stock({ requested: '9', reserved: '4', unheld: '5' }) }
        : { ...blocked(), firm: true, lines: [hold], stock: stock({ reserved: '4' }) },
    );
    const update = { orderId: 'o', lines: [{ lineNo: 1, itemId: 'a', quantity: '9' }] };
    expect(await call(OrderUpdate, update)).toMatchObject({
      status: 'pending_approval',
      lines: [{ quantity: '9', reservedQuantity: '4' }],
    });
    inventory.answers(StockDemand, ({ firm }) => held(++sequence, firm!, { reserved: '4' }));
    await tell(decided(requests[0]!, 'rejected'));
    const after = await get();
    expect(after).toMatchObject({ status: 'confirmed', lines: before.lines, confirmedAt: before.confirmedAt });
    expect((await said()).at(-1)).toMatchObject({ type: 'OrderAmended', data: { firm: true, restores: true, lines: [{ quantity: '4' }] } });
    expect((await events()).at(-1)).toMatchObject({ type: 'order_amendment_taken_back', actor: 'bob' });
  });
});
