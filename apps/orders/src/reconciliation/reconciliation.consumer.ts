import { Controller } from '@nestjs/common';
import { OrderBooksRead, type RequestOf, type ResponseOf, RowsCount } from '#libs/contracts';
import { OnCall } from '#libs/messaging';
import { Database } from '#libs/persistence';
import { readOrderBooks } from './order-books.queries.js';

/** What reconciliation asks: what orders knows of its orders, to be compared with what inventory knows of them. */
@Controller()
export class ReconciliationConsumer {
  constructor(private readonly database: Database) {}

  @OnCall(RowsCount.orders)
  async count({ orgId }: { readonly orgId: string }): Promise<ResponseOf<typeof RowsCount.orders>> {
    const [row] = await this.database.transaction(
      [orgId],
      (tx) => tx.rows<{ orders: number }>('select count(*) as orders from customer_order where org_id = $1', [orgId]),
      { readOnly: true },
    );
    return { balances: 0, orders: row!.orders };
  }

  @OnCall(OrderBooksRead)
  read({ orgId, ...request }: RequestOf<typeof OrderBooksRead> & { readonly orgId: string }): Promise<ResponseOf<typeof OrderBooksRead>> {
    return this.database.transaction([orgId], (tx) => readOrderBooks(tx, orgId, request), { readOnly: true });
  }
}
