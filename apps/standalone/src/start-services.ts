import { join, resolve } from 'node:path';
import { findPostgres, findRabbitmq, type LocalService, LocalServiceError } from '#libs/local-services';
import { endsOnSignal, explainStartupFailure, loadConfig, readSecretFiles } from '#libs/service';
import { migrateAll } from './migrate-all.js';
import { refuseTakenPort } from './refuse-taken-port.js';
import { SERVICE_NAMES } from './service-names.js';
import { type App, supervise, type Supervised } from './supervise.js';
import { printWelcome } from './welcome.js';

/**
 * `npm run start:services`: one process per app, over RabbitMQ and PostgreSQL, which are found or started; one log stream, one Ctrl-C.
 */
const COLOURS: Readonly<Record<string, number>> = {
  inventory: 32,
  orders: 36,
  approvals: 33,
  notifications: 34,
  reconciliation: 31,
  gateway: 35,
};
const NAME_WIDTH = 14;
/** An app that has not ended after this is killed. It is longer than an app's own limit. */
const DRAIN_TIMEOUT_MS = 30_000;
const started: LocalService[] = [];
let apps: Supervised | undefined;

try {
  await start();
} catch (error) {
  await stopAll();
  console.error(`Holdfast cannot start: ${error instanceof LocalServiceError ? error.message : explainStartupFailure(error)}`);
  process.exit(1);
}

async function start(): Promise<void> {
  const began = performance.now();
  readSecretFiles();
  const config = loadConfig();
  await refuseTakenPort(config);
  const say = (line: string) => print('start', line);
  const dataDir = resolve(config.dataDirectory, 'services');
  const [postgres, rabbitmq] = await Promise.all([track(findPostgres({ dataDir, log: say })), track(findRabbitmq({ dataDir, log: say }))]);
  say(`${postgres.description}; ${rabbitmq.description}`);
  const applied = await migrateAll(postgres.url);
  if (applied.length > 0) say(`Migrated: ${applied.join(', ')}`);
  const env = {
    DATABASE_URL: postgres.url,
    AMQP_URL: rabbitmq.url,
    HOLDFAST_AUTH: config.auth.mode,
    HOLDFAST_HEALTH_PORT: process.env['HOLDFAST_HEALTH_PORT'] ?? '0',
    LOG_FORMAT: process.stdout.isTTY ? 'pretty' : (process.env['LOG_FORMAT'] ?? 'json'),
    ...(process.stdout.isTTY ? { FORCE_COLOR: '1' } : {}),
  };
  const all = SERVICE_NAMES.map((name): App => ({ name, entry: join(import.meta.dirname, '../..', name, 'src/main.js'), env }));
  apps = supervise(all, print);
  endsOnSignal(2 * DRAIN_TIMEOUT_MS, stopAll, say);
  const url = (await apps.ready).get('gateway')!;
  void apps.ended.then(async (reason) => {
    if (reason === null) return;
    await stopAll();
    console.error(`Holdfast ends: ${reason}`);
    process.exit(1);
  });
  const data = `${postgres.description}; messages: ${rabbitmq.description}`;
  await printWelcome({ url, config, data, seconds: (performance.now() - began) / 1000 });
}

async function track(finding: Promise<LocalService>): Promise<LocalService> {
  const service = await finding;
  started.push(service);
  return service;
}

/** First the apps, then what they stand on. */
async function stopAll(): Promise<void> {
  await apps?.stop(DRAIN_TIMEOUT_MS);
  await Promise.all(started.splice(0).map((service) => service.stop()));
}

function print(app: string, line: string): void {
  const name = app.padEnd(NAME_WIDTH);
  console.log(process.stdout.isTTY ? `\x1b[${COLOURS[app] ?? 90}m${name}\x1b[0m ${line}` : `${name} ${line}`);
}
