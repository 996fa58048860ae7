import { DEFAULT_POLICIES } from '../apps/approvals/src/policies/policy.rules.js';
import type { ApprovalRequest } from '#libs/contracts';
import { eventually } from './support/eventually.js';
import { HttpClient } from './support/http-client.js';
import { Installation } from './support/installation.js';
import type { Outsider, WireEvent } from './support/outsider.js';

// Requests for approval from end to end: a service asks over RabbitMQ, people decide over HTTP, everybody hears of it; two replicas.

const HOUR_SECONDS = 3_600;

let installation: Installation;
let outsider: Outsider;
let url: string;
let orgs = 0;
let orgId: string;

beforeAll(async () => {
  installation = await Installation.make(['approvals', 'gateway']);
  const [gateway] = await Promise.all((['gateway', 'approvals', 'approvals'] as const).map((app) => installation.start(app)));
  url = gateway!.url;
  outsider = await installation.outsider();
}, 60_000);

afterAll(() => installation.remove(), 60_000);
beforeEach(() => (orgId = `org-${++orgs}`));

const person = (userId: string, ...roles: string[]) => HttpClient.signIn(url, orgId, roles, userId);
const told = (subject: string): WireEvent[] => outsider.heard.filter((event) => event.subject === subject);
const types = (subject: string) => told(subject).map(({ type }) => type);

/** Asks as another service does: on its own behalf, without a person's token. */
async function ask(said: object = {}): Promise<ApprovalRequest> {
  const request = {
    ...{ orgId, kind: 'order_override', subjectType: 'order', subjectId: 'o-1', requestedBy: 'ann', reason: 'A regular customer' },
    lines: [{ lineNo: 1, itemId: 'a', warehouseId: 'w1', quantity: '3', requested: '10', available: '7' }],
    magnitudes: { quantity: '3', percent: '15', value: '60' },
    availabilitySnapshot: { onHand: '9', reserved: '2', available: '7' },
    warehouses: ['w1'],
    ...said,
  };
  const { response, err } = await outsider.call('approvals', 'approvals.request', request, 20_000);
  if (err !== undefined) throw new Error(`${err.code}: ${err.message}`);
  return response as unknown as ApprovalRequest;
}

