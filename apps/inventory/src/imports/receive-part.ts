import { createHash } from 'node:crypto';
import type { Actor } from '#libs/auth';
import type { ImportReceive, RequestOf, ResponseOf } from '#libs/contracts';
import { conflict, HoldfastError } from '#libs/domain';
import type { Tx } from '#libs/persistence';
import { importNotFound } from './import.queries.js';
import * as sql from './import.sql.js';
import { CHUNK_LINES } from './import-kinds.js';

/** Files of one organisation that are not done with; each may take 64 MiB. */
const OPEN_MAX = 20;

/**
 * Takes in a part of a file; the first makes the import, and with the last it begins. Parts come in their order; one that has come before
 * is recognised by what it holds, so whoever did not get an answer sends it again.
 *
 * @throws {HoldfastError} `RATE_LIMITED` while too many imports are open; `ALREADY_EXISTS` when this import or part has another content;
 * `INVALID_STATE` when the part is not the next one, or the import is over; `IMPORT_NOT_FOUND`.
 */
export async function receivePart(
  tx: Tx,
  orgId: string,
  actor: Actor,
  request: RequestOf<typeof ImportReceive>,
): Promise<ResponseOf<typeof ImportReceive>> {
  const { importId, kind, part, last, dryRun = false } = request;
  const bytes = Buffer.from(request.data, 'base64');
  const digest = createHash('sha256')
    .update(bytes)
    .update(last ? 'last' : 'more')
    .digest();
  if (part === 1) {
    await refuseTooMany(tx, orgId, importId);
    void tx.run(sql.insertImport, [orgId, importId, kind, dryRun, actor.userId, actor.warehouses, CHUNK_LINES[kind]]);
  }
  if (last) void tx.run(sql.lockOrder, [orgId]);
  const [row] = await tx.run(sql.lockImport, [orgId, importId]);
  if (row === undefined || row.actor !== actor.userId) throw importNotFound(importId);
  if (row.kind !== kind || row.dry_run !== dryRun) throw otherContent(importId);
  const answer = { importId, kind, dryRun };
  const [known] = await tx.run(sql.readPartDigest, [orgId, importId, part]);
  if (known !== undefined) {
    if (!known.digest.equals(digest)) throw otherContent(importId);
    return { ...answer, status: row.status };
  }
  if (row.status !== 'receiving') throw conflict('INVALID_STATE', `Import ${importId} is ${row.status}; it takes no more of its file.`);
  if (part !== row.parts + 1) throw conflict('INVALID_STATE', `Part ${row.parts + 1} of import ${importId} comes next, not part ${part}.`);
  void tx.run(sql.insertPart, [orgId, importId, part, row.bytes, digest, bytes]);
  void tx.run(sql.notePart, [orgId, importId, part, bytes.length, countLines(bytes, part, last), last]);
  return { ...answer, status: last ? 'validating' : 'receiving' };
}

async function refuseTooMany(tx: Tx, orgId: string, importId: string): Promise<void> {
  const [counted] = await tx.run(sql.countOpen, [orgId]);
  if (counted!.open < OPEN_MAX) return;
  const [known] = await tx.run(sql.lockImport, [orgId, importId]);
  if (known !== undefined) return;
  const message = `${OPEN_MAX} imports of the organisation are not done yet. Wait until one is, or cancel one.`;
  throw new HoldfastError('limited', 'RATE_LIMITED', message, { retryAfterSeconds: 10 });
}

/** How many lines of data a part brings, by its line ends: good enough to tell how far an import is, until its lines have been read. */
function countLines(bytes: Buffer, part: number, last: boolean): number {
  let ends = 0;
  for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, at + 1)) ends++;
  const unended = last && bytes.length > 0 && bytes.at(-1) !== NEWLINE ? 1 : 0;
  return Math.max(ends + unended - (part === 1 ? 1 : 0), 0);
}
const NEWLINE = 0x0a;

function otherContent(importId: string): HoldfastError {
  return conflict('ALREADY_EXISTS', `Import ${importId} exists with another file.`);
}
