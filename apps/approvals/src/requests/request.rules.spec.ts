import fc from 'fast-check';
import type { Actor } from '#libs/auth';
import type { Role } from '#libs/contracts';
import { aRequest, hoursLater, MADE_AT } from './request.fixture.js';
import {
  approverRoles,
  type Asking,
  cancelled,
  decide,
  decideAnswer,
  isTakenBack,
  letTimePass,
  nextDueAt,
  termsOf,
  type Verdict,
} from './request.rules.js';
import { isOpen, type RequestState } from './request-state.js';

const who = (userId: string, roles: readonly Role[], warehouses: readonly string[] | null = null): Actor => ({
  userId,
  orgId: 'acme',
  roles,
  warehouses,
});
const approve: Verdict = { decision: 'approved', reason: 'fine' };
const reject: Verdict = { decision: 'rejected', reason: 'no' };
const escalated = aRequest({ status: 'escalated', remindedAt: hoursLater(24), escalatedAt: hoursLater(48) });
const manager = who('bob', ['inventory_manager']);
const controller = who('carl', ['finance_manager']);

describe('a decision', () => {
  it('ends the request and says who made it, by virtue of which role, why and when', () => {
    const decided = decide(aRequest(), manager, reject, hoursLater(1));
    const decision = { by: 'bob', role: 'inventory_manager', decision: 'rejected', reason: 'no', at: hoursLater(1) };
    expect(decided).toEqual(aRequest({ status: 'rejected', closedAt: hoursLater(1), decision: decision as RequestState['decision'] }));
    expect([isOpen(decided), nextDueAt(decided), approverRoles(decided)]).toEqual([false, null, []]);
  });

  it.each<[string, RequestState, Actor, string]>([
    ['the required role', aRequest(), manager, 'inventory_manager'],
    ['an administrator', aRequest(), who('root', ['admin']), 'admin'],
    ['a successor after escalation', escalated, controller, 'finance_manager'],
    ['the required role after escalation', escalated, manager, 'inventory_manager'],
    ['who has several roles, by the nearest', escalated, who('eve', ['admin', 'finance_manager']), 'finance_manager'],
    ['who works in all warehouses concerned', aRequest(), who('bob', ['inventory_manager'], ['w2', 'w1', 'w3']), 'inventory_manager'],
    ['who works everywhere, about whichever warehouse', aRequest({ warehouses: null }), manager, 'inventory_manager'],
  ])('may be made by %s', (_, request, actor, role) => {
    expect(decide(request, actor, approve, hoursLater(50)).decision).toMatchObject({ by: actor.userId, role });
  });

  it.each<[string, RequestState, Actor, string]>([
    ['its author, whatever the role', aRequest(), who('ann', ['admin', 'inventory_manager']), 'SELF_APPROVAL'],
    ['a successor before escalation', aRequest(), controller, 'FORBIDDEN'],
    ['another role', escalated, who('sam', ['sales', 'warehouse', 'service', 'auditor', 'cashier']), 'FORBIDDEN'],
    ['a junior role', aRequest({ requiredRole: 'finance_manager', escalateTo: ['admin'] }), manager, 'FORBIDDEN'],
    ['who works in only some of the warehouses', aRequest(), who('bob', ['inventory_manager'], ['w1']), 'WAREHOUSE_FORBIDDEN'],
    ['an administrator of another warehouse', aRequest(), who('root', ['admin'], []), 'WAREHOUSE_FORBIDDEN'],
    [
      'who works somewhere, about whichever warehouse',
      aRequest({ warehouses: null }),
      who('bob', ['admin'], ['w1']),
      'WAREHOUSE_FORBIDDEN',
    ],
  ])('may not be made by %s', (_, request, actor, code) => {
    for (const verdict of [approve, reject]) {
      expect(() => decide(request, actor, verdict, hoursLater(50))).toThrow(expect.objectContaining({ kind: 'forbidden', code }));
    }
  });

  it('is made once: the same by the same person changes nothing, any other is a conflict', () => {
    const decided = decide(aRequest(), manager, approve, hoursLater(1));
    expect(decide(decided, manager, { ...approve, reason: 'other words' }, hoursLater(500))).toBe(decided);
    const conflict = expect.objectContaining({ kind: 'conflict', code: 'INVALID_STATE' });
    expect(() => decide(decided, manager, reject, hoursLater(2))).toThrow(conflict);
    expect(() => decide(decided, who('eve', ['admin']), approve, hoursLater(2))).toThrow(conflict);
    for (const status of ['expired', 'cancelled'] as const) {
      expect(() => decide(aRequest({ status, closedAt: hoursLater(1) }), manager, approve, hoursLater(2))).toThrow(conflict);
    }
  });

  it('comes too late when the request has expired, whether or not that was put on record', () => {
    expect(decide(escalated, manager, approve, new Date(escalated.expireAt.getTime() - 1)).status).toBe('approved');
    expect(() => decide(escalated, manager, approve, escalated.expireAt)).toThrow(expect.objectContaining({ code: 'INVALID_STATE' }));
  });
});

