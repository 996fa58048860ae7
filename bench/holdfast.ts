import { EVENTS_EXCHANGE, PARKED_QUEUE } from '#libs/contracts';
import { RETRY_DELAYS_MS } from '#libs/messaging';
import { migrate, migrationDirectories } from '#libs/persistence';
import type { BenchRun } from './run.js';
import { SCENARIOS } from './scenarios.js';
import { seedHoldfast } from './seed.js';
import { APPS, emptyServicePrefix, messagingPrefix, startApp } from './services.js';
import { removeFromBroker, type Subject } from './subjects.js';

/** Makes Holdfast's tables and stock, and says what is needed to start its inventory. */
export async function prepareHoldfast(run: BenchRun): Promise<readonly Subject[]> {
  const { parts } = run.options;
  for (const prefix of [messagingPrefix(run), emptyServicePrefix(run)]) {
    run.onCleanUp(`queues of ${prefix}`, () => removeFromBroker(run.options.amqpUrl, namesOnBroker(prefix)));
  }
  for (const service of APPS) {
    await migrate({ url: run.databaseUrl, service, directories: migrationDirectories(service) });
  }
  await seedHoldfast(
    run,
    SCENARIOS.filter(({ part }) => part !== 'orgs' || parts.includes('orgs')),
  );
  return holdfastSubjects(run);
}

/** What services of this prefix leave on the broker. */
function namesOnBroker(prefix: string): { queues: string[]; exchanges: string[] } {
  const queues = APPS.flatMap((app) => [`${app}.events`, `${app}.rpc`, ...RETRY_DELAYS_MS.map((delayMs) => `${app}.retry.${delayMs}`)]);
  return { queues: [...queues, PARKED_QUEUE].map((name) => `${prefix}.${name}`), exchanges: [`${prefix}.${EVENTS_EXCHANGE}`] };
}

/** Holdfast's inventory as the subject of a measurement, with one process and with two. */
function holdfastSubjects(run: BenchRun): readonly Subject[] {
  const start = (processes: number) => async () => {
    const started = Array.from({ length: processes }, (_, n) => startApp(run, 'inventory', `inventory ${n + 1}`));
    return (await Promise.all(started)).map(({ child }) => child);
  };
  const exchange = `${messagingPrefix(run)}.${EVENTS_EXCHANGE}`;
  return [
    { key: 'holdfast1', title: 'Holdfast, 1 process', exchange, share: 1, start: start(1) },
    { key: 'holdfast2', title: 'Holdfast, 2 processes', exchange, share: 1, start: start(2) },
  ];
}
