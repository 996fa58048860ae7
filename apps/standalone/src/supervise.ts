import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { StartupError } from '#libs/service';

/** An app to run as a process of its own. */
export interface App {
  readonly name: string;
  /** The JavaScript file to run. */
  readonly entry: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** The processes of several apps. */
export interface Supervised {
  /** Resolves when each app has said that it is ready, with the URLs that they serve; rejects when one ends before it was. */
  readonly ready: Promise<ReadonlyMap<string, string>>;
  /** Resolves when all have ended: with a sentence that says why, or null when they were asked to. */
  readonly ended: Promise<string | null>;
  /** Asks all to finish what they have begun and to end; ends them itself after `timeoutMs`. */
  stop(timeoutMs: number): Promise<void>;
}

/** What an app sends to whoever started it. */
interface ReadyMessage {
  readonly ready: string;
}

const RESTARTS_MAX = 5;
const RESTART_WINDOW_MS = 60_000;
const RESTART_DELAY_FIRST_MS = 250;

/**
 * What is under way lives for a few batches: with room for it among the young objects it is not copied again and again, which was a tenth of
 * the inventory service's processor time.
 */
const NODE_ARGUMENTS = ['--enable-source-maps', '--max-semi-space-size=64'];

/**
 * Runs apps side by side and hands each line that they print to `print`. An app that ends although it was ready is started again,
 * as an orchestrator would; one that never became ready (a wrong setting), or that ended more than five times within a minute,
 * ends all.
 */
export function supervise(apps: readonly App[], print: (app: string, line: string) => void): Supervised {
  const ready = Promise.withResolvers<ReadonlyMap<string, string>>();
  const ended = Promise.withResolvers<string | null>();
  // Who does not care about one of them must not crash because of it.
  ready.promise.catch(() => {});
  const urls = new Map<string, string>();
  const running = new Map<string, ChildProcess>();
  const restarts = new Map<string, number[]>();
  const timers = new Set<NodeJS.Timeout>();
  let reason: string | null = null;
  let stopping = false;

  for (const app of apps) start(app);
  return { ready: ready.promise, ended: ended.promise, stop };

  function start(app: App): void {
    const child = spawn(process.execPath, [...NODE_ARGUMENTS, app.entry], {
      env: { ...process.env, ...app.env },
      // The channel tells an app that we are gone, even when we were killed; a group of its own keeps Ctrl-C for us alone.
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      detached: true,
    });
    running.set(app.name, child);
    for (const stream of [child.stdout!, child.stderr!]) {
      createInterface({ input: stream }).on('line', (line) => print(app.name, line));
    }
    child.on('message', (message: ReadyMessage) => {
      urls.set(app.name, message.ready);
      if (urls.size === apps.length) ready.resolve(urls);
    });
    child.once('close', (code, signal) => onEnd(app, signal ?? `exit code ${code}`));
  }

  function onEnd(app: App, how: string): void {
    running.delete(app.name);
    if (!stopping) {
      if (!urls.has(app.name)) endAll(`${app.name} could not start (${how}); what it said is above.`);
      else if (restartsOf(app) >= RESTARTS_MAX) endAll(`${app.name} ended ${RESTARTS_MAX + 1} times within a minute (${how}).`);
      else restart(app, how);
    }
    if (stopping && running.size === 0) ended.resolve(reason);
  }

  function restart(app: App, how: string): void {
    const delayMs = RESTART_DELAY_FIRST_MS * 2 ** restartsOf(app);
    restarts.set(app.name, [...(restarts.get(app.name) ?? []), Date.now()]);
    print(app.name, `ended (${how}); starting it again in ${delayMs} ms`);
    const timer = setTimeout(() => {
      timers.delete(timer);
      start(app);
    }, delayMs);
    timers.add(timer);
  }

  function restartsOf(app: App): number {
    const recent = (restarts.get(app.name) ?? []).filter((at) => at > Date.now() - RESTART_WINDOW_MS);
    restarts.set(app.name, recent);
    return recent.length;
  }

  function endAll(because: string): void {
    reason = because;
    ready.reject(new StartupError(because));
    void stop(10_000);
  }

  async function stop(timeoutMs: number): Promise<void> {
    if (!stopping) {
      stopping = true;
      for (const timer of timers) clearTimeout(timer);
      for (const child of running.values()) child.kill('SIGTERM');
      if (running.size === 0) ended.resolve(reason);
    }
    const timer = setTimeout(() => {
      for (const [name, child] of running) {
        print(name, `did not end within ${timeoutMs} ms and is killed`);
        child.kill('SIGKILL');
      }
    }, timeoutMs);
    await ended.promise;
    clearTimeout(timer);
  }
}
