import { Injectable, Logger } from '@nestjs/common';
import { uuidv7 } from '#libs/domain';
import { Database } from '#libs/persistence';
import { Clock } from '#libs/service';
import { insertRun } from '../runs/run.sql.js';
import { nextRun } from './next-run.js';
import { findDueSchedules, lockDueSchedule, setNextDue } from './schedule.sql.js';

const SCHEDULES_MAX = 100;

/** Starts the runs whose time has come. */
@Injectable()
export class DueSchedules {
  private readonly logger = new Logger(DueSchedules.name);

  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
  ) {}

  /**
   * Starts what is due now, once however many replicas look, and however often its time came while nobody did: the next time counts from
   * now. One that is still running is not started again.
   */
  async run(): Promise<void> {
    for (;;) {
      const orgIds = await this.database.transaction([], async (tx) => findDueSchedules(tx, await this.clock.now(tx), SCHEDULES_MAX));
      let started = 0;
      for (const orgId of orgIds) started += await this.start(orgId);
      // What is left is with another replica.
      if (orgIds.length < SCHEDULES_MAX || started === 0) return;
    }
  }

  private async start(orgId: string): Promise<0 | 1> {
    return await this.database.transaction([orgId], async (tx) => {
      const now = await this.clock.now(tx);
      const schedule = await lockDueSchedule(tx, orgId, now);
      if (schedule === undefined) return 0;
      const isNew = await insertRun(tx, { orgId, runId: uuidv7(), trigger: 'schedule', requestedBy: null, now });
      if (!isNew) this.logger.warn(`The reconciliation of ${orgId} is due, and the one before it still runs`);
      await setNextDue(tx, orgId, nextRun(schedule.cron, schedule.timezone, now));
      return 1;
    });
  }
}
