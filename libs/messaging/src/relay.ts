import { setTimeout as delay } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import { routingKey, type CloudEvent, type ServiceName } from '#libs/contracts';
import { uuidv7 } from '#libs/domain';
import { statement, type Database } from '#libs/persistence';
import { crashPoint } from './crash-point.js';
import type { Delivery, OutgoingEvent } from './delivery.js';
import { Inbox, unsafeSwitch } from './inbox.js';
import { MessagingMetrics } from './metrics.js';

export interface RelayOptions {
  readonly service: ServiceName;
  readonly delivery: Delivery;
  /** With the messaging role. */
  readonly database: Database;
  /** Rows older than this are taken for left behind; default 2,000. */
  readonly sweepAfterMs?: number;
  readonly metrics?: MessagingMetrics;
}

const SWEEP_AFTER_MS = 2_000;
const TICK_MS = 500;
/** Pause before the next sweep when some events could not be delivered, such as those that nobody has subscribed to yet. */
const SWEEP_PAUSE_MS = 5_000;
const SWEEP_PAGE = 5_000;
const SWEEP_READ = 500;
/** Events held in memory; what is beyond is left to the sweep, so that an outage of the broker costs disk and not memory. */
const HELD_MAX = 10_000;
/** Rows are deleted together: a statement for each confirm cost more than the inserts. */
const DELETE_LINGER_MS = 20;
const DELETE_CHUNK = 5_000;
const LEASE_SECONDS = 5;
const LEASE_RENEW_MS = 2_000;
const PRUNE_EVERY_MS = 600_000;

/** Losing a deletion in a crash costs a duplicate, which receivers recognise; waiting for the disk would cost every batch a sync. */
const deleteEvents = statement<never>(
  'outbox_delete',
  `with lazily as materialized (select set_config('synchronous_commit', 'off', true))
   delete from outbox using lazily where id = any($1::uuid[])`,
);
/** Only the ids: most of what is old is usually held by this very process, waiting for a subscriber or a broker. */
const leftBehind = statement<{ id: string }>(
  'outbox_left_behind',
  `select id from outbox
    where id > $1 and created_at < now() - make_interval(secs => $2::float8 / 1000)
    order by id limit $3`,
);
const readEvents = statement<{ id: string; event: Buffer }>(
  'outbox_read',
  'select id, event from outbox where id = any($1::uuid[]) order by id',
);
const oldest = `select extract(epoch from clock_timestamp() - created_at)::float8 as age from outbox order by id limit 1`;
const takeLease = `
  insert into relay_lease as lease (holder, expires_at) values ($1, now() + make_interval(secs => $2))
  on conflict (singleton) do update set holder = excluded.holder, expires_at = excluded.expires_at
   where lease.holder = excluded.holder or lease.expires_at < now()`;
const NO_ID = '00000000-0000-0000-0000-000000000000';

/**
 * Brings what is committed in the outbox to its receivers, and then deletes it. Each process publishes its own events as they are
 * committed; whoever holds the lease also sweeps up what a crash or an outage has left behind, and forgets what the inbox need not
 * remember any more.
 */
export class Relay {
  readonly #logger = new Logger(Relay.name);
  readonly #service: ServiceName;
  readonly #delivery: Delivery;
  readonly #database: Database;
  readonly #sweepAfterMs: number;
  readonly #metrics: MessagingMetrics;
  readonly #sweeps = !unsafeSwitch('HOLDFAST_UNSAFE_NO_SWEEP');
  readonly #holder = uuidv7();
  /** Events that are waiting, under way, or delivered and not yet deleted. The sweep leaves them alone. */
  readonly #held = new Set<string>();
  readonly #waiting: OutgoingEvent[] = [];
  readonly #delivered: string[] = [];
  #deleting: Promise<void> | undefined;
  #running: Promise<void> | undefined;
  readonly #stop = new AbortController();
  #leaseUntilMs = 0;
  /** Published, and not yet known to be safe or not. */
  #underWay = 0;
  #failures = 0;
  #nextSweepMs = 0;

  constructor(options: RelayOptions) {
    this.#service = options.service;
    this.#delivery = options.delivery;
    this.#database = options.database;
    this.#sweepAfterMs = options.sweepAfterMs ?? SWEEP_AFTER_MS;
    this.#metrics = options.metrics ?? MessagingMetrics.in();
  }

  /** Publishes events that have just been committed. */
  take(events: readonly OutgoingEvent[]): void {
    crashPoint('relay-after-commit', this.#service);
    this.#hold(events);
  }

  start(): void {
    if (this.#running !== undefined) return;
    const stopListening = this.#delivery.onRoom(() => {
      // There is a connection again: what it could not take is due now.
      this.#failures = this.#nextSweepMs = 0;
      this.#pump();
    });
    this.#running = this.#run().finally(stopListening);
  }

