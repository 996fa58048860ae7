import { type Actor, signActorToken } from '#libs/auth';
import type { CallDefinition, RequestOf, ResponseOf } from '#libs/contracts';
import { InProcessDelivery, RpcClient } from '#libs/messaging';
import { type Config, loadConfig, type Service, startService } from '#libs/service';
import { createTestDatabase, type TestDatabase } from './test-database.js';

/** A service that runs inside the test, on a database of its own, its messages delivered in process. */
export interface TestService {
  readonly database: TestDatabase;
  readonly delivery: InProcessDelivery;
  /** Makes a call as the gateway does; by default on behalf of an administrator of the request's organisation. */
  call<D extends CallDefinition>(
    definition: D,
    request: RequestOf<D> & { readonly orgId: string },
    actor?: Partial<Actor>,
  ): Promise<ResponseOf<D>>;
  /** Ends it and drops the database. */
  stop(): Promise<void>;
}

/** Starts a service as its own process would, without a broker. */
export async function startTestService(service: Service, settings: Partial<Config> = {}): Promise<TestService> {
  const database = await createTestDatabase([service.service]);
  const delivery = new InProcessDelivery();
  const config = { ...loadConfig({ NODE_ENV: 'test' }), databaseUrl: database.url, ...settings };
  const running = await startService(service, { config, delivery, logger: false, port: null }).catch(async (error: unknown) => {
    await database.drop();
    throw error;
  });
  const client = new RpcClient(delivery);
  return {
    database,
    delivery,
    call: async (definition, request, actor) => {
      const token = await signActorToken({ userId: 'tester', orgId: request.orgId, roles: ['admin'], warehouses: null, ...actor });
      return await client.call(definition, request, { actor: token });
    },
    stop: async () => {
      await running.close();
      await delivery.close();
      await database.drop();
    },
  };
}
