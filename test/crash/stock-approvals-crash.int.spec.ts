import { parkedMessages, stockViolations } from '../support/check-stock.js';
import { eventually } from '../support/eventually.js';
import { type HttpAnswer, HttpClient } from '../support/http-client.js';
import { Installation } from '../support/installation.js';
import type { Outsider } from '../support/outsider.js';
import type { ServiceProcess } from '../support/service-process.js';

// Inventory dies between any two steps of a change of stock that needs an approval. Whoever asked asks again; in the end somebody was asked once,
// it was decided once, and posted once; or it was taken back, and nothing was posted.

let installation: Installation;
let listener: Outsider;
let url: string;
let inventory: ServiceProcess;
let orgs = 0;
let orgId: string;
let admin: HttpClient;
let ann: HttpClient;
let carl: HttpClient;

beforeAll(async () => {
  installation = await Installation.make(['inventory', 'approvals', 'gateway']);
  url = (await Promise.all((['gateway', 'approvals'] as const).map((app) => installation.start(app))))[0]!.url;
  inventory = await installation.start('inventory');
  listener = await installation.outsider();
}, 90_000);
afterAll(() => installation.remove(), 60_000);

beforeEach(async () => {
  orgId = `org-${++orgs}`;
  admin = await HttpClient.signIn(url, orgId, ['admin'], 'root');
  [ann, carl] = await Promise.all([
    HttpClient.signIn(url, orgId, ['inventory_manager'], 'ann'),
    HttpClient.signIn(url, orgId, ['admin'], 'carl'),
  ]);
  await admin.stockUp({ apple: 100 });
});

/** Does `work` while inventory is a process that dies at the point as soon as it gets there; then inventory lives again. */
async function dying<T>(point: string, work: () => Promise<T>): Promise<T> {
  const process = await installation.replaceByMortal(inventory, point);
  const worked = work();
  expect([point, await process.ended]).toEqual([point, 'SIGKILL']);
  inventory = await installation.start('inventory');
  return await worked;
}

/** Says it until somebody answers, as whoever gets a 503 does. */
async function insistently(say: () => Promise<HttpAnswer>): Promise<HttpAnswer> {
  for (;;) {
    const answer = await say();
    if (answer.status !== 503) return answer;
  }
}

/** What is asked, and what is in the ledger beside the receipt when it was approved. */
interface Asking {
  readonly subject: () => Promise<string>;
  readonly ask: (subject: string) => Promise<HttpAnswer>;
  readonly posted: readonly string[];
}

const sample = { warehouseId: 'main', itemId: 'apple', quantityDelta: -120, reason: 'for the fair', reasonCode: 'sample' };
const WHAT: Readonly<Record<string, Asking>> = {
  'an adjustment': {
    subject: () => Promise.resolve('flood'),
    ask: (key) =>
      ann.send(
        'POST',
        '/inventory/adjustments',
        { ...sample, quantityDelta: -50, reason: 'flood', reasonCode: 'damage' },
        { 'idempotency-key': key },
      ),
    posted: ['adjustment -50'],
  },
  'the resolution of a discrepancy': {
    subject: async () => {
      const seen = { warehouseId: 'main', itemId: 'apple', snapshotQuantity: 30, note: 'half empty' };
      return String((await ann.send('POST', '/inventory/discrepancies', seen)).body['discrepancyId']);
    },
    ask: (id) => ann.send('POST', `/inventory/discrepancies/${id}/resolve`, { note: 'thrown away', adjust: true }),
    posted: ['count -70'],
  },
  'the override of a movement': {
    subject: async () => ((await ann.send('POST', '/inventory/adjustments', sample)).body['discrepancyIds'] as string[])[0]!,
    ask: (id) => ann.send('POST', `/inventory/discrepancies/${id}/request-override`, { reason: 'they stand in front of me' }),
    posted: ['adjustment -120', 'count 20'],
  },
};

const requests = async () => (await admin.send('GET', '/approvals')).body['items'] as Record<string, unknown>[];

