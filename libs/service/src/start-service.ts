import { type DynamicModule, Global, type LoggerService, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { HealthCheckService, HealthIndicatorService, TerminusModule } from '@nestjs/terminus';
import fastify, { type FastifyInstance } from 'fastify';
import { type Delivery, HoldfastTransport, MessagingModule } from '#libs/messaging';
import { PersistenceModule } from '#libs/persistence';
import type { Config } from './config.js';
import { observeMessages, observeRequests } from './observe.js';
import { addProbes, Readiness, type ReadinessCheck } from './probes.js';
import { measureMessages, readinessChecks } from './readiness-checks.js';
import { CONFIG, type HttpApi, type Service } from './service.js';
import type { Tracing } from './tracing.js';
import { waitForMigrations } from './wait-for-migrations.js';

/** How to start a service within this process. */
export interface StartOptions {
  readonly config: Config;
  /** How its messages travel. It stays open when the service is closed. */
  readonly delivery: Delivery;
  readonly logger: LoggerService | false;
  /** The port of its HTTP server; null for none. */
  readonly port: number | null;
  /** What sends traces, if anything does. */
  readonly tracing?: Tracing | null;
  /** What else must be ready before its readiness probe says so: the other services of the process. */
  readonly alsoReady?: readonly ReadinessCheck[];
}

/** A service that takes messages and, if it has a server, requests. */
export interface RunningService {
  readonly service: string;
  /** `http://127.0.0.1:3000`, or null without a server. */
  readonly url: string | null;
  /** Its own readiness checks, each named after the service: `inventory.database`. */
  readonly checks: readonly ReadinessCheck[];
  /** Finishes what was begun, takes nothing new, closes its connections. */
  close(): Promise<void>;
}

/**
 * Starts a service in a Nest container of its own.
 *
 * @throws {StartupError} when its migrations do not run in time; what Nest, the database or the server throw when they cannot start.
 */
export async function startService(service: Service, options: StartOptions): Promise<RunningService> {
  await waitForMigrations(service.service, options.config.databaseUrl);
  return service.http === undefined ? await startWithoutApi(service, options) : await startWithApi(service, service.http, options);
}

async function startWithApi(service: Service, http: HttpApi, options: StartOptions): Promise<RunningService> {
  const { config, delivery, logger, port } = options;
  const adapter = new FastifyAdapter({ ...http.fastify });
  const app = await NestFactory.create<NestFastifyApplication>(rootModule(service, options), adapter, { logger, abortOnError: false });
  app.connectMicroservice({ strategy: app.get(HoldfastTransport) }, { inheritAppConfig: false });
  await http.configure(app, config);
  const checks = readinessChecks(service.service, app, delivery);
  const server: FastifyInstance = adapter.getInstance();
  observeRequests(server, options.tracing ?? null);
  addProbes(server, readiness(app, [...checks, ...(options.alsoReady ?? [])]));
  const stopMeasuring = measureMessages(service.service, app);
  await app.startAllMicroservices();
  if (port === null) await app.init();
  else await app.listen(port, config.host);
  return {
    service: service.service,
    url: port === null ? null : urlOf(server.server.address(), config.host),
    checks,
    close: async () => {
      stopMeasuring();
      await app.close();
    },
  };
}

async function startWithoutApi(service: Service, options: StartOptions): Promise<RunningService> {
  const { config, delivery, logger, port } = options;
  const app = await NestFactory.createMicroservice(rootModule(service, options), {
    inject: [HoldfastTransport],
    useFactory: (strategy: HoldfastTransport) => ({ strategy }),
    logger,
    abortOnError: false,
  });
  await app.listen();
  const checks = readinessChecks(service.service, app, delivery);
  const stopMeasuring = measureMessages(service.service, app);
  const server = port === null ? null : fastify();
  if (server !== null) {
    addProbes(server, readiness(app, [...checks, ...(options.alsoReady ?? [])]));
    await server.listen({ port: port!, host: config.host });
  }
  return {
    service: service.service,
    url: server === null ? null : urlOf(server.server.address(), config.host),
    checks,
    close: async () => {
      stopMeasuring();
      // The probes answer "not ready" while the service drains.
      await app.close();
      await server?.close();
    },
  };
}

function readiness(app: { get: NestFastifyApplication['get'] }, checks: readonly ReadinessCheck[]): Readiness {
  return new Readiness(app.get(HealthCheckService), app.get(HealthIndicatorService), checks);
}

/** What every module of a service can inject. */
@Global()
@Module({})
class Platform {}

function rootModule({ service, module, entities }: Service, { config, delivery, tracing = null }: StartOptions): DynamicModule {
  const { databaseUrl: url, poolSizeMax, drainTimeoutMs, amqpUserOrgs: brokerUserOrgs } = config;
  const platform: DynamicModule = {
    module: Platform,
    imports: [
      PersistenceModule.forService({ service, url, poolSizeMax, entities: [...(entities ?? [])], global: true }),
      MessagingModule.forService({ service, delivery, drainTimeoutMs, brokerUserOrgs, around: observeMessages(tracing) }),
      TerminusModule.forRoot({ logger: false }),
    ],
    providers: [{ provide: CONFIG, useValue: config }],
    exports: [CONFIG, TerminusModule],
  };
  return { module: class Root {}, imports: [platform, module] };
}

function urlOf(address: string | { port: number } | null, host: string): string {
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return `http://${host === '0.0.0.0' ? '127.0.0.1' : host}:${port}`;
}
