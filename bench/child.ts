import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const READY_WITHIN_MS = 30_000;
const STOPPED_WITHIN_MS = 10_000;
const LOG_LINES_KEPT = 40;

export interface ChildOptions {
  /** For messages: `inventory 1`. */
  readonly name: string;
  /** Path of the compiled entry file. */
  readonly script: string;
  readonly args?: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/**
 * Every measured process, the yardstick's too, runs with the memory settings that `start:services` and the image use.
 * `BENCH_NODE_ARGS="--cpu-prof --cpu-prof-dir=/tmp/profiles"` says of each where its time goes.
 */
function nodeArguments(): string[] {
  return ['--max-semi-space-size=64', ...(process.env['BENCH_NODE_ARGS']?.split(' ') ?? [])];
}

/** One process that is measured. It says that it is ready by a message `{ ready: url }`. */
export class Child {
  private readonly handle: ChildProcess;
  private readonly log: string[] = [];
  private readonly exit: Promise<void>;
  private readonly ready = Promise.withResolvers<string>();
  private exited = false;
  private stopping = false;

  /** Starts the process; `onFailure` is called when it ends although nobody stopped it. */
  constructor(
    private readonly options: ChildOptions,
    onFailure: (error: Error) => void,
  ) {
    // Through the channel (ipc) it says that it is ready, and when this process is killed its closing ends the child too.
    this.handle = spawn(process.execPath, [...nodeArguments(), options.script, ...(options.args ?? [])], {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      env: { ...process.env, ...options.env },
    });
    this.handle.stdout?.on('data', (chunk: Buffer) => this.keep(chunk));
    this.handle.stderr?.on('data', (chunk: Buffer) => this.keep(chunk));
    this.handle.on('message', (message: { ready?: string }) => this.ready.resolve(message.ready ?? ''));
    this.exit = new Promise((resolve) => {
      this.handle.once('close', (code, signal) => {
        this.exited = true;
        resolve();
        if (!this.stopping) onFailure(new Error(`${options.name} ended by itself (${signal ?? code}). Its last words:\n${this.lastWords}`));
      });
    });
  }

  get name(): string {
    return this.options.name;
  }

  get pid(): number {
    return this.handle.pid!;
  }

  private get lastWords(): string {
    return this.log.join('\n');
  }

  /** Answers the address that it serves, if any. */
  async untilReady(signal: AbortSignal): Promise<string> {
    // Ends the wait when the process is ready, too.
    const patience = new AbortController();
    const either = AbortSignal.any([signal, patience.signal]);
    try {
      return await Promise.race([
        this.ready.promise,
        sleep(READY_WITHIN_MS, undefined, { signal: either }).then(() => {
          throw new Error(`${this.options.name} was not ready within ${READY_WITHIN_MS / 1_000} s. Its last words:\n${this.lastWords}`);
        }),
      ]);
    } finally {
      patience.abort();
    }
  }

  /** Stops the process where it stands, with its connections open, until `release`. */
  hold(): void {
    this.handle.kill('SIGSTOP');
  }

  release(): void {
    this.handle.kill('SIGCONT');
  }

  /** The most memory that it ever had resident; `null` where the system does not tell (only Linux does). */
  peakMemoryBytes(): number | null {
    try {
      const kilobytes = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${this.pid}/status`, 'utf8'))?.[1];
      return kilobytes === undefined ? null : Number(kilobytes) * 1024;
    } catch {
      return null;
    }
  }

  async stop(): Promise<void> {
    this.stopping = true;
    if (this.exited) return;
    this.release();
    this.handle.kill('SIGTERM');
    const patience = setTimeout(() => this.handle.kill('SIGKILL'), STOPPED_WITHIN_MS);
    await this.exit;
    clearTimeout(patience);
  }

  private keep(chunk: Buffer): void {
    this.log.push(...chunk.toString().trimEnd().split('\n'));
    this.log.splice(0, this.log.length - LOG_LINES_KEPT);
  }
}
