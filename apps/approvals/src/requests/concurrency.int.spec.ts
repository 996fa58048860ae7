import { Logger } from '@nestjs/common';
import type { ApprovalRequest, CloudEvent } from '#libs/contracts';
import { InProcessDelivery, Outbox, Relay } from '#libs/messaging';
import type { Database } from '#libs/persistence';
import { createTestDatabase, type TestDatabase } from '#libs/testing';
import { anAsk, hearAll, manager, Replica } from './use-cases.fixture.js';

// Many at once, on several replicas, on a real database: whatever the order in which they get there, one of them is first.

const REPLICAS = 4;

const range = (count: number) => Array.from({ length: count }, (_, index) => index);

let database: TestDatabase;
let connections: Database[];
let delivery: InProcessDelivery;
let relay: Relay;
let outbox: Outbox;
let heard: CloudEvent<ApprovalRequest>[];
let orgs = 0;
let orgId: string;

beforeAll(async () => {
  Logger.overrideLogger(false);
  database = await createTestDatabase(['approvals']);
  connections = await Promise.all(range(REPLICAS).map(() => database.open('approvals', { poolSizeMax: 3 })));
  delivery = new InProcessDelivery();
  const messaging = await database.openMessaging('approvals');
  relay = new Relay({ service: 'approvals', delivery, database: messaging });
  outbox = new Outbox(relay);
  heard = await hearAll(delivery);
});
afterAll(async () => {
  await relay.stop(5_000);
  await delivery.close();
  await database.drop();
});
beforeEach(() => (orgId = `org-${++orgs}`));

/** Each on connections of its own, all as many hours ahead of the database's clock. */
const replicas = (hoursAhead = 0) => connections.map((own) => new Replica(own, outbox, hoursAhead));
const told = (org = orgId) => heard.filter(({ orgid }) => orgid === org);
const outcomes = (settled: readonly PromiseSettledResult<unknown>[]) =>
  settled.map((result) => (result.status === 'fulfilled' ? 'done' : (result.reason as { code: string }).code));

describe('people who decide at the same time', () => {
  it('are one who decided and others who hear that it is decided', async () => {
    const all = replicas();
    for (let round = 0; round < 15; round++) {
      const request = await all[0]!.ask(orgId, { subjectId: `o-${round}` });
      const people = range(8).map((index) => manager(orgId, `person-${index}`));
      const decisions = await Promise.allSettled(
        people.map((actor, index) => all[index % REPLICAS]!.decide(actor, request, index % 2 === 0 ? 'approved' : 'rejected')),
      );
      expect(outcomes(decisions).sort()).toEqual([...range(7).map(() => 'INVALID_STATE'), 'done']);
      const winner = people[outcomes(decisions).indexOf('done')]!;
      const after = await all[1]!.queries.get(manager(orgId), request.approvalRequestId);
      expect(after.decisions).toMatchObject([{ by: winner.userId, decision: after.status }]);
    }
    const decided = told().filter(({ type }) => type === 'ApprovalDecided');
    expect(new Set(decided.map(({ subject }) => subject)).size).toBe(15);
    expect(decided).toHaveLength(15);
  });

  it('are one decision when one person decides the same several times', async () => {
    const all = replicas();
    const request = await all[0]!.ask(orgId);
    const answers = await Promise.all(range(12).map((index) => all[index % REPLICAS]!.decide(manager(orgId), request, 'approved')));
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
    expect(told().map(({ type }) => type)).toEqual(['ApprovalRequested', 'ApprovalDecided']);
  });

  it('do not decide what is taken back at the same time', async () => {
    const all = replicas();
    for (const round of range(15)) {
      const subjectId = `o-${round}`;
      const request = await all[0]!.ask(orgId, { subjectId });
      const [decision, cancelled] = await Promise.allSettled([
        all[1]!.decide(manager(orgId), request, 'approved'),
        all[2]!.takeBack(orgId, { subjectId }),
      ]);
      const { status } = await all[3]!.queries.get(manager(orgId), request.approvalRequestId);
      // Whoever takes it back learns whether it had been decided.
      expect(cancelled).toMatchObject({ status: 'fulfilled', value: { status } });
      expect([decision.status, status]).toEqual(decision.status === 'fulfilled' ? ['fulfilled', 'approved'] : ['rejected', 'cancelled']);
    }
    expect(told().filter(({ type }) => type === 'ApprovalDecided')).toHaveLength(15);
  });
});

