import { signActorToken } from '#libs/auth';
import { ItemCreate, ReceiptPost, type RequestOf, WarehouseCreate } from '#libs/contracts';
import { callBody, makeCalls } from './calls.js';
import { messagingPrefix, startApp } from './services.js';
import type { BenchRun } from './run.js';
import { itemId, type Scenario, WAREHOUSE } from './scenarios.js';

const CALLERS = 64;
const CALL_TIMEOUT_MS = 30_000;
const RECEIPT_LINES_MAX = 1_000;
/** Enough for every order of every run: each order takes at most 2 of an item. */
const QUANTITY = '1000000000';

/** Gives Holdfast the warehouses, items and stock of the scenarios, through the same calls as any administrator. */
export async function seedHoldfast(run: BenchRun, scenarios: readonly Scenario[]): Promise<void> {
  const { child } = await startApp(run, 'inventory');
  const orgs = new Map(scenarios.flatMap(({ orgIds, itemsPerOrg }) => orgIds.map((orgId) => [orgId, itemsPerOrg] as const)));
  for (const steps of [warehouses, items, receipts]) {
    // A token lives for a minute, so each stage has new ones.
    const tokens = new Map<string, string>();
    for (const orgId of orgs.keys()) {
      tokens.set(orgId, await signActorToken({ userId: 'bench', orgId, roles: ['admin'], warehouses: null }));
    }
    const bodies = callBodies(orgs, steps, tokens);
    const next = () => bodies.next().value ?? null;
    const queue = `${messagingPrefix(run)}.inventory.rpc`;
    await makeCalls({ amqpUrl: run.options.amqpUrl, queue, callers: CALLERS, timeoutMs: CALL_TIMEOUT_MS, next }, run.signal);
  }
  await child.stop();
}

type Step = readonly [pattern: string, data: object];

function* callBodies(
  orgs: ReadonlyMap<string, number>,
  steps: (itemCount: number) => Generator<Step>,
  tokens: ReadonlyMap<string, string>,
): Generator<string, undefined> {
  for (const [orgId, itemCount] of orgs) {
    for (const [pattern, data] of steps(itemCount)) yield callBody(pattern, { ...data, orgId, actor: tokens.get(orgId) });
  }
}

function* warehouses(): Generator<Step> {
  yield [WarehouseCreate.pattern, { warehouseId: WAREHOUSE, name: 'Main' } satisfies RequestOf<typeof WarehouseCreate>];
}

function* items(itemCount: number): Generator<Step> {
  for (let n = 1; n <= itemCount; n++) {
    yield [ItemCreate.pattern, { itemId: itemId(n), name: `Item ${n}` } satisfies RequestOf<typeof ItemCreate>];
  }
}

function* receipts(itemCount: number): Generator<Step> {
  for (let from = 1; from <= itemCount; from += RECEIPT_LINES_MAX) {
    const lines = Array.from({ length: Math.min(RECEIPT_LINES_MAX, itemCount - from + 1) }, (_, n) => ({
      itemId: itemId(from + n),
      quantity: QUANTITY,
      unitCost: '1',
    }));
    yield [ReceiptPost.pattern, { warehouseId: WAREHOUSE, lines } satisfies RequestOf<typeof ReceiptPost>];
  }
}
