import { setTimeout as delay } from 'node:timers/promises';
import { Injectable, Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { Database } from '#libs/persistence';
import { Clock } from '#libs/service';
import { forgetRuns } from './run.sql.js';

const EVERY_MS = 3_600_000;
const KEPT_MS = 90 * 24 * 3_600_000;
/** Each may have thousands of findings. */
const RUNS_AT_ONCE = 10;

/**
 * Forgets runs with their findings after 90 days, a few at once, so that no lock is held long; the newest of an organisation stays. Several
 * replicas may do so at once.
 */
@Injectable()
export class ForgetRuns implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly stopping = new AbortController();
  private running: Promise<void> = Promise.resolve();

  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
  ) {}

  onApplicationBootstrap(): void {
    this.running = this.runUntilStopped();
  }

  async onModuleDestroy(): Promise<void> {
    this.stopping.abort();
    await this.running;
  }

  /** Forgets what is older now. */
  async run(): Promise<void> {
    while (!this.stopping.signal.aborted) {
      const forgotten = await this.database.transaction([], async (tx) => {
        const startedBefore = new Date((await this.clock.now(tx)).getTime() - KEPT_MS);
        return await forgetRuns(tx, startedBefore, RUNS_AT_ONCE);
      });
      if (forgotten < RUNS_AT_ONCE) return;
    }
  }

  private async runUntilStopped(): Promise<void> {
    while (!this.stopping.signal.aborted) {
      await this.run().catch((error: unknown) => new Logger(ForgetRuns.name).warn(`Old runs stay: ${String(error)}`));
      await delay(EVERY_MS, undefined, { signal: this.stopping.signal }).catch(() => {});
    }
  }
}
