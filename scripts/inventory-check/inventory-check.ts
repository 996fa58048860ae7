import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Presets, SingleBar } from 'cli-progress';
import type { Finding, ReconciliationRun, RunSummary } from '#libs/contracts';
import { Api, NothingThere, Refused } from '../demo/api.js';

const USAGE = `npm run inventory:check -- --org ID [--json]

Reconciles an organisation: compares balances, ledger, reservations, lots, costs and orders with each other, on a running Holdfast.
Ends with 0 when all agree, with 1 when something was found, with 2 when it could not be done.

  --org ID  the organisation
  --json    prints the run with its findings as JSON

Environment: HOLDFAST_URL, where Holdfast answers (http://127.0.0.1:3000); HOLDFAST_API_KEY or HOLDFAST_TOKEN, of somebody who may
reconcile (inventory_manager or admin); without either a development token is asked for.`;

const LOOK_MS = 500;
const STARTS_MAX = 5;

type Environment = Readonly<Record<string, string | undefined>>;
interface Output {
  readonly out: (line: string) => void;
  readonly error: (line: string) => void;
  /** Whether somebody watches. */
  readonly isTerminal: boolean;
}
const CONSOLE: Output = {
  out: (line) => console.log(line),
  error: (line) => console.error(line),
  isTerminal: process.stderr.isTTY,
};

/** What keeps the check from being done, for people. */
class Impossible extends Error {}

/**
 * Runs a reconciliation over HTTP, follows it, and shows what it found.
 *
 * @returns the exit code: 0 clean, 1 findings, 2 could not be done.
 */
export async function inventoryCheck(argv: readonly string[], environment: Environment, output: Output = CONSOLE): Promise<0 | 1 | 2> {
  try {
    const { org, json } = readOptions(argv);
    const api = await signIn(environment, org);
    await refuseUnknown(api, org);
    const { runId } = await start(api, output);
    const run = await follow(api, runId, output);
    const findings: Finding[] = [];
    for await (const finding of api.all<Finding>(`/api/v1/reconciliation/runs/${runId}`, 'findings')) findings.push(finding);
    if (json) output.out(JSON.stringify({ ...run, findings }, undefined, 2));
    else show(org, run, findings, output);
    if (run.status === 'failed') throw new Impossible(`The reconciliation was given up: ${run.failure}`);
    return run.findingsTotal === 0 ? 0 : 1;
  } catch (error) {
    if (!(error instanceof Impossible || error instanceof Refused || error instanceof NothingThere)) throw error;
    output.error(error.message);
    return 2;
  }
}

function readOptions(argv: readonly string[]): { org: string; json: boolean } {
  try {
    const { values } = parseArgs({
      args: [...argv],
      options: { org: { type: 'string' }, json: { type: 'boolean', default: false }, help: { type: 'boolean', short: 'h' } },
    });
    if (values.org !== undefined && !values.help) return { org: values.org, json: values.json };
  } catch (error) {
    throw new Impossible(`${(error as Error).message}\n\n${USAGE}`, { cause: error });
  }
  throw new Impossible(USAGE);
}

async function signIn(environment: Environment, org: string): Promise<Api> {
  const url = environment['HOLDFAST_URL'] ?? 'http://127.0.0.1:3000';
  const { HOLDFAST_API_KEY: key, HOLDFAST_TOKEN: token } = environment;
  // What is not JSON, or no 200, is answered by something else.
  await new Api(url).get('/health/live').catch((error: unknown) => {
    if (!(error instanceof NothingThere || error instanceof Refused || error instanceof SyntaxError)) throw error;
    throw new Impossible(
      `No Holdfast answers at ${url}. The check needs one that runs: start it with "npm start" (it takes the data where they are), ` +
        'or say where it is with HOLDFAST_URL.',
    );
  });
  if (key) return new Api(url, undefined, forOrganisation(org, key.split('.')[1], key, 'HOLDFAST_API_KEY'));
  if (token) return new Api(url, forOrganisation(org, organisationOf(token), token, 'HOLDFAST_TOKEN'));
  const body = { orgId: org, userId: 'inventory-check', roles: ['inventory_manager'] };
  const { accessToken } = await new Api(url).post<{ accessToken: string }>('/api/v1/auth/token', body).catch((error: unknown) => {
    if (!(error instanceof Refused)) throw error;
    throw new Impossible(
      `Holdfast at ${url} gives no development token for ${org} (${error.message}). Set HOLDFAST_API_KEY or HOLDFAST_TOKEN to those of ` +
        'somebody who may reconcile.',
    );
  });
  return new Api(url, accessToken);
}

