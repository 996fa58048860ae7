import { Logger } from '@nestjs/common';
import { RabbitDelivery } from '#libs/messaging';
import { type Config, loadConfig, readSecretFiles } from './config.js';
import { endsOnSignal } from './ends-on-signal.js';
import { createLogger, logFormat, NestLogger } from './logger.js';
import { collectProcessMetrics } from './metrics.js';
import type { Service } from './service.js';
import { startService } from './start-service.js';
import { explainStartupFailure, StartupError } from './startup-error.js';
import { startTracing } from './tracing.js';

/**
 * Runs a service as this process, over RabbitMQ and PostgreSQL, until it is told to end. For an app's `main.ts`.
 *
 * What prevents the start is told in one line, with exit code 1. On SIGTERM, SIGINT or the end of the process that started it, it
 * takes nothing new, finishes what it has begun, and ends with exit code 0.
 */
export async function runService(service: Service): Promise<void> {
  try {
    await run(service);
  } catch (error) {
    process.stderr.write(`${service.service} cannot start: ${explainStartupFailure(error)}\n`);
    process.exit(1);
  }
}

async function run(service: Service): Promise<void> {
  readSecretFiles();
  const config = loadConfig();
  const logger = new NestLogger(await createLogger({ service: service.service, level: config.logLevel, format: logFormat() }));
  Logger.overrideLogger(logger);
  const tracing = await startTracing(service.service, config);
  collectProcessMetrics();
  const delivery = await openDelivery(service, config);
  const port = service.http === undefined ? config.healthPort : config.port;
  const running = await startService(service, { config, delivery, logger, tracing, port });
  const end = async () => {
    await running.close();
    await delivery.close();
    await tracing?.stop();
  };
  endsOnSignal(config.drainTimeoutMs, end, (line) => logger.log(line, 'Service'));
  logger.log(running.url === null ? 'Ready' : `Ready at ${running.url}`, 'Service');
  // To the parent process, where there is one.
  process.send?.({ ready: running.url });
}

async function openDelivery({ service }: Service, { amqpUrl: url, messagingPrefix: prefix }: Config): Promise<RabbitDelivery> {
  try {
    return await RabbitDelivery.open({ url, name: `holdfast-${service}`, ...(prefix === null ? {} : { prefix }) });
  } catch (error) {
    // The broker is there or not, lets us in or not: nothing of that is a defect.
    throw new StartupError(`${error instanceof Error ? error.message : String(error)}. Check AMQP_URL.`, { cause: error });
  }
}
