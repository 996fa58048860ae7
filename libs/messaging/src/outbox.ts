import { routingKey, type CloudEvent } from '#libs/contracts';
import { statement, type Tx } from '#libs/persistence';
import type { OutgoingEvent } from './delivery.js';
import type { Relay } from './relay.js';

/**
 * The events travel as one block of bytes with offsets. As an array of texts each would be escaped for the array, sent, and unescaped, which
 * for JSON, half of it quotes, cost more than making it.
 */
const insertEvents = statement<never>(
  'outbox_append',
  `insert into outbox (id, event)
   select e.id, substring($1::bytea from e.start for e.length)
     from unnest($2::uuid[], $3::int[], $4::int[]) as e (id, start, length)`,
);

/** Events that leave exactly when the transaction that made them commits. */
export class Outbox {
  constructor(private readonly relay: Relay) {}

  /**
   * Stores events in this transaction; after its commit they are published. Answers nothing that later statements need, so the promise
   * may be left to the commit.
   *
   * @param tx the transaction of the change that the events tell of.
   * @param events made by `makeEvent`: their ids are UUIDs.
   */
  append(tx: Tx, events: readonly CloudEvent[]): Promise<unknown> {
    if (events.length === 0) return Promise.resolve();
    const rows = events.map(serialise);
    const starts: number[] = [];
    let start = 1; // SQL counts from 1.
    for (const { body } of rows) {
      starts.push(start);
      start += body.length;
    }
    tx.afterCommit(() => this.relay.take(rows));
    // The promise of the transaction itself, whose failure the commit reports: one of our own, not awaited, would end the process.
    return tx.run(insertEvents, [
      Buffer.concat(rows.map((row) => row.body)),
      rows.map((row) => row.id),
      starts,
      rows.map((row) => row.body.length),
    ]);
  }
}

function serialise(event: CloudEvent): OutgoingEvent {
  return { id: event.id, type: event.type, routingKey: routingKey(event), body: Buffer.from(JSON.stringify(event)) };
}