describe('time', () => {
  const told = (request: RequestState, hours: number) => letTimePass(request, hoursLater(hours)).map(({ event }) => event.type);
  const after = (request: RequestState, hours: number) => letTimePass(request, hoursLater(hours)).at(-1)?.request ?? request;

  it('reminds, escalates and ends a request, each when its time has come', () => {
    expect(told(aRequest(), 23.9)).toEqual([]);
    expect(told(aRequest(), 24)).toEqual(['ApprovalReminded']);
    const reminded = after(aRequest(), 24);
    expect(reminded).toEqual(aRequest({ remindedAt: hoursLater(24) }));
    expect(told(reminded, 47.9)).toEqual([]);
    expect(told(reminded, 48)).toEqual(['ApprovalEscalated']);
    expect(after(reminded, 48)).toEqual(escalated);
    expect(approverRoles(escalated)).toEqual(['inventory_manager', 'finance_manager', 'admin']);
    expect(told(escalated, 167.9)).toEqual([]);
    expect(told(escalated, 168)).toEqual(['ApprovalDecided']);
    expect(after(escalated, 170)).toEqual({ ...escalated, status: 'expired', closedAt: hoursLater(170) });
  });

  it('catches up in order when nothing ran for a while, and reminds nobody of what has expired', () => {
    expect(told(aRequest(), 50)).toEqual(['ApprovalReminded', 'ApprovalEscalated']);
    expect(told(aRequest(), 200)).toEqual(['ApprovalDecided']);
    expect(told(aRequest({ remindAt: hoursLater(60) }), 70)).toEqual(['ApprovalEscalated', 'ApprovalReminded']);
  });

  it('escalates to nobody when there are no successors', () => {
    const alone = aRequest({ escalateTo: [], escalateAt: null });
    expect(told(alone, 100)).toEqual(['ApprovalReminded']);
    expect(nextDueAt(after(alone, 100))).toEqual(alone.expireAt);
  });

  it('tells each thing once, never later than it was looked at, however often and irregularly one looks', () => {
    const terms = fc.record({ remind: fc.integer({ min: 1, max: 99 }), escalate: fc.option(fc.integer({ min: 1, max: 99 })) });
    const looks = fc.array(fc.integer({ min: 0, max: 150 }), { maxLength: 30 }).map((hours) => [...hours, 150].sort((a, b) => a - b));
    fc.assert(
      fc.property(terms, looks, ({ remind, escalate }, hours) => {
        const escalateAt = escalate === null ? null : hoursLater(escalate);
        let request = aRequest({ remindAt: hoursLater(remind), escalateAt, expireAt: hoursLater(100) });
        const all: string[] = [];
        for (const hour of hours) {
          const due = nextDueAt(request);
          const steps = letTimePass(request, hoursLater(hour));
          // What the table says is due is exactly what is due.
          expect(steps.length > 0).toBe(due !== null && due <= hoursLater(hour));
          all.push(...steps.map(({ event }) => event.type));
          request = steps.at(-1)?.request ?? request;
        }
        const seen = (after: number) => hours.some((hour) => after <= hour && hour < 100);
        const expected = [
          ...(seen(remind) ? ['ApprovalReminded'] : []),
          ...(escalate !== null && seen(escalate) ? ['ApprovalEscalated'] : []),
          'ApprovalDecided',
        ];
        expect([...all].sort()).toEqual(expected.sort());
        expect([request.status, all.at(-1)]).toEqual(['expired', 'ApprovalDecided']);
      }),
    );
  });

  it('counts from when the request was made, by the policy of that moment', () => {
    const hours = { remindAfterHours: 1, escalateAfterHours: 2, expireAfterHours: 3 };
    const terms = termsOf({ kind: 'adjustment', requiredRole: 'admin', escalateTo: ['finance_manager'], ...hours }, MADE_AT);
    expect(terms).toMatchObject({ createdAt: MADE_AT, remindAt: hoursLater(1), escalateAt: hoursLater(2), expireAt: hoursLater(3) });
    expect(termsOf({ kind: 'adjustment', requiredRole: 'admin', escalateTo: [], ...hours }, MADE_AT).escalateAt).toBeNull();
  });
});

