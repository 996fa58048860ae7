import { Injectable } from '@nestjs/common';
import { DEFAULT_STOCK_SETTINGS, SettingsGet } from '#libs/contracts';
import { RpcClient } from '#libs/messaging';
import { Database } from '#libs/persistence';
import { Clock } from '#libs/service';
import { nextRun } from './next-run.js';
import { hasSchedule, keepSchedule, type Schedule } from './schedule.sql.js';

/** Knows of each organisation when its books are to be checked. */
@Injectable()
export class KeepSchedule {
  constructor(
    private readonly database: Database,
    private readonly rpc: RpcClient,
    private readonly clock: Clock,
  ) {}

  /**
   * Takes an organisation up that was heard of, with the settings that it has; one that is known stays as it is.
   *
   * @throws {HoldfastError} kind `unavailable` when inventory does not tell the settings.
   */
  async learn(orgId: string): Promise<void> {
    if (await this.database.transaction([orgId], (tx) => hasSchedule(tx, orgId), { readOnly: true })) return;
    const settings = await this.rpc.call(SettingsGet, { orgId });
    await this.keep(orgId, scheduleIn(settings as unknown as Readonly<Record<string, unknown>>), null);
  }

  /** Takes over what the settings of an organisation say, unless something newer is known. */
  async change(orgId: string, settings: Readonly<Record<string, unknown>>, at: string): Promise<void> {
    await this.keep(orgId, scheduleIn(settings), at);
  }

  private async keep(orgId: string, schedule: Schedule, at: string | null): Promise<void> {
    await this.database.transaction(
      [orgId],
      async (tx) => {
        const now = await this.clock.now(tx);
        await keepSchedule(tx, orgId, schedule, at, nextRun(schedule.cron, schedule.timezone, now));
      },
      { repeatable: true },
    );
  }
}

function scheduleIn({ reconciliationCron, timezone }: Readonly<Record<string, unknown>>): Schedule {
  return {
    cron: typeof reconciliationCron === 'string' ? reconciliationCron : DEFAULT_STOCK_SETTINGS.reconciliationCron,
    timezone: typeof timezone === 'string' ? timezone : DEFAULT_STOCK_SETTINGS.timezone,
  };
}
