import type { ChannelKind, CloudEvent } from '#libs/contracts';
import { arrayLiteral, statement, type Tx } from '#libs/persistence';
import type { ListeningChannel } from '../channels/channel.sql.js';
import type { OutgoingNotice } from '../sending/sender.js';

/** A channel that a process is sending to. */
export interface HeldChannel {
  readonly orgId: string;
  readonly channelId: string;
  /** Names this hold; whoever finds another one has lost the channel. */
  readonly holder: string;
}

/** A delivery whose next attempt has been counted and is to be made now. */
export interface TakenDelivery extends OutgoingNotice {
  readonly kind: ChannelKind;
  /** The number of the attempt, from 1. */
  readonly attempt: number;
}

const insertNoticeRow = statement<{ inserted: number }>(
  'notifications_insert_notice',
  `insert into notice (org_id, notice_id, event_id, event_type, subject, occurred_at, title, lines, data, created_at)
   values ($1, $2, $3, $4, $5, $6, $7, $8, $9, now()) on conflict do nothing returning 1 as inserted`,
);

const insertDeliveryRows = statement<never>(
  'notifications_insert_deliveries',
  `insert into delivery (org_id, delivery_id, notice_id, channel_id, channel_name, kind, status, attempts, next_attempt_at, created_at)
   select $1, d.delivery_id, $2, d.channel_id, d.name, d.kind, 'waiting', 0, now(), now()
     from unnest($3::uuid[], $4::uuid[], $5::text[], $6::text[]) as d (delivery_id, channel_id, name, kind)
   on conflict (org_id, notice_id, channel_id) do nothing`,
);

/** Locked in the order of the ids before they are changed, because two events for the same channels would deadlock otherwise. */
const makeDueRows = statement<never>(
  'notifications_make_due',
  `with locked as materialized (
     select q.channel_id from unnest($2::uuid[]) as c (channel_id) join channel_queue q on q.org_id = $1 and q.channel_id = c.channel_id
      order by q.channel_id for update of q)
   update channel_queue q set due_at = least(q.due_at, now()) from locked where q.org_id = $1 and q.channel_id = locked.channel_id`,
);

/** Stores what people are told of an event; answers whether it is new, also long after the inbox has forgotten it. */
export async function insertNotice(
  tx: Tx,
  notice: {
    readonly noticeId: string;
    readonly event: CloudEvent;
    readonly title: string;
    readonly lines: readonly string[];
    readonly data: unknown;
  },
): Promise<boolean> {
  const { noticeId, event, title, lines, data } = notice;
  const values = [event.orgid, noticeId, event.id, event.type, event.subject, event.time, title, [...lines], JSON.stringify(data)];
  return (await tx.run(insertNoticeRow, values)).length > 0;
}

/** One delivery for each channel, due at once. */
export async function insertDeliveries(
  tx: Tx,
  orgId: string,
  noticeId: string,
  deliveries: readonly { readonly deliveryId: string; readonly channel: ListeningChannel }[],
): Promise<void> {
  await tx.run(insertDeliveryRows, [
    orgId,
    noticeId,
    arrayLiteral(deliveries, ({ deliveryId }) => deliveryId),
    arrayLiteral(deliveries, ({ channel }) => channel.channelId),
    arrayLiteral(deliveries, ({ channel }) => channel.name),
    arrayLiteral(deliveries, ({ channel }) => channel.kind),
  ]);
}

/** Says that channels have work now. After their deliveries, whose rows whoever has a channel then sees. */
export async function makeDue(tx: Tx, orgId: string, channelIds: readonly string[]): Promise<void> {
  await tx.run(makeDueRows, [orgId, arrayLiteral(channelIds, (id) => id)]);
}

/** A channel of any organisation that has work and that nobody is sending to. */
export interface DueChannel {
  readonly orgId: string;
  readonly channelId: string;
  /** Its last attempt failed. */
  readonly failing: boolean;
}

const dueRows = statement<DueChannel>(
  'notifications_due_channels',
  'select org_id as "orgId", channel_id as "channelId", failing from due_channels($1, $2)',
);

/** What another process takes at the same moment is left to it. */
const holdRows = statement<HeldChannel & { readonly failing: boolean }>(
  'notifications_hold',
  `with free as materialized (
     select q.org_id, q.channel_id, c.holder
       from unnest($1::text[], $2::uuid[], $3::uuid[]) as c (org_id, channel_id, holder)
       join channel_queue q on q.org_id = c.org_id and q.channel_id = c.channel_id
      where q.due_at is not null and greatest(q.due_at, q.not_before) <= now() for update of q skip locked)
   update channel_queue q set holder = free.holder, not_before = now() + make_interval(secs => $4::float8 / 1000)
     from free where q.org_id = free.org_id and q.channel_id = free.channel_id
   returning q.org_id as "orgId", q.channel_id as "channelId", q.holder, q.failures > 0 as failing`,
);

/** Channels with work, those that wait longest first; channels that fail are counted apart. */
export function findDueChannels(tx: Tx, workingMax: number, failingMax: number): Promise<DueChannel[]> {
  return tx.run(dueRows, [workingMax, failingMax]);
}

/** Takes channels to send to, for as long as the lease lasts; answers those that were free. */
export function holdChannels(
  tx: Tx,
  channels: readonly HeldChannel[],
  leaseMs: number,
): Promise<(HeldChannel & { readonly failing: boolean })[]> {
  return tx.run(holdRows, [
    arrayLiteral(channels, ({ orgId }) => orgId),
    arrayLiteral(channels, ({ channelId }) => channelId),
    arrayLiteral(channels, ({ holder }) => holder),
    leaseMs,
  ]);
}

