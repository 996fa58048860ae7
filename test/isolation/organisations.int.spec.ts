import { type Actor, signActorToken } from '#libs/auth';
import { allCalls, allEvents, type CallDefinition } from '#libs/contracts';
import { testBrokerUrl } from '#libs/testing';
import { exampleOf } from '../../libs/contracts/src/example-of.js';
import { parkedMessages } from '../support/check-stock.js';
import { eventually } from '../support/eventually.js';
import { Installation } from '../support/installation.js';
import type { CallAnswer, Outsider } from '../support/outsider.js';

// Two organisations with the same ids for everything: neither sees nor changes anything of the other, by any call or event.

const SERVICES = ['inventory', 'orders', 'approvals', 'notifications'] as const;
const OURS = 'ours';
const THEIRS = 'theirs';
/** Stands in everything of the other organisation that can hold a text. */
const SECRET = 'their-secret';
const CHANNEL = '019cb5b1-0000-7000-8000-000000000006';

/** As in the examples of the calls. */
const IMPORT = '019cb5b1-0000-7000-8000-000000000007';

let installation: Installation;
let outsider: Outsider;

beforeAll(async () => {
  installation = await Installation.make(SERVICES);
  await Promise.all(SERVICES.map((service) => installation.start(service, { HOLDFAST_NOTIFY_RETRY_SECONDS: '0' })));
  outsider = await installation.outsider();
  await liveThrough(THEIRS, SECRET);
}, 90_000);

afterAll(() => installation.remove(), 60_000);

const token = (orgId: string, actor: Partial<Actor> = {}) =>
  signActorToken({ userId: 'tester', orgId, roles: ['admin'], warehouses: null, ...actor });

async function call({ service, pattern }: CallDefinition, data: object, actorOrg: string): Promise<CallAnswer> {
  return await outsider.call(service, pattern, { ...data, actor: await token(actorOrg) }, 10_000);
}

