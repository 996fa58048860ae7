import { randomUUID } from 'node:crypto';
import { SignJWT } from 'jose';
import { type Actor, signActorToken } from '#libs/auth';
import { allCalls, type CallDefinition, type Role, ROLES } from '#libs/contracts';
import { testBrokerUrl } from '#libs/testing';
import { Installation } from '../support/installation.js';
import { oneOfEverything, requestOf, SERVICES_OF_EVERYTHING } from '../support/one-of-everything.js';
import type { Outsider } from '../support/outsider.js';
import { type ApiDescription, type DescribedRoute, describedRoutes } from './described-routes.js';
import { readTable, type Row, writeTable } from './role-table.js';

// Every route of a running gateway and every call of the services behind it is tried: as each role, as nobody, as somebody of another
// organisation, and as somebody who works in other warehouses only. What happens must be what docs/roles.md says.
// `npm run roles:table` writes who is allowed, as the definitions have it, and what was seen into the tables, for people to review.

const WRITE = process.env['ROLES_TABLE'] === 'write';
const OURS = 'ours';
/** With the same in it; calls are tried here, routes there, so that neither ends what the other needs. */
const OURS_BY_CALL = 'ours-by-call';
const THEIRS = 'theirs';
/** Stands in everything of our organisation that can hold a text. */
const SECRET = 'our-secret';
const BROKER_USER = decodeURIComponent(new URL(testBrokerUrl()).username);

/** What came of a try. */
interface Outcome {
  readonly ok: boolean;
  /** As HTTP has it. */
  readonly status: number;
  readonly code: string;
  readonly text: string;
}
/** A route or call. */
interface Subject {
  readonly name: string;
  readonly isRead: boolean;
  readonly allow: readonly Role[];
  readonly attempt: (actor: Actor) => Promise<Outcome>;
}

/** What is found under other names, or need not exist. */
const MORE_IDS = { userId: 'somebody', lot: 'L' };

let installation: Installation;
let outsider: Outsider;
let gatewayUrl: string;
let idsByCall: Readonly<Record<string, string>>;
let routes: readonly DescribedRoute[];
const calls = allCalls();

beforeAll(async () => {
  installation = await Installation.make([...SERVICES_OF_EVERYTHING, 'gateway']);
  const bound = { HOLDFAST_NOTIFY_RETRY_SECONDS: '0', AMQP_USER_ORGS: JSON.stringify({ [BROKER_USER]: '*' }) };
  const [gateway] = await Promise.all(
    (['gateway', ...SERVICES_OF_EVERYTHING] as const).map((service) => installation.start(service, bound)),
  );
  gatewayUrl = gateway!.url;
  outsider = await installation.outsider();
  const ids = { ...(await oneOfEverything(installation, outsider, OURS, SECRET)), ...MORE_IDS, apiKeyId: await makeApiKey() };
  idsByCall = { ...(await oneOfEverything(installation, outsider, OURS_BY_CALL, SECRET)), ...MORE_IDS };
  const description = (await (await fetch(`${gatewayUrl}/api/openapi.json`)).json()) as ApiDescription;
  routes = describedRoutes(description, ids).filter(({ allow }) => allow !== null);
}, 120_000);

afterAll(() => installation.remove(), 60_000);

const actorOf = (roles: readonly Role[], more: Partial<Actor> = {}): Actor => ({
  userId: `a-${roles.join('-')}`,
  orgId: OURS,
  roles,
  warehouses: null,
  ...more,
});
const ADMIN = actorOf(['admin']);
const ELSEWHERE = actorOf(['admin'], { userId: 'elsewhere', warehouses: ['nowhere-near'] });
const STRANGER = actorOf(['admin'], { userId: 'stranger', orgId: THEIRS });

async function makeApiKey(): Promise<string> {
  const body = JSON.stringify({ name: SECRET, roles: ['sales'] });
  const headers = { ...(await signedIn(ADMIN)), 'content-type': 'application/json' };
  const answer = await fetch(`${gatewayUrl}/api/v1/api-keys`, { method: 'POST', headers, body });
  return ((await answer.json()) as { apiKeyId: string }).apiKeyId;
}

const tokens = new Map<string, Promise<string>>();
async function signedIn({ userId, orgId, roles, warehouses }: Actor): Promise<Record<string, string>> {
  const body = JSON.stringify({ orgId, userId, roles, ...(warehouses === null ? {} : { warehouses }) });
  const issue = async () => {
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(`${gatewayUrl}/api/v1/auth/token`, { method: 'POST', headers, body });
    return ((await answer.json()) as { accessToken: string }).accessToken;
  };
  if (!tokens.has(body)) tokens.set(body, issue());
  return { authorization: `Bearer ${await tokens.get(body)!}` };
}