async function posted(): Promise<string[]> {
  const { body } = await admin.send('GET', '/inventory/ledger?itemId=apple');
  const entries = body['entries'] as { movementType: string; quantityDelta: string }[];
  return entries
    .flatMap(({ movementType, quantityDelta }) => (movementType === 'receipt' ? [] : [`${movementType} ${quantityDelta}`]))
    .sort();
}

/** How often it was told that a request is over, and how. */
const toldOf = (approvalRequestId: string) =>
  listener.heard.flatMap((event) =>
    event.type === 'ApprovalDecided' && event.subject === approvalRequestId ? [(event.data as { status: string }).status] : [],
  );

async function wrong(): Promise<string[]> {
  const found = await stockViolations(installation.database);
  for (const service of ['inventory', 'approvals'] as const)
    found.push(...(await parkedMessages(installation.database, service)).map(({ reason }) => reason));
  return found;
}

const TIMES = Object.keys(WHAT).flatMap((what) => ['before-approval', 'after-approval'].map((point) => [what, point] as const));

it.each(TIMES)(
  '%s that dies %s is asked for once, decided once and posted once',
  async (what, point) => {
    const { subject, ask, posted: expected } = WHAT[what]!;
    const id = await subject();
    await dying(point, () => ask(id));
    expect(await posted()).toEqual([]);
    const asked = await insistently(() => ask(id));
    expect(asked).toMatchObject({ status: 202, body: { status: 'pending' } });
    const request = String(asked.body['approvalRequestId']);
    expect(await requests()).toMatchObject([{ approvalRequestId: request, status: 'pending' }]);

    // Whoever carries it out dies as well: when it is done, and nobody knows.
    const approve = () => carl.send('PUT', `/approvals/${request}/approve`, { reason: 'seen it' });
    expect(await dying('after-commit', approve)).toMatchObject({ status: 200, body: { status: 'approved' } });
    expect(await eventually(async () => (await posted()).length === expected.length)).toBe(true);
    await insistently(() => ask(id));
    expect([await posted(), (await requests()).length, await wrong()]).toEqual([expected, 1, []]);
    expect(await eventually(() => toldOf(request))).toEqual(['approved']);
    const effects = await installation.database.rows('select outcome from inventory.approval_effect where org_id = $1', [orgId]);
    expect(effects).toEqual([{ outcome: 'done' }]);
  },
  120_000,
);

it.each(['before-withdrawal', 'after-withdrawal'])(
  'what was asked is taken back once when inventory dies %s',
  async (point) => {
    const { subject, ask } = WHAT['the resolution of a discrepancy']!;
    const id = await subject();
    const request = String((await ask(id)).body['approvalRequestId']);
    const dismiss = () => admin.send('POST', `/inventory/discrepancies/${id}/dismiss`, { note: 'behind the door' });
    await dying(point, dismiss);
    expect(await insistently(dismiss)).toMatchObject({ status: 200, body: { status: 'dismissed' } });
    expect(await eventually(async () => (await requests())[0]!['status'] === 'cancelled', 60_000)).toBe(true);
    expect(await eventually(() => toldOf(request))).toEqual(['cancelled']);
    expect([await posted(), (await requests()).length, await wrong()]).toEqual([[], 1, []]);
  },
  120_000,
);

it('what was asked, though nobody heard the answer, is taken back when the discrepancy is dismissed', async () => {
  const { subject, ask } = WHAT['the override of a movement']!;
  const id = await subject();
  const process = await installation.replaceByMortal(inventory, 'after-approval');
  // Until nobody waits for it any more, and the broker has forgotten it.
  expect((await ask(id)).status).toBe(503);
  expect(await process.ended).toBe('SIGKILL');
  inventory = await installation.start('inventory');
  expect((await ann.send('GET', `/inventory/discrepancies/${id}`)).body).toMatchObject({ status: 'new', approvalRequestId: null });
  expect(await requests()).toMatchObject([{ status: 'pending' }]);
  await insistently(() => admin.send('POST', `/inventory/discrepancies/${id}/dismiss`, { note: 'behind the door' }));
  expect(await eventually(async () => (await requests())[0]!['status'] === 'cancelled', 60_000)).toBe(true);
  expect([await posted(), await wrong()]).toEqual([[], []]);
}, 120_000);