/** An organisation with one of everything. */
async function liveThrough(orgId: string, word: string): Promise<void> {
  const ask = async (service: (typeof SERVICES)[number], pattern: string, data: object) => {
    const { err } = await outsider.call(service, pattern, { ...data, orgId, actor: await token(orgId, { userId: word }) }, 20_000);
    if (err !== undefined) throw new Error(`${pattern}: ${JSON.stringify(err)}`);
  };
  await ask('inventory', 'warehouses.create', { warehouseId: 'w', name: word });
  await ask('inventory', 'items.create', { itemId: 'i', name: word, unitPrice: '1', reorderPoint: '98' });
  await ask('notifications', 'notification-channels.create', {
    channelId: CHANNEL,
    kind: 'webhook',
    name: word,
    // Nobody is there: what is sent to it waits, to be looked at.
    target: 'https://nobody.invalid/',
    secret: `whsec_${Buffer.from(word.padEnd(24, '.')).toString('base64')}`,
  });
  await ask('inventory', 'receipts.post', {
    receiptId: 'rc',
    warehouseId: 'w',
    reference: word,
    lines: [{ itemId: 'i', quantity: '100', unitCost: '1' }],
  });
  await ask('inventory', 'expected-receipts.create', {
    expectedReceiptId: 'er',
    warehouseId: 'w',
    itemId: 'i',
    quantity: '3',
    expectedOn: '2026-03-15',
    reference: word,
  });
  await ask('inventory', 'warehouses.create', { warehouseId: 'w2', name: word, priority: 1000 });
  await ask('inventory', 'transfers.create', {
    transferId: 'tr',
    fromWarehouseId: 'w',
    toWarehouseId: 'w2',
    mode: 'in_transit',
    lines: [{ itemId: 'i', quantity: '2' }],
  });
  await ask('inventory', 'adjustments.post', { warehouseId: 'w', itemId: 'i', quantityDelta: '-1', reason: word });
  await ask('inventory', 'safety-stock.set', { warehouseId: 'w', itemId: 'i', quantity: '7' });
  await ask('inventory', 'imports.receive', {
    importId: IMPORT,
    kind: 'items',
    part: 1,
    data: Buffer.from(`itemId,name\nimported,${word}\n`).toString('base64'),
    last: true,
  });
  await eventually(() => installation.database.rows('select 1 from inventory.import where org_id = $1 and cleared', [orgId]));
  await ask('orders', 'orders.create', { orderId: 'o', customerId: word, note: word, lines: [{ itemId: 'i', quantity: '9' }] });
  await ask('orders', 'orders.confirm', { orderId: 'o' });
  await ask('orders', 'shipments.create', { orderId: 'o', shipmentId: 's', trackingNumber: word, lines: [{ lineNo: 1, quantity: '5' }] });
  await ask('orders', 'returns.create', {
    orderId: 'o',
    returnId: 'r',
    lines: [{ lineNo: 1, quantity: '2', condition: 'unknown', reason: word }],
  });
  await ask('orders', 'returns.receive', { returnId: 'r' });
  const policy = { requiredRole: 'admin', escalateTo: [], remindAfterHours: 1, escalateAfterHours: 2, expireAfterHours: 3 };
  await ask('approvals', 'approval-policies.set', { policies: [{ ...policy, kind: 'adjustment' }] });
  await ask('approvals', 'approvals.request', {
    ...{ kind: 'adjustment', subjectType: 'order', subjectId: 'o', requestedBy: word, reason: word, availabilitySnapshot: word },
    ...{ lines: [{ itemId: 'i', warehouseId: 'w', quantity: '1' }], warehouses: ['w'] },
    magnitudes: { quantity: '1', percent: null, value: null },
  });
  // The shipment crossed the reorder point; nobody is there to be told.
  const states = () =>
    installation.database.rows<{ status: string }>('select status from notifications.delivery where org_id = $1', [orgId]);
  await eventually(async () => (await states()).some(({ status }) => status === 'failed'));
  await eventually(async () => (await states()).every(({ status }) => status === 'failed'));
  // Something to look at among the parked messages.
  const broken = outsider.envelope({ type: 'OrderConfirmed', orgId, data: { orderId: word } });
  await outsider.publishBytes(`OrderConfirmed.${orgId}`, Buffer.from(JSON.stringify(broken)));
  await eventually(() => installation.database.rows('select 1 from inventory.parked_message where org_id = $1', [orgId]));
  await eventually(
    async () =>
      (
        await installation.database.rows(
          'select 1 from orders.outbox union all select 1 from inventory.outbox union all select 1 from approvals.outbox',
        )
      ).length === 0,
  );
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

/** What a request of each call looks like, with the ids that both organisations use. */
function requestOf(definition: CallDefinition, orgId: string): Record<string, unknown> {
  const ids: Record<string, unknown> = {
    itemId: 'i',
    warehouseId: 'w',
    orderId: 'o',
    shipmentId: 's',
    returnId: 'r',
    receiptId: 'rc',
    expectedReceiptId: 'er',
    transferId: 'tr',
    fromWarehouseId: 'w',
    toWarehouseId: 'w2',
  };
  const rename = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(rename);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, ids[name] ?? rename(inner)]));
  };
  const example = rename(exampleOf(definition.request)) as Record<string, unknown>;
  return { ...example, ...('messageId' in example ? { messageId: '019cb5b1-0000-7000-8000-000000000005' } : {}), orgId };
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
  await liveThrough(OURS, 'our-word');
  for (const definition of allCalls().filter(({ effect }) => effect === 'change'))
    await call(definition, requestOf(definition, OURS), OURS);
  for (const definition of allEvents().filter(({ direction }) => direction === 'in')) {
    const data = requestOf({ request: definition.data } as CallDefinition, OURS);
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
    const data = requestOf({ request: definition.data } as CallDefinition, OURS);
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
