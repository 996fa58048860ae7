import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { type Role, ROLES } from '#libs/contracts';

const FILE = join(import.meta.dirname, '../../docs/roles.md');
const MAY = '●';

/** What is said of one route or call. */
export interface Row {
  /** `POST /orders`, or `inventory stock.demand` */
  readonly name: string;
  /** In the order of {@link ROLES}. */
  readonly roles: readonly Role[];
  /** For whom works in other warehouses only. */
  readonly elsewhere: string;
  /** What somebody of another organisation finds under the same ids; calls have none: they are refused. */
  readonly stranger?: string;
}

/** Each table is between two comments, `<!-- routes -->` and `<!-- end of routes -->`. */
export type TableName = 'routes' | 'calls';

/** Reads one of the tables of docs/roles.md. */
export function readTable(table: TableName): Row[] {
  const [, text] = between(table).exec(readFileSync(FILE, 'utf8'))!;
  const cells = text!
    .trim()
    .split('\n')
    .slice(2)
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
  return cells.map(([name, ...rest]) => {
    const [elsewhere, stranger] = rest.slice(ROLES.length);
    const roles = ROLES.filter((_, index) => rest[index] === MAY);
    return { name: name!.replaceAll('`', ''), roles, elsewhere: elsewhere!, ...(stranger === undefined ? {} : { stranger }) };
  });
}

/** Replaces one of the tables of docs/roles.md. */
export async function writeTable(table: TableName, rows: readonly Row[]): Promise<void> {
  const head = ['', ...ROLES.map((role) => `\`${role}\``), 'another warehouse', ...(table === 'routes' ? ['another organisation'] : [])];
  const lines = rows.map(({ name, roles, elsewhere, stranger }) => [
    `\`${name}\``,
    ...ROLES.map((role) => (roles.includes(role) ? MAY : '')),
    elsewhere,
    ...(stranger === undefined ? [] : [stranger]),
  ]);
  const text = [head, head.map(() => '---'), ...lines].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
  const all = readFileSync(FILE, 'utf8').replace(between(table), () => `<!-- ${table} -->\n\n${text}\n\n<!-- end of ${table} -->`);
  writeFileSync(FILE, await format(all, { ...(await resolveConfig(FILE)), parser: 'markdown' }));
}

const between = (table: TableName) => new RegExp(`<!-- ${table} -->([^]*?)<!-- end of ${table} -->`);