describe('a request for approval', () => {
  it('is seen by those who decide, decided by one of them, and told to everybody', async () => {
    const request = await ask();
    const path = `/approvals/${request.approvalRequestId}`;
    const [ann, sam, bob, carl] = await Promise.all([
      person('ann', 'inventory_manager'),
      person('sam', 'sales'),
      person('bob', 'inventory_manager'),
      person('carl', 'finance_manager'),
    ]);
    expect(await bob.send('GET', '/approvals?open=true')).toEqual({ status: 200, body: { items: [request], nextCursor: null } });
    expect(await carl.send('GET', path)).toEqual({ status: 200, body: request });
    expect((await sam.send('GET', path)).status).toBe(403);

    const approve = { reason: 'The truck comes tomorrow' };
    expect(await ann.send('PUT', `${path}/approve`, approve)).toMatchObject({ status: 403, body: { code: 'SELF_APPROVAL' } });
    expect(await sam.send('PUT', `${path}/approve`, approve)).toMatchObject({ status: 403, body: { code: 'FORBIDDEN' } });
    expect(await carl.send('PUT', `${path}/approve`, approve)).toMatchObject({ status: 403, body: { code: 'FORBIDDEN' } });
    for (const body of [{}, { reason: '' }, { ...approve, by: 'eve' }]) {
      expect(await bob.send('PUT', `${path}/approve`, body)).toMatchObject({ status: 400, body: { code: 'VALIDATION_FAILED' } });
    }
    const approved = await bob.send('PUT', `${path}/approve`, approve);
    expect(approved).toMatchObject({
      status: 200,
      body: { status: 'approved', decisions: [{ by: 'bob', role: 'inventory_manager', decision: 'approved', ...approve }] },
    });
    expect(await bob.send('PUT', `${path}/approve`, { reason: 'again' })).toEqual(approved);
    expect(await bob.send('PUT', `${path}/reject`, approve)).toMatchObject({ status: 409, body: { code: 'INVALID_STATE' } });
    expect((await (await person('eve', 'admin')).send('PUT', `${path}/approve`, approve)).status).toBe(409);

    await eventually(() => types(request.approvalRequestId).length === 2);
    // They may come from different replicas, and so in any order.
    expect(told(request.approvalRequestId).sort((a, b) => (a.type < b.type ? 1 : -1))).toMatchObject([
      { type: 'ApprovalRequested', orgid: orgId, actor: 'ann', data: request },
      { type: 'ApprovalDecided', orgid: orgId, actor: 'bob', data: approved.body },
    ]);
  });

  it('of another organisation does not exist', async () => {
    const { approvalRequestId } = await ask();
    orgId = 'another';
    const stranger = await person('bob', 'admin');
    for (const [method, path] of [
      ['GET', ''],
      ['PUT', '/approve'],
      ['PUT', '/reject'],
    ] as const) {
      const answer = await stranger.send(method, `/approvals/${approvalRequestId}${path}`, method === 'PUT' ? { reason: 'r' } : undefined);
      expect(answer).toMatchObject({ status: 404, body: { code: 'APPROVAL_NOT_FOUND' } });
    }
    expect((await stranger.send('GET', '/approvals')).body['items']).toEqual([]);
  });

  it('is not decided by who had the role until a moment ago', async () => {
    const path = `/approvals/${(await ask()).approvalRequestId}/reject`;
    const [root, bob] = await Promise.all([person('root', 'admin'), person('bob', 'inventory_manager')]);
    expect((await bob.send('GET', '/approvals')).status).toBe(200);
    await root.send('PUT', '/members/bob', { roles: ['sales'] });
    expect(await bob.send('PUT', path, { reason: 'no' })).toMatchObject({ status: 403, body: { code: 'FORBIDDEN' } });
    await root.send('PUT', '/members/bob', { roles: ['inventory_manager'], warehouses: ['w2'] });
    expect(await bob.send('PUT', path, { reason: 'no' })).toMatchObject({ status: 403, body: { code: 'WAREHOUSE_FORBIDDEN' } });
    await root.send('PUT', '/members/bob', { roles: ['inventory_manager'], disabled: true });
    expect((await bob.send('PUT', path, { reason: 'no' })).status).toBe(401);
    await root.send('PUT', '/members/bob', { roles: ['inventory_manager'], warehouses: ['w1'] });
    expect(await bob.send('PUT', path, { reason: 'no' })).toMatchObject({ status: 200, body: { status: 'rejected' } });
  });

  it('is decided once by many who decide at the same moment', async () => {
    const people = await Promise.all(Array.from({ length: 6 }, (_, index) => person(`person-${index}`, 'inventory_manager')));
    for (let round = 0; round < 8; round++) {
      const { approvalRequestId } = await ask({ subjectId: `o-${round}` });
      const answers = await Promise.all(
        people.map((one, index) =>
          one.send('PUT', `/approvals/${approvalRequestId}/${index % 2 === 0 ? 'approve' : 'reject'}`, { reason: `${index}` }),
        ),
      );
      expect(answers.map(({ status }) => status).sort()).toEqual([200, 409, 409, 409, 409, 409]);
      const { body } = answers.find(({ status }) => status === 200)!;
      expect((await people[0]!.send('GET', `/approvals/${approvalRequestId}`)).body).toEqual(body);
      await eventually(() => types(approvalRequestId).includes('ApprovalDecided'));
      expect(told(approvalRequestId).filter(({ type }) => type === 'ApprovalDecided')).toMatchObject([{ data: body }]);
    }
  });
});

