import { uuidv7 } from '#libs/domain';
import type { Database } from '#libs/persistence';
import { Clock } from '#libs/service';
import { createTestDatabase, type TestDatabase } from '#libs/testing';
import { ForgetRuns } from './forget-runs.js';

const DAY_SECONDS = 24 * 3_600;

let test: TestDatabase;
let database: Database;
beforeAll(async () => {
  test = await createTestDatabase(['reconciliation']);
  database = await test.open('reconciliation');
});
afterAll(() => test.drop());

/** A run that began some days ago, with two findings. */
async function makeRun(orgId: string, daysAgo: number, status = 'completed'): Promise<void> {
  const runId = uuidv7();
  await test.rows(
    `insert into reconciliation.run (org_id, run_id, status, trigger, started_at, finished_at, lease_until, requested_by)
     select $1, $2, $3, 'manual', t, case when $3 <> 'running' then t end, now() + interval '1 day', $4::text
       from (select now() - make_interval(days => $4::int) as t) began`,
    [orgId, runId, status, daysAgo],
  );
  await test.rows(
    `insert into reconciliation.finding (org_id, run_id, finding_id, finding_key, kind, item_id, expected, actual, note, discrepancy_id)
     select $1, $2, gen_random_uuid(), n::text, 'on_hand', 'i', 1, 2, 'n', gen_random_uuid() from generate_series(1, 2) n`,
    [orgId, runId],
  );
}

const kept = async () =>
  (
    await test.rows<{ run: string }>(
      `select org_id || ' ' || requested_by || ' ' || (select count(*) from reconciliation.finding f where f.run_id = r.run_id) as run
         from reconciliation.run r order by org_id, run_id`,
    )
  ).map(({ run }) => run);

it('forgets runs with their findings after 90 days, whatever became of them, but the newest of each organisation', async () => {
  for (let daysAgo = 110; daysAgo > 85; daysAgo--) await makeRun('daily', daysAgo, daysAgo % 2 === 0 ? 'failed' : 'completed');
  await makeRun('rare', 200);
  await makeRun('rare', 100);
  await makeRun('hanging', 120, 'running');
  await makeRun('hanging', 95);
  await makeRun('hanging', 1);
  await new ForgetRuns(database, new Clock()).run();
  // Today is a little later than when they were made.
  expect(await kept()).toEqual(['daily 89 2', 'daily 88 2', 'daily 87 2', 'daily 86 2', 'hanging 120 2', 'hanging 1 2', 'rare 100 2']);
  await Promise.all([1, 2, 3].map(() => new ForgetRuns(database, new Clock(2 * DAY_SECONDS)).run()));
  expect(await kept()).toEqual(['daily 87 2', 'daily 86 2', 'hanging 120 2', 'hanging 1 2', 'rare 100 2']);
  expect(await test.rows('select from reconciliation.finding')).toHaveLength(10);
});
