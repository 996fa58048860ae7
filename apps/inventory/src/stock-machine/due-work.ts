import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { Database, statement } from '#libs/persistence';
import { Batcher } from './batcher.js';
import type { StockCommand } from './commands.js';

const HOLDS_PER_SWEEP_MAX = 500;
const BALANCES_PER_SWEEP_MAX = 20;
const LOTS_PER_SWEEP_MAX = 200;
const SWEEP_MS = 1_000;
const PARTITION_CHECK_MS = 6 * 60 * 60 * 1000;

const dueHolds = statement<{ org_id: string; order_id: string }>('stock_due_holds', 'select * from due_holds($1)');
const fillableBalances = statement<{ org_id: string; warehouse_id: string; item_id: string }>(
  'stock_fillable_balances',
  'select * from fillable_balances($1)',
);

const expiredLots = statement<{ org_id: string; warehouse_id: string; item_id: string; lot: string }>(
  'stock_expired_lots',
  'select * from expired_lots($1)',
);

/**
 * What becomes due by itself: soft holds that have run out, lots that have expired, and backorders that a process which ended had not served. They are found as
 * keys, across organisations, and handed to the machine, which decides under its locks whether they are still due: any number of
 * replicas may sweep at once. Also makes the ledger's partitions ahead of time.
 */
@Injectable()
export class DueWork implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly timers: NodeJS.Timeout[] = [];
  private sweeping: Promise<void> | null = null;
  private ended = false;

  constructor(
    private readonly database: Database,
    private readonly batcher: Batcher,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    await this.makePartitions();
    this.timers.push(setInterval(() => this.sweepUnlessSweeping(), SWEEP_MS));
    this.timers.push(setInterval(() => void this.makePartitions(), PARTITION_CHECK_MS));
  }

  private sweepUnlessSweeping(): void {
    this.sweeping ??= this.sweep().finally(() => (this.sweeping = null));
  }

  async onApplicationShutdown(): Promise<void> {
    this.ended = true;
    for (const timer of this.timers) clearInterval(timer);
    await this.sweeping;
  }

  /** One look at what is due; resolves when it is done. */
  async sweep(): Promise<void> {
    if (this.ended) return;
    try {
      const due = await this.database.transaction([], (tx) =>
        Promise.all([
          tx.run(dueHolds, [HOLDS_PER_SWEEP_MAX]),
          tx.run(fillableBalances, [BALANCES_PER_SWEEP_MAX]),
          tx.run(expiredLots, [LOTS_PER_SWEEP_MAX]),
        ]),
      );
      const meta = { messageId: 'sweep', mayWait: false };
      const commands: StockCommand[] = [
        ...due[0].map((row) => ({ kind: 'expire-holds' as const, orgId: row.org_id, orderId: row.order_id, meta })),
        ...due[2].map(({ org_id: orgId, warehouse_id: warehouseId, item_id: itemId, lot }) => {
          return { kind: 'expire-lot' as const, orgId, warehouseId, itemId, lot, meta };
        }),
        ...due[1].map((row) => ({
          kind: 'fill-backorders' as const,
          orgId: row.org_id,
          warehouseId: row.warehouse_id,
          itemId: row.item_id,
          meta,
        })),
      ];
      await Promise.all(
        commands.map((command) => this.batcher.submit(command, command.kind === 'fill-backorders' ? 'background' : 'events')),
      );
    } catch (error) {
      // The next sweep finds the same again.
      new Logger(DueWork.name).warn(`A sweep for what is due failed: ${String(error)}`);
    }
  }

  private async makePartitions(): Promise<void> {
    const now = new Date();
    for (const ahead of [0, 1, 2]) {
      const month = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + ahead, 1)).toISOString().slice(0, 10);
      await this.database
        .transaction([], (tx) => tx.rows('select ensure_ledger_partition($1::date)', [month]))
        // What finds no partition of its own goes into the default one.
        .catch((error: unknown) => new Logger(DueWork.name).warn(`The ledger partition of ${month} could not be made: ${String(error)}`));
    }
  }
}
