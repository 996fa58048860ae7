import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';

const ROOT = join(import.meta.dirname, '../../..');

/** A started Holdfast, as a person starts it, for tests. */
export interface HoldfastProcess {
  readonly child: ChildProcess;
  /** All that it has printed. */
  output(): string;
  /** Resolves when it has printed this; rejects with its output when it ends, or takes too long, before. */
  printed(text: string | RegExp, timeoutMs?: number): Promise<void>;
  /** Its exit code, or the signal that ended it. */
  readonly ended: Promise<number | string>;
}

/** Brings `dist/` up to date: a process runs what was built. */
export function build(): void {
  const { status, stderr } = spawnSync(process.execPath, ['scripts/build.mjs', '--if-stale'], { cwd: ROOT, encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as { port: number };
  await new Promise((done) => server.close(done));
  return port;
}

/** Runs a built file of this app. */
export function run(file: string, env: Readonly<Record<string, string>>): HoldfastProcess {
  const child = spawn(process.execPath, ['--enable-source-maps', join(ROOT, 'dist/apps/standalone/src', file)], {
    cwd: ROOT,
    env: { ...process.env, NODE_OPTIONS: '', NODE_ENV: 'development', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const listeners = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output += stripVTControlCharacters(chunk.toString());
      for (const listener of listeners) listener();
    });
  }
  const ended = new Promise<number | string>((done) => child.once('close', (code, signal) => done(code ?? signal!)));
  const printed = (text: string | RegExp, timeoutMs = 60_000) =>
    new Promise<void>((done, fail) => {
      const giveUp = (why: string) => fail(new Error(`${why} before it printed ${text}:\n${output}`));
      const timer = setTimeout(() => giveUp(`${timeoutMs} ms went by`), timeoutMs);
      const look = () => {
        if (typeof text === 'string' ? !output.includes(text) : !text.test(output)) return;
        clearTimeout(timer);
        listeners.delete(look);
        done();
      };
      listeners.add(look);
      void ended.then((how) => giveUp(`It ended (${how})`));
      look();
    });
  return { child, output: () => output, printed, ended };
}

/** What the answers to the README's first order are to be. */
export const WALK_THROUGH_STATUSES = ['201', '201', '201', '201', '200', '200', '409', '201', '201', '200', '200', '200'];

/** Runs the commands of the README's first order against a port. */
export function walkThroughReadme(port: number): { statuses: readonly string[] | null; output: string } {
  const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');
  const commands = /## A first order\n+```sh\n([^]*?)```/
    .exec(readme)![1]!
    .replaceAll('127.0.0.1:3000', `127.0.0.1:${port}`)
    .replace('send() { curl -s', `send() { curl -s -w '\\n%{http_code}'`);
  const { stdout, stderr } = spawnSync('bash', ['-c', commands], { encoding: 'utf8' });
  return { statuses: stdout.match(/^\d{3}$/gm), output: stdout + stderr };
}
