import { chmod, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { startEmbeddedPostgres } from './embedded-postgres.js';
import type { LocalService, Log } from './local-service.js';
import { LocalServiceError, reasonOf, withoutPassword } from './local-service.js';

export interface FindPostgresOptions {
  /** Where a private server keeps its data; without it the data goes with the server. */
  readonly dataDir?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly log?: Log;
}

const VERSION_MIN = 150_000;

/**
 * Finds a PostgreSQL, in this order: `DATABASE_URL`; the standard port of this machine (`HOLDFAST_LOCAL_POSTGRES_PORT`, default 5432, 0 to
 * skip it), when its user `postgres` lets us in; else starts a private one. The database in the URL need not exist yet.
 *
 * @throws {LocalServiceError} when `DATABASE_URL` is set and does not work, or no private one can be started.
 */
export async function findPostgres({ dataDir, env = process.env, log = () => {} }: FindPostgresOptions = {}): Promise<LocalService> {
  const configured = env['DATABASE_URL'];
  if (configured !== undefined && configured !== '') {
    const { unfit, version } = await inspect(configured);
    if (unfit !== undefined) throw new LocalServiceError(`DATABASE_URL (${withoutPassword(configured)}) cannot be used: ${unfit}.`);
    return found(configured, version);
  }
  const port = Number(env['HOLDFAST_LOCAL_POSTGRES_PORT'] ?? 5432);
  if (port > 0) {
    const url = `postgres://postgres@127.0.0.1:${port}/holdfast`;
    const { unfit, version } = await inspect(url);
    if (unfit === undefined) return found(url, version);
    log(`No PostgreSQL to use on 127.0.0.1:${port} (${unfit}); starting a private one.`);
  }
  if (dataDir !== undefined) return await startEmbeddedPostgres({ dataDir });
  const temporary = await mkdtemp(join(tmpdir(), 'holdfast-postgres-'));
  // Run by root, the server runs as somebody else, who has to get in; the data itself lies in a folder of that user's.
  await chmod(temporary, 0o711);
  return await startEmbeddedPostgres({ dataDir: temporary, durable: false });
}

function found(url: string, version: string): LocalService {
  return { url, description: `PostgreSQL ${version} on ${new URL(url).host}`, stop: async () => {} };
}

/** Whether the server is new enough and its user may make what is missing: databases and roles. */
async function inspect(url: string): Promise<{ unfit?: string; version: string }> {
  const candidates = [url, withDatabase(url, 'postgres')];
  let unfit = '';
  for (const candidate of candidates) {
    const client = new pg.Client({ connectionString: candidate, connectionTimeoutMillis: 5_000 });
    client.on('error', () => {});
    try {
      await client.connect();
      const { rows } = await client.query<{ number: number; version: string; mighty: boolean }>(
        `select current_setting('server_version_num')::int as number, split_part(current_setting('server_version'), '.', 1) as version,
                rolsuper or (rolcreaterole and rolcreatedb) as mighty
           from pg_roles where rolname = current_user`,
      );
      const { number, version, mighty } = rows[0]!;
      if (number < VERSION_MIN) return { unfit: `it is PostgreSQL ${version}, and 15 or later is needed`, version };
      // Who cannot make databases can still be given one.
      if (!mighty && candidate !== url) return { unfit: 'its user may create neither databases nor roles', version };
      return { version };
    } catch (error) {
      unfit = reasonOf(error);
      // The database may be missing; the server is what counts.
      if (!(error instanceof pg.DatabaseError) || error.code !== '3D000') break;
    } finally {
      await client.end().catch(() => {});
    }
  }
  return { unfit, version: '' };
}

function withDatabase(url: string, database: string): string {
  const other = new URL(url);
  other.pathname = `/${database}`;
  return other.href;
}
