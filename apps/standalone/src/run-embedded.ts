import { resolve } from 'node:path';
import { Logger } from '@nestjs/common';
import { type LocalService, LocalServiceError, startEmbeddedPostgres } from '#libs/local-services';
import { InProcessDelivery } from '#libs/messaging';
import {
  type Config,
  createLogger,
  endsOnSignal,
  explainStartupFailure,
  loadConfig,
  logFormat,
  NestLogger,
  type RunningService,
  type Service,
  startService,
  type StartOptions,
  startTracing,
} from '#libs/service';
import { migrateAll } from './migrate-all.js';
import { refuseTakenPort } from './refuse-taken-port.js';
import { printWelcome } from './welcome.js';

/**
 * `npm start`: all services in this process, on a PostgreSQL of its own, with messages handed over in process. What prevents the start
 * is told in one line, with exit code 1.
 */
export async function runEmbedded(): Promise<void> {
  const began = performance.now();
  let postgres: LocalService | undefined;
  const running: RunningService[] = [];
  const delivery = new InProcessDelivery();
  try {
    const ownConfig = loadConfig({ ...process.env, DATABASE_URL: undefined, AMQP_URL: undefined });
    const logger = new NestLogger(await createLogger({ service: 'holdfast', level: ownConfig.logLevel, format: logFormat() }));
    Logger.overrideLogger(logger);
    await refuseTakenPort(ownConfig);
    // The code of the services is loaded while PostgreSQL starts.
    const [database, { services }, tracing] = await Promise.all([
      startEmbeddedPostgres({ dataDir: resolve(ownConfig.dataDirectory), onExit: giveUp }),
      import('./services.js'),
      startTracing('standalone', ownConfig),
    ]);
    postgres = database;
    const config: Config = { ...ownConfig, databaseUrl: database.url };
    await migrateAll(config.databaseUrl);
    running.push(...(await startAll(services, { config, delivery, logger, tracing })));
    const end = async () => {
      await stopAll(running, delivery, postgres);
      await tracing?.stop();
    };
    endsOnSignal(config.drainTimeoutMs, end, (line) => logger.log(line, 'Holdfast'));
    const url = running.at(-1)!.url!;
    const data = `${resolve(config.dataDirectory)} (${database.description})`;
    await printWelcome({ url, config, data, seconds: (performance.now() - began) / 1000 });
    process.send?.({ ready: url });
  } catch (error) {
    await stopAll(running, delivery, postgres);
    const line = error instanceof LocalServiceError ? error.message : explainStartupFailure(error);
    console.error(`Holdfast cannot start: ${line}`);
    process.exit(1);
  }
}

/** All but the last at once; the last has the HTTP server, and answers the probes for all. */
async function startAll(services: readonly Service[], options: Omit<StartOptions, 'port'>): Promise<RunningService[]> {
  const behind = await Promise.all(services.slice(0, -1).map((service) => startService(service, { ...options, port: null })));
  const alsoReady = behind.flatMap(({ checks }) => checks);
  return [...behind, await startService(services.at(-1)!, { ...options, port: options.config.port, alsoReady })];
}

/** First who takes requests, then who works for them, then what all stand on. */
async function stopAll(running: RunningService[], delivery: InProcessDelivery, postgres: LocalService | undefined): Promise<void> {
  for (const service of running.splice(0).reverse()) await service.close();
  await delivery.close();
  await postgres?.stop();
}

function giveUp(reason: string): void {
  console.error(`Holdfast ends: ${reason}`);
  process.exit(1);
}
