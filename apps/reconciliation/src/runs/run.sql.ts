import type { Mismatch, RunStatus } from '#libs/contracts';
import { uuidv7 } from '#libs/domain';
import { statement, type Tx } from '#libs/persistence';

/** The parts of a run, in their order. */
export const PARTS = ['count', 'stock', 'demands', 'orders', 'again'] as const;
export type Part = (typeof PARTS)[number];

export interface RunRow {
  readonly runId: string;
  readonly status: RunStatus;
  readonly trigger: 'manual' | 'schedule';
  readonly requestedBy: string | null;
  readonly startedAt: Date;
  readonly finishedAt: Date | null;
  readonly failure: string | null;
  readonly part: Part;
  /** The key after which the next page of the part begins. */
  readonly afterKey: string;
  readonly total: number;
  readonly done: number;
  readonly balances: number;
  readonly outOfSync: number;
  readonly unsettled: number;
  readonly findingsTotal: number;
  readonly attempts: number;
}

export interface FindingRow {
  readonly findingId: string;
  readonly kind: Mismatch['kind'];
  readonly itemId: string;
  readonly warehouseId: string | null;
  readonly lot: string | null;
  readonly location: string | null;
  readonly orderId: string | null;
  readonly expected: string;
  readonly actual: string;
  readonly note: string;
  readonly discrepancyId: string;
}

/** A run that this process works on, until somebody else has taken it. */
export interface Claim {
  readonly orgId: string;
  readonly runId: string;
  readonly holder: string;
}

/** Another process has taken the run over: what this one still finds does not count. */
export class ClaimLost extends Error {
  override readonly name = 'ClaimLost';
}

export const RUN_COLUMNS = `run_id as "runId", status, trigger, requested_by as "requestedBy", started_at as "startedAt",
  finished_at as "finishedAt", failure, part, after_key as "afterKey", total, done, balances, out_of_sync as "outOfSync", unsettled,
  findings_total as "findingsTotal", attempts`;
export const FINDING_COLUMNS = `finding_id as "findingId", kind, item_id as "itemId", warehouse_id as "warehouseId", lot, location,
  order_id as "orderId", trim_scale(expected)::text as expected, trim_scale(actual)::text as actual, note, discrepancy_id as "discrepancyId"`;

