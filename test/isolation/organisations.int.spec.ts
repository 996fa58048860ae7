import { type Actor, signActorToken } from '#libs/auth';
import { allCalls, allEvents, type CallDefinition } from '#libs/contracts';
import { testBrokerUrl } from '#libs/testing';
import { parkedMessages } from '../support/check-stock.js';
import { eventually } from '../support/eventually.js';
import { Installation } from '../support/installation.js';
import { oneOfEverything, requestOf, SERVICES_OF_EVERYTHING as SERVICES } from '../support/one-of-everything.js';
import type { CallAnswer, Outsider } from '../support/outsider.js';

// Two organisations with the same ids for everything: neither sees nor changes anything of the other, by any call or event.

const OURS = 'ours';
const THEIRS = 'theirs';
/** Stands in everything of the other organisation that can hold a text. */
const SECRET = 'their-secret';
let installation: Installation;
let outsider: Outsider;

beforeAll(async () => {
  installation = await Installation.make(SERVICES);
  await Promise.all(SERVICES.map((service) => installation.start(service, { HOLDFAST_NOTIFY_RETRY_SECONDS: '0' })));
  outsider = await installation.outsider();
  await oneOfEverything(installation, outsider, THEIRS, SECRET);
}, 90_000);

afterAll(() => installation.remove(), 60_000);

const token = (orgId: string, actor: Partial<Actor> = {}) =>
  signActorToken({ userId: 'tester', orgId, roles: ['admin'], warehouses: null, ...actor });

async function call({ service, pattern }: CallDefinition, data: object, actorOrg: string): Promise<CallAnswer> {
  return await outsider.call(service, pattern, { ...data, actor: await token(actorOrg) }, 10_000);
}

/** Every row of every table that belongs to an organisation, as text. */
async function everythingOf(orgId: string): Promise<Record<string, string[]>> {
  const tables = await installation.database.rows<{ name: string }>(
    `select format('%I.%I', table_schema, table_name) as name from information_schema.columns
       join information_schema.tables using (table_schema, table_name)
      where column_name = 'org_id' and table_schema = any($1) and table_type = 'BASE TABLE' order by 1`,
    [SERVICES],
  );
  const everything: Record<string, string[]> = {};
  for (const { name } of tables) {
    const rows = await installation.database.rows<{ row: string }>(`select t::text as row from ${name} t where org_id = $1 order by 1`, [
      orgId,
    ]);
    everything[name] = rows.map(({ row }) => row);
  }
  return everything;
}

it.each(allCalls().map((definition) => [`${definition.service} ${definition.pattern}`, definition] as const))(
  'refuses %s on behalf of somebody of another organisation',
  async (_, definition) => {
    const { err, response } = await call(definition, requestOf(definition, THEIRS), OURS);
    expect([err?.kind, err?.code, response]).toEqual(['forbidden', 'FORBIDDEN', undefined]);
  },
);

it('answers every reading call with nothing of another organisation that has the same ids', async () => {
  const reads = allCalls().filter(({ effect }) => effect === 'read');
  const look = async (orgId: string) => {
    const answers = await Promise.all(reads.map((definition) => call(definition, requestOf(definition, orgId), orgId)));
    return answers.map((answer, index) => ({ pattern: reads[index]!.pattern, text: JSON.stringify(answer) }));
  };
  const seen = await look(OURS);
  expect(seen.filter(({ text }) => text.includes(SECRET) || text.includes(THEIRS))).toEqual([]);
  // They do see it themselves, or the test would look for nothing.
  const own = (await look(THEIRS)).filter(({ text }) => text.includes(SECRET)).map(({ pattern }) => pattern);
  expect(own).toEqual(
    expect.arrayContaining([
      'warehouses.list',
      'items.list',
      'ledger.list',
      'expected-receipts.get',
      'transfers.get',
      'discrepancies.list',
      'orders.list',
      'audit.list',
      'parked.list',
      'approvals.list',
      'approval-policies.history',
      'notification-channels.list',
      'notification-deliveries.list',
    ]),
  );
}, 30_000);

it('leaves another organisation as it is when one lives through the same ids', async () => {
  const before = await everythingOf(THEIRS);
  expect(Object.values(before).filter((rows) => rows.length > 0).length).toBeGreaterThan(15);
  await oneOfEverything(installation, outsider, OURS, 'our-word');
  for (const definition of allCalls().filter(({ effect }) => effect === 'change'))
    await call(definition, requestOf(definition, OURS), OURS);
  for (const definition of allEvents().filter(({ direction }) => direction === 'in')) {
    const data = requestOf({ request: definition.data }, OURS);
    await outsider.publish({ type: definition.type, orgId: OURS, data });
  }
  await outsider.publish({ type: 'OrderCancelled', orgId: OURS, source: '/orders', sequence: 100, data: { orderId: 'o' } });
  await eventually(() => outsider.heard.some(({ orgid, type }) => orgid === OURS && type === 'StockReleased'));
  expect(await everythingOf(THEIRS)).toEqual(before);
  const ours = await everythingOf(OURS);
  expect(JSON.stringify(ours)).not.toContain(SECRET);
}, 60_000);

it('parks every event that comes under the routing key of one organisation and is about another', async () => {
  const before = await everythingOf(THEIRS);
  const types = allEvents()
    .filter(({ direction }) => direction === 'in')
    .map(({ type }) => type);
  const consumed = allEvents().filter(({ consumers }) => consumers.some((service) => service !== 'gateway'));
  for (const definition of consumed) {
    const data = requestOf({ request: definition.data }, OURS);
    const event = outsider.envelope({ type: definition.type, orgId: THEIRS, source: '/inventory', sequence: 1_000, data });
    await outsider.publishBytes(`${definition.type}.${OURS}`, Buffer.from(JSON.stringify(event)));
  }
  const refused = async () => {
    const all = await Promise.all(SERVICES.map((service) => parkedMessages(installation.database, service)));
    return all
      .flat()
      .filter(({ reason }) => reason === 'ROUTING_KEY_MISMATCH')
      .map(({ routing_key }) => routing_key);
  };
  // Once by each service that consumes it.
  const expected = consumed.flatMap(({ type, consumers }) => consumers.map(() => `${type}.${OURS}`));
  await eventually(async () => (await refused()).length >= expected.length);
  expect((await refused()).sort()).toEqual(expected.sort());
  expect(types.length).toBeGreaterThan(5);
  expect(await everythingOf(THEIRS)).toEqual(before);
}, 30_000);

describe('A broker user that is bound to an organisation', () => {
  let bound: Installation;
  const user = decodeURIComponent(new URL(testBrokerUrl()).username);

  beforeAll(async () => {
    bound = await Installation.make(['inventory']);
    await bound.start('inventory', { AMQP_USER_ORGS: JSON.stringify({ [user]: OURS }) });
  }, 60_000);

  afterAll(() => bound.remove(), 60_000);

  it('speaks for that one, and for no other', async () => {
    const client = await bound.outsider();
    const items = [{ itemId: 'i', warehouseId: 'w' }];
    const ask = (orgId: string, userId?: string) => client.call('inventory', 'availability.get', { orgId, items }, 10_000, userId);
    expect((await ask(OURS, user)).err).toMatchObject({ kind: 'not_found' });
    expect((await ask(THEIRS, user)).err).toMatchObject({ kind: 'forbidden' });
    expect((await ask(OURS)).err).toMatchObject({ kind: 'unauthenticated' });
  });
});
