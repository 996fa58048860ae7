import { createHash } from 'node:crypto';
import { type CallHandler, type ExecutionContext, Injectable, Logger, type NestInterceptor } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyReply } from 'fastify';
import { from, lastValueFrom, type Observable } from 'rxjs';
import { invalid } from '#libs/domain';
import { type Caller, type GatewayRequest, pathOf } from '../http/caller.js';
import { type Endpoint, ENDPOINT } from '../http/endpoint.js';
import { PROBLEM_CONTENT_TYPE, type Problem, toProblem } from '../http/problem.js';
import { Upload } from '../http/upload.js';
import { IdempotencyRecords, type KeyedRequest, keyReused, type StoredAnswer } from './idempotency-records.js';

const KEY = /^[\x21-\x7e]{1,255}$/;
/** Answers that say nothing was done, and would not be the same for another body or another day. */
const REFUSALS = [400, 401, 403, 412, 413, 429];
/** Answers that a repeat gets again, beside success. */
const KEPT_PROBLEMS = [404, 409, 422];
const JSON_TYPE = 'application/json; charset=utf-8';

/** Gives a POST or PUT with an `Idempotency-Key` one effect, however often it is sent. */
@Injectable()
export class IdempotencyInterceptor implements NestInterceptor {
  private readonly logger = new Logger('Idempotency');

  constructor(
    private readonly records: IdempotencyRecords,
    private readonly reflector: Reflector,
  ) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const request = context.switchToHttp().getRequest<GatewayRequest>();
    const keyed = keyedRequest(request);
    if (!keyed) return next.handle();
    const reply = context.switchToHttp().getResponse<FastifyReply>();
    const { secret } = this.reflector.get<Endpoint>(ENDPOINT, context.getHandler());
    return from(this.#once(keyed, request, reply, secret, () => lastValueFrom(next.handle(), { defaultValue: undefined })));
  }

  async #once(
    keyed: KeyedRequest,
    request: GatewayRequest,
    reply: FastifyReply,
    secret: string | undefined,
    handle: () => Promise<unknown>,
  ): Promise<unknown> {
    const upload = request.body instanceof Upload ? request.body : undefined;
    const claim = await this.records.claim(keyed);
    if ('answer' in claim) {
      if (upload !== undefined) await refuseOther(upload, request.caller!, claim.requestHash);
      return replay(claim.answer, reply);
    }
    request.caller!.madeId = claim.madeId;
    let answer: unknown;
    try {
      answer = await handle();
    } catch (error) {
      await this.#keep(() => this.#afterProblem(keyed, claim.owner, toProblem(error, keyed.path), upload));
      throw error;
    }
    const shown = secret === undefined ? answer : { ...(answer as object), [secret]: null };
    const body = answer === undefined ? '' : JSON.stringify(shown);
    const stored = { status: reply.statusCode, contentType: JSON_TYPE, body };
    await this.#keep(() => this.records.store(keyed, claim.owner, stored, upload && hashOf(upload, request.caller!)));
    return answer;
  }

  async #afterProblem(keyed: KeyedRequest, owner: string, problem: Problem, upload: Upload | undefined): Promise<void> {
    if (REFUSALS.includes(problem.status)) await this.records.forget(keyed, owner);
    // An upload that was refused in the middle was not read to its end: whether a repeat is the same cannot be told.
    else if (!KEPT_PROBLEMS.includes(problem.status) || upload !== undefined) await this.records.release(keyed, owner);
    else {
      await this.records.store(keyed, owner, { status: problem.status, contentType: PROBLEM_CONTENT_TYPE, body: JSON.stringify(problem) });
    }
  }

  /** What was done is done, whether or not it could be noted; the note then frees itself when its lease ends. */
  async #keep(work: () => Promise<void>): Promise<void> {
    await work().catch((error: unknown) => this.logger.error('An answer could not be kept for repeats', error));
  }
}

/**
 * What of an upload is compared is known when it has been read; until then it is this. A repeat while that is going on, or after it came to
 * nothing, is compared part by part by whoever takes it.
 */
const NOT_READ = Buffer.alloc(0);

/** @throws {HoldfastError} `IDEMPOTENCY_KEY_REUSED` when the body is another one than the first time. */
async function refuseOther(upload: Upload, caller: Caller, requestHash: Buffer): Promise<void> {
  await upload.drain();
  if (!hashOf(upload, caller).equals(requestHash)) throw keyReused();
}

function hashOf(upload: Upload, { dryRun }: Caller): Buffer {
  return createHash('sha256').update(upload.digest).update(String(dryRun)).digest();
}

/** Undefined when the request takes no key, has none, or is a dry run, which is not recorded: unless it is work that is to be followed. */
function keyedRequest(request: GatewayRequest): KeyedRequest | undefined {
  const key = request.headers['idempotency-key'];
  const { caller, method } = request;
  const isUpload = request.body instanceof Upload;
  if (key === undefined || !caller || (caller.dryRun && !isUpload) || (method !== 'POST' && method !== 'PUT')) return undefined;
  if (typeof key !== 'string' || !KEY.test(key)) {
    throw invalid('The Idempotency-Key is not valid.', [{ path: 'Idempotency-Key', message: 'must be 1 to 255 visible ASCII characters' }]);
  }
  const { orgId, userId } = caller.actor;
  const named = { orgId, caller: userId, method, path: pathOf(request), key };
  if (isUpload) return { ...named, requestHash: NOT_READ };
  // What is compared beside the body decides about the answer as well.
  const asked = canonical({ body: request.body, ifMatch: request.headers['if-match'] });
  return { ...named, requestHash: createHash('sha256').update(asked).digest() };
}

/** JSON with the names in order: the same body, however a client's library writes it. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, entry: unknown) =>
    typeof entry === 'object' && entry !== null && !Array.isArray(entry)
      ? Object.fromEntries(Object.entries(entry).sort(([a], [b]) => (a < b ? -1 : 1)))
      : entry,
  );
}

function replay(answer: StoredAnswer, reply: FastifyReply): unknown {
  void reply.status(answer.status).type(answer.contentType).header('idempotency-replayed', 'true');
  return answer.body === '' ? undefined : JSON.parse(answer.body);
}
