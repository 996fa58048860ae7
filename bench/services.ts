import type { Child } from './child.js';
import type { BenchRun } from './run.js';
import { built } from './subjects.js';

/** The services of Holdfast, started from the same build as any operator would: by their `main.js`, told everything by environment. */
export const APPS = ['inventory', 'orders', 'gateway'] as const;
export type App = (typeof APPS)[number];

/** Before the names of Holdfast's queues and exchanges in this run and a dot. */
export function messagingPrefix(run: BenchRun): string {
  return run.prefix;
}

/** Before the names of the empty service's queues, so that it is not taken for the inventory it poses as. */
export function emptyServicePrefix(run: BenchRun): string {
  return `${run.prefix}.empty`;
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
