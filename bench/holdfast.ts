import { migrate, migrationDirectories } from '#libs/persistence';
import type { Child } from './child.js';
import type { BenchRun } from './run.js';
import { SCENARIOS } from './scenarios.js';
import { seedHoldfast } from './seed.js';
import { built, type Subject } from './subjects.js';

/** The services of Holdfast, started from the same build as any operator would: by their `main.js`, told everything by environment. */
export type App = 'inventory' | 'orders' | 'gateway';

/** Before the names of Holdfast's queues and exchanges in this run. */
export function messagingPrefix(run: BenchRun): string {
  return `${run.prefix}.`;
}

/** What a service of this run needs to know. */
export function environment(run: BenchRun, prefix = messagingPrefix(run)): Readonly<Record<string, string>> {
  return {
    NODE_ENV: 'development',
    DATABASE_URL: run.databaseUrl,
    AMQP_URL: run.options.amqpUrl,
    HOLDFAST_MESSAGING_PREFIX: prefix,
    HOLDFAST_AUTH: 'dev',
    PORT: '0',
    HOLDFAST_HEALTH_PORT: '0',
    LOG_LEVEL: 'warn',
  };
}

/** Starts a service; answers its process and the address of its HTTP server. */
export function startApp(run: BenchRun, app: App, name: string = app): Promise<{ child: Child; url: string }> {
  return run.startChild({ name, script: built(`apps/${app}/src/main.js`), env: environment(run) });
}

/** Makes Holdfast's tables and stock, and says what is needed to start its inventory. */
export async function prepareHoldfast(run: BenchRun): Promise<readonly Subject[]> {
  const { parts } = run.options;
  for (const service of ['inventory', 'orders', 'gateway'] as const) {
    await migrate({ url: run.databaseUrl, service, directories: migrationDirectories(service) });
  }
  await seedHoldfast(
    run,
    SCENARIOS.filter(({ part }) => part !== 'orgs' || parts.includes('orgs')),
  );
  return holdfastSubjects(run);
}

/** Holdfast's inventory as the subject of a measurement, with one process and with two. */
function holdfastSubjects(run: BenchRun): readonly Subject[] {
  const start = (processes: number) => async () => {
    const started = Array.from({ length: processes }, (_, n) => startApp(run, 'inventory', `inventory ${n + 1}`));
    return (await Promise.all(started)).map(({ child }) => child);
  };
  const exchange = `${messagingPrefix(run)}holdfast.events`;
  return [
    { key: 'holdfast1', title: 'Holdfast, 1 process', exchange, share: 1, start: start(1) },
    { key: 'holdfast2', title: 'Holdfast, 2 processes', exchange, share: 1, start: start(2) },
  ];
}
