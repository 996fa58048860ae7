import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { LocalService } from './local-service.js';
import { LocalServiceError } from './local-service.js';
import { guard, runCommand } from './processes.js';
import { tryBroker } from './try-broker.js';

/** The same image as docker-compose.yml. The broker keeps its data under the host name. */
const COMPOSE = `
services:
  rabbitmq:
    image: rabbitmq:4.1
    hostname: rabbitmq
    ports: ['127.0.0.1::5672']
    volumes: ['data:/var/lib/rabbitmq']
volumes:
  data: {}
`;
const START_TIMEOUT_MS = 120_000;

/** Whether `docker compose` is installed and its daemon answers. */
export async function isDockerUsable(env: NodeJS.ProcessEnv): Promise<boolean> {
  const [compose, daemon] = await Promise.all([
    runCommand('docker', ['compose', 'version'], { env, timeoutMs: 10_000 }),
    runCommand('docker', ['info'], { env, timeoutMs: 10_000 }),
  ]);
  return compose.ok && daemon.ok;
}

/**
 * Starts a broker in a container of its own.
 *
 * @param dataDir names the volume with its data; without it the data goes with the container.
 */
export async function startDockerRabbitmq(dataDir: string | undefined, env: NodeJS.ProcessEnv): Promise<LocalService> {
  const durable = dataDir !== undefined;
  const project = `holdfast-${durable ? createHash('sha256').update(dataDir).digest('hex').slice(0, 12) : `run-${process.pid}`}`;
  const compose = (...args: string[]) => runCommand('docker', ['compose', '-p', project, '-f', '-', ...args], { env, input: COMPOSE });
  const down = ['down', '--timeout', '10', ...(durable ? [] : ['--volumes'])];
  const guardian = guard({ command: ['docker', 'compose', '-p', project, ...down], env });
  const stop = async () => {
    await compose(...down);
    guardian.dismiss();
  };
  try {
    const up = await compose('up', '--detach', '--quiet-pull');
    if (!up.ok) throw new LocalServiceError(`RabbitMQ could not be started with docker compose:\n${up.output}`);
    const port = /:(\d+)$/.exec((await compose('port', 'rabbitmq', '5672')).output)?.[1];
    const url = `amqp://guest:guest@127.0.0.1:${port}`;
    for (const deadlineMs = Date.now() + START_TIMEOUT_MS; Date.now() < deadlineMs; await delay(250)) {
      const product = await tryBroker(url, 5_000).catch(() => undefined);
      if (product !== undefined) return { url, description: `${product} in Docker on 127.0.0.1:${port}`, stop };
    }
    throw new LocalServiceError(`RabbitMQ in Docker did not answer within ${START_TIMEOUT_MS / 1000} s.`);
  } catch (error) {
    await stop();
    throw error;
  }
}
