import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import type { ReconciliationRun } from '#libs/contracts';
import { prepareSite } from './holdfast.js';
import { ENTRIES_PER_BALANCE, fillWarehouse } from './large.js';
import type { BenchRun } from './run.js';
import { ONE_ORG } from './scenarios.js';
import { anotherSite, startApp } from './services.js';

/** A whole reconciliation over HTTP, beside one plain sum over the same ledger. */
export interface ReconciliationResult {
  readonly part: 'reconciliation';
  readonly round: number;
  readonly balances: number;
  readonly ledgerEntries: number;
  /** `group by` item and warehouse over the ledger, by the owner of the table, as the planner likes. */
  readonly sumMs: number;
  /** From asking for a run until it has ended. */
  readonly runMs: number;
  /** Of each process, over all of its time. */
  readonly peakMemoryBytes: Readonly<Record<string, number | null>>;
}

const APPS = ['inventory', 'orders', 'reconciliation', 'gateway'] as const;
const LOOK_MS = 20;
const PLAIN_SUM = `
  select count(*) from (select warehouse_id, item_id, sum(quantity_delta) from inventory.ledger_entry where org_id = $1 group by 1, 2) s`;

const siteOf = (run: BenchRun) => anotherSite(run, 'books');

/** A large warehouse whose books agree. */
export async function prepareReconciliation(run: BenchRun): Promise<void> {
  const site = siteOf(run);
  await prepareSite(run, site, APPS);
  await fillWarehouse(run, site, run.options.balances, ENTRIES_PER_BALANCE);
}

/** One round: the sum, then the run, each with the tables as the other has left them in memory. */
export async function measureReconciliation(run: BenchRun, round: number): Promise<ReconciliationResult> {
  const { balances } = run.options;
  const site = siteOf(run);
  const apps = await Promise.all(APPS.map((app) => startApp(run, app, { site })));
  try {
    await run.settle();
    const sumMs = await sumLedger(site.databaseUrl);
    const runMs = await reconcile(apps.at(-1)!.url, balances, run.signal);
    const peakMemoryBytes = Object.fromEntries(apps.map(({ child }) => [child.name, child.peakMemoryBytes()]));
    return { part: 'reconciliation', round, balances, ledgerEntries: balances * ENTRIES_PER_BALANCE, sumMs, runMs, peakMemoryBytes };
  } finally {
    await Promise.all(apps.map(({ child }) => child.stop()));
  }
}

async function sumLedger(databaseUrl: string): Promise<number> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    // Whoever owns tables without being a superuser sees them through their policies, too.
    await client.query(`select set_config('holdfast.orgs', $1, false)`, [JSON.stringify([ONE_ORG])]);
    const startMs = performance.now();
    await client.query(PLAIN_SUM, [ONE_ORG]);
    return performance.now() - startMs;
  } finally {
    await client.end();
  }
}

/** Runs one, and answers how long it took, in ms. */
async function reconcile(url: string, balances: number, signal: AbortSignal): Promise<number> {
  const send = async (method: string, path: string, token: string, body?: object) => {
    const headers = { 'content-type': 'application/json', ...(token !== '' && { authorization: `Bearer ${token}` }) };
    const sent = { method, headers, signal, ...(body !== undefined && { body: JSON.stringify(body) }) };
    const response = await fetch(`${url}/api/v1${path}`, sent);
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${text}`);
    return JSON.parse(text) as unknown;
  };
  const who = { orgId: ONE_ORG, userId: 'bench', roles: ['admin'] };
  const { accessToken } = (await send('POST', '/auth/token', '', who)) as { accessToken: string };
  const startMs = performance.now();
  const { runId } = (await send('POST', '/reconciliation/runs', accessToken, {})) as ReconciliationRun;
  for (;;) {
    const { status, balances: checked, findings } = (await send('GET', `/reconciliation/runs/${runId}`, accessToken)) as ReconciliationRun;
    if (status === 'running') {
      await sleep(LOOK_MS, undefined, { signal });
      continue;
    }
    const runMs = performance.now() - startMs;
    if (status === 'failed' || checked !== balances || findings.length > 0) {
      throw new Error(
        `The reconciliation ${status} after ${checked} of ${balances} balances; it found ${JSON.stringify(findings[0] ?? null)}.`,
      );
    }
    return runMs;
  }
}
