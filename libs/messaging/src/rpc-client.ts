import type { CallDefinition, RequestOf, ResponseOf } from '#libs/contracts';
import { HoldfastError, uuidv7, type WireError } from '#libs/domain';
import type { Delivery } from './delivery.js';

export interface CallOptions {
  /** How long to wait for the answer, and how long the call may wait to be begun; default 5,000. */
  readonly timeoutMs?: number;
  /** A token of the gateway that says on whose behalf; without it the service speaks for itself. */
  readonly actor?: string | undefined;
  /** Who is recorded as having done it, where there is no token. */
  readonly onBehalfOf?: string | undefined;
  readonly traceparent?: string | undefined;
}

const TIMEOUT_MS = 5_000;

/** The answer to a call, as NestJS clients speak it. */
export interface ReplyPacket {
  readonly id?: unknown;
  readonly response?: unknown;
  readonly err?: WireError;
  readonly isDisposed: true;
}

/** Calls other services. */
export class RpcClient {
  constructor(private readonly delivery: Delivery) {}

  /**
   * Makes a call and waits for its answer.
   *
   * @throws {HoldfastError} the other service's, as it threw it; kind `unavailable` when there is no answer in time. The call may have
   * been executed all the same.
   */
  async call<D extends CallDefinition>(
    definition: D,
    request: RequestOf<D> & { orgId: string },
    options: CallOptions = {},
  ): Promise<ResponseOf<D>> {
    const { timeoutMs = TIMEOUT_MS, actor, onBehalfOf, traceparent } = options;
    const { service, pattern } = definition;
    const id = uuidv7();
    // What is undefined is left out of the JSON.
    const data = { ...request, actor, onBehalfOf };
    const body = Buffer.from(JSON.stringify({ pattern, id, data }));
    const answer = await this.delivery.call({ id, service, body, timeoutMs, traceparent });
    const reply = JSON.parse(answer.toString()) as ReplyPacket;
    if (reply.err !== undefined) throw HoldfastError.fromWire(reply.err);
    return reply.response;
  }
}
