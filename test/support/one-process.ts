import { services } from '../../apps/standalone/src/services.js';
import type { ServiceName } from '#libs/contracts';
import { InProcessDelivery } from '#libs/messaging';
import { type Config, loadConfig, type RunningService, startService } from '#libs/service';
import { createTestDatabase, type TestDatabase } from '#libs/testing';

/** Services inside the test, as `npm start` runs them: on a database of their own, their messages delivered in process. */
export class OneProcess {
  readonly running: RunningService[] = [];

  private constructor(
    readonly database: TestDatabase,
    readonly delivery: InProcessDelivery,
  ) {}

  static async start(names: readonly ServiceName[], settings: Partial<Config> = {}): Promise<OneProcess> {
    const started = new OneProcess(await createTestDatabase(names), new InProcessDelivery());
    const { database, delivery, running } = started;
    const config = { ...loadConfig({ NODE_ENV: 'test' }), databaseUrl: database.url, rateLimit: 100_000, ...settings };
    for (const service of services.filter((one) => names.includes(one.service))) {
      const port = service.service === 'gateway' ? 0 : null;
      running.push(await startService(service, { config, delivery, logger: false, port }));
    }
    return started;
  }

  /** Of the gateway, which must be among the services. */
  get url(): string {
    return this.running.at(-1)!.url!;
  }

  async stop(): Promise<void> {
    for (const service of this.running.toReversed()) await service.close();
    await this.delivery.close();
    await this.database.drop();
  }
}
