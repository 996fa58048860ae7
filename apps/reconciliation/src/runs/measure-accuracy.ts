import { Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { Database } from '#libs/persistence';
import { metrics, onScrape } from '#libs/service';
import { readLastChecked } from '../schedules/schedule.sql.js';

const SERVICE = { service: 'reconciliation' };

/** Tells what the last checks of all organisations have come to, each time somebody reads the metrics. */
@Injectable()
export class MeasureAccuracy implements OnApplicationBootstrap, OnModuleDestroy {
  private stop = () => {};

  constructor(private readonly database: Database) {}

  onApplicationBootstrap(): void {
    const end = onScrape(async () => {
      const { balances, outOfSync } = await this.database.transaction([], readLastChecked, { readOnly: true });
      metrics.outOfSyncItems.set(SERVICE, outOfSync);
      metrics.inventoryAccuracy.set(SERVICE, balances === 0 ? 1 : 1 - outOfSync / balances);
    });
    this.stop = () => void end();
  }

  onModuleDestroy(): void {
    this.stop();
  }
}