  /** Gives what is under way up to `timeoutMs` to arrive, deletes what has, and lets another process have the lease. */
  async stop(timeoutMs: number): Promise<void> {
    this.#stop.abort();
    await this.#running;
    const giveUpMs = Date.now() + timeoutMs;
    while (this.#underWay > 0 && Date.now() < giveUpMs) await delay(5);
    await this.#deleteDelivered();
    await this.#database
      .transaction([], (tx) => tx.execute('delete from relay_lease where holder = $1', [this.#holder]))
      .catch((error: unknown) => this.#logger.warn(`The lease could not be given back: ${String(error)}`));
  }

  /** Age of the oldest event that is not yet delivered, in seconds; 0 when there is none. */
  async lagSeconds(): Promise<number> {
    const [row] = await this.#database.transaction([], (tx) => tx.rows<{ age: number }>(oldest), { readOnly: true });
    return Math.max(0, row?.age ?? 0);
  }

  #hold(events: readonly OutgoingEvent[]): void {
    for (const event of events) {
      if (this.#held.size >= HELD_MAX) break;
      this.#held.add(event.id);
      this.#waiting.push(event);
    }
    this.#pump();
  }

  #pump(): void {
    if (this.#waiting.length === 0) return;
    const room = this.#delivery.room();
    if (room <= 0) return;
    const events = this.#waiting.splice(0, room);
    this.#underWay += events.length;
    for (const event of events) this.#delivery.publish(event, this.#settled);
    crashPoint('relay-after-send', this.#service);
  }

  readonly #settled = (id: string, safe: boolean): void => {
    this.#underWay--;
    if (safe) {
      this.#metrics.published(this.#service);
      this.#delivered.push(id);
      if (this.#underWay > 0) crashPoint('relay-mid-batch', this.#service);
      this.#deleting ??= this.#deleteSoon();
    } else {
      this.#held.delete(id);
      this.#failures++;
    }
    this.#pump();
  };

  async #deleteSoon(): Promise<void> {
    await delay(DELETE_LINGER_MS);
    await this.#deleteDelivered();
    this.#deleting = undefined;
    if (this.#delivered.length > 0) this.#deleting = this.#deleteSoon();
  }

  async #deleteDelivered(): Promise<void> {
    while (this.#delivered.length > 0) {
      crashPoint('relay-after-publish', this.#service);
      const ids = this.#delivered.splice(0, DELETE_CHUNK);
      try {
        await this.#database.transaction([], (tx) => tx.run(deleteEvents, [ids]));
      } catch (error) {
        // They stay, and the sweep publishes them again: a duplicate, which receivers recognise.
        this.#logger.warn(`${ids.length} delivered events could not be deleted from the outbox: ${String(error)}`);
      }
      for (const id of ids) this.#held.delete(id);
    }
  }

  async #run(): Promise<void> {
    let nextPruneMs = Date.now() + PRUNE_EVERY_MS;
    while (this.#isRunning()) {
      try {
        if (await this.#holdsLease()) {
          if (this.#sweeps && this.#isSweepDue()) await this.#sweep();
          if (Date.now() >= nextPruneMs) {
            nextPruneMs = Date.now() + PRUNE_EVERY_MS;
            await Inbox.prune(this.#database);
          }
        }
      } catch (error) {
        this.#logger.warn(`The outbox could not be swept: ${String(error)}`);
      }
      await delay(TICK_MS, undefined, { signal: this.#stop.signal }).catch(() => {});
    }
  }

  /** The database's clock decides; this process only remembers how long it need not ask again. */
  async #holdsLease(): Promise<boolean> {
    const nowMs = Date.now();
    if (nowMs < this.#leaseUntilMs - (LEASE_SECONDS * 1_000 - LEASE_RENEW_MS)) return true;
    const taken = await this.#database.transaction([], (tx) => tx.execute(takeLease, [this.#holder, LEASE_SECONDS]));
    if (taken === 0) return false;
    this.#leaseUntilMs = nowMs + LEASE_SECONDS * 1_000;
    return true;
  }

  #isRunning(): boolean {
    return !this.#stop.signal.aborted;
  }

  #isSweepDue(): boolean {
    if (this.#failures > 0) {
      this.#failures = 0;
      this.#nextSweepMs = Date.now() + SWEEP_PAUSE_MS;
    }
    return Date.now() >= this.#nextSweepMs && this.#delivery.room() > 0;
  }

  async #sweep(): Promise<void> {
    for (let after = NO_ID; this.#isRunning() && (await this.#holdsLease());) {
      const page = await this.#database.transaction([], (tx) => tx.run(leftBehind, [after, this.#sweepAfterMs, SWEEP_PAGE]));
      const ids = page.map(({ id }) => id).filter((id) => !this.#held.has(id));
      for (let at = 0; at < ids.length && this.#held.size < HELD_MAX; at += SWEEP_READ) await this.#sweepUp(ids.slice(at, at + SWEEP_READ));
      const last = page.at(-1);
      if (last === undefined || page.length < SWEEP_PAGE || this.#held.size >= HELD_MAX || this.#delivery.room() === 0) return;
      after = last.id;
    }
  }

  async #sweepUp(ids: readonly string[]): Promise<void> {
    // Without room there would soon be more in memory than is under way.
    while (this.#waiting.length > SWEEP_READ && this.#isRunning() && this.#delivery.room() > 0) await delay(5);
    const rows = await this.#database.transaction([], (tx) => tx.run(readEvents, [ids]));
    if (rows.length > 0) crashPoint('relay-sweep', this.#service);
    this.#hold(rows.map(outgoing));
  }
}

function outgoing(row: { id: string; event: Buffer }): OutgoingEvent {
  const event = JSON.parse(row.event.toString()) as CloudEvent;
  return { id: row.id, type: event.type, routingKey: routingKey(event), body: row.event };
}
