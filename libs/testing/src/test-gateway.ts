import type { Role } from '#libs/auth';
import { InProcessDelivery } from '#libs/messaging';
import { type Config, loadConfig, type Service, startService } from '#libs/service';
import { StubService } from './stub-service.js';
import { createTestDatabase, type TestDatabase } from './test-database.js';

/** What a test sends beside method and path. */
export interface TestRequest {
  readonly token?: string | undefined;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Sent as it is. */
  readonly text?: string;
}

export interface TestResponse {
  readonly status: number;
  readonly headers: Headers;
  /** The JSON of the answer; undefined when it has none. */
  readonly body: Record<string, unknown>;
}

/** A gateway that listens on a port of its own, on a database of its own; the services behind it are stubs. */
export interface TestGateway {
  readonly url: string;
  readonly database: TestDatabase;
  readonly delivery: InProcessDelivery;
  readonly inventory: StubService;
  readonly orders: StubService;
  readonly approvals: StubService;
  readonly notifications: StubService;
  readonly reconciliation: StubService;
  /** `path` below `/api/v1`, or from the root when it starts with `//`. */
  send(method: string, path: string, request?: TestRequest): Promise<TestResponse>;
  /** A development token. */
  token(orgId: string, userId: string, roles: readonly Role[], warehouses?: readonly string[]): Promise<string>;
  stop(): Promise<void>;
}

export async function startTestGateway(gateway: Service, settings: Partial<Config> = {}): Promise<TestGateway> {
  const database = await createTestDatabase([gateway.service]);
  const delivery = new InProcessDelivery();
  const inventory = await StubService.start(delivery, 'inventory');
  const orders = await StubService.start(delivery, 'orders');
  const approvals = await StubService.start(delivery, 'approvals');
  const notifications = await StubService.start(delivery, 'notifications');
  const reconciliation = await StubService.start(delivery, 'reconciliation');
  const config = { ...loadConfig({ NODE_ENV: 'test' }), databaseUrl: database.url, rateLimit: 100_000, ...settings };
  const running = await startService(gateway, { config, delivery, logger: false, port: 0 }).catch(async (error: unknown) => {
    await database.drop();
    throw error;
  });
  const url = running.url!;
  const send: TestGateway['send'] = async (method, path, { token, headers, body, text } = {}) => {
    const payload = text ?? (body === undefined ? undefined : JSON.stringify(body));
    const response = await fetch(path.startsWith('//') ? url + path.slice(1) : `${url}/api/v1${path}`, {
      method,
      headers: {
        ...(payload === undefined ? {} : { 'content-type': 'application/json' }),
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...headers,
      },
      ...(payload === undefined ? {} : { body: payload }),
    });
    const answer = await response.text();
    const isJson = /json/.test(response.headers.get('content-type') ?? '');
    const parsed: unknown = isJson && answer !== '' ? JSON.parse(answer) : undefined;
    return { status: response.status, headers: response.headers, body: parsed as Record<string, unknown> };
  };
  return {
    url,
    database,
    delivery,
    inventory,
    orders,
    approvals,
    notifications,
    reconciliation,
    send,
    token: async (orgId, userId, roles, warehouses) => {
      const { body } = await send('POST', '/auth/token', { body: { orgId, userId, roles, ...(warehouses ? { warehouses } : {}) } });
      return body['accessToken'] as string;
    },
    stop: async () => {
      await running.close();
      await inventory.stop();
      await orders.stop();
      await approvals.stop();
      await notifications.stop();
      await reconciliation.stop();
      await delivery.close();
      await database.drop();
    },
  };
}
