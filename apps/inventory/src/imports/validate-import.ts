import type { ImportError } from '#libs/contracts';
import { crashPoint } from '#libs/messaging';
import type { Database, Tx } from '#libs/persistence';
import { COLUMNS } from './columns.js';
import { keyOf, KINDS } from './import-kinds.js';
import type { Claim, ImportRow, StagedLine } from './import.sql.js';
import * as sql from './import.sql.js';
import { type CsvChunk, type CsvPosition, readCsv } from './read-csv.js';
import { type Header, type ImportLine, readHeader, readLine } from './read-line.js';

/** Lines that are checked and staged in one transaction. */
const BATCH_LINES = 1_000;

/** Lines that were read and are not staged yet, with what is known of the file then. */
interface Batch {
  readonly header: Header;
  readonly lines: readonly ImportLine[];
  readonly position: CsvPosition;
}

/** The end of a file, or of what can be read of it. */
interface End {
  readonly errors: readonly ImportError[];
}

/**
 * Reads a file, checks each line, and stages it: nothing of it is applied while any line is wrong. Every batch is stored together with how
 * far it got, and reading goes on from there, in another turn or another process. While the database stores a batch the next one is read.
 *
 * @param isOver asked between batches; answers whether this turn is over.
 */
export async function validateImport(database: Database, claim: Claim, job: ImportRow, isOver: () => boolean): Promise<void> {
  let staging: Promise<void> | undefined;
  for await (const read of readBatches(database, claim, job)) {
    await staging;
    if ('errors' in read) return await end(database, claim, read.errors);
    staging = stage(database, claim, read);
    // Told where it is awaited.
    staging.catch(() => {});
    if (isOver()) return await staging;
  }
}

async function* readBatches(database: Database, claim: Claim, job: ImportRow): AsyncGenerator<Batch | End> {
  const from = { byte: job.read_bytes, line: job.next_line };
  let header: Header | undefined = job.header?.map((name) => COLUMNS[job.kind].find((column) => column.name === name)!);
  let lines: ImportLine[] = [];
  let chunk: CsvChunk | undefined;
  for await (chunk of readCsv(partsFrom(database, claim, from.byte), from)) {
    let { records } = chunk;
    if (header === undefined && records[0] !== undefined) {
      const found = readHeader(COLUMNS[job.kind], records[0]);
      if (found.errors.length > 0) {
        yield { errors: found.errors };
        return;
      }
      header = found.header;
      records = records.slice(1);
    }
    for (const record of records) lines.push(readLine(header!, record, chunk.isGarbled));
    if (lines.length < BATCH_LINES) continue;
    yield { header: header!, lines, position: chunk.position };
    lines = [];
  }
  if (header !== undefined && lines.length > 0) yield { header, lines, position: chunk!.position };
  if (chunk?.broken !== undefined) yield { errors: [{ ...chunk.broken, column: null }] };
  else yield { errors: header === undefined ? [{ line: 1, column: null, message: 'The file is empty.' }] : [] };
}

/** The bytes of a file, from one of them on. */
async function* partsFrom(database: Database, { orgId, importId }: Claim, byte: number): AsyncGenerator<Buffer> {
  const read = <T>(work: (tx: Tx) => Promise<T>) => database.transaction([orgId], work, { inOneGo: true });
  const [first] = await read((tx) => tx.run(sql.readPartAt, [orgId, importId, byte]));
  if (first === undefined) return;
  yield first.bytes.subarray(byte - first.first_byte);
  for (let partNo = first.part_no + 1; ; partNo++) {
    const [part] = await read((tx) => tx.run(sql.readPart, [orgId, importId, partNo]));
    if (part === undefined) return;
    yield part.bytes;
  }
}

async function stage(database: Database, claim: Claim, { header, lines: read, position }: Batch): Promise<void> {
  const names = header.map((column) => column.name);
  await database.transaction([claim.orgId], async (tx) => {
    const job = await sql.hold(tx, claim, 'validating');
    // Checked anew when the transaction is run again.
    const lines = read.map((line): ImportLine => ({ ...line, errors: [...line.errors] }));
    const staged = await checkLines(tx, job, lines);
    for (const [repeat, line] of await sql.stageLines(tx, claim, [...staged.keys()])) noteRepeat(staged.get(repeat)!, job, line);
    const errors = lines.flatMap((line) => inColumnOrder(header, line.errors));
    sql.keepErrors(tx, claim, job.error_count, errors);
    const { byte, line } = position;
    void tx.run(sql.noteRead, [claim.orgId, claim.importId, names, byte, line, lines.length, errors.length]);
    crashPoint('import-staging', 'inventory');
  });
  crashPoint('import-staged', 'inventory');
}

/** Checks lines against what exists. Answers those whose key can be read, as they are staged: also wrong ones, to find their repeats. */
async function checkLines(tx: Tx, job: ImportRow, lines: readonly ImportLine[]): Promise<ReadonlyMap<StagedLine, ImportLine>> {
  const { check, placeColumn } = KINDS[job.kind];
  const wrong = lines.map((line) => new Set(line.errors.map(({ column }) => column)));
  const checked = await check(tx, job, lines);
  const staged = new Map<StagedLine, ImportLine>();
  lines.forEach((line, index) => {
    const key = keyOf(job.kind, line, wrong[index]!);
    if (key === null) return;
    const { fields, isThere, lotKey = null } = checked[index]!;
    const place = placeColumn === undefined ? '' : ((line.values[placeColumn] as string | undefined) ?? '');
    staged.set({ recordNo: job.records + index + 1, line: line.line, place, key, lotKey, fields, isThere }, line);
  });
  return staged;
}

function noteRepeat(line: ImportLine, { kind }: ImportRow, firstLine: number): void {
  const { keyColumns } = KINDS[kind];
  const said = keyColumns.flatMap((column) => (line.values[column] === undefined ? [] : `${column} ${String(line.values[column])}`));
  line.errors.push({ line: line.line, column: keyColumns[0], message: `${said.join(', ')} stands in line ${firstLine} already.` });
}

function inColumnOrder(header: Header, errors: readonly ImportError[]): readonly ImportError[] {
  if (errors.length < 2) return errors;
  const names = header.map((column) => column.name);
  return errors.toSorted((a, b) => a.line - b.line || names.indexOf(a.column ?? '') - names.indexOf(b.column ?? ''));
}

/** The whole file is read, or as much of it as can be. */
async function end(database: Database, claim: Claim, more: readonly ImportError[]): Promise<void> {
  await database.transaction([claim.orgId], async (tx) => {
    const job = await sql.hold(tx, claim, 'validating');
    const isEmpty = job.records === 0 && job.error_count + more.length === 0;
    const errors = isEmpty ? [{ line: 1, column: null, message: 'The file has no lines below its header.' }] : more;
    sql.keepErrors(tx, claim, job.error_count, errors);
    const failed = job.error_count + errors.length > 0;
    const status = failed ? 'failed' : job.dry_run ? 'completed' : 'applying';
    void tx.run(sql.noteValidated, [claim.orgId, claim.importId, status, errors.length]);
  });
}
