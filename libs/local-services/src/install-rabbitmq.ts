import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline/promises';
import type { Log } from './local-service.js';
import { LocalServiceError } from './local-service.js';
import { findProgram, runCommand, searchPath } from './processes.js';

const PACKAGE = 'rabbitmq-server';

/**
 * Installs RabbitMQ with `apt-get`, where there is one: asked first on a terminal, without asking where there is none, as in CI.
 *
 * @returns false when there is no `apt-get`, or the person at the terminal does not want it.
 * @throws {LocalServiceError} when the installation fails.
 */
export async function installRabbitmq(env: NodeJS.ProcessEnv, log: Log): Promise<boolean> {
  if ((await findProgram('apt-get', searchPath(env))) === undefined) return false;
  const asks = process.stdin.isTTY && process.stdout.isTTY && env['CI'] === undefined;
  if (asks && !(await agreed(`RabbitMQ is missing. Install it with "apt-get install ${PACKAGE}"? [Y/n] `))) return false;
  const asRoot = process.getuid?.() === 0 ? [] : asks ? ['sudo'] : ['sudo', '-n'];
  const aptGet = (...args: string[]) => run([...asRoot, 'apt-get', ...args], env, asks);
  log(`Installing RabbitMQ with apt-get, because the machine has neither RabbitMQ nor a running Docker.`);
  const install = ['install', '--yes', '--no-install-recommends', PACKAGE];
  // The list of packages may be missing or old.
  const outcome = (await aptGet(...install)).ok ? { ok: true, output: '' } : (await aptGet('update'), await aptGet(...install));
  if (!outcome.ok)
    throw new LocalServiceError(`RabbitMQ could not be installed with apt-get:\n${outcome.output.split('\n').slice(-5).join('\n')}`);
  // The package starts a broker for the whole machine, for which nobody asked.
  await run([...asRoot, 'service', PACKAGE, 'stop'], env, false);
  return true;
}

async function agreed(question: string): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  try {
    return /^(y(es)?)?$/i.test((await terminal.question(question)).trim());
  } finally {
    terminal.close();
  }
}

/** On a terminal what happens is shown there, and sudo may ask for its password. */
async function run(command: readonly string[], inherited: NodeJS.ProcessEnv, shown: boolean): Promise<{ ok: boolean; output: string }> {
  const [program, ...args] = command as [string, ...string[]];
  const env = { ...inherited, DEBIAN_FRONTEND: 'noninteractive' };
  if (!shown) return await runCommand(program, args, { env });
  return await new Promise((resolve) => {
    const child = spawn(program, args, { env, stdio: 'inherit' });
    child.once('error', (error) => resolve({ ok: false, output: error.message }));
    child.once('close', (code) => resolve({ ok: code === 0, output: '' }));
  });
}
