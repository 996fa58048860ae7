import { hash } from 'node:crypto';
import type { CloudEvent } from '#libs/contracts';
import { statement, type Database, type Tx } from '#libs/persistence';

const admitKeys = statement<{ key: string }>(
  'inbox_admit',
  'insert into inbox (key) select unnest($1::uuid[]) on conflict do nothing returning key',
);
const forgetKeys = statement<never>('inbox_forget', 'delete from inbox where key = any($1::uuid[])');
const pruneKeys = statement<never>(
  'inbox_prune',
  `delete from inbox where key in (select key from inbox where received_at < now() - interval '14 days' limit $1)`,
);
const PRUNE_CHUNK = 5_000;

/**
 * Under which an event is remembered: 16 bytes of a hash over organisation, source and id, written as a uuid. A hash,
 * because ids and sources are texts of up to 200 characters, and an index over them is several times larger and slower; SHA-256, because
 * with the CPU's own instructions it is the cheapest (0.24 µs, MD5 0.30 µs). The parts hold no line breaks.
 */
export function inboxKey(event: Pick<CloudEvent, 'orgid' | 'source' | 'id'>): string {
  return hashAsUuid(`${event.orgid}\n${event.source}\n${event.id}`);
}

/** The first 16 bytes of a SHA-256, as PostgreSQL writes a uuid. */
export function hashAsUuid(content: string | Buffer): string {
  const hex = hash('sha256', content, 'hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20, 32)}`;
}

/** Remembers for 14 days which events a service has handled, so that a repeat has no effect. */
export class Inbox {
  readonly #off = unsafeSwitch('HOLDFAST_UNSAFE_NO_INBOX');

  /**
   * Records that these events are being handled in this transaction; answers the keys ({@link inboxKey}) of those that are new. An event
   * that is given twice at once is answered once: take the first.
   *
   * One statement for all, sorted, because two batches that insert the same keys in different orders deadlock. A key that another
   * transaction is inserting is waited for: it is new only if that one rolls back.
   */
  admit(tx: Tx, events: readonly Pick<CloudEvent, 'orgid' | 'source' | 'id'>[]): Promise<ReadonlySet<string>> {
    return this.admitKeys(tx, events.map(inboxKey));
  }

  /** As {@link Inbox.admit}, for those who have the keys at hand. */
  admitKeys(tx: Tx, keys: readonly string[]): Promise<ReadonlySet<string>> {
    if (this.#off || keys.length === 0) return Promise.resolve(new Set(keys));
    const admitted = tx.run(admitKeys, [[...keys].sort()]).then((rows) => new Set(rows.map((row) => row.key)));
    // When another statement fails before somebody has come to await this, the transaction reports it; this must not end the process.
    admitted.catch(() => {});
    return admitted;
  }

  /**
   * Takes back an admission of this same transaction: the event was not handled after all and comes again.
   */
  forgetKeys(tx: Tx, keys: readonly string[]): Promise<unknown> {
    if (keys.length === 0) return Promise.resolve();
    // The promise of the transaction itself, whose failure the commit reports: one of our own, not awaited, would end the process.
    return tx.run(forgetKeys, [keys]);
  }

  /**
   * Forgets what is older than 14 days, in chunks, so that no lock is held long.
   *
   * @param database with the messaging role, which alone may delete.
   */
  static async prune(database: Database): Promise<void> {
    for (;;) {
      const deleted = await database.transaction([], (tx) => tx.execute(pruneKeys.text, [PRUNE_CHUNK]));
      if (deleted < PRUNE_CHUNK) return;
    }
  }
}

/** A switch that takes a protection away, so that a crash test can show that it would notice. */
export function unsafeSwitch(name: `HOLDFAST_UNSAFE_NO_${'INBOX' | 'SWEEP' | 'BUSINESS_KEYS'}`): boolean {
  const on = process.env[name] === '1' || process.env[name] === 'true';
  if (on && process.env['NODE_ENV'] === 'production')
    throw new Error(`${name} makes messages get lost or doubled; it is refused in production.`);
  return on;
}
