import { Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { Database } from '#libs/persistence';
import { metrics, onScrape } from '#libs/service';
import { longestWaitSeconds } from './delivery.sql.js';

/** Measures how long due notifications wait, each time somebody reads the metrics. */
@Injectable()
export class MeasureDeliveries implements OnApplicationBootstrap, OnModuleDestroy {
  private stop = () => {};

  constructor(private readonly database: Database) {}

  onApplicationBootstrap(): void {
    const end = onScrape(async () => {
      metrics.notificationWaitSeconds.set(await this.database.transaction([], longestWaitSeconds, { readOnly: true }));
    });
    this.stop = () => void end();
  }

  onModuleDestroy(): void {
    this.stop();
  }
}
