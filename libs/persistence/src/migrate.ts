import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import type { Database } from './database.js';
import { ensureRole, MESSAGING, roleName, withDatabase } from './roles.js';

export interface MigrateOptions {
  readonly url: string;
  readonly service: string;
  /** Folders of `*.sql`, absolute, as {@link migrationDirectories} names them; in this order, and within one by name. */
  readonly directories: readonly string[];
  /** How long to wait for another process that is migrating; default 10 minutes. */
  readonly lockTimeoutMs?: number;
}

interface Migration {
  /** `<part>/<file>`, such as `inventory/0001-stock.sql`. */
  readonly name: string;
  readonly text: string;
  readonly checksum: string;
}

/** The first line of a migration that cannot run in a transaction, such as `create index concurrently`. */
const NO_TRANSACTION = '-- no transaction';
const LOCK_POLL_MS = 100;
const LOCK_TIMEOUT_MS = 600_000;
/** One lock per database: its services share roles. */
const LOCK_KEY = 4_865_646_173;

/** The folders of a service's migrations: those of messaging, whose tables every service has, then its own. */
export function migrationDirectories(service: string): string[] {
  // The sources and the built files lie in the same folders, below the repository or below dist.
  const root = join(import.meta.dirname, '../../..');
  return [join(root, 'libs/messaging/migrations'), join(root, 'apps', service, 'src/migrations')].filter((directory) =>
    existsSync(directory),
  );
}

/**
 * Brings a service's schema up to date: makes the database, the roles and the schema where they are missing, then runs the migrations that
 * have not run yet. Safe to call from several processes at once.
 *
 * A migration is plain SQL, forward only, in one transaction, with the schema as search path. In it `${schema}`, `${role}` (the service's),
 * `${messagingRole}` and `${ownerRole}` (the migrating user, who owns the tables) are replaced by quoted names. With the first line
 * `-- no transaction` its statements, each ended by a semicolon at the end of a line, run one by one; it must be written so that it can be
 * run again after it failed half-way.
 *
 * @throws when a migration that has run was changed since, or another process holds the lock for too long.
 */