async function request({ method, url, contentType, body }: DescribedRoute, headers: Record<string, string>): Promise<Outcome> {
  const abort = new AbortController();
  const answer = await fetch(gatewayUrl + url, {
    method,
    headers: { ...headers, ...(contentType && { 'content-type': contentType }) },
    ...(body === undefined ? {} : { body }),
    signal: abort.signal,
  });
  const { ok, status } = answer;
  const isStream = answer.headers.get('content-type')?.startsWith('text/event-stream') ?? false;
  const text = isStream ? '' : await answer.text();
  abort.abort();
  return { ok, status, code: ok ? '' : (JSON.parse(text) as { code: string }).code, text };
}

/** The statuses with which the gateway answers what services throw. */
const STATUSES: Readonly<Record<string, number>> = { unauthenticated: 401, forbidden: 403, not_found: 404, invalid: 400 };

async function call({ service, pattern }: CallDefinition, data: object, user?: string): Promise<Outcome> {
  const { err, response } = await outsider.call(service, pattern, data, 20_000, user);
  const text = JSON.stringify(err ?? response);
  return { ok: err === undefined, status: err === undefined ? 200 : (STATUSES[err.kind] ?? 409), code: err?.code ?? '', text };
}

const ofRoutes = () =>
  routes.map((route): Subject => {
    const attempt = async (actor: Actor) => request(route, await signedIn(actor));
    return { name: route.name, isRead: route.method === 'GET', allow: route.allow!, attempt };
  });
const ofCalls = () =>
  calls.map((definition): Subject => {
    const attempt = async (actor: Actor) =>
      call(definition, { ...sampleOf(definition), actor: await signActorToken({ ...actor, orgId: orgOf(actor) }) });
    return { name: nameOf(definition), isRead: definition.effect === 'read', allow: definition.allow, attempt };
  });
const orgOf = ({ orgId }: Actor) => (orgId === OURS ? OURS_BY_CALL : orgId);
function sampleOf({ service, pattern, request: shape }: CallDefinition): Record<string, unknown> {
  // Each service has parked messages of its own.
  const own = { messageId: idsByCall[`${service}.messageId`] ?? idsByCall['messageId']! };
  const sample = requestOf({ request: shape }, OURS_BY_CALL, { ...idsByCall, ...own });
  // The first part of an import begins one; policies are to fit together.
  if (pattern === 'imports.receive') return { ...sample, importId: randomUUID() };
  return pattern === 'approval-policies.set' ? { ...sample, policies: [] } : sample;
}
const nameOf = ({ service, pattern }: CallDefinition) => `${service} ${pattern}`;

/** Reads come first, while nothing changes, and last what ends something, so that there is still something to try the others on. */
const rankOf = ({ name, isRead }: Subject) => (isRead ? 0 : /^DELETE|cancel|reject|delete|discard/.test(name) ? 2 : 1);
const inOrder = (all: readonly Subject[]) => [...all].sort((one, other) => rankOf(one) - rankOf(other));

/** What the table says of whoever works in other warehouses only. */
async function seenFromElsewhere({ attempt, isRead }: Subject): Promise<string> {
  const { ok, status, code, text } = await attempt(ELSEWHERE);
  if (code === 'WAREHOUSE_FORBIDDEN') return 'refused';
  if (isRead || status === 404) {
    const whole = await attempt(ADMIN);
    if (status === 404) return whole.status === 404 ? `needs a sample: ${whole.text}` : 'hidden';
    return ok && whole.text === text ? 'any' : 'filtered';
  }
  return status === 400 ? `needs a sample: ${text}` : 'any';
}

/** Whether the roles were what was in the way; approvals may refuse by policy whoever has one of them. */
const isRefused = ({ code, text }: Outcome, allow: readonly Role[]) =>
  code === 'UNAUTHENTICATED' || (code === 'FORBIDDEN' && text.includes(`one of the roles ${allow.join(', ')};`));

async function rolesThatMay({ attempt, allow }: Subject): Promise<Role[]> {
  const nobody = await attempt(actorOf([]));
  expect([nobody.status, nobody.code]).toEqual([403, 'FORBIDDEN']);
  const may: Role[] = [];
  for (const role of ROLES) if (!isRefused(await attempt(actorOf([role])), allow)) may.push(role);
  return may;
}

const seen: { readonly elsewhere: Map<string, string>; readonly stranger: Map<string, string> } = {
  elsewhere: new Map(),
  stranger: new Map(),
};

