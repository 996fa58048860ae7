import { Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { DISCREPANCY_SEVERITIES } from '#libs/contracts';
import { Database, statement } from '#libs/persistence';
import { metrics, onScrape } from '#libs/service';

const countOpen = statement<{ severity: string; count: string }>('discrepancy_count_open', 'select * from open_discrepancies()');

/** Tells how many discrepancies are open, each time somebody reads the metrics. */
@Injectable()
export class MeasureDiscrepancies implements OnApplicationBootstrap, OnModuleDestroy {
  private stop = () => {};

  constructor(private readonly database: Database) {}

  onApplicationBootstrap(): void {
    const end = onScrape(async () => {
      const rows = await this.database.transaction([], (tx) => tx.run(countOpen, []), { readOnly: true });
      const counts = new Map(rows.map(({ severity, count }) => [severity, Number(count)]));
      for (const severity of DISCREPANCY_SEVERITIES) {
        metrics.openDiscrepancies.set({ service: 'inventory', severity }, counts.get(severity) ?? 0);
      }
    });
    this.stop = () => void end();
  }

  onModuleDestroy(): void {
    this.stop();
  }
}
