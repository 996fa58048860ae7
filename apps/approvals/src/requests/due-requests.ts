import { setTimeout as delay } from 'node:timers/promises';
import { Injectable, Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { crashPoint } from '#libs/messaging';
import { Database, statement } from '#libs/persistence';
import { Clock } from '#libs/service';
import { letTimePass } from './request.rules.js';
import { claimRequest } from './request.sql.js';
import type { RequestKey } from './request-state.js';
import { SaveRequest } from './save-request.js';

const EVERY_MS = 1_000;
const REQUESTS_MAX = 100;

const due = statement<{ org_id: string; approval_request_id: string }>(
  'request_due',
  'select org_id, approval_request_id from due_requests($1, $2)',
);

/**
 * Reminds, escalates and expires what nobody decided. What is due is found as keys, across organisations; each request is then claimed and
 * looked at under its lock. Any number of replicas may run: who finds a request taken leaves it, who comes later finds nothing due.
 */
@Injectable()
export class DueRequests implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger(DueRequests.name);
  private readonly stopping = new AbortController();
  private running: Promise<void> = Promise.resolve();

  constructor(
    private readonly database: Database,
    private readonly saveRequest: SaveRequest,
    private readonly clock: Clock,
  ) {}

  onApplicationBootstrap(): void {
    this.running = this.runUntilStopped();
  }

  async onModuleDestroy(): Promise<void> {
    this.stopping.abort();
    await this.running;
  }

  /** Works off what is due now; resolves with how many requests it has changed. */
  async run(): Promise<number> {
    let changed = 0;
    for (;;) {
      const keys = await this.database.transaction([], async (tx) => tx.run(due, [await this.clock.now(tx), REQUESTS_MAX]));
      const before = changed;
      for (const { org_id: orgId, approval_request_id: approvalRequestId } of keys) {
        if (this.stopping.signal.aborted) return changed;
        changed += await this.letTimePass({ orgId, approvalRequestId }).catch((error: unknown) => {
          // One that fails does not keep the others waiting; the next sweep finds it again.
          this.logger.warn(`Request ${approvalRequestId} could not be worked off: ${String(error)}`);
          return 0;
        });
      }
      // What is left is with another replica, or fails.
      if (keys.length < REQUESTS_MAX || changed === before) return changed;
    }
  }

  /** Answers 1 when something was due, and 0 when another replica was first. */
  private async letTimePass(key: RequestKey): Promise<0 | 1> {
    const changed = await this.database.transaction([key.orgId], async (tx) => {
      const request = await claimRequest(tx, key);
      if (request === null) return 0;
      const now = await this.clock.now(tx);
      const steps = letTimePass(request, now);
      await this.saveRequest.advance(tx, steps, { now });
      return steps.length === 0 ? 0 : 1;
    });
    crashPoint('after-sweep', 'approvals');
    return changed;
  }

  private async runUntilStopped(): Promise<void> {
    while (!this.stopping.signal.aborted) {
      await this.run().catch((error: unknown) => this.logger.warn(`What is due could not be worked off: ${String(error)}`));
      await delay(EVERY_MS, undefined, { signal: this.stopping.signal }).catch(() => {});
    }
  }
}
