import { setTimeout as delay } from 'node:timers/promises';
import 'reflect-metadata';
import { Controller, Get, Inject, Logger, Module } from '@nestjs/common';
import { SettingsGet, type StockSettings } from '#libs/contracts';
import { InProcessDelivery, type MessageContext, OnCall, RpcClient } from '#libs/messaging';
import { Database } from '#libs/persistence';
import { createTestDatabase, type TestDatabase } from '#libs/testing';
import { loadConfig } from './config.js';
import { CONFIG, type Config, type Service } from './index.js';
import { type RunningService, startService, type StartOptions } from './start-service.js';
import { waitForMigrations } from './wait-for-migrations.js';

@Controller()
class Answering {
  constructor(private readonly database: Database) {}

  @OnCall(SettingsGet)
  async get({ orgId }: { orgId: string }, { actor }: MessageContext): Promise<StockSettings> {
    const [row] = await this.database.transaction([orgId], (tx) => tx.rows<{ schema: string }>('select current_schema() as schema'));
    return { currency: `${row!.schema} for ${actor.orgId}` } as StockSettings;
  }
}

@Controller()
class Asking {
  constructor(
    private readonly rpc: RpcClient,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  @Get('ask')
  async ask() {
    const { currency } = await this.rpc.call(SettingsGet, { orgId: 'acme' });
    return { currency, port: this.config.port };
  }
}

@Module({ controllers: [Answering] })
class AnsweringModule {}
@Module({ controllers: [Asking] })
class AskingModule {}

const answering: Service = { service: 'inventory', module: AnsweringModule };
const asking: Service = { service: 'gateway', module: AskingModule, http: { configure: (app) => void app.setGlobalPrefix('api') } };

describe('startService', () => {
  let database: TestDatabase;
  let options: StartOptions;
  const running: RunningService[] = [];

  beforeAll(async () => {
    Logger.overrideLogger(false);
    database = await createTestDatabase(['inventory', 'gateway']);
    const config = loadConfig({ DATABASE_URL: database.url });
    options = { config, delivery: new InProcessDelivery(), logger: false, port: 0 };
  });
  afterEach(async () => {
    for (const service of running.splice(0).reverse()) await service.close();
  });
  afterAll(() => database.drop());

  async function start(service: Service, more: Partial<StartOptions> = {}): Promise<RunningService> {
    const started = await startService(service, { ...options, ...more });
    running.push(started);
    return started;
  }

  it('runs services in one process, each with its own schema, and answers the probes of all', async () => {
    const inventory = await start(answering, { port: null });
    const gateway = await start(asking, { alsoReady: inventory.checks });

    expect(await json(`${gateway.url}/api/ask`)).toEqual({ currency: 'inventory for acme', port: 3000 });

    const ready = await fetch(`${gateway.url}/health/ready`);
    expect(ready.status).toBe(200);
    const { details } = (await ready.json()) as { details: Record<string, unknown> };
    expect(Object.keys(details).sort()).toEqual(
      ['gateway', 'inventory'].flatMap((name) => ['broker', 'database', 'migrations', 'outbox'].map((check) => `${name}.${check}`)),
    );
    expect(await (await fetch(`${gateway.url}/metrics`)).text()).toMatch(
      /outbox_lag_seconds{service="inventory"} 0[^]*parked_messages{service="gateway"} 0/,
    );
  });

  it('gives a service without an HTTP API a server for its probes', async () => {
    const inventory = await start(answering);
    expect(await json(`${inventory.url}/health/ready`)).toMatchObject({ status: 'ok', error: {} });
    expect((await fetch(`${inventory.url}/other`)).status).toBe(404);
  });

  it('is not ready when a migration is missing', async () => {
    const inventory = await start(answering);
    const ran = await database.rows<{ name: string }>('delete from inventory.schema_migration returning *');
    const ready = await fetch(`${inventory.url}/health/ready`);
    const body = (await ready.json()) as { error: Record<string, { message: string }> };
    await database.rows(
      'insert into inventory.schema_migration select * from json_populate_recordset(null::inventory.schema_migration, $1)',
      [JSON.stringify(ran)],
    );
    expect(ready.status).toBe(503);
    expect(body.error['inventory.migrations']!.message).toContain('pending: messaging/0001');
  });

  it('leaves no connection behind', async () => {
    const gateway = await startService(asking, options);
    await gateway.close();
    // The server notices the end of a connection a moment after us.
    const left = () =>
      database.rows(
        `select application_name from pg_stat_activity where datname = current_database() and application_name like 'holdfast%'`,
      );
    for (let tries = 0; tries < 50 && (await left()).length > 0; tries++) await delay(20);
    expect(await left()).toEqual([]);
  });

  it('says what to do when nothing has been migrated', async () => {
    await expect(waitForMigrations('inventory', database.url.replace(/[^/]+$/, 'holdfast_no_such_database'), 10)).rejects.toThrow(
      'The database has no tables of inventory yet. Run "npm run migrate".',
    );
    await expect(waitForMigrations('orders', database.url, 10)).rejects.toThrow('The database has no tables of orders yet.');
  });

  async function json(url: string): Promise<unknown> {
    return (await fetch(url)).json();
  }
});
