import { setTimeout as delay } from 'node:timers/promises';
import { Type } from '@sinclair/typebox';
import { signActorToken } from '#libs/auth';
import { defineCall } from '#libs/contracts';
import { CallAnswerer, type CallRoute } from './answer-call.js';
import type { BrokerUserOrgs } from './broker-user-orgs.js';
import type { IncomingCall } from './delivery.js';
import type { MessageContext } from './handlers.js';

const definition = defineCall({
  service: 'orders',
  visibility: 'public',
  effect: 'read',
  summary: 'For tests.',
  pattern: 'test.who',
  allow: ['service', 'sales'],
  request: Type.Object({}),
  response: Type.Unknown(),
});

describe('CallAnswerer', () => {
  const handled: { request: unknown; context: MessageContext }[] = [];
  const handle: CallRoute['handle'] = async (request, context) => {
    handled.push({ request, context });
    return context.actor.userId;
  };
  beforeEach(() => handled.splice(0));

  type How = { brokerUserOrgs?: BrokerUserOrgs; pattern?: string; id?: string } & Partial<IncomingCall>;
  async function ask(data: object, { brokerUserOrgs = null, pattern = 'test.who', id = '1', ...call }: How = {}) {
    const inside = { ...definition, visibility: 'internal' as const };
    const routes = new Map(Object.entries({ 'test.who': { definition, handle }, 'test.inside': { definition: inside, handle } }));
    const answerer = new CallAnswerer(routes, brokerUserOrgs, () => {});
    const body = Buffer.from(JSON.stringify({ pattern, id, data }));
    const answer = await answerer.answer({ body, ...call });
    return answer && (JSON.parse(answer.toString()) as { response?: unknown; err?: { code: string } });
  }

  const brokerUserOrgs = { 'oms-acme': 'acme', orders: '*' };

  it.each([
    ['anybody in development', { orgId: 'acme' }, {}, { response: 'service' }],
    ['a user of the broker for its organisation', { orgId: 'acme' }, { brokerUserOrgs, brokerUser: 'oms-acme' }, { response: 'oms-acme' }],
    ['a service of ours for any organisation', { orgId: 'other' }, { brokerUserOrgs, brokerUser: 'orders' }, { response: 'orders' }],
    ['not a user for another organisation', { orgId: 'other' }, { brokerUserOrgs, brokerUser: 'oms-acme' }, { err: { code: 'FORBIDDEN' } }],
    ['not an unknown user', { orgId: 'acme' }, { brokerUserOrgs, brokerUser: 'eve' }, { err: { code: 'UNAUTHENTICATED' } }],
    ['not one whom the broker does not name', { orgId: 'acme' }, { brokerUserOrgs }, { err: { code: 'UNAUTHENTICATED' } }],
  ])('lets %s speak for itself', async (_who, data, call, expected) => {
    expect(await ask(data, call)).toMatchObject(expected);
  });

  it('takes a person from the token, for the organisation of the token only', async () => {
    const actor = await signActorToken({ userId: 'ann', orgId: 'acme', roles: ['sales'], warehouses: [] });
    expect(await ask({ orgId: 'acme', actor, n: 1 }, { brokerUserOrgs })).toMatchObject({ response: 'ann' });
    expect(handled).toMatchObject([{ request: { orgId: 'acme', n: 1 }, context: { actor: { userId: 'ann', roles: ['sales'] } } }]);
    expect(handled[0]!.request).not.toHaveProperty('actor');
    expect(await ask({ orgId: 'other', actor }, { brokerUserOrgs })).toMatchObject({ err: { code: 'FORBIDDEN' } });
  });

  it('lets nobody but our own services speak as one of them, or make the calls that are theirs', async () => {
    const [oms, orders] = [
      { brokerUserOrgs, brokerUser: 'oms-acme' },
      { brokerUserOrgs, brokerUser: 'orders' },
    ];
    const forbidden = { err: { code: 'FORBIDDEN' } };
    const asOrders = { orgId: 'acme', source: '/orders' };
    expect(await ask(asOrders, oms)).toMatchObject(forbidden);
    expect(await ask({ orgId: 'acme', source: '/oms' }, oms)).toMatchObject({ response: 'oms-acme' });
    expect(await ask(asOrders, orders)).toMatchObject({ response: 'orders' });
    expect(await ask({ orgId: 'acme' }, { ...oms, pattern: 'test.inside' })).toMatchObject(forbidden);
    expect(await ask({ orgId: 'acme' }, { ...orders, pattern: 'test.inside' })).toMatchObject({ response: 'orders' });
    // In development nobody is told apart but those whom a token names: our services speak for themselves.
    expect(await ask(asOrders)).toMatchObject({ response: 'service' });
    const actor = await signActorToken({ userId: 'shop', orgId: 'acme', roles: ['service'], warehouses: null });
    for (const how of [{}, oms, orders]) expect(await ask({ ...asOrders, actor }, how)).toMatchObject(forbidden);
    expect(await ask({ orgId: 'acme', actor }, { ...orders, pattern: 'test.inside' })).toMatchObject({ response: 'shop' });
  });

  it('takes nothing along that could not be stored, or told by event', async () => {
    const onBehalfOf = `a\u0000\ud83d${'😀'.repeat(200)}`;
    expect(await ask({ orgId: 'acme', onBehalfOf })).toMatchObject({ response: `a\ufffd\ufffd${'😀'.repeat(197)}` });
    for (const traceparent of ['x'.repeat(101), '\u0000']) await ask({ orgId: 'acme' }, { traceparent });
    expect(handled.map(({ context }) => context.traceparent)).toEqual([undefined, undefined, undefined]);
    const told = `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01`;
    await ask({ orgId: 'acme' }, { traceparent: told });
    expect(handled.at(-1)!.context.traceparent).toBe(told);
    for (const id of ['\ud800', 'x'.repeat(201)])
      expect(await ask({ orgId: 'acme' }, { id })).toMatchObject({ err: { code: 'MALFORMED_REQUEST' } });
  });

  it('does not begin what nobody waits for any more', async () => {
    const actor = await signActorToken({ userId: 'ann', orgId: 'acme', roles: ['sales'], warehouses: [] });
    // The time passes while the token is verified.
    const late = ask({ orgId: 'acme', actor }, { expirationMs: -1 });
    await delay(5);
    expect(await late).toBeNull();
    expect(handled).toEqual([]);
  });
});
