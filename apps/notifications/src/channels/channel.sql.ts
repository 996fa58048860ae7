import type { ChannelKind, Role } from '#libs/contracts';
import { statement, type Tx } from '#libs/persistence';
import type { StoredChannel } from './channel.js';

/** What of a channel decides whether it hears of an event. */
export interface ListeningChannel {
  readonly channelId: string;
  readonly kind: ChannelKind;
  readonly name: string;
  readonly events: readonly string[] | null;
  readonly roles: readonly Role[] | null;
}

/** Everything but the secret: what is not read is not shown by mistake. */
export const CHANNEL_COLUMNS = `channel_id as "channelId", kind, name, target, events, roles, enabled, created_at as "createdAt",
  created_by as "createdBy", updated_at as "updatedAt", updated_by as "updatedBy"`;

const listens = statement<{ listens: boolean }>(
  'notifications_listens',
  'select exists (select from channel where org_id = $1 and enabled) as listens',
);

/** Shared: who switches a channel off or deletes it waits, and then finds the deliveries that were written for it. */
const lockListening = statement<ListeningChannel>(
  'notifications_lock_listening',
  `select channel_id as "channelId", kind, name, events, roles from channel
    where org_id = $1 and enabled order by channel_id for share`,
);

/** Whether an organisation has any channel that hears of events. */
export async function hasListeningChannel(tx: Tx, orgId: string): Promise<boolean> {
  const [row] = await tx.run(listens, [orgId]);
  return row!.listens;
}

/** The channels that hear of events, which stay as they are until the end of the transaction. */
export function lockListeningChannels(tx: Tx, orgId: string): Promise<ListeningChannel[]> {
  return tx.run(lockListening, [orgId]);
}

export async function countChannels(tx: Tx, orgId: string): Promise<number> {
  const [row] = await tx.rows<{ count: number }>('select count(*) as count from channel where org_id = $1', [orgId]);
  return row!.count;
}

export async function findChannel(tx: Tx, orgId: string, channelId: string): Promise<StoredChannel | undefined> {
  const [row] = await tx.rows<StoredChannel>(`select ${CHANNEL_COLUMNS} from channel where org_id = $1 and channel_id = $2`, [
    orgId,
    channelId,
  ]);
  return row;
}

/** Locks the channel, and then its queue: rows are locked in the order channel, queue, delivery by everybody. */
export async function lockChannel(tx: Tx, orgId: string, channelId: string): Promise<StoredChannel | undefined> {
  const [row] = await tx.rows<StoredChannel>(`select ${CHANNEL_COLUMNS} from channel where org_id = $1 and channel_id = $2 for update`, [
    orgId,
    channelId,
  ]);
  await tx.rows('select from channel_queue where org_id = $1 and channel_id = $2 for update', [orgId, channelId]);
  return row;
}

export type NewChannel = Omit<StoredChannel, 'createdAt' | 'updatedAt' | 'updatedBy'> & { readonly secret: string | null };

/** Answers whether it is new; one with the same id is left as it is. */
export async function insertChannel(tx: Tx, orgId: string, channel: NewChannel): Promise<boolean> {
  const { channelId, kind, name, target, events, roles, enabled, secret, createdBy } = channel;
  const inserted = await tx.execute(
    `insert into channel (org_id, channel_id, kind, name, target, events, roles, enabled, secret, created_at, created_by, updated_at, updated_by)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, now(), $10, now(), $10) on conflict do nothing`,
    [orgId, channelId, kind, name, target, events, roles, enabled, secret, createdBy],
  );
  if (inserted > 0) {
    await tx.execute('insert into channel_queue (org_id, channel_id, not_before, failures) values ($1, $2, now(), 0)', [orgId, channelId]);
  }
  return inserted > 0;
}

/** @param secret undefined: it stays. */
export async function updateChannel(
  tx: Tx,
  orgId: string,
  channel: Pick<StoredChannel, 'channelId' | 'name' | 'target' | 'events' | 'roles' | 'enabled' | 'updatedBy'>,
  secret: string | undefined,
): Promise<void> {
  const { channelId, name, target, events, roles, enabled, updatedBy } = channel;
  await tx.execute(
    `update channel set name = $3, target = $4, events = $5, roles = $6, enabled = $7, secret = coalesce($8, secret),
            updated_at = clock_timestamp(), updated_by = $9
      where org_id = $1 and channel_id = $2`,
    [orgId, channelId, name, target, events, roles, enabled, secret ?? null, updatedBy],
  );
}

/** Makes due what waits for a channel, which rests no longer: what was in its way has probably been changed. */
export async function endRest(tx: Tx, orgId: string, channelId: string): Promise<void> {
  await tx.execute(
    `update channel_queue set due_at = case when due_at is not null then now() end, failures = 0,
            not_before = case when holder is null then now() else not_before end
      where org_id = $1 and channel_id = $2`,
    [orgId, channelId],
  );
  await tx.execute(`update delivery set next_attempt_at = now() where org_id = $1 and channel_id = $2 and status = 'waiting'`, [
    orgId,
    channelId,
  ]);
}

/** Its queue goes with it. */
export async function deleteChannel(tx: Tx, orgId: string, channelId: string): Promise<void> {
  await tx.execute('delete from channel where org_id = $1 and channel_id = $2', [orgId, channelId]);
}

/** Gives up what waits for a channel, with the reason for whoever looks at the deliveries. */
export async function giveUpWaiting(tx: Tx, orgId: string, channelId: string, reason: string): Promise<void> {
  await tx.execute(
    `update delivery set status = 'failed', next_attempt_at = null, last_error = $3
      where org_id = $1 and channel_id = $2 and status = 'waiting'`,
    [orgId, channelId, reason],
  );
}
