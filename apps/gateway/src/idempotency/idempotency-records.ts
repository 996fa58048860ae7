import { Injectable } from '@nestjs/common';
import { HoldfastError, uuidv7 } from '#libs/domain';
import { Database, statement, type Tx } from '#libs/persistence';

/** What a request with an `Idempotency-Key` is recognised by, and the hash of what it asks. */
export interface KeyedRequest {
  readonly orgId: string;
  readonly caller: string;
  readonly method: string;
  readonly path: string;
  readonly key: string;
  /** Empty while the body is still to be read: then {@link IdempotencyRecords.store} is told the hash, and repeats are compared with it. */
  readonly requestHash: Buffer;
}

/** An answer that is given again. */
export interface StoredAnswer {
  readonly status: number;
  readonly contentType: string;
  /** JSON; empty when the answer has no body. */
  readonly body: string;
}

/** Either the answer of the first time and what it was asked, or the right to be the first. */
export type Claim = { readonly answer: StoredAnswer; readonly requestHash: Buffer } | { readonly madeId: string; readonly owner: string };

interface RecordRow {
  readonly request_hash: Buffer;
  readonly made_id: string;
  readonly locked: boolean;
  readonly expired: boolean;
  readonly status: number | null;
  readonly content_type: string | null;
  readonly body: string | null;
}

/** Longer than any request takes, so that only a gateway that died loses its record. */
const LEASE_SECONDS = 30;
const KEPT = `interval '24 hours'`;
const IS_RECORD = 'org_id = $1 and caller = $2 and method = $3 and path = $4 and key = $5';
/** How many expired records of the organisation each new one sweeps away: more than one, so that they cannot pile up. */
const SWEPT_PER_CLAIM = 5;

const insertRecord = statement<{ made_id: string }>(
  'gateway_insert_idempotency_record',
  `insert into idempotency_record (org_id, caller, method, path, key, request_hash, made_id, owner, locked_until)
   values ($1, $2, $3, $4, $5, $6, $7, $8, now() + interval '${LEASE_SECONDS} seconds')
   on conflict do nothing returning made_id`,
);
const lockRecord = statement<RecordRow>(
  'gateway_lock_idempotency_record',
  `select request_hash, made_id, coalesce(locked_until > now(), false) as locked, created_at < now() - ${KEPT} as expired,
          status, content_type, body
     from idempotency_record where ${IS_RECORD} for update`,
);
const takeRecord = statement(
  'gateway_take_idempotency_record',
  `update idempotency_record
      set owner = $6, locked_until = now() + interval '${LEASE_SECONDS} seconds', request_hash = $7, made_id = $8,
          status = null, content_type = null, body = null,
          created_at = case when $9::boolean then now() else created_at end
    where ${IS_RECORD}`,
);
const sweepExpired = statement(
  'gateway_sweep_idempotency_records',
  `delete from idempotency_record
    where (org_id, caller, method, path, key) in (
      select org_id, caller, method, path, key from idempotency_record
       where org_id = $1 and created_at < now() - ${KEPT} order by created_at limit ${SWEPT_PER_CLAIM} for update skip locked)`,
);

/** Remembers for 24 hours what requests with an `Idempotency-Key` were answered. */
@Injectable()
export class IdempotencyRecords {
  constructor(private readonly database: Database) {}

  /**
   * Makes the caller the one who runs the request, or answers what it was answered before.
   *
   * @throws {HoldfastError} `IDEMPOTENCY_IN_PROGRESS` while another runs it, `IDEMPOTENCY_KEY_REUSED` when it asks for something else.
   */
  async claim(request: KeyedRequest): Promise<Claim> {
    const owner = uuidv7();
    return this.database.transaction([request.orgId], async (tx) => {
      void tx.run(sweepExpired, [request.orgId]);
      const [inserted] = await tx.run(insertRecord, [...identity(request), request.requestHash, uuidv7(), owner]);
      return inserted ? { madeId: inserted.made_id, owner } : await this.#claimKnown(tx, request, owner);
    });
  }

  async #claimKnown(tx: Tx, request: KeyedRequest, owner: string): Promise<Claim> {
    const [known] = await tx.run(lockRecord, identity(request));
    // Deleted between the two statements, because the first time was refused for its shape: as if it was in progress.
    if (!known) throw inProgress();
    if (!known.expired) {
      if (request.requestHash.length > 0 && !known.request_hash.equals(request.requestHash)) throw keyReused();
      if (known.status !== null) {
        const answer = { status: known.status, contentType: known.content_type!, body: known.body! };
        return { answer, requestHash: known.request_hash };
      }
      if (known.locked) throw inProgress();
    }
    const madeId = known.expired ? uuidv7() : known.made_id;
    await tx.run(takeRecord, [...identity(request), owner, request.requestHash, madeId, known.expired]);
    return { madeId, owner };
  }

  /** Keeps the answer for those who repeat the request. */
  async store(request: KeyedRequest, owner: string, answer: StoredAnswer, requestHash = request.requestHash): Promise<void> {
    await this.#update(
      request,
      `update idempotency_record set locked_until = null, status = $7, content_type = $8, body = $9, request_hash = $10
        where ${IS_RECORD} and owner = $6`,
      [owner, answer.status, answer.contentType, answer.body, requestHash],
    );
  }

  /** Nothing was done: the key is free again, also for another body. */
  async forget(request: KeyedRequest, owner: string): Promise<void> {
    await this.#update(request, `delete from idempotency_record where ${IS_RECORD} and owner = $6`, [owner]);
  }

  /** Whether something was done is not known: the same request may run again at once, with the same made id. */
  async release(request: KeyedRequest, owner: string): Promise<void> {
    await this.#update(request, `update idempotency_record set locked_until = null where ${IS_RECORD} and owner = $6`, [owner]);
  }

  async #update(request: KeyedRequest, text: string, values: readonly unknown[]): Promise<void> {
    await this.database.transaction([request.orgId], (tx) => tx.execute(text, [...identity(request), ...values]));
  }
}

const identity = ({ orgId, caller, method, path, key }: KeyedRequest) => [orgId, caller, method, path, key];

export function keyReused(): HoldfastError {
  return new HoldfastError('rejected', 'IDEMPOTENCY_KEY_REUSED', 'This Idempotency-Key was used with another body.');
}

function inProgress(): HoldfastError {
  return new HoldfastError('conflict', 'IDEMPOTENCY_IN_PROGRESS', 'The first request with this Idempotency-Key is still running.');
}