describe('every route and call', () => {
  it('is closed to who is not signed in', async () => {
    for (const route of routes) {
      for (const headers of [{}, { authorization: 'Bearer not.a.token' }, { 'x-api-key': 'no key' }]) {
        const { status, code } = await request(route, headers);
        expect([route.name, status, code]).toEqual([route.name, 401, 'UNAUTHENTICATED']);
      }
    }
    const forged = await new SignJWT({ org: OURS, roles: ['admin'], warehouses: null })
      .setProtectedHeader({ alg: 'HS256' })
      .setSubject('eve')
      .setIssuer('holdfast-gateway')
      .setAudience('holdfast-services')
      .setExpirationTime('60s')
      .sign(new TextEncoder().encode('not the secret of gateway and services'));
    const expired = await signedLongAgo();
    for (const definition of calls) {
      const data = sampleOf(definition);
      for (const actor of [forged, expired, 'no token', undefined]) {
        const { status, code } = await call(definition, { ...data, actor });
        expect([nameOf(definition), status, code]).toEqual([nameOf(definition), 401, 'UNAUTHENTICATED']);
      }
    }
  });

  it('shows somebody of another organisation nothing', async () => {
    for (const { name, attempt } of ofRoutes()) {
      const { status, text } = await attempt(STRANGER);
      expect([name, text.includes(SECRET)]).toEqual([name, false]);
      seen.stranger.set(name, status === 404 ? '404' : 'their own');
    }
    for (const { name, attempt } of ofCalls()) {
      const { status, code } = await attempt(STRANGER);
      expect([name, status, code]).toEqual([name, 403, 'FORBIDDEN']);
    }
  });

  it('knows the warehouses that somebody works in', async () => {
    for (const subject of inOrder([...ofCalls(), ...ofRoutes()])) {
      // What a stream lets through is proved where it is made (live-events.int.spec.ts).
      const isStream = subject.name === 'GET /events';
      seen.elsewhere.set(subject.name, isStream ? 'filtered' : await seenFromElsewhere(subject));
    }
    expect([...seen.elsewhere].filter(([, what]) => !['refused', 'hidden', 'filtered', 'any'].includes(what))).toEqual([]);
  });

  it('does what the table of routes says', async () => {
    if (WRITE) await writeTables();
    const found: Row[] = [];
    for (const subject of inOrder(ofRoutes())) {
      const { name } = subject;
      const roles = await rolesThatMay(subject);
      found.push({ name, roles, elsewhere: seen.elsewhere.get(name)!, stranger: seen.stranger.get(name)! });
    }
    expect(byName(found)).toEqual(byName(readTable('routes')));
  });

  it('does what the table of calls says', async () => {
    const found: Row[] = [];
    for (const subject of inOrder(ofCalls())) {
      const { name } = subject;
      found.push({ name, roles: await rolesThatMay(subject), elsewhere: seen.elsewhere.get(name)! });
    }
    expect(byName(found)).toEqual(byName(readTable('calls')));
  });

  it('takes a broker user without a token for a service of its organisation', async () => {
    const services = readTable('calls').filter(({ roles }) => roles.includes('service'));
    const names = services.map(({ name }) => name);
    for (const definition of calls) {
      const refused = isRefused(await call(definition, sampleOf(definition), BROKER_USER), definition.allow);
      expect([nameOf(definition), refused]).toEqual([nameOf(definition), !names.includes(nameOf(definition))]);
    }
  });
});

/** Who is allowed is written as it is defined, not as it was seen: what differs fails all the same. */
async function writeTables(): Promise<void> {
  const rowOf = ({ name, allow }: Subject): Row => ({
    name,
    roles: ROLES.filter((role) => allow.includes(role)),
    elsewhere: seen.elsewhere.get(name)!,
  });
  await writeTable(
    'routes',
    ofRoutes().map((subject) => ({ ...rowOf(subject), stranger: seen.stranger.get(subject.name)! })),
  );
  await writeTable('calls', ofCalls().map(rowOf));
}

const byName = (rows: readonly Row[]) => Object.fromEntries(rows.map((row) => [row.name, row]));

/** A token that the gateway signed and that has expired since. */
async function signedLongAgo(): Promise<string> {
  const secret = new TextEncoder().encode(process.env['HOLDFAST_ACTOR_SECRET'] ?? 'holdfast-development-actor-secret');
  return await new SignJWT({ org: OURS, roles: ['admin'], warehouses: null })
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject('ann')
    .setIssuer('holdfast-gateway')
    .setAudience('holdfast-services')
    .setExpirationTime(Math.floor(Date.now() / 1_000) - 1)
    .sign(secret);
}
