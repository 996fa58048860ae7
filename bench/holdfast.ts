import { migrate, migrationDirectories } from '#libs/persistence';
import type { BenchRun } from './run.js';
import { SCENARIOS } from './scenarios.js';
import { seedHoldfast } from './seed.js';
import { messagingPrefix, startApp } from './services.js';
import type { Subject } from './subjects.js';

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
