import { randomBytes } from 'node:crypto';
import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { type Actor, signActorToken } from '#libs/auth';
import type { HoldfastError } from '#libs/domain';
import { invalid, uuidv7 } from '#libs/domain';
import type { Endpoint } from './endpoint.js';

/** Who calls, and what the headers and query of the request say of every call that it leads to. */
export class Caller {
  /** `?dryRun=true`: answer as if, change nothing. */
  readonly dryRun: boolean;
  /** The W3C trace context of the request. */
  readonly traceparent: string;
  /** The id of whatever the request makes, unless its body names one. A repeat with the same `Idempotency-Key` has the same. */
  madeId = uuidv7();
  /** The field of the request that {@link madeId} is for. */
  readonly makes: string | undefined;
  #token: Promise<string> | undefined;

  constructor(
    readonly actor: Actor,
    request: FastifyRequest,
    endpoint: Endpoint,
  ) {
    this.makes = endpoint.makes;
    this.dryRun = isDryRun(request);
    const given = request.headers['traceparent'];
    this.traceparent = typeof given === 'string' && TRACEPARENT.test(given) ? given : newTraceparent();
  }

  /** Proves to the services on whose behalf they are asked. */
  get token(): Promise<string> {
    return (this.#token ??= signActorToken(this.actor));
  }
}

const TRACEPARENT = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

function newTraceparent(): string {
  return `00-${randomBytes(16).toString('hex')}-${randomBytes(8).toString('hex')}-01`;
}

function isDryRun(request: FastifyRequest): boolean {
  const said = (request.query as Record<string, unknown>)['dryRun'];
  if (said === undefined || said === 'false') return false;
  if (said === 'true') return true;
  throw invalid('The query is not valid.', [{ path: 'dryRun', message: 'must be true or false' }]);
}

/** What the guards have found out about a request. */
export interface GatewayRequest extends FastifyRequest {
  /** Who calls, or why that is not known. */
  identity?: Actor | HoldfastError;
  caller?: Caller;
}

/** The {@link Caller} of a handler. */
export const ByCaller = createParamDecorator((_: unknown, context: ExecutionContext): Caller => {
  const { caller } = context.switchToHttp().getRequest<GatewayRequest>();
  if (!caller) throw new Error('This route is public: nobody is signed in.');
  return caller;
});

/** The path of a request without its query. */
export function pathOf(request: Pick<FastifyRequest, 'url'>): string {
  return request.url.split('?', 1)[0]!;
}
