import { type Actor, signActorToken } from '#libs/auth';
import type { CallDefinition, RequestOf, ResponseOf } from '#libs/contracts';
import { RpcClient } from '#libs/messaging';
import type { TestDatabase } from '#libs/testing';
import { OneProcess } from './one-process.js';

/** Inventory and orders in this process, on a database of their own, called as the gateway calls them. */
export class StockAndOrders {
  private constructor(private readonly holdfast: OneProcess) {}

  static async start(): Promise<StockAndOrders> {
    return new StockAndOrders(await OneProcess.start(['inventory', 'orders']));
  }

  get database(): TestDatabase {
    return this.holdfast.database;
  }

  /** Calls on behalf of a person, an administrator unless said otherwise. */
  async call<D extends CallDefinition>(
    definition: D,
    request: RequestOf<D> & { orgId: string },
    actor: Partial<Actor> = {},
  ): Promise<ResponseOf<D>> {
    const token = await signActorToken({ userId: 'tester', orgId: request.orgId, roles: ['admin'], warehouses: null, ...actor });
    return await new RpcClient(this.holdfast.delivery).call(definition, request, { actor: token });
  }

  async stop(): Promise<void> {
    await this.holdfast.stop();
  }
}
