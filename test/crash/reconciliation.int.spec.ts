import { signActorToken } from '#libs/auth';
import type { ReconciliationRun } from '#libs/contracts';
import { parkedMessages } from '../support/check-stock.js';
import { eventually } from '../support/eventually.js';
import { Installation } from '../support/installation.js';
import type { Outsider } from '../support/outsider.js';

// Reconciliation as processes of its own over RabbitMQ, killed in the middle of a run: another process goes on from the last page, and what
// is found is found once.

const ORG = 'acme';
const RUN = '019cb5b1-0000-7000-8000-000000000009';

let installation: Installation;
let outsider: Outsider;

beforeEach(async () => {
  installation = await Installation.make(['inventory', 'orders', 'reconciliation']);
  outsider = await installation.outsider();
  await Promise.all([installation.start('inventory'), installation.start('orders')]);
  await installation.stockUp(outsider, ORG, { apple: 50, pear: 50 });
  await ask('orders', 'orders.create', { orderId: 'o', customerId: 'c', lines: [{ itemId: 'apple', quantity: '3' }] });
  await installation.database.rows('update inventory.stock_balance set value = value + 1 where item_id = $1', ['pear']);
}, 120_000);
afterEach(() => installation.remove(), 60_000);

async function ask(service: string, pattern: string, data: object): Promise<Record<string, unknown>> {
  const actor = await signActorToken({ userId: 'tester', orgId: ORG, roles: ['admin'], warehouses: null });
  const { err, response } = await outsider.call(service, pattern, { ...data, orgId: ORG, actor }, 20_000);
  if (err !== undefined) throw new Error(`${pattern}: ${JSON.stringify(err)}`);
  return response!;
}

const start = () => ask('reconciliation', 'reconciliation-runs.start', { runId: RUN });
const run = async () => (await ask('reconciliation', 'reconciliation-runs.get', { runId: RUN })) as unknown as ReconciliationRun;

/** As if the lease of a dead process had run out. */
const leaseEnds = () => installation.database.rows('update reconciliation.run set lease_until = now()');

// The pages of this run: the count, the balances (with the finding), the demands, the orders.
it.each(['after-page:1', 'before-page-saved:2', 'after-page:2', 'before-page-saved:4'])(
  'goes on where a process died at %s',
  async (point) => {
    const mortal = await installation.start('reconciliation', { HOLDFAST_CRASH_AT: `reconciliation:${point}` });
    // It may die before it has answered.
    void start().catch(() => {});
    expect(await mortal.ended).toBe('SIGKILL');

    await leaseEnds();
    await installation.start('reconciliation');
    await eventually(async () => (await run()).status !== 'running', 60_000);
    const { status, findings, findingsTotal, balances, outOfSyncItems, progress } = await run();
    expect(findings).toMatchObject([{ kind: 'ledger_value', itemId: 'pear', expected: '50', actual: '51', difference: '1' }]);
    expect({ status, findingsTotal, balances, outOfSyncItems, progress }).toEqual({
      ...{ status: 'completed', findingsTotal: 1, balances: 2, outOfSyncItems: 1 },
      progress: { done: 4, total: 4 },
    });
    const discrepancies = await installation.database.rows<{ discrepancy_id: string }>('select discrepancy_id from inventory.discrepancy');
    expect(discrepancies).toEqual([{ discrepancy_id: findings[0]!.discrepancyId }]);
    expect(await parkedMessages(installation.database, 'reconciliation')).toEqual([]);
  },
  120_000,
);
