import { setTimeout as delay } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import type { ServiceName } from '#libs/contracts';
import { codeOf, migrationDirectories, migrationsPending, openDatabase } from '#libs/persistence';
import { StartupError } from './startup-error.js';

const TIMEOUT_MS = 300_000;
const POLL_MS = 1_000;
/** Database, role, schema or table are not there: nothing has been migrated at all. */
const NOT_MIGRATED = new Set(['3D000', '22023', '3F000', '42P01']);

/**
 * Waits until the service's migrations have run, so that services and the migrating job may be started in any order.
 *
 * @throws {StartupError} after five minutes, or at once when the database does not let us in; what the driver says when it is not there.
 */
export async function waitForMigrations(service: ServiceName, url: string, timeoutMs = TIMEOUT_MS): Promise<void> {
  const giveUpMs = Date.now() + timeoutMs;
  for (let told = false; ; told = true) {
    const pending = await whatIsPending(service, url);
    if (pending === null) return;
    if (Date.now() >= giveUpMs) throw new StartupError(`${pending} Run "npm run migrate".`);
    if (!told) new Logger('Migrations').warn(`${pending} Waiting until "npm run migrate" has run.`);
    await delay(Math.min(POLL_MS, timeoutMs));
  }
}

async function whatIsPending(service: ServiceName, url: string): Promise<string | null> {
  try {
    const database = await openDatabase({ url, service, poolSizeMax: 1 });
    try {
      const pending = await migrationsPending(database, migrationDirectories(service));
      return pending.length === 0 ? null : `Migrations of ${service} are pending: ${pending.join(', ')}.`;
    } finally {
      await database.close();
    }
  } catch (error) {
    const code = causeCode(error);
    if (NOT_MIGRATED.has(code)) return `The database has no tables of ${service} yet.`;
    // A code of PostgreSQL's own: it is there, and does not let us in or cannot serve us.
    if (/^[0-9A-Z]{5}$/.test(code)) throw new StartupError(`${(error as Error).message}. Check DATABASE_URL.`, { cause: error });
    throw error;
  }
}

/** `openDatabase` wraps what the driver said. */
function causeCode(error: unknown): string {
  return codeOf(error) ?? (error instanceof Error ? codeOf(error.cause) : undefined) ?? '';
}
