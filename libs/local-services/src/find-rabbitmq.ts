import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDockerUsable, startDockerRabbitmq } from './docker-rabbitmq.js';
import { installRabbitmq } from './install-rabbitmq.js';
import type { LocalService, Log } from './local-service.js';
import { LocalServiceError, reasonOf, withoutPassword } from './local-service.js';
import { startPrivateRabbitmq } from './private-rabbitmq.js';
import { findProgram, searchPath } from './processes.js';
import { tryBroker } from './try-broker.js';

export interface FindRabbitmqOptions {
  /** Where a private broker keeps its data; without it the data goes with the broker. */
  readonly dataDir?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly log?: Log;
  /** Where `rabbitmq-server` lies besides the search path. */
  readonly serverFolders?: readonly string[];
}

const TIMEOUT_MS = 5_000;
/** Debian's wrapper on the search path works for root only; what it wraps works for everybody. */
const BEFORE_PATH = ['/usr/lib/rabbitmq/bin'];
/** Folders that are on the path of root only, and of Homebrew. */
const AFTER_PATH = [
  '/usr/sbin',
  '/usr/local/sbin',
  '/opt/homebrew/sbin',
  '/opt/homebrew/opt/rabbitmq/sbin',
  '/usr/local/opt/rabbitmq/sbin',
];

/**
 * Finds a RabbitMQ, in this order: `AMQP_URL`; the standard port of this machine (`HOLDFAST_LOCAL_AMQP_PORT`, default 5672, 0 to skip it),
 * when it lets `guest` in; else a private one, from `rabbitmq-server` on the path, else in a container, else after an installation with
 * `apt-get`.
 *
 * @throws {LocalServiceError} when `AMQP_URL` is set and does not work, or there is no way left; says what to do.
 */
export async function findRabbitmq(options: FindRabbitmqOptions = {}): Promise<LocalService> {
  const { env = process.env, log = () => {} } = options;
  const configured = env['AMQP_URL'];
  if (configured !== undefined && configured !== '') {
    const product = await tryBroker(configured, TIMEOUT_MS).catch((error: unknown) => {
      throw new LocalServiceError(`AMQP_URL (${withoutPassword(configured)}) cannot be used: ${reasonOf(error)}.`, { cause: error });
    });
    return found(configured, product);
  }
  const port = Number(env['HOLDFAST_LOCAL_AMQP_PORT'] ?? 5672);
  if (port > 0) {
    const url = `amqp://guest:guest@127.0.0.1:${port}`;
    const product = await tryBroker(url, TIMEOUT_MS).catch((error: unknown) => {
      log(`No RabbitMQ to use on 127.0.0.1:${port} (${reasonOf(error)}); starting a private one.`);
    });
    if (product !== undefined) return found(url, product);
  }
  const started = (await startFromProgram(options, env)) ?? (await startFromDocker(options.dataDir, env));
  if (started !== undefined) return started;
  if (await installRabbitmq(env, log)) {
    const installed = await startFromProgram(options, env);
    if (installed !== undefined) return installed;
  }
  throw new LocalServiceError(
    'RabbitMQ is missing: nobody answers at 127.0.0.1:5672, "rabbitmq-server" is not installed, and Docker does not run. ' +
      'Do one of these: set AMQP_URL, install RabbitMQ (www.rabbitmq.com), or start Docker. "npm start" needs none of them.',
  );
}

function found(url: string, product: string): LocalService {
  return { url, description: `${product} on ${new URL(url).host}`, stop: async () => {} };
}

async function startFromProgram(options: FindRabbitmqOptions, env: NodeJS.ProcessEnv): Promise<LocalService | undefined> {
  const folders = options.serverFolders ?? [...BEFORE_PATH, ...searchPath(env), ...AFTER_PATH];
  const program = await findProgram('rabbitmq-server', folders);
  if (program === undefined) return undefined;
  const { dataDir } = options;
  if (dataDir !== undefined) return await startPrivateRabbitmq({ program, dataDir: join(dataDir, 'rabbitmq'), durable: true, env });
  const temporary = await mkdtemp(join(tmpdir(), 'holdfast-rabbitmq-'));
  return await startPrivateRabbitmq({ program, dataDir: temporary, durable: false, env });
}

async function startFromDocker(dataDir: string | undefined, env: NodeJS.ProcessEnv): Promise<LocalService | undefined> {
  return (await isDockerUsable(env)) ? await startDockerRabbitmq(dataDir, env) : undefined;
}
