import { Socket } from 'node:net';
import pg from 'pg';
import { DataSource } from 'typeorm';
import type { DataSourceOptions } from 'typeorm';
import { coalesceWrites } from './coalesce-writes.js';
import { Database } from './database.js';
import { databaseName, MESSAGING, roleName } from './roles.js';

export interface DatabaseOptions {
  /** `postgres://user:password@host:port/database`; the user must be allowed to become the service's role, as {@link migrate} sees to. */
  readonly url: string;
  /** Names the schema, and with the database's name the role. */
  readonly service: string;
  /** TypeORM entities for {@link Tx.manager}. */
  readonly entities?: DataSourceOptions['entities'];
  /** Default 10. */
  readonly poolSizeMax?: number;
}

const POOL_SIZE_MAX = 10;
const CONNECT_TIMEOUT_MS = 5_000;
const IDLE_IN_TRANSACTION_TIMEOUT_MS = 60_000;

/**
 * Services read by key, thousands of times a second, through statements that are planned once per connection, often while the tables are
 * still empty. So plans do not depend on statistics: they start from the keys, join in the order that is written, and probe indexes. Left
 * to itself the planner read whole tables until the next analyze, and once compared 3,000 keys with 10,000 items one by one (5 s).
 * A report that is better off with another plan sets it for its own transaction.
 */
const BY_KEY = {
  enable_seqscan: 'off',
  enable_hashjoin: 'off',
  enable_mergejoin: 'off',
  enable_material: 'off',
  enable_memoize: 'off',
  join_collapse_limit: '1',
};

/** Opens the service's own tables with its own role. */
export async function openDatabase(options: DatabaseOptions): Promise<Database> {
  return new Database(await openDataSource(options, roleName(options.url, options.service)));
}

/** Opens the same schema as the messaging role, which alone may read and delete the outbox rows of all organisations. */
export async function openMessagingDatabase(options: Omit<DatabaseOptions, 'entities'>): Promise<Database> {
  return new Database(await openDataSource(options, roleName(options.url, MESSAGING)));
}

/** TypeORM's settings for a service; for `openDatabase` and for TypeOrmModule. */
export function dataSourceOptions(options: DatabaseOptions, role = roleName(options.url, options.service)): DataSourceOptions {
  return {
    type: 'postgres',
    url: options.url,
    applicationName: `holdfast-${options.service}`,
    poolSize: options.poolSizeMax ?? POOL_SIZE_MAX,
    connectTimeoutMS: CONNECT_TIMEOUT_MS,
    entities: options.entities ?? [],
    // Tables are made by the migrations alone.
    synchronize: false,
    installExtensions: false,
    extra: {
      // Statements are sent without waiting for the answer to the one before.
      pipeline: true,
      stream: () => coalesceWrites(new Socket()),
      keepAlive: true,
      types: { getTypeParser },
      options: startupOptions({
        role,
        search_path: `"${options.service}"`,
        timezone: 'UTC',
        // Compiling a plan takes longer than any statement of a service may take.
        jit: 'off',
        ...BY_KEY,
        // A process that hangs inside a transaction must not keep its locks for ever.
        idle_in_transaction_session_timeout: String(IDLE_IN_TRANSACTION_TIMEOUT_MS),
      }),
    },
  };
}

async function openDataSource(options: DatabaseOptions, role: string): Promise<DataSource> {
  try {
    return await new DataSource(dataSourceOptions(options, role)).initialize();
  } catch (error) {
    throw new Error(`The database "${databaseName(options.url)}" could not be opened as ${role}: ${reason(error)}`, { cause: error });
  }
}

function reason(error: unknown): string {
  if (!Error.isError(error)) return String(error);
  return 'errors' in error && Array.isArray(error.errors) ? error.errors.map(reason).join(', ') : error.message;
}

function startupOptions(settings: Record<string, string>): string {
  return Object.entries(settings)
    .map(([name, value]) => `-c ${name}=${value.replace(/[\\ ]/g, '\\$&')}`)
    .join(' ');
}

type Parse = (value: string) => unknown;

/** int8 as a number where a number holds it; a bigint otherwise, which fails loudly instead of losing digits. */
const parseInt8: Parse = (value) => {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : BigInt(value);
};
// The types that pg declares for this function leave out arrays.
const standardParser = pg.types.getTypeParser as (id: number, format?: string) => Parse;
const parseTextArray = standardParser(1009) as (value: string) => (string | null)[];
const asText: Parse = (value) => value;

/** Types that pg reads in a way that loses something: digits of decimals, or the day of a date in local time. By their type id. */
const PARSERS: Readonly<Record<number, Parse>> = {
  20: parseInt8,
  1016: (value) => parseTextArray(value).map((element) => element && parseInt8(element)),
  1231: parseTextArray,
  1082: asText,
  1182: parseTextArray,
};

function getTypeParser(id: number, format?: string): Parse {
  return (format !== 'binary' && PARSERS[id]) || standardParser(id, format);
}