const keepRow = statement<{ failures: number }>(
  'notifications_keep',
  `update channel_queue set not_before = now() + make_interval(secs => $4::float8 / 1000)
    where org_id = $1 and channel_id = $2 and holder = $3 returning failures`,
);

/**
 * What is under way counts as due when its lease ends. The first in the order of the index: planned on an empty table, `min` read all
 * that waited, 50 ms at 200,000.
 */
const releaseRow = statement<never>(
  'notifications_release',
  `update channel_queue q set holder = null, not_before = now() + make_interval(secs => $4::float8 / 1000), failures = $5,
          due_at = (select d.next_attempt_at from delivery d where d.org_id = $1 and d.channel_id = $2 and d.status = 'waiting'
                     order by d.next_attempt_at, d.delivery_id limit 1)
    where q.org_id = $1 and q.channel_id = $2 and q.holder = $3`,
);

/**
 * Renews the lease of a channel, and locks it for this transaction.
 *
 * @returns its failures in a row; undefined when it is lost to another process, or deleted.
 */
export async function keepChannel(tx: Tx, held: HeldChannel, leaseMs: number): Promise<number | undefined> {
  const [row] = await tx.run(keepRow, [held.orgId, held.channelId, held.holder, leaseMs]);
  return row?.failures;
}

/** Lets others send to a channel after `restMs`, when something is due. The channel is locked by {@link keepChannel}. */
export async function releaseChannel(tx: Tx, held: HeldChannel, restMs: number, failures: number): Promise<void> {
  await tx.run(releaseRow, [held.orgId, held.channelId, held.holder, restMs, failures]);
}

const expireRows = statement<{ kind: ChannelKind }>(
  'notifications_expire',
  `update delivery set status = 'failed', next_attempt_at = null,
          last_error = coalesce(last_error || ' ', '') || 'Given up, because it is too old by now.'
    where org_id = $1 and channel_id = $2 and status = 'waiting' and created_at < now() - make_interval(secs => $3::float8 / 1000)
      and next_attempt_at <= now()
   returning kind`,
);

const takeRow = statement<TakenDelivery>(
  'notifications_take',
  `with next as materialized (
     select org_id, delivery_id from delivery
      where org_id = $1 and channel_id = $2 and status = 'waiting' and next_attempt_at <= now()
      order by next_attempt_at, delivery_id limit 1 for update skip locked)
   update delivery d set attempts = d.attempts + 1, next_attempt_at = now() + make_interval(secs => $3::float8 / 1000)
     from next, notice n, channel c
    where d.org_id = next.org_id and d.delivery_id = next.delivery_id
      and n.org_id = d.org_id and n.notice_id = d.notice_id and c.org_id = d.org_id and c.channel_id = d.channel_id
   returning d.delivery_id as "deliveryId", d.org_id as "orgId", d.kind, d.attempts as attempt, c.target, c.secret,
             n.event_id as "eventId", n.event_type as "eventType", n.subject, n.occurred_at as "occurredAt", n.title, n.lines, n.data`,
);

/** Gives up what has waited for too long for a channel; answers the kind of each. */
export async function expireDeliveries(tx: Tx, { orgId, channelId }: HeldChannel, ageMaxMs: number): Promise<ChannelKind[]> {
  return (await tx.run(expireRows, [orgId, channelId, ageMaxMs])).map(({ kind }) => kind);
}

/**
 * Takes the next delivery that is due for a channel, and counts the attempt before it is made: one that a crash cuts short counts.
 *
 * @param leaseMs after this the attempt is taken for lost, and the next one is due.
 */
export async function takeDelivery(tx: Tx, { orgId, channelId }: HeldChannel, leaseMs: number): Promise<TakenDelivery | undefined> {
  const [row] = await tx.run(takeRow, [orgId, channelId, leaseMs]);
  return row;
}

const recordRow = statement<never>(
  'notifications_record',
  `update delivery set status = $4, last_error = $5, sent_at = case when $4 = 'sent' then now() end,
          next_attempt_at = case when $4 = 'waiting' then now() + make_interval(secs => $6::float8 / 1000) end
    where org_id = $1 and delivery_id = $2 and attempts = $3 and status = 'waiting'`,
);

/** Stores what an attempt came to, unless a later attempt has begun or the delivery was given up meanwhile. */
export async function recordAttempt(
  tx: Tx,
  { orgId, deliveryId, attempt }: TakenDelivery,
  after: { readonly status: 'sent' | 'waiting' | 'failed'; readonly error: string | null; readonly delayMs: number },
): Promise<void> {
  await tx.run(recordRow, [orgId, deliveryId, attempt, after.status, after.error, after.delayMs]);
}

/** For how long the channel has waited that has waited longest, in seconds, over all organisations. */
export async function longestWaitSeconds(tx: Tx): Promise<number> {
  const [row] = await tx.rows<{ seconds: number | null }>('select extract(epoch from longest_wait())::float8 as seconds');
  return row?.seconds ?? 0;
}

/** Forgets notices of all organisations with their deliveries; answers how many. */
export async function forgetNotices(tx: Tx, createdBefore: Date, rowsMax: number): Promise<number> {
  const [row] = await tx.rows<{ count: number }>('select forget_notices($1, $2) as count', [createdBefore, rowsMax]);
  return row!.count;
}
