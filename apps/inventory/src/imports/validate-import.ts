import type { ImportError } from '#libs/contracts';
import { crashPoint } from '#libs/messaging';
import type { Database, Tx } from '#libs/persistence';
import { COLUMNS } from './columns.js';
import { keyOf, KINDS } from './import-kinds.js';
import type { Claim, ImportRow, StagedLine } from './import.sql.js';
import * as sql from './import.sql.js';
import { type CsvChunk, type CsvPosition, type CsvRecord, readCsv } from './read-csv.js';
import { type Header, type ImportLine, readHeader, readLine } from './read-line.js';

/** Lines that are checked and staged in one transaction. */
const BATCH_LINES = 1_000;

/** What was read and is not staged yet. */
interface Batch {
  readonly header: Header;
  readonly records: readonly CsvRecord[];
  readonly position: CsvPosition;
  readonly isGarbled: boolean;
}

/**
 * Reads a file, checks each line, and stages it: nothing of it is applied while any line is wrong. Every batch is stored together with how
 * far it got, and reading goes on from there, in another turn or another process.
 *
 * @param isOver asked between batches; answers whether this turn is over.
 */
export async function validateImport(database: Database, claim: Claim, job: ImportRow, isOver: () => boolean): Promise<void> {
  const from = { byte: job.read_bytes, line: job.next_line };
  let header: Header | undefined = job.header?.map((name) => COLUMNS[job.kind].find((column) => column.name === name)!);
  let records: CsvRecord[] = [];
  let chunk: CsvChunk | undefined;
  for await (chunk of readCsv(partsFrom(database, claim, from.byte), from)) {
    records.push(...chunk.records);
    if (header === undefined) {
      const first = records.shift();
      if (first === undefined && chunk.broken === undefined) continue;
      const read = first === undefined ? undefined : readHeader(COLUMNS[job.kind], first);
      if (read === undefined || read.errors.length > 0) {
        const broken = chunk.broken === undefined ? [] : [{ ...chunk.broken, column: null }];
        return await end(database, claim, [...(read?.errors ?? []), ...broken]);
      }
      header = read.header;
    }
    if (records.length < BATCH_LINES && chunk.broken === undefined) continue;
    await stage(database, claim, { header, records, position: chunk.position, isGarbled: chunk.isGarbled });
    records = [];
    if (isOver() && chunk.broken === undefined) return;
  }
  if (header === undefined) return await end(database, claim, [{ line: 1, column: null, message: 'The file is empty.' }]);
  if (chunk !== undefined && records.length > 0) {
    await stage(database, claim, { header, records, position: chunk.position, isGarbled: chunk.isGarbled });
  }
  await end(database, claim, chunk?.broken === undefined ? [] : [{ ...chunk.broken, column: null }]);
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

async function stage(database: Database, claim: Claim, { header, records, position, isGarbled }: Batch): Promise<void> {
  const read = records.map((record) => readLine(header, record, isGarbled));
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
    void tx.run(sql.noteRead, [claim.orgId, claim.importId, names, byte, line, records.length, errors.length]);
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