export async function migrate(options: MigrateOptions): Promise<{ applied: string[] }> {
  const migrations = await readMigrations(options.directories);
  return await withDatabase(options.url, async (client) => {
    await takeLock(client, options.lockTimeoutMs ?? LOCK_TIMEOUT_MS);
    const fill = await prepareSchema(client, options);
    const ran = await readApplied(client, options.service);
    refuseChanged(migrations, ran);
    const applied: string[] = [];
    for (const migration of migrations.filter(({ name }) => !ran.has(name))) {
      await run(client, migration, fill).catch((error: unknown) => {
        throw new Error(`Migration ${migration.name} failed: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
      });
      applied.push(migration.name);
    }
    return { applied };
    // The lock goes with the connection.
  });
}

/** The migrations that have not run yet, by name: a service is ready when there are none. */
export async function migrationsPending(database: Database, directories: readonly string[]): Promise<string[]> {
  const migrations = await readMigrations(directories);
  const ran = await database.transaction([], (tx) => tx.rows<{ name: string }>('select name from schema_migration'), { readOnly: true });
  const names = new Set(ran.map(({ name }) => name));
  return migrations.map(({ name }) => name).filter((name) => !names.has(name));
}

/**
 * Polled, because who waits in a blocking lock statement holds a snapshot, for which `create index concurrently` of the process with the
 * lock waits in turn.
 */
async function takeLock(client: pg.Client, timeoutMs: number): Promise<void> {
  const deadlineMs = Date.now() + timeoutMs;
  for (;;) {
    const { rows } = await client.query<{ taken: boolean }>('select pg_try_advisory_lock($1) as taken', [LOCK_KEY]);
    if (rows[0]!.taken) return;
    if (Date.now() >= deadlineMs) throw new Error(`Another process has been migrating this database for more than ${timeoutMs / 1000} s.`);
    await delay(LOCK_POLL_MS);
  }
}

/** Makes roles and schema; answers what fills in their names. */
async function prepareSchema(client: pg.Client, { url, service }: MigrateOptions): Promise<(text: string) => string> {
  const role = roleName(url, service);
  const messagingRole = roleName(url, MESSAGING);
  await ensureRole(client, role);
  await ensureRole(client, messagingRole);
  const { rows } = await client.query<{ user: string }>('select current_user as user');
  const names: Record<string, string> = { schema: service, role, messagingRole, ownerRole: rows[0]!.user };
  const fill = (text: string) =>
    text.replace(/\$\{(\w+)\}/g, (_, key: string) => {
      const name = names[key];
      if (name === undefined) throw new Error(`\${${key}} is unknown; there are ${Object.keys(names).join(', ')}.`);
      return pg.escapeIdentifier(name);
    });
  await client.query(
    fill(`
    create schema if not exists \${schema};
    grant usage on schema \${schema} to \${role}, \${messagingRole};
    set search_path to \${schema};
    set client_min_messages to warning;
    create table if not exists schema_migration (
      name text primary key,
      checksum text not null,
      applied_at timestamptz not null default now()
    );
    grant select on schema_migration to \${role}, \${messagingRole};`),
  );
  return fill;
}

async function readApplied(client: pg.Client, schema: string): Promise<ReadonlyMap<string, string>> {
  const { rows } = await client.query<{ name: string; checksum: string }>(
    `select name, checksum from ${pg.escapeIdentifier(schema)}.schema_migration`,
  );
  return new Map(rows.map(({ name, checksum }) => [name, checksum]));
}

function refuseChanged(migrations: readonly Migration[], ran: ReadonlyMap<string, string>): void {
  const changed = migrations.filter(({ name, checksum }) => ran.has(name) && ran.get(name) !== checksum).map(({ name }) => name);
  if (changed.length > 0) throw new Error(`Changed after it ran: ${changed.join(', ')}. Undo the change and write a new migration.`);
}

async function run(client: pg.Client, migration: Migration, fill: (text: string) => string): Promise<void> {
  const text = fill(migration.text);
  const record = () => client.query('insert into schema_migration (name, checksum) values ($1, $2)', [migration.name, migration.checksum]);
  if (text.startsWith(NO_TRANSACTION)) {
    // Sent together, several statements would be one transaction again.
    for (const statement of text.split(/;[ \t]*(?:\r?\n|$)/).filter((part) => part.replace(/^\s*--.*$/gm, '').trim() !== '')) {
      await client.query(statement);
    }
    await record();
    return;
  }
  await client.query('begin');
  try {
    // Functions that look across organisations are given to the messaging role, and who is given something must be allowed to make it.
    await client.query(fill('grant create on schema ${schema} to ${messagingRole}'));
    await client.query(text);
    await client.query(fill('revoke create on schema ${schema} from ${messagingRole}'));
    await record();
    await client.query('commit');
  } catch (error) {
    await client.query('rollback');
    throw error;
  }
}

async function readMigrations(directories: readonly string[]): Promise<Migration[]> {
  const migrations: Migration[] = [];
  for (const directory of directories) {
    const files = (await readdir(directory)).filter((file) => file.endsWith('.sql')).sort();
    for (const file of files) {
      const text = await readFile(join(directory, file), 'utf8');
      // Line ends depend on how the repository was checked out.
      const checksum = createHash('sha256').update(text.replaceAll('\r\n', '\n')).digest('hex');
      migrations.push({ name: `${partName(directory)}/${file}`, text, checksum });
    }
  }
  return migrations;
}

/** `libs/messaging/migrations` is `messaging`, `apps/inventory/src/migrations` is `inventory`. */
function partName(directory: string): string {
  const names = directory.split(sep).filter((name) => name !== '' && name !== 'src' && name !== 'migrations');
  return names.at(-1) ?? directory;
}
