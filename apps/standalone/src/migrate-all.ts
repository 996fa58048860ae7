import { migrate, migrationDirectories } from '#libs/persistence';
import { SERVICE_NAMES } from './service-names.js';

/**
 * Brings the schemas of all services up to date.
 *
 * @returns the names of the migrations that were run now, such as `inventory/0001-stock.sql`.
 */
export async function migrateAll(url: string): Promise<string[]> {
  const applied: string[] = [];
  // One after another: they share one lock.
  for (const service of SERVICE_NAMES) {
    const result = await migrate({ url, service, directories: migrationDirectories(service) });
    applied.push(...result.applied.map((name) => (name.startsWith(`${service}/`) ? name : `${service}: ${name}`)));
  }
  return applied;
}
