import type { ImportError, ImportKind, ImportStatus } from '#libs/contracts';
import { arrayLiteral, statement, type Tx } from '#libs/persistence';

/** An import as it is stored. */
export interface ImportRow {
  readonly org_id: string;
  readonly import_id: string;
  readonly kind: ImportKind;
  readonly dry_run: boolean;
  readonly status: ImportStatus;
  readonly actor: string;
  readonly warehouses: readonly string[] | null;
  readonly parts: number;
  readonly bytes: number;
  readonly header: readonly string[] | null;
  readonly read_bytes: number;
  readonly next_line: number;
  readonly records: number;
  readonly last_place: string;
  readonly last_record: number;
  readonly chunk_lines: number;
  readonly total: number;
  readonly done: number;
  readonly skipped: number;
  readonly error_count: number;
  readonly attempts: number;
  readonly created_at: Date;
  readonly finished_at: Date | null;
}

/** A line as it is staged. */
export interface StagedLine {
  readonly recordNo: number;
  readonly line: number;
  readonly place: string;
  readonly key: string;
  readonly lotKey: string | null;
  /** What is to be applied, as the kind of import wants it. */
  readonly fields: unknown;
  readonly isThere: boolean;
}

const UNIT_SEPARATOR = '\u001f';

/** How many errors of an import are kept; the others are counted. */
const ERRORS_KEPT_MAX = 1_000;

// Receiving.

export const insertImport = statement<never>(
  'import_insert',
  `insert into import (org_id, import_id, kind, dry_run, actor, warehouses, chunk_lines)
   values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing`,
);
export const countOpen = statement<{ open: number }>(
  'import_count_open',
  `select count(*)::int as open from import where org_id = $1 and status in ('receiving', 'validating', 'applying')`,
);
export const lockImport = statement<ImportRow>('import_lock', 'select * from import where org_id = $1 and import_id = $2 for update');
export const readPartDigest = statement<{ digest: Buffer }>(
  'import_read_part_digest',
  'select digest from import_part where org_id = $1 and import_id = $2 and part_no = $3',
);
export const insertPart = statement<never>(
  'import_insert_part',
  'insert into import_part (org_id, import_id, part_no, first_byte, digest, bytes) values ($1, $2, $3, $4, $5, $6)',
);
/** Taken by whoever brings the last part of a file: so `received_at` says in which order files were complete. */
export const lockOrder = statement<never>('import_lock_order', `select pg_advisory_xact_lock(hashtextextended('import/' || $1, 0))`);
export const notePart = statement<never>(
  'import_note_part',
  `update import set parts = $3, bytes = bytes + $4, total = total + $5, updated_at = now(),
          status = case when $6::boolean then 'validating' else status end,
          received_at = case when $6::boolean then clock_timestamp() end
    where org_id = $1 and import_id = $2`,
);

// Working on it.

export const findDue = statement<{ org_id: string; import_id: string }>('import_find_due', 'select * from due_imports($1)');
export const claimImport = statement<ImportRow>(
  'import_claim',
  `with free as (select org_id, import_id from import
                  where org_id = $1 and import_id = $2 and not cleared and (lease_until is null or lease_until <= now())
                    for update skip locked)
   update import i set lease_holder = $3, lease_until = now() + make_interval(secs => $4), attempts = attempts + 1
     from free where i.org_id = free.org_id and i.import_id = free.import_id
   returning i.*`,
);
/** Lets others have it, at once or after a while. */
export const releaseImport = statement<never>(
  'import_release',
  `update import set lease_holder = null, lease_until = now() + make_interval(secs => $4)
    where org_id = $1 and import_id = $2 and lease_holder = $3`,
);
/** What is claimed, as it is now; it stays so until the end of the transaction. */
const lockClaimed = statement<ImportRow>(
  'import_lock_claimed',
  `update import set lease_until = now() + make_interval(secs => $4), attempts = 0, updated_at = now()
    where org_id = $1 and import_id = $2 and lease_holder = $3
   returning *`,
);

/** An import that this process works on. */
export interface Claim {
  readonly orgId: string;
  readonly importId: string;
  readonly holder: string;
  readonly leaseSeconds: number;
}

/** The import is another process's by now, or was cancelled: there is nothing more to do here. */
export class ClaimLost extends Error {
  override readonly name = 'ClaimLost';
}

/**
 * Begins every step of work: nothing of a step is stored unless the import is still this process's, and at the same stage.
 *
 * @throws {ClaimLost}
 */
export async function hold(tx: Tx, claim: Claim, status?: ImportStatus): Promise<ImportRow> {
  const [row] = await tx.run(lockClaimed, [claim.orgId, claim.importId, claim.holder, claim.leaseSeconds]);
  if (row === undefined || (status !== undefined && row.status !== status)) throw new ClaimLost();
  return row;
}

// Validating.

