import { Controller } from '@nestjs/common';
import { type CheckedPage, DemandBooksRead, DemandCheck, type ResponseOf, RowsCount, StockCheck } from '#libs/contracts';
import { OnCall } from '#libs/messaging';
import { Database } from '#libs/persistence';
import type { Asked } from '../asked.js';
import { checkDemands } from './check-demands.queries.js';
import { checkStock } from './check-stock.js';
import { readDemandBooks } from './demand-books.queries.js';

/** What reconciliation asks: checks of inventory's own tables, page by page, on snapshots, without locks. */
@Controller()
export class ReconciliationController {
  constructor(private readonly database: Database) {}

  @OnCall(RowsCount.inventory)
  async count({ orgId }: Asked<typeof RowsCount.inventory>): Promise<ResponseOf<typeof RowsCount.inventory>> {
    const [row] = await this.database.transaction(
      [orgId],
      (tx) =>
        tx.rows<{ balances: number; orders: number }>(
          `select (select count(*) from stock_balance where org_id = $1) as balances,
                  (select count(*) from demand where org_id = $1) as orders`,
          [orgId],
        ),
      { readOnly: true },
    );
    return row!;
  }

  @OnCall(StockCheck)
  checkStock({ orgId, after = '', limit }: Asked<typeof StockCheck>): Promise<CheckedPage> {
    return checkStock(this.database, orgId, after, limit);
  }

  @OnCall(DemandCheck)
  checkDemands({ orgId, after = '', limit }: Asked<typeof DemandCheck>): Promise<CheckedPage> {
    return this.database.transaction([orgId], (tx) => checkDemands(tx, orgId, after, limit), { readOnly: true });
  }

  @OnCall(DemandBooksRead)
  readDemands({ orgId, ...request }: Asked<typeof DemandBooksRead>): Promise<ResponseOf<typeof DemandBooksRead>> {
    return this.database.transaction([orgId], (tx) => readDemandBooks(tx, orgId, request), { readOnly: true });
  }
}
