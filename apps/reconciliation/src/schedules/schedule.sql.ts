import { statement, type Tx } from '#libs/persistence';

/** When the books of an organisation are checked. */
export interface Schedule {
  readonly cron: string;
  readonly timezone: string;
}

const exists = statement<{ exists: boolean }>('schedule_exists', 'select exists (select from schedule where org_id = $1) as exists');
/** What is newer stays: events about settings may come in any order, and what was asked for is older than any. */
const upsert = statement<never>(
  'schedule_upsert',
  `insert into schedule as s (org_id, cron, timezone, settings_at, next_due_at) values ($1, $2, $3, $4, $5)
       on conflict (org_id) do update set cron = excluded.cron, timezone = excluded.timezone, settings_at = excluded.settings_at,
          next_due_at = excluded.next_due_at
        where excluded.settings_at is not null and (s.settings_at is null or s.settings_at < excluded.settings_at)`,
);
const due = statement<{ org_id: string }>('schedule_due', 'select org_id from due_schedules($1, $2)');
const lockDue = statement<Schedule>(
  'schedule_lock_due',
  'select cron, timezone from schedule where org_id = $1 and next_due_at <= $2 for update skip locked',
);
const setNext = statement<never>('schedule_set_next', 'update schedule set next_due_at = $2 where org_id = $1');
const noteResult = statement<never>(
  'schedule_note_result',
  'update schedule set last_balances = $2, last_out_of_sync = $3 where org_id = $1',
);
const lastChecked = statement<{ balances: string; out_of_sync: string }>(
  'schedule_last_checked',
  'select balances, out_of_sync from last_checked()',
);

export async function hasSchedule(tx: Tx, orgId: string): Promise<boolean> {
  return (await tx.run(exists, [orgId]))[0]!.exists;
}

/** @param settingsAt when they were set; null: they were asked for, which only counts as long as nothing else is known. */
export async function keepSchedule(tx: Tx, orgId: string, schedule: Schedule, settingsAt: string | null, next: Date | null): Promise<void> {
  await tx.run(upsert, [orgId, schedule.cron, schedule.timezone, settingsAt, next]);
}

/** Organisations whose check is due, of all. */
export async function findDueSchedules(tx: Tx, now: Date, limit: number): Promise<string[]> {
  return (await tx.run(due, [now, limit])).map((row) => row.org_id);
}

/** The schedule, locked, if it is still due and no other process is at it. */
export async function lockDueSchedule(tx: Tx, orgId: string, now: Date): Promise<Schedule | undefined> {
  return (await tx.run(lockDue, [orgId, now]))[0];
}

export async function setNextDue(tx: Tx, orgId: string, next: Date | null): Promise<void> {
  await tx.run(setNext, [orgId, next]);
}

export async function noteLastResult(tx: Tx, orgId: string, balances: number, outOfSync: number): Promise<void> {
  await tx.run(noteResult, [orgId, balances, outOfSync]);
}

/** Over all organisations: how many balances the last check of each has looked at, and at how many of them something disagrees. */
export async function readLastChecked(tx: Tx): Promise<{ balances: number; outOfSync: number }> {
  const [row] = await tx.run(lastChecked, []);
  return { balances: Number(row!.balances), outOfSync: Number(row!.out_of_sync) };
}
