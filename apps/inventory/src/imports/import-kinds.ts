import type { ImportKind } from '#libs/contracts';
import type { Tx } from '#libs/persistence';
import { checkItems } from './check-items.js';
import { checkLots } from './check-lots.js';
import { checkStock } from './check-stock.js';
import type { ImportRow } from './import.sql.js';
import type { CheckedLine, ImportLine } from './read-line.js';

interface KindOfImport {
  /** The columns that together may stand in a file once; the first is told. */
  readonly keyColumns: readonly [string, ...string[]];
  /** What these columns say when they are left out. */
  readonly unsaid?: Readonly<Record<string, string>>;
  /** What is applied together; else everything. */
  readonly placeColumn?: string;
  /** Checks lines against what exists, and adds what is wrong to their errors. Answers one for each line. */
  readonly check: (tx: Tx, job: ImportRow, lines: readonly ImportLine[]) => Promise<readonly CheckedLine[]>;
}

export const KINDS: Readonly<Record<ImportKind, KindOfImport>> = {
  items: { keyColumns: ['itemId'], check: checkItems },
  lots: { keyColumns: ['lot', 'itemId'], check: checkLots },
  // The same goods at another cost are another layer of cost, and so another line.
  stock: {
    keyColumns: ['itemId', 'warehouseId', 'lot', 'location', 'quality', 'unitCost', 'producedAt', 'expiresAt'],
    unsaid: { location: 'default', quality: 'available' },
    placeColumn: 'warehouseId',
    check: checkStock,
  },
};

/**
 * Lines that are applied in one transaction. Of stock fewer, because every line locks a balance and writes the ledger, and live orders of
 * the same process wait for it: docs/adr/0018-imports.md.
 */
export const CHUNK_LINES: Readonly<Record<ImportKind, number>> = { items: 1_000, lots: 1_000, stock: 100 };

/** What a line may be named by only once in a file; null when that cannot be read. */
export function keyOf(kind: ImportKind, { values }: ImportLine, wrongColumns: ReadonlySet<string | null>): string | null {
  const { keyColumns, unsaid = {} } = KINDS[kind];
  if (values[keyColumns[0]] === undefined || keyColumns.some((column) => wrongColumns.has(column))) return null;
  return keyColumns.map((column) => values[column] ?? unsaid[column] ?? '').join('/');
}
