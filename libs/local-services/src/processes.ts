import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { access, constants } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { delimiter, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { LocalServiceError } from './local-service.js';

/**
 * Ends processes when we are gone, however that came about: a signal, a crash, or `kill -9`, none of which leaves time to clean up.
 *
 * It is a shell that waits for the end of its input, which the system closes with our process. It runs in a session of its own, so that
 * Ctrl-C on the terminal reaches us first and what we depend on is still there while we finish our work.
 */
export interface Guardian {
  /** We have ended the processes ourselves. */
  dismiss(): void;
}

export interface Guarded {
  /** Processes to end; negative for a whole process group. */
  readonly pids?: readonly number[];
  readonly signal?: 'INT' | 'TERM' | 'KILL';
  /** A folder to remove after them. */
  readonly removed?: string | undefined;
  /** A command to run, for what is no process of ours. */
  readonly command?: readonly string[];
  /** Default: ours. */
  readonly env?: NodeJS.ProcessEnv;
}

const GUARDIAN = `
  cat >/dev/null
  [ $# -gt 0 ] && "$@" >/dev/null 2>&1
  for pid in $HOLDFAST_GUARDED; do kill -s "$HOLDFAST_SIGNAL" -- "$pid" 2>/dev/null; done
  tries=150
  while [ $tries -gt 0 ]; do
    alive=
    for pid in $HOLDFAST_GUARDED; do kill -0 -- "$pid" 2>/dev/null && alive=yes; done
    [ -z "$alive" ] && break
    tries=$((tries - 1)); sleep 0.1
  done
  for pid in $HOLDFAST_GUARDED; do kill -9 -- "$pid" 2>/dev/null; done
  [ -n "$HOLDFAST_REMOVED" ] && rm -rf -- "$HOLDFAST_REMOVED"
`;

/** From now on. */
export function guard({ pids = [], signal = 'TERM', removed = '', command = [], env = process.env }: Guarded): Guardian {
  // There is no shell on Windows; there a crash may leave the server running, and the next start ends it.
  if (process.platform === 'win32') return { dismiss: () => {} };
  const shell = spawn('/bin/sh', ['-c', GUARDIAN, 'sh', ...command], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
    env: { ...env, HOLDFAST_GUARDED: pids.join(' '), HOLDFAST_SIGNAL: signal, HOLDFAST_REMOVED: removed },
  });
  shell.on('error', () => {});
  // It does not keep us from ending.
  shell.unref();
  const input = shell.stdin as unknown as { unref(): void };
  input.unref();
  return { dismiss: () => shell.kill('SIGKILL') };
}

/** Waits until a condition holds; answers false when time is up. */
export async function until(condition: () => boolean | Promise<boolean>, timeoutMs: number, pollMs = 25): Promise<boolean> {
  const deadlineMs = Date.now() + timeoutMs;
  while (!(await condition())) {
    if (Date.now() >= deadlineMs) return false;
    await delay(pollMs);
  }
  return true;
}

/** Waits until the system has started the program; `name` is for the message when it cannot. */
export async function hasStarted(child: ChildProcess, name: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', (error) => reject(new LocalServiceError(`${name} could not be started: ${error.message}`, { cause: error })));
  });
}

export function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** The command line of a process; empty when there is none. */
export function commandOf(pid: number): string {
  if (!Number.isInteger(pid) || pid <= 1) return '';
  // Small images have no ps, other systems no /proc.
  if (existsSync('/proc/self/cmdline')) {
    const file = `/proc/${pid}/cmdline`;
    return existsSync(file) ? readFileSync(file, 'utf8').replaceAll('\0', ' ') : '';
  }
  return spawnSync('ps', ['-ww', '-o', 'args=', '-p', String(pid)], { encoding: 'utf8' }).stdout;
}

/** Sends a signal; a process that is gone already is as good. A negative pid is a process group. */
export function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** A TCP port of 127.0.0.1 that nobody listens on at this moment. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

export interface Outcome {
  readonly ok: boolean;
  readonly output: string;
}

export interface RunOptions {
  /** The command is looked for on the path that is given here. */
  readonly env: NodeJS.ProcessEnv;
  readonly input?: string;
  readonly timeoutMs?: number;
}

/** Runs a command to its end; `ok` is false also when it cannot be started or takes too long. */
export function runCommand(command: string, args: readonly string[], { env, input, timeoutMs }: RunOptions): Promise<Outcome> {
  return new Promise((resolve) => {
    // Not the option `timeout`, whose timer keeps us running when the command cannot be started.
    const child = spawn(command, args, {
      env,
      stdio: 'pipe',
      ...(timeoutMs === undefined ? {} : { signal: AbortSignal.timeout(timeoutMs) }),
    });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.once('error', (error) => resolve({ ok: false, output: error.message }));
    child.once('close', (code) => resolve({ ok: code === 0, output: output.trim() }));
    // A command that does not read its input is as good.
    child.stdin.on('error', () => {});
    child.stdin.end(input);
  });
}

/** The full path of a program, looked for in these folders. */
export async function findProgram(name: string, folders: readonly string[]): Promise<string | undefined> {
  for (const folder of folders) {
    const program = join(folder, name);
    if (folder !== '' && (await isExecutable(program))) return program;
  }
  return undefined;
}

/** The folders of the search path. */
export function searchPath(env: NodeJS.ProcessEnv): string[] {
  return (env['PATH'] ?? '').split(delimiter);
}

function isExecutable(program: string): Promise<boolean> {
  return access(program, constants.X_OK).then(
    () => true,
    () => false,
  );
}
