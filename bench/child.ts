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
  /** Asked every 50 ms until it answers true. */
  readonly isReady: (child: Child) => Promise<boolean>;
}

/** One process that is measured. */
export class Child {
  private readonly handle: ChildProcess;
  private readonly log: string[] = [];
  private readonly exit: Promise<void>;
  private exited = false;
  private stopping = false;

  /** Starts the process; `onFailure` is called when it ends although nobody stopped it. */
  constructor(
    private readonly options: ChildOptions,
    onFailure: (error: Error) => void,
  ) {
    // The channel (ipc) makes our own scripts end when this process is killed; the services do not look at it.
    this.handle = spawn(process.execPath, [options.script, ...(options.args ?? [])], {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      env: { ...process.env, ...options.env },
    });
    this.handle.stdout?.on('data', (chunk: Buffer) => this.keep(chunk));
    this.handle.stderr?.on('data', (chunk: Buffer) => this.keep(chunk));
    this.exit = new Promise((resolve) => {
      this.handle.once('close', (code, signal) => {
        this.exited = true;
        resolve();
        if (!this.stopping) onFailure(new Error(`${options.name} ended by itself (${signal ?? code}). Its last words:\n${this.lastWords}`));
      });
    });
  }

  get pid(): number {
    return this.handle.pid!;
  }

  get lastWords(): string {
    return this.log.join('\n');
  }

  async untilReady(signal: AbortSignal): Promise<void> {
    const until = performance.now() + READY_WITHIN_MS;
    while (!(await this.options.isReady(this))) {
      if (performance.now() > until) {
        throw new Error(`${this.options.name} was not ready within ${READY_WITHIN_MS / 1_000} s. Its last words:\n${this.lastWords}`);
      }
      await sleep(50, undefined, { signal });
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
