import { inventory } from '#apps/inventory';
import { orders } from '#apps/orders';
import { type Actor, signActorToken } from '#libs/auth';
import type { CallDefinition, RequestOf, ResponseOf } from '#libs/contracts';
import { InProcessDelivery, RpcClient } from '#libs/messaging';
import { loadConfig, type RunningService, startService } from '#libs/service';
import { createTestDatabase, type TestDatabase } from '#libs/testing';

/** Inventory and orders in this process, on a database of their own, called as the gateway calls them. */
export class StockAndOrders {
  private constructor(
    readonly database: TestDatabase,
    private readonly delivery: InProcessDelivery,
    private readonly services: readonly RunningService[],
  ) {}

  static async start(): Promise<StockAndOrders> {
    const database = await createTestDatabase(['inventory', 'orders']);
    const delivery = new InProcessDelivery();
    const config = { ...loadConfig({ NODE_ENV: 'test' }), databaseUrl: database.url };
    const services: RunningService[] = [];
    for (const service of [inventory, orders]) services.push(await startService(service, { config, delivery, logger: false, port: null }));
    return new StockAndOrders(database, delivery, services);
  }

  /** Calls on behalf of a person, an administrator unless said otherwise. */
  async call<D extends CallDefinition>(
    definition: D,
    request: RequestOf<D> & { orgId: string },
    actor: Partial<Actor> = {},
  ): Promise<ResponseOf<D>> {
    const token = await signActorToken({ userId: 'tester', orgId: request.orgId, roles: ['admin'], warehouses: null, ...actor });
    return await new RpcClient(this.delivery).call(definition, request, { actor: token });
  }

  async stop(): Promise<void> {
    for (const service of this.services) await service.close();
    await this.delivery.close();
    await this.database.drop();
  }
}