/** A key or token of another organisation would check that one's books. */
function forOrganisation(org: string, named: string | undefined, credential: string, variable: string): string {
  if (named === org) return credential;
  throw new Impossible(`${variable} is for ${named === undefined ? 'no organisation' : named}, not for ${org}.`);
}

function organisationOf(token: string): string | undefined {
  try {
    return (JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as { org?: string }).org;
  } catch {
    return undefined;
  }
}

/** Starts a run; one that runs already is waited for, because it may have passed what is to be checked. */
async function start(api: Api, output: Output): Promise<RunSummary> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await api.post<ReconciliationRun>('/api/v1/reconciliation/runs', undefined);
    } catch (error) {
      if (!(error instanceof Refused) || error.code !== 'RUN_IN_PROGRESS' || attempt === STARTS_MAX) throw error;
      const { items } = await api.get<{ items: RunSummary[] }>('/api/v1/reconciliation/runs?status=running&limit=1');
      if (items[0] === undefined) continue;
      output.error(`A reconciliation that was started at ${items[0].startedAt} still runs; waiting for its end.`);
      await follow(api, items[0].runId, output);
    }
  }
}

/** Where there is no warehouse there is nothing to compare: the books would agree, of whatever name was mistyped. */
async function refuseUnknown(api: Api, org: string): Promise<void> {
  const { items } = await api.get<{ items: unknown[] }>('/api/v1/warehouses?limit=1');
  if (items.length === 0) throw new Impossible(`Holdfast knows nothing of an organisation ${org}: it has no warehouse. Is its name right?`);
}

/** Waits until a run has ended. */
async function follow(api: Api, runId: string, output: Output): Promise<RunSummary> {
  const bar = new SingleBar({ format: 'Reconciling |{bar}| {value} of {total}', hideCursor: true, stream: process.stderr }, Presets.rect);
  if (output.isTerminal) bar.start(1, 0);
  try {
    for (;;) {
      const { findings: _, nextCursor: __, ...run } = await api.get<ReconciliationRun>(`/api/v1/reconciliation/runs/${runId}?limit=1`);
      bar.setTotal(Math.max(1, run.progress.total));
      bar.update(run.progress.done);
      if (run.status !== 'running') return run;
      await delay(LOOK_MS);
    }
  } finally {
    bar.stop();
  }
}

function show(org: string, run: RunSummary, findings: readonly Finding[], { out, error }: Output): void {
  if (findings.length > 0) out(table(findings));
  const { balances, findingsTotal, outOfSyncItems, unsettledOrders, startedAt } = run;
  out(
    findingsTotal === 0
      ? `${org}: ${balances} items in warehouses and their orders agree.`
      : `${org}: ${findingsTotal} findings, at ${outOfSyncItems} of ${balances} items in warehouses. Each is a discrepancy; ` +
          'docs/operating.md says what the kinds mean ("Reconciliation").',
  );
  if (findings.length < findingsTotal) out(`Only the first ${findings.length} were kept.`);
  if (unsettledOrders > 0) error(`${unsettledOrders} orders kept changing since ${startedAt} and were not compared.`);
}

const COLUMNS: readonly (readonly [title: string, of: (finding: Finding) => string])[] = [
  ['kind', ({ kind }) => kind],
  ['item', ({ itemId }) => itemId],
  ['warehouse', ({ warehouseId }) => warehouseId ?? ''],
  ['lot, bin', ({ lot, location }) => [lot, location].filter((part) => part !== null).join(', ')],
  ['order', ({ orderId }) => orderId ?? ''],
  ['expected', ({ expected }) => expected],
  ['actual', ({ actual }) => actual],
  ['difference', ({ difference }) => difference],
  ['discrepancy', ({ discrepancyId }) => discrepancyId],
];

function table(findings: readonly Finding[]): string {
  const rows = [COLUMNS.map(([title]) => title), ...findings.map((finding) => COLUMNS.map(([, of]) => of(finding)))];
  const widths = COLUMNS.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column]!))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
