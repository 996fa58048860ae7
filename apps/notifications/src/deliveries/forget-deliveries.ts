import { setTimeout as delay } from 'node:timers/promises';
import { Injectable, Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { Database } from '#libs/persistence';
import { forgetNotices } from './delivery.sql.js';

const EVERY_MS = 3_600_000;
/** Long after the last attempt at any of them, and after repeats of their events. */
const KEPT_MS = 90 * 24 * 3_600_000;
const CHUNK = 2_000;

/** Forgets deliveries after 90 days, in chunks, so that no lock is held long. Several replicas may do so at once. */
@Injectable()
export class ForgetDeliveries implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly stopping = new AbortController();
  private running: Promise<void> = Promise.resolve();

  constructor(private readonly database: Database) {}

  onApplicationBootstrap(): void {
    this.running = this.runUntilStopped();
  }

  async onModuleDestroy(): Promise<void> {
    this.stopping.abort();
    await this.running;
  }

  /** Forgets what is older now. */
  async run(now: Date): Promise<void> {
    const createdBefore = new Date(now.getTime() - KEPT_MS);
    while (!this.stopping.signal.aborted) {
      const forgotten = await this.database.transaction([], (tx) => forgetNotices(tx, createdBefore, CHUNK));
      if (forgotten < CHUNK) return;
    }
  }

  private async runUntilStopped(): Promise<void> {
    while (!this.stopping.signal.aborted) {
      await this.run(new Date()).catch((error: unknown) =>
        new Logger(ForgetDeliveries.name).warn(`Old notifications stay: ${String(error)}`),
      );
      await delay(EVERY_MS, undefined, { signal: this.stopping.signal }).catch(() => {});
    }
  }
}
