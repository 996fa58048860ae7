import type { Actor } from '#libs/auth';
import {
  Cursor,
  type Import,
  type ImportError,
  type ImportList,
  type ImportSummary,
  type Page,
  PAGE_LIMIT_DEFAULT,
  type RequestOf,
} from '#libs/contracts';
import { notFound } from '#libs/domain';
import type { Tx } from '#libs/persistence';
import type { ImportRow } from './import.sql.js';

const cursor = new Cursor('uuid');

/** Stock lies in warehouses: who works in some of them only sees the stock that he himself imported. */
const IS_SHOWN = `(kind <> 'stock' or $2::text is null or actor = $2)`;
const shownTo = ({ userId, warehouses }: Actor) => (warehouses === null ? null : userId);

/** Imports, newest first. */
export async function listImports(
  tx: Tx,
  orgId: string,
  actor: Actor,
  request: RequestOf<typeof ImportList>,
): Promise<Page<ImportSummary>> {
  const limit = request.limit ?? PAGE_LIMIT_DEFAULT;
  const [before = null] = cursor.read(request.cursor);
  const rows = await tx.rows<ImportRow>(
    `select * from import
      where org_id = $1 and ${IS_SHOWN}
        and ($3::text is null or kind = $3) and ($4::text is null or status = $4)
        and ($5::uuid is null or import_id < $5)
      order by import_id desc limit $6`,
    [orgId, shownTo(actor), request.kind ?? null, request.status ?? null, before, limit + 1],
  );
  return cursor.page(rows, limit, (row) => [row.import_id], toSummary);
}

/** @throws {HoldfastError} `IMPORT_NOT_FOUND` */
export async function getImport(tx: Tx, orgId: string, actor: Actor, importId: string): Promise<Import> {
  const [row] = await tx.rows<ImportRow>(`select * from import where org_id = $1 and ${IS_SHOWN} and import_id = $3`, [
    orgId,
    shownTo(actor),
    importId,
  ]);
  if (row === undefined) throw importNotFound(importId);
  const errors = await tx.rows<ImportError>(
    `select line, column_name as column, message from import_error where org_id = $1 and import_id = $2 order by line, error_no`,
    [orgId, importId],
  );
  return { ...toSummary(row), errors };
}

export function importNotFound(importId: string) {
  return notFound('IMPORT_NOT_FOUND', `There is no import ${importId}.`);
}

function toSummary(row: ImportRow): ImportSummary {
  return {
    importId: row.import_id,
    kind: row.kind,
    status: row.status,
    dryRun: row.dry_run,
    progress: { done: row.done, total: row.total },
    skipped: row.skipped,
    errorCount: row.error_count,
    createdBy: row.actor,
    createdAt: row.created_at.toISOString(),
    finishedAt: row.finished_at?.toISOString() ?? null,
  };
}