describe('asking', () => {
  const asking = (fingerprint: string, subjectVersion: number | null = null): Asking => ({ fingerprint, subjectVersion });
  const closed = aRequest({ status: 'rejected', closedAt: MADE_AT, subjectVersion: 3 });

  it.each<[string, Asking, RequestState | null, number | null, string]>([
    ['for the first time makes a request', asking('what'), null, null, 'new'],
    ['the same again answers the request', asking('what'), aRequest(), null, 'repeat'],
    ['the same again answers what was decided', asking('what'), aRequest({ status: 'approved' }), null, 'repeat'],
    ['something else makes another', asking('other'), aRequest(), null, 'new'],
    ['the same of a newer version goes on with the open request', asking('what', 4), aRequest({ subjectVersion: 3 }), null, 'goes-on'],
    ['the same of a newer version after a decision makes another', asking('what', 4), closed, null, 'new'],
    ['the same of the same version after a decision answers it', asking('what', 3), closed, null, 'repeat'],
    ['for an older version does nothing', asking('other', 2), aRequest({ subjectVersion: 3 }), null, 'outdated'],
    ['for what was taken back does nothing', asking('what', 3), null, 3, 'outdated'],
    ['for something newer than what was taken back makes a request', asking('what', 4), null, 3, 'new'],
  ])('%s', (_, asked, last, cancelledVersion, answer) => expect(decideAnswer(asked, last, cancelledVersion)).toBe(answer));

  it('and taking back end the same in whatever order, and however often, they arrive', () => {
    // What an owner says of its subject, one thing per version: it needs this approved, or nothing any more.
    const said = fc.array(fc.option(fc.constantFrom('a', 'b')), { minLength: 1, maxLength: 6 });
    const arrivals = said.chain((words) => {
      const all = words.map((word, index) => ({ version: index + 1, word }));
      return fc.tuple(fc.constant(all), fc.shuffledSubarray([...all, ...all], { minLength: all.length * 2, maxLength: all.length * 2 }));
    });
    fc.assert(
      fc.property(arrivals, ([inOrder, shuffled]) => {
        expect(outcome(shuffled)).toEqual(outcome(inOrder));
        expect(outcome(inOrder)).toBe(inOrder.at(-1)!.word);
      }),
    );
  });

  /** What is open at the end: as the use cases apply the rules. */
  function outcome(arrivals: readonly { version: number; word: string | null }[]): string | null {
    let last: RequestState | null = null;
    let cancelledVersion: number | null = null;
    for (const { version, word } of arrivals) {
      if (word === null) {
        cancelledVersion = Math.max(version, cancelledVersion ?? 0);
        if (last !== null && isTakenBack(last, version)) last = cancelled(last, 'gone', MADE_AT);
        continue;
      }
      const answer = decideAnswer({ fingerprint: word, subjectVersion: version }, last, cancelledVersion);
      if (answer === 'goes-on') last = { ...last!, subjectVersion: version };
      if (answer === 'new') last = aRequest({ fingerprint: word, subjectVersion: version });
    }
    return last !== null && isOpen(last) ? last.fingerprint : null;
  }
});
