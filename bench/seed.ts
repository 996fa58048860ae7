import { signActorToken } from '#libs/auth';
import { ItemCreate, ReceiptPost, type RequestOf, WarehouseCreate } from '#libs/contracts';
import { callBody, makeCalls } from './calls.js';
import { type Site, startApp } from './services.js';
import type { BenchRun } from './run.js';
import { itemId, type Scenario, WAREHOUSE } from './scenarios.js';

const CALLERS = 64;
const CALL_TIMEOUT_MS = 30_000;
/** A token lives for a minute. */
const TOKENS_RENEWED_MS = 15_000;
const RECEIPT_LINES_MAX = 1_000;
/** Enough for every order of every run: each order takes at most 2 of an item. */
const QUANTITY = '1000000000';
/** The year in which the first lot of an item expires; each of the others a year later. */
const LOTS_EXPIRE_FROM = 2100;

/** Gives a Holdfast the warehouses, items and stock of the scenarios, through the same calls as any administrator. */
export async function seedHoldfast(run: BenchRun, site: Site, scenarios: readonly Scenario[]): Promise<void> {
  const { child } = await startApp(run, 'inventory', { site });
  const orgs = new Map(scenarios.flatMap((scenario) => scenario.orgIds.map((orgId) => [orgId, scenario] as const)));
  const tokens = new Map<string, string>();
  const sign = async () => {
    for (const orgId of orgs.keys())
      tokens.set(orgId, await signActorToken({ userId: 'bench', orgId, roles: ['admin'], warehouses: null }));
  };
  await sign();
  const renewing = setInterval(() => void sign(), TOKENS_RENEWED_MS);
  try {
    for (const steps of [warehouses, items, receipts]) {
      const bodies = callBodies(orgs, steps, tokens);
      const next = () => bodies.next().value ?? null;
      const queue = `${site.prefix}.inventory.rpc`;
      await makeCalls({ amqpUrl: run.options.amqpUrl, queue, callers: CALLERS, timeoutMs: CALL_TIMEOUT_MS, next }, run.signal);
    }
  } finally {
    clearInterval(renewing);
  }
  await child.stop();
}

type Step = readonly [pattern: string, data: object];

function* callBodies(
  orgs: ReadonlyMap<string, Scenario>,
  steps: (scenario: Scenario) => Generator<Step>,
  tokens: ReadonlyMap<string, string>,
): Generator<string, undefined> {
  for (const [orgId, scenario] of orgs) {
    for (const [pattern, data] of steps(scenario)) yield callBody(pattern, { ...data, orgId, actor: tokens.get(orgId) });
  }
}

function* warehouses(): Generator<Step> {
  yield [WarehouseCreate.pattern, { warehouseId: WAREHOUSE, name: 'Main' } satisfies RequestOf<typeof WarehouseCreate>];
}

function* items({ itemsPerOrg, lots = 0 }: Scenario): Generator<Step> {
  for (let n = 1; n <= itemsPerOrg; n++) {
    const tracking = lots > 0 ? { tracking: 'lot' as const } : {};
    yield [ItemCreate.pattern, { itemId: itemId(n), name: `Item ${n}`, ...tracking } satisfies RequestOf<typeof ItemCreate>];
  }
}

function* receipts({ itemsPerOrg, lots = 0 }: Scenario): Generator<Step> {
  const stock = { quantity: QUANTITY, unitCost: '1' };
  const linesOf = (n: number) =>
    lots === 0
      ? [{ ...stock, itemId: itemId(n) }]
      : Array.from({ length: lots }, (_, lot) => ({
          ...stock,
          itemId: itemId(n),
          lot: `lot-${lot + 1}`,
          expiresAt: `${LOTS_EXPIRE_FROM + lot}-01-01T00:00:00Z`,
        }));
  const all = Array.from({ length: itemsPerOrg }, (_, index) => linesOf(index + 1)).flat();
  for (let from = 0; from < all.length; from += RECEIPT_LINES_MAX) {
    const lines = all.slice(from, from + RECEIPT_LINES_MAX);
    yield [ReceiptPost.pattern, { warehouseId: WAREHOUSE, lines } satisfies RequestOf<typeof ReceiptPost>];
  }
}
