import { connect } from 'amqplib';
import { build } from '../../apps/standalone/src/test-process.js';
import { SERVICE_NAMES } from '../../apps/standalone/src/service-names.js';
import { allEvents, CALLS_EXCHANGE, EVENTS_EXCHANGE, type ServiceName } from '#libs/contracts';
import { signActorToken } from '#libs/auth';
import { RETRY_DELAYS_MS } from '#libs/messaging';
import { createTestDatabase, testBrokerUrl, type TestDatabase, testPrefix } from '#libs/testing';
import { eventually } from './eventually.js';
import { Outsider } from './outsider.js';
import { type App, ServiceProcess } from './service-process.js';

/**
 * A Holdfast of one test: a database and names on the broker of its own, and the processes that work on them. What it started is ended by
 * {@link Installation.remove}, and what it made is removed.
 */
export class Installation {
  readonly #processes = new Set<ServiceProcess>();
  readonly #outsiders: Outsider[] = [];

  private constructor(
    private readonly apps: readonly App[],
    readonly database: TestDatabase,
    readonly prefix: string,
  ) {}

  static async make(apps: readonly App[] = ['inventory', 'orders']): Promise<Installation> {
    build();
    const installation = new Installation(apps, await createTestDatabase(apps), testPrefix());
    await installation.#keepForOthers(SERVICE_NAMES.filter((name) => !apps.includes(name)));
    return installation;
  }

  /** What a service of it needs to know. */
  environment(): Record<string, string> {
    return {
      NODE_ENV: 'test',
      DATABASE_URL: this.database.url,
      AMQP_URL: testBrokerUrl(),
      HOLDFAST_MESSAGING_PREFIX: this.prefix,
      HOLDFAST_AUTH: 'dev',
      HOLDFAST_POOL_SIZE: '5',
      HOLDFAST_RATE_LIMIT: '100000',
      HOLDFAST_HEALTH_PORT: '0',
      PORT: '0',
      LOG_LEVEL: process.env['HOLDFAST_TEST_LOG'] ?? 'fatal',
    };
  }

  /** Starts a process without waiting until it is ready. */
  begin(app: App | 'embedded', env: Readonly<Record<string, string>> = {}): ServiceProcess {
    const environment = { ...this.environment(), ...env };
    const process = app === 'embedded' ? ServiceProcess.beginEmbedded(environment) : ServiceProcess.begin(app, environment);
    this.#processes.add(process);
    void process.ended.then(() => this.#processes.delete(process));
    return process;
  }

  /** Starts a process; resolves when it takes messages. */
  async start(app: App | 'embedded', env: Readonly<Record<string, string>> = {}): Promise<ServiceProcess> {
    const process = this.begin(app, env);
    await process.untilReady();
    return process;
  }

  /**
   * Replaces a process by one that dies at the point as soon as it gets there. Not before all that was said has been heard: otherwise it
   * would die of that, before it is ready.
   */
  async replaceByMortal(living: ServiceProcess, point: string): Promise<ServiceProcess> {
    const app = living.name as App;
    for (;;) {
      if (!(await eventually(() => this.#isQuiet()))) throw new Error('What was said is not heard.');
      await living.stop();
      // What it was still doing may have made others say something to it.
      if (await this.#isQuiet()) break;
      living = await this.start(app);
    }
    const mortal = this.begin(app, { HOLDFAST_CRASH_AT: `${app}:${point}` });
    await mortal.untilReady();
    return mortal;
  }

  async outsider(): Promise<Outsider> {
    const outsider = await Outsider.connect(testBrokerUrl(), this.prefix);
    this.#outsiders.push(outsider);
    return outsider;
  }

  /** Gives an organisation a warehouse and stock, `{ apple: 50 }`, as its administrator would. */
  async stockUp(outsider: Outsider, orgId: string, stock: Readonly<Record<string, number>>, warehouseId = 'main'): Promise<void> {
    const actor = await signActorToken({ userId: 'tester', orgId, roles: ['admin'], warehouses: null });
    const call = async (pattern: string, data: object) => {
      const { err } = await outsider.call('inventory', pattern, { ...data, orgId, actor }, 20_000);
      if (err !== undefined) throw new Error(`${pattern}: ${err.code}: ${err.message}`);
    };
    await call('warehouses.create', { warehouseId, name: warehouseId });
    for (const itemId of Object.keys(stock)) await call('items.create', { itemId, name: itemId, unitPrice: '1' });
    const lines = Object.entries(stock).map(([itemId, quantity]) => ({ itemId, quantity: String(quantity), unitCost: '1' }));
    await call('receipts.post', { receiptId: `initial-${warehouseId}`, warehouseId, lines });
  }

  async remove(): Promise<void> {
    for (const process of this.#processes) process.kill();
    await Promise.all([...this.#processes].map((process) => process.ended));
    await Promise.all(this.#outsiders.map((outsider) => outsider.close().catch(() => {})));
    await this.#removeFromBroker();
    await this.database.drop();
  }

  /** Services that a test does without are as if they were down: their queues are there, and what they must hear of is kept for them. */
  async #keepForOthers(services: readonly ServiceName[]): Promise<void> {
    const connection = await connect(testBrokerUrl());
    const channel = await connection.createChannel();
    const exchange = `${this.prefix}.${EVENTS_EXCHANGE}`;
    await channel.assertExchange(exchange, 'topic', { durable: true });
    for (const service of services) {
      const types = typesHeardBy(service);
      if (types.length === 0) continue;
      const { queue } = await channel.assertQueue(`${this.prefix}.${service}.events`, { arguments: { 'x-queue-type': 'quorum' } });
      for (const { type } of types) await channel.bindQueue(queue, exchange, `${type}.*`);
    }
    await connection.close();
  }

  /** Whether all that the services said was sent, and taken by whoever hears it. */
  async #isQuiet(): Promise<boolean> {
    for (const app of this.apps) {
      if (app !== 'gateway' && (await this.database.rows(`select id from ${app}.outbox limit 1`)).length > 0) return false;
    }
    const connection = await connect(testBrokerUrl());
    try {
      const channel = await connection.createChannel();
      const listeners = this.apps.filter((app) => typesHeardBy(app).length > 0);
      const queues = await Promise.all(listeners.map((name) => channel.checkQueue(`${this.prefix}.${name}.events`)));
      return queues.every(({ messageCount }) => messageCount === 0);
    } finally {
      await connection.close();
    }
  }

  async #removeFromBroker(): Promise<void> {
    const connection = await connect(testBrokerUrl());
    const channel = await connection.createChannel();
    for (const app of SERVICE_NAMES) {
      for (const name of ['events', 'rpc', ...RETRY_DELAYS_MS.map((delayMs) => `retry.${delayMs}`)]) {
        await channel.deleteQueue(`${this.prefix}.${app}.${name}`);
      }
    }
    await channel.deleteQueue(`${this.prefix}.holdfast.parked`);
    for (const name of [EVENTS_EXCHANGE, CALLS_EXCHANGE]) await channel.deleteExchange(`${this.prefix}.${name}`);
    await connection.close();
  }
}

const typesHeardBy = (service: ServiceName) => allEvents().filter(({ consumers }) => consumers.includes(service));
