import pg from 'pg';

/** The service name under which the messaging role is made. */
export const MESSAGING = 'messaging';

/** The database that a URL names. */
export function databaseName(url: string): string {
  const name = decodeURIComponent(new URL(url).pathname.slice(1));
  if (name === '') throw new Error('The database URL names no database, as in postgres://user@host:5432/holdfast.');
  return name;
}

/**
 * `<database>_<service>`. Roles belong to the whole cluster, so they carry the database's name: two Holdfasts, or two runs of the tests,
 * never meet.
 */
export function roleName(url: string, service: string): string {
  const name = `${databaseName(url)}_${service}`;
  if (Buffer.byteLength(name) > 63)
    throw new Error(`The role name "${name}" is longer than PostgreSQL's 63 bytes; shorten the database's name.`);
  return name;
}

/** The same server and user, another database. */
export function onDatabase(url: string, database: string): string {
  const other = new URL(url);
  other.pathname = `/${encodeURIComponent(database)}`;
  return other.href;
}

/** Runs `work` with a connection of its own. */
export async function withClient<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url, application_name: 'holdfast-migrate', connectionTimeoutMillis: 10_000 });
  // A lost connection also fails the statement under way, which reports it.
  client.on('error', () => {});
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end().catch(() => {});
  }
}

/** Says in the cluster's catalogue to which database a role belongs, so that dropping the database finds it. */
const roleMark = (database: string) => `Holdfast role of database ${database}`;

/**
 * Makes a role that cannot log in, owns nothing and is bound by row-level security, and lets the connected user become it.
 * To be called under the migration lock.
 */
export async function ensureRole(client: pg.Client, role: string): Promise<void> {
  const { rows } = await client.query<{ database: string; user: string; exists: boolean; member: boolean }>(
    `select current_database() as database, current_user as user, role.oid is not null as exists,
            coalesce(pg_has_role(current_user, role.oid, 'member'), false) as member
       from (values ($1::text)) wanted (name) left join pg_roles role on role.rolname = wanted.name`,
    [role],
  );
  const { database, user, exists, member } = rows[0]!;
  const name = pg.escapeIdentifier(role);
  if (!exists) {
    await client.query(`create role ${name} nologin nobypassrls`);
    await client.query(`comment on role ${name} is ${pg.escapeLiteral(roleMark(database))}`);
  }
  // From PostgreSQL 16 who creates a role may grant it but not become it.
  if (!exists || !member) await client.query(`grant ${name} to ${pg.escapeIdentifier(user)}`);
}

/** Drops a database, whoever is connected to it, and its roles. For tests and for removing an installation. */
export async function dropDatabase(url: string): Promise<void> {
  const database = databaseName(url);
  await withClient(onDatabase(url, 'postgres'), async (client) => {
    await client.query(`drop database if exists ${pg.escapeIdentifier(database)} with (force)`);
    const { rows } = await client.query<{ rolname: string }>(
      `select rolname from pg_roles where shobj_description(oid, 'pg_authid') = $1`,
      [roleMark(database)],
    );
    for (const { rolname } of rows) await client.query(`drop role if exists ${pg.escapeIdentifier(rolname)}`);
  });
}

/** As {@link withClient}; makes the database when it is missing. */
export async function withDatabase<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  try {
    return await withClient(url, work);
  } catch (error) {
    if (!(error instanceof pg.DatabaseError) || error.code !== '3D000') throw error;
  }
  await createDatabase(url);
  return await withClient(url, work);
}

async function createDatabase(url: string): Promise<void> {
  const name = pg.escapeIdentifier(databaseName(url));
  await withClient(onDatabase(url, 'postgres'), async (client) => {
    try {
      // Ids are compared byte by byte: faster than by a language's rules, and the same order as in JavaScript.
      await client.query(`create database ${name} template template0 encoding 'UTF8' lc_collate 'C'`);
    } catch (error) {
      // Another process made it in the meantime.
      if (!(error instanceof pg.DatabaseError) || !['42P04', '23505'].includes(error.code ?? '')) throw error;
    }
  });
}