describe('policies over HTTP', () => {
  const hours = { remindAfterHours: 1, escalateAfterHours: 2, expireAfterHours: 3 };
  const policies = [
    { kind: 'order_override', maxQuantity: '2.5', maxValue: '100', requiredRole: 'inventory_manager', escalateTo: ['admin'], ...hours },
    { kind: 'order_override', requiredRole: 'admin', escalateTo: [], ...hours },
  ];

  it('are a list that an administrator replaces, and requests follow', async () => {
    const root = await person('root', 'admin');
    expect(await root.send('GET', '/approvals/policies')).toEqual({ status: 200, body: DEFAULT_POLICIES });
    const sent = [{ ...policies[0], maxQuantity: 2.5, maxPercent: null, maxValue: '100.00' }, policies[1]!];
    expect(await root.send('PUT', '/approvals/policies', sent)).toEqual({ status: 200, body: policies });
    expect(await root.send('GET', '/approvals/policies')).toEqual({ status: 200, body: policies });
    expect(await ask()).toMatchObject({ requiredRole: 'admin' });
    expect((await root.send('GET', '/approvals/policies/history')).body['items']).toMatchObject([{ to: policies, actor: 'root' }]);
    expect(await root.send('PUT', '/approvals/policies', [])).toEqual({ status: 200, body: [] });
  });

  it('say where they are wrong', async () => {
    const root = await person('root', 'admin');
    const errorsOf = async (body: object) => {
      const answer = await root.send('PUT', '/approvals/policies', body);
      expect(answer).toMatchObject({ status: 400, body: { code: 'VALIDATION_FAILED' } });
      return (answer.body['errors'] as { path: string }[]).map(({ path }) => path);
    };
    expect(await errorsOf([policies[0]!, { ...policies[1], requiredRole: 'sales', escalateTo: 'admin', color: 'red' }])).toEqual(
      expect.arrayContaining(['1.requiredRole', '1.escalateTo', '1.color']),
    );
    expect(await errorsOf([{ ...policies[0], maxQuantity: -1, remindAfterHours: 1.5 }])).toEqual(['0.maxQuantity', '0.remindAfterHours']);
    expect(await errorsOf([policies[1]!, policies[0]!])).toEqual(['1.kind']);
    expect(await errorsOf({ policies })).toEqual(['']);
    const { remindAfterHours: _, ...incomplete } = policies[0]!;
    expect(await errorsOf([incomplete])).toEqual(['0.remindAfterHours']);
    expect((await (await person('bob', 'inventory_manager')).send('PUT', '/approvals/policies', policies)).status).toBe(403);
    expect(await root.send('GET', '/approvals/policies')).toEqual({ status: 200, body: DEFAULT_POLICIES });
  });
});

describe('time', () => {
  /** Two more replicas that live so many hours later, until what they are to say was heard. */
  async function later(hours: number, heard: () => boolean): Promise<void> {
    const environment = { HOLDFAST_TEST_CLOCK_OFFSET_SECONDS: String(hours * HOUR_SECONDS) };
    const replicas = await Promise.all([installation.start('approvals', environment), installation.start('approvals', environment)]);
    expect(await eventually(heard, 60_000)).toBe(true);
    await Promise.all(replicas.map((replica) => replica.stop()));
  }

  it('reminds, gives the decision to the successors, and ends what nobody decided', async () => {
    const [one, two] = [await ask({ subjectId: 'one' }), await ask({ subjectId: 'two' })];
    const ids = [one, two].map(({ approvalRequestId }) => approvalRequestId);
    const carl = await person('carl', 'finance_manager');
    const approve = (id: string) => carl.send('PUT', `/approvals/${id}/approve`, { reason: 'Nobody else did' });

    await later(25, () => ids.every((id) => types(id).includes('ApprovalReminded')));
    expect((await carl.send('GET', `/approvals/${ids[0]}`)).body).toMatchObject({ status: 'pending', remindedAt: expect.any(String) });
    expect((await approve(ids[0]!)).status).toBe(403);

    await later(49, () => ids.every((id) => types(id).includes('ApprovalEscalated')));
    expect((await carl.send('GET', '/approvals?status=escalated')).body['items']).toHaveLength(2);
    expect(await approve(ids[0]!)).toMatchObject({ status: 200, body: { decisions: [{ by: 'carl', role: 'finance_manager' }] } });

    await later(169, () => types(ids[1]!).includes('ApprovalDecided'));
    expect(await approve(ids[1]!)).toMatchObject({ status: 409, body: { code: 'INVALID_STATE', approvalStatus: 'expired' } });
    expect((await carl.send('GET', `/approvals/${ids[1]}`)).body).toMatchObject({ status: 'expired', decisions: [] });
    for (const id of ids) expect(types(id)).toEqual(['ApprovalRequested', 'ApprovalReminded', 'ApprovalEscalated', 'ApprovalDecided']);
  }, 240_000);
});
