import * as sql from './import.sql.js';
import { Logger } from '@nestjs/common';
import { HoldfastError } from '#libs/domain';
import { crashPoint } from '#libs/messaging';
import { classifyError, type Database, type Tx } from '#libs/persistence';
import type { Batcher } from '../stock-machine/batcher.js';
import type { ReceiveGoods } from '../stock-machine/commands.js';
import { applyItems } from './apply-items.js';
import { applyLots } from './apply-lots.js';
import type { StockValues } from './check-stock.js';
import type { Claim, ImportRow } from './import.sql.js';
import type { Applied, AppliedLine } from './applied.js';

/** Receipts under way at once: one is being committed while the next waits for its turn. */
const RECEIPTS_AT_ONCE = 4;

/**
 * Applies what is staged, chunk by chunk. Items are stored together with how far it got. Stock is received through the machine, like
 * any goods, in the lane for background work; which receipts were posted they tell themselves by their ids, so after a crash the last
 * ones are said again, and nothing is doubled.
 *
 * @param isOver asked between chunks; answers whether this turn is over.
 */
export async function applyImport(
  database: Database,
  batcher: Batcher,
  claim: Claim,
  job: ImportRow,
  isOver: () => boolean,
): Promise<void> {
  let position: Position = { place: job.last_place, recordNo: job.last_record };
  do {
    const next = await (job.kind === 'stock'
      ? applyReceipts(database, batcher, claim, job, position)
      : applyRows(database, claim, job, position));
    if (next === null) return await finish(database, claim);
    position = next;
    crashPoint('import-applied', 'inventory');
  } while (!isOver());
}

interface Position {
  readonly place: string;
  readonly recordNo: number;
}

async function applyRows(database: Database, claim: Claim, job: ImportRow, from: Position): Promise<Position | null> {
  return await database.transaction([claim.orgId], async (tx) => {
    const { error_count: known } = await sql.hold(tx, claim, 'applying');
    const lines = await nextChunk(tx, claim, job, from);
    if (lines.length === 0) return null;
    const apply = job.kind === 'items' ? applyItems : applyLots;
    return note(tx, claim, known, lines, await apply(tx, claim.orgId, lines));
  });
}

async function applyReceipts(database: Database, batcher: Batcher, claim: Claim, job: ImportRow, from: Position): Promise<Position | null> {
  const chunks = await database.transaction([claim.orgId], async (tx) => {
    await sql.hold(tx, claim, 'applying');
    const found: (readonly AppliedLine[])[] = [];
    for (let at = from; found.length < RECEIPTS_AT_ONCE; at = endOf(found.at(-1)!)) {
      const lines = await nextChunk(tx, claim, job, at);
      if (lines.length === 0) break;
      found.push(lines);
    }
    return found;
  });
  if (chunks.length === 0) return null;
  const applied = await Promise.all(chunks.map((lines) => receive(batcher, job, lines)));
  crashPoint('import-received', 'inventory');
  return await database.transaction([claim.orgId], async (tx) => {
    // Also when it was cancelled meanwhile: what is posted is counted, and nothing comes after it.
    const { status, error_count: known } = await sql.hold(tx, claim);
    const sum = {
      done: applied.reduce((done, chunk) => done + chunk.done, 0),
      skipped: 0,
      errors: applied.flatMap((chunk) => chunk.errors),
    };
    const end = note(tx, claim, known, chunks.flat(), sum);
    return status === 'applying' ? end : null;
  });
}

/** The lines behind a position that are applied together. */
async function nextChunk(
  tx: Tx,
  { orgId, importId }: Claim,
  job: ImportRow,
  { place, recordNo }: Position,
): Promise<readonly AppliedLine[]> {
  const lines = await tx.run(sql.readChunk, [orgId, importId, place, recordNo, job.chunk_lines]);
  const other = lines.findIndex((line) => line.place !== lines[0]!.place);
  return other < 0 ? lines : lines.slice(0, other);
}

function endOf(lines: readonly AppliedLine[]): Position {
  const { place, record_no: recordNo } = lines.at(-1)!;
  return { place, recordNo };
}

function note(tx: Tx, claim: Claim, known: number, lines: readonly AppliedLine[], { done, skipped, errors }: Applied): Position {
  const end = endOf(lines);
  sql.keepErrors(tx, claim, known, errors);
  void tx.run(sql.noteApplied, [claim.orgId, claim.importId, end.place, end.recordNo, done, skipped, errors.length]);
  return end;
}

/** Receives lines of one warehouse, under an id by which a repeat is recognised. */
async function receive(batcher: Batcher, job: ImportRow, lines: readonly AppliedLine[]): Promise<Applied> {
  const receiptId = `import:${job.import_id}:${lines[0]!.record_no}`;
  const command: ReceiveGoods = {
    kind: 'receive-goods',
    orgId: job.org_id,
    receiptId,
    warehouseId: lines[0]!.place,
    reference: `Import ${job.import_id}`,
    lines: lines.map(({ fields }) => {
      const { warehouseId: _, ...line } = fields as StockValues;
      return line;
    }),
    meta: { messageId: receiptId, actor: job.actor, importId: job.import_id, mayWait: false },
  };
  try {
    const outcome = await batcher.submit(command, 'background');
    if (outcome.kind === 'answer') return { done: lines.length, skipped: 0, errors: [] };
    return refused(lines, outcome.kind === 'error' ? outcome.error.message : outcome.kind);
  } catch (error) {
    const isAway = error instanceof HoldfastError ? error.kind === 'unavailable' : ['retry', 'pause'].includes(classifyError(error));
    if (isAway) throw error;
    new Logger('Imports').error(`Receipt ${receiptId} of ${job.org_id} failed`, error);
    return refused(lines, 'something went wrong on our side, which has been recorded');
  }
}

/** What was right when it was checked, and is not any more. The other chunks are applied: these lines may be sent again. */
function refused(lines: readonly AppliedLine[], why: string): Applied {
  const message = `Not applied, nor the others of lines ${lines[0]!.line} to ${lines.at(-1)!.line} of this warehouse: ${why}.`;
  return { done: 0, skipped: 0, errors: lines.map(({ line }) => ({ line, column: null, message })) };
}

async function finish(database: Database, claim: Claim): Promise<void> {
  await database.transaction([claim.orgId], async (tx) => {
    const job = await sql.hold(tx, claim, 'applying');
    void tx.run(sql.finishImport, [claim.orgId, claim.importId, job.error_count > 0 ? 'failed' : 'completed']);
  });
}
