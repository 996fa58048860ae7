import { Injectable } from '@nestjs/common';
import type { Actor } from '#libs/auth';
import type { ReconciliationRun } from '#libs/contracts';
import { conflict } from '#libs/domain';
import { Database } from '#libs/persistence';
import { Clock } from '#libs/service';
import { findRun, findRunningRun, insertRun } from './run.sql.js';
import { RunWork } from './run-work.js';
import { runView } from './run-view.js';

/** Starts a run on demand. */
@Injectable()
export class StartRun {
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly work: RunWork,
  ) {}

  /**
   * One that has the id already is answered as it is: the gateway gives a repeat of the same request the same id.
   *
   * @throws {HoldfastError} 409 `RUN_IN_PROGRESS` with the `runId` of the one that runs.
   */
  async run({ orgId, userId }: Actor, runId: string): Promise<ReconciliationRun> {
    return await this.database.transaction(
      [orgId],
      async (tx) => {
        const isNew = await insertRun(tx, { orgId, runId, trigger: 'manual', requestedBy: userId, now: await this.clock.now(tx) });
        const run = await findRun(tx, orgId, runId);
        if (run === undefined) {
          const running = await findRunningRun(tx, orgId);
          const details = running === undefined ? {} : { runId: running.runId };
          throw conflict('RUN_IN_PROGRESS', 'A reconciliation is running; wait until it has ended.', details);
        }
        if (isNew) tx.afterCommit(() => this.work.wake());
        return runView(run, [], null);
      },
      { repeatable: true },
    );
  }
}
