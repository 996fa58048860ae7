import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdir, open, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { LocalService } from './local-service.js';
import { LocalServiceError } from './local-service.js';
import {
  commandOf,
  findProgram,
  freePort,
  guard,
  hasEnded,
  hasStarted,
  runCommand,
  searchPath,
  signalProcess,
  until,
} from './processes.js';
import { tryBroker } from './try-broker.js';

export interface PrivateRabbitmqOptions {
  /** The program `rabbitmq-server`. */
  readonly program: string;
  /** Holds everything that the broker writes. */
  readonly dataDir: string;
  /** False: the data does not outlive the broker (for tests), and is removed with `dataDir`. */
  readonly durable: boolean;
  readonly env: NodeJS.ProcessEnv;
}

const START_TIMEOUT_MS = 120_000;
const STOP_TIMEOUT_MS = 30_000;
/** How long a broker whose owner was killed may take to end. */
const ORPHAN_TIMEOUT_MS = 20_000;

/**
 * Starts a RabbitMQ beside any that the machine runs: with ports, node name, data, cookie and port mapper (epmd) of its own, and no plugins.
 * Takes about five seconds. It ends with us, also when we are killed.
 */
export async function startPrivateRabbitmq({ program, durable, ...options }: PrivateRabbitmqOptions): Promise<LocalService> {
  const dataDir = resolve(options.dataDir);
  await mkdir(dataDir, { recursive: true });
  await refuseSecond(dataDir);
  const [port, distributionPort, mapperPort] = [await freePort(), await freePort(), await freePort()];
  const env = await configure(dataDir, { port, distributionPort, mapperPort }, options.env);
  const mapper = spawn(await portMapper(env), ['-port', String(mapperPort), '-address', '127.0.0.1'], {
    env,
    detached: true,
    stdio: 'ignore',
  });
  await hasStarted(mapper, "Erlang's port mapper epmd");
  const logFile = join(dataDir, 'rabbitmq.log');
  const log = await open(logFile, 'w');
  // Detached, so that Ctrl-C reaches us first; a group, because the program is a script.
  const server = spawn(program, [], { env, cwd: dataDir, detached: true, stdio: ['ignore', log.fd, log.fd] });
  await hasStarted(server, 'RabbitMQ');
  await log.close();
  const group = -server.pid!;
  await writeFile(join(dataDir, 'owner.pid'), `${server.pid}\n`);
  const guardian = guard({ pids: [group, mapper.pid!], signal: durable ? 'TERM' : 'KILL', removed: durable ? undefined : dataDir });
  const stop = async () => {
    signalProcess(group, durable ? 'SIGTERM' : 'SIGKILL');
    if (!(await until(() => hasEnded(server), STOP_TIMEOUT_MS))) signalProcess(group, 'SIGKILL');
    mapper.kill('SIGKILL');
    guardian.dismiss();
    if (!durable) await removeWhenQuiet(dataDir);
  };
  try {
    const url = `amqp://guest:guest@127.0.0.1:${port}`;
    const product = await untilReady(url, server, logFile);
    const { HOME, ERL_EPMD_PORT, ERL_EPMD_ADDRESS, RABBITMQ_NODENAME, RABBITMQ_CONF_ENV_FILE } = env;
    const tool = {
      program: join(dirname(program), 'rabbitmqctl'),
      env: { HOME, ERL_EPMD_PORT, ERL_EPMD_ADDRESS, RABBITMQ_NODENAME, RABBITMQ_CONF_ENV_FILE },
    };
    return { url, description: `${product} of its own on 127.0.0.1:${port}`, stop, tool };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function untilReady(url: string, server: ChildProcess, logFile: string): Promise<string> {
  const deadlineMs = Date.now() + START_TIMEOUT_MS;
  while (Date.now() < deadlineMs && !hasEnded(server)) {
    const product = await tryBroker(url, 5_000).catch(() => undefined);
    if (product !== undefined) return product;
    await delay(100);
  }
  const end = (await readFile(logFile, 'utf8').catch(() => '')).trim().split('\n').slice(-12).join('\n');
  throw new LocalServiceError(`RabbitMQ did not start${hasEnded(server) ? '' : ` within ${START_TIMEOUT_MS / 1000} s`}:\n${end}`);
}

interface Ports {
  readonly port: number;
  readonly distributionPort: number;
  readonly mapperPort: number;
}

/** Writes its configuration; answers its environment, in which nothing of a RabbitMQ of the machine is left. */
async function configure(
  dataDir: string,
  { port, distributionPort, mapperPort }: Ports,
  environment: NodeJS.ProcessEnv,
): Promise<NodeJS.ProcessEnv> {
  const at = (name: string) => join(dataDir, name);
  await writeFile(at('rabbitmq.conf'), `listeners.tcp.local = 127.0.0.1:${port}\ndisk_free_limit.absolute = 50MB\n`);
  await writeFile(at('enabled_plugins'), '[].\n');
  const inherited = Object.entries(environment).filter(([name]) => !/^(RABBITMQ|ERL)_/.test(name) && name !== 'NOTIFY_SOCKET');
  return {
    ...Object.fromEntries(inherited),
    // Erlang keeps its cookie in the home folder.
    HOME: dataDir,
    ERL_EPMD_PORT: String(mapperPort),
    ERL_EPMD_ADDRESS: '127.0.0.1',
    // Schedulers that have nothing to do sleep at once instead of burning the processor.
    ERL_FLAGS: '-kernel inet_dist_use_interface {127,0,0,1} +sbwt none +sbwtdcpu none +sbwtdio none',
    RABBITMQ_NODENAME: 'holdfast@localhost',
    RABBITMQ_DIST_PORT: String(distributionPort),
    RABBITMQ_CONFIG_FILE: at('rabbitmq.conf'),
    RABBITMQ_ADVANCED_CONFIG_FILE: at('advanced.config'),
    RABBITMQ_CONF_ENV_FILE: at('rabbitmq-env.conf'),
    RABBITMQ_ENABLED_PLUGINS_FILE: at('enabled_plugins'),
    RABBITMQ_GENERATED_CONFIG_DIR: at('generated'),
    RABBITMQ_SCHEMA_DIR: at('schema'),
    RABBITMQ_MNESIA_BASE: at('data'),
    RABBITMQ_LOG_BASE: at('log'),
    RABBITMQ_LOGS: '-',
    RABBITMQ_PID_FILE: at('rabbitmq.pid'),
  };
}

/** Two brokers on one folder would destroy each other's data; one whose owner was killed is about to end. */
async function refuseSecond(dataDir: string): Promise<void> {
  const pid = Number(await readFile(join(dataDir, 'owner.pid'), 'utf8').catch(() => '0'));
  const isRunning = () => commandOf(pid).includes('rabbitmq-server');
  if (await until(() => !isRunning(), ORPHAN_TIMEOUT_MS, 100)) return;
  throw new LocalServiceError(`Another RabbitMQ (process ${pid}) is using the data in ${dataDir}. Stop the Holdfast that it belongs to.`);
}

async function portMapper(env: NodeJS.ProcessEnv): Promise<string> {
  const onPath = await findProgram('epmd', searchPath(env));
  if (onPath !== undefined) return onPath;
  const { output } = await runCommand('erl', ['-noshell', '-eval', 'io:put_chars(code:root_dir()), halt().'], { env, timeoutMs: 10_000 });
  const besides = await findProgram('epmd', [join(output, 'bin')]);
  if (besides === undefined) throw new LocalServiceError(`Erlang's port mapper "epmd", which RabbitMQ needs, is not on the path.`);
  return besides;
}

/** A broker that was killed leaves helpers that write for a moment longer. */
async function removeWhenQuiet(dataDir: string): Promise<void> {
  await rm(dataDir, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
}
