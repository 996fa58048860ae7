import type { INestApplicationContext } from '@nestjs/common';
import type { ServiceName } from '#libs/contracts';
import { type Delivery, Relay } from '#libs/messaging';
import { Database, MESSAGING_DATABASE, migrationDirectories, migrationsPending } from '#libs/persistence';
import { metrics, onScrape } from './metrics.js';
import { Degraded, NotReady, type ReadinessCheck } from './probes.js';

/** Events that wait longer than this say that something is wrong with their delivery; a healthy relay takes milliseconds. */
const OUTBOX_LAG_MAX_SECONDS = 30;

/** What a service needs to do its work: its database at its newest migration, the broker, and events that leave. */
export function readinessChecks(
  service: ServiceName,
  app: Pick<INestApplicationContext, 'get'>,
  delivery: Delivery,
): readonly ReadinessCheck[] {
  const database = app.get(Database);
  const relay = app.get(Relay);
  return [
    {
      name: `${service}.database`,
      check: async () => {
        await database.transaction([], (tx) => tx.rows('select 1'), { readOnly: true, retries: 0 });
        return {};
      },
    },
    {
      name: `${service}.migrations`,
      check: async () => {
        const pending = await migrationsPending(database, migrationDirectories(service));
        if (pending.length > 0) throw new NotReady(`pending: ${pending.join(', ')}`);
        return {};
      },
    },
    {
      name: `${service}.broker`,
      check: () => {
        const { state, blocked } = delivery.status();
        if (state !== 'connected') return Promise.reject(new NotReady(`the connection is ${state}`));
        // It still answers calls and keeps what it commits; only events wait.
        if (blocked !== null) return Promise.reject(new Degraded(`the broker takes no messages: ${blocked}`));
        return Promise.resolve({});
      },
    },
    {
      name: `${service}.outbox`,
      check: async () => {
        const lagSeconds = await relay.lagSeconds();
        if (lagSeconds > OUTBOX_LAG_MAX_SECONDS) throw new Degraded(`events have been waiting for ${Math.round(lagSeconds)} s`);
        return { lagSeconds };
      },
    },
  ];
}

/**
 * Measures outbox and parked messages of a service each time somebody reads the metrics.
 *
 * @returns what ends that.
 */
export function measureMessages(service: ServiceName, app: Pick<INestApplicationContext, 'get'>): () => void {
  const relay = app.get(Relay);
  const database = app.get<Database>(MESSAGING_DATABASE);
  return onScrape(async () => {
    metrics.outboxLagSeconds.set({ service }, await relay.lagSeconds());
    const count = 'select count(*)::int as parked from parked_message';
    const [row] = await database.transaction([], (tx) => tx.rows<{ parked: number }>(count), { readOnly: true });
    metrics.parkedMessages.set({ service }, row?.parked ?? 0);
  });
}
