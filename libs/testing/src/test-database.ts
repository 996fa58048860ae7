import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { dropDatabase, migrate, migrationDirectories, onDatabase, openDatabase, openMessagingDatabase } from '#libs/persistence';
import type { Database, DatabaseOptions } from '#libs/persistence';
import { testRunId } from './test-names.js';

/** A migrated database that belongs to one test file. */
export interface TestDatabase {
  readonly url: string;
  /** The service's tables with its own role; closed by {@link TestDatabase.drop}. */
  open(service: string, options?: Partial<DatabaseOptions>): Promise<Database>;
  /** The same schema with the messaging role; closed by {@link TestDatabase.drop}. */
  openMessaging(service: string): Promise<Database>;
  /** Looks at everything, past row-level security, as the owner of the tables. */
  rows<R>(text: string, values?: readonly unknown[]): Promise<R[]>;
  drop(): Promise<void>;
}

export interface TestDatabaseOptions {
  /** Instead of the service's own migrations; for tests of the libraries. */
  readonly directories?: readonly string[];
}

/** The server that tests use, found or started by the global set-up; its database is never touched. */
export function testServerUrl(): string {
  return process.env['HOLDFAST_TEST_DATABASE_URL'] ?? 'postgres://postgres@127.0.0.1:5432/postgres';
}

/**
 * Makes a database with the schemas of these services.
 *
 * @param services names of apps, such as `inventory`.
 */
export async function createTestDatabase(services: readonly string[], options: TestDatabaseOptions = {}): Promise<TestDatabase> {
  const url = onDatabase(testServerUrl(), `${testRunId()}_${randomBytes(4).toString('hex')}`);
  for (const service of services) await migrate({ url, service, directories: options.directories ?? migrationDirectories(service) });
  const owner = new pg.Pool({ connectionString: url, max: 2 });
  owner.on('error', () => {});
  const opened: Database[] = [];
  const track = (database: Database) => {
    opened.push(database);
    return database;
  };
  return {
    url,
    open: async (service, more) => track(await openDatabase({ url, service, ...more })),
    openMessaging: async (service) => track(await openMessagingDatabase({ url, service })),
    rows: async <R>(text: string, values?: readonly unknown[]) => (await owner.query(text, values as unknown[])).rows as R[],
    drop: async () => {
      await Promise.all(opened.map((database) => database.close()));
      await owner.end();
      await dropDatabase(url);
    },
  };
}