const insert = statement<{ run_id: string }>(
  'run_insert',
  `insert into run (org_id, run_id, trigger, requested_by, started_at, lease_until) values ($1, $2, $3, $4, $5, $5)
       on conflict do nothing returning run_id`,
);
const find = statement<RunRow>('run_find', `select ${RUN_COLUMNS} from run where org_id = $1 and run_id = $2`);
const findRunning = statement<RunRow>('run_find_running', `select ${RUN_COLUMNS} from run where org_id = $1 and status = 'running'`);
const due = statement<{ org_id: string; run_id: string }>('run_due', 'select org_id, run_id from due_runs($1, $2)');
const claim = statement<RunRow>(
  'run_claim',
  `update run set holder = $3, lease_until = $4::timestamptz + make_interval(secs => $5), attempts = attempts + 1
    where org_id = $1 and run_id = $2 and status = 'running' and lease_until <= $4
   returning ${RUN_COLUMNS}`,
);
const renew = statement<{ run_id: string }>(
  'run_renew',
  `update run set lease_until = $4::timestamptz + make_interval(secs => $5)
    where org_id = $1 and run_id = $2 and holder = $3 and status = 'running' returning run_id`,
);
const release = statement<never>(
  'run_release',
  `update run set holder = null, lease_until = $4, attempts = case when $5 then 0 else attempts end
    where org_id = $1 and run_id = $2 and holder = $3 and status = 'running'`,
);
const save = statement<RunRow>(
  'run_save',
  `update run set part = $4, after_key = $5, total = $6, done = $7, balances = $8, out_of_sync = $9, findings_total = findings_total + $10,
                  attempts = 0
    where org_id = $1 and run_id = $2 and holder = $3 and status = 'running'
   returning ${RUN_COLUMNS}`,
);
const finish = statement<RunRow>(
  'run_finish',
  `update run set status = $4, finished_at = $5, failure = $6, unsettled = $7, holder = null,
                  total = case when $4 = 'completed' then done else total end
    where org_id = $1 and run_id = $2 and holder = $3 and status = 'running'
   returning ${RUN_COLUMNS}`,
);
const insertFindings = statement<{ finding_id: string }>(
  'finding_insert',
  `insert into finding (org_id, run_id, finding_id, finding_key, kind, item_id, warehouse_id, lot, location, order_id, expected, actual, note,
                        discrepancy_id)
   select $1, $2, * from unnest($3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[], $11::numeric[],
                                $12::numeric[], $13::text[], $14::uuid[])
       on conflict do nothing returning finding_id`,
);
const firstFindings = statement<FindingRow>(
  'finding_first',
  `select ${FINDING_COLUMNS} from finding where org_id = $1 and run_id = $2 order by finding_id limit $3`,
);
const addUnsettled = statement<never>(
  'unsettled_add',
  `insert into unsettled_order (org_id, run_id, order_id, looks, look_at) select $1, $2, order_id, 0, $4 from unnest($3::text[]) o (order_id)
       on conflict do nothing`,
);
const dueUnsettled = statement<{ order_id: string; looks: number }>(
  'unsettled_due',
  `select order_id, looks from unsettled_order where org_id = $1 and run_id = $2 and looks < $3 and look_at <= $4
    order by look_at, order_id limit $5`,
);
const nextUnsettled = statement<{ waiting: number; look_at: Date | null }>(
  'unsettled_next',
  `select count(*) as waiting, min(look_at) filter (where looks < $3) as look_at from unsettled_order where org_id = $1 and run_id = $2`,
);
const postponeUnsettled = statement<never>(
  'unsettled_postpone',
  `update unsettled_order u set looks = looks + 1, look_at = $4::timestamptz + make_interval(secs => coalesce(($5::float8[])[looks + 2], 0))
    where org_id = $1 and run_id = $2 and order_id = any($3)`,
);
const removeUnsettled = statement<never>(
  'unsettled_remove',
  'delete from unsettled_order where org_id = $1 and run_id = $2 and ($3::text[] is null or order_id = any($3))',
);

const forget = statement<{ count: number }>('run_forget', 'select forget_runs($1, $2) as count');

const key = ({ orgId, runId, holder }: Claim) => [orgId, runId, holder];

/** Makes a run that any process may take up at once; false when it exists or another one of the organisation still runs. */
export async function insertRun(
  tx: Tx,
  run: {
    readonly orgId: string;
    readonly runId: string;
    readonly trigger: RunRow['trigger'];
    readonly requestedBy: string | null;
    readonly now: Date;
  },
): Promise<boolean> {
  return (await tx.run(insert, [run.orgId, run.runId, run.trigger, run.requestedBy, run.now])).length > 0;
}

export async function findRun(tx: Tx, orgId: string, runId: string): Promise<RunRow | undefined> {
  return (await tx.run(find, [orgId, runId]))[0];
}

export async function findRunningRun(tx: Tx, orgId: string): Promise<RunRow | undefined> {
  return (await tx.run(findRunning, [orgId]))[0];
}

/** Runs that nobody works on, of all organisations. */
export async function findDueRuns(tx: Tx, now: Date, limit: number): Promise<{ orgId: string; runId: string }[]> {
  return (await tx.run(due, [now, limit])).map((row) => ({ orgId: row.org_id, runId: row.run_id }));
}

/** The run, for this process alone until the lease ends; undefined when another one was quicker. */
export async function claimRun(tx: Tx, claimed: Claim, now: Date, leaseSeconds: number): Promise<RunRow | undefined> {
  return (await tx.run(claim, [...key(claimed), now, leaseSeconds]))[0];
}

/** @throws {ClaimLost} */
export async function renewClaim(tx: Tx, claimed: Claim, now: Date, leaseSeconds: number): Promise<void> {
  if ((await tx.run(renew, [...key(claimed), now, leaseSeconds])).length === 0) throw new ClaimLost();
}

