import { join } from 'node:path';
import { CALLS_EXCHANGE, EVENTS_EXCHANGE, PARKED_QUEUE, type ServiceName } from '#libs/contracts';
import { RETRY_DELAYS_MS } from '#libs/messaging';
import { dropDatabase, migrate, migrationDirectories } from '#libs/persistence';
import type { BenchRun } from './run.js';
import { LOTS, SCENARIOS } from './scenarios.js';
import { seedHoldfast } from './seed.js';
import { APPS, emptyServiceSite, mainSite, type Site, startApp } from './services.js';
import { removeFromBroker, type Subject } from './subjects.js';

/** Makes Holdfast's tables and stock, and says what is needed to start its inventory. */
export async function prepareHoldfast(run: BenchRun): Promise<readonly Subject[]> {
  const { parts } = run.options;
  removeNamesAtEnd(run, emptyServiceSite(run));
  const site = mainSite(run);
  await prepareSite(run, site, APPS);
  await seedHoldfast(run, site, [
    ...SCENARIOS.filter(({ part }) => part !== 'orgs' || parts.includes('orgs')),
    ...(parts.includes('lots') ? [LOTS] : []),
  ]);
  return [inventoryOf(run, site, 'holdfast1'), inventoryOf(run, site, 'holdfast2')];
}

/** Makes a site's database and tables, by the migrations of the repository whose build it runs, and sees to it that all of it goes at the end. */
export async function prepareSite(run: BenchRun, site: Site, apps: readonly ServiceName[]): Promise<void> {
  removeNamesAtEnd(run, site);
  if (site.databaseUrl !== run.databaseUrl) run.onCleanUp(`database of ${site.prefix}`, () => dropDatabase(site.databaseUrl));
  const { repository } = site;
  for (const service of apps) {
    const directories =
      repository === undefined
        ? migrationDirectories(service)
        : ['libs/messaging/migrations', `apps/${service}/src/migrations`].map((path) => join(repository, path));
    await migrate({ url: site.databaseUrl, service, directories });
  }
}

/** A site's inventory as the subject of a measurement, with one process or with two. */
export function inventoryOf(run: BenchRun, site: Site, key: 'holdfast1' | 'holdfast2'): Subject {
  const processes = key === 'holdfast1' ? 1 : 2;
  const start = async () => {
    const started = Array.from({ length: processes }, (_, n) => startApp(run, 'inventory', { name: `inventory ${n + 1}`, site }));
    return (await Promise.all(started)).map(({ child }) => child);
  };
  const title = processes === 1 ? 'Holdfast, 1 process' : 'Holdfast, 2 processes';
  return { key, title, exchange: `${site.prefix}.${EVENTS_EXCHANGE}`, share: 1, start };
}

function removeNamesAtEnd(run: BenchRun, { prefix }: Site): void {
  const queues = APPS.flatMap((app) => [`${app}.events`, `${app}.rpc`, ...RETRY_DELAYS_MS.map((delayMs) => `${app}.retry.${delayMs}`)]);
  const named = (names: readonly string[]) => names.map((name) => `${prefix}.${name}`);
  const names = { queues: named([...queues, PARKED_QUEUE]), exchanges: named([EVENTS_EXCHANGE, CALLS_EXCHANGE]) };
  run.onCleanUp(`queues of ${prefix}`, () => removeFromBroker(run.options.amqpUrl, names));
}
