import { statement } from './statement.js';
import type { Tx } from './transaction.js';

/** What is counted, and by what. All of it is SQL that stands in the code, never what somebody sent. */
export interface Grouping {
  /** The columns of `from` by which rows differ; at least one. */
  readonly keys: readonly string[];
  /** A select that has the keys among its columns. */
  readonly from: string;
  /** The aggregates, each with its name: `count(*)::int as attempts`. */
  readonly counts: string;
  /** Which groups are shown; all unless said. */
  readonly having?: string;
  /** Which groups lead: `attempts desc`. */
  readonly order: string;
}

/** The groups that lead, and everything as one group. */
export interface Grouped<Key, Counts> {
  readonly rows: readonly (Key & Counts)[];
  readonly summary: Counts;
  /** There are more groups than the limit. */
  readonly truncated: boolean;
}

// Connections are told to look up few rows by their keys. Here it is all rows of a period that are read: row by row, the join of a million
// decisions with their requests took 13 s. Nothing is read by two ways at once, because others work meanwhile.
const readAll = statement(
  'read_all',
  `select set_config('enable_nestloop', 'off', true), set_config('enable_hashjoin', 'on', true), set_config('work_mem', '64MB', true),
          set_config('jit', 'off', true), set_config('max_parallel_workers_per_gather', '0', true)`,
);

/**
 * Counts rows by groups and in all, in one pass over them. Times come in RFC 3339. `values` are the parameters of `from`; of more groups than
 * `limit` the first are answered, equal ones in the order of their keys.
 */
export async function readGrouped<Key, Counts>(
  tx: Tx,
  { keys, from, counts, having, order }: Grouping,
  values: readonly unknown[],
  limit: number,
): Promise<Grouped<Key, Counts>> {
  const columns = keys.map((key) => `"${key}"`).join(', ');
  const isAll = `grouping("${keys[0]}") = 1`;
  void tx.run(readAll, []);
  const rows = await tx.rows<Readonly<Record<string, unknown>>>(
    `select ${columns}, ${counts}, ${isAll} as "isAll"
       from (${from}) counted
      group by grouping sets ((${columns}), ())
      ${having === undefined ? '' : `having ${isAll} or ${having}`}
      order by "isAll" desc, ${order}, ${columns}
      limit $${values.length + 1}`,
    // The group of everything, and one more than is shown, to see whether there are more.
    [...values, limit + 2],
  );
  const fieldsOf = (row: Readonly<Record<string, unknown>>, isWanted: (field: string) => boolean) =>
    Object.fromEntries(Object.entries(row).flatMap(([field, value]) => (isWanted(field) ? [[field, toText(value)]] : [])));
  const [all, ...groups] = rows;
  return {
    rows: groups.slice(0, limit).map((row) => fieldsOf(row, (field) => field !== 'isAll') as Key & Counts),
    summary: fieldsOf(all!, (field) => field !== 'isAll' && !keys.includes(field)) as Counts,
    truncated: groups.length > limit,
  };
}

const toText = (value: unknown) => (value instanceof Date ? value.toISOString() : value);