/** Lets any process take the run up from a time on. @param isWaiting it is not because something failed. */
export async function releaseClaim(tx: Tx, claimed: Claim, from: Date, isWaiting: boolean): Promise<void> {
  await tx.run(release, [...key(claimed), from, isWaiting]);
}

/** What a page changes of its run. */
export type Advanced = Pick<RunRow, 'part' | 'afterKey' | 'total' | 'done' | 'balances' | 'outOfSync'>;

/** Stores how far a run is. @throws {ClaimLost} */
export async function saveRun(tx: Tx, claimed: Claim, to: Advanced, found: number): Promise<RunRow> {
  const [saved] = await tx.run(save, [...key(claimed), to.part, to.afterKey, to.total, to.done, to.balances, to.outOfSync, found]);
  if (saved === undefined) throw new ClaimLost();
  return saved;
}

/** Ends a run. @throws {ClaimLost} */
export async function finishRun(tx: Tx, claimed: Claim, how: 'completed' | 'failed', now: Date, failure: string | null, unsettled: number) {
  const [finished] = await tx.run(finish, [...key(claimed), how, now, failure, unsettled]);
  if (finished === undefined) throw new ClaimLost();
  return finished;
}

/** A mismatch of a run, under the key that it has in every run. */
export interface Found extends Omit<Mismatch, 'subject'> {
  readonly findingKey: string;
  readonly discrepancyId: string;
}

export async function insertFoundOnes(tx: Tx, { orgId, runId }: Claim, found: readonly Found[]): Promise<void> {
  if (found.length === 0) return;
  await tx.run(insertFindings, [
    orgId,
    runId,
    found.map(() => uuidv7()),
    found.map((it) => it.findingKey),
    found.map((it) => it.kind),
    found.map((it) => it.itemId),
    found.map((it) => it.warehouseId),
    found.map((it) => it.lot),
    found.map((it) => it.location),
    found.map((it) => it.orderId),
    found.map((it) => it.expected),
    found.map((it) => it.actual),
    found.map((it) => it.note),
    found.map((it) => it.discrepancyId),
  ]);
}

export async function readFirstFindings(tx: Tx, orgId: string, runId: string, limit: number): Promise<FindingRow[]> {
  return await tx.run(firstFindings, [orgId, runId, limit]);
}

export async function addUnsettledOrders(tx: Tx, { orgId, runId }: Claim, orderIds: readonly string[], lookAt: Date): Promise<void> {
  if (orderIds.length > 0) await tx.run(addUnsettled, [orgId, runId, orderIds, lookAt]);
}

/** Orders that are to be looked at again now. */
export async function findUnsettledOrders(tx: Tx, { orgId, runId }: Claim, looksMax: number, now: Date, limit: number): Promise<string[]> {
  return (await tx.run(dueUnsettled, [orgId, runId, looksMax, now, limit])).map((row) => row.order_id);
}

/** How many orders are unsettled, and when the next of those is due that are looked at again. */
export async function nextUnsettledOrder(
  tx: Tx,
  { orgId, runId }: Claim,
  looksMax: number,
): Promise<{ count: number; lookAt: Date | null }> {
  const [row] = await tx.run(nextUnsettled, [orgId, runId, looksMax]);
  return { count: row!.waiting, lookAt: row!.look_at };
}

/** @param delaysSeconds until the next look, after each. */
export async function postponeOrders(
  tx: Tx,
  { orgId, runId }: Claim,
  orderIds: readonly string[],
  now: Date,
  delaysSeconds: readonly number[],
): Promise<void> {
  if (orderIds.length > 0) await tx.run(postponeUnsettled, [orgId, runId, orderIds, now, delaysSeconds]);
}

/** @param orderIds null: all of the run. */
export async function removeUnsettledOrders(tx: Tx, { orgId, runId }: Claim, orderIds: readonly string[] | null): Promise<void> {
  await tx.run(removeUnsettled, [orgId, runId, orderIds]);
}

/** Forgets old runs of all organisations with their findings; answers how many. */
export async function forgetRuns(tx: Tx, startedBefore: Date, runsMax: number): Promise<number> {
  return Number((await tx.run(forget, [startedBefore, runsMax]))[0]!.count);
}
