import { Injectable } from '@nestjs/common';
import { authorise } from '#libs/auth';
import type { CallDefinition, RequestOf, ResponseOf } from '#libs/contracts';
import { HoldfastError, unavailable } from '#libs/domain';
import { RpcClient } from '#libs/messaging';
import type { Caller } from './caller.js';

/** The services behind the gateway, asked on behalf of a caller. */
@Injectable()
export class Services {
  constructor(private readonly rpc: RpcClient) {}

  /**
   * Makes a call, with the organisation, the actor, the made id and `dryRun` of the caller.
   *
   * @throws {HoldfastError} what the service answers; `FORBIDDEN` or `WAREHOUSE_FORBIDDEN` before it is asked; `UNAVAILABLE` when it does
   * not answer in time, with the id of what may have been made all the same.
   */
  async call<D extends CallDefinition>(definition: D, caller: Caller, request: RequestOf<D>): Promise<ResponseOf<D>> {
    const { actor, makes, madeId, dryRun, traceparent } = caller;
    const given = request as Record<string, unknown>;
    const made = makes === undefined ? {} : { [makes]: given[makes] ?? madeId };
    const asked = { ...(request as object), ...made, ...(dryRun ? { dryRun } : {}), orgId: actor.orgId } as RequestOf<D> & {
      orgId: string;
    };
    authorise(actor, definition, asked);
    try {
      return await this.rpc.call(definition, asked, { actor: await caller.token, traceparent });
    } catch (error) {
      if (!(error instanceof HoldfastError) || error.kind !== 'unavailable') throw error;
      throw unavailable(error.message, { ...error.details, ...made }, { cause: error });
    }
  }
}
