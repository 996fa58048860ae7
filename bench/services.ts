import { onDatabase } from '#libs/persistence';
import type { Child } from './child.js';
import type { BenchRun } from './run.js';
import { built } from './subjects.js';

/** The services of Holdfast, started from the same build as any operator would: by their `main.js`, told everything by environment. */
export const APPS = ['inventory', 'orders', 'reconciliation', 'gateway'] as const;
export type App = (typeof APPS)[number];

/** One Holdfast of a run: its database and its names on the broker. */
export interface Site {
  readonly databaseUrl: string;
  /** Before the names of its queues and exchanges and a dot. */
  readonly prefix: string;
  /** The repository whose build it runs; this one unless said. */
  readonly repository?: string;
}

/** The one on which most parts are measured. */
export function mainSite(run: BenchRun): Site {
  return { databaseUrl: run.databaseUrl, prefix: run.prefix };
}

/** Another one of the same run, which shares nothing with it. */
export function anotherSite(run: BenchRun, name: string, repository?: string): Site {
  const databaseUrl = onDatabase(run.options.databaseUrl, `${run.databaseName}_${name}`);
  return { databaseUrl, prefix: `${run.prefix}.${name}`, ...(repository !== undefined && { repository }) };
}

/** The empty service's names, so that it is not taken for the inventory it poses as. */
export function emptyServiceSite(run: BenchRun): Site {
  return { ...mainSite(run), prefix: `${run.prefix}.empty` };
}

/** What a service of this run needs to know. */
export function environment(run: BenchRun, site = mainSite(run)): Readonly<Record<string, string>> {
  return {
    NODE_ENV: 'development',
    DATABASE_URL: site.databaseUrl,
    AMQP_URL: run.options.amqpUrl,
    HOLDFAST_MESSAGING_PREFIX: site.prefix,
    HOLDFAST_AUTH: 'dev',
    PORT: '0',
    HOLDFAST_HEALTH_PORT: '0',
    LOG_LEVEL: 'warn',
  };
}

/** Starts a service; answers its process and the address of its HTTP server. */
export function startApp(
  run: BenchRun,
  app: App,
  { name = app, site = mainSite(run) }: { name?: string; site?: Site } = {},
): Promise<{ child: Child; url: string }> {
  return run.startChild({ name, script: built(`apps/${app}/src/main.js`, site.repository), env: environment(run, site) });
}