export const readPartAt = statement<{ part_no: number; first_byte: number; bytes: Buffer }>(
  'import_read_part_at',
  `select part_no, first_byte, bytes from import_part
    where org_id = $1 and import_id = $2 and first_byte <= $3 order by part_no desc limit 1`,
);
export const readPart = statement<{ bytes: Buffer }>(
  'import_read_part',
  'select bytes from import_part where org_id = $1 and import_id = $2 and part_no = $3',
);
const insertLines = statement<{ record_no: number }>(
  'import_insert_lines',
  // The fields come as one text with a separator that JSON never holds as it is: nothing needs escaping, on either side.
  `insert into import_line (org_id, import_id, record_no, line, place, key, lot_key, is_there, fields)
   select $1, $2, l.record_no, l.line, l.place, l.key, l.lot_key, l.is_there, l.fields::jsonb
     from rows from (unnest($3::int[]), unnest($4::int[]), unnest($5::text[]), unnest($6::text[]), unnest($7::text[]), unnest($8::boolean[]),
                     string_to_table($9, E'\\x1f')) as l (record_no, line, place, key, lot_key, is_there, fields)
       on conflict (org_id, import_id, key) do nothing
   returning record_no`,
);
const findFirst = statement<{ key: string; line: number }>(
  'import_find_first',
  `select l.key, l.line from unnest($3::text[]) k (key)
    cross join lateral (select key, line from import_line where org_id = $1 and import_id = $2 and key = k.key offset 0) l`,
);
const insertErrors = statement<never>(
  'import_insert_errors',
  `insert into import_error (org_id, import_id, error_no, line, column_name, message)
   select $1, $2, * from unnest($3::int[], $4::int[], $5::text[], $6::text[])`,
);
export const noteRead = statement<never>(
  'import_note_read',
  `update import set header = $3, read_bytes = $4, next_line = $5, records = records + $6, done = done + $6,
          total = greatest(total, records + $6), error_count = error_count + $7
    where org_id = $1 and import_id = $2`,
);
export const noteValidated = statement<never>(
  'import_note_validated',
  // Of a dry run that is all, so it tells how many lines would be skipped.
  `update import set status = $3, total = records, done = case when $3 = 'completed' then records else 0 end,
          skipped = case when $3 = 'completed' then (select count(*) from import_line l where l.org_id = $1 and l.import_id = $2 and l.is_there)
                         else 0 end,
          error_count = error_count + $4, finished_at = case when $3 <> 'applying' then now() end
    where org_id = $1 and import_id = $2`,
);

/** Stages lines. Answers, for those whose key an earlier line of the file has, the number of that line. */
export async function stageLines(
  tx: Tx,
  { orgId, importId }: Claim,
  lines: readonly StagedLine[],
): Promise<ReadonlyMap<StagedLine, number>> {
  if (lines.length === 0) return new Map();
  const staged = await tx.run(insertLines, [
    orgId,
    importId,
    arrayLiteral(lines, (line) => line.recordNo),
    arrayLiteral(lines, (line) => line.line),
    arrayLiteral(lines, (line) => line.place),
    arrayLiteral(lines, (line) => line.key),
    arrayLiteral(lines, (line) => line.lotKey),
    arrayLiteral(lines, (line) => line.isThere),
    lines.map((line) => JSON.stringify(line.fields)).join(UNIT_SEPARATOR),
  ]);
  const numbers = new Set(staged.map((row) => row.record_no));
  const repeats = lines.filter((line) => !numbers.has(line.recordNo));
  if (repeats.length === 0) return new Map();
  const firsts = await tx.run(findFirst, [orgId, importId, arrayLiteral(repeats, (line) => line.key)]);
  const lineOf = new Map(firsts.map((row) => [row.key, row.line]));
  return new Map(repeats.map((repeat) => [repeat, lineOf.get(repeat.key)!]));
}

/** Keeps errors, the first of an import in full. Their number is counted by whoever notes the step. */
export function keepErrors(tx: Tx, { orgId, importId }: Claim, known: number, errors: readonly ImportError[]): void {
  const kept = errors.slice(0, Math.max(0, ERRORS_KEPT_MAX - known));
  if (kept.length === 0) return;
  void tx.run(insertErrors, [
    orgId,
    importId,
    kept.map((_, index) => known + index + 1),
    kept.map(({ line }) => line),
    kept.map(({ column }) => column),
    kept.map(({ message }) => message),
  ]);
}

// Applying.

/** The next lines of one place, in the order in which lines are applied. */
export const readChunk = statement<{ record_no: number; line: number; place: string; fields: unknown; is_there: boolean }>(
  'import_read_chunk',
  `select record_no, line, place, fields, is_there from import_line
    where org_id = $1 and import_id = $2 and (place, record_no) > ($3, $4::int)
    order by place, record_no limit $5`,
);
export const noteApplied = statement<never>(
  'import_note_applied',
  `update import set last_place = $3, last_record = $4, done = done + $5, skipped = skipped + $6, error_count = error_count + $7
    where org_id = $1 and import_id = $2`,
);
export const endWithError = statement<never>(
  'import_end_with_error',
  `update import set status = $3, finished_at = now(), error_count = error_count + 1 where org_id = $1 and import_id = $2`,
);
export const finishImport = statement<never>(
  'import_finish',
  `update import set status = $3, finished_at = now(), updated_at = now() where org_id = $1 and import_id = $2`,
);

// Clearing up.

export const deleteLines = statement<{ record_no: number }>(
  'import_delete_lines',
  `delete from import_line where ctid = any(array(
     select ctid from import_line where org_id = $1 and import_id = $2 limit $3))
   returning record_no`,
);
export const emptyParts = statement<never>(
  'import_empty_parts',
  'update import_part set bytes = null where org_id = $1 and import_id = $2 and bytes is not null',
);
export const noteCleared = statement<never>('import_note_cleared', 'update import set cleared = true where org_id = $1 and import_id = $2');