describe('several who ask at the same time', () => {
  it('make one request for the same', async () => {
    const all = replicas();
    const made = await Promise.all(range(12).map((index) => all[index % REPLICAS]!.ask(orgId)));
    expect(new Set(made.map(({ approvalRequestId }) => approvalRequestId)).size).toBe(1);
    expect(told().map(({ type }) => type)).toEqual(['ApprovalRequested']);
  });

  it('leave one open for different things, and the others cancelled', async () => {
    const all = replicas();
    await Promise.all(
      range(12).map((index) => all[index % REPLICAS]!.ask(orgId, { lines: [{ ...anAsk.lines[0]!, quantity: String(index + 1) }] })),
    );
    const { items } = await all[0]!.queries.list(manager(orgId), { subjectType: 'order', subjectId: 'o-1' });
    expect(items.map(({ status }) => status).sort()).toEqual([...range(11).map(() => 'cancelled'), 'pending']);
    expect(told()).toHaveLength(12 + 11);
  });

  it('and take back end as their versions say', async () => {
    const all = replicas();
    for (const round of range(20)) {
      const subjectId = `o-${round}`;
      await Promise.allSettled([
        all[0]!.ask(orgId, { subjectId, subjectVersion: 1 }),
        all[1]!.takeBack(orgId, { subjectId, subjectVersion: 2 }),
        all[2]!.ask(orgId, { subjectId, subjectVersion: 1 }),
        ...(round % 2 === 0 ? [] : [all[3]!.ask(orgId, { subjectId, subjectVersion: 3 })]),
      ]);
      const { items } = await all[0]!.queries.list(manager(orgId), { subjectType: 'order', subjectId, open: true });
      expect([round, items.length]).toEqual([round, round % 2]);
    }
  });
});

describe('replicas that let time pass', () => {
  const REQUESTS = 130;

  it('remind, escalate and expire each request once, more than one page of them, of all organisations', async () => {
    const [first] = replicas();
    const others = [`${orgId}-twin`, orgId];
    for (const org of others) await Promise.all(range(REQUESTS).map((index) => first!.ask(org, { subjectId: `o-${index}` })));
    // One that was decided in time is none of their business any more.
    const decided = await first!.ask(orgId, { subjectId: 'decided' });
    await first!.decide(manager(orgId), decided, 'rejected');
    const events = (type: string) => others.flatMap((org) => told(org).filter((event) => event.type === type));
    const subjects = (type: string) => new Set(events(type).map(({ subject }) => subject));

    for (const [hours, type, status] of [
      [23, '', 'pending'],
      [25, 'ApprovalReminded', 'pending'],
      [49, 'ApprovalEscalated', 'escalated'],
      [169, 'ApprovalDecided', 'expired'],
    ] as const) {
      const all = replicas(hours);
      for (let sweeps = 0; sweeps < 2; sweeps++) await Promise.all(all.map(({ due }) => due.run()));
      const before = type === 'ApprovalDecided' ? 1 : 0;
      expect([hours, events(type).length, subjects(type).size]).toEqual([
        hours,
        ...(type === '' ? [0, 0] : [2 * REQUESTS + before, 2 * REQUESTS + before]),
      ]);
      const { items } = await all[0]!.queries.list(manager(orgId), { limit: 200 });
      expect(items.filter((request) => request.status === status)).toHaveLength(REQUESTS);
    }
    expect(told().filter(({ subject }) => subject === decided.approvalRequestId)).toHaveLength(2);
  }, 60_000);

  it('leave what somebody is deciding, and find nothing to do about it afterwards', async () => {
    const [now] = replicas();
    const late = replicas(25);
    for (const round of range(10)) {
      const request = await now!.ask(orgId, { subjectId: `o-${round}` });
      const [decided] = await Promise.all([now!.decide(manager(orgId), request, 'approved'), ...late.map(({ due }) => due.run())]);
      expect(decided.status).toBe('approved');
      await Promise.all(late.map(({ due }) => due.run()));
      const types = told().filter(({ subject }) => subject === request.approvalRequestId);
      expect(types.map(({ type }) => type).filter((type) => type === 'ApprovalDecided')).toHaveLength(1);
      expect(types.at(-1)!.type).toBe('ApprovalDecided');
    }
  });

  it('do not approve what has expired', async () => {
    const [now] = replicas();
    const [late] = replicas(168.01);
    const request = await now!.ask(orgId);
    const both = await Promise.allSettled([late!.decide(manager(orgId), request, 'approved'), late!.due.run()]);
    expect(both[0]).toMatchObject({ status: 'rejected', reason: { code: 'INVALID_STATE' } });
    await late!.due.run();
    expect(await now!.queries.get(manager(orgId), request.approvalRequestId)).toMatchObject({ status: 'expired', decisions: [] });
  });

  it('go by the clock of the database, whatever their own says', async () => {
    const [replica] = replicas();
    await replica!.ask(orgId);
    const realNow = Date.now;
    Date.now = () => realNow() + 10 * 86_400_000;
    await replica!.due.run().finally(() => (Date.now = realNow));
    expect(told().map(({ type }) => type)).toEqual(['ApprovalRequested']);
  });
});
